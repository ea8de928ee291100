//! Conversions between types.
//!
//! A value that has no meaning in the target type gives null (for texts: the empty string), never an error.
//! The binder uses the same functions for implicit conversions.

use crate::function::{Example, FunctionSpec, function_family};

const fn conversion(
    name: &'static str,
    signatures: &'static [&'static str],
    summary: &'static str,
) -> FunctionSpec {
    FunctionSpec::scalar(name, signatures, summary).handles_nulls()
}

function_family! {
    /// Conversions between types.
    ConversionFunction {
        ToBool => conversion("tobool", &["(value: any) -> bool"], "Converts to bool: numbers by being non-zero, texts by saying true or false.")
            .aliases(&["toboolean"])
            .examples(&[Example { query: "print tobool('true'), tobool(0)", answer: "true,false" }]),
        ToInt => conversion("toint", &["(value: any) -> int"], "Converts to a 32-bit integer.")
            .examples(&[Example { query: "print toint('123'), toint(2.9)", answer: "123,2" }]),
        ToLong => conversion("tolong", &["(value: any) -> long"], "Converts to a 64-bit integer.")
            .examples(&[Example { query: "print tolong('123'), tolong(2.9)", answer: "123,2" }]),
        ToReal => conversion("toreal", &["(value: any) -> real"], "Converts to a floating-point number.")
            .aliases(&["todouble"])
            .examples(&[Example { query: "print toreal('1.5')", answer: "1.5" }]),
        ToDecimal => conversion("todecimal", &["(value: any) -> decimal"], "Converts to a decimal number.")
            .examples(&[Example { query: "print todecimal('1.25')", answer: "1.25" }]),
        ToDateTime => conversion("todatetime", &["(value: any) -> datetime"], "Converts to a point in time.")
            .examples(&[Example { query: "print todatetime('2015-12-31') == datetime(2015-12-31)", answer: "true" }]),
        ToTimeSpan => conversion("totimespan", &["(value: any) -> timespan"], "Converts to a length of time.")
            .aliases(&["totime"])
            .examples(&[Example { query: "print totimespan('0.00:01:00') == time(1min)", answer: "true" }]),
        ToString => conversion("tostring", &["(value: any) -> string"], "Converts to text; null gives the empty text.")
            .examples(&[Example { query: "print tostring(123)", answer: "123" }]),
        ToGuid => conversion("toguid", &["(value: string|dynamic) -> guid"], "Converts to a unique identifier.")
            .examples(&[Example {
                query: "print toguid('70fc66f7-8279-44fc-9092-d364d70fce44')",
                answer: "70fc66f7-8279-44fc-9092-d364d70fce44",
            }]),
        ToDynamic => conversion("(dynamic)", &["(value: any) -> dynamic"], "Wraps a scalar; texts are not parsed."),
    }
}
