//! Commands that bring rows in: `.ingest inline`, `.set`, `.append`, `.set-or-append`, `.set-or-replace`.

use conshelf_kql::{Schema, Type};
use conshelf_storage::{AppendOptions, CatalogChange, DatabaseEntry, TableEntry, TableSchema};
use uuid::Uuid;

use crate::activity::{IngestionFailure, Operation};
use crate::command::database::check_name;
use crate::command::reader::Reader;
use crate::command::result::RowsBuilder;
use crate::command::{CommandContext, CommandError, CommandOutput, Result, execute, schema};
use crate::engine::Batch;
use crate::ingest::delimited::Header;
use crate::ingest::format::Format;
use crate::ingest::{self, Failure, IngestRequest, MappingChoice};
use crate::query::{self, QueryInput};
use crate::server::request::is_command;
use crate::telemetry::column_type;

fn property<'p>(properties: &'p [(String, String)], names: &[&str]) -> Option<&'p str> {
    properties.iter().find(|(known, _)| names.contains(&known.as_str())).map(|(_, value)| value.as_str())
}

fn is_true(value: Option<&str>) -> bool {
    value.is_some_and(|value| value.eq_ignore_ascii_case("true") || value == "1")
}

/// A JSON array in text, or one bare word.
fn text_list(text: Option<&str>) -> Vec<String> {
    match text {
        None => Vec::new(),
        Some(text) => serde_json::from_str(text).unwrap_or_else(|_| vec![text.to_owned()]),
    }
}

/// The key that makes a repeated ingestion a no-op: the first ingest-by tag that must not exist.
fn idempotency_key(properties: &[(String, String)]) -> Option<String> {
    let tags = text_list(property(properties, &["ingestifnotexists"]));
    tags.first().map(|tag| format!("ingest-by:{tag}"))
}

/// `.ingest inline into table T [with (…)] <| data`
pub fn ingest(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    let _ = reader.eat("async");
    if !reader.eat("inline") {
        return reader.unsupported(
            "ingest into",
            "the server fetches no remote sources; send the data to POST /ingest/{database}/{table}, or use .ingest inline",
        );
    }
    reader.expect("into")?;
    let _ = reader.eat("table");
    let table = reader.name("the name of a table")?;
    let mut values = None;
    if reader.at_symbol('[') {
        let text = reader.balanced()?;
        values = Some(text[1..text.len() - 1].to_owned());
    }
    let properties = reader.properties()?;
    let data = match values {
        Some(values) => {
            reader.finish()?;
            values
        }
        None => reader.payload()?.0.to_owned(),
    };
    context.may_write()?;
    let mut request = IngestRequest::new(context.database_name(), table.clone());
    request.create = false;
    request.header =
        if is_true(property(&properties, &["ignorefirstrecord"])) { Header::Ignored } else { Header::Absent };
    let format = property(&properties, &["format"]).unwrap_or("csv");
    request.format = Some(Format::from_name(format).map_err(CommandError::Invalid)?);
    let reference = property(
        &properties,
        &["ingestionmappingreference", "mappingreference", "csvmappingreference", "jsonmappingreference"],
    );
    let inline = property(&properties, &["ingestionmapping", "csvmapping", "jsonmapping"]);
    request.mapping = match (reference, inline) {
        (Some(_), Some(_)) => {
            return Err(CommandError::Invalid(
                "give either ingestionMapping or ingestionMappingReference, not both".to_owned(),
            ));
        }
        (Some(name), None) => MappingChoice::Named(name.to_owned()),
        (None, Some(text)) => MappingChoice::Inline(
            serde_json::from_str(text)
                .map_err(|error| CommandError::Invalid(format!("ingestionMapping is not JSON: {error}")))?,
        ),
        (None, None) => MappingChoice::None,
    };
    request.tags = text_list(property(&properties, &["tags"]));
    request.idempotency_key = idempotency_key(&properties);
    let mut rows = RowsBuilder::new(&[("ExtentId", Type::Guid)]);
    if data.trim().is_empty() {
        return Ok(rows.into());
    }
    match ingest::run(context.store, &request, &mut data.as_bytes()) {
        Ok(report) => {
            let id = if report.duplicate { Uuid::nil() } else { Uuid::new_v4() };
            rows.guid(id).end_row();
            Ok(rows.into())
        }
        Err(error) => {
            context.activity.add_failure(IngestionFailure {
                operation_id: context.activity_id,
                database: context.database_name().to_owned(),
                table,
                failed_ticks: crate::machine::now_ticks(),
                source: "inline".to_owned(),
                details: error.message.clone(),
                error_code: error.code.to_owned(),
                permanent: matches!(error.failure, Failure::BadRequest | Failure::NotFound),
                activity_id: context.activity_id,
            });
            Err(match error.failure {
                Failure::Busy => CommandError::Busy(error.message),
                Failure::Storage => CommandError::Unavailable(error.message),
                _ => CommandError::Ingestion {
                    code: error.code.to_owned(),
                    message: error.message,
                    permanent: true,
                },
            })
        }
    }
}

/// `.set | .append | .set-or-append | .set-or-replace [async] T [with (…)] <| query`
pub fn set_or_append(
    context: &CommandContext<'_>,
    reader: &mut Reader<'_>,
    verb: &str,
) -> Result<CommandOutput> {
    let is_async = reader.eat("async");
    if verb == "set" && reader.at("stored_query_result") {
        return reader
            .unsupported("set stored_query_result", "store the rows in a table: .set-or-replace T <| query");
    }
    let _ = reader.eat("table");
    let table = reader.name("the name of a table")?;
    let properties = reader.properties()?;
    let (text, offset) = reader.payload()?;
    context.may_write()?;
    check_name("table", &table)?;
    let operation = Operation {
        id: Uuid::new_v4(),
        name: format!("DataIngestPull:{verb}"),
        database: context.database_name().to_owned(),
        started_ticks: crate::machine::now_ticks(),
        updated_ticks: crate::machine::now_ticks(),
        state: "InProgress",
        status: String::new(),
        activity_id: context.activity_id,
        user: context.user.to_owned(),
    };
    let id = operation.id;
    context.activity.add_operation(operation);
    let result = store_query(context, verb, &table, &properties, text, offset);
    match &result {
        Ok(_) => context.activity.end_operation(id, "Completed", String::new()),
        Err(error) => context.activity.end_operation(id, "Failed", error.to_string()),
    }
    if is_async {
        // The work is done when the answer goes out; the operation says how it ended.
        let mut rows = RowsBuilder::new(&[("OperationId", Type::Guid)]);
        rows.guid(id).end_row();
        return Ok(rows.into());
    }
    result
}

fn store_query(
    context: &CommandContext<'_>,
    verb: &str,
    table: &str,
    properties: &[(String, String)],
    text: &str,
    offset: usize,
) -> Result<CommandOutput> {
    let snapshot = context.store.snapshot();
    let database = context.database_of(&snapshot)?;
    let existing = database.table(table);
    match (verb, existing) {
        ("set", Some(_)) => {
            return Err(CommandError::AlreadyExists { kind: "Table".to_owned(), name: table.to_owned() });
        }
        ("append", None) => {
            return Err(CommandError::NotFound { kind: "Table".to_owned(), name: table.to_owned() });
        }
        _ => {}
    }
    let (columns, batches) = if is_command(text) {
        let trimmed = crate::server::request::skip_leading_comments(text);
        if !trimmed.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(".show")) {
            return Err(CommandError::Invalid("only '.show' commands can be stored into a table".to_owned()));
        }
        let output = execute(context, text)?;
        let columns = output.results.into_iter().next().map(|result| result.columns).unwrap_or_default();
        (
            columns,
            output.batches.into_iter().filter(|(index, _)| *index == 0).map(|(_, batch)| batch).collect(),
        )
    } else {
        let input = QueryInput {
            text: text.to_owned(),
            database: database.name.clone(),
            parameters: Vec::new(),
            time_scope: None,
        };
        query::collect(context.store, &input, context.query)
            .map_err(|error| CommandError::Query { error, offset })?
    };
    if columns.is_empty() {
        return Err(CommandError::Invalid("the query yields no columns".to_owned()));
    }
    let changes = schema_changes(verb, database, existing.map(AsRef::as_ref), table, &columns, properties)?;
    if !changes.is_empty() {
        context.commit(&changes)?;
    }
    let snapshot = context.store.snapshot();
    let entry = snapshot
        .table(&database.name, table)
        .ok_or_else(|| CommandError::NotFound { kind: "Table".to_owned(), name: table.to_owned() })?;
    let rows: usize = batches.iter().map(|batch: &Batch| batch.rows).sum();
    let bytes: usize = batches.iter().map(Batch::memory_bytes).sum();
    let key = idempotency_key(properties);
    let mut duplicate = false;
    if rows > 0 {
        let arrays: Vec<Vec<arrow_array::ArrayRef>> =
            batches.into_iter().filter(|batch| batch.rows > 0).map(|batch| batch.columns).collect();
        let appended = context.store.append_many(
            entry.id,
            &arrays,
            AppendOptions {
                key: key.as_deref(),
                tags: text_list(property(properties, &["tags"])),
                ..AppendOptions::default()
            },
        )?;
        duplicate = appended.duplicate;
    }
    let mut answer = RowsBuilder::new(&[
        ("ExtentId", Type::Guid),
        ("OriginalSize", Type::Real),
        ("ExtentSize", Type::Real),
        ("CompressedSize", Type::Real),
        ("IndexSize", Type::Real),
        ("RowCount", Type::Long),
    ]);
    if rows > 0 && !duplicate {
        answer.guid(Uuid::new_v4()).real(bytes as f64).real(bytes as f64).real(bytes as f64).real(0.0);
        answer.long(rows as u64).end_row();
    }
    Ok(answer.into())
}

/// What must happen to the table before its rows come.
fn schema_changes(
    verb: &str,
    database: &DatabaseEntry,
    existing: Option<&TableEntry>,
    table: &str,
    columns: &Schema,
    properties: &[(String, String)],
) -> Result<Vec<CatalogChange>> {
    let folder = property(properties, &["folder"]).map(str::to_owned);
    let docstring = property(properties, &["docstring"]).map(str::to_owned);
    let create = || CatalogChange::CreateTable {
        database: database.name.clone(),
        name: table.to_owned(),
        schema: TableSchema::new(columns.iter().map(|column| (column.name.clone(), column_type(column.ty)))),
        folder: folder.clone().unwrap_or_default(),
        docstring: docstring.clone().unwrap_or_default(),
        if_not_exists: false,
    };
    for column in columns {
        check_name("column", &column.name)?;
    }
    let Some(existing) = existing else { return Ok(vec![create()]) };
    let replace = verb == "set-or-replace";
    if replace && is_true(property(properties, &["recreate_schema"])) {
        return Ok(vec![
            CatalogChange::DropTable {
                database: database.name.clone(),
                name: table.to_owned(),
                if_exists: false,
            },
            create(),
        ]);
    }
    let mut changes = Vec::new();
    // Columns are matched by place and type, not by name.
    for (at, column) in columns.iter().enumerate() {
        match existing.schema.columns.get(at) {
            Some(known) if schema::language_type(known.ty) == column.ty => {}
            Some(known) => {
                return Err(CommandError::Invalid(format!(
                    "column {} of the query ('{}') is of type {}, but column '{}' of table '{table}' is of type {}; columns are matched by position",
                    at + 1,
                    column.name,
                    column.ty.name(),
                    known.name,
                    known.ty.name()
                )));
            }
            None => {}
        }
    }
    if columns.len() > existing.schema.columns.len() {
        if !is_true(property(properties, &["extend_schema"])) {
            return Err(CommandError::Invalid(format!(
                "the query yields {} columns, table '{table}' has {}; with (extend_schema=true) adds the missing ones",
                columns.len(),
                existing.schema.columns.len()
            )));
        }
        let added = &columns[existing.schema.columns.len()..];
        if let Some(taken) = added.iter().find(|column| existing.schema.position(&column.name).is_some()) {
            return Err(CommandError::AlreadyExists { kind: "Column".to_owned(), name: taken.name.clone() });
        }
        changes.push(CatalogChange::MergeColumns {
            database: database.name.clone(),
            table: table.to_owned(),
            columns: added.iter().map(|column| (column.name.clone(), column_type(column.ty))).collect(),
        });
    }
    if folder.is_some() || docstring.is_some() {
        changes.push(CatalogChange::AlterTable {
            database: database.name.clone(),
            table: table.to_owned(),
            columns: None,
            folder,
            docstring,
            expected_schema_version: None,
        });
    }
    if replace {
        changes.push(CatalogChange::ClearTable { database: database.name.clone(), table: table.to_owned() });
    }
    Ok(changes)
}
