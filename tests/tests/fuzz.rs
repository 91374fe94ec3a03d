//! The corpus of the fuzzing targets, as it is and changed at random, without a fuzzer.
//!
//! `BLOCKQUEUE_FUZZ_INPUTS` (default 20,000) and `BLOCKQUEUE_FUZZ_SEED` choose how many for each target and
//! which.

use blockqueue_tests::chance::Chance;
use blockqueue_tests::fuzz::TARGETS;
use blockqueue_tests::mutation::{changed, corpus};

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn every_input_of_the_corpus_holds() {
    for (name, check) in TARGETS {
        let inputs = corpus(name).unwrap();
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
        let inputs = corpus(name).unwrap();
        for _ in 0..count {
            check(&changed(&mut chance, &inputs));
        }
    }
}
