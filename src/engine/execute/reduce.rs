//! `reduce`: texts that are alike become a pattern. Reference: reduce-operator, and the paper it names (SLCT,
//! R. Vaarandi: A Data Clustering Algorithm for Mining Patterns From Event Logs).
//!
//! Words that enough rows have stay, what is between them is `*`; rows whose patterns are equal are a group
//! if there are enough of them, the rest are `others`. Numbers never count as words.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, StringViewArray, UInt32Array};
use conshelf_kql::plan::{Expr, Plan, Reduction};

use crate::engine::batch::Batch;
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::Executor;
use crate::engine::execute::columns;
use crate::engine::execute::expression::Expressions;
use crate::engine::execute::key::KeyTable;
use crate::engine::execute::materialised::Materialised;
use crate::engine::execute::pipeline::Pipeline;
use crate::engine::profile::OperatorProfile;

/// Stands for any text in a pattern.
const ANY: &str = "*";
const OTHERS: &str = "others";

pub fn pipeline(
    executor: &Executor,
    profile: &Arc<OperatorProfile>,
    input: &Plan,
    source: &Expr,
    reduction: &Reduction,
    annotate: bool,
) -> Result<Pipeline> {
    let rows = executor.materialise(input)?;
    let started = std::time::Instant::now();
    let rows = columns::concat(&rows.batches, &input.schema)?;
    if rows.rows > u32::MAX as usize {
        return Err(EngineError::Evaluation(String::from("too many rows to reduce")));
    }
    let texts = Expressions::new(executor, std::slice::from_ref(source))?.column(&rows, 0)?;
    let mut groups = Vec::new();
    let mut table = KeyTable::new(&[source.ty]);
    table.assign(std::slice::from_ref(&texts), rows.rows, &mut groups)?;
    executor.query.check()?;

    // Each distinct text once, in order of appearance, with the number of its rows.
    let mut counts = vec![0u64; table.len()];
    let mut firsts = vec![u32::MAX; table.len()];
    for (row, group) in groups.iter().enumerate() {
        let group = *group as usize;
        counts[group] += 1;
        firsts[group] = firsts[group].min(row as u32);
    }
    let distinct = columns::flatten(&columns::take_column(&texts, &UInt32Array::from(firsts.clone()))?)?;
    let distinct = columns::texts(&distinct)?;
    let texts: Vec<&str> = distinct.iter().map(Option::unwrap_or_default).collect();
    let order = |group: &u32| firsts[*group as usize];
    let (clusters, cluster_of) = clusters(&texts, &counts, reduction, &order);

    let batch = if annotate {
        let picks: Vec<u32> = groups.iter().map(|group| cluster_of[*group as usize]).collect();
        let picks = UInt32Array::from(picks);
        let mut all = rows.columns.clone();
        for column in cluster_columns(&clusters) {
            all.push(columns::take_column(&column, &picks)?);
        }
        Batch::new(all, rows.rows)
    } else {
        Batch::new(cluster_columns(&clusters), clusters.len())
    };
    let rows = Materialised::new(&executor.query, vec![batch])?;
    profile.add_time(started.elapsed());
    Ok(Pipeline::of(Arc::new(rows), profile.clone(), false))
}

struct Cluster {
    pattern: String,
    count: u64,
    representative: String,
}

fn cluster_columns(clusters: &[Cluster]) -> Vec<ArrayRef> {
    let texts = |text: fn(&Cluster) -> &str| -> ArrayRef {
        Arc::new(StringViewArray::from_iter_values(clusters.iter().map(text)))
    };
    let counts = clusters.iter().map(|cluster| cluster.count as i64);
    vec![
        texts(|cluster| &cluster.pattern),
        Arc::new(Int64Array::from_iter_values(counts)),
        texts(|cluster| &cluster.representative),
    ]
}

/// The clusters, the largest first, those of no pattern last; and for each text the number of its cluster.
fn clusters(
    texts: &[&str],
    counts: &[u64],
    reduction: &Reduction,
    order: &dyn Fn(&u32) -> u32,
) -> (Vec<Cluster>, Vec<u32>) {
    let total: u64 = counts.iter().sum();
    let support = ((reduction.threshold * total as f64).ceil() as u64).max(2).min(total);
    let mut word_rows: HashMap<&str, u64> = HashMap::new();
    for (text, count) in texts.iter().zip(counts) {
        let words: HashSet<&str> = words(text, reduction).filter(|word| !is_number(word)).collect();
        for word in words {
            *word_rows.entry(word).or_default() += count;
        }
    }
    let mut by_pattern: HashMap<String, Vec<u32>> = HashMap::new();
    let mut rest: Vec<u32> = Vec::new();
    for (number, text) in texts.iter().enumerate() {
        match pattern(text, reduction, &|word| word_rows.get(word).is_some_and(|rows| *rows >= support)) {
            Some(pattern) => by_pattern.entry(pattern).or_default().push(number as u32),
            None => rest.push(number as u32),
        }
    }
    let rows_of = |members: &[u32]| members.iter().map(|member| counts[*member as usize]).sum::<u64>();
    let mut found: Vec<(String, u64, Vec<u32>)> = Vec::new();
    for (pattern, members) in by_pattern {
        let rows = rows_of(&members);
        if rows >= support {
            found.push((pattern, rows, members));
        } else {
            rest.extend(members);
        }
    }
    found.sort_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.cmp(&right.0)));
    let mut cluster_of = vec![0u32; texts.len()];
    let mut clusters = Vec::with_capacity(found.len() + 1);
    for (pattern, count, members) in found {
        for member in &members {
            cluster_of[*member as usize] = clusters.len() as u32;
        }
        let first = members.iter().min_by_key(|member| order(member));
        let representative = first.map_or("", |member| texts[*member as usize]).to_owned();
        clusters.push(Cluster { pattern, count, representative });
    }
    if !rest.is_empty() {
        for member in &rest {
            cluster_of[*member as usize] = clusters.len() as u32;
        }
        let count = rows_of(&rest);
        clusters.push(Cluster { pattern: OTHERS.to_owned(), count, representative: String::new() });
    }
    (clusters, cluster_of)
}

/// Whether a character stands between words: one of those given, else all but ASCII letters and digits.
fn separates(character: char, reduction: &Reduction) -> bool {
    match &reduction.characters {
        Some(characters) => characters.contains(character),
        None => !character.is_ascii_alphanumeric(),
    }
}

fn words<'t>(text: &'t str, reduction: &'t Reduction) -> impl Iterator<Item = &'t str> {
    text.split(move |character| separates(character, reduction)).filter(|word| !word.is_empty())
}

fn is_number(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit())
}

/// The text with a star for each run of words that are not kept; `None` if no word is. Separators that the
/// query names go where they touch a star.
fn pattern(text: &str, reduction: &Reduction, kept: &dyn Fn(&str) -> bool) -> Option<String> {
    let mut pattern = String::with_capacity(text.len());
    let (mut any_kept, mut after_star) = (text.is_empty(), false);
    let mut between = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|character| separates(character, reduction)).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(end);
        if word.is_empty() {
            let mut characters = tail.chars();
            between.extend(characters.next());
            rest = characters.as_str();
            continue;
        }
        let named = reduction.characters.is_some();
        if kept(word) {
            if !(after_star && named) {
                pattern.push_str(&between);
            }
            pattern.push_str(word);
            (any_kept, after_star) = (true, false);
        } else if !after_star {
            if !named {
                pattern.push_str(&between);
            }
            pattern.push_str(ANY);
            after_star = true;
        }
        between.clear();
        rest = tail;
    }
    if !(after_star && reduction.characters.is_some()) {
        pattern.push_str(&between);
    }
    any_kept.then_some(pattern)
}
