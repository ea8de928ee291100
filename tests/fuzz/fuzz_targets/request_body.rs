//! Any bytes as the body of a query or command request: refused or read, and told in every style of error.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| conshelf::server::request::fuzz_request_body(data));
