//! Conversions between types.

use crate::function::{FunctionSpec, function_family};

function_family! {
    /// Conversions between types.
    ConversionFunction {
        ToLong => FunctionSpec::scalar("tolong", &["(value: any) -> long"], "Converts to long; null where that fails.").handles_nulls(),
    }
}
