//! Cases of choices between values.

use super::check;

#[test]
fn choices() {
    check(&[
        ("iff(true, 'yes', 'no')", "yes"),
        ("iff(bool(null), 1, 2)", "2"),
        ("iff(1 < 2, 1, 2.5)", "1.0"),
        ("case(false, 'a', true, 'b', 'c')", "b"),
        ("case(bool(null), 1, false, 2, 3)", "3"),
        ("case(true, datetime(2020-01-01), datetime(null))", "2020-01-01T00:00:00.0000000Z"),
        ("coalesce(long(null), 42, 33)", "42"),
        ("coalesce('', 'fallback')", "fallback"),
        ("coalesce(real(null), real(null))", "null"),
        ("max_of(10, 1, -3, 17)", "17"),
        ("max_of(1, long(null), 3)", "3"),
        ("max_of(real(nan), 1.0)", "NaN"),
        ("max_of(1.0, real(nan))", "NaN"),
        ("min_of(int(null), int(5))", "5"),
        ("min_of(1, 2.5)", "1.0"),
        ("min_of('b', 'a')", "a"),
        ("min_of(long(null), long(null))", "null"),
    ]);
}

#[test]
fn questions() {
    check(&[
        ("around(100, 99, 2)", "True"),
        ("around(1.5, 3.0, 1.0)", "False"),
        ("around(datetime(2020-01-01 00:01), datetime(2020-01-01), 1m)", "True"),
        ("isnull(around(long(null), 1, 1))", "True"),
        ("isnull(long(null))", "True"),
        ("isnull('')", "False"),
        ("isnull(dynamic(null))", "True"),
        ("isnotnull(5)", "True"),
        ("isempty('')", "True"),
        ("isempty(' ')", "False"),
        ("isempty(real(null))", "True"),
        ("isnotempty('x')", "True"),
        ("gettype(1d)", "timespan"),
        ("gettype(toint('bad'))", "int"),
        ("gettype(dynamic({'a': 1}))", "dictionary"),
        ("gettype(dynamic(null))", "null"),
    ]);
}
