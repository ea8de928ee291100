//! Indexes of a chunk: they may only say "no row matches" when that is so, never the other way round.

pub(crate) mod bloom;
pub(crate) mod terms;
