#!/usr/bin/env bash
# Makes BlockQueueFFI.xcframework for macOS and iOS out of the static library. Wants a Mac with Xcode and Rust's targets.
# NOT TESTED: there was no Mac to run it on.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

out=target/xcframework
headers=$out/headers/BlockQueueFFI
rm -rf "$out"
mkdir -p "$headers"
cp bindings/swift/Sources/BlockQueueFFI/BlockQueueFFI.h "$headers/"
printf 'module BlockQueueFFI {\n    header "BlockQueueFFI.h"\n    export *\n}\n' > "$headers/module.modulemap"

libraries=()
for target in aarch64-apple-darwin aarch64-apple-ios aarch64-apple-ios-sim; do
    rustup target add "$target"
    cargo build --release --package blockqueue-ffi --target "$target"
    libraries+=(-library "target/$target/release/libblockqueue.a" -headers "$out/headers")
done
xcodebuild -create-xcframework "${libraries[@]}" -output "$out/BlockQueueFFI.xcframework"
