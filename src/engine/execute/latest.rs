//! What `arg_max(time, …) by text` knows while it reads from the newest to the oldest: a piece of the table whose
//! times all lie behind the latest row of each of its texts cannot change the answer.
//!
//! Which texts a piece has is told by its dictionary; those of a whole extent are kept from one query to the
//! next. `arg_min` is the same from the oldest to the newest.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow_array::{Array, ArrayRef, StringViewArray};
use conshelf_kql::Type;
use conshelf_kql::plan::Expr;
use conshelf_storage::{Morsel, MorselSource};
use hashbrown::HashMap;
use parking_lot::Mutex;
use uuid::Uuid;

use crate::engine::batch::Batch;
use crate::engine::cache::{CacheKey, CacheUse, Fingerprint, Keep, QueryCache};
use crate::engine::error::Result;
use crate::engine::execute::Executor;
use crate::engine::execute::bound::{Bound, MORSELS_ARRANGED};
use crate::engine::execute::columns;
use crate::engine::execute::expression::Expressions;
use crate::engine::execute::filter::conjuncts;
use crate::engine::execute::partial;
use crate::engine::execute::pipeline::{Emit, Flow, Transform};
use crate::engine::execute::rewrite::{columns_of, substitute};
use crate::engine::stored::{self, Reader, Writer};

/// A piece with more texts than one in so many rows is read: looking for each of them would cost as much.
const ROWS_OF_A_TEXT: usize = 8;

/// With more texts than this nothing is left out.
const TEXTS_KEPT: usize = 1 << 16;

/// See the module.
pub struct Latest {
    descending: bool,
    /// Stable id of the text column; `None`: all rows are one group.
    key: Option<u32>,
    /// Positions of text and time in the batches that are observed.
    positions: (usize, usize),
    /// Texts turned out to be too many.
    is_hopeless: AtomicBool,
    /// Conditions on the text alone, as the only column: no row has a text that does not meet them.
    conditions: Expressions,
    state: Mutex<State>,
    kept: Option<Kept>,
}

#[derive(Default)]
struct State {
    numbers: HashMap<Box<str>, u32>,
    /// Texts that no row has, by number; of the last ones it is not known yet.
    excluded: Vec<bool>,
    /// Those last ones.
    fresh: Vec<Box<str>>,
    /// Latest time seen, by the number of the text.
    best: Vec<Option<i64>>,
    /// Counts changes of `best`.
    version: u64,
    extents: HashMap<Uuid, ExtentTexts>,
}

/// What is known of the texts of an extent.
#[derive(Default)]
struct ExtentTexts {
    /// By their numbers.
    has: Vec<bool>,
    /// Row groups that have been looked at.
    row_groups: u32,
    /// The texts are those of all its row groups.
    is_complete: bool,
    /// Version of the state, and the time that every text of the extent had beaten by then, if all were seen.
    floor: (u64, Floor),
}

/// What the latest times of some texts have in common.
#[derive(Clone, Copy, Default, PartialEq)]
enum Floor {
    /// One of them was not seen, and there may be rows of it.
    #[default]
    Open,
    /// There are rows of none of them.
    NoRows,
    /// None is behind this time.
    At(i64),
}

/// Texts of an extent as they are kept for later queries.
#[derive(Debug, PartialEq)]
pub struct KeptTexts(StringViewArray);

impl Keep for KeptTexts {
    fn form() -> u8 {
        stored::TEXTS
    }

    fn encode(&self, out: &mut Vec<u8>) -> bool {
        stored::put_array(&mut Writer(out), &self.0)
    }

    fn decode(bytes: &[u8]) -> Option<KeptTexts> {
        let mut from = Reader(bytes);
        let array = stored::take_array(&mut from)?;
        let texts = array.as_any().downcast_ref::<StringViewArray>().filter(|_| from.0.is_empty())?;
        Some(KeptTexts(texts.clone()))
    }
}

struct Kept {
    cache: Arc<QueryCache>,
    how: CacheUse,
    started: u64,
    fingerprint: u128,
}

impl State {
    fn number(&mut self, text: &str) -> usize {
        match self.numbers.get(text) {
            Some(number) => *number as usize,
            None => {
                self.numbers.insert(text.into(), self.best.len() as u32);
                self.fresh.push(text.into());
                self.best.push(None);
                self.best.len() - 1
            }
        }
    }
}

impl ExtentTexts {
    fn add(&mut self, number: usize) {
        if self.has.len() <= number {
            self.has.resize(number + 1, false);
        }
        self.has[number] = true;
    }
}

impl Latest {
    /// `key`: the stable id of the text column; `positions`: where it and the time are in the scan's batches;
    /// `conditions`: what the rows must meet, over these batches.
    pub fn new(
        executor: &Executor,
        descending: bool,
        key: Option<u32>,
        positions: (usize, usize),
        conditions: &[Expr],
    ) -> Result<Latest> {
        let on_text = |condition: &Expr| {
            let mut used = Vec::new();
            columns_of(condition, &mut used);
            if key.is_none() || used != [positions.0] {
                return None;
            }
            let condition = partial::deterministic(condition, &executor.query)?;
            substitute(&condition, &vec![Expr::column(0, Type::String); positions.0 + 1])
        };
        let conditions: Vec<Expr> =
            conditions.iter().flat_map(conjuncts).filter_map(|c| on_text(&c)).collect();
        let cache = executor.cache.as_ref().filter(|_| !executor.nested);
        let kept = cache.zip(key).map(|(cache, key)| Kept {
            cache: cache.clone(),
            how: executor.query.settings.cache_use,
            started: cache.now(),
            fingerprint: Fingerprint::default().add(&("texts", key)).finish(),
        });
        Ok(Latest {
            descending,
            key,
            positions,
            is_hopeless: AtomicBool::new(false),
            conditions: Expressions::new(executor, &conditions)?,
            state: Mutex::default(),
            kept,
        })
    }

    /// Finds out which of the texts that were added have no rows.
    fn classify(&self, state: &mut State) -> Result<()> {
        if state.fresh.is_empty() {
            return Ok(());
        }
        let fresh = std::mem::take(&mut state.fresh);
        let texts: ArrayRef = Arc::new(StringViewArray::from_iter_values(fresh.iter()));
        let batch = Batch::new(vec![texts], fresh.len());
        let first = state.excluded.len();
        state.excluded.resize(first + fresh.len(), false);
        for condition in 0..self.conditions.prepared().len() {
            let met = self.conditions.select(&batch, condition)?;
            for (excluded, met) in state.excluded[first..].iter_mut().zip(met.iter()) {
                *excluded |= !met;
            }
        }
        Ok(())
    }

    /// Whether a row at one time is later than one at the other.
    fn is_later(&self, time: i64, other: i64) -> bool {
        if self.descending { time > other } else { time < other }
    }

    /// Takes note of the rows of a batch.
    fn note(&self, batch: &Batch) -> Result<()> {
        if self.is_hopeless.load(Ordering::Relaxed) || batch.rows == 0 {
            return Ok(());
        }
        let times = columns::longs(&batch.columns[self.positions.1])?;
        let mut latest: Vec<Option<i64>> = Vec::new();
        let offer = |latest: &mut [Option<i64>], code: usize, row: usize| {
            if times.is_valid(row) {
                let time = times.value(row);
                let known = &mut latest[code];
                if known.is_none_or(|known| self.is_later(time, known)) {
                    *known = Some(time);
                }
            }
        };
        let texts = match self.key {
            None => {
                latest.push(None);
                (0..batch.rows).for_each(|row| offer(&mut latest, 0, row));
                None
            }
            Some(_) => {
                let Some(dictionary) = columns::as_dictionary(&batch.columns[self.positions.0]) else {
                    return Ok(());
                };
                latest.resize(dictionary.values().len(), None);
                let codes = dictionary.keys().values().iter().zip(0..);
                codes.for_each(|(code, row)| offer(&mut latest, *code as usize, row));
                Some(columns::texts(dictionary.values())?)
            }
        };
        let mut state = self.state.lock();
        for (code, time) in latest.iter().enumerate() {
            let Some(time) = *time else { continue };
            let number = state.number(texts.map_or("", |texts| texts.value(code)));
            if state.best[number].is_none_or(|known| self.is_later(time, known)) {
                state.best[number] = Some(time);
                state.version += 1;
            }
        }
        Ok(())
    }

    /// What is known of the latest times of some texts.
    fn floor(&self, best: &[Option<i64>], excluded: &[bool], numbers: impl Iterator<Item = usize>) -> Floor {
        let mut floor = None;
        let mut any = false;
        for number in numbers {
            any = true;
            if excluded.get(number) == Some(&true) {
                continue;
            }
            let Some(time) = best[number] else { return Floor::Open };
            floor = Some(floor.map_or(time, |floor| if self.is_later(floor, time) { time } else { floor }));
        }
        match floor {
            Some(time) => Floor::At(time),
            None if any => Floor::NoRows,
            None => Floor::Open,
        }
    }

    /// Whether no row up to the given time can change the answer.
    fn is_behind(&self, floor: Floor, nearest: i64) -> bool {
        match floor {
            Floor::Open => false,
            Floor::NoRows => true,
            Floor::At(time) => self.is_later(time, nearest),
        }
    }

    fn cache_key(&self, kept: &Kept, extent: Uuid) -> CacheKey {
        CacheKey { extent, fingerprint: kept.fingerprint }
    }

    /// Whether all texts of the morsel's extent are known to be later than any row of the morsel.
    fn extent_is_behind(&self, state: &mut State, extent: Uuid, nearest: i64) -> bool {
        let State { best, excluded, version, extents, .. } = state;
        let Some(texts) = extents.get_mut(&extent).filter(|texts| texts.is_complete) else { return false };
        if texts.floor.0 != *version + 1 {
            let numbers = texts.has.iter().enumerate().filter(|(_, has)| **has);
            let floor = self.floor(best, excluded, numbers.map(|(number, _)| number));
            texts.floor = (*version + 1, floor);
        }
        self.is_behind(texts.floor.1, nearest)
    }

    /// Fetches what an earlier query kept of an extent.
    fn recall(&self, state: &mut State, extent: Uuid) {
        if state.extents.contains_key(&extent) {
            return;
        }
        let mut texts = ExtentTexts::default();
        if let Some(kept) = self.kept.as_ref().filter(|kept| kept.how == CacheUse::Use)
            && let Some(found) = kept.cache.get::<KeptTexts>(&self.cache_key(kept, extent))
        {
            for text in found.0.iter().flatten() {
                texts.add(state.number(text));
            }
            texts.is_complete = true;
        }
        state.extents.insert(extent, texts);
    }

    /// Keeps the texts of an extent once all its row groups were looked at.
    fn keep(&self, state: &State, extent: Uuid, texts: &ExtentTexts) {
        let count = texts.has.iter().filter(|has| **has).count();
        let Some(kept) = &self.kept else { return };
        let mut list: Vec<&str> = Vec::with_capacity(count);
        for (text, number) in &state.numbers {
            if texts.has.get(*number as usize) == Some(&true) {
                list.push(text);
            }
        }
        let array = StringViewArray::from_iter_values(list);
        let bytes = array.get_array_memory_size() as u64;
        kept.cache.put(self.cache_key(kept, extent), Arc::new(KeptTexts(array)), bytes, kept.started);
    }
}

impl Bound for Latest {
    fn arrange(&self, morsels: &mut [Morsel]) {
        if morsels.len() < MORSELS_ARRANGED {
            self.is_hopeless.store(true, Ordering::Relaxed);
            return;
        }
        if self.descending {
            let greatest = |morsel: &Morsel| morsel.time_bounds().map_or(i64::MAX, |(_, greatest)| greatest);
            morsels.sort_by_key(|morsel| std::cmp::Reverse(greatest(morsel)));
        } else {
            morsels.sort_by_key(|morsel| morsel.time_bounds().map_or(i64::MIN, |(least, _)| least));
        }
    }

    fn may_win(&self, _number: usize, morsel: &Morsel) -> Result<bool> {
        let Some((least, greatest)) = morsel.time_bounds() else { return Ok(true) };
        if self.is_hopeless.load(Ordering::Relaxed) {
            return Ok(true);
        }
        let nearest = if self.descending { greatest } else { least };
        let Some(key) = self.key else {
            let state = self.state.lock();
            return Ok(!state
                .best
                .first()
                .copied()
                .flatten()
                .is_some_and(|best| self.is_later(best, nearest)));
        };
        let MorselSource::Extent { id: extent, .. } = morsel.source() else { return Ok(true) };
        let row_groups = morsel.extent_row_groups().unwrap_or(0);
        let is_complete = {
            let mut state = self.state.lock();
            self.recall(&mut state, extent);
            self.classify(&mut state)?;
            if self.extent_is_behind(&mut state, extent, nearest) {
                return Ok(false);
            }
            state.extents.get(&extent).is_some_and(|texts| texts.is_complete)
        };
        let Some(texts) = morsel.distinct_texts(key)? else { return Ok(true) };
        let mut state = self.state.lock();
        if texts.len() * ROWS_OF_A_TEXT > morsel.rows() || state.best.len() > TEXTS_KEPT {
            self.is_hopeless.store(true, Ordering::Relaxed);
            return Ok(true);
        }
        let numbers: Vec<usize> = texts.iter().flatten().map(|text| state.number(text)).collect();
        self.classify(&mut state)?;
        let floor = self.floor(&state.best, &state.excluded, numbers.iter().copied());
        if !is_complete && let Some(mut known) = state.extents.remove(&extent) {
            numbers.iter().for_each(|number| known.add(*number));
            known.row_groups += 1;
            known.is_complete = known.row_groups == row_groups;
            if known.is_complete {
                self.keep(&state, extent, &known);
            }
            state.extents.insert(extent, known);
        }
        Ok(!self.is_behind(floor, nearest))
    }
}

/// Lets a bound see the rows that pass.
pub struct Observe(pub Arc<Latest>);

impl Transform for Observe {
    fn apply(&self, batch: Batch, emit: &mut Emit<'_>) -> Result<Flow> {
        self.0.note(&batch)?;
        emit(batch)
    }
}
