//! String functions, and functions on the texts of URLs, paths, versions and IP addresses.
//!
//! Positions and lengths count Unicode characters.

use crate::function::{Example, FunctionSpec, function_family};

const TEXT: &[&str] = &["(text: string) -> string"];
const TEST: &[&str] = &["(text: string) -> bool"];
const PAIR: &[&str] = &["(left: string, right: string, prefix: long = null) -> bool"];
const ORDER: &[&str] = &["(left: string, right: string, prefix: long = null) -> long"];
const IN_RANGE: &[&str] = &["(address: string, range: string) -> bool"];

const fn text(
    name: &'static str,
    signatures: &'static [&'static str],
    summary: &'static str,
) -> FunctionSpec {
    FunctionSpec::scalar(name, signatures, summary)
}

function_family! {
    /// String functions.
    StringFunction {
        Strlen => text("strlen", &["(text: textual) -> long"], "Length of a text in characters.")
            .examples(&[Example { query: "print strlen('hello')", answer: "5" }]),
        StringSize => text("string_size", &["(text: textual) -> long"], "Length of a text in bytes of UTF-8.")
            .examples(&[Example { query: "print string_size('⒦⒰⒮⒯⒪')", answer: "15" }]),
        Substring => text("substring", &["(source: text, start: integer, length: integer = null) -> string"], "Part of a text; a negative start counts from the end.")
            .handles_nulls()
            .examples(&[Example { query: "print substring('ABCD', 1, 2)", answer: "BC" }]),
        Strcat => text("strcat", &["(values: any...) -> string"], "Concatenates its arguments as texts.")
            .handles_nulls()
            .examples(&[Example { query: "print strcat('hello', ' ', 1)", answer: "hello 1" }]),
        StrcatDelim => text("strcat_delim", &["(delimiter: text, values: any...) -> string"], "Concatenates its arguments as texts with a delimiter between.")
            .handles_nulls()
            .examples(&[Example { query: "print strcat_delim('-', 1, '2', 'A', 1s)", answer: "1-2-A-00:00:01" }]),
        ToUpper => text("toupper", &["(text: text) -> string"], "In upper case.")
            .examples(&[Example { query: "print toupper('hello')", answer: "HELLO" }]),
        ToLower => text("tolower", &["(text: text) -> string"], "In lower case.")
            .examples(&[Example { query: "print tolower('HELLO')", answer: "hello" }]),
        Trim => text("trim", &["(regex: const string, source: string) -> string"], "Cuts one match of a regular expression off both ends.")
            .examples(&[Example { query: "print trim('--', '--https://bing.com--')", answer: "https://bing.com" }]),
        TrimStart => text("trim_start", &["(regex: const string, source: string) -> string"], "Cuts one match of a regular expression off the start.")
            .examples(&[Example { query: "print trim_start('https://', 'https://bing.com')", answer: "bing.com" }]),
        TrimEnd => text("trim_end", &["(regex: const string, source: string) -> string"], "Cuts one match of a regular expression off the end.")
            .examples(&[Example { query: "print trim_end('.com', 'bing.com')", answer: "bing" }]),
        Split => text("split", &["(source: text, delimiter: string, index: integer = null) -> array"], "The pieces between delimiters, or the one at an index, as an array.")
            .handles_nulls()
            .examples(&[Example { query: "print split('aa_bb_cc', '_')[1]", answer: "bb" }]),
        ReplaceString => text("replace_string", &["(text: string, lookup: string, rewrite: string) -> string"], "Replaces every occurrence of a text.")
            .examples(&[Example { query: "print replace_string('a cat', 'cat', 'dog')", answer: "a dog" }]),
        ReplaceStrings => text("replace_strings", &["(text: string, lookups: array, rewrites: array) -> string"], "Replaces every occurrence of several texts, in one pass.")
            .examples(&[Example { query: "print replace_strings('cat dog', dynamic(['cat', 'dog']), dynamic(['dog', 'owl']))", answer: "dog owl" }]),
        ReplaceRegex => text("replace_regex", &["(text: string, regex: const string, rewrite: const string) -> string"], "Replaces every match of a regular expression; \\1 stands for its first group.")
            .aliases(&["replace"])
            .examples(&[Example { query: "print replace_regex('Number is 1', @'is (\\d+)', @'was: \\1')", answer: "Number was: 1" }]),
        Extract => text("extract", &["(regex: const string, group: long, source: string) -> string"], "A group of the first match of a regular expression; 0 is the whole match.")
            .examples(&[Example { query: "print extract('x=([0-9.]+)', 1, 'hello x=45.6|wo')", answer: "45.6" }]),
        ExtractAll => text("extract_all", &["(regex: const string, source: string) -> array", "(regex: const string, groups: array, source: string) -> array"], "The groups of every match of a regular expression; null without a match.")
            .aliases(&["extractall"])
            .handles_nulls()
            .examples(&[Example { query: "print extract_all(@'(\\d)', 'a1b2')[1]", answer: "2" }]),
        IndexOf => text("indexof", &["(source: any, lookup: any, start: integer = 0, length: integer = -1, occurrence: const integer = 1) -> long"], "Position of a text in another, or -1.")
            .handles_nulls()
            .examples(&[Example { query: "print indexof('abcdefg', 'cde')", answer: "2" }]),
        IndexOfRegex => text("indexof_regex", &["(source: any, lookup: const any, start: integer = 0, length: integer = -1, occurrence: const integer = 1) -> long"], "Position of the match of a regular expression, or -1.")
            .handles_nulls()
            .examples(&[Example { query: "print indexof_regex('abcabc', 'a.c')", answer: "0" }]),
        CountOf => text("countof", &["(source: string, search: string, kind: literal string in normal|regex = 'normal') -> long"], "How often a text occurs (overlaps count) or a regular expression matches.")
            .examples(&[Example { query: "print countof('aaa', 'aa'), countof('abcabc', 'a.c', 'regex')", answer: "2,2" }]),
        Reverse => text("reverse", &["(value: any) -> string"], "The characters in reverse order.")
            .handles_nulls()
            .examples(&[Example { query: "print reverse('ABC')", answer: "CBA" }]),
        Strrep => text("strrep", &["(value: any, count: long, delimiter: any = '') -> string"], "Repeats a text up to 1024 times.")
            .handles_nulls()
            .examples(&[Example { query: "print strrep(123, 3, '.')", answer: "123.123.123" }]),
        Strcmp => text("strcmp", &["(left: text, right: text) -> long"], "-1, 0 or 1 as the first text is smaller, equal or larger.")
            .examples(&[Example { query: "print strcmp('ABC', 'abc')", answer: "-1" }]),
        Translate => text("translate", &["(search: string, replacement: string, source: string) -> string"], "Replaces characters by the ones at the same position of another list.")
            .examples(&[Example { query: "print translate('krasp', 'otsku', 'spark')", answer: "kusto" }]),
        HasAnyIndex => text("has_any_index", &["(source: textual, values: array) -> long"], "Position of the first value of an array that the text has as a term, or -1.")
            .examples(&[Example { query: "print has_any_index('this is an example', dynamic(['zzz', 'example']))", answer: "1" }]),
        IsAscii => text("isascii", &["(text: text) -> bool"], "Whether a text has ASCII characters only.")
            .examples(&[Example { query: "print isascii('some string')", answer: "true" }]),
        IsUtf8 => text("isutf8", &["(text: text) -> bool"], "Whether a text is valid UTF-8.")
            .examples(&[Example { query: "print isutf8('some string')", answer: "true" }]),
        UnicodeCodepointsFromString => text("unicode_codepoints_from_string", &["(text: text) -> array"], "The code points of a text's characters.")
            .aliases(&["to_utf8"])
            .examples(&[Example { query: "print unicode_codepoints_from_string('K')[0]", answer: "75" }]),
        UnicodeCodepointsToString => text("unicode_codepoints_to_string", &["(values: long|dynamic...) -> string"], "The text of code points.")
            .aliases(&["make_string"])
            .handles_nulls()
            .examples(&[Example { query: "print unicode_codepoints_to_string(75, 117, 115, 116, 111)", answer: "Kusto" }]),
        RegexQuote => text("regex_quote", &["(text: text) -> string"], "Escapes what has a meaning in regular expressions.")
            .examples(&[Example { query: "print regex_quote('(so$me.Te^xt)')", answer: "\\(so\\$me\\.Te\\^xt\\)" }]),
        ToHex => text("tohex", &["(value: integer, length: integer = null) -> string", "(value: int, length: integer = null) -> string"], "In hexadecimal, with leading zeros up to a length.")
            .handles_nulls()
            .examples(&[Example { query: "print tohex(256), tohex(-256)", answer: "100,ffffffffffffff00" }]),
        FormatBytes => text("format_bytes", &["(size: floating, precision: const whole = 0, units: const string = '') -> string"], "A number of bytes in a readable unit.")
            .examples(&[Example { query: "print format_bytes(10332, 1)", answer: "10.1 KB" }]),
        UrlEncode => text("url_encode", TEXT, "Escapes a text for a URL; blanks become +.")
            .examples(&[Example { query: "print url_encode('a b')", answer: "a+b" }]),
        UrlEncodeComponent => text("url_encode_component", TEXT, "Escapes a text for a URL; blanks become %20.")
            .examples(&[Example { query: "print url_encode_component('a b')", answer: "a%20b" }]),
        UrlDecode => text("url_decode", TEXT, "Undoes the escapes of a URL.")
            .examples(&[Example { query: "print url_decode('hello+world%21')", answer: "hello world!" }]),
        ParseUrl => text("parse_url", &["(text: string) -> bag"], "The parts of a URL.")
            .aliases(&["parseurl"])
            .examples(&[Example { query: "print parse_url('https://host:1234/path').Port", answer: "1234" }]),
        ParseUrlQuery => text("parse_urlquery", &["(text: string) -> bag"], "The parameters of the query part of a URL.")
            .aliases(&["parseurlquery"])
            .examples(&[Example { query: "print parse_urlquery('k1=v1&k2=v2')['Query Parameters'].k2", answer: "v2" }]),
        ParsePath => text("parse_path", &["(text: string) -> bag"], "The parts of a file's path.")
            .examples(&[Example { query: "print parse_path(@'C:\\temp\\file.txt').Filename", answer: "file.txt" }]),
        ParseUserAgent => text("parse_user_agent", &["(user_agent: string) -> bag", "(user_agent: string, look_for: string) -> bag", "(user_agent: string, look_for: dynamic) -> bag"], "Browser, operating system and device behind a user agent; look_for: 'browser', 'os', 'device' or an array of these.")
            .examples(&[Example { query: "print parse_user_agent('Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/115.0', 'browser').Browser.Family", answer: "Firefox" }]),
        ParseVersion => text("parse_version", &["(version: string) -> decimal"], "A number that orders as the version does.")
            .examples(&[Example { query: "print parse_version('1.2') < parse_version('1.10')", answer: "true" }]),
        ParseIpv4 => text("parse_ipv4", &["(address: string) -> long"], "An IPv4 address as a number.")
            .examples(&[Example { query: "print parse_ipv4('127.0.0.1')", answer: "2130706433" }]),
        ParseIpv4Mask => text("parse_ipv4_mask", &["(address: string, prefix: long) -> long"], "An IPv4 address, cut to its prefix, as a number.")
            .examples(&[Example { query: "print parse_ipv4_mask('127.0.0.1', 24)", answer: "2130706432" }]),
        ParseIpv6 => text("parse_ipv6", TEXT, "An IPv6 or IPv4 address in full IPv6 form.")
            .examples(&[Example { query: "print parse_ipv6('::1')", answer: "0000:0000:0000:0000:0000:0000:0000:0001" }]),
        ParseIpv6Mask => text("parse_ipv6_mask", &["(address: string, prefix: long) -> string"], "An IPv6 or IPv4 address, cut to its prefix, in full IPv6 form.")
            .examples(&[Example { query: "print parse_ipv6_mask('::1', 64)", answer: "0000:0000:0000:0000:0000:0000:0000:0000" }]),
        FormatIpv4 => text("format_ipv4", &["(address: text, prefix: long = null) -> string", "(address: long, prefix: long = null) -> string"], "An IPv4 address, cut to a prefix, as text.")
            .handles_nulls()
            .examples(&[Example { query: "print format_ipv4('192.168.1.255', 24)", answer: "192.168.1.0" }]),
        FormatIpv4Mask => text("format_ipv4_mask", &["(address: text, prefix: long = null) -> string", "(address: long, prefix: long = null) -> string"], "An IPv4 address, cut to a prefix, in CIDR notation.")
            .handles_nulls()
            .examples(&[Example { query: "print format_ipv4_mask('192.168.1.255', 24)", answer: "192.168.1.0/24" }]),
        Ipv4IsMatch => text("ipv4_is_match", PAIR, "Whether two IPv4 addresses agree in the shortest of their prefixes.")
            .handles_nulls()
            .examples(&[Example { query: "print ipv4_is_match('192.168.1.1', '192.168.1.255', 24)", answer: "true" }]),
        Ipv4Compare => text("ipv4_compare", ORDER, "-1, 0 or 1 as the first IPv4 address is smaller, equal or larger.")
            .handles_nulls()
            .examples(&[Example { query: "print ipv4_compare('192.168.1.1', '192.168.1.255')", answer: "-1" }]),
        Ipv4IsInRange => text("ipv4_is_in_range", IN_RANGE, "Whether an IPv4 address lies in a range.")
            .handles_nulls()
            .examples(&[Example { query: "print ipv4_is_in_range('192.168.1.6', '192.168.1.1/24')", answer: "true" }]),
        Ipv4IsInAnyRange => text("ipv4_is_in_any_range", &["(address: textual, ranges: string...) -> bool", "(address: textual, ranges: dynamic) -> bool"], "Whether an IPv4 address lies in any of several ranges.")
            .handles_nulls()
            .examples(&[Example { query: "print ipv4_is_in_any_range('192.168.1.6', '10.0.0.0/8', '192.168.1.1/24')", answer: "true" }]),
        Ipv4IsPrivate => text("ipv4_is_private", TEST, "Whether an IPv4 address is of a private network.")
            .examples(&[Example { query: "print ipv4_is_private('10.1.2.3')", answer: "true" }]),
        Ipv4NetmaskSuffix => text("ipv4_netmask_suffix", &["(address: string) -> long"], "Length of the prefix that an IPv4 address names, else 32.")
            .examples(&[Example { query: "print ipv4_netmask_suffix('192.168.1.1/24')", answer: "24" }]),
        Ipv4RangeToCidrList => text("ipv4_range_to_cidr_list", &["(start: string, end: string) -> array"], "The CIDR ranges that cover a span of IPv4 addresses.")
            .examples(&[Example { query: "print ipv4_range_to_cidr_list('1.1.128.0', '1.1.255.255')[0]", answer: "1.1.128.0/17" }]),
        Ipv6IsMatch => text("ipv6_is_match", PAIR, "Whether two IPv6 addresses agree in the shortest of their prefixes.")
            .handles_nulls()
            .examples(&[Example { query: "print ipv6_is_match('fe80::1', 'fe80::2', 64)", answer: "true" }]),
        Ipv6Compare => text("ipv6_compare", ORDER, "-1, 0 or 1 as the first IPv6 address is smaller, equal or larger.")
            .handles_nulls()
            .examples(&[Example { query: "print ipv6_compare('::1', '::2')", answer: "-1" }]),
        Ipv6IsInRange => text("ipv6_is_in_range", IN_RANGE, "Whether an IPv6 address lies in a range.")
            .handles_nulls()
            .examples(&[Example { query: "print ipv6_is_in_range('fe80::1', 'fe80::/10')", answer: "true" }]),
        Ipv6IsInAnyRange => text("ipv6_is_in_any_range", &["(address: textual, ranges: string...) -> bool", "(address: textual, ranges: dynamic) -> bool"], "Whether an IPv6 address lies in any of several ranges.")
            .handles_nulls()
            .examples(&[Example { query: "print ipv6_is_in_any_range('fe80::1', 'fc00::/7', 'fe80::/10')", answer: "true" }]),
        HasIpv4 => text("has_ipv4", &["(source: textual, address: string) -> bool"], "Whether an IPv4 address stands in a text.")
            .examples(&[Example { query: "print has_ipv4('from 127.0.0.1 GET', '127.0.0.1')", answer: "true" }]),
        HasAnyIpv4 => text("has_any_ipv4", &["(source: textual, addresses: string...) -> bool", "(source: textual, addresses: dynamic) -> bool"], "Whether any of several IPv4 addresses stands in a text.")
            .examples(&[Example { query: "print has_any_ipv4('from 127.0.0.1 GET', '1.1.1.1', '127.0.0.1')", answer: "true" }]),
        HasIpv4Prefix => text("has_ipv4_prefix", &["(source: textual, address: string) -> bool"], "Whether an IPv4 address with that prefix stands in a text.")
            .examples(&[Example { query: "print has_ipv4_prefix('from 127.0.0.1 GET', '127.0.')", answer: "true" }]),
        HasAnyIpv4Prefix => text("has_any_ipv4_prefix", &["(source: textual, addresses: string...) -> bool", "(source: textual, addresses: dynamic) -> bool"], "Whether an IPv4 address with any of several prefixes stands in a text.")
            .examples(&[Example { query: "print has_any_ipv4_prefix('from 127.0.0.1 GET', '10.', '127.0.')", answer: "true" }]),
        PunycodeFromString => text("punycode_from_string", TEXT, "A text in punycode.")
            .examples(&[Example { query: "print punycode_from_string('académie-française')", answer: "acadmie-franaise-npb1a" }]),
        PunycodeToString => text("punycode_to_string", TEXT, "The text of punycode; empty where it is none.")
            .examples(&[Example { query: "print punycode_to_string('acadmie-franaise-npb1a')", answer: "académie-française" }]),
        PunycodeDomainFromString => text("punycode_domain_from_string", TEXT, "A domain name with its encoded labels read.")
            .examples(&[Example { query: "print punycode_domain_from_string('xn--Ge-mia.Bulg.edu')", answer: "Gáe.Bulg.edu" }]),
        PunycodeDomainToString => text("punycode_domain_to_string", TEXT, "A domain name with its labels encoded.")
            .examples(&[Example { query: "print punycode_domain_to_string('Gáe.Bulg.edu')", answer: "xn--Ge-mia.Bulg.edu" }]),
    }
}
