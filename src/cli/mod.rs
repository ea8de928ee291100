//! The command line beside `serve`: query, ingest, check, inspect, demo, lsp, docs, dashboard.
//!
//! Everything here speaks HTTP to a server as any client would; only `local` opens a data
//! directory itself, and `check` and `inspect` read its files.

pub mod check;
mod chunks;
pub mod client;
pub mod dashboard;
pub mod demo;
pub mod docs;
pub mod ingest;
pub mod inspect;
mod local;
pub mod lsp;
pub mod query;
mod shell;

use std::process::ExitCode;

/// Prints a message for the user on standard error and yields the exit code of failure.
pub fn complain(message: &str) -> ExitCode {
    eprintln!("conshelf: {message}");
    ExitCode::FAILURE
}
