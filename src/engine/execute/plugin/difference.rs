//! `diffpatterns` and `diffpatterns_text`: patterns that fit much more of one set of rows than of another.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Float64Array, Int64Array, StringViewArray};
use conshelf_kql::{Type, Value};

use crate::engine::batch::Batch;
use crate::engine::error::Result;
use crate::engine::execute::columns;

use super::PluginCall;
use super::pattern::{ANY, Pattern, Rows, Weights, numbered, percent, rounded};

/// Percentage of the first set less that of the second.
fn difference(rows: &Rows, weights: Weights) -> f64 {
    percent(weights[0], rows.total[0]) - percent(weights[1], rows.total[1])
}

/// The patterns that differ by the threshold, the most different first; each must still do so in the rows that those
/// before it do not fit.
fn different(
    call: &PluginCall<'_>,
    rows: &Rows,
    threshold: f64,
    depth: usize,
    accepted: impl Fn(&Pattern) -> bool,
) -> Result<Vec<Pattern>> {
    let least = [threshold * rows.total[0], threshold * rows.total[1]];
    let frequent = |weights: Weights| {
        (weights[0] > 0.0 && weights[0] >= least[0]) || (weights[1] > 0.0 && weights[1] >= least[1])
    };
    let mut patterns = rows.closed_patterns(call.query, depth, &frequent)?;
    let differs = |weights: Weights| difference(rows, weights).abs() >= threshold * 100.0;
    patterns.retain(|pattern| differs(pattern.weights) && accepted(pattern));
    patterns.sort_by(|left, right| {
        let (left_part, right_part) =
            (difference(rows, left.weights).abs(), difference(rows, right.weights).abs());
        right_part
            .total_cmp(&left_part)
            .then_with(|| left.size().cmp(&right.size()))
            .then_with(|| left.codes.cmp(&right.codes))
    });
    let mut covered = vec![false; rows.len()];
    let mut kept = Vec::new();
    for pattern in patterns {
        call.query.check()?;
        let new: Vec<u32> = pattern.rows.iter().filter(|row| !covered[**row as usize]).copied().collect();
        if !differs(rows.weight_of(&new)) {
            continue;
        }
        for row in &pattern.rows {
            covered[*row as usize] = true;
        }
        kept.push(pattern);
    }
    Ok(kept)
}

fn counts(patterns: &[Pattern], side: usize) -> ArrayRef {
    let counts = patterns.iter().map(|pattern| pattern.weights[side].round() as i64);
    Arc::new(Int64Array::from_iter_values(counts))
}

fn percents(rows: &Rows, patterns: &[Pattern], side: usize) -> ArrayRef {
    let part = |pattern: &Pattern| rounded(percent(pattern.weights[side], rows.total[side]), 2);
    Arc::new(Float64Array::from_iter_values(patterns.iter().map(part)))
}

/// The input's columns: weight, whether the row is in A, whether in B, attributes.
pub fn patterns(call: &PluginCall<'_>) -> Result<Vec<Batch>> {
    let (Some(input), Some(schema), [Value::Real(threshold), Value::Real(depth), wildcards @ ..]) =
        (call.inputs.first(), call.input_schemas.first(), call.options)
    else {
        return Ok(Vec::new());
    };
    let weights = columns::reals(&input.columns[0])?;
    let sides = [columns::booleans(&input.columns[1])?, columns::booleans(&input.columns[2])?];
    let weights: Vec<Weights> = (0..input.rows)
        .map(|row| {
            let weight = if weights.is_valid(row) { weights.value(row).max(0.0) } else { 0.0 };
            sides.map(|side| if side.is_valid(row) && side.value(row) { weight } else { 0.0 })
        })
        .collect();
    let types: Vec<Type> = schema[3..].iter().map(|column| column.ty).collect();
    let rows = Rows::new(call.query, &input.columns[3..], &types, &weights)?;
    let found = different(call, &rows, *threshold, *depth as usize, |_| true)?;
    let differences = found.iter().map(|pattern| rounded(difference(&rows, pattern.weights).abs(), 2));
    let measures: Vec<ArrayRef> = vec![
        counts(&found, 0),
        counts(&found, 1),
        percents(&rows, &found, 0),
        percents(&rows, &found, 1),
        Arc::new(Float64Array::from_iter_values(differences)),
    ];
    let shown: Vec<&Pattern> = found.iter().collect();
    let attributes = rows.columns(&shown, wildcards)?;
    Ok(numbered(found.len(), measures, attributes))
}

/// The input's columns: text, condition. The attributes of a text are its first words, parted by blanks.
pub fn texts(call: &PluginCall<'_>) -> Result<Vec<Batch>> {
    let (Some(input), [Value::Real(least), Value::Real(threshold), Value::Real(most)]) =
        (call.inputs.first(), call.options)
    else {
        return Ok(Vec::new());
    };
    let most = *most as usize;
    let texts = columns::flatten(&input.columns[0])?;
    let texts = columns::texts(&texts)?;
    let text = |row: usize| if texts.is_null(row) { "" } else { texts.value(row) };
    let condition = columns::booleans(&input.columns[1])?;
    let weights: Vec<Weights> = (0..input.rows)
        .map(|row| if condition.is_valid(row) && condition.value(row) { [1.0, 0.0] } else { [0.0, 1.0] })
        .collect();
    let mut words: Vec<Vec<&str>> = vec![Vec::with_capacity(input.rows); most];
    let _memory = call.query.reserve(16 * (input.rows * most) as u64)?;
    for row in 0..input.rows {
        let mut parts = text(row).split_whitespace();
        for words in &mut words {
            words.push(parts.next().unwrap_or(""));
        }
    }
    let attributes: Vec<ArrayRef> =
        words.iter().map(|words| Arc::new(StringViewArray::from_iter_values(words)) as ArrayRef).collect();
    let rows = Rows::new(call.query, &attributes, &vec![Type::String; most], &weights)?;
    // Texts that end have empty words: these are no tokens.
    let empty: Vec<Option<u32>> = (0..most).map(|place| rows.code_of_empty(place)).collect();
    let is_token = |place: usize, code: u32| code != ANY && empty[place] != Some(code);
    let tokens = |pattern: &Pattern| {
        pattern.codes.iter().enumerate().filter(|(place, code)| is_token(*place, **code)).count()
    };
    let least = (*least as usize).max(1);
    let mut found = different(call, &rows, *threshold, most, |pattern| tokens(pattern) >= least)?;
    found.sort_by(|left, right| difference(&rows, right.weights).total_cmp(&difference(&rows, left.weights)));
    let shown = found.iter().map(|pattern| {
        let mut shown: Vec<&str> = Vec::new();
        for (place, code) in pattern.codes.iter().enumerate() {
            match is_token(place, *code) {
                true => shown.push(rows.text(place, *code)),
                false if empty[place].is_some() && empty[place] == Some(*code) => break,
                false => shown.push("*"),
            }
        }
        let last = shown.iter().rposition(|word| *word != "*").map_or(0, |last| last + 1);
        // One open word behind the last says that the texts go on.
        shown.truncate(last + 1);
        shown.join(" ")
    });
    let columns: Vec<ArrayRef> = vec![
        counts(&found, 0),
        counts(&found, 1),
        percents(&rows, &found, 0),
        percents(&rows, &found, 1),
        Arc::new(StringViewArray::from_iter_values(shown)),
    ];
    Ok(vec![Batch::new(columns, found.len())])
}
