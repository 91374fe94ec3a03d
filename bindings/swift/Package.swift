// swift-tools-version: 6.0
import PackageDescription

// The native library: `cargo xtask ffi` in the repository builds it. Programs are told where it is by
// `-Xlinker -L…`, or pkg-config's `blockqueue`; on Apple's systems BLOCKQUEUE_XCFRAMEWORK names the framework that
// `make-xcframework.sh` makes.
let framework = Context.environment["BLOCKQUEUE_XCFRAMEWORK"]

let native: [Target] =
    if let framework {
        [.binaryTarget(name: "BlockQueueFFI", path: framework)]
    } else {
        [.systemLibrary(name: "BlockQueueFFI", pkgConfig: "blockqueue")]
    }

let package = Package(
    name: "BlockQueue",
    platforms: [.macOS(.v14), .iOS(.v17)],
    products: [.library(name: "BlockQueue", targets: ["BlockQueue"])],
    targets: native + [
        // Generated: `cargo xtask generate`.
        .target(
            name: "BlockQueueNative",
            dependencies: ["BlockQueueFFI"],
            swiftSettings: [.swiftLanguageMode(.v5)]
        ),
        .target(name: "BlockQueue", dependencies: ["BlockQueueNative"]),
        .executableTarget(name: "QuickStart", dependencies: ["BlockQueue"], path: "Examples/QuickStart"),
        .executableTarget(name: "Bench", dependencies: ["BlockQueue"], path: "Examples/Bench"),
        .executableTarget(name: "RingNode", dependencies: ["BlockQueue"], path: "Examples/RingNode"),
        .testTarget(name: "BlockQueueTests", dependencies: ["BlockQueue", "BlockQueueNative"]),
    ]
)
