//! Functions over rows in order: the executor computes them over a whole serialized input.

use crate::function::{ArgumentInfo, Example, FunctionSpec, function_family};
use crate::types::Type;

function_family! {
    /// Functions over rows in order.
    WindowFunction {
        RowNumber => FunctionSpec::window("row_number", &["(start: const long = 1, restart: bool = false) -> long"], "Number of the row, counted from `start`, again where `restart` is true.")
            .examples(&[Example { query: "range x from 5 to 7 step 1 | serialize n = row_number() | project n", answer: "1\n2\n3" }]),
        RowCumsum => FunctionSpec::window("row_cumsum", &["(term: number|timespan, restart: bool = false) -> rule"], "Sum of the terms up to the row; starts again where `restart` is true.").returns(cumulative_type)
            .examples(&[Example { query: "range x from 1 to 3 step 1 | serialize s = row_cumsum(x) | project s", answer: "1\n3\n6" }]),
        RowRankDense => FunctionSpec::window("row_rank_dense", &["(term: plain, restart: bool = false) -> long"], "Rank of the row's term: grows by one where the term differs from the row before.").aliases(&["row_rank"])
            .examples(&[Example { query: "print x = dynamic([1, 1, 2]) | mv-expand x to typeof(long) | serialize r = row_rank_dense(x) | project r", answer: "1\n1\n2" }]),
        RowRankMin => FunctionSpec::window("row_rank_min", &["(term: plain, restart: bool = false) -> long"], "Rank of the row's term: the number of the first row of the run with that term.")
            .examples(&[Example { query: "print x = dynamic([1, 1, 2]) | mv-expand x to typeof(long) | serialize r = row_rank_min(x) | project r", answer: "1\n1\n3" }]),
        RowWindowSession => FunctionSpec::window("row_window_session", &["(time: datetime, max_from_first: const timespan, max_between: const timespan, restart: bool = false) -> datetime"], "Start of the session that the row belongs to.")
            .examples(&[Example { query: "datatable(t:datetime)[datetime(2024-01-01 10:00), datetime(2024-01-01 10:03), datetime(2024-01-01 12:00)] | sort by t asc | extend s = row_window_session(t, 1h, 5m) | project s", answer: "2024-01-01T10:00:00Z\n2024-01-01T10:00:00Z\n2024-01-01T12:00:00Z" }]),
        Prev => FunctionSpec::window("prev", &["(value: column T, offset: const long = 1) -> T", "(value: column T, offset: const long, default: const T) -> T"], "Value of a row before.")
            .examples(&[Example { query: "range x from 1 to 3 step 1 | serialize p = prev(x, 1, 0) | project p", answer: "0\n1\n2" }]),
        Next => FunctionSpec::window("next", &["(value: column T, offset: const long = 1) -> T", "(value: column T, offset: const long, default: const T) -> T"], "Value of a row after.")
            .examples(&[Example { query: "range x from 1 to 3 step 1 | serialize p = next(x, 1, 0) | project p", answer: "2\n3\n0" }]),
    }
}

fn cumulative_type(arguments: &[ArgumentInfo<'_>]) -> Type {
    arguments.first().map_or(Type::Long, |argument| argument.ty)
}
