//! Percent encoding in the addresses of servers.

/// Undoes it in one value; the error says what is wrong, and nothing of the value, which may be a secret.
pub(super) fn decode(value: &str) -> Result<String, &'static str> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || char::from(rest.next()?).to_digit(16);
        let pair = digit().zip(digit()).and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
        bytes.push(pair.ok_or("a percent sign is not followed by two digits")?);
    }
    String::from_utf8(bytes).map_err(|_| "a value is not UTF-8")
}
