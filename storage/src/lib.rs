//! Columns on disk.
