//! Any bytes as the records of a log segment, and as the payload of one.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    conshelf_storage::log::fuzz::fuzz_segment(data);
    conshelf_storage::log::fuzz::fuzz_payload(data);
});
