//! Partial aggregates of immutable pieces of a table, kept from one query to the next.
//!
//! Whether a summary may be taken apart that way, what names it, and the form in which the groups of a piece
//! are kept. A piece is a unit of its source (see `pipeline::Source::units`): some row groups of one extent.
//! The name of a piece (`Source::unit_key`) holds the conditions that are not met by all of its rows anyway;
//! the fingerprint here holds everything above the scan. Kept are only summaries whose value follows from the
//! rows alone, in any order of them; what is left out is computed as ever.
//!
//! As long as no rows come, nor go, the results themselves are known, also where the groups of units are too many
//! to be kept.

use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use arrow_array::ArrayRef;
use conshelf_kql::Type;
use conshelf_kql::function::{AggregateFunction, FunctionId};
use conshelf_kql::plan::{Aggregate, Expr, ExprKind, JoinKind, Operator, Plan};
use uuid::Uuid;

use crate::engine::batch::Batch;
use crate::engine::cache::{CacheKey, CacheUse, Fingerprint, Keep, QueryCache};
use crate::engine::context::QueryContext;
use crate::engine::execute::Executor;
use crate::engine::execute::columns;
use crate::engine::execute::exchange::Most;
use crate::engine::execute::pipeline::Whole;
use crate::engine::execute::rewrite::{columns_of, fold_constants};
use crate::engine::stored;

/// A unit with more than one group in so many rows costs as much to merge as to compute.
const ROWS_OF_A_GROUP: usize = 4;

/// So many rows that a filter left out cost as much as one that is looked up among the groups.
const FILTERED_ROWS_OF_A_ROW: usize = 8;

/// The same of single values that states hold (`Accumulator::held_values`).
const ROWS_OF_A_VALUE: usize = 4;

/// States larger than so many bytes a row are not worth keeping.
const BYTES_OF_A_ROW: usize = 16;

/// A unit of fewer rows says nothing of what others come to.
const TELLING_ROWS: usize = 1 << 16;

/// Units with fewer rows count as if they had so many: they are small whatever they hold.
const SMALL_UNIT_ROWS: usize = 16_384;

/// Results may take this part of what a value may: they serve only until rows come.
const RESULTS_PART: u64 = 16;

/// Summaries over a join with more rows that the query says itself are not kept: those rows are part of a name.
const CONSTANT_ROWS: usize = 1_024;

/// The groups of one unit.
#[derive(Debug, PartialEq)]
pub struct Partial {
    /// One value per group; without keys none.
    pub keys: Vec<ArrayRef>,
    pub groups: usize,
    /// Where each group was first seen: ordinals that count morsels from the first of the unit.
    pub first: Vec<u64>,
    /// `Accumulator::encode` of each aggregate.
    pub states: Vec<Vec<u8>>,
}

impl Partial {
    fn bytes(&self) -> usize {
        let states: usize = self.states.iter().map(Vec::len).sum();
        let keys = columns::held_bytes(&Batch { columns: self.keys.clone(), rows: self.groups });
        keys as usize + self.first.len() * 8 + states + self.states.len() * size_of::<Vec<u8>>()
    }
}

/// Number of groups, keys, first, states.
impl Keep for Partial {
    fn form() -> u8 {
        stored::PARTIAL
    }

    fn encode(&self, out: &mut Vec<u8>) -> bool {
        let mut out = stored::Writer(out);
        out.number(self.groups as u64);
        out.number(self.keys.len() as u64);
        if !self.keys.iter().all(|key| stored::put_array(&mut out, key)) {
            return false;
        }
        out.numbers(&self.first);
        out.number(self.states.len() as u64);
        self.states.iter().for_each(|state| out.bytes(state));
        true
    }

    fn decode(bytes: &[u8]) -> Option<Partial> {
        let mut from = stored::Reader(bytes);
        let groups = usize::try_from(from.number::<u64>().ok()?).ok()?;
        let keys = (0..from.count().ok()?).map(|_| stored::take_array(&mut from));
        let keys: Vec<ArrayRef> = keys.collect::<Option<_>>()?;
        let first: Vec<u64> = from.numbers().ok()?;
        let states = (0..from.count().ok()?).map(|_| from.bytes().ok().map(<[u8]>::to_vec));
        let states = states.collect::<Option<_>>()?;
        let fits = from.0.is_empty() && first.len() == groups && keys.iter().all(|key| key.len() == groups);
        fits.then_some(Partial { keys, groups, first, states })
    }
}

/// The results of a summary over all rows of a source.
#[derive(Debug, PartialEq)]
pub struct Results {
    /// Rows and columns of each batch.
    batches: Vec<(usize, Vec<ArrayRef>)>,
}

/// Number of batches; of each the number of rows, of columns, columns.
impl Keep for Results {
    fn form() -> u8 {
        stored::RESULTS
    }

    fn encode(&self, out: &mut Vec<u8>) -> bool {
        let mut out = stored::Writer(out);
        out.number(self.batches.len() as u64);
        self.batches.iter().all(|(rows, columns)| {
            out.number(*rows as u64);
            out.number(columns.len() as u64);
            columns.iter().all(|column| stored::put_array(&mut out, column))
        })
    }

    fn decode(bytes: &[u8]) -> Option<Results> {
        let mut from = stored::Reader(bytes);
        let batches = (0..from.count().ok()?).map(|_| {
            let rows = usize::try_from(from.number::<u64>().ok()?).ok()?;
            let columns = (0..from.count().ok()?).map(|_| stored::take_array(&mut from));
            let columns: Vec<ArrayRef> = columns.collect::<Option<_>>()?;
            columns.iter().all(|column| column.len() == rows).then_some((rows, columns))
        });
        let batches = batches.collect::<Option<_>>()?;
        from.0.is_empty().then_some(Results { batches })
    }
}

/// Stands for units of a summary that are too large to be kept.
#[derive(Debug, PartialEq)]
pub struct TooLarge;

impl Keep for TooLarge {
    fn form() -> u8 {
        stored::TOO_LARGE
    }

    fn encode(&self, _out: &mut Vec<u8>) -> bool {
        true
    }

    fn decode(bytes: &[u8]) -> Option<TooLarge> {
        bytes.is_empty().then_some(TooLarge)
    }
}

/// What a summary looks up and keeps.
pub struct Reuse {
    cache: Arc<QueryCache>,
    how: CacheUse,
    /// Of everything above the scan.
    fingerprint: u128,
    /// When the query began, by the cache's clock.
    started: u64,
    hits: AtomicU64,
    misses: AtomicU64,
    /// Units turned out too large to be kept.
    given_up: AtomicBool,
    /// Under which that is remembered.
    memory_key: OnceLock<Option<CacheKey>>,
    query: Arc<QueryContext>,
}

impl Reuse {
    /// What may be kept of a summary; `None`: nothing.
    pub fn of(
        executor: &Executor,
        input: &Plan,
        keys: &[Expr],
        aggregates: &[&Aggregate],
    ) -> Option<Arc<Reuse>> {
        Reuse::after(executor, input, keys, aggregates, None)
    }

    /// As `of`, with a step between input and summary: the expression it reads, and what it is apart from that.
    pub fn after(
        executor: &Executor,
        input: &Plan,
        keys: &[Expr],
        aggregates: &[&Aggregate],
        step: Option<(&Expr, &dyn Debug)>,
    ) -> Option<Arc<Reuse>> {
        let cache = executor.cache.as_ref().filter(|_| !executor.nested)?;
        let mut writer = Writer { query: &executor.query, fingerprint: Fingerprint::default() };
        writer.stages(input)?;
        if let Some((expression, step)) = step {
            writer.add(&step);
            writer.expressions(std::slice::from_ref(expression))?;
        }
        writer.expressions(keys)?;
        for aggregate in aggregates {
            let FunctionId::Aggregate(function) = aggregate.function else { return None };
            if !merges_exactly(function) {
                return None;
            }
            writer.add(&(function, &aggregate.outputs, aggregate.condition.is_some()));
            writer.expressions(&aggregate.arguments)?;
            writer.expressions(aggregate.condition.as_slice())?;
        }
        Some(Arc::new(Reuse {
            cache: cache.clone(),
            how: executor.query.settings.cache_use,
            fingerprint: writer.fingerprint.finish(),
            started: cache.now(),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            given_up: AtomicBool::new(false),
            memory_key: OnceLock::new(),
            query: executor.query.clone(),
        }))
    }

    /// The key of a unit's groups, given that of its rows.
    fn key(&self, rows: &CacheKey) -> CacheKey {
        let mut fingerprint = Fingerprint::default();
        fingerprint.add(&(self.fingerprint, rows.fingerprint));
        CacheKey { extent: rows.extent, fingerprint: fingerprint.finish() }
    }

    /// Whether it still makes sense to keep units apart.
    pub fn is_wanted(&self) -> bool {
        !self.given_up.load(Ordering::Relaxed)
    }

    /// Whether keeping units of a source, given its name, may pay: it did not turn out otherwise before.
    pub fn is_promising(&self, source: Option<u128>) -> bool {
        let key = self.memory_key.get_or_init(|| {
            source.map(|source| CacheKey {
                extent: Uuid::nil(),
                fingerprint: Fingerprint::default().add(&("too large", self.fingerprint, source)).finish(),
            })
        });
        key.is_none_or(|key| self.cache.get::<TooLarge>(&key).is_none())
    }

    /// Says that units are too large to be kept: neither this query nor its next runs try further.
    pub fn give_up(&self) {
        if !self.given_up.swap(true, Ordering::Relaxed)
            && let Some(Some(key)) = self.memory_key.get()
        {
            self.cache.put(*key, Arc::new(TooLarge), 0, self.started);
        }
    }

    /// The groups of a unit, if they are known.
    pub fn get(&self, rows: &CacheKey) -> Option<Arc<Partial>> {
        let found = match self.how {
            CacheUse::Use => self.cache.get::<Partial>(&self.key(rows)),
            CacheUse::Refresh | CacheUse::Off => None,
        };
        let progress = &self.query.progress;
        let (mine, all) = match found {
            Some(_) => (&self.hits, &progress.cache_hits),
            None => (&self.misses, &progress.cache_misses),
        };
        mine.fetch_add(1, Ordering::Relaxed);
        all.fetch_add(1, Ordering::Relaxed);
        found
    }

    /// Keeps the groups of a unit of that many rows, of which `looked_up` came through its filter, and whose states
    /// hold so many single values. `partial` is asked for them only if they are few.
    pub fn put<E>(
        &self,
        rows: &CacheKey,
        unit_rows: usize,
        looked_up: usize,
        groups: usize,
        values: usize,
        partial: impl FnOnce() -> Result<Partial, E>,
    ) -> Result<(), E> {
        let is_telling = unit_rows >= TELLING_ROWS;
        let unit_rows = unit_rows.max(SMALL_UNIT_ROWS);
        let worked_on = if unit_rows == SMALL_UNIT_ROWS {
            SMALL_UNIT_ROWS
        } else {
            looked_up + unit_rows.saturating_sub(looked_up) / FILTERED_ROWS_OF_A_ROW
        };
        let mut too_large = groups > 1
            && (groups.saturating_mul(ROWS_OF_A_GROUP) > worked_on
                || values.saturating_mul(ROWS_OF_A_VALUE) > unit_rows);
        if !too_large {
            let partial = partial()?;
            let bytes = partial.bytes();
            too_large = bytes as u64 > self.cache.largest_bytes() / 2
                || bytes > unit_rows.saturating_mul(BYTES_OF_A_ROW);
            if !too_large {
                self.cache.put(self.key(rows), Arc::new(partial), bytes as u64, self.started);
            }
        }
        if too_large && is_telling {
            self.give_up();
        }
        Ok(())
    }

    /// The key of the results over all rows of a source.
    pub fn results_key(&self, whole: &Whole, most: Option<Most>) -> CacheKey {
        let mut fingerprint = Fingerprint::default();
        fingerprint.add(&("results", self.fingerprint, whole.fingerprint, most));
        CacheKey { extent: whole.extent, fingerprint: fingerprint.finish() }
    }

    /// The results over all rows of a source, if they are known.
    pub fn results(&self, key: &CacheKey, whole: &Whole) -> Option<Vec<Batch>> {
        let found = match self.how {
            CacheUse::Use => self.cache.get::<Results>(key)?,
            CacheUse::Refresh | CacheUse::Off => return None,
        };
        self.hits.fetch_add(whole.units as u64, Ordering::Relaxed);
        self.query.progress.cache_hits.fetch_add(whole.units as u64, Ordering::Relaxed);
        let batches = found.batches.iter();
        Some(batches.map(|(rows, columns)| Batch::new(columns.clone(), *rows)).collect())
    }

    /// Keeps results if they are small.
    pub fn put_results(&self, key: CacheKey, batches: &[Batch]) {
        let bytes: u64 = batches.iter().map(columns::held_bytes).sum();
        if bytes <= self.cache.largest_bytes() / RESULTS_PART {
            let batches = batches.iter().map(|batch| columns::compact(batch.clone()));
            let batches = batches.map(|batch| (batch.rows, batch.columns)).collect();
            self.cache.put(key, Arc::new(Results { batches }), bytes, self.started);
        }
    }

    /// Units found and units asked for.
    pub fn note(&self) -> String {
        let hits = self.hits.load(Ordering::Relaxed);
        format!("cache={hits}/{}", hits + self.misses.load(Ordering::Relaxed))
    }
}

/// Aggregates whose result does not depend on the order of rows, nor on how they were cut into pieces beyond
/// what several workers make of it.
fn merges_exactly(function: AggregateFunction) -> bool {
    use AggregateFunction::*;
    matches!(
        function,
        Count
            | Sum
            | Avg
            | Min
            | Max
            | Stdev
            | Stdevp
            | Variance
            | Variancep
            | Covariance
            | Covariancep
            | Dcount
            | Hll
            | HllMerge
            | CountDistinct
            | Percentile
            | Percentiles
            | PercentilesArray
            | Percentilew
            | Percentilesw
            | PercentileswArray
            | Tdigest
            | TdigestMerge
            | BinaryAllAnd
            | BinaryAllOr
            | BinaryAllXor
    )
}

/// Writes down what is computed of rows; `None`: something in it does not follow from them alone.
struct Writer<'a> {
    query: &'a Arc<QueryContext>,
    fingerprint: Fingerprint,
}

impl Writer<'_> {
    fn add(&mut self, part: &dyn Debug) {
        self.fingerprint.add(part);
    }

    fn expressions(&mut self, list: &[Expr]) -> Option<()> {
        self.add(&list.len());
        for expression in list {
            self.add(&deterministic(expression, self.query)?);
        }
        Some(())
    }

    /// The operators down to the scan, which is not written: the key of a unit's rows says it.
    fn stages(&mut self, plan: &Plan) -> Option<()> {
        match &*plan.operator {
            Operator::Scan { .. } => {
                self.add(&"scan");
                let types: Vec<Type> = plan.schema.iter().map(|column| column.ty).collect();
                self.add(&types);
                Some(())
            }
            Operator::Filter { input, predicate } => {
                self.stages(input)?;
                self.add(&"filter");
                self.expressions(std::slice::from_ref(predicate))
            }
            Operator::Project { input, expressions } => {
                self.stages(input)?;
                self.add(&"project");
                self.expressions(expressions)
            }
            Operator::Parse { input, source, kind, flags, segments, outputs, filter } => {
                self.stages(input)?;
                self.add(&("parse", kind, flags, segments, outputs, filter));
                self.expressions(std::slice::from_ref(source))
            }
            Operator::ParseKv { input, source, keys, options } => {
                self.stages(input)?;
                self.add(&("parse-kv", keys, options));
                self.expressions(std::slice::from_ref(source))
            }
            Operator::MvExpand { input, expansions, bag_expansion, with_item_index, row_limit } => {
                self.stages(input)?;
                self.add(&("mv-expand", bag_expansion, with_item_index, row_limit));
                for expansion in expansions {
                    self.add(&(expansion.ty, expansion.replaces));
                    self.expressions(std::slice::from_ref(&expansion.source))?;
                }
                Some(())
            }
            // Each row finds its own partners, and those are always the same.
            Operator::Join { kind, left, right, left_keys, right_keys }
                if matches!(
                    kind,
                    JoinKind::Inner | JoinKind::LeftOuter | JoinKind::LeftSemi | JoinKind::LeftAnti
                ) =>
            {
                self.stages(left)?;
                self.add(&("join", kind));
                self.expressions(left_keys)?;
                self.constants(right)?;
                self.expressions(right_keys)
            }
            _ => None,
        }
    }

    /// A plan whose rows the query says itself.
    fn constants(&mut self, plan: &Plan) -> Option<()> {
        let types: Vec<Type> = plan.schema.iter().map(|column| column.ty).collect();
        match &*plan.operator {
            Operator::Values { rows } if rows.len() <= CONSTANT_ROWS => {
                self.add(&("values", types, rows));
                Some(())
            }
            Operator::Project { input, expressions } => {
                self.constants(input)?;
                self.add(&"project");
                self.expressions(expressions)
            }
            _ => None,
        }
    }
}

/// The expression with its constant parts computed, if its value follows from the row alone.
pub fn deterministic(expression: &Expr, query: &Arc<QueryContext>) -> Option<Expr> {
    let folded = fold_constants(expression, query);
    follows_from_row(&folded).then_some(folded)
}

fn follows_from_row(expression: &Expr) -> bool {
    match &expression.kind {
        ExprKind::Column(_) | ExprKind::Constant(_) => true,
        ExprKind::Call { function, arguments } => {
            let spec = function.spec();
            let mut used = Vec::new();
            columns_of(expression, &mut used);
            let by_family = !matches!(
                function,
                FunctionId::Context(_) | FunctionId::Window(_) | FunctionId::Aggregate(_)
            );
            // What reads no column and was not computed is drawn by chance, or fails.
            by_family
                && !spec.volatile
                && !matches!(spec.name, "now" | "ago")
                && !used.is_empty()
                && arguments.iter().all(follows_from_row)
        }
        ExprKind::Parameter(_)
        | ExprKind::ScalarSubquery(_)
        | ExprKind::CorrelatedSubquery { .. }
        | ExprKind::InSubquery { .. } => false,
    }
}
