//! What the server does and did: queries, commands, operations, ingestion failures; `.cancel query`.

use conshelf_kql::Type;

use crate::activity::{RequestRecord, State};
use crate::command::reader::Reader;
use crate::command::result::RowsBuilder;
use crate::command::{CommandContext, CommandError, CommandOutput, Result};

fn cpu_ticks(record: &RequestRecord) -> i64 {
    (record.cpu_seconds * 1e7) as i64
}

/// `.show queries`, `.show running queries [by user …]`
pub fn queries(
    context: &CommandContext<'_>,
    reader: &mut Reader<'_>,
    running_only: bool,
) -> Result<CommandOutput> {
    if reader.eat("by") {
        reader.expect("user")?;
        if reader.at_name() {
            reader.name("a user")?;
        }
    }
    reader.finish()?;
    let mut rows = RowsBuilder::new(&[
        ("ClientActivityId", Type::String),
        ("Text", Type::String),
        ("Database", Type::String),
        ("StartedOn", Type::DateTime),
        ("LastUpdatedOn", Type::DateTime),
        ("Duration", Type::TimeSpan),
        ("State", Type::String),
        ("RootActivityId", Type::Guid),
        ("User", Type::String),
        ("FailureReason", Type::String),
        ("TotalCpu", Type::TimeSpan),
        ("CacheStatistics", Type::Dynamic),
        ("Application", Type::String),
        ("MemoryPeak", Type::Long),
        ("ScannedExtentsStatistics", Type::Dynamic),
        ("Principal", Type::String),
        ("ClientRequestProperties", Type::Dynamic),
        ("ResultSetStatistics", Type::Dynamic),
        ("WorkloadGroup", Type::String),
    ]);
    for record in context.activity.requests(false) {
        if running_only && record.state != State::InProgress {
            continue;
        }
        rows.text(&record.client_request_id).text(&record.text).text(&record.database);
        rows.ticks(record.started_ticks).ticks(record.updated_ticks);
        rows.ticks(record.updated_ticks - record.started_ticks).text(record.state.name());
        rows.guid(record.activity_id).text(&record.user).text(&record.failure).ticks(cpu_ticks(&record));
        rows.json("{}").text(&record.application).long(record.memory_peak_bytes);
        rows.json(&format!(
            "{{\"ScannedExtentsCount\":{},\"TotalExtentsCount\":{},\"ScannedRowsCount\":{}}}",
            record.extents_scanned, record.extents_total, record.rows_scanned
        ));
        rows.text(&record.user).json("{}");
        rows.json(&format!(
            "{{\"TableCount\":1,\"TablesStatistics\":[{{\"RowCount\":{},\"TableSize\":{}}}]}}",
            record.result_rows, record.result_bytes
        ));
        rows.text("default").end_row();
    }
    Ok(rows.into())
}

/// `.show commands`
pub fn commands(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    reader.finish()?;
    let mut rows = RowsBuilder::new(&[
        ("ClientActivityId", Type::String),
        ("CommandType", Type::String),
        ("Text", Type::String),
        ("Database", Type::String),
        ("StartedOn", Type::DateTime),
        ("LastUpdatedOn", Type::DateTime),
        ("Duration", Type::TimeSpan),
        ("State", Type::String),
        ("RootActivityId", Type::Guid),
        ("User", Type::String),
        ("FailureReason", Type::String),
        ("Application", Type::String),
        ("Principal", Type::String),
        ("TotalCpu", Type::TimeSpan),
        ("ResourcesUtilization", Type::Dynamic),
        ("ClientRequestProperties", Type::Dynamic),
        ("WorkloadGroup", Type::String),
    ]);
    for record in context.activity.requests(true) {
        // The command that asks is running too; it is not news.
        if record.activity_id == context.activity_id {
            continue;
        }
        rows.text(&record.client_request_id).text(&record.command_type).text(&record.text);
        rows.text(&record.database).ticks(record.started_ticks).ticks(record.updated_ticks);
        rows.ticks(record.updated_ticks - record.started_ticks).text(record.state.name());
        rows.guid(record.activity_id).text(&record.user).text(&record.failure).text(&record.application);
        rows.text(&record.user).ticks(cpu_ticks(&record)).json("{}").json("{}").text("default").end_row();
    }
    Ok(rows.into())
}

/// `.show commands-and-queries`
pub fn commands_and_queries(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    reader.finish()?;
    let mut rows = RowsBuilder::new(&[
        ("ClientActivityId", Type::String),
        ("CommandType", Type::String),
        ("Text", Type::String),
        ("Database", Type::String),
        ("StartedOn", Type::DateTime),
        ("LastUpdatedOn", Type::DateTime),
        ("Duration", Type::TimeSpan),
        ("State", Type::String),
        ("FailureReason", Type::String),
        ("RootActivityId", Type::Guid),
        ("User", Type::String),
        ("Application", Type::String),
        ("Principal", Type::String),
        ("ClientRequestProperties", Type::Dynamic),
        ("TotalCpu", Type::TimeSpan),
        ("MemoryPeak", Type::Long),
        ("CacheStatistics", Type::Dynamic),
        ("ScannedExtentsStatistics", Type::Dynamic),
        ("ResultSetStatistics", Type::Dynamic),
        ("WorkloadGroup", Type::String),
    ]);
    let mut records = context.activity.requests(false);
    records.extend(context.activity.requests(true));
    records.sort_by_key(|record| std::cmp::Reverse(record.started_ticks));
    for record in records {
        rows.text(&record.client_request_id);
        rows.text(if record.is_command { &record.command_type } else { "Query" });
        rows.text(&record.text)
            .text(&record.database)
            .ticks(record.started_ticks)
            .ticks(record.updated_ticks);
        rows.ticks(record.updated_ticks - record.started_ticks).text(record.state.name());
        rows.text(&record.failure).guid(record.activity_id).text(&record.user).text(&record.application);
        rows.text(&record.user).json("{}").ticks(cpu_ticks(&record)).long(record.memory_peak_bytes);
        rows.json("{}").json("{}").json("{}").text("default").end_row();
    }
    Ok(rows.into())
}

/// `.show operations [id | (ids)] [details]`
pub fn operations(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    let mut ids: Option<Vec<String>> = None;
    if reader.at_symbol('(') {
        ids = Some(reader.name_list("the id of an operation")?);
    } else if reader.at_name() && !reader.at("details") {
        ids = Some(vec![reader.name("the id of an operation")?]);
    }
    let _ = reader.eat("details");
    reader.finish()?;
    let mut rows = RowsBuilder::new(&[
        ("OperationId", Type::Guid),
        ("Operation", Type::String),
        ("NodeId", Type::String),
        ("StartedOn", Type::DateTime),
        ("LastUpdatedOn", Type::DateTime),
        ("Duration", Type::TimeSpan),
        ("State", Type::String),
        ("Status", Type::String),
        ("RootActivityId", Type::Guid),
        ("ShouldRetry", Type::Bool),
        ("Database", Type::String),
        ("Principal", Type::String),
        ("User", Type::String),
        ("AdminEpochStartTime", Type::DateTime),
    ]);
    for operation in context.activity.operations() {
        let id = operation.id.to_string();
        if ids.as_ref().is_some_and(|ids| !ids.iter().any(|known| known.eq_ignore_ascii_case(&id))) {
            continue;
        }
        rows.guid(operation.id).text(&operation.name).text("conshelf_0").ticks(operation.started_ticks);
        rows.ticks(operation.updated_ticks).ticks(operation.updated_ticks - operation.started_ticks);
        rows.text(operation.state).text(&operation.status).guid(operation.activity_id).bool(false);
        rows.text(&operation.database).text(&operation.user).text(&operation.user);
        rows.ticks(context.started_ticks).end_row();
    }
    Ok(rows.into())
}

/// `.show ingestion failures`
pub fn ingestion_failures(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    let mut wanted = None;
    if reader.at("with") {
        wanted =
            reader.properties()?.into_iter().find(|(name, _)| name == "operationid").map(|(_, value)| value);
    }
    reader.finish()?;
    let mut rows = RowsBuilder::new(&[
        ("OperationId", Type::String),
        ("Database", Type::String),
        ("Table", Type::String),
        ("FailedOn", Type::DateTime),
        ("IngestionSourcePath", Type::String),
        ("Details", Type::String),
        ("FailureKind", Type::String),
        ("RootActivityId", Type::String),
        ("OperationKind", Type::String),
        ("OriginatesFromUpdatePolicy", Type::Bool),
        ("ErrorCode", Type::String),
        ("Principal", Type::String),
        ("User", Type::String),
        ("IngestionProperties", Type::String),
        ("NumberOfSources", Type::Long),
        ("ShouldRetry", Type::Bool),
    ]);
    for failure in context.activity.failures() {
        let id = failure.operation_id.to_string();
        if wanted.as_ref().is_some_and(|wanted| !wanted.eq_ignore_ascii_case(&id)) {
            continue;
        }
        rows.text(id).text(&failure.database).text(&failure.table).ticks(failure.failed_ticks);
        rows.text(&failure.source).text(&failure.details);
        rows.text(if failure.permanent { "Permanent" } else { "Transient" });
        rows.text(failure.activity_id.to_string())
            .text("DataIngestPull")
            .bool(false)
            .text(&failure.error_code);
        rows.text("").text("").text("").long(1).bool(!failure.permanent).end_row();
    }
    Ok(rows.into())
}

/// `.show journal`: nothing is kept beside the manifest.
pub fn journal(reader: &mut Reader<'_>) -> Result<CommandOutput> {
    reader.finish()?;
    let rows = RowsBuilder::new(&[
        ("Event", Type::String),
        ("EventTimestamp", Type::DateTime),
        ("Database", Type::String),
        ("EntityName", Type::String),
        ("UpdatedEntityName", Type::String),
        ("EntityVersion", Type::String),
        ("EntityContainerName", Type::String),
        ("OriginalEntityState", Type::String),
        ("UpdatedEntityState", Type::String),
        ("ChangeCommand", Type::String),
        ("Principal", Type::String),
    ]);
    Ok(rows.into())
}

/// `.cancel query 'client request id' [with (reason='…')]`
pub fn cancel(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    if reader.eat("operation") {
        return Err(CommandError::NotSupported(
            "'.cancel operation': operations run to their end before they are answered".to_owned(),
        ));
    }
    reader.expect("query")?;
    let id = reader.name("the client request id of the query, as .show queries lists it")?;
    reader.properties()?;
    reader.finish()?;
    let cancelled = context.activity.cancel(&id);
    let mut rows = RowsBuilder::new(&[
        ("RunningQueryCanceled", Type::Bool),
        ("ClientRequestId", Type::String),
        ("ReasonPhrase", Type::String),
    ]);
    let reason = if cancelled.is_empty() { "no running query has this client request id" } else { "" };
    rows.bool(!cancelled.is_empty()).text(&id).text(reason).end_row();
    Ok(rows.into())
}
