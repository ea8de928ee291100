//! The manifest: the durable, versioned account of what exists.
//!
//! `state` is the account in memory, `edit` the differences between two versions of it (also the form on
//! disk), `plan` turns a requested catalog change into edits, `files` keeps them on disk.

pub mod edit;
pub mod files;
pub mod plan;
pub mod state;
