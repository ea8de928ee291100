//! Any bytes as the records of a log segment, as the payload of one, and as what is packed in it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    conshelf_storage::log::fuzz::fuzz_segment(data);
    conshelf_storage::log::fuzz::fuzz_payload(data);
    conshelf_storage::log::fuzz::fuzz_packed(data);
});
