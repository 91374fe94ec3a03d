//! The corpus of the fuzzing targets, as it is and changed at random, without a fuzzer.
//!
//! `BLOCKQUEUE_FUZZ_INPUTS` (default 20,000) and `BLOCKQUEUE_FUZZ_SEED` choose how many for each target and
//! which.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;

use blockqueue_tests::chance::Chance;
use blockqueue_tests::fuzz::TARGETS;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(name);
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|file| std::fs::read(file).unwrap()).collect()
}

#[test]
fn every_input_of_the_corpus_holds() {
    for (name, check) in TARGETS {
        let inputs = corpus(name);
        assert!(inputs.len() >= 4, "{name} has a corpus");
        for input in &inputs {
            check(input);
        }
    }
}

#[test]
fn the_corpus_changed_at_random_holds() {
    let (count, seed) =
        (setting("BLOCKQUEUE_FUZZ_INPUTS", 20_000), setting("BLOCKQUEUE_FUZZ_SEED", 20_260_101));
    println!("{count} inputs for each target, seed {seed}");
    let mut chance = Chance::new(seed);
    for (name, check) in TARGETS {
        let inputs = corpus(name);
        for _ in 0..count {
            let mut input = pick(&mut chance, &inputs).clone();
            for _ in 0..=chance.below(4) {
                change(&mut chance, &mut input, &inputs);
            }
            check(&input);
        }
    }
}

fn pick<'a, T>(chance: &mut Chance, all: &'a [T]) -> &'a T {
    all.get(usize::try_from(chance.below(all.len() as u64)).unwrap()).unwrap()
}

/// A byte that is another one, gone or new, a part that is there twice, or the end of another input.
fn change(chance: &mut Chance, input: &mut Vec<u8>, others: &[Vec<u8>]) {
    let mut place = |length: usize| usize::try_from(chance.below(length as u64 + 1)).unwrap();
    let (from, to) = (place(input.len()), place(input.len()));
    let byte = u8::try_from(place(255)).unwrap();
    match place(4) {
        0 if from < input.len() => {
            input.remove(from);
        }
        1 => input.insert(from, byte),
        2 if from < to => {
            let part = input.get(from..to).unwrap().to_vec();
            input.splice(to..to, part);
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
