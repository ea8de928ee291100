//! Any bytes as the file of a dashboard, as a foreign one, as the token of an embedded one.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    conshelf::dashboard::fuzz_file(data);
    conshelf::dashboard::import::fuzz_import(data);
    conshelf::dashboard::token::fuzz_token(data);
});
