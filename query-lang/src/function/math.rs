//! Numeric functions.

use crate::function::{FunctionSpec, function_family};

function_family! {
    /// Numeric functions.
    MathFunction {
        Abs => FunctionSpec::scalar("abs", &["(value: summable) -> first"], "Absolute value."),
        Bin => FunctionSpec::scalar("bin", &["(value: number, size: number) -> promoted", "(value: datetime, size: timespan) -> datetime", "(value: timespan, size: timespan) -> timespan"], "Rounds down to a multiple of a size.").aliases(&["floor"]),
    }
}
