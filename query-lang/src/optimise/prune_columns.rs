//! Columns nobody reads are not produced: expressions, aggregates and at last columns of the scan go.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::{Aggregate, Expr, JoinKind, Operator, ParseKind, ParseSegment, Plan};
use crate::types::{Schema, Type};

use super::tree::{change_expressions, change_subqueries, columns_of, inputs_mut, renumber, take};

/// Where the columns of a plan went: by old position, the new one.
type Moves = Vec<Option<usize>>;

/// Prunes the plans of a query together: what several of them share keeps the columns that any of them reads.
pub(super) fn apply(plans: &mut [&mut Plan]) {
    let mut pruner = Pruner::default();
    loop {
        let mut copies: Vec<Plan> = plans.iter().map(|plan| (**plan).clone()).collect();
        pruner.seen = pruner.wanted.clone();
        copies.iter_mut().for_each(|plan| pruner.whole(plan));
        // The columns only grow from round to round, and there are finitely many.
        if pruner.seen == pruner.wanted {
            plans.iter_mut().zip(copies).for_each(|(plan, copy)| **plan = copy);
            return;
        }
        pruner.wanted = std::mem::take(&mut pruner.seen);
    }
}

/// What is known of the columns that are read of shared plans, by their ids.
#[derive(Default)]
struct Pruner {
    wanted: BTreeMap<u32, BTreeSet<usize>>,
    /// The same with what this round has come upon.
    seen: BTreeMap<u32, BTreeSet<usize>>,
}

fn identity(count: usize) -> Moves {
    (0..count).map(Some).collect()
}

/// The moves when only these columns stay.
fn moves_of(kept: &BTreeSet<usize>, count: usize) -> Moves {
    let mut moves = vec![None; count];
    for (new, old) in kept.iter().enumerate() {
        if let Some(place) = moves.get_mut(*old) {
            *place = Some(new);
        }
    }
    moves
}

fn picked(schema: &Schema, kept: &BTreeSet<usize>) -> Schema {
    kept.iter().filter_map(|position| schema.get(*position).cloned()).collect()
}

/// Renumbers the columns of an expression; all its columns are kept.
fn moved(expression: &mut Expr, moves: &Moves) {
    renumber(expression, &|column| moves.get(column).copied().flatten().unwrap_or(column));
}

fn aggregate_columns(aggregate: &Aggregate, columns: &mut BTreeSet<usize>) {
    aggregate.arguments.iter().chain(&aggregate.condition).for_each(|part| columns_of(part, columns));
}

fn aggregate_moved(aggregate: &mut Aggregate, moves: &Moves) {
    aggregate.arguments.iter_mut().chain(&mut aggregate.condition).for_each(|part| moved(part, moves));
}

/// A projection on top, unless the plan yields just the wanted columns in their order.
fn exact(plan: &mut Plan, moves: &Moves, wanted: &BTreeSet<usize>) {
    let positions: Vec<usize> = wanted.iter().filter_map(|old| moves.get(*old).copied().flatten()).collect();
    if positions.len() == plan.schema.len() && positions.iter().enumerate().all(|(new, old)| new == *old) {
        return;
    }
    let input = take(plan);
    let schema: Schema = positions.iter().map(|position| input.schema[*position].clone()).collect();
    let expressions =
        positions.iter().zip(&schema).map(|(position, column)| Expr::column(*position, column.ty)).collect();
    *plan = Plan::new(Operator::Project { input, expressions }, schema);
}

impl Pruner {
    /// Prunes a plan that must yield what it yields.
    fn whole(&mut self, plan: &mut Plan) {
        let all: BTreeSet<usize> = (0..plan.schema.len()).collect();
        let moves = self.prune(plan, &all);
        exact(plan, &moves, &all);
    }

    /// Drops what is not wanted. The plan may keep more columns than that; the moves say where each went.
    fn prune(&mut self, plan: &mut Plan, wanted: &BTreeSet<usize>) -> Moves {
        change_expressions(&mut plan.operator, &mut |expression| {
            change_subqueries(expression, &mut |plan| self.whole(plan));
        });
        let count = plan.schema.len();
        match plan.operator.as_mut() {
            Operator::Scan { columns, predicate, .. } => {
                let mut kept = wanted.clone();
                if let Some(predicate) = predicate {
                    columns_of(predicate, &mut kept);
                }
                if kept.is_empty() {
                    kept.extend(narrowest(&plan.schema));
                }
                let moves = moves_of(&kept, count);
                *columns = kept.iter().filter_map(|position| columns.get(*position).cloned()).collect();
                if let Some(predicate) = predicate {
                    moved(predicate, &moves);
                }
                plan.schema = picked(&plan.schema, &kept);
                moves
            }
            Operator::Filter { input, predicate } => {
                let mut needed = wanted.clone();
                columns_of(predicate, &mut needed);
                let moves = self.prune(input, &needed);
                moved(predicate, &moves);
                plan.schema = input.schema.clone();
                moves
            }
            Operator::Project { input, expressions } => {
                let mut kept = wanted.clone();
                if kept.is_empty() && !expressions.is_empty() {
                    kept.extend(narrowest(&plan.schema));
                }
                let mut needed = BTreeSet::new();
                let mut position = 0;
                expressions.retain(|_| {
                    position += 1;
                    kept.contains(&(position - 1))
                });
                expressions.iter().for_each(|expression| columns_of(expression, &mut needed));
                let moves = self.prune(input, &needed);
                expressions.iter_mut().for_each(|expression| moved(expression, &moves));
                plan.schema = picked(&plan.schema, &kept);
                moves_of(&kept, count)
            }
            Operator::Summarize { input, keys, aggregates } => {
                let mut kept: BTreeSet<usize> = (0..keys.len()).collect();
                let mut first = keys.len();
                let mut retained = Vec::with_capacity(aggregates.len());
                for aggregate in aggregates.drain(..) {
                    let outputs = first..first + aggregate.outputs.len();
                    first = outputs.end;
                    if outputs.clone().any(|output| wanted.contains(&output)) {
                        kept.extend(outputs);
                        retained.push(aggregate);
                    } else if keys.is_empty() && retained.is_empty() && outputs.end == count {
                        // Without keys there is one row even if nothing of it is read.
                        kept.extend(outputs);
                        retained.push(aggregate);
                    }
                }
                *aggregates = retained;
                let mut needed = BTreeSet::new();
                keys.iter().for_each(|key| columns_of(key, &mut needed));
                aggregates.iter().for_each(|aggregate| aggregate_columns(aggregate, &mut needed));
                let moves = self.prune(input, &needed);
                keys.iter_mut().for_each(|key| moved(key, &moves));
                aggregates.iter_mut().for_each(|aggregate| aggregate_moved(aggregate, &moves));
                plan.schema = picked(&plan.schema, &kept);
                moves_of(&kept, count)
            }
            Operator::Sort { input, keys } | Operator::Top { input, keys, .. } => {
                let mut needed = wanted.clone();
                keys.iter().for_each(|key| columns_of(&key.expression, &mut needed));
                let moves = self.prune(input, &needed);
                keys.iter_mut().for_each(|key| moved(&mut key.expression, &moves));
                plan.schema = input.schema.clone();
                moves
            }
            Operator::Take { input, .. } | Operator::Serialize { input } | Operator::Sample { input, .. } => {
                let moves = self.prune(input, wanted);
                plan.schema = input.schema.clone();
                moves
            }
            Operator::Join { kind, left, right, left_keys, right_keys } => {
                let width = left.schema.len();
                let only_left = matches!(kind, JoinKind::LeftSemi | JoinKind::LeftAnti);
                let only_right = matches!(kind, JoinKind::RightSemi | JoinKind::RightAnti);
                let mut from_left = BTreeSet::new();
                let mut from_right = BTreeSet::new();
                for column in wanted {
                    if only_right || (!only_left && *column >= width) {
                        from_right.insert(if only_right { *column } else { column - width });
                    } else {
                        from_left.insert(*column);
                    }
                }
                left_keys.iter().for_each(|key| columns_of(key, &mut from_left));
                right_keys.iter().for_each(|key| columns_of(key, &mut from_right));
                let left_moves = self.prune(left, &from_left);
                let right_moves = self.prune(right, &from_right);
                left_keys.iter_mut().for_each(|key| moved(key, &left_moves));
                right_keys.iter_mut().for_each(|key| moved(key, &right_moves));
                let new_width = left.schema.len();
                let moves: Moves = if only_left {
                    left_moves
                } else if only_right {
                    right_moves
                } else {
                    let right_moves =
                        right_moves.into_iter().map(|place| place.map(|place| place + new_width));
                    left_moves.into_iter().chain(right_moves).collect()
                };
                plan.schema = renamed(&plan.schema, &moves);
                moves
            }
            Operator::Union { inputs, .. } => {
                let mut kept = wanted.clone();
                if kept.is_empty() {
                    kept.extend(narrowest(&plan.schema));
                }
                for input in inputs.iter_mut() {
                    let moves = self.prune(input, &kept);
                    exact(input, &moves, &kept);
                }
                plan.schema = picked(&plan.schema, &kept);
                moves_of(&kept, count)
            }
            Operator::MvExpand { input, expansions, .. } => {
                let width = input.schema.len();
                let mut needed: BTreeSet<usize> =
                    wanted.iter().copied().filter(|column| *column < width).collect();
                for expansion in expansions.iter() {
                    columns_of(&expansion.source, &mut needed);
                    needed.extend(expansion.replaces);
                }
                let mut moves = self.prune(input, &needed);
                for expansion in expansions.iter_mut() {
                    moved(&mut expansion.source, &moves);
                    expansion.replaces =
                        expansion.replaces.and_then(|position| moves.get(position).copied().flatten());
                }
                let new_width = input.schema.len();
                moves.extend((width..count).map(|column| Some(column - width + new_width)));
                plan.schema = renamed(&plan.schema, &moves);
                moves
            }
            Operator::Shared { id, input } => {
                let mut kept = self.wanted.get(id).cloned().unwrap_or_default();
                kept.extend(wanted);
                if kept.is_empty() {
                    kept.extend(narrowest(&plan.schema));
                }
                self.seen.entry(*id).or_default().extend(&kept);
                let moves = self.prune(input, &kept);
                exact(input, &moves, &kept);
                plan.schema = picked(&plan.schema, &kept);
                moves_of(&kept, count)
            }
            Operator::Parse { input, source, kind, segments, outputs, .. } => {
                let width = input.schema.len();
                let mut needed: BTreeSet<usize> =
                    wanted.iter().copied().filter(|column| *column < width).collect();
                columns_of(source, &mut needed);
                let mut moves = self.prune(input, &needed);
                moved(source, &moves);
                let kept =
                    parse_outputs(*kind, segments, outputs, |output| wanted.contains(&(width + output)));
                let new_width = input.schema.len();
                moves.extend(kept.into_iter().map(|place| place.map(|place| new_width + place)));
                plan.schema = renamed(&plan.schema, &moves);
                moves
            }
            Operator::ParseKv { input, source, .. } => {
                let width = input.schema.len();
                let mut needed: BTreeSet<usize> =
                    wanted.iter().copied().filter(|column| *column < width).collect();
                columns_of(source, &mut needed);
                let mut moves = self.prune(input, &needed);
                moved(source, &moves);
                let new_width = input.schema.len();
                moves.extend((width..count).map(|column| Some(column - width + new_width)));
                plan.schema = renamed(&plan.schema, &moves);
                moves
            }
            Operator::MakeSeries { input, aggregates, axis, keys, .. } => {
                let mut needed = BTreeSet::new();
                keys.iter().for_each(|key| columns_of(key, &mut needed));
                aggregates.iter().for_each(|aggregate| aggregate_columns(aggregate, &mut needed));
                columns_of(axis, &mut needed);
                let moves = self.prune(input, &needed);
                keys.iter_mut().for_each(|key| moved(key, &moves));
                aggregates.iter_mut().for_each(|aggregate| aggregate_moved(aggregate, &moves));
                moved(axis, &moves);
                identity(count)
            }
            Operator::SampleDistinct { input, of, .. } => {
                let mut needed = BTreeSet::new();
                columns_of(of, &mut needed);
                let moves = self.prune(input, &needed);
                moved(of, &moves);
                identity(count)
            }
            Operator::External(_)
            | Operator::Values { .. }
            | Operator::Range { .. }
            | Operator::Argument
            | Operator::Plugin { .. }
            | Operator::MvApply { .. }
            | Operator::Reduce { .. }
            | Operator::ScalarApply { .. }
            | Operator::ScanSteps { .. }
            | Operator::GraphSearch { .. }
            | Operator::GraphTable { .. }
            | Operator::GraphPartition { .. }
            | Operator::Partition { .. } => {
                for input in inputs_mut(&mut plan.operator) {
                    self.whole(input);
                }
                identity(count)
            }
        }
    }
}

/// Drops outputs of a `parse` that nobody reads, where neither the other values nor which rows fit depend on them;
/// yields where each went.
fn parse_outputs(
    kind: ParseKind,
    segments: &mut [ParseSegment],
    outputs: &mut Vec<Type>,
    is_wanted: impl Fn(usize) -> bool,
) -> Moves {
    let mut dropped = BTreeSet::new();
    let mut captures = vec![0; outputs.len()];
    for segment in segments.iter() {
        if let ParseSegment::Capture { output } = segment
            && let Some(count) = captures.get_mut(*output)
        {
            *count += 1;
        }
    }
    for place in 0..segments.len() {
        // A text always fits, and up to the next text of the pattern anything may stand.
        let is_last =
            !matches!(segments.get(place + 1), Some(ParseSegment::Capture { .. } | ParseSegment::Star));
        if let Some(ParseSegment::Capture { output }) = segments.get(place).cloned()
            && kind != ParseKind::Regex
            && is_last
            && outputs.get(output) == Some(&Type::String)
            && captures.get(output) == Some(&1)
            && !is_wanted(output)
        {
            segments[place] = ParseSegment::Star;
            dropped.insert(output);
        }
    }
    let kept: BTreeSet<usize> = (0..outputs.len()).filter(|output| !dropped.contains(output)).collect();
    let moves = moves_of(&kept, outputs.len());
    for segment in segments {
        if let ParseSegment::Capture { output } = segment
            && let Some(Some(place)) = moves.get(*output)
        {
            *output = *place;
        }
    }
    *outputs = kept.iter().filter_map(|output| outputs.get(*output).copied()).collect();
    moves
}

/// The schema after the moves, with the names it had.
fn renamed(schema: &Schema, moves: &Moves) -> Schema {
    let mut kept: Vec<(usize, usize)> =
        moves.iter().enumerate().filter_map(|(old, new)| new.map(|new| (new, old))).collect();
    kept.sort_unstable();
    kept.into_iter().filter_map(|(_, old)| schema.get(old).cloned()).collect()
}

/// The column that is the cheapest to read, for operators that only count rows.
fn narrowest(schema: &Schema) -> Option<usize> {
    let weight = |ty: Type| match ty {
        Type::Bool => 0,
        Type::Int => 1,
        Type::DateTime => 2,
        Type::Long | Type::TimeSpan => 3,
        Type::Real => 4,
        Type::Guid | Type::Decimal => 5,
        Type::String => 6,
        Type::Dynamic => 7,
    };
    (0..schema.len()).min_by_key(|position| weight(schema[*position].ty))
}
