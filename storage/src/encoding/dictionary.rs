//! Distinct values once, and a code a row: for integers, 16-byte values and text alike.
//!
//! The values are sorted and distinct. The codes are a node of integers, so that runs of one value cost
//! next to nothing.

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::choose;
use super::input::{Decoded, Input, Malformed, put_part};
use super::integer::{self, Target};
use crate::format::encoding_tag as tag;
use crate::widest_vectors;

/// A map that hashes fast; what it is keyed by comes from our own rows.
pub(crate) type FastMap<K, V> = HashMap<K, V, FixedState>;

pub(crate) fn fast_map<K, V>() -> FastMap<K, V> {
    HashMap::with_hasher(FixedState::with_seed(0x636f_6e73_6865_6c66))
}

/// Sorted distinct values and the code of every row.
pub(crate) struct Coded<V> {
    pub values: Vec<V>,
    pub codes: Vec<i64>,
}

/// Gives every row a code, unless more than `limit` values are distinct.
pub(crate) fn assign<V: Copy + Eq + Ord + std::hash::Hash>(
    rows: impl Iterator<Item = V>,
    limit: usize,
) -> Option<Coded<V>> {
    let mut map = fast_map();
    let mut values = Vec::new();
    let mut codes = Vec::with_capacity(rows.size_hint().0);
    let mut previous: Option<(V, i64)> = None;
    for value in rows {
        if let Some((known, code)) = previous
            && known == value
        {
            codes.push(code);
            continue;
        }
        let code = *map.entry(value).or_insert_with(|| {
            values.push(value);
            values.len() as i64 - 1
        });
        if values.len() > limit {
            return None;
        }
        previous = Some((value, code));
        codes.push(code);
    }
    Some(sorted(values, codes))
}

/// Sorts the values and translates the codes.
pub(crate) fn sorted<V: Copy + Ord>(values: Vec<V>, mut codes: Vec<i64>) -> Coded<V> {
    let mut order: Vec<u32> = (0..values.len() as u32).collect();
    order.sort_unstable_by_key(|code| values[*code as usize]);
    let mut translation = vec![0i64; values.len()];
    for (position, code) in order.iter().enumerate() {
        translation[*code as usize] = position as i64;
    }
    for code in &mut codes {
        *code = translation[*code as usize];
    }
    Coded { values: order.iter().map(|code| values[*code as usize]).collect(), codes }
}

/// Writes the node: number of values, node of the values, node of the codes.
pub(crate) fn encode<V>(
    coded: &Coded<V>,
    depth: u32,
    out: &mut Vec<u8>,
    values: impl FnOnce(&[V], &mut Vec<u8>),
) {
    out.push(tag::DICTIONARY);
    out.extend_from_slice(&(coded.values.len() as u32).to_le_bytes());
    put_part(out, |out| values(&coded.values, out));
    put_part(out, |out| choose::encode_integers(&coded.codes, depth + 1, out));
}

/// The parts of a dictionary node: number of values, their node, the node of the codes.
pub(crate) fn parts<'a>(mut input: Input<'a>, rows: usize) -> Decoded<(usize, Input<'a>, Input<'a>)> {
    let count = input.count(rows)?;
    let values = input.part()?;
    let codes = input.part()?;
    input.finish()?;
    Ok((count, values, codes))
}

/// Decodes codes that are all below `count`.
pub(crate) fn decode_codes(input: Input<'_>, rows: usize, count: usize, depth: u32) -> Decoded<Vec<u32>> {
    let codes: Vec<u32> = integer::decode(input, rows, depth + 1)?;
    check_codes(&codes, count)?;
    Ok(codes)
}

/// Fails unless all codes are below `count`.
pub(crate) fn check_codes(codes: &[u32], count: usize) -> Decoded<()> {
    if !codes.is_empty() && largest(codes) as usize >= count {
        return Err(Malformed("a dictionary code has no value"));
    }
    Ok(())
}

widest_vectors! {
    fn largest(codes: &[u32]) -> u32 {
        codes.iter().copied().fold(0, u32::max)
    }
}

pub(crate) fn decode_integers<T: Target>(input: Input<'_>, rows: usize, depth: u32) -> Decoded<Vec<T>> {
    let (count, values, codes) = parts(input, rows)?;
    let values: Vec<T> = integer::decode(values, count, depth + 1)?;
    let codes = decode_codes(codes, rows, count, depth)?;
    Ok(codes.iter().map(|code| values[*code as usize]).collect())
}

/// The values of a node of integers at places that ascend and exist.
pub(crate) fn pick_integers(input: Input<'_>, rows: usize, depth: u32, wanted: &[u32]) -> Decoded<Vec<i64>> {
    let (count, values, codes) = parts(input, rows)?;
    let (distinct, codes) = pick_codes(codes, rows, count, depth, wanted)?;
    let values = integer::pick(values, count, depth + 1, &distinct)?;
    Ok(codes.iter().map(|code| values[*code as usize]).collect())
}

/// The codes at places that ascend and exist: which codes there are, ascending, and for each place its position
/// among those.
pub(crate) fn pick_codes(
    input: Input<'_>,
    rows: usize,
    count: usize,
    depth: u32,
    wanted: &[u32],
) -> Decoded<(Vec<u32>, Vec<u32>)> {
    let codes: Vec<u32> = if integer::are_few(wanted.len(), rows) {
        let picked = integer::pick(input, rows, depth + 1, wanted)?;
        if picked.iter().any(|code| *code < 0 || *code >= count as i64) {
            return Err(Malformed("a dictionary code has no value"));
        }
        picked.iter().map(|code| *code as u32).collect()
    } else {
        let all = decode_codes(input, rows, count, depth)?;
        let code = |place: &u32| all.get(*place as usize).copied();
        wanted.iter().map(code).collect::<Option<_>>().ok_or(Malformed("a value asked for does not exist"))?
    };
    if codes.len() * 8 < count {
        let mut distinct = codes.clone();
        distinct.sort_unstable();
        distinct.dedup();
        let place = |code: &u32| distinct.binary_search(code).map_or(0, |place| place as u32);
        let codes = codes.iter().map(place).collect();
        return Ok((distinct, codes));
    }
    let mut places = vec![u32::MAX; count];
    codes.iter().for_each(|code| places[*code as usize] = 0);
    let mut distinct = Vec::with_capacity(count.min(codes.len()));
    for (code, place) in (0u32..).zip(&mut places) {
        if *place == 0 {
            *place = distinct.len() as u32;
            distinct.push(code);
        }
    }
    Ok((distinct, codes.iter().map(|code| places[*code as usize]).collect()))
}
