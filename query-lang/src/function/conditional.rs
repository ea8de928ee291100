//! Choices between values, and questions about what a value is.

use crate::function::{ArgumentInfo, Example, FunctionSpec, function_family};
use crate::types::Type;

const fn choice(
    name: &'static str,
    signatures: &'static [&'static str],
    summary: &'static str,
) -> FunctionSpec {
    FunctionSpec::scalar(name, signatures, summary).handles_nulls()
}

/// `case` yields the type of its alternatives; the last argument is one of them.
fn type_of_last(arguments: &[ArgumentInfo<'_>]) -> Type {
    let alternatives = arguments
        .iter()
        .enumerate()
        .filter(|(position, _)| position % 2 == 1 || position + 1 == arguments.len());
    let mut found = None;
    for (_, alternative) in alternatives {
        match (found, alternative.ty) {
            (None | Some(Type::Dynamic), ty) => found = Some(ty),
            (Some(known), ty) if known.is_number() && ty.is_number() => found = Some(known.max(ty)),
            _ => {}
        }
    }
    found.unwrap_or(Type::Dynamic)
}

function_family! {
    /// Choices between values.
    ConditionalFunction {
        Iff => choice("iff", &["(condition: bool, then: T, otherwise: T) -> T"], "One of two values; the second where the condition is false or null.")
            .aliases(&["iif"])
            .examples(&[Example { query: "print iff(1 < 2, 'yes', 'no')", answer: "yes" }]),
        Case => choice("case", &["(condition: bool, then: any, others: any...) -> rule"], "The value after the first condition that holds, else the last value.")
            .returns(type_of_last)
            .examples(&[Example { query: "print case(1 > 2, 'a', 2 > 1, 'b', 'c')", answer: "b" }]),
        Coalesce => choice("coalesce", &["(first: T, others: T...) -> T"], "The first value that is not null (for texts: not empty).")
            .examples(&[Example { query: "print coalesce(tolong('not a number'), tolong('42'), 33)", answer: "42" }]),
        MaxOf => choice("max_of", &["(first: T, others: T...) -> T"], "The largest of its arguments; nulls do not count.")
            .examples(&[Example { query: "print max_of(10, 1, -3, 17)", answer: "17" }]),
        MinOf => choice("min_of", &["(first: T, others: T...) -> T"], "The smallest of its arguments; nulls do not count.")
            .examples(&[Example { query: "print min_of(10, 1, -3, 17)", answer: "-3" }]),
        IsNull => choice("isnull", &["(value: any) -> bool"], "Whether the value is null; a text never is.")
            .examples(&[Example { query: "print isnull(long(null)), isnull('')", answer: "true,false" }]),
        IsNotNull => choice("isnotnull", &["(value: any) -> bool"], "Whether the value is not null.")
            .aliases(&["notnull"])
            .examples(&[Example { query: "print isnotnull(1)", answer: "true" }]),
        IsEmpty => choice("isempty", &["(value: any) -> bool"], "Whether the value is the empty text or null.")
            .examples(&[Example { query: "print isempty(''), isempty('x')", answer: "true,false" }]),
        IsNotEmpty => choice("isnotempty", &["(value: any) -> bool"], "Whether the value is neither the empty text nor null.")
            .aliases(&["notempty"])
            .examples(&[Example { query: "print isnotempty('x')", answer: "true" }]),
        Assert => choice("assert", &["(condition: bool, message: string) -> bool"], "Fails the query with a message where the condition is false.")
            .examples(&[Example { query: "print assert(1 < 2, 'order')", answer: "true" }]),
        GetType => choice("gettype", &["(value: any) -> string"], "The name of the value's type; of a dynamic value what it holds.")
            .examples(&[Example { query: "print gettype(1.5), gettype(dynamic([1]))", answer: "real,array" }]),
    }
}
