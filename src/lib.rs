//! Conshelf: a KQL time-series database in one binary.
//!
//! An event in: `server` → `ingest` (decode into columns) → `storage` (log, row store, extents).
//! A query in: `server` → `engine` (bind by `conshelf_kql`, run over a storage snapshot) → `response`.

pub mod cli;
pub mod demo;
pub mod engine;
pub mod ingest;
pub mod response;

pub use conshelf_kql as kql;
pub use conshelf_storage as storage;
