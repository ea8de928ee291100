//! What is written beside a chunk so that a search need not read it. Answers are conservative, or exact and
//! say so.

pub(crate) mod bloom;
pub(crate) mod posting;
pub(crate) mod term_builder;
pub(crate) mod term_index;
pub(crate) mod terms;
