//! The store's upkeep: rows move from the row store into extents, small extents into larger ones, old ones go.
//!
//! Each job is a plain function over the shared state that the caller may run at will; `background` runs them
//! by need. Nothing here blocks readers or appends for longer than it takes to swap a pointer.

pub(crate) mod background;
pub(crate) mod extent_file;
pub(crate) mod garbage;
pub(crate) mod gather;
pub(crate) mod merge;
pub(crate) mod retention;
pub(crate) mod seal;
mod unite;
