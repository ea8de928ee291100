//! Texts that begin with a needle, or are one: found a variable at a time, without putting texts together.
//!
//! A needle that must stand at the start says of each variable in turn what its text is, if what follows the variable
//! in the template cannot be a part of it. So each column is compared with one value, for the rows that are left.

use super::decode::Values;
use super::{Template, Variable, kind};
use crate::encoding::input::Decoded;
use crate::text_test::{Anchor, TextTest};

/// Single values are read where at most one in so many rows is left.
const FEW_ROWS: usize = 8;

/// Which rows of a template pass, by their places among those of the template, ascending; `None`: only the texts tell.
pub(super) fn places(template: &Template<'_>, test: &TextTest) -> Decoded<Option<Vec<u32>>> {
    let mut passing = Vec::new();
    for needle in test.needles() {
        match of_needle(template, needle.as_bytes(), test)? {
            Some(places) => passing.extend(places),
            None => return Ok(None),
        }
    }
    passing.sort_unstable();
    passing.dedup();
    Ok(Some(passing))
}

/// Those that pass with one needle.
fn of_needle(template: &Template<'_>, needle: &[u8], test: &TextTest) -> Decoded<Option<Vec<u32>>> {
    let is_whole = match test.anchor() {
        Anchor::Whole => true,
        Anchor::Start => false,
        Anchor::Anywhere | Anchor::End => return Ok(None),
    };
    let same = |left: &[u8], right: &[u8]| match test.is_case_sensitive() {
        true => left == right,
        false => left.eq_ignore_ascii_case(right),
    };
    // In another case some letters of other scripts are ASCII.
    if !test.is_case_sensitive() && !template.literals.iter().all(|literal| literal.is_ascii()) {
        return Ok(None);
    }
    let mut left: Option<Vec<u32>> = None;
    let mut rest = needle;
    for (number, literal) in template.literals.iter().enumerate() {
        let common = literal.len().min(rest.len());
        if !same(&literal[..common], &rest[..common]) {
            return Ok(Some(Vec::new()));
        }
        rest = &rest[common..];
        let Some(variable) = template.variables.get(number) else {
            // The end of the text.
            let fits = rest.is_empty() && (common == literal.len() || !is_whole);
            return Ok(Some(if fits { all(left, template.rows) } else { Vec::new() }));
        };
        if rest.is_empty() {
            // Every variable is a byte at least.
            return Ok(Some(if is_whole { Vec::new() } else { all(left, template.rows) }));
        }
        let inside = |byte: u8| is_inside(variable, byte);
        let length = rest.iter().position(|byte| !inside(*byte)).unwrap_or(rest.len());
        let is_last = number + 1 == template.variables.len();
        match template.literals.get(number + 1).and_then(|next| next.first()) {
            Some(next) if inside(*next) || inside(next.to_ascii_lowercase()) => return Ok(None),
            None if !is_last => return Ok(None),
            _ => {}
        }
        if length == 0 {
            return Ok(Some(Vec::new()));
        }
        let (text, behind) = rest.split_at(length);
        let is_open = behind.is_empty() && !is_whole;
        left = Some(matching(variable, template.rows, left, text, is_open)?);
        if left.as_ref().is_some_and(Vec::is_empty) || is_open {
            return Ok(left);
        }
        rest = behind;
    }
    Ok(None)
}

fn all(left: Option<Vec<u32>>, rows: usize) -> Vec<u32> {
    left.unwrap_or_else(|| (0..rows as u32).collect())
}

fn is_inside(variable: &Variable<'_>, byte: u8) -> bool {
    let is_hex = matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    match variable.kind {
        kind::DIGITS => byte.is_ascii_digit(),
        kind::HEX => is_hex,
        _ => is_hex || byte == b'-',
    }
}

/// Those of the rows left where the variable is a text, or begins with it if that is `open`.
fn matching(
    variable: &Variable<'_>,
    rows: usize,
    left: Option<Vec<u32>>,
    text: &[u8],
    is_open: bool,
) -> Decoded<Vec<u32>> {
    let places = all(left, rows);
    let is_few = places.len() * FEW_ROWS <= rows;
    let values = Values::read(variable, rows, is_few.then_some(places.as_slice()))?;
    let mut fitting = Vec::new();
    let number = std::str::from_utf8(text).ok().and_then(|text| text.parse::<i64>().ok());
    let mut scratch = Vec::new();
    for (number_of, place) in places.iter().enumerate() {
        let at = if is_few { number_of } else { *place as usize };
        let fits = match (&values, number) {
            (Values::Digits { numbers, .. }, Some(number)) if !is_open => {
                numbers[at] == number && values.length(at) == text.len()
            }
            _ => {
                let length = values.length(at);
                (if is_open { length >= text.len() } else { length == text.len() }) && {
                    let end = values.text(at, &mut scratch);
                    scratch[..end].starts_with(text)
                }
            }
        };
        if fits {
            fitting.push(*place);
        }
    }
    Ok(fitting)
}
