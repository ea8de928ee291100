//! Functions over rows in order.

use crate::function::{FunctionSpec, function_family};

function_family! {
    /// Functions over rows in order.
    WindowFunction {
        RowNumber => FunctionSpec::window("row_number", &["(start: const long = 1, restart: bool = false) -> long"], "Number of the row."),
    }
}
