//! Functions of what stands around a row or a query: where the row is stored and when it came, the columns of its
//! table, the database, the server and whoever asks. Most are put in place by the binder and have no kernel of
//! their own.

use crate::function::{ArgumentInfo, Example, FunctionSpec, function_family};
use crate::types::Type;

const fn context(
    name: &'static str,
    signatures: &'static [&'static str],
    summary: &'static str,
) -> FunctionSpec {
    FunctionSpec::scalar(name, signatures, summary).handles_nulls()
}

macro_rules! example {
    ($query:expr, $answer:expr) => {
        &[Example { query: $query, answer: $answer }]
    };
}

fn type_of_second(arguments: &[ArgumentInfo<'_>]) -> Type {
    arguments.get(1).map_or(Type::Dynamic, |argument| argument.ty)
}

fn type_of_first(arguments: &[ArgumentInfo<'_>]) -> Type {
    arguments.first().map_or(Type::Long, |argument| argument.ty)
}

function_family! {
    /// Functions of what stands around a row or a query.
    ContextFunction {
        IngestionTime => context("ingestion_time", &["() -> datetime"], "When the row was ingested; null for rows that are of no table.").volatile()
            .examples(example!("print isnull(ingestion_time())", "true")),
        ExtentId => context("extent_id", &["() -> guid"], "The extent that holds the row; zeros for rows that are in none (yet).").aliases(&["extentid"]).volatile()
            .examples(example!("print extent_id()", "00000000-0000-0000-0000-000000000000")),
        ExtentTags => context("extent_tags", &["() -> dynamic"], "The tags of the extent that holds the row.").volatile()
            .examples(example!("print array_length(extent_tags())", "0")),
        CursorAfter => context("cursor_after", &["(cursor: string) -> bool"], "Whether the row was ingested after a database cursor; always true for an empty cursor.")
            .examples(example!("print cursor_after('')", "true")),
        CursorBeforeOrAt => context("cursor_before_or_at", &["(cursor: string) -> bool"], "Whether the row was ingested before or at a database cursor; never true for an empty cursor.")
            .examples(example!("print cursor_before_or_at('')", "false")),
        CursorCurrent => context("cursor_current", &["() -> string"], "The database cursor of now: rows ingested later are after it.").aliases(&["current_cursor"]).volatile()
            .examples(example!("print isnotempty(cursor_current())", "true")),
        CurrentClusterEndpoint => context("current_cluster_endpoint", &["() -> string"], "The name of the server that runs the query.")
            .examples(example!("print current_cluster_endpoint()", "localhost")),
        CurrentDatabase => context("current_database", &["() -> string"], "The database of the query.")
            .examples(example!("print current_database()", "NetDefaultDB")),
        CurrentNodeId => context("current_node_id", &["() -> string"], "The machine that runs the query.")
            .examples(example!("print isnotempty(current_node_id())", "true")),
        CurrentPrincipal => context("current_principal", &["() -> string"], "Who runs the query, as a fully qualified name.")
            .examples(example!("print current_principal()", "conshelf=anonymous")),
        CurrentPrincipalDetails => context("current_principal_details", &["() -> dynamic"], "What is known of whoever runs the query.")
            .examples(example!("print tostring(current_principal_details().FQN)", "conshelf=anonymous")),
        CurrentPrincipalIsMemberOf => context("current_principal_is_member_of", &["(principals: string|dynamic...) -> bool"], "Whether whoever runs the query is one of some principals.")
            .examples(example!("print current_principal_is_member_of('aaduser=someone@example.com')", "false")),
        RowId => context("row_id", &["() -> string"], "Number of a row in its storage: rows have none here, the answer is an empty text.").volatile()
            .examples(example!("print isempty(row_id())", "true")),
        RowstoreOrdinalRange => context("rowstore_ordinal_range", &["() -> bool"], "Whether the row is in a range of the row store: rows have no ordinals here, the answer is null.").volatile()
            .examples(example!("print isnull(rowstore_ordinal_range())", "true")),
        EstimateDataSize => context("estimate_data_size", &["(columns: any...) -> long"], "Bytes that the values of columns take, by types and lengths; '*' for all columns.")
            .examples(example!("range x from 1 to 10 step 1 | extend Text = '1234567890' | summarize Total = sum(estimate_data_size(*))", "180")),
        ColumnIfExists => context("column_ifexists", &["(name: const string, default: any) -> rule"], "The column of that name; the default where there is none.").aliases(&["columnifexists"]).returns(type_of_second)
            .examples(example!("print a = 1 | extend b = column_ifexists('a', 2), c = column_ifexists('z', 3) | project b, c", "1,3")),
        IsColumnExists => context("iscolumnexists", &["(name: const string) -> bool"], "Whether there is a column of that name.")
            .examples(example!("print a = 1 | project iscolumnexists('a'), iscolumnexists('b')", "true,false")),
        PackAll => context("pack_all", &["(ignore_null_empty: const bool = false) -> dynamic"], "All columns of the row as a property bag, without nulls and empty texts if asked for.")
            .examples(example!("print a = 1, b = '' | project pack_all(true)", "\"{\"\"a\"\":1}\"")),
        BagPackColumns => context("bag_pack_columns", &["(columns: any...) -> dynamic"], "Some columns as a property bag, by their names.")
            .examples(example!("print a = 1, b = 'x' | project bag_pack_columns(a, b)", "\"{\"\"a\"\":1,\"\"b\"\":\"\"x\"\"}\"")),
        ColumnNamesOf => context("column_names_of", &["(table: any) -> dynamic"], "The names of the columns of a table.")
            .examples(example!("let T = datatable(a: long, b: string)[]; print column_names_of(T)", "\"[\"\"a\"\",\"\"b\"\"]\"")),
        BinAuto => context("bin_auto", &["(value: number|datetime|timespan) -> rule"], "Rounds down to a multiple of 'query_bin_auto_size', counted from 'query_bin_auto_at'; both are set with 'set'.").returns(type_of_first)
            .examples(example!("set query_bin_auto_size = 5; set query_bin_auto_at = 1; print bin_auto(17)", "16")),
    }
}
