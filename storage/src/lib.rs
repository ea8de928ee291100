//! Conshelf's columns on disk.
//!
//! `Store` is the whole face: open a directory, append batches (durable when the call returns), take
//! snapshots, scan them, and let background work seal, merge and retire data. See `FORMAT.md` for every
//! byte on disk. This crate knows no KQL, no HTTP and no async.

pub mod catalog;
pub mod check;
pub mod column;
mod cursor;
pub mod directory;
pub mod disk;
pub mod dynamic;
pub mod encoding;
pub mod error;
pub mod extent;
mod extent_pool;
pub mod format;
mod index;
pub mod limits;
pub mod log;
mod maintain;
pub mod manifest;
pub mod mmap;
mod open;
pub mod predicate;
pub mod row_store;
pub mod scan;
mod shared;
pub mod snapshot;
pub mod statistics;
pub mod store;
pub mod terms;
pub mod text_test;
pub mod ticks;
pub mod types;
pub mod vectors;

pub use catalog::{
    AlteredColumn, CatalogChange, CreateMode, DEFAULT_DATABASE, DashboardEntry, DatabaseEntry,
    EXTENT_ID_COLUMN, EXTENT_TAGS_COLUMN, FunctionEntry, INGESTION_TIME_COLUMN, MappingEntry, PolicyTarget,
    TableEntry, TableId,
};
pub use check::{CheckReport, check};
pub use dynamic::{DynamicBuilder, DynamicKind, DynamicRef};
pub use encoding::{Effort, PathValues, TextAnswer, TextQuestion};
pub use error::{Result, StorageError};
pub use extent::{
    EncodeOptions, Extent, ExtentSpecification, ExtentSummary, ExtentWriter, Selection, write_extent,
};
pub use predicate::{Comparison, Literal, Predicate};
pub use scan::{Morsel, MorselSource, PruneStatistics, Scan, ScanOrder, ScanRequest};
pub use snapshot::{ExtentInformation, ExtentTotals, Snapshot, TableSnapshot};
pub use statistics::{ColumnStatistics, Sum};
pub use store::{
    AppendOptions, Appended, Clock, Durability, Problem, Store, StoreOptions, StoreStatus, TableStatistics,
};
pub use text_test::{Anchor, TextTest};
pub use types::{ColumnDefinition, ColumnType, SchemaRef, TableSchema};
