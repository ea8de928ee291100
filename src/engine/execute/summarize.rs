//! `summarize`, `distinct`, `count`: hash aggregation with one table per worker, merged at the end.
//!
//! Groups come out in the order in which they first appear in the input, unless they are very many. Those of
//! immutable pieces of a table are kept for later queries (see `partial`); `--query-cache-memory 0` or
//! `set query_results_cache_per_shard=false` turn that off.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use arrow_array::{ArrayRef, BooleanArray, UInt32Array};
use arrow_buffer::BooleanBuffer;
use conshelf_kql::function::{AggregateFunction, FunctionId};
use conshelf_kql::plan::{Aggregate, Expr, Operator, Plan};
use conshelf_kql::{Schema, Type};

use crate::engine::aggregate::{self, Accumulator, AggregateCall};
use crate::engine::batch::Batch;
use crate::engine::constant;
use crate::engine::context::{MemoryReservation, QueryContext};
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::Executor;
use crate::engine::execute::columns;
use crate::engine::execute::exchange::{Exchange, Most, Waiting};
use crate::engine::execute::expression::Expressions;
use crate::engine::execute::key::KeyTable;
use crate::engine::execute::known::Shortcut;
use crate::engine::execute::late::{Late, Wanted};
use crate::engine::execute::materialised::Materialised;
use crate::engine::execute::partial::{Partial, Reuse};
use crate::engine::execute::pipeline::{Flow, Pipeline, Position, Sink, Source, Unit};
use crate::engine::execute::scan::pipeline_using;
use crate::engine::execute::tally::{Tally, TallyLocal, Weights};
use crate::engine::profile::OperatorProfile;

/// The aggregates of an operator: which expressions they read, and how to create their states.
pub struct Calls {
    calls: Vec<Call>,
    /// Distinct expressions of all arguments and conditions.
    expressions: Expressions,
}

struct Call {
    call: AggregateCall,
    /// Positions in `expressions`.
    arguments: Vec<usize>,
    condition: Option<usize>,
}

impl Calls {
    pub fn new(executor: &Executor, aggregates: &[&Aggregate]) -> Result<Calls> {
        let mut distinct: Vec<Expr> = Vec::new();
        let mut place = |expression: &Expr| {
            distinct.iter().position(|known| known == expression).unwrap_or_else(|| {
                distinct.push(expression.clone());
                distinct.len() - 1
            })
        };
        let places: Vec<(Vec<usize>, Option<usize>)> = aggregates
            .iter()
            .map(|aggregate| {
                let arguments = aggregate.arguments.iter().map(&mut place).collect();
                (arguments, aggregate.condition.as_ref().map(&mut place))
            })
            .collect();
        let expressions = Expressions::new(executor, &distinct)?;
        let calls = aggregates
            .iter()
            .zip(places)
            .map(|(aggregate, (arguments, condition))| {
                let FunctionId::Aggregate(function) = aggregate.function else {
                    let name = aggregate.function.spec().name;
                    return Err(EngineError::Internal(format!("{name} is not an aggregate")));
                };
                let constants = arguments
                    .iter()
                    .zip(&aggregate.arguments)
                    .map(|(place, argument)| {
                        let value = expressions.constant(*place)?;
                        value
                            .map(|value| constant::array_of(argument.ty, std::iter::once(&value)))
                            .transpose()
                    })
                    .collect::<Result<_>>()?;
                let call = AggregateCall {
                    function,
                    argument_types: aggregate.arguments.iter().map(|argument| argument.ty).collect(),
                    constants,
                    outputs: aggregate.outputs.clone(),
                };
                Ok(Call { call, arguments, condition })
            })
            .collect::<Result<_>>()?;
        Ok(Calls { calls, expressions })
    }

    pub fn create(&self) -> Result<Vec<Box<dyn Accumulator>>> {
        self.calls.iter().map(|call| aggregate::create(&call.call)).collect()
    }

    /// The columns that arguments and conditions come to.
    pub fn evaluate(&self, batch: &Batch) -> Result<Vec<ArrayRef>> {
        let values = self.expressions.evaluate(batch)?;
        values.iter().map(|datum| columns::expand(datum, batch.rows)).collect()
    }

    /// Adds the rows of evaluated columns; row i belongs to group `group_of[i]` of `groups`.
    pub fn update(
        &self,
        accumulators: &mut [Box<dyn Accumulator>],
        arrays: &[ArrayRef],
        group_of: &[u32],
        groups: usize,
    ) -> Result<()> {
        let one_group = groups == 1;
        for (call, accumulator) in self.calls.iter().zip(accumulators) {
            accumulator.resize(groups);
            let arguments: Vec<ArrayRef> =
                call.arguments.iter().map(|place| arrays[*place].clone()).collect();
            let condition: Option<&BooleanArray> =
                call.condition.map(|place| columns::booleans(&arrays[place])).transpose()?;
            if one_group && arguments.is_empty() && condition.is_none() {
                accumulator.update_count(0, group_of.len() as u64)?;
            } else if one_group && !(arguments.is_empty() && condition.is_none()) {
                accumulator.update_one(0, &arguments, condition)?;
            } else {
                accumulator.update(group_of, &arguments, condition)?;
            }
        }
        Ok(())
    }

    /// Whether an expression is nothing but the argument of distinct counts: then its hashes do as well.
    pub fn only_hashed(&self, place: usize) -> bool {
        let is_hashed = |call: &Call| {
            let function = call.call.function;
            matches!(function, AggregateFunction::Dcount | AggregateFunction::Hll)
                && call.arguments.first() == Some(&place)
        };
        self.calls.iter().all(|call| {
            let is_read = call.arguments.contains(&place) || call.condition == Some(place);
            !is_read || is_hashed(call)
        })
    }

    /// Whether groups are counted and nothing else; `Some(false)`: not even that.
    fn only_count(&self) -> Option<bool> {
        match &self.calls[..] {
            [] => Some(false),
            [Call { call, arguments, condition: None }] => {
                (call.function == AggregateFunction::Count && arguments.is_empty()).then_some(true)
            }
            _ => None,
        }
    }

    /// Whether a result depends on the order of rows.
    pub fn order_matters(&self) -> bool {
        use AggregateFunction::*;
        self.calls.iter().any(|call| {
            matches!(
                call.call.function,
                MakeList
                    | MakeListIf
                    | MakeListWithNulls
                    | MakeSet
                    | MakeSetIf
                    | MakeBag
                    | MakeBagIf
                    | TakeAny
                    | TakeAnyIf
                    | ArgMax
                    | ArgMin
            )
        })
    }
}

/// Up to this many groups come in the order in which they first appear; more of them in any.
const ORDERED_GROUPS: usize = 1 << 17;

/// Groups of one worker from which on they are counted by `tally`, if they have few rows each.
pub const MANY_GROUPS: usize = 1 << 14;

/// Rows of a group that are few.
const FEW_ROWS: usize = 16;

struct Summarize {
    keys: Expressions,
    key_types: Vec<Type>,
    calls: Calls,
    /// How a morsel may be added from its statistics.
    shortcut: Option<Shortcut>,
    /// What is kept for later queries.
    reuse: Option<Arc<Reuse>>,
    /// Tables that all workers share. Decided by the first batch.
    exchange: OnceLock<Option<Exchange>>,
    may_exchange: bool,
    workers: usize,
    /// How very many groups are counted, if that is all there is to do.
    tally: Option<Tally>,
    many_groups: usize,
    query: Arc<QueryContext>,
}

/// A first batch with more groups than this, and more than a third of its rows, makes workers share.
const EXCHANGE_GROUPS: usize = 8_192;

struct Local {
    table: KeyTable,
    accumulators: Vec<Box<dyn Accumulator>>,
    /// Where each group was first seen.
    first: Vec<u64>,
    group_of: Vec<u32>,
    /// Rows that were looked up.
    rows: usize,
    /// Once there are very many groups: what has been counted of them. The table then has only what `tally` does
    /// not take, and what was not read.
    tally: Option<TallyLocal>,
    /// Rows on their way into the shared tables.
    waiting: Option<Waiting>,
    memory: MemoryReservation,
    /// While the groups of a unit are kept apart: the unit, and the groups of those before it.
    outer: Option<(Unit, Box<Local>)>,
}

impl Local {
    fn charge(&mut self) -> Result<()> {
        let states: usize = self.accumulators.iter().map(|accumulator| accumulator.memory_bytes()).sum();
        let bytes = self.table.memory_bytes() + states + self.first.capacity() * 8;
        self.memory.resize(bytes as u64)
    }

    /// Adds groups with their states; `first` says where they were first seen.
    fn absorb(
        &mut self,
        keys: &[ArrayRef],
        groups: usize,
        first: impl Iterator<Item = u64>,
        states: Vec<Box<dyn Accumulator>>,
    ) -> Result<()> {
        self.table.assign(keys, groups, &mut self.group_of)?;
        let groups = self.table.len();
        self.first.resize(groups, u64::MAX);
        for (group, first) in self.group_of.iter().zip(first) {
            let known = &mut self.first[*group as usize];
            *known = (*known).min(first);
        }
        for (accumulator, other) in self.accumulators.iter_mut().zip(states) {
            accumulator.resize(groups);
            accumulator.merge(other, &self.group_of)?;
        }
        self.charge()
    }

    /// The groups in the form in which they are kept; `base`: the ordinal at which the unit begins.
    fn partial(&mut self, base: u64) -> Result<Partial> {
        let groups = self.table.len();
        let states = self.accumulators.iter_mut().map(|accumulator| {
            let mut bytes = Vec::new();
            accumulator.resize(groups);
            accumulator.encode(&mut bytes);
            bytes.shrink_to_fit();
            bytes
        });
        Ok(Partial {
            states: states.collect(),
            keys: self.table.columns()?,
            groups,
            first: self.first.iter().map(|first| first.saturating_sub(base)).collect(),
        })
    }
}

/// The ordinal of the first row of a run of morsels.
fn base_of(morsels: &Range<usize>) -> u64 {
    Position { morsel: morsels.start as u32, row: 0 }.ordinal(0)
}

impl Sink for Summarize {
    type Local = Local;

    fn start(&self) -> Result<Local> {
        Ok(Local {
            table: KeyTable::new(&self.key_types),
            accumulators: self.calls.create()?,
            first: Vec::new(),
            group_of: Vec::new(),
            rows: 0,
            tally: None,
            waiting: None,
            memory: self.query.reserve(0)?,
            outer: None,
        })
    }

    fn units(&self, pipeline: &Pipeline) -> Option<Vec<Range<usize>>> {
        match (&self.reuse, &pipeline.segments[..]) {
            (Some(reuse), [segment]) if reuse.is_promising(segment.source.name()) => segment.source.units(),
            _ => None,
        }
    }

    fn unit_start(&self, local: &mut Local, pipeline: &Pipeline, morsels: &Range<usize>) -> Result<bool> {
        let (Some(reuse), [segment]) = (&self.reuse, &pipeline.segments[..]) else { return Ok(false) };
        if local.tally.is_some() || matches!(self.exchange.get(), Some(Some(_))) {
            return Ok(false);
        }
        let Some(unit) = segment.source.unit(morsels) else { return Ok(false) };
        if let Some(partial) = reuse.get(&unit.key) {
            // A group of a worker's own rules shared tables out, whoever comes first.
            if self.exchange.get_or_init(|| None).is_some() {
                return Ok(false);
            }
            self.add_known(local, &partial, morsels)?;
            return Ok(true);
        }
        if reuse.is_wanted() {
            let outer = std::mem::replace(local, self.start()?);
            local.outer = Some((unit, Box::new(outer)));
        }
        Ok(false)
    }

    fn unit_done(&self, local: &mut Local, morsels: &Range<usize>) -> Result<()> {
        let (Some(reuse), Some((unit, outer))) = (&self.reuse, local.outer.take()) else { return Ok(()) };
        let mut inner = std::mem::replace(local, *outer);
        // The first batch of the unit may have made workers share.
        local.waiting = inner.waiting.take();
        if !matches!(self.exchange.get(), Some(Some(_))) {
            inner.accumulators.iter_mut().for_each(|accumulator| accumulator.settle());
            let values = inner.accumulators.iter().map(|accumulator| accumulator.held_values()).sum();
            let groups = inner.table.len();
            reuse
                .put(&unit.key, unit.rows, inner.rows, groups, values, || inner.partial(base_of(morsels)))?;
        }
        if inner.table.len() > local.table.len() {
            std::mem::swap(local, &mut inner);
        }
        if inner.table.is_empty() {
            return Ok(());
        }
        let keys = inner.table.columns()?;
        local.absorb(&keys, inner.table.len(), inner.first.iter().copied(), inner.accumulators)
    }

    fn push(&self, local: &mut Local, position: Position, batch: Batch) -> Result<Flow> {
        let keys = self.keys.columns(&batch)?;
        if let (Some(tally), Some(counted)) = (&self.tally, &mut local.tally) {
            if let Some((keys, counts)) = count(tally, counted, &keys, batch.rows, None)? {
                self.add_counts(local, &keys, &counts)?;
            }
            return Ok(Flow::Continue(()));
        }
        if let Some(exchange) = self.exchange(&keys, batch.rows)? {
            let turn = position.morsel as usize;
            exchange.add(&self.calls, &mut local.waiting, &keys, &batch, turn)?;
            return Ok(Flow::Continue(()));
        }
        let known = local.table.len();
        local.table.assign(&keys, batch.rows, &mut local.group_of)?;
        let groups = local.table.len();
        if groups > known {
            note_first(&mut local.first, &local.group_of, groups, position);
        }
        self.calls.update(&mut local.accumulators, &self.calls.evaluate(&batch)?, &local.group_of, groups)?;
        local.charge()?;
        local.rows += batch.rows;
        if let Some(tally) = &self.tally
            && groups >= self.many_groups
            && groups.saturating_mul(FEW_ROWS) > local.rows
        {
            self.begin_tally(tally, local, &keys)?;
        }
        Ok(Flow::Continue(()))
    }

    fn push_known(
        &self,
        local: &mut Local,
        position: Position,
        source: &dyn Source,
        morsel: usize,
    ) -> Result<bool> {
        let Some(shortcut) = &self.shortcut else { return Ok(false) };
        if matches!(self.exchange.get(), Some(Some(_))) {
            return Ok(false);
        }
        let Some(known) = source.known(morsel) else { return Ok(false) };
        let Some(_) = shortcut.add(known.as_ref(), &mut local.table, &mut local.accumulators, &|| {
            // A group of a worker's own rules shared tables out, whoever comes first.
            self.exchange.get_or_init(|| None).is_none()
        })?
        else {
            return Ok(false);
        };
        if local.first.len() < local.table.len() {
            local.first.push(position.ordinal(0));
        }
        Ok(true)
    }
}

/// Rows that do not fit the tally: their keys and how many they are.
type Unfit = Option<(Vec<ArrayRef>, Vec<u64>)>;

/// Counts rows, as often each as `weights` says; yields those that cannot be counted this way.
fn count(
    tally: &Tally,
    local: &mut TallyLocal,
    keys: &[ArrayRef],
    rows: usize,
    weights: Option<&[u64]>,
) -> Result<Unfit> {
    let Some(fitting) = tally.fitting(keys)? else {
        tally.add(local, keys, rows, weights.map_or(Weights::One, Weights::Each))?;
        return Ok(None);
    };
    let pick = |chosen: &BooleanBuffer| -> Result<(Vec<ArrayRef>, Vec<u64>)> {
        let keys = keys.iter().map(|key| columns::filter_column(key, chosen)).collect::<Result<_>>()?;
        let weights = chosen.set_indices().map(|row| weights.map_or(1, |weights| weights[row]));
        Ok((keys, weights.collect()))
    };
    let (inside, counts) = pick(&fitting)?;
    if !counts.is_empty() {
        let weights = weights.map_or(Weights::One, |_| Weights::Each(&counts));
        tally.add(local, &inside, counts.len(), weights)?;
    }
    pick(&!&fitting).map(Some)
}

impl Summarize {
    /// From here on a worker counts by `tally`, to which it hands its groups.
    fn begin_tally(&self, tally: &Tally, local: &mut Local, keys: &[ArrayRef]) -> Result<()> {
        let Some(mut counted) = tally.start(keys)? else { return Ok(()) };
        if let Some(reuse) = &self.reuse {
            reuse.give_up();
        }
        if let Some((_, outer)) = local.outer.take() {
            let mut inner = std::mem::replace(local, *outer);
            self.hand_over(tally, &mut inner, &mut counted)?;
            local.tally = Some(counted);
            return self.add_unfit(local, inner);
        }
        self.hand_over(tally, local, &mut counted)?;
        local.tally = Some(counted);
        Ok(())
    }

    /// Hands the groups of a table over; it keeps those that cannot be counted that way.
    fn hand_over(&self, tally: &Tally, local: &mut Local, counted: &mut TallyLocal) -> Result<()> {
        let groups = local.table.len();
        if groups == 0 {
            return Ok(());
        }
        let keys = local.table.columns()?;
        let counts = counts_of(&mut local.accumulators, groups)?;
        (local.table, local.accumulators) = (KeyTable::new(&self.key_types), self.calls.create()?);
        local.first.clear();
        if let Some((keys, counts)) = count(tally, counted, &keys, groups, Some(&counts))? {
            self.add_counts(local, &keys, &counts)?;
        }
        local.charge()
    }

    fn add_unfit(&self, local: &mut Local, mut other: Local) -> Result<()> {
        let groups = other.table.len();
        if groups > 0 {
            let counts = counts_of(&mut other.accumulators, groups)?;
            self.add_counts(local, &other.table.columns()?, &counts)?;
        }
        Ok(())
    }

    /// Adds groups that occur so often to the table of a worker.
    fn add_counts(&self, local: &mut Local, keys: &[ArrayRef], counts: &[u64]) -> Result<()> {
        local.table.assign(keys, counts.len(), &mut local.group_of)?;
        local.first.resize(local.table.len(), u64::MAX);
        for accumulator in &mut local.accumulators {
            accumulator.resize(local.table.len());
            for (group, count) in local.group_of.iter().zip(counts) {
                accumulator.update_count(*group, *count)?;
            }
        }
        local.charge()
    }

    /// Adds the groups that an earlier query kept of a unit.
    fn add_known(&self, local: &mut Local, partial: &Partial, morsels: &Range<usize>) -> Result<()> {
        if partial.groups == 0 {
            return Ok(());
        }
        let mut states = self.calls.create()?;
        for (state, bytes) in states.iter_mut().zip(&partial.states) {
            state.restore(bytes)?;
        }
        let base = base_of(morsels);
        local.absorb(&partial.keys, partial.groups, partial.first.iter().map(|first| first + base), states)
    }

    /// The shared tables, if the first batch that asks has very many groups.
    fn exchange(&self, keys: &[ArrayRef], rows: usize) -> Result<Option<&Exchange>> {
        if !self.may_exchange {
            return Ok(None);
        }
        if let Some(decided) = self.exchange.get() {
            return Ok(decided.as_ref());
        }
        let mut table = KeyTable::new(&self.key_types);
        table.assign(keys, rows, &mut Vec::new())?;
        let many = EXCHANGE_GROUPS.min(self.many_groups).max(rows / 3);
        let exchange = match table.len() > many {
            true => Some(Exchange::start(&self.calls, &self.key_types, self.workers, &self.query)?),
            false => None,
        };
        Ok(self.exchange.get_or_init(|| exchange).as_ref())
    }
}

/// How often the groups of a table occur, which are emptied of it.
fn counts_of(accumulators: &mut [Box<dyn Accumulator>], groups: usize) -> Result<Vec<u64>> {
    let Some(accumulator) = accumulators.first_mut() else { return Ok(vec![1; groups]) };
    accumulator.resize(groups);
    let columns = accumulator.finish()?;
    let [counts] = &columns[..] else {
        return Err(EngineError::Internal(String::from("a count has not one column")));
    };
    Ok(columns::longs(counts)?.values().iter().map(|count| *count as u64).collect())
}

/// Records where new groups were first seen. Groups are numbered in the order in which they appear.
fn note_first(first: &mut Vec<u64>, group_of: &[u32], groups: usize, position: Position) {
    for (row, group) in group_of.iter().enumerate() {
        if *group as usize == first.len() {
            first.push(position.ordinal(row));
            if first.len() == groups {
                return;
            }
        }
    }
}

/// Merges the tables of all workers into the largest.
fn merge(query: &Arc<QueryContext>, mut locals: Vec<Local>) -> Result<Local> {
    let largest = (0..locals.len()).max_by_key(|index| locals[*index].table.len());
    let mut merged = match largest {
        Some(index) => locals.swap_remove(index),
        None => return Err(EngineError::Internal(String::from("no worker started"))),
    };
    for local in locals {
        query.check()?;
        let keys = local.table.columns()?;
        merged.absorb(&keys, local.table.len(), local.first.iter().copied(), local.accumulators)?;
    }
    Ok(merged)
}

pub fn pipeline(
    executor: &Executor,
    profile: &Arc<OperatorProfile>,
    input: &Plan,
    keys: &[Expr],
    aggregates: &[Aggregate],
    schema: &Schema,
    most: Option<Most>,
) -> Result<Pipeline> {
    if let Some(batches) = late_extremes(executor, profile, input, keys, aggregates)? {
        return finished(executor, profile, batches, schema);
    }
    let mut keys_above = keys.to_vec();
    let mut aggregates_above = aggregates.to_vec();
    let arguments = aggregates_above
        .iter_mut()
        .flat_map(|aggregate| aggregate.arguments.iter_mut().chain(&mut aggregate.condition));
    let mut above: Vec<&mut Expr> = keys_above.iter_mut().chain(arguments).collect();
    let below = pipeline_using(executor, input, &mut above)?;
    let aggregates: Vec<&Aggregate> = aggregates.iter().collect();
    let shortcut = match *input.operator {
        Operator::Scan { .. } => Shortcut::of(executor, keys, &aggregates, input.schema.len())?,
        _ => None,
    };
    let reuse = Reuse::of(executor, input, keys, &aggregates);
    let aggregates: Vec<&Aggregate> = aggregates_above.iter().collect();
    let batches =
        groups(executor, profile, &below, &keys_above, &aggregates, Extras { shortcut, reuse, most })?;
    finished(executor, profile, batches, schema)
}

fn finished(
    executor: &Executor,
    profile: &Arc<OperatorProfile>,
    batches: Vec<Batch>,
    schema: &Schema,
) -> Result<Pipeline> {
    if let Some(batch) = batches.iter().find(|batch| batch.columns.len() != schema.len()) {
        let found = batch.columns.len();
        return Err(EngineError::Internal(format!("summarize yields {found} columns, not {}", schema.len())));
    }
    let rows = Materialised::new(&executor.query, batches)?;
    Ok(Pipeline::of(Arc::new(rows), profile.clone(), false))
}

/// `arg_max(by, others)` over a scan: finds the rows first, then reads the others of those alone. `None`: not
/// of that form, or nothing gained.
fn late_extremes(
    executor: &Executor,
    profile: &Arc<OperatorProfile>,
    input: &Plan,
    keys: &[Expr],
    aggregates: &[Aggregate],
) -> Result<Option<Vec<Batch>>> {
    let is_extreme = |aggregate: &Aggregate| {
        let function = aggregate.function;
        aggregate.arguments.len() > 1
            && matches!(
                function,
                FunctionId::Aggregate(AggregateFunction::ArgMax | AggregateFunction::ArgMin)
            )
    };
    let [extreme] = aggregates else { return Ok(None) };
    if !is_extreme(extreme) || extreme.condition.is_some() {
        return Ok(None);
    }
    let Some((by, others)) = extreme.arguments.split_first() else { return Ok(None) };
    let mut early = keys.to_vec();
    early.push(by.clone());
    let greatest = extreme.function == FunctionId::Aggregate(AggregateFunction::ArgMax);
    let wanted = Wanted::Extreme { greatest };
    let Some(late) = Late::of(executor, input, &early, others, wanted)? else { return Ok(None) };
    let Some((early_by, early_keys)) = late.early.split_last() else { return Ok(None) };
    let rows = Aggregate {
        function: extreme.function,
        arguments: vec![early_by.clone(), late.row_id()],
        condition: None,
        outputs: vec![by.ty, Type::Long],
    };
    let mut batches = groups(executor, profile, &late.pipeline, early_keys, &[&rows], Extras::default())?;
    for batch in &mut batches {
        let Some(row_ids) = batch.columns.pop() else { return Ok(None) };
        batch.columns.extend(late.fetch(executor, &row_ids)?);
    }
    Ok(Some(batches))
}

/// What makes a summary cheaper.
#[derive(Default)]
pub struct Extras {
    pub shortcut: Option<Shortcut>,
    pub reuse: Option<Arc<Reuse>>,
    pub most: Option<Most>,
}

/// One row per group: the keys, then the outputs of the aggregates. Without keys exactly one row.
pub fn groups(
    executor: &Executor,
    profile: &Arc<OperatorProfile>,
    below: &Pipeline,
    keys: &[Expr],
    aggregates: &[&Aggregate],
    extras: Extras,
) -> Result<Vec<Batch>> {
    let (Some(reuse), [segment]) = (extras.reuse.clone(), &below.segments[..]) else {
        return compute(executor, profile, below, keys, aggregates, extras);
    };
    let Some(whole) = segment.source.whole() else {
        return compute(executor, profile, below, keys, aggregates, extras);
    };
    let key = reuse.results_key(&whole, extras.most);
    if let Some(batches) = reuse.results(&key, &whole) {
        profile.set_note(reuse.note());
        return Ok(batches);
    }
    let batches = compute(executor, profile, below, keys, aggregates, extras)?;
    reuse.put_results(key, &batches);
    Ok(batches)
}

fn compute(
    executor: &Executor,
    profile: &Arc<OperatorProfile>,
    below: &Pipeline,
    keys: &[Expr],
    aggregates: &[&Aggregate],
    extras: Extras,
) -> Result<Vec<Batch>> {
    let query = &executor.query;
    let Extras { shortcut, reuse, most } = extras;
    let mut sink = Summarize {
        keys: Expressions::new(executor, keys)?,
        key_types: keys.iter().map(|key| key.ty).collect(),
        calls: Calls::new(executor, aggregates)?,
        shortcut,
        reuse: reuse.clone(),
        exchange: OnceLock::new(),
        may_exchange: false,
        workers: executor.workers,
        tally: None,
        many_groups: executor.many_groups,
        query: query.clone(),
    };
    let in_sequence = below.ordered && sink.calls.order_matters();
    if let Some(yields_counts) = sink.calls.only_count() {
        sink.tally = Tally::of(&sink.key_types, yields_counts, query)?;
    }
    sink.may_exchange = !in_sequence && executor.workers > 1 && !keys.is_empty() && sink.tally.is_none();
    let workers = if in_sequence { 1 } else { executor.workers };
    let sink = Arc::new(sink);
    let mut locals = below.run(query, workers, sink.clone())?;
    if let Some(reuse) = reuse {
        profile.set_note(reuse.note());
    }
    let started = std::time::Instant::now();
    if let Some(Some(exchange)) = sink.exchange.get() {
        // What came before the decision, and from statistics, is in the workers' own tables.
        let leftover: usize = locals.iter().map(|local| local.table.len()).sum();
        if leftover > 0 {
            return Err(EngineError::Internal(String::from("groups outside of the shared tables")));
        }
        let waiting: Vec<Waiting> = locals.iter_mut().filter_map(|local| local.waiting.take()).collect();
        let batches = exchange.finish(&sink.calls, &waiting, most)?;
        profile.add_time(started.elapsed());
        return Ok(batches);
    }
    let mut batches = Vec::new();
    if let Some(tally) = &sink.tally
        && locals.iter().any(|local| local.tally.is_some())
    {
        let mut counted = Vec::new();
        for local in &mut locals {
            let own = match local.tally.take() {
                Some(own) => Some(own),
                None => tally.start(&[])?,
            };
            if let Some(mut own) = own {
                sink.hand_over(tally, local, &mut own)?;
                counted.push(own);
            }
        }
        batches = tally.finish(counted, most.map(|most| most.limit))?;
        if locals.iter().all(|local| local.table.is_empty()) {
            profile.add_time(started.elapsed());
            return Ok(batches);
        }
    }
    let mut merged = merge(query, locals)?;
    let groups = if keys.is_empty() { 1 } else { merged.table.len() };
    let mut columns = merged.table.columns()?;
    for accumulator in &mut merged.accumulators {
        accumulator.resize(groups);
        columns.extend(accumulator.finish()?);
    }
    let mut batch = Batch::new(columns, groups);
    if groups <= ORDERED_GROUPS && !merged.first.is_sorted() {
        let mut order: Vec<u32> = (0..groups as u32).collect();
        order.sort_unstable_by_key(|group| merged.first[*group as usize]);
        batch = columns::take(&batch, &UInt32Array::from(order))?;
    }
    profile.add_time(started.elapsed());
    batches.push(batch);
    Ok(batches)
}
