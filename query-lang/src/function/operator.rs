//! Operators of expressions: arithmetic, comparison, logic, text, membership, access to parts.
//!
//! Names are the operators as written; only `not` can be called like a function. Arithmetic of integers is
//! always `long`, as the engine does it. The text operators come in four forms: without regard to case, with
//! it (`_cs`), and the negation of both (`!`).

use crate::function::{FunctionSpec, function_family};

const ADDITIVE: &[&str] = &[
    "(left: long, right: long) -> long",
    "(left: real, right: real) -> real",
    "(left: decimal, right: decimal) -> decimal",
    "(left: timespan, right: timespan) -> timespan",
    "(left: datetime, right: timespan) -> datetime",
    "(left: timespan, right: datetime) -> datetime",
];

const SUBTRACTIVE: &[&str] = &[
    "(left: long, right: long) -> long",
    "(left: real, right: real) -> real",
    "(left: decimal, right: decimal) -> decimal",
    "(left: timespan, right: timespan) -> timespan",
    "(left: datetime, right: datetime) -> timespan",
    "(left: datetime, right: timespan) -> datetime",
];

const MULTIPLICATIVE: &[&str] = &[
    "(left: long, right: long) -> long",
    "(left: real, right: real) -> real",
    "(left: decimal, right: decimal) -> decimal",
    "(left: timespan, right: long) -> timespan",
    "(left: timespan, right: real) -> timespan",
    "(left: long, right: timespan) -> timespan",
    "(left: real, right: timespan) -> timespan",
];

const QUOTIENT: &[&str] = &[
    "(left: long, right: long) -> long",
    "(left: real, right: real) -> real",
    "(left: decimal, right: decimal) -> decimal",
    "(left: timespan, right: timespan) -> real",
    "(left: timespan, right: long) -> timespan",
    "(left: timespan, right: real) -> timespan",
];

const REMAINDER: &[&str] = &[
    "(left: long, right: long) -> long",
    "(left: real, right: real) -> real",
    "(left: decimal, right: decimal) -> decimal",
    "(left: timespan, right: timespan) -> timespan",
    "(left: datetime, right: timespan) -> timespan",
];

const COMPARISON: &[&str] = &["(left: T, right: T) -> bool"];
const LOGIC: &[&str] = &["(left: bool, right: bool) -> bool"];
const TEXT: &[&str] = &["(text: string, pattern: string) -> bool"];
const MEMBERSHIP: &[&str] = &["(value: T, others: T...) -> bool", "(value: any, others: dynamic...) -> bool"];
const TEXT_MEMBERSHIP: &[&str] =
    &["(text: string, others: string...) -> bool", "(text: string, others: dynamic...) -> bool"];
const INTERVAL: &[&str] =
    &["(value: T, from: T, to: T) -> bool", "(value: datetime, from: datetime, length: timespan) -> bool"];

const fn comparison(name: &'static str, summary: &'static str) -> FunctionSpec {
    FunctionSpec::scalar(name, COMPARISON, summary).handles_nulls()
}

const fn text(name: &'static str, summary: &'static str) -> FunctionSpec {
    FunctionSpec::scalar(name, TEXT, summary).handles_nulls()
}

function_family! {
    /// Operators of expressions.
    OperatorFunction {
        Add => FunctionSpec::scalar("+", ADDITIVE, "Sum."),
        Subtract => FunctionSpec::scalar("-", SUBTRACTIVE, "Difference."),
        Multiply => FunctionSpec::scalar("*", MULTIPLICATIVE, "Product."),
        Divide => FunctionSpec::scalar("/", QUOTIENT, "Quotient; of integers without the fraction."),
        Modulo => FunctionSpec::scalar("%", REMAINDER, "Remainder, never negative."),
        Negate => FunctionSpec::scalar("-", &["(value: summable) -> first"], "The value with the opposite sign."),

        Equal => comparison("==", "Both are equal."),
        NotEqual => comparison("!=", "Both differ."),
        Less => comparison("<", "The left is smaller."),
        LessOrEqual => comparison("<=", "The left is not larger."),
        Greater => comparison(">", "The left is larger."),
        GreaterOrEqual => comparison(">=", "The left is not smaller."),

        And => FunctionSpec::scalar("and", LOGIC, "Both hold.").handles_nulls(),
        Or => FunctionSpec::scalar("or", LOGIC, "At least one holds.").handles_nulls(),
        Not => FunctionSpec::scalar("not", &["(value: bool) -> bool"], "The condition does not hold."),

        EqualIgnoreCase => text("=~", "Equal without regard to case."),
        NotEqualIgnoreCase => text("!~", "Different even without regard to case."),

        Has => text("has", "Contains a whole term."),
        HasCs => text("has_cs", "Contains a whole term, case-sensitive."),
        NotHas => text("!has", "Does not contain the whole term."),
        NotHasCs => text("!has_cs", "Does not contain the whole term, case-sensitive."),

        HasPrefix => text("hasprefix", "Has a term that starts with the pattern."),
        HasPrefixCs => text("hasprefix_cs", "Has a term that starts with the pattern, case-sensitive."),
        NotHasPrefix => text("!hasprefix", "Has no term that starts with the pattern."),
        NotHasPrefixCs => text("!hasprefix_cs", "Has no term that starts with the pattern, case-sensitive."),

        HasSuffix => text("hassuffix", "Has a term that ends with the pattern."),
        HasSuffixCs => text("hassuffix_cs", "Has a term that ends with the pattern, case-sensitive."),
        NotHasSuffix => text("!hassuffix", "Has no term that ends with the pattern."),
        NotHasSuffixCs => text("!hassuffix_cs", "Has no term that ends with the pattern, case-sensitive."),

        Contains => text("contains", "Contains the pattern anywhere."),
        ContainsCs => text("contains_cs", "Contains the pattern anywhere, case-sensitive."),
        NotContains => text("!contains", "Does not contain the pattern."),
        NotContainsCs => text("!contains_cs", "Does not contain the pattern, case-sensitive."),

        StartsWith => text("startswith", "Starts with the pattern."),
        StartsWithCs => text("startswith_cs", "Starts with the pattern, case-sensitive."),
        NotStartsWith => text("!startswith", "Does not start with the pattern."),
        NotStartsWithCs => text("!startswith_cs", "Does not start with the pattern, case-sensitive."),

        EndsWith => text("endswith", "Ends with the pattern."),
        EndsWithCs => text("endswith_cs", "Ends with the pattern, case-sensitive."),
        NotEndsWith => text("!endswith", "Does not end with the pattern."),
        NotEndsWithCs => text("!endswith_cs", "Does not end with the pattern, case-sensitive."),

        MatchesRegex => text("matches regex", "A regular expression (RE2 syntax) matches somewhere."),

        In => FunctionSpec::scalar("in", MEMBERSHIP, "Equals one of the values; arrays stand for their elements.").handles_nulls(),
        NotIn => FunctionSpec::scalar("!in", MEMBERSHIP, "Equals none of the values.").handles_nulls(),
        InIgnoreCase => FunctionSpec::scalar("in~", TEXT_MEMBERSHIP, "Equals one of the texts without regard to case.").handles_nulls(),
        NotInIgnoreCase => FunctionSpec::scalar("!in~", TEXT_MEMBERSHIP, "Equals none of the texts, without regard to case.").handles_nulls(),
        HasAny => FunctionSpec::scalar("has_any", TEXT_MEMBERSHIP, "Contains at least one of the terms.").handles_nulls(),
        HasAll => FunctionSpec::scalar("has_all", TEXT_MEMBERSHIP, "Contains all of the terms.").handles_nulls(),

        Between => FunctionSpec::scalar("between", INTERVAL, "Lies in the closed interval.").handles_nulls(),
        NotBetween => FunctionSpec::scalar("!between", INTERVAL, "Lies outside the closed interval.").handles_nulls(),

        Member => FunctionSpec::scalar(".", &["(bag: dynamic, name: string) -> dynamic"], "The property of that name.").handles_nulls(),
        Element => FunctionSpec::scalar("[]", &["(array: dynamic, index: long) -> dynamic"], "The element at that index; negative ones count from the end.").handles_nulls(),
    }
}
