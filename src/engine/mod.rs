//! The query engine: a logical plan and a storage snapshot in, batches out.
//!
//! Path of a query: `kernel` (scalar functions over Arrow arrays) and `aggregate` (grouped accumulators) are
//! used by `execute` (operators, one a file), which runs morsels of a snapshot in parallel under the limits
//! of a `QueryContext`. Nothing here knows HTTP, files or response formats.

pub mod aggregate;
pub mod batch;
pub mod cache;
pub mod catalog;
pub mod constant;
pub mod context;
#[allow(clippy::module_inception)]
pub mod engine;
pub mod error;
pub mod evaluate;
pub mod execute;
pub mod kernel;
pub mod literal;
pub mod locations;
pub mod profile;
pub mod pruning;
pub mod stored;
pub mod warm_up;

pub use batch::Batch;
pub use context::QueryContext;
pub use engine::{Engine, Output, Prepared, QueryRequest, ResultDescription, ResultTable, Statistics};
pub use error::{EngineError, Result};
pub use evaluate::{PreparedExpression, SubqueryResolver};
pub use execute::{BatchWriter, WrittenPiece, WrittenRows};
