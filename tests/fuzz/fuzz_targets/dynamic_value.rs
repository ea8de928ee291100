//! Any bytes as a dynamic value.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| conshelf_storage::extent::fuzz::fuzz_dynamic(data));
