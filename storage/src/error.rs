//! The one error type of the crate.

use std::path::PathBuf;

/// What went wrong in storage. Each kind tells the caller what can be done about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StorageError {
    /// The operating system refused: full disk, read-only directory, too many open files, I/O fault.
    /// Writes may be tried again once the cause is gone; reads go on.
    #[error("{action} {}: {source}", path.display())]
    Io { action: &'static str, path: PathBuf, source: std::io::Error },
    /// Bytes on disk are not what was written. Names the place; what is affected stays out of answers.
    #[error("corrupt data in {} at offset {offset}: {detail}", path.display())]
    Corrupt { path: PathBuf, offset: u64, detail: String },
    /// The directory was written by a newer version.
    #[error("{} has format version {found}; this binary reads up to {supported}: use a newer conshelf", path.display())]
    NewerVersion { path: PathBuf, found: u32, supported: u32 },
    /// Another process holds the directory.
    #[error("{} is in use by another process{}", path.display(), owner.as_ref().map(|o| format!(" ({o})")).unwrap_or_default())]
    Locked { path: PathBuf, owner: Option<String> },
    /// The row store is at its memory bound until background work catches up.
    #[error("the row store holds {used_bytes} of {limit_bytes} bytes; retry in a moment")]
    Busy { used_bytes: u64, limit_bytes: u64 },
    /// A database, table, column … does not exist.
    #[error("{kind} '{name}' was not found")]
    NotFound { kind: &'static str, name: String },
    /// The name is taken.
    #[error("{kind} '{name}' already exists")]
    AlreadyExists { kind: &'static str, name: String },
    /// The request contradicts the state or the format (wrong column type, wrong array length …).
    #[error("{0}")]
    Invalid(String),
    /// The store is shutting down.
    #[error("the store is closed")]
    Closed,
}

impl StorageError {
    /// Wraps an I/O error with what was tried and where.
    pub fn io(action: &'static str, path: impl Into<PathBuf>, source: std::io::Error) -> StorageError {
        StorageError::Io { action, path: path.into(), source }
    }
}

/// Result of the crate.
pub type Result<T> = std::result::Result<T, StorageError>;
