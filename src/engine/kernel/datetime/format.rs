//! `format_datetime` and `format_timespan`: patterns of runs of one letter.
//!
//! A run that is longer than the longest known form of its letter counts as several (`dddd` is `dd` twice);
//! a letter without meaning stands for itself.

use std::fmt::Write;

use conshelf_storage::ticks::{TICKS_PER_DAY, civil_from_ticks};

/// Splits a pattern into runs of one character, none longer than the longest form of that character.
fn runs(pattern: &str, longest: impl Fn(char) -> usize) -> impl Iterator<Item = (char, usize)> {
    let mut characters = pattern.chars().peekable();
    std::iter::from_fn(move || {
        let letter = characters.next()?;
        let mut count = 1;
        while count < longest(letter) && characters.next_if_eq(&letter).is_some() {
            count += 1;
        }
        Some((letter, count))
    })
}

fn padded(out: &mut String, value: u64, width: usize) {
    // Writing to a string does not fail.
    let _ = write!(out, "{value:0width$}");
}

/// The first digits of a fraction of a second in ticks; `F` drops zeros at the end.
fn fraction(out: &mut String, ticks: u64, letter: char, digits: usize) {
    let start = out.len();
    padded(out, ticks / 10u64.pow(7 - digits as u32), digits);
    if letter == 'F' {
        let kept = start + out[start..].trim_end_matches('0').len();
        out.truncate(kept);
    }
}

/// A datetime by a pattern.
pub fn datetime(ticks: i64, pattern: &str, out: &mut String) {
    let civil = civil_from_ticks(ticks);
    let year = u64::from(civil.year.unsigned_abs());
    let longest = |letter| match letter {
        'd' | 'h' | 'H' | 'm' | 'M' | 's' | 't' => 2,
        'y' => 4,
        'f' | 'F' => 7,
        _ => 1,
    };
    for (letter, count) in runs(pattern, longest) {
        match (letter, count) {
            ('d', _) => padded(out, civil.day.into(), count),
            ('M', _) => padded(out, civil.month.into(), count),
            ('h', _) => padded(out, u64::from((civil.hour + 11) % 12 + 1), count),
            ('H', _) => padded(out, civil.hour.into(), count),
            ('m', _) => padded(out, civil.minute.into(), count),
            ('s', _) => padded(out, civil.second.into(), count),
            ('y', 1 | 2) => padded(out, year % 100, count),
            ('y', 3) => {
                padded(out, year % 100, 2);
                padded(out, year % 100, 1);
            }
            ('y', _) => padded(out, year, 4),
            ('f' | 'F', digits) => fraction(out, civil.fraction.into(), letter, digits),
            ('t', 2) => out.push_str(if civil.hour < 12 { "AM" } else { "PM" }),
            (other, _) => out.push(other),
        }
    }
}

/// A timespan by a pattern; a negative one starts with a minus sign.
pub fn timespan(ticks: i64, pattern: &str, out: &mut String) {
    if ticks < 0 {
        out.push('-');
    }
    let ticks = ticks.unsigned_abs();
    let per_day = TICKS_PER_DAY.unsigned_abs();
    let (days, rest) = (ticks / per_day, ticks % per_day);
    let (seconds, part) = (rest / 10_000_000, rest % 10_000_000);
    let longest = |letter| match letter {
        'd' => 8,
        'h' | 'H' | 'm' | 's' => 2,
        'f' | 'F' => 7,
        _ => 1,
    };
    for (letter, count) in runs(pattern, longest) {
        match letter {
            'd' => padded(out, days, count),
            'h' | 'H' => padded(out, seconds / 3600, count),
            'm' => padded(out, seconds / 60 % 60, count),
            's' => padded(out, seconds % 60, count),
            'f' | 'F' => fraction(out, part, letter, count),
            other => out.push(other),
        }
    }
}
