//! Inputs made from a corpus at random, without a fuzzer.

use std::io;
use std::path::Path;

use crate::chance::Chance;

/// The corpus of this fuzzing target.
///
/// # Errors
/// What the system says.
pub fn corpus(target: &str) -> io::Result<Vec<Vec<u8>>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
    let files = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let mut files: Vec<_> = files.collect::<io::Result<_>>()?;
    files.sort();
    files.into_iter().map(std::fs::read).collect()
}

/// One of them, changed in a few places.
pub fn changed(chance: &mut Chance, inputs: &[Vec<u8>]) -> Vec<u8> {
    let mut input = pick(chance, inputs).to_vec();
    for _ in 0..=chance.below(4) {
        change(chance, &mut input, inputs);
    }
    input
}

fn pick<'a>(chance: &mut Chance, inputs: &'a [Vec<u8>]) -> &'a [u8] {
    inputs.get(place(chance, inputs.len())).map_or(&[], Vec::as_slice)
}

fn place(chance: &mut Chance, end: usize) -> usize {
    usize::try_from(chance.below(end as u64)).unwrap_or_default()
}

/// A byte that is another one, gone or new, a part that is there twice, or the end of another input.
fn change(chance: &mut Chance, input: &mut Vec<u8>, others: &[Vec<u8>]) {
    let (from, to) = (place(chance, input.len() + 1), place(chance, input.len() + 1));
    let byte = u8::try_from(chance.below(256)).unwrap_or_default();
    match chance.below(5) {
        0 if from < input.len() => {
            input.remove(from);
        }
        1 => input.insert(from, byte),
        2 => {
            let part: Vec<u8> = input.iter().take(to).skip(from).copied().collect();
            let end = to.max(from);
            input.splice(end..end, part);
        }
        3 => {
            let other = pick(chance, others);
            let end = other.len() - other.len().min(from);
            input.truncate(from);
            input.extend(other.iter().skip(end));
        }
        _ => {
            if let Some(old) = input.get_mut(from) {
                *old = byte;
            }
        }
    }
}
