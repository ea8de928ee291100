//! What a scan is told while it reads: pieces of the table that cannot change the answer any more are left out.
//!
//! `TopBound` is of `top … by column`: a row must beat the worst winner so far. Pieces come in the order of the
//! best that each may hold, so that the bound is soon a good one.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int32Array, Int64Array};
use conshelf_kql::Type;
use conshelf_kql::plan::SortKey;
use conshelf_storage::{Literal, Morsel};
use parking_lot::Mutex;

use crate::engine::error::Result;
use crate::engine::execute::order::{Direction, SortKeys};
use crate::engine::execute::pipeline::Position;

/// Fewer morsels are read in the order in which they are stored.
pub const MORSELS_ARRANGED: usize = 4;

/// Which pieces of a table may still matter. Shared by all workers.
pub trait Bound: Send + Sync {
    /// Brings the morsels into the order in which they are best read.
    fn arrange(&self, morsels: &mut [Morsel]);

    /// Whether a row of the morsel, which comes in that place, may still change the answer.
    fn may_win(&self, number: usize, morsel: &Morsel) -> Result<bool>;
}

/// See the module.
pub struct TopBound {
    direction: Direction,
    column: u32,
    is_time: bool,
    /// Sort key (see `order`) and ordinal of the worst winner so far.
    worst: Mutex<Option<(u128, u64)>>,
}

impl TopBound {
    /// The bound of a `top` by a column, given its stable id; `None`: nothing is known of values of its type.
    pub fn of(order: &SortKey, column: u32, is_time: bool) -> Option<TopBound> {
        let ty = order.expression.ty;
        matches!(ty, Type::Int | Type::Long | Type::Real | Type::DateTime | Type::TimeSpan).then(|| {
            TopBound {
                direction: Direction { ty, descending: order.descending, nulls_first: order.nulls_first },
                column,
                is_time,
                worst: Mutex::new(None),
            }
        })
    }

    /// Takes note of the sort key and ordinal of a row with which there are `limit` rows up to it.
    pub fn tighten(&self, key: u128, ordinal: u64) {
        let mut worst = self.worst.lock();
        *worst = Some(worst.map_or((key, ordinal), |worst| worst.min((key, ordinal))));
    }

    /// The sort key that no row of the morsel beats; 0: nothing is known.
    fn best(&self, morsel: &Morsel) -> u128 {
        self.known_best(morsel).unwrap_or(0)
    }

    fn known_best(&self, morsel: &Morsel) -> Option<u128> {
        let Direction { ty, descending, nulls_first } = self.direction;
        let statistics = morsel.statistics(self.column);
        if nulls_first && statistics.as_ref().is_none_or(|known| known.nulls > 0 || known.nans > 0) {
            return None;
        }
        let value = match (self.is_time, morsel.time_bounds()) {
            (true, Some((least, greatest))) => Literal::Integer(if descending { greatest } else { least }),
            _ => {
                let known = statistics.filter(|known| known.exact_bounds)?;
                if descending { known.max? } else { known.min? }
            }
        };
        let array: ArrayRef = match (ty, value) {
            (Type::Int, Literal::Integer(value)) => {
                Arc::new(Int32Array::from_value(i32::try_from(value).ok()?, 1))
            }
            (Type::Real, Literal::Real(value)) => Arc::new(Float64Array::from_value(value, 1)),
            (Type::Long | Type::DateTime | Type::TimeSpan, Literal::Integer(value)) => {
                Arc::new(Int64Array::from_value(value, 1))
            }
            _ => return None,
        };
        match SortKeys::new(&[self.direction], &[array], 1).ok()? {
            SortKeys::Fixed(keys) => keys.first().copied(),
            SortKeys::Bytes { .. } => None,
        }
    }
}

impl Bound for TopBound {
    fn arrange(&self, morsels: &mut [Morsel]) {
        if self.is_time || morsels.len() >= MORSELS_ARRANGED {
            morsels.sort_by_cached_key(|morsel| self.best(morsel));
        }
    }

    fn may_win(&self, number: usize, morsel: &Morsel) -> Result<bool> {
        let worst = *self.worst.lock();
        // Of rows with equal keys the first ones win.
        let first = Position { morsel: number as u32, row: 0 }.ordinal(0);
        Ok(worst.is_none_or(|worst| (self.best(morsel), first) < worst))
    }
}
