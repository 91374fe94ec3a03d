//! What `UniFFI` generates for Kotlin and Swift, from the native library.

use std::fs;
use std::path::{Path, PathBuf};

use crate::ffi::{self, Build};
use crate::run::{Failure, Result, cargo, program, root};

const SWIFT: &str = "BlockQueueNative.swift";

/// What is generated below `target/bindings`, and where it is kept.
const KEPT: &[(&str, &str)] = &[
    (
        "io/blockqueue/internal/blockqueue.kt",
        "bindings/kotlin/src/generated/io/blockqueue/internal/blockqueue.kt",
    ),
    (SWIFT, "bindings/swift/Sources/BlockQueueNative/BlockQueueNative.swift"),
    ("BlockQueueFFI.h", "bindings/swift/Sources/BlockQueueFFI/BlockQueueFFI.h"),
];

/// Writes the files anew.
pub(crate) fn write() -> Result {
    for (path, generated) in generate()? {
        let path = root().join(path);
        path.parent().map_or(Ok(()), fs::create_dir_all).map_err(failed)?;
        fs::write(path, generated).map_err(failed)?;
    }
    Ok(())
}

/// Fails if a file is not what it would be written as.
pub(crate) fn check() -> Result {
    let differs = |(path, generated): &(&str, String)| {
        fs::read_to_string(root().join(path)).ok().as_ref() != Some(generated)
    };
    let problems: Vec<_> = generate()?
        .iter()
        .filter(|file| differs(file))
        .map(|(path, _)| format!("{path} is not up to date. Run `cargo xtask generate`."))
        .collect();
    Failure::unless_none("generated bindings", &problems)
}

/// Each file that is kept, and what it is to be. From the library for tests: what it exports is the same in every
/// build, and it is not stripped and says itself what that is.
fn generate() -> Result<Vec<(&'static str, String)>> {
    ffi::build(Build::Test)?;
    cargo(&["build", "--package", "blockqueue-uniffi-generator"])?;
    let out = root().join("target/bindings");
    let library = library().display().to_string();
    for language in ["kotlin", "swift"] {
        let to = out.display().to_string();
        let from = ["generate", "--no-format", "--library", &library];
        let words = [&from[..], &["--language", language, "--out-dir", &to]].concat();
        program("target/debug/blockqueue-uniffi-generator", &words)?;
    }
    let kept = |(made, kept): &(&'static str, &'static str)| {
        let text = read(&out.join(made))?;
        Ok((*kept, if *made == SWIFT { quicker(text)? } else { text }))
    };
    KEPT.iter().map(kept).collect()
}

/// What the template for Swift reads through copies, and here is read where it is: a claim of 100 takes half the time.
const QUICKER: &[(&str, &str)] = &[
    (
        "    if T.self == UInt8.self {
        let value = reader.data[reader.offset]
        reader.offset += 1
        return value as! T
    }
    var value: T = 0
    let _ = withUnsafeMutableBytes(of: &value, { reader.data.copyBytes(to: $0, from: range)})
    reader.offset = range.upperBound
    return value.bigEndian
",
        "    let value = reader.data.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: range.lowerBound, as: T.self) }
    reader.offset = range.upperBound
    return T(bigEndian: value)
",
    ),
    (
        "    var value = [UInt8](repeating: 0, count: count)
    value.withUnsafeMutableBufferPointer({ buffer in
        reader.data.copyBytes(to: buffer, from: range)
    })
",
        "    let value = reader.data.withUnsafeBytes { Array($0[range]) }
",
    ),
    (
        "        let len: Int32 = try readInt(&buf)
        // See `lift` above for why we avoid Foundation's NSString-backed decoder here.
        return String(decoding: try readBytes(&buf, count: Int(len)), as: UTF8.self)
",
        "        let len: Int32 = try readInt(&buf)
        let range = buf.offset..<(buf.offset + Int(len))
        guard buf.data.count >= range.upperBound else {
            throw UniffiInternalError.bufferOverflow
        }
        buf.offset = range.upperBound
        return buf.data.withUnsafeBytes { String(decoding: $0[range], as: UTF8.self) }
",
    ),
    (
        "        return Data(try readBytes(&buf, count: Int(len)))
",
        "        let range = buf.offset..<(buf.offset + Int(len))
        guard buf.data.count >= range.upperBound else {
            throw UniffiInternalError.bufferOverflow
        }
        buf.offset = range.upperBound
        return buf.data.subdata(in: range)
",
    ),
];

fn quicker(mut text: String) -> Result<String> {
    for (slow, quick) in QUICKER {
        if text.matches(slow).count() != 1 {
            return Err(Failure::new(format!(
                "the template for Swift has changed, and lacks: {slow}"
            )));
        }
        text = text.replace(slow, quick);
    }
    Ok(text)
}

/// The native library of a build for tests, and how it is called.
pub(crate) fn library() -> PathBuf {
    let name = if cfg!(target_os = "macos") { "libblockqueue.dylib" } else { "libblockqueue.so" };
    Build::Test.prefix().join("lib").join(name)
}

/// Without the spaces at the ends of lines and files that the templates leave.
fn read(path: &Path) -> Result<String> {
    let text = fs::read_to_string(path).map_err(failed)?;
    let lines: Vec<_> = text.lines().map(str::trim_end).collect();
    Ok(lines.join("\n").trim_end().to_owned() + "\n")
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn failed(error: std::io::Error) -> Failure {
    Failure::new(error.to_string())
}
