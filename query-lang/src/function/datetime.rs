//! Date and time functions.

use crate::function::{FunctionSpec, function_family};

function_family! {
    /// Date and time functions.
    DateTimeFunction {
        StartOfDay => FunctionSpec::scalar("startofday", &["(date: datetime, offset: long = 0) -> datetime"], "Start of the day, shifted by an offset of days."),
    }
}
