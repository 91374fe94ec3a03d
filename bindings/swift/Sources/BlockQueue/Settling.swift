// How deliveries are settled.

internal import BlockQueueNative
import Foundation

/// A nack of a batch.
public struct Nack: Sendable, Hashable {
    /// Of what.
    public var receipt: String
    /// How.
    public var options: NackOptions

    /// What is not given has its default.
    public init(
        receipt: String,
        options: NackOptions
    ) {
        self.receipt = receipt
        self.options = options
    }

    var native: BlockQueueNative.Nack {
        BlockQueueNative.Nack(
            receipt: receipt,
            options: options.native
        )
    }
}

/// How to report a failure.
public struct NackOptions: Sendable, Hashable {
    /// Wait this long before the next attempt. Default: as the subscriber's retry policy says.
    public var delay: Duration?
    /// What went wrong, kept with the delivery; cut at 4 KiB.
    public var error: String?
    /// Make it a dead letter now, whatever attempts are left.
    public var giveUp: Bool

    /// What is not given has its default.
    public init(
        delay: Duration? = nil,
        error: String? = nil,
        giveUp: Bool = false
    ) {
        self.delay = delay
        self.error = error
        self.giveUp = giveUp
    }

    var native: BlockQueueNative.NackOptions {
        BlockQueueNative.NackOptions(
            delayMs: delay?.milliseconds,
            error: error,
            giveUp: giveUp
        )
    }
}

/// What a nack led to.
public struct Nacked: Sendable, Hashable {
    /// Retrying or dead-lettered.
    public let state: DeliveryState
    /// When it can be claimed again, if it can.
    public let readyAt: Date?

    init(_ native: BlockQueueNative.Nacked) {
        state = DeliveryState(native.state)
        readyAt = native.readyAtMs.map { Date(milliseconds: $0) }
    }
}

/// A deferral of a batch.
public struct Deferral: Sendable, Hashable {
    /// Of what.
    public var receipt: String
    /// For how long.
    public var delay: Duration

    /// What is not given has its default.
    public init(
        receipt: String,
        delay: Duration = .zero
    ) {
        self.receipt = receipt
        self.delay = delay
    }

    var native: BlockQueueNative.Deferral {
        BlockQueueNative.Deferral(
            receipt: receipt,
            delayMs: delay.milliseconds
        )
    }
}
