//! Any bytes as the footer of an extent.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| conshelf_storage::extent::fuzz::fuzz_footer(data));
