//! What exists and what rows there are at one moment; holding it keeps all of it readable.
//!
//! Immutable: later appends, seals, merges and drops do not change what a snapshot shows.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use uuid::Uuid;

use crate::catalog::{DatabaseEntry, TableEntry, TableId};
use crate::extent::ColumnBytes;
use crate::extent_pool::{ExtentPool, Pooled};
use crate::manifest::edit::ExtentRecord;
use crate::manifest::state::State;
use crate::row_store::Chunk;
use crate::scan::{Scan, ScanRequest};

/// The store at one moment.
#[derive(Debug)]
pub struct Snapshot {
    pub(crate) state: Arc<State>,
    pub(crate) rows: HashMap<TableId, Arc<Vec<Arc<Chunk>>>>,
    pub(crate) sequence: u64,
    pub(crate) pool: Arc<ExtentPool>,
}

impl Snapshot {
    /// Version of the manifest.
    pub fn version(&self) -> u64 {
        self.state.version
    }

    /// Commit sequence of the last batch that is visible.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Every database in order of its lower-cased name.
    pub fn databases(&self) -> impl Iterator<Item = &Arc<DatabaseEntry>> {
        self.state.databases.values()
    }

    /// The database of that name, without regard to case.
    pub fn database(&self, name: &str) -> Option<&Arc<DatabaseEntry>> {
        self.state.database(name)
    }

    /// The table of that name (case-sensitive) in a database.
    pub fn table(&self, database: &str, name: &str) -> Option<&Arc<TableEntry>> {
        self.database(database)?.table(name)
    }

    /// The table of that id.
    pub fn table_by_id(&self, id: TableId) -> Option<&Arc<TableEntry>> {
        self.state.tables.get(&id).map(|table| &table.entry)
    }

    /// Every extent of every table.
    pub fn extent_ids(&self) -> impl Iterator<Item = Uuid> {
        self.state.tables.values().flat_map(|table| table.extents.iter().map(|record| record.id))
    }

    /// The rows of a table; `None` when there is no such table.
    pub fn table_data(&self, id: TableId) -> Option<TableSnapshot> {
        let table = self.state.tables.get(&id)?;
        Some(TableSnapshot {
            entry: table.entry.clone(),
            extents: table.extents.clone(),
            chunks: self.rows.get(&id).cloned().unwrap_or_default(),
            pool: self.pool.clone(),
        })
    }
}

/// The rows of one table at one moment.
#[derive(Clone, Debug)]
pub struct TableSnapshot {
    pub(crate) entry: Arc<TableEntry>,
    pub(crate) extents: Arc<Vec<Arc<ExtentRecord>>>,
    pub(crate) chunks: Arc<Vec<Arc<Chunk>>>,
    pub(crate) pool: Arc<ExtentPool>,
}

impl TableSnapshot {
    /// The table.
    pub fn entry(&self) -> &Arc<TableEntry> {
        &self.entry
    }

    /// Rows in extents and row store.
    pub fn rows(&self) -> u64 {
        self.sealed_rows() + self.row_store_rows()
    }

    /// Rows in extents.
    pub fn sealed_rows(&self) -> u64 {
        self.extents.iter().map(|extent| extent.rows).sum()
    }

    /// Rows that are not in an extent yet.
    pub fn row_store_rows(&self) -> u64 {
        self.chunks.iter().map(|chunk| chunk.rows as u64).sum()
    }

    /// The extents, for `.show extents`.
    pub fn extents(&self) -> Vec<ExtentInformation> {
        self.extents
            .iter()
            .map(|extent| ExtentInformation {
                id: extent.id,
                rows: extent.rows,
                file_bytes: extent.file_bytes,
                original_bytes: extent.original_bytes,
                min_time: extent.min_time,
                max_time: extent.max_time,
                created_ticks: extent.created_ticks,
                tags: extent.tags.clone(),
            })
            .collect()
    }

    /// Bytes of each column in the extents that `takes` chooses, by column id, and of the files as wholes. Extents
    /// that are damaged count only in the latter.
    pub fn column_bytes(
        &self,
        takes: impl Fn(&ExtentInformation) -> bool,
    ) -> crate::Result<(Vec<ColumnBytes>, ExtentTotals)> {
        let mut columns: BTreeMap<u32, ColumnBytes> = BTreeMap::new();
        let mut totals = ExtentTotals::default();
        for (record, information) in self.extents.iter().zip(self.extents()) {
            if !takes(&information) {
                continue;
            }
            totals.rows += record.rows;
            totals.file_bytes += record.file_bytes;
            let Pooled::Open(extent) = self.pool.get(&self.entry, record)? else { continue };
            for sizes in extent.column_bytes() {
                let sum = columns
                    .entry(sizes.column)
                    .or_insert(ColumnBytes { column: sizes.column, ..ColumnBytes::default() });
                sum.original += sizes.original;
                sum.data += sizes.data;
                sum.index += sizes.index;
            }
        }
        Ok((columns.into_values().collect(), totals))
    }

    /// The pieces of the table that may have rows for the request, in its order.
    pub fn scan(&self, request: &ScanRequest) -> crate::Result<Scan> {
        crate::scan::scan(self, request)
    }
}

/// Some extents together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExtentTotals {
    pub rows: u64,
    pub file_bytes: u64,
}

/// One extent as people see it.
#[derive(Clone, Debug, PartialEq)]
pub struct ExtentInformation {
    pub id: Uuid,
    pub rows: u64,
    pub file_bytes: u64,
    pub original_bytes: u64,
    pub min_time: Option<i64>,
    pub max_time: Option<i64>,
    pub created_ticks: i64,
    pub tags: Vec<String>,
}
