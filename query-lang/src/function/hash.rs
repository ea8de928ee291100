//! Hashing, base64, compression, unique identifiers.

use crate::function::{Example, FunctionSpec, function_family};

const TEXT: &[&str] = &["(text: string) -> string"];

const fn hashing(
    name: &'static str,
    signatures: &'static [&'static str],
    summary: &'static str,
) -> FunctionSpec {
    FunctionSpec::scalar(name, signatures, summary).handles_nulls()
}

function_family! {
    /// Hashing and encoding.
    HashFunction {
        Hash => hashing("hash", &["(value: plain, modulus: integer = null) -> long"], "xxHash64 of a value, optionally modulo a number.")
            .examples(&[Example { query: "print hash('World')", answer: "1846988464401551951" }]),
        HashXxhash64 => hashing("hash_xxhash64", &["(value: plain, modulus: integer = null) -> long"], "xxHash64 of a value, optionally modulo a number.")
            .examples(&[Example { query: "print hash_xxhash64('World', 100)", answer: "51" }]),
        HashMany => hashing("hash_many", &["(first: plain, others: plain...) -> long"], "One hash of several values.")
            .examples(&[Example { query: "print hash_many('a', 'b') == hash_combine(hash('a'), hash('b'))", answer: "true" }]),
        HashCombine => FunctionSpec::scalar("hash_combine", &["(first: long, others: long...) -> long"], "One hash of several hashes.")
            .examples(&[Example { query: "print hash_combine(hash('Hello'), hash('World')) == hash_combine(hash('Hello'), hash('World'))", answer: "true" }]),
        HashMd5 => hashing("hash_md5", &["(value: plain) -> string"], "MD5 of a value's text, in hexadecimal.")
            .examples(&[Example { query: "print hash_md5('World')", answer: "f5a7924e621e84c9280a9a27e1bcb7f6" }]),
        HashSha1 => hashing("hash_sha1", &["(value: plain) -> string"], "SHA-1 of a value's text, in hexadecimal.")
            .examples(&[Example { query: "print hash_sha1('World')", answer: "70c07ec18ef89c5309bbb0937f3a6342411e1fdd" }]),
        HashSha256 => hashing("hash_sha256", &["(value: plain) -> string"], "SHA-256 of a value's text, in hexadecimal.")
            .examples(&[Example {
                query: "print hash_sha256('World')",
                answer: "78ae647dc5544d227130a0682a51e30bc7777fbb6d8a8f17007463a3ecd1d524",
            }]),
        Base64EncodeToString => FunctionSpec::scalar("base64_encode_tostring", TEXT, "Base64 of a text's UTF-8 bytes.")
            .aliases(&["base64_encodestring"])
            .examples(&[Example { query: "print base64_encode_tostring('Kusto')", answer: "S3VzdG8=" }]),
        Base64DecodeToString => FunctionSpec::scalar("base64_decode_tostring", TEXT, "The UTF-8 text of base64; empty where it is none.")
            .aliases(&["base64_decodestring"])
            .examples(&[Example { query: "print base64_decode_tostring('S3VzdG8=')", answer: "Kusto" }]),
        Base64EncodeFromArray => FunctionSpec::scalar("base64_encode_fromarray", &["(bytes: array) -> string"], "Base64 of an array of bytes.")
            .examples(&[Example { query: "print base64_encode_fromarray(dynamic([75, 117]))", answer: "S3U=" }]),
        Base64DecodeToArray => FunctionSpec::scalar("base64_decode_toarray", &["(text: string) -> array"], "The bytes of base64 as an array of integers.")
            .examples(&[Example { query: "print base64_decode_toarray('S3VzdG8=')", answer: "\"[75,117,115,116,111]\"" }]),
        Base64EncodeFromGuid => FunctionSpec::scalar("base64_encode_fromguid", &["(id: guid) -> string"], "Base64 of a guid's bytes (first three groups little-endian).")
            .examples(&[Example {
                query: "print base64_encode_fromguid(toguid('ae3133f2-6e22-49ae-b06a-16e6a9b212eb'))",
                answer: "8jMxriJurkmwahbmqbIS6w==",
            }]),
        Base64DecodeToGuid => FunctionSpec::scalar("base64_decode_toguid", &["(text: string) -> guid"], "The guid whose bytes base64 holds.")
            .examples(&[Example {
                query: "print base64_decode_toguid('JpbpECu8dUy7Pv5gbeJXAA==')",
                answer: "10e99626-bc2b-4c75-bb3e-fe606de25700",
            }]),
        GzipCompress => FunctionSpec::scalar("gzip_compress_to_base64_string", TEXT, "Compresses a text with gzip, as base64.")
            .examples(&[Example { query: "print gzip_decompress_from_base64_string(gzip_compress_to_base64_string('text'))", answer: "text" }]),
        GzipDecompress => FunctionSpec::scalar("gzip_decompress_from_base64_string", TEXT, "The text of base64 of gzip; empty where it is none.")
            .examples(&[Example { query: "print gzip_decompress_from_base64_string(gzip_compress_to_base64_string('1234567890qwertyuiop'))", answer: "1234567890qwertyuiop" }]),
        ZlibCompress => FunctionSpec::scalar("zlib_compress_to_base64_string", TEXT, "Compresses a text with zlib, as base64.")
            .examples(&[Example { query: "print zlib_decompress_from_base64_string(zlib_compress_to_base64_string('text'))", answer: "text" }]),
        ZlibDecompress => FunctionSpec::scalar("zlib_decompress_from_base64_string", TEXT, "The text of base64 of zlib; empty where it is none.")
            .examples(&[Example {
                query: "print zlib_decompress_from_base64_string('eJwLSS0uUSguKcrMS1cwNDIGACxqBQ4=')",
                answer: "Test string 123",
            }]),
        NewGuid => FunctionSpec::scalar("new_guid", &["() -> guid"], "A new random guid.").volatile()
            .examples(&[Example { query: "print gettype(new_guid())", answer: "guid" }]),
    }
}
