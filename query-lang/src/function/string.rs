//! String functions.

use crate::function::{FunctionSpec, function_family};

function_family! {
    /// String functions.
    StringFunction {
        Strlen => FunctionSpec::scalar("strlen", &["(text: string) -> long"], "Length of a text in characters."),
        Substring => FunctionSpec::scalar("substring", &["(source: string, start: long, length: long = null) -> string"], "Part of a text.").handles_nulls(),
        Strcat => FunctionSpec::scalar("strcat", &["(values: any...) -> string"], "Concatenates its arguments as texts.").handles_nulls(),
    }
}
