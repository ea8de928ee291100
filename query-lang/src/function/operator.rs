//! Operators of expressions: arithmetic, comparison, logic, text.

use crate::function::{FunctionSpec, function_family};

function_family! {
    /// Operators of expressions: arithmetic, comparison, logic, text.
    OperatorFunction {
        Add => FunctionSpec::scalar("+", &["(left: number, right: number) -> promoted", "(left: timespan, right: timespan) -> timespan", "(left: datetime, right: timespan) -> datetime", "(left: timespan, right: datetime) -> datetime"], "Sum."),
        Equal => FunctionSpec::scalar("==", &["(left: T, right: T) -> bool"], "Equality.").handles_nulls(),
        And => FunctionSpec::scalar("and", &["(left: bool, right: bool) -> bool"], "Both hold.").handles_nulls(),
        Has => FunctionSpec::scalar("has", &["(text: string, term: string) -> bool"], "Contains a whole term, without regard to case.").handles_nulls(),
    }
}
