//! Lines of an input, in batches.
//!
//! A batch ends at the limits of a publish, or where reading on could block: a slow input is published
//! line by line, a fast one in full batches. A line is the bytes before a line feed, whatever they are;
//! an empty line is an empty message.

use std::io::{BufRead, BufReader, Read};

use blockqueue::limits;

use crate::cli::failure::{Failure, Outcome};

/// Bytes asked of the input at a time.
const BUFFER_BYTES: usize = 256 << 10;

/// An input, line by line.
#[derive(Debug)]
pub(super) struct Lines<R> {
    input: BufReader<R>,
    batch_bytes: usize,
    /// What each line costs beside its own bytes.
    line_bytes: usize,
    /// A line that did not fit into its batch any more.
    held: Option<Vec<u8>>,
    taken_bytes: u64,
}

impl<R: Read> Lines<R> {
    /// The lines of this input, in batches of so many bytes or one line. Each line counts as so many
    /// bytes more than it has.
    pub(super) fn of(input: R, batch_bytes: usize, line_bytes: usize) -> Self {
        let input = BufReader::with_capacity(BUFFER_BYTES, input);
        Self { input, batch_bytes, line_bytes, held: None, taken_bytes: 0 }
    }

    /// Bytes read so far.
    pub(super) const fn taken_bytes(&self) -> u64 {
        self.taken_bytes
    }

    /// The next lines; none at the end.
    pub(super) fn batch(&mut self) -> Outcome<Vec<Vec<u8>>> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        while batch.len() < limits::BATCH_MAX {
            let Some(line) = self.line()? else { break };
            let size = line.len() + self.line_bytes;
            if !batch.is_empty() && bytes + size > self.batch_bytes {
                self.held = Some(line);
                break;
            }
            bytes += size;
            batch.push(line);
            if bytes > self.batch_bytes || !self.input.buffer().contains(&b'\n') {
                break;
            }
        }
        Ok(batch)
    }

    fn line(&mut self) -> Outcome<Option<Vec<u8>>> {
        if let Some(held) = self.held.take() {
            return Ok(Some(held));
        }
        let mut line = Vec::new();
        let limit = limits::PAYLOAD_BYTES_MAX as u64 + 2;
        let taken = (&mut self.input)
            .take(limit)
            .read_until(b'\n', &mut line)
            .map_err(|source| Failure::Input { what: "standard input".to_owned(), source })?;
        self.taken_bytes += taken as u64;
        if taken == 0 {
            return Ok(None);
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        if line.len() > limits::PAYLOAD_BYTES_MAX {
            return Err(Failure::Queue(blockqueue::Error::LimitExceeded {
                what: "line",
                actual: line.len() as u64,
                limit: limits::PAYLOAD_BYTES_MAX as u64,
            }));
        }
        Ok(Some(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batches(input: &[u8]) -> Vec<Vec<Vec<u8>>> {
        let mut lines = Lines::of(input, 8 << 20, 0);
        let next = || Some(lines.batch().unwrap()).filter(|batch| !batch.is_empty());
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn a_line_is_what_stands_before_a_line_feed() {
        let lines = |input: &[u8]| batches(input).concat();
        assert_eq!(lines(b"a\n\nb\r\n\xff"), [&b"a"[..], b"", b"b\r", b"\xff"]);
        assert!(lines(b"").is_empty());
        assert_eq!(lines(b"\n"), [b""]);
    }

    #[test]
    fn a_batch_has_a_thousand_lines_at_most() {
        let sizes: Vec<_> = batches(&b"x\n".repeat(2_500)).iter().map(Vec::len).collect();
        assert_eq!(sizes, [1_000, 1_000, 500]);
    }

    #[test]
    fn a_batch_fits_into_one_publish() {
        let line = vec![b'x'; 3 << 20];
        let input = [line.as_slice(), b"\n"].concat().repeat(9);
        let batches = batches(&input);
        assert_eq!(batches.concat().len(), 9);
        for batch in batches {
            assert!(batch.concat().len() <= 8 << 20);
        }
    }

    #[test]
    fn a_slow_input_is_not_waited_for() {
        /// Gives one line at a time, as a terminal does.
        struct Slow(usize);
        impl Read for Slow {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                if self.0 == 0 {
                    return Ok(0);
                }
                self.0 -= 1;
                buffer[..2].copy_from_slice(b"x\n");
                Ok(2)
            }
        }
        let mut lines = Lines::of(Slow(3), 8 << 20, 0);
        for _ in 0..3 {
            assert_eq!(lines.batch().unwrap().len(), 1);
        }
        assert!(lines.batch().unwrap().is_empty());
    }
}
