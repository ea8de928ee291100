//! Cases of operators.

use super::check;

#[test]
fn arithmetic() {
    check(&[
        ("7 / 2", "3"),
        ("-7 / 2", "-3"),
        ("7 / -2", "-3"),
        ("-7 % 3", "2"),
        ("7 % -3", "1"),
        ("-14 % -12", "10"),
        ("1 / 0", "null"),
        ("1 % 0", "null"),
        ("1.0 / 0", "Infinity"),
        ("7.5 % 2", "1.5"),
        ("-5.5 % 2.0", "0.5"),
        ("9223372036854775807 + 1", "-9223372036854775808"),
        ("int(2147483647) + int(1)", "2147483648"),
        ("int(2147483647) * int(2)", "4294967294"),
        ("-int(5)", "-5"),
        ("-(1.5)", "-1.5"),
        ("1 + 1.5", "2.5"),
        ("long(null) + 1", "null"),
        ("decimal(0.1) + decimal(0.2) == decimal(0.3)", "True"),
        ("decimal(1) / decimal(3)", "0.3333333333333333333333333333333333"),
        ("decimal(1) / decimal(0)", "null"),
        ("decimal(-7.5) % decimal(2)", "0.5"),
        ("1d / 1h", "24.0"),
        ("1d % 5h", "04:00:00"),
        ("1d / 2", "12:00:00"),
        ("1d / 1.5", "16:00:00"),
        ("3 * 1h", "03:00:00"),
        ("1.5 * 1h", "01:30:00"),
        ("-1d", "-1.00:00:00"),
        ("datetime(1997-06-25) - datetime(1910-06-11)", "31791.00:00:00"),
        ("datetime(2020-02-29) + 1d", "2020-03-01T00:00:00.0000000Z"),
        ("datetime(0001-01-01) - 1tick", "null"),
        ("datetime(9999-12-31) + 1d", "null"),
    ]);
}

#[test]
fn comparisons_and_nulls() {
    check(&[
        ("1 == 1", "True"),
        ("1 == 1.0", "True"),
        ("1 < 2", "True"),
        ("long(null) == 1", "False"),
        ("long(null) != 1", "True"),
        ("long(null) == long(null)", "null"),
        ("long(null) != long(null)", "null"),
        ("long(null) < 1", "null"),
        ("real(nan) == real(nan)", "False"),
        ("real(nan) != real(nan)", "True"),
        ("real(nan) < 1.0", "False"),
        ("'abc' == 'abc'", "True"),
        ("'a text longer than twelve' == 'a text longer than twelve'", "True"),
        ("'a text longer than twelve' == 'a text longer than eleven'", "False"),
        ("'' == ''", "True"),
        ("guid(74be27de-1e4e-49d9-b579-fe0b331d3642) == guid(74be27de-1e4e-49d9-b579-fe0b331d3642)", "True"),
        ("decimal(1.10) == decimal(1.1)", "True"),
        ("decimal(-2) < decimal(1e-30)", "True"),
        ("datetime(2020-01-01) >= datetime(2019-12-31)", "True"),
        ("true and false", "False"),
        ("bool(null) and false", "False"),
        ("bool(null) and true", "null"),
        ("bool(null) or true", "True"),
        ("bool(null) or false", "null"),
        ("not(bool(null))", "null"),
        ("not(1 == 2)", "True"),
        ("5 between (1 .. 5)", "True"),
        ("5 !between (1 .. 4)", "True"),
        ("long(null) between (1 .. 4)", "null"),
        ("datetime(2020-01-02) between (datetime(2020-01-01) .. 1d)", "True"),
        ("datetime(2020-01-03) between (datetime(2020-01-01) .. 1d)", "False"),
    ]);
}

#[test]
fn membership() {
    check(&[
        ("2 in (1, 2, 3)", "True"),
        ("4 in (1, 2, 3)", "False"),
        ("9 in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)", "True"),
        ("4 !in (1, 2, 3)", "True"),
        ("long(null) in (1, 2)", "False"),
        ("long(null) !in (1, 2)", "True"),
        ("1.5 in (1.5, 2.0)", "True"),
        ("'a' in ('b', 'a')", "True"),
        ("'A' in ('b', 'a')", "False"),
        ("'A' in~ ('b', 'a')", "True"),
        ("'MÜLLER' in~ ('müller')", "True"),
        ("'A' !in~ ('b')", "True"),
        ("'a' in (dynamic(['x', 'a']))", "True"),
        ("2 in (dynamic([1, 2]))", "True"),
        ("datetime(2020-01-01) in (datetime(2020-01-01), datetime(2021-01-01))", "True"),
        ("'one two three' has_any ('x', 'Two')", "True"),
        ("'one two three' has_any (dynamic(['x', 'y']))", "False"),
        ("'one two three' has_all ('one', 'three')", "True"),
        ("'one two three' has_all ('one', 'four')", "False"),
        ("'e d c' has_any ('a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'D')", "True"),
    ]);
}

#[test]
fn text_search() {
    check(&[
        ("'hello-world' has 'HELLO'", "True"),
        ("'helloworld' has 'hello'", "False"),
        ("'hello world' has_cs 'Hello'", "False"),
        ("'1.2.3-rc' !has '2.3'", "False"),
        ("'category' hasprefix 'CAT'", "True"),
        ("'category' hassuffix 'gory'", "True"),
        ("'category' !hasprefix_cs 'Cat'", "True"),
        ("'scatter' contains 'CAT'", "True"),
        ("'scatter' contains_cs 'CAT'", "False"),
        ("'abc' startswith 'AB'", "True"),
        ("'abc' startswith_cs 'AB'", "False"),
        ("'abc' !startswith 'b'", "True"),
        ("'café' endswith 'FÉ'", "True"),
        ("'abc' endswith_cs 'bc'", "True"),
        ("'abc' !endswith 'bc'", "False"),
        ("'ÉCOLE' startswith 'éco'", "True"),
        ("'Straße' =~ 'straße'", "True"),
        ("'abc' =~ 'ABCD'", "False"),
        ("'abc' !~ 'ABC'", "False"),
        ("'abc' has ''", "True"),
        ("'2020-01-15' matches regex @'^\\d{4}-\\d{2}-\\d{2}$'", "True"),
        ("'x' matches regex 'y'", "False"),
    ]);
}

#[test]
fn parts_of_dynamic_values() {
    check(&[
        ("tostring(dynamic({'a': 1}).a)", "1"),
        ("tostring(dynamic({'a': {'b': 'x'}})['a'].b)", "x"),
        ("tostring(dynamic([1, 2, 3])[-1])", "3"),
        ("isnull(dynamic([1])[5])", "True"),
        ("isnull(dynamic({'a': 1}).b)", "True"),
    ]);
}
