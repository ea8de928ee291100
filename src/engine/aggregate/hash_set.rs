//! A set of well-mixed 64-bit hashes that is cheap while it is small.
//!
//! The hashes are their own places: open addressing, eight bytes a slot, nothing for the empty set.

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct HashSet64 {
    /// Zero where empty; a power of two long, at most half full.
    slots: Vec<u64>,
    len: usize,
    has_zero: bool,
}

const SLOTS_MIN: usize = 8;

impl HashSet64 {
    pub fn len(&self) -> usize {
        self.len
    }

    /// Forgets all, with room for so many.
    pub fn clear(&mut self, room: usize) {
        self.slots.clear();
        self.slots.resize((room * 2).next_power_of_two().max(SLOTS_MIN), 0);
        self.len = 0;
        self.has_zero = false;
    }

    /// Adds a hash; `true`: it was not there.
    #[inline]
    pub fn insert(&mut self, hash: u64) -> bool {
        if hash == 0 {
            let new = !std::mem::replace(&mut self.has_zero, true);
            self.len += usize::from(new);
            return new;
        }
        if (self.len + 1) * 2 > self.slots.len() {
            self.grow();
        }
        let mask = self.slots.len() - 1;
        let mut place = hash as usize & mask;
        loop {
            let slot = self.slots[place];
            if slot == hash {
                return false;
            }
            if slot == 0 {
                self.slots[place] = hash;
                self.len += 1;
                return true;
            }
            place = (place + 1) & mask;
        }
    }

    /// Looks at the places of some hashes, so that memory is waited for together.
    pub fn touch(&self, hashes: &[u64]) -> u64 {
        let mask = self.slots.len().wrapping_sub(1);
        hashes.iter().fold(0, |all, hash| all ^ self.slots.get(*hash as usize & mask).copied().unwrap_or(0))
    }

    pub fn contains(&self, hash: u64) -> bool {
        if hash == 0 || self.slots.is_empty() {
            return hash == 0 && self.has_zero;
        }
        let mask = self.slots.len() - 1;
        let mut place = hash as usize & mask;
        while self.slots[place] != 0 && self.slots[place] != hash {
            place = (place + 1) & mask;
        }
        self.slots[place] == hash
    }

    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        let zero = self.has_zero.then_some(0);
        zero.into_iter().chain(self.slots.iter().copied().filter(|hash| *hash != 0))
    }

    pub fn memory_bytes(&self) -> usize {
        self.slots.capacity() * 8
    }

    #[cold]
    fn grow(&mut self) {
        let slots = vec![0; (self.slots.len() * 4).max(SLOTS_MIN)];
        let old = std::mem::replace(&mut self.slots, slots);
        self.len = usize::from(self.has_zero);
        for hash in old.into_iter().filter(|hash| *hash != 0) {
            self.insert(hash);
        }
    }
}

impl FromIterator<u64> for HashSet64 {
    fn from_iter<I: IntoIterator<Item = u64>>(hashes: I) -> HashSet64 {
        let mut set = HashSet64::default();
        hashes.into_iter().for_each(|hash| {
            set.insert(hash);
        });
        set
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn holds_what_went_in(hashes in prop::collection::vec(prop_oneof![0u64..40, any::<u64>()], 0..300)) {
            let mut set = HashSet64::default();
            let mut model = HashSet::new();
            for hash in &hashes {
                prop_assert_eq!(set.insert(*hash), model.insert(*hash));
                prop_assert_eq!(set.len(), model.len());
            }
            for hash in (0..45).chain(hashes) {
                prop_assert_eq!(set.contains(hash), model.contains(&hash));
            }
            prop_assert_eq!(set.iter().collect::<HashSet<u64>>(), model);
            set.clear(3);
            prop_assert_eq!((set.len(), set.contains(0), set.iter().count()), (0, false, 0));
        }
    }
}
