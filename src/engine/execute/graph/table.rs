//! `graph-to-table`: the nodes or the edges of a graph as rows.

use std::sync::Arc;

use arrow_array::UInt32Array;
use conshelf_kql::Type;
use conshelf_kql::function::{FunctionId, HashFunction};
use conshelf_kql::plan::Expr;
use conshelf_kql::plan::graph::{GraphHash, GraphPlan};

use super::graph_of;
use crate::engine::batch::Batch;
use crate::engine::error::Result;
use crate::engine::execute::Executor;
use crate::engine::execute::columns;
use crate::engine::execute::expression::Expressions;
use crate::engine::execute::materialised::Materialised;
use crate::engine::execute::pipeline::Pipeline;
use crate::engine::profile::OperatorProfile;

pub fn pipeline(
    executor: &Executor,
    profile: &Arc<OperatorProfile>,
    graph: &GraphPlan,
    nodes: bool,
    hashes: &[GraphHash],
) -> Result<Pipeline> {
    let graph = graph_of(executor, graph)?;
    let table = if nodes { &graph.nodes } else { &graph.edges };
    let mut all = Vec::with_capacity(hashes.len() + table.columns.len());
    if !hashes.is_empty() {
        let hash =
            Expr::call(FunctionId::Hash(HashFunction::Hash), vec![Expr::column(0, graph.id)], Type::Long);
        let ids = Batch::new(vec![graph.ids.clone()], graph.nodes.rows);
        let hashed = Expressions::new(executor, &[hash])?.column(&ids, 0)?;
        for hash in hashes {
            all.push(match hash {
                GraphHash::Node => hashed.clone(),
                GraphHash::Source => {
                    columns::take_column(&hashed, &UInt32Array::from(graph.sources.to_vec()))?
                }
                GraphHash::Target => {
                    columns::take_column(&hashed, &UInt32Array::from(graph.targets.to_vec()))?
                }
            });
        }
    }
    all.extend(table.columns.iter().cloned());
    let rows = Materialised::new(&executor.query, vec![Batch::new(all, table.rows)])?;
    Ok(Pipeline::of(Arc::new(rows), profile.clone(), false))
}
