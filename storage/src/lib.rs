//! Conshelf's columns on disk.
//!
//! `Store` is the whole face: open a directory, append batches (durable when the call returns), take
//! snapshots, scan them, and let background work seal, merge and retire data. See `FORMAT.md` for every
//! byte on disk. This crate knows no KQL, no HTTP and no async.

pub mod error;
pub mod predicate;
pub mod types;

pub use error::{Result, StorageError};
pub use predicate::{Comparison, Literal, Predicate};
pub use types::{ColumnDefinition, ColumnType, SchemaRef, TableSchema};
