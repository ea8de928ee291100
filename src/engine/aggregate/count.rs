//! `count`.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, Int64Array};

use crate::engine::aggregate::Accumulator;
use crate::engine::aggregate::states::{GroupOf, GroupStates, StateReader, StateWriter, Typed, chosen_rows};
use crate::engine::error::Result;

#[derive(Default)]
struct CountStates {
    counts: Vec<i64>,
}

pub fn create() -> Box<dyn Accumulator> {
    Typed::boxed(CountStates::default())
}

impl GroupStates for CountStates {
    const TAKES_DICTIONARIES: bool = true;

    fn resize(&mut self, groups: usize) {
        self.counts.resize(groups, 0);
    }

    /// Without arguments the rows are those of `groups`, or of the condition.
    fn update(
        &mut self,
        groups: GroupOf<'_>,
        arguments: &[ArrayRef],
        condition: Option<&BooleanArray>,
    ) -> Result<()> {
        let chosen = chosen_rows(condition);
        let counts = self.counts.as_mut_slice();
        match (groups, chosen) {
            (GroupOf::Each(groups), None) => {
                for group in groups {
                    counts[*group as usize] += 1;
                }
            }
            (GroupOf::Each(groups), Some(chosen)) => {
                for row in chosen.valid_indices() {
                    counts[groups[row] as usize] += 1;
                }
            }
            (GroupOf::One(group), None) => {
                counts[group as usize] += arguments.first().map_or(0, |argument| argument.len()) as i64;
            }
            (GroupOf::One(group), Some(chosen)) => {
                counts[group as usize] += (chosen.len() - chosen.null_count()) as i64;
            }
        }
        Ok(())
    }

    fn update_count(&mut self, group: u32, rows: u64) -> Result<()> {
        self.counts[group as usize] += rows as i64;
        Ok(())
    }

    fn merge(&mut self, other: Self, group_of: &[u32]) -> Result<()> {
        for (count, group) in other.counts.iter().zip(group_of) {
            self.counts[*group as usize] += count;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<Vec<ArrayRef>> {
        Ok(vec![Arc::new(Int64Array::from(std::mem::take(&mut self.counts)))])
    }

    fn encode(&self, out: &mut StateWriter<'_>) {
        out.numbers(&self.counts);
    }

    fn decode(&mut self, from: &mut StateReader<'_>) -> Result<()> {
        self.counts = from.numbers()?;
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        self.counts.capacity() * 8
    }
}
