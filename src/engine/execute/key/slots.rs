//! An index from hashes to dense numbers, made to be asked for many keys at a time.
//!
//! Open addressing, eight bytes a slot: what a look-up waits for is memory, and look-ups that do not depend
//! on each other wait together. Knows nothing of the keys: whoever asks says whether a number's key is the
//! one that is looked for.

/// Keys that are looked up together.
pub const STEP: usize = 32;

const SLOTS_MIN: usize = 16;

/// Numbers 0..n by the hash of their keys.
pub struct Slots {
    /// The low half is the number plus one, zero where empty; the high half is that of the hash, whose low
    /// bits are the place. A power of two long, at most half full.
    slots: Vec<u64>,
    len: usize,
}

impl Default for Slots {
    fn default() -> Slots {
        Slots { slots: vec![0; SLOTS_MIN], len: 0 }
    }
}

/// Whether a slot is of a key whose hash may be this one.
#[inline]
fn may_be(slot: u64, hash: u64) -> bool {
    (slot ^ hash) >> 32 == 0
}

impl Slots {
    #[inline]
    fn place(&self, hash: u64) -> usize {
        hash as usize & (self.slots.len() - 1)
    }

    pub fn memory_bytes(&self) -> usize {
        self.slots.capacity() * 8
    }

    /// Makes room for `more` numbers; `hash_of` gives the hash of a number that is there.
    pub fn reserve(&mut self, more: usize, hash_of: impl Fn(u32) -> u64) {
        if (self.len + more) * 2 <= self.slots.len() {
            return;
        }
        let slots = ((self.len + more) * 3).next_power_of_two();
        self.slots = vec![0; slots];
        for number in 0..std::mem::take(&mut self.len) as u32 {
            self.insert(hash_of(number), number);
        }
    }

    /// For each hash the number that its first slot holds, if it may be the one; `None` says nothing yet.
    pub fn candidates(&self, hashes: &[u64], out: &mut [Option<u32>; STEP]) {
        for (hash, candidate) in hashes.iter().zip(out) {
            let slot = self.slots[self.place(*hash)];
            *candidate = (slot != 0 && may_be(slot, *hash)).then(|| (slot as u32).wrapping_sub(1));
        }
    }

    /// The number with that hash of which `is` is true.
    pub fn find(&self, hash: u64, mut is: impl FnMut(u32) -> bool) -> Option<u32> {
        let mut place = self.place(hash);
        loop {
            let slot = self.slots[place];
            if slot == 0 {
                return None;
            }
            let number = (slot as u32).wrapping_sub(1);
            if may_be(slot, hash) && is(number) {
                return Some(number);
            }
            place = (place + 1) & (self.slots.len() - 1);
        }
    }

    /// Adds a number that is not there, after `reserve`.
    pub fn insert(&mut self, hash: u64, number: u32) {
        let mut place = self.place(hash);
        while self.slots[place] != 0 {
            place = (place + 1) & (self.slots.len() - 1);
        }
        self.slots[place] = hash >> 32 << 32 | u64::from(number.wrapping_add(1));
        self.len += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_found_among_equal_hashes_and_as_the_index_grows() {
        // Hashes that agree in their places, in their tags, in both and in neither.
        let hash = |number: u32| {
            let scrambled = u64::from(number / 3).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            match number % 5 {
                0 => scrambled & !0xFFFF,
                1 => scrambled & 0xFFFF_FFFF,
                _ => scrambled,
            }
        };
        let mut slots = Slots::default();
        for number in 0..3_000u32 {
            slots.reserve(1, hash);
            assert_eq!(slots.find(hash(number), |other| other == number), None);
            slots.insert(hash(number), number);
        }
        for number in 0..3_000 {
            assert_eq!(slots.find(hash(number), |other| other == number), Some(number));
        }
        let hashes: Vec<u64> = (0..STEP as u32).map(hash).collect();
        let mut candidates = [None; STEP];
        slots.candidates(&hashes, &mut candidates);
        for (number, candidate) in (0u32..).zip(candidates) {
            assert!(candidate.is_none_or(|other| hash(other) == hash(number)));
        }
    }
}
