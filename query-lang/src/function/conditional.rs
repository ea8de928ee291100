//! Choices between values.

use crate::function::{FunctionSpec, function_family};

function_family! {
    /// Choices between values.
    ConditionalFunction {
        Iff => FunctionSpec::scalar("iff", &["(condition: bool, then: T, otherwise: T) -> T"], "One of two values.").aliases(&["iif"]).handles_nulls(),
        Coalesce => FunctionSpec::scalar("coalesce", &["(values: T...) -> T"], "The first value that is not null (for texts: not empty).").handles_nulls(),
    }
}
