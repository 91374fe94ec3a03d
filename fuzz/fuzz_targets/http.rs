#![no_main]
#![expect(clippy::unwrap_used, reason = "what cannot go on has failed")]

#[path = "../../server/tests/fuzz/request.rs"]
mod request;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = request::check(data);
});
