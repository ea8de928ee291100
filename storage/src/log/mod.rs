//! The log: acknowledged rows on disk before they are in extents.
//!
//! `payload` turns a batch into bytes and back, `record` frames it, `segment` reads a file of records whatever
//! happened to it, `writer` appends to the newest one and frees the oldest, `replay` puts a directory of them
//! together at open, `commit` is the thread that many appends share. See FORMAT.md, section "Log".

pub mod commit;
pub mod payload;
pub mod record;
pub mod replay;
pub mod segment;
pub mod writer;
