//! Arrays, property bags and JSON.

use crate::function::{FunctionSpec, function_family};

function_family! {
    /// Arrays, property bags and JSON.
    DynamicFunction {
        ArrayLength => FunctionSpec::scalar("array_length", &["(array: dynamic) -> long"], "Number of elements of an array.").handles_nulls(),
    }
}
