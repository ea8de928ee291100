//! The server's own events: requests, queries, ingestions and health, kept in the system database
//! `Conshelf` like any other data, so that anyone can ask about them in KQL.
//!
//! Events gather in bounded memory and are appended every few seconds; when the store refuses they are
//! dropped, never waited for.

use std::sync::Arc;
use std::time::Duration;

use arrow_array::ArrayRef;
use conshelf_kql::Type;
use conshelf_storage::{
    AppendOptions, CatalogChange, ColumnType, PolicyTarget, StorageError, Store, TableSchema,
};
use parking_lot::Mutex;
use uuid::Uuid;

use crate::activity::RequestRecord;
use crate::command::result::RowsBuilder;

/// The system database.
pub const DATABASE: &str = "Conshelf";
/// How often events are stored.
pub const FLUSH_EVERY: Duration = Duration::from_secs(5);
/// How long they are kept.
const RETENTION_DAYS: u32 = 14;
/// Events held between two flushes; more are dropped.
const EVENTS_MAX: usize = 50_000;

type Columns = &'static [(&'static str, Type)];

const REQUESTS: Columns = &[
    ("Timestamp", Type::DateTime),
    ("Method", Type::String),
    ("Path", Type::String),
    ("Status", Type::Int),
    ("Duration", Type::TimeSpan),
    ("ClientRequestId", Type::String),
    ("ActivityId", Type::Guid),
    ("Application", Type::String),
    ("User", Type::String),
];

const QUERIES: Columns = &[
    ("Timestamp", Type::DateTime),
    ("Kind", Type::String),
    ("Text", Type::String),
    ("Database", Type::String),
    ("State", Type::String),
    ("Failure", Type::String),
    ("Duration", Type::TimeSpan),
    ("Cpu", Type::TimeSpan),
    ("MemoryPeak", Type::Long),
    ("RowsScanned", Type::Long),
    ("ExtentsScanned", Type::Long),
    ("ExtentsTotal", Type::Long),
    ("ResultRows", Type::Long),
    ("ResultBytes", Type::Long),
    ("ClientRequestId", Type::String),
    ("ActivityId", Type::Guid),
    ("Application", Type::String),
    ("User", Type::String),
];

const INGESTIONS: Columns = &[
    ("Timestamp", Type::DateTime),
    ("Database", Type::String),
    ("Table", Type::String),
    ("Format", Type::String),
    ("Rows", Type::Long),
    ("Bytes", Type::Long),
    ("Duration", Type::TimeSpan),
    ("Succeeded", Type::Bool),
    ("Failure", Type::String),
    ("ClientRequestId", Type::String),
    ("ActivityId", Type::Guid),
];

const HEALTH: Columns = &[
    ("Timestamp", Type::DateTime),
    ("Uptime", Type::TimeSpan),
    ("Degraded", Type::String),
    ("LastWriteError", Type::String),
    ("RowStoreBytes", Type::Long),
    ("RowStoreLimitBytes", Type::Long),
    ("LogBytes", Type::Long),
    ("LogSyncs", Type::Long),
    ("ManifestVersion", Type::Long),
    ("RunningRequests", Type::Long),
    ("Rows", Type::Long),
    ("DiskBytes", Type::Long),
    ("Extents", Type::Long),
    ("ResidentBytes", Type::Long),
];

const TABLES: [(&str, Columns, &str); 4] = [
    ("Requests", REQUESTS, "Every HTTP request that the server answered"),
    ("Queries", QUERIES, "Every query and management command"),
    ("Ingestions", INGESTIONS, "Every ingestion request"),
    ("Health", HEALTH, "The state of the server every few seconds"),
];

/// A request as the HTTP layer saw it.
#[derive(Clone, Debug)]
pub struct RequestEvent {
    pub method: String,
    pub path: String,
    pub status: u16,
    pub duration: Duration,
    pub client_request_id: String,
    pub activity_id: Uuid,
    pub application: String,
    pub user: String,
}

/// An ingestion request.
#[derive(Clone, Debug)]
pub struct IngestionEvent {
    pub database: String,
    pub table: String,
    pub format: String,
    pub rows: u64,
    pub bytes: u64,
    pub duration: Duration,
    pub failure: Option<String>,
    pub client_request_id: String,
    pub activity_id: Uuid,
}

/// The server's state at a moment.
#[derive(Clone, Debug, Default)]
pub struct HealthEvent {
    pub uptime: Duration,
    pub running_requests: u64,
}

struct Pending {
    requests: RowsBuilder,
    queries: RowsBuilder,
    ingestions: RowsBuilder,
    health: RowsBuilder,
}

impl Default for Pending {
    fn default() -> Pending {
        Pending {
            requests: RowsBuilder::new(REQUESTS),
            queries: RowsBuilder::new(QUERIES),
            ingestions: RowsBuilder::new(INGESTIONS),
            health: RowsBuilder::new(HEALTH),
        }
    }
}

/// See the module. Cheap to clone.
#[derive(Clone)]
pub struct Telemetry {
    enabled: bool,
    pending: Arc<Mutex<Pending>>,
}

impl std::fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Telemetry").field("enabled", &self.enabled).finish_non_exhaustive()
    }
}

fn ticks(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos() / 100).unwrap_or(i64::MAX)
}

fn seconds_ticks(seconds: f64) -> i64 {
    (seconds * 1e7) as i64
}

/// The storage type of a language type.
pub fn column_type(ty: Type) -> ColumnType {
    match ty {
        Type::Bool => ColumnType::Bool,
        Type::Int => ColumnType::Int,
        Type::Long => ColumnType::Long,
        Type::Real => ColumnType::Real,
        Type::Decimal => ColumnType::Decimal,
        Type::DateTime => ColumnType::DateTime,
        Type::TimeSpan => ColumnType::TimeSpan,
        Type::String => ColumnType::String,
        Type::Guid => ColumnType::Guid,
        Type::Dynamic => ColumnType::Dynamic,
    }
}

impl Telemetry {
    pub fn new(enabled: bool) -> Telemetry {
        Telemetry { enabled, pending: Arc::default() }
    }

    pub fn request(&self, event: &RequestEvent) {
        if !self.enabled {
            return;
        }
        let mut pending = self.pending.lock();
        if pending.requests.rows() >= EVENTS_MAX {
            return;
        }
        pending
            .requests
            .ticks(crate::machine::now_ticks())
            .text(&event.method)
            .text(&event.path)
            .int(i32::from(event.status))
            .ticks(ticks(event.duration))
            .text(&event.client_request_id)
            .guid(event.activity_id)
            .text(&event.application)
            .text(&event.user)
            .end_row();
    }

    /// A finished query or command.
    pub fn query(&self, record: &RequestRecord) {
        if !self.enabled {
            return;
        }
        let mut pending = self.pending.lock();
        if pending.queries.rows() >= EVENTS_MAX {
            return;
        }
        pending
            .queries
            .ticks(record.started_ticks)
            .text(if record.is_command { "Command" } else { "Query" })
            .text(&record.text)
            .text(&record.database)
            .text(record.state.name())
            .text(&record.failure)
            .ticks(record.updated_ticks - record.started_ticks)
            .ticks(seconds_ticks(record.cpu_seconds))
            .long(record.memory_peak_bytes)
            .long(record.rows_scanned)
            .long(record.extents_scanned)
            .long(record.extents_total)
            .long(record.result_rows)
            .long(record.result_bytes)
            .text(&record.client_request_id)
            .guid(record.activity_id)
            .text(&record.application)
            .text(&record.user)
            .end_row();
    }

    pub fn ingestion(&self, event: &IngestionEvent) {
        if !self.enabled {
            return;
        }
        let mut pending = self.pending.lock();
        if pending.ingestions.rows() >= EVENTS_MAX {
            return;
        }
        pending
            .ingestions
            .ticks(crate::machine::now_ticks())
            .text(&event.database)
            .text(&event.table)
            .text(&event.format)
            .long(event.rows)
            .long(event.bytes)
            .ticks(ticks(event.duration))
            .bool(event.failure.is_none())
            .text(event.failure.as_deref().unwrap_or(""))
            .text(&event.client_request_id)
            .guid(event.activity_id)
            .end_row();
    }

    /// Notes the state of the store and the process.
    pub fn health(&self, store: &Store, event: &HealthEvent) {
        if !self.enabled {
            return;
        }
        let status = store.status();
        let tables = store.statistics();
        let mut pending = self.pending.lock();
        pending
            .health
            .ticks(crate::machine::now_ticks())
            .ticks(ticks(event.uptime))
            .text(status.degraded.as_deref().unwrap_or(""))
            .text(status.last_write_error.as_deref().unwrap_or(""))
            .long(status.row_store_bytes)
            .long(status.row_store_limit_bytes)
            .long(status.log_bytes)
            .long(status.log_syncs)
            .long(status.manifest_version)
            .long(event.running_requests)
            .long(tables.iter().map(|table| table.sealed_rows + table.row_store_rows).sum())
            .long(tables.iter().map(|table| table.sealed_bytes).sum())
            .long(tables.iter().map(|table| table.extents).sum())
            .long(resident_bytes())
            .end_row();
    }

    /// Appends what has gathered. Blocks; call it from a thread that may.
    pub fn flush(&self, store: &Store) -> Result<(), StorageError> {
        if !self.enabled {
            return Ok(());
        }
        let pending = std::mem::take(&mut *self.pending.lock());
        let Pending { requests, queries, ingestions, health } = pending;
        for (name, mut rows) in
            [("Requests", requests), ("Queries", queries), ("Ingestions", ingestions), ("Health", health)]
        {
            if rows.rows() == 0 {
                continue;
            }
            let snapshot = store.snapshot();
            let Some(table) = snapshot.table(DATABASE, name) else { continue };
            let columns: Vec<ArrayRef> = rows.finish().1.columns;
            if columns.len() == table.schema.columns.len() {
                store.append(table.id, &columns, AppendOptions::default())?;
            }
        }
        Ok(())
    }

    /// Creates the system database and its tables, or brings them up to this version's columns.
    pub fn prepare(&self, store: &Store) -> Result<(), StorageError> {
        if !self.enabled {
            return Ok(());
        }
        let mut changes =
            vec![CatalogChange::CreateDatabase { name: DATABASE.to_owned(), if_not_exists: true }];
        for (name, columns, docstring) in TABLES {
            let columns: Vec<(String, ColumnType)> =
                columns.iter().map(|(name, ty)| ((*name).to_owned(), column_type(*ty))).collect();
            changes.push(CatalogChange::CreateTable {
                database: DATABASE.to_owned(),
                name: name.to_owned(),
                schema: TableSchema::new(columns.clone()),
                folder: String::new(),
                docstring: docstring.to_owned(),
                if_not_exists: true,
            });
            changes.push(CatalogChange::MergeColumns {
                database: DATABASE.to_owned(),
                table: name.to_owned(),
                columns,
            });
        }
        store.commit_all(&changes)?;
        let snapshot = store.snapshot();
        let has_retention =
            snapshot.database(DATABASE).is_some_and(|database| database.policies.contains_key("retention"));
        if !has_retention {
            store.commit(CatalogChange::SetPolicy {
                target: PolicyTarget::Database { database: DATABASE.to_owned() },
                kind: "retention".to_owned(),
                value: Some(serde_json::json!({
                    "SoftDeletePeriod": format!("{RETENTION_DAYS}.00:00:00"),
                    "Recoverability": "Disabled",
                })),
            })?;
        }
        Ok(())
    }
}

/// Memory of this process, where the system tells it.
fn resident_bytes() -> u64 {
    std::fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|text| text.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok()))
        .map_or(0, |pages| pages * 4096)
}
