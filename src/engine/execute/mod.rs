//! Running a logical plan over a snapshot: one operator a file.
//!
//! A plan compiles to a pipeline (see `pipeline`): operators that work batch by batch become transforms;
//! operators that need all their rows run the pipeline below them into a sink at once and become the source
//! of the pipeline above. Everything charges the query's context.

pub mod columns;
pub mod exchange;
mod expression;
pub mod key;
pub mod order;
pub mod pipeline;
pub mod pool;

mod bound;
mod collect;
mod condition;
mod external;
mod filter;
mod graph;
mod join;
mod known;
mod late;
pub(in crate::engine) mod latest;
mod make_series;
mod materialised;
mod mv_apply;
mod mv_expand;
mod output;
mod parse;
mod parse_kv;
pub(in crate::engine) mod partial;
mod partition;
pub mod path;
mod plugin;
mod project;
mod range;
mod reduce;
mod resolve;
mod rewrite;
mod sample;
mod scalar_apply;
mod scan;
mod scan_steps;
pub(in crate::engine) mod selection;
mod shared;
mod sort;
mod summarize;
mod take;
mod tally;
pub mod text_fact;
mod top;
mod values;
mod window;

use std::collections::BTreeMap;
use std::sync::Arc;

use conshelf_kql::Value;
use conshelf_kql::explain::operator_line;
use conshelf_kql::plan::{Operator, Plan};
use conshelf_storage::snapshot::Snapshot;

pub use materialised::Materialised;
pub use output::{BatchWriter, Sent, WrittenPiece, WrittenRows, run_to};

use crate::engine::batch::Batch;
use crate::engine::cache::{CacheUse, QueryCache};
use crate::engine::context::QueryContext;
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::pipeline::Pipeline;
use crate::engine::profile::{OperatorProfile, Profile};

/// Deepest nesting of operators that is run; plans of people stay far below.
const DEPTH_MAX: usize = 1_000;

/// What running a plan needs. Cheap to clone.
#[derive(Clone)]
pub struct Executor {
    pub query: Arc<QueryContext>,
    pub snapshot: Option<Arc<Snapshot>>,
    pub profile: Arc<Profile>,
    /// Threads that may work on one pipeline.
    pub workers: usize,
    /// Groups of one worker from which on it may be better not to look each row up.
    pub many_groups: usize,
    /// What queries keep for later ones, if this one may.
    pub cache: Option<Arc<QueryCache>>,
    shared: Arc<shared::SharedResults>,
    /// Those that depend on `argument` or `parameters`.
    local: Arc<shared::SharedResults>,
    /// Values of `ExprKind::Parameter`.
    parameters: Arc<BTreeMap<u32, Value>>,
    /// Rows of `Operator::Argument`.
    argument: Option<Arc<Materialised>>,
    /// The graph of `GraphSource::Argument`.
    graph: Option<Arc<graph::Graph>>,
    depth: usize,
    /// Nested runs (per row or key) are not profiled operator by operator.
    nested: bool,
}

impl Executor {
    pub fn new(query: Arc<QueryContext>, snapshot: Option<Arc<Snapshot>>, workers: usize) -> Executor {
        let settings = &query.settings;
        let cache = settings.cache.clone().filter(|_| settings.cache_use != CacheUse::Off);
        Executor {
            cache,
            query,
            snapshot,
            profile: Arc::default(),
            workers: workers.max(1),
            many_groups: summarize::MANY_GROUPS,
            shared: Arc::default(),
            local: Arc::default(),
            parameters: Arc::default(),
            argument: None,
            graph: None,
            depth: 0,
            nested: false,
        }
    }

    /// An executor of a subquery over the given rows, on the calling thread.
    fn over(&self, argument: Arc<Materialised>) -> Executor {
        Executor { argument: Some(argument), local: Arc::default(), workers: 1, nested: true, ..self.clone() }
    }

    /// An executor of a subquery over the given graph, on the calling thread.
    fn over_graph(&self, graph: Arc<graph::Graph>) -> Executor {
        Executor { graph: Some(graph), local: Arc::default(), workers: 1, nested: true, ..self.clone() }
    }

    /// The executor with the value of a parameter.
    fn with_parameter(&self, number: u32, value: Value) -> Executor {
        let mut parameters = BTreeMap::clone(&self.parameters);
        parameters.insert(number, value);
        Executor {
            parameters: Arc::new(parameters),
            local: Arc::default(),
            workers: 1,
            nested: true,
            ..self.clone()
        }
    }

    /// Compiles a plan; runs what must run before its first row.
    pub fn pipeline(&self, plan: &Plan) -> Result<Pipeline> {
        self.pipeline_of_most(plan, None)
    }

    /// `pipeline` of whose groups, if it is a summary that counts them, only so many of the largest are wanted.
    fn pipeline_of_most(&self, plan: &Plan, most: Option<exchange::Most>) -> Result<Pipeline> {
        if self.depth > DEPTH_MAX {
            return Err(EngineError::Evaluation(String::from("the query nests too many operators")));
        }
        self.query.check()?;
        let profile = match self.nested {
            true => Arc::default(),
            false => self.profile.operator(operator_line(plan), self.depth),
        };
        let below = Executor { depth: self.depth + 1, ..self.clone() };
        below.operator(plan, &profile, most)
    }

    fn operator(
        &self,
        plan: &Plan,
        profile: &Arc<OperatorProfile>,
        most: Option<exchange::Most>,
    ) -> Result<Pipeline> {
        let schema = &plan.schema;
        match &*plan.operator {
            Operator::Scan { database, table, columns, predicate } => {
                scan::pipeline(self, profile, database, table, columns, predicate.as_ref())
            }
            Operator::External(source) => external::pipeline(self, profile, source, schema),
            Operator::Values { rows } => values::pipeline(profile, rows, schema),
            Operator::Range { from, to, step } => range::pipeline(self, profile, from, to, step),
            Operator::Filter { input, predicate } => filter::pipeline(self, profile, input, predicate),
            Operator::Project { input, expressions } => project::pipeline(self, profile, input, expressions),
            Operator::Summarize { input, keys, aggregates } => {
                summarize::pipeline(self, profile, input, keys, aggregates, schema, most)
            }
            Operator::Sort { input, keys } => sort::pipeline(self, profile, input, keys),
            Operator::Top { input, keys, limit } => top::pipeline(self, profile, input, keys, limit),
            Operator::Take { input, limit } => take::pipeline(self, profile, input, limit),
            Operator::Join { kind, left, right, left_keys, right_keys } => {
                join::pipeline(self, profile, *kind, left, right, left_keys, right_keys)
            }
            Operator::Union { inputs, .. } => self.union(inputs, profile),
            Operator::MvExpand { input, expansions, bag_expansion, with_item_index, row_limit } => {
                mv_expand::pipeline(
                    self,
                    profile,
                    input,
                    expansions,
                    *bag_expansion,
                    *with_item_index,
                    *row_limit,
                )
            }
            Operator::MvApply { input, expansions, with_item_index, row_limit, kept, subquery } => {
                let expand = mv_expand::MvExpand::new(
                    self,
                    expansions,
                    conshelf_kql::plan::BagExpansion::Bag,
                    *with_item_index,
                    *row_limit,
                )?;
                mv_apply::pipeline(self, profile, input, expand, kept, subquery)
            }
            Operator::Argument => match &self.argument {
                Some(rows) => Ok(Pipeline::of(rows.clone(), profile.clone(), true)),
                None => Err(EngineError::Internal(String::from("a subquery without its rows"))),
            },
            Operator::Parse { input, source, kind, flags, segments, outputs, filter } => {
                parse::pipeline(self, profile, input, source, *kind, flags, segments, outputs, *filter)
            }
            Operator::ParseKv { input, source, keys, options } => {
                parse_kv::pipeline(self, profile, input, source, keys, options)
            }
            Operator::MakeSeries { input, aggregates, series, axis, from, to, step, keys } => {
                let call = make_series::MakeSeries {
                    aggregates,
                    series,
                    axis,
                    from: from.as_ref(),
                    to: to.as_ref(),
                    step,
                    keys,
                };
                make_series::pipeline(self, profile, input, &call, schema)
            }
            Operator::Serialize { input } => {
                let mut pipeline = self.pipeline(input)?;
                pipeline.ordered = true;
                Ok(pipeline)
            }
            Operator::Shared { id, input } => {
                let results = if input.depends_on_outer() { &self.local } else { &self.shared };
                let rows = results.get(*id, || self.materialise(input))?;
                Ok(Pipeline::of(rows, profile.clone(), true))
            }
            Operator::GraphSearch(search) => graph::search(self, profile, search),
            Operator::GraphTable { graph, nodes, hashes } => {
                graph::table(self, profile, graph, *nodes, hashes)
            }
            Operator::GraphPartition { build, edge_key, node_key, subquery } => {
                graph::partition(self, profile, build, *edge_key, *node_key, subquery)
            }
            Operator::Sample { input, count } => sample::sample(self, profile, input, count),
            Operator::SampleDistinct { input, count, of } => {
                sample::sample_distinct(self, profile, input, count, of)
            }
            Operator::Plugin { plugin, inputs, options } => {
                plugin::pipeline(self, profile, *plugin, inputs, options)
            }
            Operator::ScalarApply { input, parameters, subquery } => {
                scalar_apply::pipeline(self, profile, input, parameters, subquery)
            }
            Operator::Reduce { input, source, reduction, annotate } => {
                reduce::pipeline(self, profile, input, source, reduction, *annotate)
            }
            Operator::ScanSteps { input, partition, defaults, steps, with_match_id } => {
                let call =
                    scan_steps::ScanSteps { partition, defaults, steps, with_match_id: *with_match_id };
                scan_steps::pipeline(self, profile, input, &call)
            }
            Operator::Partition { input, key, parameter, keys_max, subquery } => {
                partition::pipeline(self, profile, input, key, *parameter, *keys_max, subquery)
            }
        }
    }

    /// Rows of all inputs, one after another.
    fn union(&self, inputs: &[Plan], profile: &Arc<OperatorProfile>) -> Result<Pipeline> {
        let mut segments = Vec::new();
        for input in inputs {
            segments.extend(self.pipeline(input)?.segments);
        }
        if segments.is_empty() {
            return Ok(Pipeline::of(Arc::new(Materialised::empty(&self.query)?), profile.clone(), false));
        }
        Ok(Pipeline { segments, ordered: false })
    }

    /// All rows of a plan.
    pub fn materialise(&self, plan: &Plan) -> Result<Arc<Materialised>> {
        let pipeline = self.pipeline(plan)?;
        collect::collect(&pipeline, &self.query, self.workers)
    }

    /// The first rows of a plan.
    pub fn first_rows(&self, plan: &Plan, limit: u64) -> Result<Vec<Batch>> {
        let pipeline = self.pipeline(plan)?;
        Ok(take::first(&pipeline, &self.query, self.workers, limit)?.batches.clone())
    }
}
