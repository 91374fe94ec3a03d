//! Bytes that cross by one copy, where `Vec<u8>` crosses byte by byte.

use uniffi::deps::anyhow::{Result, ensure};
use uniffi::{FfiConverter, MetadataBuffer, RustBuffer, TypeId};

use crate::UniFfiTag;

/// Any bytes. Every language sees its own type of bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bytes(pub Vec<u8>);

/// How many bytes say the length.
const LENGTH: usize = size_of::<i32>();

// SAFETY: reads and writes what `Vec<u8>` would, a length in 32 bits with the highest first and the bytes, and
// gives each buffer away once.
unsafe impl FfiConverter<UniFfiTag> for Bytes {
    type FfiType = RustBuffer;

    fn lower(bytes: Self) -> RustBuffer {
        let mut buffer = Vec::with_capacity(LENGTH + bytes.0.len());
        Self::write(bytes, &mut buffer);
        RustBuffer::from_vec(buffer)
    }

    fn try_lift(buffer: RustBuffer) -> Result<Self> {
        let buffer = buffer.destroy_into_vec();
        let mut rest = buffer.as_slice();
        let bytes = Self::try_read(&mut rest)?;
        ensure!(rest.is_empty(), "{} bytes too many", rest.len());
        Ok(bytes)
    }

    fn write(bytes: Self, buffer: &mut Vec<u8>) {
        // The core takes and gives payloads of at most 64 MiB.
        let length = i32::try_from(bytes.0.len()).expect("a payload has less than 2 GiB");
        buffer.extend_from_slice(&length.to_be_bytes());
        buffer.extend_from_slice(&bytes.0);
    }

    fn try_read(buffer: &mut &[u8]) -> Result<Self> {
        let Some((length, rest)) = buffer.split_first_chunk() else {
            return Err(uniffi::deps::anyhow::anyhow!("bytes without their length"));
        };
        let length = usize::try_from(i32::from_be_bytes(*length))?;
        ensure!(length <= rest.len(), "{} of {length} bytes", rest.len());
        let (bytes, rest) = rest.split_at(length);
        *buffer = rest;
        Ok(Self(bytes.to_vec()))
    }

    const TYPE_ID_META: MetadataBuffer = <Vec<u8> as TypeId<UniFfiTag>>::TYPE_ID_META;
}

uniffi::derive_ffi_traits!(local Bytes);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_cross_as_a_vector_would() {
        for bytes in [vec![], vec![0], (0..=255).collect::<Vec<u8>>()] {
            let crossed =
                <Vec<u8> as uniffi::Lift<UniFfiTag>>::try_lift(Bytes::lower(Bytes(bytes.clone())));
            assert_eq!(crossed.unwrap(), bytes);
            let lowered = <Vec<u8> as uniffi::Lower<UniFfiTag>>::lower(bytes.clone());
            assert_eq!(Bytes::try_lift(lowered).unwrap(), Bytes(bytes));
        }
    }

    #[test]
    fn a_length_that_lies_is_an_error() {
        for buffer in
            [vec![], vec![0, 0, 0], vec![0, 0, 0, 2, 1], vec![255; 8], vec![0, 0, 0, 0, 1]]
        {
            assert!(Bytes::try_lift(RustBuffer::from_vec(buffer)).is_err());
        }
    }
}
