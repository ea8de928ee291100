//! Graphs: built of rows, searched for patterns, turned into rows again.
//!
//! ```text
//! rows ─▶ build ─▶ graph ─▶ components ─▶ search | shortest ─▶ matches ─▶ values ─▶ rows
//!                                    └──▶ table ──────────────────────────────────────▶
//! ```
//!
//! A graph numbers its nodes and edges from zero and holds for each node the edges that leave and reach it.
//! `pattern` decides where a search begins and which conditions it can check on the way; a search knows
//! numbers only. What was found is kept in `matches` until `values` reads the properties of many at once.

mod build;
mod components;
mod matches;
mod partition;
mod pattern;
mod run;
mod search;
mod shortest;
mod structure;
mod table;
mod values;

use std::sync::Arc;

use conshelf_kql::plan::graph::{GraphPlan, GraphSource};

pub use partition::pipeline as partition;
pub use run::pipeline as search;
pub use structure::Graph;
pub use table::pipeline as table;

use crate::engine::error::{EngineError, Result};
use crate::engine::execute::Executor;

/// The graph of a plan.
fn graph_of(executor: &Executor, plan: &GraphPlan) -> Result<Arc<Graph>> {
    match plan.source.as_ref() {
        GraphSource::Build(build) => Ok(Arc::new(build::build(executor, build, plan)?)),
        GraphSource::Components { input, strong } => {
            let graph = graph_of(executor, input)?;
            components::mark(&executor.query, &graph, *strong).map(Arc::new)
        }
        GraphSource::Argument => match &executor.graph {
            Some(graph) => Ok(graph.clone()),
            None => Err(EngineError::Internal(String::from("a subquery without its graph"))),
        },
    }
}
