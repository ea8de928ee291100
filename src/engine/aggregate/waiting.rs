//! Hashes on their way into the sketches of many groups.
//!
//! Sketches of many groups do not fit a core's cache together, and values of a group come one here, one there.
//! So values wait: some hundred thousand at a time are put in order of their groups (a run), and in the end all
//! values of a group go into its sketch one after another. Two workers' runs become one list without any sketch
//! being merged. Knows nothing of sketches.

/// Values that are put in order together.
const RUN_VALUES: usize = 1 << 19;

/// Values that wait in runs at most.
const VALUES_MAX: usize = 1 << 23;

/// A run with fewer values of a group on average is not worth keeping.
const VALUES_OF_A_GROUP: usize = 4;

/// See the module.
#[derive(Clone, Default)]
pub struct Waiting {
    groups: Vec<u32>,
    hashes: Vec<u64>,
    runs: Vec<Run>,
    /// Values in runs.
    values: usize,
}

#[derive(Clone)]
struct Run {
    hashes: Vec<u64>,
    /// Where those of each group begin and end.
    ranges: Vec<(u32, u32)>,
}

impl Run {
    fn bytes(&self) -> usize {
        (self.hashes.capacity() + self.ranges.capacity()) * 8
    }
}

impl Waiting {
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty() && self.runs.is_empty()
    }

    pub fn memory_bytes(&self) -> usize {
        // Hashes are there twice while they are put in order.
        let runs: usize = self.runs.iter().map(Run::bytes).sum();
        runs + self.groups.capacity() * 4 + self.hashes.capacity() * 16
    }

    #[inline]
    pub fn push(&mut self, group: u32, hash: u64) {
        self.groups.push(group);
        self.hashes.push(hash);
    }

    /// Adds a value per group number; `fill` appends their hashes, or none and yields `false`.
    pub fn extend(&mut self, groups: &[u32], fill: impl FnOnce(&mut Vec<u64>) -> bool) -> bool {
        let filled = fill(&mut self.hashes);
        if filled {
            self.groups.extend_from_slice(groups);
        }
        filled
    }

    /// Puts values in order once they are enough; `false`: too many wait, they should leave.
    pub fn may_stay(&mut self, groups: usize) -> bool {
        if self.hashes.len() < RUN_VALUES {
            return true;
        }
        let stays = self.hashes.len() >= groups.saturating_mul(VALUES_OF_A_GROUP)
            && self.values + self.hashes.len() <= VALUES_MAX;
        self.order(groups);
        stays
    }

    /// Makes a run of the values that are in no order yet.
    pub fn order(&mut self, groups: usize) {
        if self.hashes.is_empty() {
            return;
        }
        let mut ends = vec![0u32; groups + 1];
        for group in &self.groups {
            ends[*group as usize + 1] += 1;
        }
        for group in 0..groups {
            ends[group + 1] += ends[group];
        }
        let mut ordered = vec![0u64; self.hashes.len()];
        for (group, hash) in self.groups.drain(..).zip(self.hashes.drain(..)) {
            // In the end the end of its group, which is where the next begins.
            let place = &mut ends[group as usize];
            ordered[*place as usize] = hash;
            *place += 1;
        }
        let mut start = 0;
        let ranges = ends[..groups].iter().map(|end| (std::mem::replace(&mut start, *end), *end)).collect();
        self.values += ordered.len();
        self.runs.push(Run { hashes: ordered, ranges });
    }

    /// The values of a group, all of which are in order.
    pub fn of(&self, group: usize) -> impl Iterator<Item = &[u64]> + Clone {
        self.runs.iter().filter_map(move |run| {
            let (start, end) = run.ranges.get(group).copied()?;
            (start < end).then(|| &run.hashes[start as usize..end as usize])
        })
    }

    /// Takes over what waits with another, whose group i is our `group_of[i]`; `false`: that cannot be, because
    /// two of its groups become one. `groups`: how many we have.
    pub fn take_over(&mut self, other: &mut Waiting, group_of: &[u32], groups: usize) -> bool {
        if other.is_empty() {
            return true;
        }
        let mut is_taken = vec![false; groups];
        if group_of.iter().any(|group| std::mem::replace(&mut is_taken[*group as usize], true)) {
            return false;
        }
        other.order(group_of.len());
        let other = std::mem::take(other);
        self.values += other.values;
        self.runs.extend(other.runs.into_iter().map(|run| {
            let mut ranges = vec![(0, 0); groups];
            for (range, group) in run.ranges.iter().zip(group_of) {
                ranges[*group as usize] = *range;
            }
            Run { hashes: run.hashes, ranges }
        }));
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values_of(waiting: &Waiting, group: usize) -> Vec<u64> {
        let mut values: Vec<u64> = waiting.of(group).flatten().copied().collect();
        values.sort_unstable();
        values
    }

    proptest! {
        #[test]
        fn every_value_comes_to_its_group(
            ours in prop::collection::vec((0u32..7, any::<u64>()), 0..60),
            theirs in prop::collection::vec((0u32..5, any::<u64>()), 0..60),
            ordered_every in 1usize..20,
            injective in any::<bool>(),
        ) {
            let mut model = vec![Vec::new(); 9];
            let (mut waiting, mut other) = (Waiting::default(), Waiting::default());
            for (index, (group, hash)) in ours.iter().enumerate() {
                waiting.push(*group, *hash);
                model[*group as usize].push(*hash);
                if index % ordered_every == 0 {
                    waiting.order(7);
                }
            }
            for (index, (group, hash)) in theirs.iter().enumerate() {
                let filled = other.extend(&[*group], |hashes| {
                    hashes.push(*hash);
                    true
                });
                prop_assert!(filled);
                if index % ordered_every == 1 {
                    other.order(5);
                }
            }
            let group_of: Vec<u32> = if injective { vec![8, 2, 0, 5, 7] } else { vec![8, 2, 8, 5, 7] };
            let taken = waiting.take_over(&mut other, &group_of, 9);
            prop_assert_eq!(taken, injective || theirs.is_empty());
            if taken {
                for (group, hash) in &theirs {
                    model[group_of[*group as usize] as usize].push(*hash);
                }
            }
            waiting.order(9);
            for (group, model) in model.iter_mut().enumerate() {
                model.sort_unstable();
                prop_assert_eq!(&values_of(&waiting, group), model);
            }
        }
    }
}
