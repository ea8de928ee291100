//! To which series each row belongs, and where its value stands among those of all series.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use arrow_buffer::ScalarBuffer;

use crate::encoding::input::{Decoded, Malformed};

/// Most combinations of the codes of several key columns.
const COMBINATIONS_MAX: usize = 1 << 22;
/// Picking the rows of more series goes over all rows once instead of once a series.
const FEW_SERIES: usize = 6;

/// Where a row's value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Among the values in the order of series.
    pub position: u32,
    /// The first position of its series.
    pub start: u32,
    /// The number of its series.
    pub series: u32,
}

/// The rows sorted by series, stably.
#[derive(Debug)]
pub(crate) struct Order {
    /// Where the value of each row stands.
    pub positions: Vec<u32>,
    /// First position of each series that has rows; then the number of rows.
    pub starts: Vec<u32>,
}

impl Order {
    /// The order of rows with codes below `domain`.
    pub fn of(codes: &[u32], domain: usize) -> Order {
        let mut next = vec![0u32; domain];
        codes.iter().for_each(|code| next[*code as usize] += 1);
        let mut starts = Vec::with_capacity(domain + 1);
        let mut end = 0;
        for slot in &mut next {
            let count = *slot;
            *slot = end;
            if count > 0 {
                starts.push(end);
            }
            end += count;
        }
        starts.push(end);
        let place = |code: &u32| {
            let slot = &mut next[*code as usize];
            *slot += 1;
            *slot - 1
        };
        Order { positions: codes.iter().map(place).collect(), starts }
    }

    /// Number of series that have rows.
    pub fn series(&self) -> usize {
        self.starts.len() - 1
    }

    /// Values in the order of series, converted, in that of rows.
    pub fn to_rows<T: Copy, U>(&self, values: &[T], convert: impl Fn(T) -> U) -> Vec<U> {
        self.positions.iter().map(|position| convert(values[*position as usize])).collect()
    }

    /// Values in the order of rows, in that of series.
    pub fn to_series<T: Copy + Default>(&self, values: &[T]) -> Vec<T> {
        let mut out = vec![T::default(); values.len()];
        for (value, position) in values.iter().zip(&self.positions) {
            out[*position as usize] = *value;
        }
        out
    }
}

/// The places of some rows.
#[derive(Debug, PartialEq)]
pub(crate) struct Places {
    /// In the order of the rows.
    pub list: Vec<Place>,
    /// By position, each with its number in `list`.
    pub ascending: Vec<(Place, u32)>,
}

/// The key of a row group: the code of every row, and what follows from them.
#[derive(Debug)]
pub(crate) struct SeriesKey {
    codes: ScalarBuffer<u32>,
    /// Codes are below it.
    domain: usize,
    /// Whether a series is numbered by its code, as those of a single column are.
    numbered: bool,
    order: OnceCell<Order>,
    /// Those asked for last: several columns are read for the same rows.
    places: RefCell<Option<(Vec<u32>, Rc<Places>)>>,
}

impl SeriesKey {
    /// From the codes of each key column, which are below the number beside them.
    pub fn new(columns: &[(ScalarBuffer<u32>, usize)]) -> Decoded<SeriesKey> {
        let Some(((codes, domain), others)) = columns.split_first() else {
            return Err(Malformed("a key has no columns"));
        };
        for (other, _) in columns {
            if other.len() != codes.len() {
                return Err(Malformed("the columns of a key have different rows"));
            }
        }
        let numbered = others.is_empty();
        let (mut codes, mut domain) = (codes.clone(), *domain);
        for (other, count) in others {
            domain = domain
                .checked_mul(*count)
                .filter(|domain| *domain <= COMBINATIONS_MAX)
                .ok_or(Malformed("a key has too many combinations"))?;
            codes =
                codes.iter().zip(other.iter()).map(|(code, other)| code * *count as u32 + other).collect();
        }
        Ok(SeriesKey { codes, domain, numbered, order: OnceCell::new(), places: RefCell::default() })
    }

    pub fn rows(&self) -> usize {
        self.codes.len()
    }

    /// How many series there are: each code of a single key column names one, and occurs.
    pub fn series(&self) -> usize {
        if self.numbered { self.domain } else { self.order().series() }
    }

    pub fn order(&self) -> &Order {
        self.order.get_or_init(|| Order::of(&self.codes, self.domain))
    }

    /// Where the values of the rows stand; the rows ascend and exist.
    pub fn places(&self, rows: &[u32]) -> Rc<Places> {
        if let Some((known, places)) = &*self.places.borrow()
            && known == rows
        {
            return places.clone();
        }
        let list = self.places_of_few(rows).unwrap_or_else(|| self.places_of_many(rows));
        let ascending = ascending(&list, self.series());
        let places = Rc::new(Places { list, ascending });
        *self.places.borrow_mut() = Some((rows.to_vec(), places.clone()));
        places
    }

    /// By counting, where the rows belong to few series and the order is not known yet.
    fn places_of_few(&self, rows: &[u32]) -> Option<Vec<Place>> {
        if !self.numbered || self.order.get().is_some() {
            return None;
        }
        let mut series: Vec<u32> = Vec::new();
        for row in rows {
            let code = self.codes[*row as usize];
            if !series.contains(&code) {
                if series.len() == FEW_SERIES {
                    return None;
                }
                series.push(code);
            }
        }
        let starts: Vec<u32> =
            series.iter().map(|wanted| count(&self.codes, |code| (code as i32) < *wanted as i32)).collect();
        // For each series the next row to look at, and its rows before that.
        let mut seen = vec![(0usize, 0u32); series.len()];
        let place = |row: &u32| {
            let code = self.codes[*row as usize];
            let index = series.iter().position(|known| *known == code)?;
            let (from, rank) = &mut seen[index];
            *rank += count(&self.codes[*from..*row as usize], |other| other == code);
            *from = *row as usize;
            Some(Place { position: starts[index] + *rank, start: starts[index], series: code })
        };
        rows.iter().map(place).collect()
    }

    fn places_of_many(&self, rows: &[u32]) -> Vec<Place> {
        let order = self.order();
        let is_code = self.numbered && order.series() == self.domain;
        let place = |row: &u32| {
            let position = order.positions[*row as usize];
            let series = match is_code {
                true => self.codes[*row as usize] as usize,
                false => order.starts.partition_point(|start| *start <= position) - 1,
            };
            Place { position, start: order.starts[series], series: series as u32 }
        };
        rows.iter().map(place).collect()
    }
}

/// Places by position, with their numbers. The places are those of ascending rows, so that those of one series
/// ascend.
fn ascending(list: &[Place], series: usize) -> Vec<(Place, u32)> {
    let mut sorted: Vec<(Place, u32)> = list.iter().copied().zip(0..).collect();
    if list.len() < series {
        sorted.sort_unstable_by_key(|(place, _)| place.position);
        return sorted;
    }
    let mut next = vec![0u32; series + 1];
    list.iter().for_each(|place| next[place.series as usize + 1] += 1);
    let mut end = 0;
    for slot in &mut next {
        end += *slot;
        *slot = end;
    }
    for (number, place) in (0..).zip(list) {
        let slot = &mut next[place.series as usize];
        sorted[*slot as usize] = (*place, number);
        *slot += 1;
    }
    sorted
}

/// How many of the codes are so.
#[inline(always)]
fn count(codes: &[u32], is_so: impl Fn(u32) -> bool) -> u32 {
    codes.iter().map(|code| u32::from(is_so(*code))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_the_order() {
        let codes: Vec<u32> = (0..5000u32).map(|row| row * 7 % 50 + row % 3).collect();
        let domain = codes.iter().max().map_or(0, |max| *max as usize + 1);
        let rows: Vec<u32> =
            (0..5000).filter(|row| [3, 17, 40].contains(&codes[*row as usize])).step_by(3).collect();
        let key = |codes: &[u32]| SeriesKey::new(&[(codes.to_vec().into(), domain)]).expect("codes fit");
        let few = key(&codes).places(&rows);
        let known = key(&codes);
        known.order();
        assert_eq!(few, known.places(&rows));
        assert_eq!(known.places(&rows[..5]).list[..], few.list[..5]);
        assert!(few.ascending.is_sorted_by_key(|(place, _)| place.position));
        let mut all: Vec<u32> = known.order().positions.clone();
        all.sort_unstable();
        assert!(all.iter().enumerate().all(|(at, position)| at == *position as usize));
        let pairs: Vec<u32> = codes.iter().map(|code| code % 4).collect();
        let combined =
            SeriesKey::new(&[(codes.clone().into(), domain), (pairs.into(), 4)]).expect("few combinations");
        assert_eq!(combined.places(&rows).list.len(), rows.len());
        assert_eq!(combined.order().series(), domain);
    }
}
