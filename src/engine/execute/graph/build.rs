//! `make-graph`: rows of edges and of nodes become a graph. Nodes are numbered as their identifiers are first
//! met: in the rows of nodes, then edge by edge, source before target.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, UInt32Array};
use conshelf_kql::plan::graph::{GraphBuild, GraphPlan};
use conshelf_kql::plan::{Expr, Plan};
use conshelf_kql::{Schema, Type};

use super::structure::{Adjacency, Graph};
use crate::engine::batch::Batch;
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::Executor;
use crate::engine::execute::columns;
use crate::engine::execute::expression::Expressions;
use crate::engine::execute::key::KeyTable;

/// Largest number of edges or of rows of nodes.
const ROWS_MAX: usize = (u32::MAX / 2) as usize;

/// The rows that a graph is made of.
pub struct Parts {
    pub edges: Batch,
    /// Properties, then the identifier.
    pub nodes: Batch,
}

pub fn build(executor: &Executor, build: &GraphBuild, plan: &GraphPlan) -> Result<Graph> {
    let parts = Parts { edges: rows(executor, &build.edges)?, nodes: rows(executor, &build.nodes)? };
    assemble(executor, build, &plan.nodes, parts)
}

/// All rows of a plan in one batch.
pub fn rows(executor: &Executor, plan: &Plan) -> Result<Batch> {
    let rows = executor.materialise(plan)?;
    if rows.rows > ROWS_MAX {
        return Err(EngineError::Evaluation(format!("make-graph: more than {ROWS_MAX} rows")));
    }
    columns::concat(&rows.batches, &plan.schema)
}

pub fn assemble(executor: &Executor, build: &GraphBuild, schema: &Schema, parts: Parts) -> Result<Graph> {
    let id = build.source.ty;
    let ends = Expressions::new(executor, &[build.source.clone(), build.target.clone()])?;
    let count = parts.edges.rows;
    // The identifiers of both ends lie in turn: source, target, source, target …
    let sources = columns::flatten(&ends.column(&parts.edges, 0)?)?;
    let targets = columns::flatten(&ends.column(&parts.edges, 1)?)?;
    let both = columns::concat_column(&[&sources, &targets])?;
    let turns = (0..count).flat_map(|edge| [edge as u32, (count + edge) as u32]);
    let in_turn = columns::take_column(&both, &UInt32Array::from_iter_values(turns))?;

    let mut table = KeyTable::new(&[id]);
    let mut of_row = Vec::new();
    if let Some(identifiers) = parts.nodes.columns.last() {
        table.assign(&[columns::flatten(identifiers)?], parts.nodes.rows, &mut of_row)?;
    }
    let described = table.len();
    let mut of_end = Vec::new();
    table.assign(&[in_turn], count * 2, &mut of_end)?;
    let nodes = table.len();
    let ids = match table.columns()?.into_iter().next() {
        Some(ids) => columns::flatten(&ids)?,
        None => columns::nulls(id, 0),
    };
    drop(table);

    let sources: Vec<u32> = of_end.iter().step_by(2).copied().collect();
    let targets: Vec<u32> = of_end.iter().skip(1).step_by(2).copied().collect();
    let leaving = Adjacency::new(nodes, &sources);
    let reaching = Adjacency::new(nodes, &targets);
    let mut properties = properties(&parts.nodes, &of_row, nodes, schema.len())?;
    fill_keys(executor, build, schema, &ids, described, &mut properties)?;
    let nodes = Batch::new(properties, nodes);
    let bytes = columns::held_bytes(&nodes) + columns::held_bytes(&parts.edges) + (count * 16) as u64;
    Ok(Graph {
        _memory: Arc::new(executor.query.reserve(bytes + nodes.rows as u64 * 24)?),
        nodes,
        edges: parts.edges,
        ids,
        id,
        sources: Arc::new(sources),
        targets: Arc::new(targets),
        leaving: Arc::new(leaving),
        reaching: Arc::new(reaching),
        directed: build.directed,
    })
}

/// The columns of the nodes: of several rows of a node the first that has a value counts.
fn properties(rows: &Batch, of_row: &[u32], nodes: usize, width: usize) -> Result<Vec<ArrayRef>> {
    let mut first: Vec<Option<u32>> = vec![None; nodes];
    let mut repeated = Vec::new();
    for (row, node) in of_row.iter().enumerate() {
        match &mut first[*node as usize] {
            Some(_) => repeated.push((row as u32, *node)),
            empty => *empty = Some(row as u32),
        }
    }
    let mut columns = Vec::with_capacity(width);
    for column in rows.columns.iter().take(width) {
        let column = columns::flatten(column)?;
        let mut chosen = first.clone();
        if !repeated.is_empty() {
            let empty = emptiness(&column);
            for (row, node) in &repeated {
                let known = &mut chosen[*node as usize];
                if known.is_some_and(&empty) && !empty(*row) {
                    *known = Some(*row);
                }
            }
        }
        columns.push(columns::take_column(&column, &UInt32Array::from(chosen))?);
    }
    Ok(columns)
}

/// Tells which rows of a column hold no value: a null or an empty text.
fn emptiness(column: &ArrayRef) -> Box<dyn Fn(u32) -> bool + '_> {
    match columns::texts(column) {
        Ok(texts) => Box::new(move |row| texts.value(row as usize).is_empty()),
        Err(_) => Box::new(move |row| column.is_null(row as usize)),
    }
}

/// Nodes that have no row get their identifier in the key columns.
fn fill_keys(
    executor: &Executor,
    build: &GraphBuild,
    schema: &Schema,
    ids: &ArrayRef,
    described: usize,
    properties: &mut [ArrayRef],
) -> Result<()> {
    let nodes = ids.len();
    if described == nodes {
        return Ok(());
    }
    let expressions: Vec<Expr> = build.keys.iter().map(|(_, expression)| expression.clone()).collect();
    let keys = Expressions::new(executor, &expressions)?;
    let bare = Batch::new(vec![ids.slice(described, nodes - described)], nodes - described);
    for (number, (position, _)) in build.keys.iter().enumerate() {
        let ty = schema.get(*position).map_or(Type::Dynamic, |column| column.ty);
        let filled = columns::flatten(&keys.column(&bare, number)?)?;
        if filled.data_type() != &crate::engine::batch::arrow_type(ty) {
            return Err(EngineError::Internal(String::from("a node key is of another type than its column")));
        }
        if let Some(column) = properties.get_mut(*position) {
            let known = column.slice(0, described);
            *column = columns::concat_column(&[&known, &filled])?;
        }
    }
    Ok(())
}
