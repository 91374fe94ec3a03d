#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| blockqueue_tests::fuzz::script(data));
