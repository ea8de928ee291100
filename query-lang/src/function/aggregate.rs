//! Aggregates.

use crate::function::{FunctionSpec, function_family};

function_family! {
    /// Aggregates.
    AggregateFunction {
        Count => FunctionSpec::aggregate("count", &["() -> long"], "Number of rows."),
        Sum => FunctionSpec::aggregate("sum", &["(value: summable) -> rule"], "Sum of the values."),
    }
}
