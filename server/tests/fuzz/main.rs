//! Requests of the fuzzing target `http`: its corpus as it is, and changed at random.
//!
//! `BLOCKQUEUE_FUZZ_INPUTS` (default 20,000, of which a twentieth are requests) and `BLOCKQUEUE_FUZZ_SEED` choose how
//! many and which.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../../../tests/src/chance.rs"]
#[expect(unreachable_pub, reason = "in a library elsewhere")]
mod chance;
#[path = "../../../tests/src/mutation.rs"]
#[expect(unreachable_pub, reason = "in a library elsewhere")]
mod mutation;
mod request;

use chance::Chance;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn every_request_of_the_corpus_is_answered_and_most_are_carried_out() {
    let corpus = mutation::corpus("http").unwrap();
    let statuses: Vec<u16> = corpus.iter().filter_map(|input| request::check(input)).collect();
    assert_eq!(statuses.len(), corpus.len(), "each of the corpus is a request");
    let fruitful = statuses.iter().filter(|status| **status < 300).count();
    println!("{fruitful} of {} succeed", statuses.len());
    assert!(fruitful * 4 >= statuses.len() * 3);
}

#[test]
fn whatever_is_asked_is_answered_in_the_contract_and_leaves_the_queue_in_order() {
    let (count, seed) = (
        setting("BLOCKQUEUE_FUZZ_INPUTS", 20_000) / 20,
        setting("BLOCKQUEUE_FUZZ_SEED", 20_260_101),
    );
    println!("{count} requests, seed {seed}");
    let mut chance = Chance::new(seed);
    let corpus = mutation::corpus("http").unwrap();
    for _ in 0..count {
        request::check(&mutation::changed(&mut chance, &corpus));
    }
}
