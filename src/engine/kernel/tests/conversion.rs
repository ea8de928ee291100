//! Cases of conversions.

use super::check;

#[test]
fn to_numbers() {
    check(&[
        ("toint('  45  ')", "45"),
        ("toint('0x1F')", "31"),
        ("toint('3.14')", "null"),
        ("toint('2147483648')", "null"),
        ("toint(1h)", "1640261632"),
        ("toint(-2.9)", "-2"),
        ("toint(true)", "1"),
        ("toint(long(null))", "null"),
        ("tolong('9223372036854775808')", "null"),
        ("tolong('-9223372036854775808')", "-9223372036854775808"),
        ("tolong(datetime(2020-01-01))", "637134336000000000"),
        ("tolong(decimal(12.9))", "12"),
        ("tolong(dynamic('123'))", "123"),
        ("tolong(dynamic(1.5))", "1"),
        ("tolong(dynamic([1]))", "null"),
        ("toreal('1.5e3')", "1500.0"),
        ("todouble('0x1F')", "null"),
        ("todouble('-inf')", "-Infinity"),
        ("todouble(real(nan))", "NaN"),
        ("todouble(1h)", "36000000000.0"),
        ("todecimal('123.45678')", "123.45678"),
        ("todecimal(0.1)", "0.1"),
        ("todecimal(true)", "1"),
        ("todecimal('abc')", "null"),
    ]);
}

#[test]
fn to_other_types() {
    check(&[
        ("tobool('TRUE')", "True"),
        ("tobool('')", "null"),
        ("tobool(-5)", "True"),
        ("tobool(0.0)", "False"),
        ("tobool(dynamic('1.5'))", "null"),
        ("todatetime('2020-01-01T13:45:00Z')", "2020-01-01T13:45:00.0000000Z"),
        ("todatetime('not a date')", "null"),
        ("todatetime(1.5)", "0001-01-01T00:00:00.0000001Z"),
        ("todatetime(-1)", "null"),
        ("totimespan('1.02:03:04.5')", "1.02:03:04.5000000"),
        ("totimespan('abc')", "null"),
        ("totimespan(864000000000)", "1.00:00:00"),
        ("convert_length(1.2, 'Meter', 'Foot') > 3.937007", "True"),
        ("convert_temperature(1.2, 'Kelvin', 'Furlong')", "null"),
        ("toguid('0123456789ab-cdef-0123-456789abcdef')", "01234567-89ab-cdef-0123-456789abcdef"),
        ("toguid('no guid')", "null"),
    ]);
}

#[test]
fn to_text() {
    check(&[
        ("tostring(123)", "123"),
        ("tostring(1.0)", "1.0"),
        ("tostring(100000000000.0)", "100000000000.0"),
        ("tostring(true)", "True"),
        ("tostring(datetime(2020-01-01 12:30))", "2020-01-01T12:30:00.0000000Z"),
        ("tostring(1d + 2h)", "1.02:00:00"),
        ("tostring(int(null))", ""),
        ("tostring(dynamic(null))", ""),
        ("tostring(dynamic('text'))", "text"),
        ("tostring(dynamic([1, 'a', {'b': null}]))", "[1,\"a\",{\"b\":null}]"),
        ("tostring(decimal(1.50))", "1.5"),
        ("tostring(guid(74be27de-1e4e-49d9-b579-fe0b331d3642))", "74be27de-1e4e-49d9-b579-fe0b331d3642"),
    ]);
}
