//! Any bytes as a part of the file of the query cache: refused or read, and what was read comes back as it was.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| conshelf::saved_cache::fuzz_saved_cache(data));
