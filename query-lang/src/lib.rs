//! The Kusto Query Language: text to a typed logical plan.

pub mod ast;
pub mod diagnostic;
pub mod span;
