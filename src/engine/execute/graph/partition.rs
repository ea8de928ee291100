//! `make-graph … partitioned-by`: a graph for each value of a column, and a subquery over each graph.

use std::sync::Arc;

use arrow_array::UInt32Array;
use conshelf_kql::Schema;
use conshelf_kql::plan::Plan;
use conshelf_kql::plan::graph::GraphBuild;

use super::build::{Parts, assemble, rows};
use crate::engine::batch::Batch;
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::Executor;
use crate::engine::execute::columns;
use crate::engine::execute::key::KeyTable;
use crate::engine::execute::pipeline::{Emit, Flow, Pipeline, Source};
use crate::engine::profile::OperatorProfile;

/// One morsel per partition.
struct Partitions {
    executor: Executor,
    build: GraphBuild,
    nodes: Schema,
    parts: Parts,
    /// Rows of the edges and of the nodes of each.
    members: Vec<(Vec<u32>, Vec<u32>)>,
    subquery: Plan,
}

pub fn pipeline(
    executor: &Executor,
    profile: &Arc<OperatorProfile>,
    build: &GraphBuild,
    edge_key: usize,
    node_key: Option<usize>,
    subquery: &Plan,
) -> Result<Pipeline> {
    let parts = Parts { edges: rows(executor, &build.edges)?, nodes: rows(executor, &build.nodes)? };
    let key = |batch: &Batch, position: usize| match batch.columns.get(position) {
        Some(column) => columns::flatten(column),
        None => Err(EngineError::Internal(String::from("a graph without its partition column"))),
    };
    let Some(ty) = build.edges.schema.get(edge_key).map(|column| column.ty) else {
        return Err(EngineError::Internal(String::from("a graph without its partition column")));
    };
    let mut table = KeyTable::new(&[ty]);
    let (mut of_edge, mut of_node) = (Vec::new(), Vec::new());
    table.assign(&[key(&parts.edges, edge_key)?], parts.edges.rows, &mut of_edge)?;
    if let Some(node_key) = node_key {
        table.assign(&[key(&parts.nodes, node_key)?], parts.nodes.rows, &mut of_node)?;
    }
    let mut members: Vec<(Vec<u32>, Vec<u32>)> = vec![Default::default(); table.len()];
    for (row, partition) in of_edge.iter().enumerate() {
        members[*partition as usize].0.push(row as u32);
    }
    for (row, partition) in of_node.iter().enumerate() {
        members[*partition as usize].1.push(row as u32);
    }
    let mut nodes = build.nodes.schema.clone();
    // Its last column is the identifier.
    nodes.pop();
    let partitions = Partitions {
        executor: executor.clone(),
        build: build.clone(),
        nodes,
        parts,
        members,
        subquery: subquery.clone(),
    };
    Ok(Pipeline::of(Arc::new(partitions), profile.clone(), false))
}

impl Source for Partitions {
    fn morsels(&self) -> usize {
        self.members.len()
    }

    fn read(&self, morsel: usize, emit: &mut Emit<'_>) -> Result<Flow> {
        self.executor.query.check()?;
        let (edges, nodes) = &self.members[morsel];
        let parts = Parts {
            edges: columns::take(&self.parts.edges, &UInt32Array::from(edges.clone()))?,
            nodes: columns::take(&self.parts.nodes, &UInt32Array::from(nodes.clone()))?,
        };
        let graph = assemble(&self.executor, &self.build, &self.nodes, parts)?;
        let result = self.executor.over_graph(Arc::new(graph)).materialise(&self.subquery)?;
        for batch in &result.batches {
            if emit(batch.clone())?.is_break() {
                return Ok(Flow::Break(()));
            }
        }
        Ok(Flow::Continue(()))
    }
}
