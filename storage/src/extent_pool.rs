//! Extents that are mapped at the moment, and those that turned out to be damaged.
//!
//! An extent is opened at its first use. One that is damaged as a whole is quarantined: it stays in the
//! manifest and on disk, is listed among the problems, and is not served.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use uuid::Uuid;

use crate::catalog::{TableEntry, TableId};
use crate::directory::Layout;
use crate::error::{Result, StorageError};
use crate::extent::Extent;
use crate::manifest::edit::ExtentRecord;
use crate::store::Problem;

/// A query that last read so long ago has ended, or is about to.
const QUERY_PAUSE: Duration = Duration::from_millis(100);

/// See the module.
#[derive(Debug)]
pub(crate) struct ExtentPool {
    layout: Layout,
    slots: Mutex<HashMap<Uuid, Pooled>>,
    problems: Arc<Mutex<Vec<Problem>>>,
    opened: Instant,
    /// When a query last read, in milliseconds since `opened`, plus one.
    queried: AtomicU64,
}

/// An extent, or why it is not served.
#[derive(Clone, Debug)]
pub(crate) enum Pooled {
    Open(Arc<Extent>),
    Damaged(String),
}

impl ExtentPool {
    pub fn new(layout: Layout, problems: Arc<Mutex<Vec<Problem>>>) -> ExtentPool {
        ExtentPool {
            layout,
            slots: Mutex::default(),
            problems,
            opened: Instant::now(),
            queried: AtomicU64::new(0),
        }
    }

    /// The extent. Errors are those that may pass, such as too many open files.
    pub fn get(&self, table: &TableEntry, record: &ExtentRecord) -> Result<Pooled> {
        if let Some(pooled) = self.slots.lock().get(&record.id) {
            return Ok(pooled.clone());
        }
        let pooled = match self.open(table.id, record) {
            Ok(extent) => Pooled::Open(Arc::new(extent)),
            Err(StorageError::Io { source, .. }) if source.kind() != io::ErrorKind::NotFound => {
                return Err(StorageError::io("open", self.layout.extent(table.id, record), source));
            }
            Err(error) => {
                self.report(table, record, &error);
                Pooled::Damaged(format!("extent {}: {error}", record.id))
            }
        };
        Ok(self.slots.lock().entry(record.id).or_insert(pooled).clone())
    }

    /// A query reads: upkeep makes way.
    pub fn note_query(&self) {
        self.queried.store(self.opened.elapsed().as_millis() as u64 + 1, Ordering::Relaxed);
    }

    /// Whether a query read something just now.
    pub fn is_queried(&self) -> bool {
        let queried = self.queried.load(Ordering::Relaxed);
        queried > 0 && self.opened.elapsed().as_millis() as u64 <= queried + QUERY_PAUSE.as_millis() as u64
    }

    fn open(&self, table: TableId, record: &ExtentRecord) -> Result<Extent> {
        let path = self.layout.extent(table, record);
        let extent = Extent::open(&path)?;
        let described = (extent.extent_id(), extent.table_id(), extent.rows(), extent.row_group_count());
        if described != (record.id, table, record.rows, record.row_groups) {
            let detail = "the file is another extent than the manifest names".to_owned();
            return Err(StorageError::Corrupt { path, offset: 0, detail });
        }
        Ok(extent)
    }

    /// Lists damage found in an extent among the problems.
    pub fn report(&self, table: &TableEntry, record: &ExtentRecord, error: &StorageError) {
        let (file, offset, detail) = match error {
            StorageError::Corrupt { path, offset, detail } => (path.clone(), Some(*offset), detail.clone()),
            other => (self.layout.extent(table.id, record), None, other.to_string()),
        };
        let problem = Problem {
            file,
            offset,
            table: Some(format!("{}.{}", table.database, table.name)),
            time_range: record.min_time.zip(record.max_time),
            detail,
        };
        let mut problems = self.problems.lock();
        if !problems.contains(&problem) {
            tracing::error!(%problem, "damaged data");
            problems.push(problem);
        }
    }

    /// Forgets an extent whose file is about to go.
    pub fn forget(&self, id: Uuid) {
        self.slots.lock().remove(&id);
    }
}
