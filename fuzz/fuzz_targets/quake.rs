#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tocsin::fuzzing::quake(bytes));
