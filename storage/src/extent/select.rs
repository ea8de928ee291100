//! Which rows of a row group satisfy a predicate, as far as term indexes say.

use arrow_buffer::{BooleanBuffer, Buffer};

use super::footer::Index;
use super::prune;
use super::reader::Extent;
use crate::index::posting::words;
use crate::index::term_index::TermIndex;
use crate::index::terms::TERM_BYTES_MIN;
use crate::predicate::{Comparison, Literal, Predicate};
use crate::terms::{fold, terms};
use crate::types::ColumnType;

/// Rows of a morsel. A row outside certainly does not satisfy the predicate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// `None`: every row.
    pub rows: Option<BooleanBuffer>,
    /// Every row inside satisfies the predicate.
    pub exact: bool,
}

impl Selection {
    /// Nothing is known.
    pub const UNKNOWN: Selection = Selection { rows: None, exact: false };
    /// Every row satisfies the predicate.
    pub const ALL: Selection = Selection { rows: None, exact: true };

    /// No row of so many satisfies the predicate.
    pub fn none(rows: usize) -> Selection {
        Selection { rows: Some(BooleanBuffer::new_unset(rows)), exact: true }
    }

    fn of(rows: BooleanBuffer, exact: bool) -> Selection {
        match rows.count_set_bits() {
            0 => Selection::none(rows.len()),
            count if count == rows.len() => Selection { rows: None, exact },
            _ => Selection { rows: Some(rows), exact },
        }
    }

    fn is_none(&self) -> bool {
        self.rows.as_ref().is_some_and(|rows| rows.count_set_bits() == 0)
    }

    fn and(self, other: Selection) -> Selection {
        let exact = self.exact && other.exact;
        match (self.rows, other.rows) {
            (Some(left), Some(right)) => Selection::of(&left & &right, exact),
            (left, right) => Selection { rows: left.or(right), exact },
        }
    }

    fn or(self, other: Selection) -> Selection {
        match (&self.rows, &other.rows) {
            (Some(left), Some(right)) => Selection::of(left | right, self.exact && other.exact),
            (None, _) if self.exact => self,
            (_, None) if other.exact => other,
            _ => Selection::UNKNOWN,
        }
    }
}

/// The rows of a row group that may satisfy the predicate.
pub(super) fn select(extent: &Extent, row_group: u32, predicate: &Predicate) -> Selection {
    let rows = extent.row_group_rows(row_group) as usize;
    match predicate {
        Predicate::And(parts) => {
            let mut found = Selection::ALL;
            for part in parts {
                found = found.and(select(extent, row_group, part));
                if found.is_none() {
                    return Selection::none(rows);
                }
            }
            found
        }
        Predicate::Or(parts) => parts.iter().fold(Selection::none(rows), |found, part| {
            if found == Selection::ALL { found } else { found.or(select(extent, row_group, part)) }
        }),
        Predicate::Not(part) => match select(extent, row_group, part) {
            Selection { rows: Some(found), exact: true } => Selection::of(!&found, true),
            Selection { rows: None, exact: true } => Selection::none(rows),
            _ => Selection::UNKNOWN,
        },
        _ if !prune::may_match(extent, row_group, predicate) => Selection::none(rows),
        Predicate::HasTerm { column, term } => with_terms(extent, row_group, *column, term, true),
        Predicate::EqualIgnoreCase { column, value } => with_terms(extent, row_group, *column, value, false),
        Predicate::Compare {
            column,
            ty: ColumnType::String,
            operator: Comparison::Equal,
            value: Literal::String(value),
        } => with_terms(extent, row_group, *column, value, false),
        Predicate::In { column, ty: ColumnType::String, values } => {
            values.iter().fold(Selection::none(rows), |found, value| match value {
                _ if found == Selection::UNKNOWN => found,
                Literal::String(value) => found.or(with_terms(extent, row_group, *column, value, false)),
                _ => Selection::UNKNOWN,
            })
        }
        Predicate::Compare { .. }
        | Predicate::In { .. }
        | Predicate::HasTermPrefix { .. }
        | Predicate::IsNull { .. }
        | Predicate::IsNotNull { .. } => Selection::UNKNOWN,
    }
}

/// Rows that may have all terms of a text. With `whole` the text is one term, and having it is all that is
/// asked.
fn with_terms(extent: &Extent, row_group: u32, column: u32, text: &str, whole: bool) -> Selection {
    let found = extent.position(column).and_then(|position| {
        let Index::Terms(_) = extent.chunk(row_group, position)?.index else { return None };
        let rows = extent.row_group_rows(row_group) as usize;
        let index = TermIndex::new(extent.index_bytes(row_group, position)?, rows).ok()?;
        // Of a dynamic value more is indexed than its text.
        let is_text = extent.columns().get(position)?.1 == ColumnType::String;
        let one_term = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let mut found =
            Selection { rows: None, exact: whole && is_text && one_term && !index.foreign_spelling };
        for term in terms(text) {
            let folded = fold(term);
            found = if folded.chars().count() < TERM_BYTES_MIN {
                Selection { exact: false, ..found }
            } else {
                found.and(with_term(&index, folded.as_bytes(), rows)?)
            };
        }
        Some(found)
    });
    match found {
        Some(found) if found.is_none() => Selection::none(extent.row_group_rows(row_group) as usize),
        Some(found) => found,
        None => Selection::UNKNOWN,
    }
}

fn with_term(index: &TermIndex<'_>, folded: &[u8], rows: usize) -> Option<Selection> {
    if let Some(list) = index.list(folded) {
        let bits = Buffer::from_vec(index.bits(&list).ok()?);
        return Some(Selection::of(BooleanBuffer::new(bits, 0, rows), true));
    }
    let mut bits = vec![0u64; words(rows)];
    for range in index.candidates(folded) {
        for row in range {
            bits[row / 64] |= 1 << (row % 64);
        }
    }
    Some(Selection::of(BooleanBuffer::new(Buffer::from_vec(bits), 0, rows), false))
}
