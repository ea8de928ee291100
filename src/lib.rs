//! Conshelf: a KQL time-series database in one binary.
//!
//! An event in: `server` → `ingest` (decode into columns) → `storage` (log, row store, extents).
//! A query in: `server` → `query` → `engine` (bind by `conshelf_kql`, run over a storage snapshot) → `response`.
//! A management command: `server` → `command` → catalog changes of the store.

pub mod activity;
pub mod chart;
pub mod cli;
pub mod command;
pub mod config;
pub mod dashboard;
pub mod demo;
pub mod engine;
pub mod ingest;
pub mod machine;
pub mod query;
pub mod reference;
pub mod response;
pub mod saved_cache;
pub mod serve;
pub mod server;
pub mod telemetry;

pub use conshelf_kql as kql;
pub use conshelf_storage as storage;
