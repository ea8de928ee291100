//! Cases of hashing and encoding.

use super::check;

#[test]
fn hashes() {
    check(&[
        ("hash('World')", "1846988464401551951"),
        ("hash('World', 100)", "51"),
        ("hash(datetime(2015-01-01))", "1380966698541616202"),
        ("hash('x', 0)", "null"),
        ("hash(long(null))", "null"),
        ("hash_many('a', 'b') == hash_combine(hash('a'), hash('b'))", "True"),
        ("hash_md5('World')", "f5a7924e621e84c9280a9a27e1bcb7f6"),
        ("hash_md5(datetime(2020-01-01))", "786c530672d1f8db31fee25ea8a9390b"),
        ("hash_sha1('World')", "70c07ec18ef89c5309bbb0937f3a6342411e1fdd"),
        ("hash_sha256('World')", "78ae647dc5544d227130a0682a51e30bc7777fbb6d8a8f17007463a3ecd1d524"),
    ]);
}

#[test]
fn encodings() {
    check(&[
        ("base64_encode_tostring('Kusto')", "S3VzdG8="),
        ("base64_decode_tostring('S3VzdG8=')", "Kusto"),
        ("base64_decode_tostring('not base64!')", ""),
        ("tostring(base64_decode_toarray('S3U='))", "[75,117]"),
        ("base64_encode_fromarray(dynamic([75, 117]))", "S3U="),
        (
            "base64_encode_fromguid(toguid('ae3133f2-6e22-49ae-b06a-16e6a9b212eb'))",
            "8jMxriJurkmwahbmqbIS6w==",
        ),
        ("base64_decode_toguid('JpbpECu8dUy7Pv5gbeJXAA==')", "10e99626-bc2b-4c75-bb3e-fe606de25700"),
        ("gzip_decompress_from_base64_string(gzip_compress_to_base64_string('some text'))", "some text"),
        (
            "gzip_decompress_from_base64_string('H4sIAAAAAAAA/wEUAOv/MTIzNDU2Nzg5MHF3ZXJ0eXVpb3A6m7f2FAAAAA==')",
            "1234567890qwertyuiop",
        ),
        ("gzip_decompress_from_base64_string('x0x0x0')", ""),
        (
            "gzip_compress_to_base64_string('1234567890qwertyuiop')",
            "H4sIAAAAAAAA/wEUAOv/MTIzNDU2Nzg5MHF3ZXJ0eXVpb3A6m7f2FAAAAA==",
        ),
        (
            "zlib_compress_to_base64_string('1234567890qwertyuiop')",
            "eAEBFADr/zEyMzQ1Njc4OTBxd2VydHl1aW9wOAkGdw==",
        ),
        (
            "strlen(zlib_decompress_from_base64_string(zlib_compress_to_base64_string(strrep('ab', 1024))))",
            "2048",
        ),
        (
            "strlen(gzip_decompress_from_base64_string(gzip_compress_to_base64_string(strrep('ab', 1024))))",
            "2048",
        ),
        ("zlib_decompress_from_base64_string(zlib_compress_to_base64_string('some text'))", "some text"),
    ]);
}
