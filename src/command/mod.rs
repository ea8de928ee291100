//! Management commands: texts that begin with a dot, one family a file.
//!
//! ```text
//! text ─ reader (tokens) ─▶ family ─▶ catalog change | what there is ─▶ rows ─[ | pipeline ]─▶ rows
//! ```
//!
//! Column lists are those of Kusto, in name, order and type. Nothing here knows HTTP.

pub mod reader;
pub mod result;

mod cluster;
mod column;
mod dashboard;
mod database;
mod extent;
mod function;
mod ingestion;
mod mapping;
mod monitoring;
mod pipeline;
mod policy;
mod principal;
mod schema;
mod script;
mod table;

use std::sync::Arc;

use conshelf_kql::Schema;
use conshelf_storage::{CatalogChange, DatabaseEntry, Snapshot, StorageError, Store, TableEntry};
use uuid::Uuid;

use crate::activity::Activity;
use crate::command::reader::Reader;
use crate::command::result::RowsBuilder;
use crate::engine::{Batch, EngineError, QueryContext};
use crate::response::ResultHeader;

/// What a command works with.
#[derive(Clone, Copy)]
pub struct CommandContext<'a> {
    pub store: &'a Store,
    pub activity: &'a Activity,
    /// As the request named it; empty for the default one.
    pub database: &'a str,
    /// Commands that write are refused.
    pub read_only: bool,
    pub activity_id: Uuid,
    pub user: &'a str,
    /// Limits and cancellation of queries that the command runs.
    pub query: &'a Arc<QueryContext>,
    pub started_ticks: i64,
}

/// What a command answers.
#[derive(Debug)]
pub struct CommandOutput {
    pub results: Vec<ResultHeader>,
    /// Rows with the index of their result.
    pub batches: Vec<(usize, Batch)>,
}

impl CommandOutput {
    pub fn new(schema: Schema, batches: Vec<Batch>) -> CommandOutput {
        CommandOutput {
            results: vec![ResultHeader::primary(schema)],
            batches: batches.into_iter().map(|batch| (0, batch)).collect(),
        }
    }
}

impl From<RowsBuilder> for CommandOutput {
    fn from(mut rows: RowsBuilder) -> CommandOutput {
        let (schema, batch) = rows.finish();
        CommandOutput::new(schema, vec![batch])
    }
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The text is not a command; the place in bytes.
    #[error("Syntax error: {message}")]
    Syntax { message: String, start: usize, length: usize },
    #[error("Entity ID '{name}' of kind '{kind}' was not found.")]
    NotFound { kind: String, name: String },
    #[error("Entity ID '{name}' of kind '{kind}' already exists.")]
    AlreadyExists { kind: String, name: String },
    #[error("{0}")]
    Invalid(String),
    #[error("not supported: {0}")]
    NotSupported(String),
    #[error("{0}")]
    Forbidden(String),
    #[error("{0}")]
    Busy(String),
    #[error("{0}")]
    Unavailable(String),
    /// The query inside the command; it begins at `offset` of the text.
    #[error("{error}")]
    Query { error: EngineError, offset: usize },
    #[error("{message}")]
    Ingestion { code: String, message: String, permanent: bool },
    #[error("{0}")]
    Internal(String),
}

/// Result of the module.
pub type Result<T> = std::result::Result<T, CommandError>;

fn capitalised(kind: &str) -> String {
    let mut letters = kind.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

impl From<StorageError> for CommandError {
    fn from(error: StorageError) -> CommandError {
        match error {
            StorageError::NotFound { kind, name } => CommandError::NotFound { kind: capitalised(kind), name },
            StorageError::AlreadyExists { kind, name } => {
                CommandError::AlreadyExists { kind: capitalised(kind), name }
            }
            StorageError::Invalid(message) => CommandError::Invalid(message),
            error @ StorageError::Busy { .. } => CommandError::Busy(error.to_string()),
            error @ (StorageError::Io { .. } | StorageError::Closed) => {
                CommandError::Unavailable(error.to_string())
            }
            error => CommandError::Internal(error.to_string()),
        }
    }
}

impl CommandContext<'_> {
    /// The name of the database the request means.
    fn database_name(&self) -> &str {
        if self.database.is_empty() { conshelf_storage::DEFAULT_DATABASE } else { self.database }
    }

    fn database_of<'s>(&self, snapshot: &'s Snapshot) -> Result<&'s Arc<DatabaseEntry>> {
        database_named(snapshot, self.database_name())
    }

    /// Makes a change that the request must be allowed to make.
    fn commit(&self, changes: &[CatalogChange]) -> Result<Arc<Snapshot>> {
        self.may_write()?;
        Ok(self.store.commit_all(changes)?)
    }

    fn may_write(&self) -> Result<()> {
        if self.read_only {
            return Err(CommandError::Forbidden(
                "the request is marked read-only; this command writes".to_owned(),
            ));
        }
        Ok(())
    }
}

fn database_named<'s>(snapshot: &'s Snapshot, name: &str) -> Result<&'s Arc<DatabaseEntry>> {
    snapshot
        .database(name)
        .ok_or_else(|| CommandError::NotFound { kind: "Database".to_owned(), name: name.to_owned() })
}

fn table_named<'s>(database: &'s DatabaseEntry, name: &str) -> Result<&'s Arc<TableEntry>> {
    database
        .table(name)
        .ok_or_else(|| CommandError::NotFound { kind: "Table".to_owned(), name: name.to_owned() })
}

/// Runs a command.
pub fn execute(context: &CommandContext<'_>, text: &str) -> Result<CommandOutput> {
    let mut reader = Reader::new(text);
    reader.dot()?;
    let output = dispatch(context, &mut reader)?;
    match reader.pipeline() {
        Some(offset) => pipeline::run(context, output, text, offset),
        None => Ok(output),
    }
}

fn dispatch(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    let verb_start = reader.start();
    let verb = reader.word()?.to_ascii_lowercase();
    match verb.as_str() {
        "show" => show(context, reader),
        "create" | "create-or-alter" | "create-merge" | "alter" | "alter-merge" => change(context, reader, &verb),
        "drop" => drop_entity(context, reader),
        "rotate" => dashboard::rotate_key(context, reader),
        "delete" => delete(context, reader),
        "rename" => rename(context, reader),
        "clear" => table::clear(context, reader),
        "undo" => reader.unsupported("undo", "data of a dropped extent comes back by reopening an older manifest"),
        "set" | "append" | "set-or-append" | "set-or-replace" => ingestion::set_or_append(context, reader, &verb),
        "ingest" => ingestion::ingest(context, reader),
        "cancel" => monitoring::cancel(context, reader),
        "execute" => script::execute_script(context, reader),
        "add" => principal::add_or_set(context, reader),
        "get" if reader.eat("ingestion") || reader.eat("kusto") => reader.unsupported(
            "get",
            "queued ingestion is not offered; use streaming ingestion (POST /v1/rest/ingest/{database}/{table}) or POST /ingest/{database}/{table}",
        ),
        "move" | "replace" | "attach" | "detach" | "export" | "purge" | "enable" | "disable" | "save" | "get"
        | "dup-next-ingest" | "dup-next-failed-ingest" | "redact" | "reset" | "seal" | "update" | "link"
        | "unlink" | "list" | "refresh" | "graph" => {
            let message = format!("the command '.{verb}' is not supported by this server");
            Err(CommandError::NotSupported(message))
        }
        _ => {
            let known = [
                "show", "create", "create-or-alter", "create-merge", "alter", "alter-merge", "drop", "delete",
                "rename", "rotate", "clear", "set", "append", "set-or-append", "set-or-replace", "ingest", "cancel", "execute",
                "add", "get",
            ];
            let hint = conshelf_kql::diagnostic::closest(&verb, known)
                .map(|known| format!("; did you mean '.{known}'?"))
                .unwrap_or_default();
            Err(CommandError::Syntax {
                message: format!("there is no command '.{verb}'{hint}"),
                start: verb_start,
                length: verb.len(),
            })
        }
    }
}

fn show(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    let start = reader.start();
    let what = reader.word()?.to_ascii_lowercase();
    match what.as_str() {
        "version" => cluster::version(reader),
        "cluster" => cluster::show_cluster(context, reader),
        "capacity" => cluster::capacity(context, reader),
        "diagnostics" => cluster::diagnostics(context, reader),
        "databases" => database::show_databases(context, reader),
        "database" => database::show_database(context, reader),
        "schema" => schema::show_schema(context, reader),
        "tables" => table::show_tables(context, reader),
        "table" => table::show_table(context, reader),
        "column" | "columns" => policy::show_column(context, reader),
        "functions" => function::show_functions(context, reader),
        "function" => function::show_function(context, reader),
        "dashboards" => dashboard::show_dashboards(context, reader),
        "dashboard" => dashboard::show_dashboard(context, reader),
        "extents" => extent::show_extents(context, reader, None),
        "queries" => monitoring::queries(context, reader, false),
        "running" => {
            reader.expect("queries")?;
            monitoring::queries(context, reader, true)
        }
        "commands" => monitoring::commands(context, reader),
        "commands-and-queries" => monitoring::commands_and_queries(context, reader),
        "operations" => monitoring::operations(context, reader),
        "journal" => monitoring::journal(reader),
        "ingestion" => {
            if reader.eat("failures") {
                monitoring::ingestion_failures(context, reader)
            } else {
                reader.unsupported(
                    "show ingestion resources",
                    "queued ingestion is not offered; use streaming ingestion or POST /ingest/{database}/{table}",
                )
            }
        }
        "principal" => principal::show_principal(context, reader),
        "principals" => principal::show_roles(context, reader),
        "materialized-views" | "materialized-view" => table::show_views(reader, &what),
        "external" => table::show_external(reader),
        "plugins" => cluster::plugins(reader),
        "workload_groups"
        | "workload"
        | "streamingingestion"
        | "query_results_cache"
        | "entity_groups"
        | "entity_group"
        | "continuous-exports"
        | "continuous-export"
        | "cache"
        | "memory"
        | "callouts" => {
            Err(CommandError::NotSupported(format!("'.show {what}' is not supported by this server")))
        }
        _ => {
            let known = [
                "version",
                "cluster",
                "capacity",
                "databases",
                "database",
                "tables",
                "table",
                "functions",
                "function",
                "dashboards",
                "dashboard",
                "extents",
                "queries",
                "running",
                "commands",
                "operations",
                "ingestion",
                "principals",
                "schema",
            ];
            let hint = conshelf_kql::diagnostic::closest(&what, known)
                .map(|known| format!("; did you mean '.show {known}'?"))
                .unwrap_or_default();
            Err(CommandError::Syntax {
                message: format!("there is no command '.show {what}'{hint}"),
                start,
                length: what.len(),
            })
        }
    }
}

fn change(context: &CommandContext<'_>, reader: &mut Reader<'_>, verb: &str) -> Result<CommandOutput> {
    // `.create async` and `.create ifnotexists` qualify what follows.
    let _ = reader.eat("async");
    let start = reader.start();
    let what = reader.word()?.to_ascii_lowercase();
    match what.as_str() {
        "database" => database::change_database(context, reader, verb),
        "table" => table::change_table(context, reader, verb),
        "tables" => table::change_tables(context, reader, verb),
        "function" => function::change_function(context, reader, verb, false),
        "dashboard" => dashboard::change_dashboard(context, reader, verb),
        "column" => column::alter_column(context, reader),
        "columns" => {
            Err(CommandError::NotSupported(format!("'.{verb} columns' is not supported by this server")))
        }
        "cluster" => policy::change_cluster(context, reader),
        "merge" => table::change_table(context, reader, "alter-merge"),
        "ifnotexists" if reader.eat("function") => function::change_function(context, reader, verb, true),
        "materialized-view"
        | "external"
        | "entity_group"
        | "continuous-export"
        | "workload_group"
        | "extent"
        | "extents"
        | "ingestion"
        | "temp"
        | "temporary"
        | "request_classification"
        | "ifnotexists"
        | "row_store"
        | "graph_model"
        | "query_acceleration" => {
            Err(CommandError::NotSupported(format!("'.{verb} {what}' is not supported by this server")))
        }
        _ => Err(CommandError::Syntax {
            message: format!(
                "'.{verb} {what}' is no command; '.{verb}' is followed by database, table, tables, function, column or dashboard"
            ),
            start,
            length: what.len(),
        }),
    }
}

fn drop_entity(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    let _ = reader.eat("async");
    let start = reader.start();
    let what = reader.word()?.to_ascii_lowercase();
    match what.as_str() {
        "database" => database::drop_database(context, reader),
        "table" => table::drop_table(context, reader),
        "tables" => table::drop_tables(context, reader),
        "column" => column::drop_column(context, reader),
        "columns" => column::drop_columns(context, reader),
        "function" => function::drop_function(context, reader),
        "functions" => function::drop_functions(context, reader),
        "dashboard" => dashboard::drop_dashboard(context, reader),
        "extents" | "extent" => extent::drop_extents(context, reader),
        "materialized-view" | "external" | "entity_group" | "continuous-export" | "workload_group"
        | "pretend" | "cluster" | "row_store" | "graph_model" => {
            Err(CommandError::NotSupported(format!("'.drop {what}' is not supported by this server")))
        }
        _ => Err(CommandError::Syntax {
            message: format!(
                "there is no command '.drop {what}'; what can be dropped: database, table, tables, column, columns, function, dashboard, extents"
            ),
            start,
            length: what.len(),
        }),
    }
}

fn delete(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    let _ = reader.eat("async");
    let start = reader.start();
    let what = reader.word()?.to_ascii_lowercase();
    match what.as_str() {
        "database" | "table" | "tables" | "cluster" | "column" => {
            policy::delete_policy(context, reader, &what)
        }
        _ => Err(CommandError::Syntax {
            message: format!(
                "there is no command '.delete {what}'; policies can be deleted: .delete table T policy retention"
            ),
            start,
            length: what.len(),
        }),
    }
}

fn rename(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    let start = reader.start();
    let what = reader.word()?.to_ascii_lowercase();
    match what.as_str() {
        "table" => table::rename_table(context, reader),
        "tables" => table::rename_tables(context, reader),
        "column" => column::rename_column(context, reader),
        "columns" => column::rename_columns(context, reader),
        "database" => database::rename_database(context, reader),
        _ => Err(CommandError::Syntax {
            message: format!(
                "there is no command '.rename {what}'; what can be renamed: table, tables, column, columns"
            ),
            start,
            length: what.len(),
        }),
    }
}

/// A name for the kind of command, as `.show commands` lists it: `DatabaseShow`, `TableCreate` …
pub fn command_type(text: &str) -> String {
    let mut reader = Reader::new(text);
    if reader.dot().is_err() {
        return "Unknown".to_owned();
    }
    let camel = |word: &str| word.split('-').map(capitalised).collect::<String>();
    let verb = reader.word().map(camel).unwrap_or_default();
    let object = reader.word().map(camel).unwrap_or_default();
    match verb.as_str() {
        "Set" | "Append" | "SetOrAppend" | "SetOrReplace" => format!("Table{verb}"),
        "Ingest" => "DataIngestPull".to_owned(),
        _ => format!("{object}{verb}"),
    }
}

#[cfg(test)]
mod tests;
