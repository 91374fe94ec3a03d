// How to open a queue.

internal import BlockQueueNative
import Foundation

/// How to open a queue.
public struct OpenOptions: Sendable, Hashable {
    /// How safe an answered write is. Default: on disk before the answer.
    public var durability: Durability?
    /// Largest payload of one message, in bytes. Default 1 MiB, at most 64 MiB.
    public var payloadBytesMax: Int?
    /// Refuse to create a file that does not exist. Default: create it.
    public var mustExist: Bool

    /// What is not given has its default.
    public init(
        durability: Durability? = nil,
        payloadBytesMax: Int? = nil,
        mustExist: Bool = false
    ) {
        self.durability = durability
        self.payloadBytesMax = payloadBytesMax
        self.mustExist = mustExist
    }

    var native: BlockQueueNative.OpenOptions {
        BlockQueueNative.OpenOptions(
            durability: durability?.native,
            payloadBytesMax: payloadBytesMax.map { Int64($0) },
            mustExist: mustExist
        )
    }
}

/// How safe an answered write is.
public enum Durability: String, Sendable, Hashable, CaseIterable {
    /// On disk before the answer. The default.
    case full
    /// Survives a crash of the process; a power cut may take the newest commits.
    case balanced

    var native: BlockQueueNative.Durability {
        switch self {
        case .full: .full
        case .balanced: .balanced
        }
    }
}
