//! Cases of string functions.

use super::{bind, check, query};
use crate::engine::error::EngineError;
use crate::engine::evaluate::{NoSubqueries, PreparedExpression};

#[test]
fn lengths_and_parts() {
    check(&[
        ("strlen('añ😀')", "3"),
        ("string_size('añ😀')", "7"),
        ("substring('hello', 1, 3)", "ell"),
        ("substring('hello', -2, 2)", "lo"),
        ("substring('hello', 1, -1)", ""),
        ("substring('abcdef', 3)", "def"),
        ("tostring(split('a,,b', ','))", "[\"a\",\"\",\"b\"]"),
        ("tostring(split('', ','))", "[\"\"]"),
        ("tostring(split('a_b_c', '_', 1))", "[\"b\"]"),
        ("tostring(split('a_b', '_', 7))", "[]"),
        ("reverse('añb')", "bña"),
        ("reverse(123)", "321"),
        ("extract('x=([0-9.]+)', 1, 'hello x=45.6|wo')", "45.6"),
        ("extract(@'\\d+', 0, 'ab 12 34')", "12"),
        ("extract('(a)', 5, 'a')", ""),
        ("extract('(a)', 1, 'b')", ""),
        ("tostring(extract_all(@'([a-z])(\\d)', 'a1 b2'))", "[[\"a\",\"1\"],[\"b\",\"2\"]]"),
        ("tostring(extract_all(@'(\\w)(\\d)', dynamic([2]), 'a1 b2'))", "[\"1\",\"2\"]"),
        ("isnull(extract_all(@'(\\d)', 'none'))", "True"),
    ]);
}

#[test]
fn joining_and_rewriting() {
    check(&[
        ("strcat('a', '-', 1, '-', true, '-', 1.5)", "a-1-True-1.5"),
        ("strcat_delim('-', 1, '2', 'A', 1s)", "1-2-A-00:00:01"),
        ("toupper('straße café')", "STRAßE CAFÉ"),
        ("tolower('ПРИВЕТ')", "привет"),
        ("trim('--', '--https://bing.com--')", "https://bing.com"),
        ("trim(@'[^\\w]+', '-  Te st1// $')", "Te st1"),
        ("trim(@'\\s', '   ')", " "),
        ("trim_start('x', 'xxhello')", "xhello"),
        ("trim_end('a*', 'aaathis is a testaaaa')", "aaathis is a test"),
        ("replace_string('abcabc', 'a', 'XY')", "XYbcXYbc"),
        ("replace_string('aaa', '', 'X')", "aaa"),
        ("replace_strings('This is', dynamic(['This', 'is']), dynamic([12345, 'was']))", "This was"),
        ("replace_regex('Number is 1', @'is (\\d+)', @'was: \\1')", "Number was: 1"),
        ("replace_regex('abc', 'x*', '-')", "-a-b-c-"),
        ("strrep('ab', 3, '.')", "ab.ab.ab"),
        ("strrep(3s, 2, ' ')", "00:00:03 00:00:03"),
        ("translate('krasp', 'otsku', 'spark')", "kusto"),
        ("translate('abc', 'x', 'abc')", "xxx"),
        ("translate('abc', '', 'ab')", ""),
    ]);
}

#[test]
fn looking() {
    check(&[
        ("indexof('abcdefg', 'cde')", "2"),
        ("indexof('abcdefg', 'cde', 1, 2)", "2"),
        ("indexof('abcdefg', 'cde', 3, 4)", "-1"),
        ("indexof('abcdefg', 'cde', -5)", "2"),
        ("indexof(1234567, 5, 1, 4)", "4"),
        ("indexof('abcdefgabcdefg', 'cde', 1, 10, 2)", "9"),
        ("indexof('abc', '')", "null"),
        ("indexof('añb', 'b')", "2"),
        ("indexof_regex('abcabcdefg', 'a.c', 0, 9, 2)", "3"),
        ("indexof_regex('abcabc', 'a|ab', -1)", "null"),
        ("countof('aaa', 'aa')", "2"),
        ("countof('hello world', 'l+', 'regex')", "2"),
        ("countof('abc', '')", "0"),
        ("strcmp('ABC', 'abc')", "-1"),
        ("has_any_index('this is an example', dynamic(['not', 'example']))", "1"),
        ("has_any_index('number 2', dynamic([1, 2, 3]))", "1"),
    ]);
}

#[test]
fn characters_and_numbers() {
    check(&[
        ("isascii('é')", "False"),
        ("isutf8('é')", "True"),
        ("tostring(unicode_codepoints_from_string('K😀'))", "[75,128512]"),
        ("unicode_codepoints_to_string(75, 117)", "Ku"),
        ("unicode_codepoints_to_string(dynamic([75, 117]))", "Ku"),
        ("unicode_codepoints_to_string(55296)", ""),
        ("regex_quote('(so$me.Te^xt)')", "\\(so\\$me\\.Te\\^xt\\)"),
        ("tohex(256)", "100"),
        ("tohex(-256)", "ffffffffffffff00"),
        ("tohex(toint(-256), 8)", "ffffff00"),
        ("tohex(256, 8)", "00000100"),
        ("format_bytes(564)", "564 Bytes"),
        ("format_bytes(10332, 1)", "10.1 KB"),
        ("format_bytes(20010332, 2)", "19.08 MB"),
        ("format_bytes(20010332, 0, 'KB')", "19541 KB"),
        ("url_encode('https://www.bing.com/hello world')", "https%3a%2f%2fwww.bing.com%2fhello+world"),
        ("url_encode_component('hello world/')", "hello%20world%2f"),
        ("url_decode('%e4%bd%a0+%zz')", "你 %zz"),
        ("punycode_from_string('académie-française')", "acadmie-franaise-npb1a"),
        ("punycode_domain_from_string('xn--Ge-mia.Bulg.edu')", "Gáe.Bulg.edu"),
        ("punycode_domain_to_string(\"Kaledvoulc'h.Artorījos.edu\")", "Kaledvoulc'h.xn--Artorjos-ejb.edu"),
    ]);
}

#[test]
fn texts_with_structure() {
    check(&[
        (
            "tostring(parse_url('scheme://username:password@host:1234/this/is/a/path?k1=v1&k2=v2#fragment'))",
            r##"{"Scheme":"scheme","Host":"host","Port":"1234","Path":"/this/is/a/path","Username":"username","Password":"password","Query Parameters":{"k1":"v1","k2":"v2"},"Fragment":"fragment"}"##,
        ),
        ("tostring(parse_urlquery('a=1&b=x%20y'))", r#"{"Query Parameters":{"a":"1","b":"x y"}}"#),
        (
            "tostring(parse_path('file://C:/temp/file.txt:some.exe'))",
            r#"{"Scheme":"file","RootPath":"C:","DirectoryPath":"C:/temp","DirectoryName":"temp","Filename":"file.txt","Extension":"txt","AlternateDataStreamName":"some.exe"}"#,
        ),
        (
            r"tostring(parse_path(@'\\shared\users\temp\file.txt.gz'))",
            r#"{"Scheme":"","RootPath":"","DirectoryPath":"\\\\shared\\users\\temp","DirectoryName":"temp","Filename":"file.txt.gz","Extension":"gz","AlternateDataStreamName":""}"#,
        ),
        ("parse_version('0.0.7.0')", "700000000"),
        ("isnull(parse_version('a.b'))", "True"),
        ("parse_ipv4('192.168.1.1/24')", "3232235776"),
        ("isnull(parse_ipv4('1.2.3'))", "True"),
        ("parse_ipv4_mask('127.0.0.1', 24)", "2130706432"),
        ("parse_ipv6('192.168.255.255/24')", "0000:0000:0000:0000:0000:ffff:c0a8:ff00"),
        ("format_ipv4('192.168.1.1/24', 32)", "192.168.1.0"),
        ("format_ipv4_mask('192.168.1.1', 24)", "192.168.1.0/24"),
        ("format_ipv4('192.168.1.1/24', -1)", ""),
        ("format_ipv4(3232235777)", "192.168.1.1"),
        ("ipv4_is_match('192.168.1.1/24', '192.168.1.255', 31)", "True"),
        ("isnull(ipv4_is_match('bad', '192.168.1.255'))", "True"),
        ("ipv4_compare('192.168.1.1/30', '192.168.1.255/24')", "0"),
        ("ipv4_is_in_range('192.168.1.6', '192.168.1.1/24')", "True"),
        ("ipv4_is_in_any_range('10.1.2.3', dynamic(['192.168.1.1/16', '10.0.0.1/8']))", "True"),
        ("ipv4_is_private('202.1.2.3')", "False"),
        ("ipv4_netmask_suffix('10.1.2.3')", "32"),
        (
            "tostring(ipv4_range_to_cidr_list('1.1.127.255', '1.1.129.0'))",
            r#"["1.1.127.255/32","1.1.128.0/24","1.1.129.0/32"]"#,
        ),
        ("ipv6_is_match('fe80::1', 'fe80::2', 64)", "True"),
        ("ipv6_compare('192.168.1.1', '::ffff:c0a8:0101')", "0"),
        ("has_ipv4('05:04:54127.0.0.1 GET', '127.0.0.1')", "True"),
        ("has_ipv4('127.0.0.256 GET', '127.0.0.256')", "False"),
        ("has_ipv4_prefix('05:04:54 127.0.0.1 GET', '127.0')", "False"),
        ("has_any_ipv4_prefix('05:04:54 127.0.0.1 GET', '10.', '127.0.')", "True"),
    ]);
}

#[test]
fn a_malformed_regular_expression_fails_the_query() {
    for text in
        ["'a' matches regex '('", "extract('(', 0, 'a')", "trim('[', 'a')", "countof('a', '(', 'regex')"]
    {
        let failed = PreparedExpression::prepare(&bind(text), &query(), &mut NoSubqueries);
        assert!(matches!(failed, Err(EngineError::Evaluation(_))), "{text}: {failed:?}");
    }
}

#[test]
fn texts_do_not_grow_past_the_memory_of_a_query() {
    let text = "strlen(strrep(strrep(strrep('0123456789', 1024), 1024), 1024))";
    let failed = PreparedExpression::prepare(&bind(text), &query(), &mut NoSubqueries);
    assert!(matches!(failed, Err(EngineError::Memory { .. })), "{failed:?}");
}
