//! Any bytes as a column chunk.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| conshelf_storage::extent::fuzz::fuzz_decode_chunk(data));
