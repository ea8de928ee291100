//! Any bytes as a chunk of dynamic values by shapes.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| conshelf_storage::extent::fuzz::fuzz_shaped(data));
