//! Integers that repeat long stretches of themselves: codes of rows whose sources report in turns.
//!
//! Literals, and copies of what stands a distance before, which may overlap what they write: a sequence
//! that only repeats is its first round and one copy.

use super::choose;
use super::dictionary::fast_map;
use super::input::{Decoded, Input, Malformed, put_part};
use super::integer::{self, Target};
use crate::format::encoding_tag as tag;

/// Shortest stretch worth a copy; also how far apart the places are that later ones are compared with.
const STRETCH: usize = 32;
/// Furthest that [`looks_repeated`] looks back.
const LOOK_BACK: usize = 16_384;
/// Values that may pass before the first stretch repeats.
const PATIENCE: usize = 32_768;

/// Whether a stretch from the middle or the end occurred before.
pub(crate) fn looks_repeated(values: &[i64]) -> bool {
    let count = values.len();
    if count < 8 * STRETCH {
        return false;
    }
    [count / 2, count - STRETCH].into_iter().any(|at| {
        let stretch = &values[at..at + STRETCH];
        let first = stretch[0];
        if stretch.iter().all(|value| *value == first) {
            return false;
        }
        (at.saturating_sub(LOOK_BACK)..at)
            .rev()
            .any(|start| values[start] == first && values[start..start + STRETCH] == *stretch)
    })
}

/// A number for a stretch that later stretches are found by.
fn hash(stretch: &[i64]) -> u64 {
    stretch.iter().fold(0, |hash, value| roll_in(hash, *value))
}

const BASE: u64 = 0x9e37_79b9_7f4a_7c15;

#[inline(always)]
fn roll_in(hash: u64, value: i64) -> u64 {
    hash.wrapping_mul(BASE).wrapping_add(value as u64 ^ 0x5bd1_e995)
}

#[inline(always)]
fn roll_out(hash: u64, value: i64, weight: u64) -> u64 {
    hash.wrapping_sub((value as u64 ^ 0x5bd1_e995).wrapping_mul(weight))
}

/// The copies found, each after some literals.
#[derive(Default)]
struct Copies {
    literals: Vec<i64>,
    distances: Vec<i64>,
    lengths: Vec<i64>,
    /// Every value that is no copy.
    rest: Vec<i64>,
}

fn find(values: &[i64]) -> Option<Copies> {
    let mut found = Copies::default();
    let mut places = fast_map::<u64, usize>();
    let weight = (1..STRETCH).fold(1u64, |weight, _| weight.wrapping_mul(BASE));
    let (mut at, mut pending, mut placed, mut distance) = (0, 0, 0, 0);
    let mut rolling = hash(values.get(..STRETCH)?);
    while at + STRETCH <= values.len() {
        while placed + STRETCH <= at {
            places.insert(hash(&values[placed..placed + STRETCH]), placed);
            placed += STRETCH;
        }
        let stretch = &values[at..at + STRETCH];
        let same =
            |start: &usize| values[*start] == stretch[0] && values[*start..*start + STRETCH] == *stretch;
        let usual = Some(at - distance).filter(|_| distance > 0).filter(same);
        let Some(mut from) = usual.or_else(|| places.get(&rolling).copied().filter(same)) else {
            let Some(next) = values.get(at + STRETCH) else { break };
            rolling = roll_in(roll_out(rolling, stretch[0], weight), *next);
            at += 1;
            if found.lengths.is_empty() && at > PATIENCE {
                return None;
            }
            continue;
        };
        distance = at - from;
        while at > pending && from > 0 && values[at - 1] == values[from - 1] {
            (at, from) = (at - 1, from - 1);
        }
        let length =
            values[at..].iter().zip(&values[from..]).take_while(|(left, right)| left == right).count();
        found.literals.push((at - pending) as i64);
        found.distances.push(distance as i64);
        found.lengths.push(length as i64);
        found.rest.extend_from_slice(&values[pending..at]);
        at += length;
        pending = at;
        match values.get(at..at + STRETCH) {
            Some(stretch) => rolling = hash(stretch),
            None => break,
        }
    }
    found.rest.extend_from_slice(&values[pending..]);
    (!found.lengths.is_empty()).then_some(found)
}

/// The node, or `None` where hardly anything repeats.
pub(crate) fn encode(values: &[i64], depth: u32) -> Option<Vec<u8>> {
    let found = find(values).filter(|found| found.rest.len() <= values.len() / 2)?;
    let mut out = vec![tag::COPIES];
    out.extend_from_slice(&(found.lengths.len() as u32).to_le_bytes());
    out.extend_from_slice(&(found.rest.len() as u32).to_le_bytes());
    for numbers in [&found.literals, &found.distances, &found.lengths, &found.rest] {
        put_part(&mut out, |out| choose::encode_integers(numbers, depth + 1, out));
    }
    Some(out)
}

pub(crate) fn decode<T: Target>(mut input: Input<'_>, rows: usize, depth: u32) -> Decoded<Vec<T>> {
    let copies = input.count(rows)?;
    let rest = input.count(rows)?;
    let literals: Vec<u32> = integer::decode(input.part()?, copies, depth + 1)?;
    let distances: Vec<u32> = integer::decode(input.part()?, copies, depth + 1)?;
    let lengths: Vec<u32> = integer::decode(input.part()?, copies, depth + 1)?;
    let rest: Vec<T> = integer::decode(input.part()?, rest, depth + 1)?;
    input.finish()?;
    let mut rest = rest.as_slice();
    let mut out: Vec<T> = Vec::with_capacity(rows);
    for ((literals, distance), length) in literals.iter().zip(&distances).zip(&lengths) {
        let (head, tail) =
            rest.split_at_checked(*literals as usize).ok_or(Malformed("literals are missing"))?;
        if head.len() > rows - out.len() || *length as usize > rows - out.len() - head.len() {
            return Err(Malformed("copies are longer than the row group"));
        }
        out.extend_from_slice(head);
        rest = tail;
        let start = match out.len().checked_sub(*distance as usize) {
            Some(start) if *distance > 0 => start,
            _ => return Err(Malformed("a copy begins before the first value")),
        };
        let mut left = *length as usize;
        while left > 0 {
            // What stands from `start` on repeats itself, so that each step may double it.
            let piece = left.min(out.len() - start);
            out.extend_from_within(start..start + piece);
            left -= piece;
        }
    }
    if rest.len() != rows - out.len() {
        return Err(Malformed("copies do not fill the row group"));
    }
    out.extend_from_slice(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size_of(values: &[i64]) -> usize {
        let mut node = Vec::new();
        choose::encode_integers(values, 0, &mut node);
        assert_eq!(integer::decode::<i64>(Input::new(&node), values.len(), 0).as_deref(), Ok(values));
        node.len()
    }

    #[test]
    fn rounds_cost_their_first() {
        let mix = |n: i64| (n.wrapping_mul(0x9e37_79b9) >> 7) & 1023;
        let rounds: Vec<i64> = (0..65_536).map(|row| mix(row % 1000)).collect();
        assert!(size_of(&rounds) < 1600, "{}", size_of(&rounds));
        // Some are missing now and then, and rounds change places.
        let mut broken: Vec<i64> = rounds.clone();
        for at in [65_000, 50_000, 40_003, 33_333, 20_000, 10_001] {
            broken.remove(at);
        }
        broken[30_000..31_000].rotate_left(300);
        assert!(size_of(&broken) < 3000, "{}", size_of(&broken));
        // Few distinct values.
        let regions: Vec<i64> = (0..65_536).map(|row| mix(row % 1000) % 3).collect();
        assert!(size_of(&regions) < 1000, "{}", size_of(&regions));
    }
}
