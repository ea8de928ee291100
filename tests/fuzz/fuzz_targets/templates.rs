//! Any bytes as a chunk of texts by templates.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| conshelf_storage::extent::fuzz::fuzz_templates(data));
