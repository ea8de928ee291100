//! Any bytes as a body of rows, in each format.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| conshelf::ingest::fuzz_decode(data));
