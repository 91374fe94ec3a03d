//! The only place that asks for randomness.

/// Unguessable bytes.
///
/// # Panics
/// If the operating system has no randomness to give, which ends the operation, not the process.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    #[expect(clippy::expect_used, reason = "a receipt that can be guessed is worse than none")]
    getrandom::fill(&mut bytes).expect("the operating system has randomness");
    bytes
}

/// A number from 0 up to, not including, 1.
#[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
pub(crate) fn unit() -> f64 {
    (u64::from_ne_bytes(bytes()) >> 11) as f64 / (1_u64 << 53) as f64
}
