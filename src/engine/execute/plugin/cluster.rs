//! `autocluster` and `basket`: common patterns of one set of rows. The input's columns are the weight and the
//! attributes; the options two numbers, then the wildcard of each attribute.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array};
use conshelf_kql::{Type, Value};

use crate::engine::batch::Batch;
use crate::engine::error::Result;
use crate::engine::execute::columns;

use super::PluginCall;
use super::pattern::{ANY, Pattern, Rows, numbered, percent, rounded};

/// The rows of a call and its two numbers.
fn read(call: &PluginCall<'_>) -> Result<Option<(Rows, f64, f64)>> {
    let (Some(input), Some(schema), [Value::Real(first), Value::Real(second), ..]) =
        (call.inputs.first(), call.input_schemas.first(), call.options)
    else {
        return Ok(None);
    };
    let weights = columns::reals(&input.columns[0])?;
    let weights: Vec<[f64; 2]> =
        weights.iter().map(|weight| [weight.filter(|weight| *weight > 0.0).unwrap_or(0.0), 0.0]).collect();
    let types: Vec<Type> = schema[1..].iter().map(|column| column.ty).collect();
    let rows = Rows::new(call.query, &input.columns[1..], &types, &weights)?;
    Ok(Some((rows, *first, *second)))
}

/// Patterns that say much of many rows come first.
fn show(call: &PluginCall<'_>, rows: &Rows, mut patterns: Vec<Pattern>) -> Result<Vec<Batch>> {
    let reach = |pattern: &Pattern| pattern.weights[0] * pattern.size() as f64;
    patterns.sort_by(|left, right| {
        reach(right).total_cmp(&reach(left)).then_with(|| left.codes.cmp(&right.codes))
    });
    let counts = patterns.iter().map(|pattern| pattern.weights[0].round() as i64);
    let percents = patterns.iter().map(|pattern| rounded(percent(pattern.weights[0], rows.total[0]), 1));
    let measures: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from_iter_values(counts)),
        Arc::new(Float64Array::from_iter_values(percents)),
    ];
    let shown: Vec<&Pattern> = patterns.iter().collect();
    let attributes = rows.columns(&shown, &call.options[2..])?;
    Ok(numbered(patterns.len(), measures, attributes))
}

/// All patterns that are frequent enough.
pub fn basket(call: &PluginCall<'_>) -> Result<Vec<Batch>> {
    let Some((rows, threshold, depth)) = read(call)? else { return Ok(Vec::new()) };
    let least = threshold * rows.total[0];
    let patterns =
        rows.closed_patterns(call.query, depth as usize, &|weights| weights[0] > 0.0 && weights[0] >= least)?;
    show(call, &rows, patterns)
}

/// A few patterns, each grown from a common row: its values join one after the other as long as the balance of how
/// many rows the pattern fits and how much it says of them gets better.
pub fn autocluster(call: &PluginCall<'_>) -> Result<Vec<Batch>> {
    /// A further pattern must fit this part of rows that no better one fits.
    const NEW_MIN: f64 = 0.5;
    /// A pattern fits at least this part of all rows.
    const SHARE_MIN: f64 = 0.02;
    let Some((rows, balance, seeds)) = read(call)? else { return Ok(Vec::new()) };
    let total = rows.total[0];
    let mut order: Vec<u32> =
        (0..rows.len() as u32).filter(|row| rows.weights[*row as usize][0] > 0.0).collect();
    order.sort_by(|left, right| {
        rows.weights[*right as usize][0].total_cmp(&rows.weights[*left as usize][0]).then(left.cmp(right))
    });
    // How much a value says: the part of the rows it tells apart.
    let says = |attribute: usize, code: u32| 1.0 - rows.frequencies[attribute][code as usize][0] / total;
    let score = |pattern: &Pattern| {
        let said: f64 = pattern
            .codes
            .iter()
            .enumerate()
            .filter(|(_, code)| **code != ANY)
            .map(|(attribute, code)| says(attribute, *code))
            .sum();
        let (share, said) = (pattern.weights[0] / total, said / rows.attributes.max(1) as f64);
        share.powf(balance) * said.powf(1.0 - balance)
    };
    let mut candidates: Vec<(f64, Pattern)> = Vec::new();
    let mut known: HashSet<Vec<u32>> = HashSet::new();
    for seed in order.iter().take(seeds as usize) {
        let mut current: Option<(f64, Pattern)> = None;
        let mut fitting = order.clone();
        let mut used = vec![false; rows.attributes];
        loop {
            call.query.check()?;
            let mut best: Option<(f64, Pattern)> = None;
            for attribute in (0..rows.attributes).filter(|attribute| !used[*attribute]) {
                let code = rows.code(*seed, attribute);
                let kept: Vec<u32> =
                    fitting.iter().filter(|row| rows.code(**row, attribute) == code).copied().collect();
                let pattern = rows.closure(kept);
                let score = score(&pattern);
                if best.as_ref().is_none_or(|(highest, _)| score > *highest) {
                    best = Some((score, pattern));
                }
            }
            match (best, &current) {
                (Some((score, _)), Some((highest, _))) if score <= *highest => break,
                (Some((score, pattern)), _) => {
                    for (used, code) in used.iter_mut().zip(&pattern.codes) {
                        *used |= *code != ANY;
                    }
                    fitting.clone_from(&pattern.rows);
                    current = Some((score, pattern));
                }
                (None, _) => break,
            }
        }
        if let Some((score, pattern)) = current
            && pattern.weights[0] >= SHARE_MIN * total
            && known.insert(pattern.codes.clone())
        {
            candidates.push((score, pattern));
        }
    }
    candidates.sort_by(|left, right| right.0.total_cmp(&left.0));
    let mut covered = vec![false; rows.len()];
    let mut patterns = Vec::new();
    for (_, pattern) in candidates {
        let new: Vec<u32> = pattern.rows.iter().filter(|row| !covered[**row as usize]).copied().collect();
        if rows.weight_of(&new)[0] < NEW_MIN * pattern.weights[0] {
            continue;
        }
        for row in &pattern.rows {
            covered[*row as usize] = true;
        }
        patterns.push(pattern);
    }
    show(call, &rows, patterns)
}
