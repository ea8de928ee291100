//! `graph-match` and `graph-shortest-paths`: start nodes are the morsels, matches become rows many at a time.

use std::sync::Arc;

use arrow_buffer::BooleanBuffer;
use conshelf_kql::plan::Expr;
use conshelf_kql::plan::graph::{GraphSearch, GraphValueKind, Shortest};

use super::graph_of;
use super::matches::Matches;
use super::pattern::{Pattern, passes};
use super::search::Search;
use super::shortest::ShortestPaths;
use super::structure::Graph;
use super::values::MatchValues;
use crate::engine::batch::Batch;
use crate::engine::context::QueryContext;
use crate::engine::error::Result;
use crate::engine::execute::Executor;
use crate::engine::execute::expression::Expressions;
use crate::engine::execute::pipeline::{Emit, Flow, Pipeline, Source};
use crate::engine::profile::OperatorProfile;

/// Matches become rows at the latest when they hold so many numbers.
const SIZE_MAX: usize = 1 << 18;

/// Most matches that become rows at once.
const MATCHES_MAX: usize = 16_384;

/// Most start nodes of a morsel.
const STARTS_MAX: usize = 4_096;

struct Matching {
    query: Arc<QueryContext>,
    graph: Arc<Graph>,
    pattern: Pattern,
    values: MatchValues,
    /// Conditions that the search did not check on its way.
    conditions: Expressions,
    /// The values they need.
    tested: Vec<bool>,
    expressions: Expressions,
    /// The values these need.
    shown: Vec<bool>,
    starts: Vec<u32>,
    starts_per_morsel: usize,
    shortest: Option<Shortest>,
    by_length: bool,
}

pub fn pipeline(
    executor: &Executor,
    profile: &Arc<OperatorProfile>,
    search: &GraphSearch,
) -> Result<Pipeline> {
    let graph = graph_of(executor, &search.graph)?;
    let values = MatchValues::new(executor, graph.clone(), &search.values)?;
    let mut pattern = Pattern::new(executor, &graph, search, &values)?;
    match search.shortest {
        None => pattern.order(&graph, search),
        Some(_) => pattern.order_as_written(search),
    }
    let open: Vec<Expr> =
        pattern.open.iter().filter_map(|number| search.conditions.get(*number).cloned()).collect();
    let conditions = Expressions::new(executor, &open)?;
    let expressions = Expressions::new(executor, &search.expressions)?;
    let tested = values.needed(&conditions);
    let shown = values.needed(&expressions);
    let by_length = search.shortest.is_some() && !about_ends(&pattern, &values, &tested);
    let mask = &pattern.node_masks[pattern.start];
    let starts: Vec<u32> = (0..graph.nodes.rows as u32).filter(|node| passes(mask, *node)).collect();
    let starts_per_morsel = (starts.len() / (executor.workers * 8).max(1)).clamp(1, STARTS_MAX);
    let matching = Matching {
        query: executor.query.clone(),
        graph,
        values,
        conditions,
        tested,
        expressions,
        shown,
        starts,
        starts_per_morsel,
        shortest: search.shortest,
        by_length,
        pattern,
    };
    Ok(Pipeline::of(Arc::new(matching), profile.clone(), false))
}

/// Whether the open conditions read nothing but the first and the last node, and these and all nodes between
/// are different variables.
fn about_ends(pattern: &Pattern, values: &MatchValues, tested: &[bool]) -> bool {
    let mut passed = vec![pattern.start];
    for hop in &pattern.hops {
        if passed.contains(&hop.to) {
            return false;
        }
        passed.push(hop.to);
    }
    let ends = [Some(pattern.start), pattern.hops.last().map(|hop| hop.to)];
    values.kinds().zip(tested).filter(|(_, tested)| **tested).all(|(kind, _)| match kind {
        GraphValueKind::NodeProperty { node, .. }
        | GraphValueKind::NodeId { node }
        | GraphValueKind::NodeDegreeIn { node }
        | GraphValueKind::NodeDegreeOut { node } => ends.contains(&Some(*node)),
        _ => false,
    })
}

impl Matching {
    /// The matches for which the open conditions hold.
    fn accepted(&self, matches: &Matches) -> Result<BooleanBuffer> {
        let mut selected = BooleanBuffer::new_set(matches.count);
        if self.conditions.prepared().is_empty() || matches.count == 0 {
            return Ok(selected);
        }
        let batch = self.values.batch(matches, &self.tested)?;
        for condition in 0..self.conditions.prepared().len() {
            selected = &selected & &self.conditions.select(&batch, condition)?;
        }
        Ok(selected)
    }

    /// Makes rows of what was found and empties it.
    fn flush(&self, found: &mut Matches, emit: &mut Emit<'_>) -> Result<Flow> {
        self.query.check()?;
        let selected = self.accepted(found)?;
        let kept = match selected.count_set_bits() {
            0 => {
                found.clear();
                return Ok(Flow::Continue(()));
            }
            all if all == found.count => {
                std::mem::replace(found, Matches::new(self.pattern.nodes, self.pattern.edges))
            }
            _ => {
                let kept = found.filter(&selected);
                found.clear();
                kept
            }
        };
        let batch = self.values.batch(&kept, &self.shown)?;
        emit(Batch::new(self.expressions.columns(&batch)?, kept.count))
    }
}

impl Source for Matching {
    fn morsels(&self) -> usize {
        self.starts.len().div_ceil(self.starts_per_morsel)
    }

    fn read(&self, morsel: usize, emit: &mut Emit<'_>) -> Result<Flow> {
        let first = morsel * self.starts_per_morsel;
        let last = (first + self.starts_per_morsel).min(self.starts.len());
        let starts = &self.starts[first..last];
        let mut found = Matches::new(self.pattern.nodes, self.pattern.edges);
        let is_full = |found: &Matches| found.count >= MATCHES_MAX || found.size() >= SIZE_MAX;
        match self.shortest {
            None => {
                let mut search = Search::new(&self.graph, &self.pattern, &self.query);
                for start in starts {
                    let flow = search.from(*start, &mut found, &mut |found| match is_full(found) {
                        true => self.flush(found, emit),
                        false => Ok(Flow::Continue(())),
                    })?;
                    if flow.is_break() {
                        return Ok(flow);
                    }
                }
            }
            Some(output) => {
                let paths = ShortestPaths {
                    graph: &self.graph,
                    pattern: &self.pattern,
                    query: &self.query,
                    output,
                    by_length: self.by_length,
                };
                for start in starts {
                    paths.from(*start, &mut found, &mut |matches| self.accepted(matches))?;
                    if is_full(&found) && self.flush(&mut found, emit)?.is_break() {
                        return Ok(Flow::Break(()));
                    }
                }
            }
        }
        self.flush(&mut found, emit)
    }
}
