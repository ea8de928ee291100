//! Which row groups a predicate cannot match: by statistics, by the values of small dictionaries, by the
//! term filter. "May match" is always a safe answer, and the one for whatever is unclear or damaged.

use std::cmp::Ordering;

use arrow_array::{Array, StringViewArray};

use super::footer::Index;
use super::reader::Extent;
use crate::encoding::chunk::string_views;
use crate::encoding::input::Input;
use crate::encoding::text;
use crate::encoding::validity::{self, Validity};
use crate::index::bloom::Bloom;
use crate::index::term_index::TermIndex;
use crate::index::terms::{TERM_BYTES_MIN, hash_folded};
use crate::predicate::{Comparison, Literal, Predicate};
use crate::statistics::{ColumnStatistics, compare_literals};
use crate::terms::{TermFinder, TermMatch, fold, terms};
use crate::types::ColumnType;

/// Whether a row of the group may satisfy the predicate.
pub(super) fn may_match(extent: &Extent, row_group: u32, predicate: &Predicate) -> bool {
    let view = |column: u32| ColumnView::new(extent, row_group, column);
    match predicate {
        Predicate::And(parts) => parts.iter().all(|part| may_match(extent, row_group, part)),
        Predicate::Or(parts) => parts.iter().any(|part| may_match(extent, row_group, part)),
        // What is known here says where a part may hold, not where it may fail.
        Predicate::Not(_) => true,
        Predicate::Compare { column, ty, operator, value } => view(*column).compare(*ty, *operator, value),
        Predicate::In { column, ty, values } => {
            let view = view(*column);
            values.iter().any(|value| view.compare(*ty, Comparison::Equal, value))
        }
        Predicate::EqualIgnoreCase { column, value } => {
            let view = view(*column);
            let wanted = fold(value);
            view.may_have_text(|text| fold(text) == wanted) && view.may_have_terms_of(value)
        }
        Predicate::HasTerm { column, term } => {
            let view = view(*column);
            let finder = TermFinder::new(term, false, TermMatch::Whole);
            view.may_have_text(|text| finder.is_match(text)) && view.may_have_terms_of(term)
        }
        Predicate::HasTermPrefix { column, prefix } => {
            let finder = TermFinder::new(prefix, false, TermMatch::Prefix);
            view(*column).may_have_text(|text| finder.is_match(text))
        }
        Predicate::IsNull { column, ty } => view(*column).may_be_null(*ty),
        Predicate::IsNotNull { column, ty } => view(*column).may_be_valid(*ty),
    }
}

/// What is known of one column of one row group.
struct ColumnView<'a> {
    extent: &'a Extent,
    row_group: u32,
    /// `None` where the extent lacks the column.
    stored: Option<(usize, ColumnType, &'a ColumnStatistics)>,
}

impl<'a> ColumnView<'a> {
    fn new(extent: &'a Extent, row_group: u32, column: u32) -> ColumnView<'a> {
        let stored = extent.position(column).and_then(|position| {
            let chunk = extent.chunk(row_group, position)?;
            Some((position, extent.columns()[position].1, &chunk.statistics))
        });
        ColumnView { extent, row_group, stored }
    }

    /// A column of another type than asked for is converted when it is read; nothing is known of it then.
    fn compare(&self, ty: ColumnType, operator: Comparison, value: &Literal) -> bool {
        let Some((_, stored, statistics)) = self.stored else {
            return match (ty, value) {
                // Every row is "".
                (ColumnType::String, Literal::String(value)) => satisfies("".cmp(value.as_str()), operator),
                (ColumnType::String, _) => true,
                // Every row is null, and a null satisfies no comparison.
                _ => false,
            };
        };
        if stored != ty {
            return true;
        }
        if stored == ColumnType::Dynamic {
            return true;
        }
        if statistics.nulls == statistics.rows {
            return false;
        }
        match (stored, value) {
            (ColumnType::String, Literal::String(text)) => {
                bounds_allow(statistics, operator, value)
                    && self.may_have_text(|found| satisfies(found.cmp(text.as_str()), operator))
                    && (operator != Comparison::Equal || self.may_have_terms_of(text))
            }
            // The order of guids and decimals is not that of their bytes: only equality is.
            (ColumnType::Decimal | ColumnType::Guid, Literal::Bytes16(_)) => {
                !matches!(operator, Comparison::Equal | Comparison::NotEqual)
                    || bounds_allow(statistics, operator, value)
            }
            (ColumnType::Real, Literal::Real(_)) => {
                statistics.nans > 0 || bounds_allow(statistics, operator, value)
            }
            (ColumnType::Real, Literal::Integer(integer)) => {
                let exact = integer.unsigned_abs() < 1 << 53;
                !exact
                    || statistics.nans > 0
                    || bounds_allow(statistics, operator, &Literal::Real(*integer as f64))
            }
            (ColumnType::Bool, Literal::Bool(_))
            | (
                ColumnType::Int | ColumnType::Long | ColumnType::DateTime | ColumnType::TimeSpan,
                Literal::Integer(_),
            ) => bounds_allow(statistics, operator, value),
            _ => true,
        }
    }

    fn may_be_null(&self, ty: ColumnType) -> bool {
        match self.stored {
            None => ty != ColumnType::String,
            Some((_, stored, statistics)) => stored != ty || statistics.nulls > 0,
        }
    }

    fn may_be_valid(&self, ty: ColumnType) -> bool {
        match self.stored {
            None => ty == ColumnType::String,
            Some((_, stored, statistics)) => stored != ty || statistics.nulls < statistics.rows,
        }
    }

    /// Whether a text that passes the test may occur, by the only value or a small dictionary.
    fn may_have_text(&self, test: impl Fn(&str) -> bool) -> bool {
        let Some((position, stored, statistics)) = self.stored else { return true };
        if stored != ColumnType::String {
            return true;
        }
        if let (true, Some(Literal::String(min)), Some(Literal::String(max))) =
            (statistics.exact_bounds, &statistics.min, &statistics.max)
            && min == max
        {
            return test(min);
        }
        match self.dictionary(position, statistics.rows as usize) {
            Some(values) => values.iter().any(|value| test(value.unwrap_or_default())),
            None => true,
        }
    }

    fn dictionary(&self, position: usize, rows: usize) -> Option<StringViewArray> {
        let chunk = self.extent.chunk(self.row_group, position)?;
        if chunk.index != Index::Dictionary {
            return None;
        }
        let mut input = Input::new(self.extent.chunk_bytes(self.row_group, position).ok()?);
        let Ok(Validity::AllValid) = validity::decode(&mut input, rows) else { return None };
        let values = text::decode_dictionary_values(input, rows).ok()??;
        let values = string_views(values).ok()?;
        (!values.is_empty()).then_some(values)
    }

    /// Whether all indexed terms of a text may occur, by the term filter.
    fn may_have_terms_of(&self, text: &str) -> bool {
        let Some((position, ColumnType::String | ColumnType::Dynamic, _)) = self.stored else { return true };
        let Some(chunk) = self.extent.chunk(self.row_group, position) else { return true };
        let Some(bytes) = self.extent.index_bytes(self.row_group, position) else { return true };
        let rows = self.extent.row_group_rows(self.row_group) as usize;
        let filter = match chunk.index {
            Index::TermBloom(_) => Bloom::new(bytes).map(Filter::Bloom),
            Index::Terms(_) => TermIndex::new(bytes, rows).map(Filter::Index),
            Index::None | Index::Dictionary => return true,
        };
        let Ok(filter) = filter else { return true };
        terms(text).all(|term| {
            let folded = fold(term);
            // A fold may be shorter than the term; the chunk's own spelling decides what was indexed.
            folded.len() < TERM_BYTES_MIN
                || !indexed_in_every_spelling(&folded)
                || match &filter {
                    Filter::Bloom(bloom) => bloom.may_contain(hash_folded(folded.as_bytes())),
                    Filter::Index(index) => index.may_contain(folded.as_bytes()),
                }
        })
    }
}

/// What says which terms a chunk may have.
enum Filter<'a> {
    Bloom(Bloom<'a>),
    Index(TermIndex<'a>),
}

/// Whether every spelling of a folded term is long enough to be indexed. ASCII letters can also stand for
/// two longer characters (`ſ`, `K`), never for shorter ones; other characters are at least two bytes, but
/// some fold from a shorter one, so that only their number counts.
fn indexed_in_every_spelling(folded: &str) -> bool {
    folded.chars().count() >= TERM_BYTES_MIN
}

fn satisfies(order: Ordering, operator: Comparison) -> bool {
    match operator {
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
    }
}

/// Whether a value between the bounds may satisfy the comparison. A missing bound is no bound.
fn bounds_allow(statistics: &ColumnStatistics, operator: Comparison, value: &Literal) -> bool {
    let order = |bound: &Option<Literal>| bound.as_ref().and_then(|bound| compare_literals(bound, value));
    let (min, max) = (order(&statistics.min), order(&statistics.max));
    let min_allows = |allowed: fn(Ordering) -> bool| min.is_none_or(allowed);
    let max_allows = |allowed: fn(Ordering) -> bool| max.is_none_or(allowed);
    match operator {
        Comparison::Equal => min_allows(Ordering::is_le) && max_allows(Ordering::is_ge),
        Comparison::NotEqual => {
            !(statistics.exact_bounds && min == Some(Ordering::Equal) && max == Some(Ordering::Equal))
        }
        Comparison::Less => min_allows(Ordering::is_lt),
        Comparison::LessOrEqual => min_allows(Ordering::is_le),
        Comparison::Greater => max_allows(Ordering::is_gt),
        Comparison::GreaterOrEqual => max_allows(Ordering::is_ge),
    }
}
