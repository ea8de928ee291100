//! Rewrites of plans that keep their answers: the same rows in the same order, sooner. A rule a file.
//!
//! Rules know nothing of statistics or of how operators run; they fold, move and drop. What is computed once
//! for several readers ([`Operator::Shared`]) is rewritten by itself, so that all its copies stay equal; of columns it
//! keeps what any of its readers reads.
//!
//! ```text
//! fold ─▶ ignore_case ─▶ push_filter ─▶ bin_range ─▶ drop_sort ─▶ push_take ─▶ top ─▶ prune_columns
//! ```

mod bin_range;
mod drop_sort;
mod fold;
mod ignore_case;
mod prune_columns;
mod push_filter;
mod push_take;
pub mod time_scope;
mod top;
pub(crate) mod tree;

use crate::catalog::Catalog;
use crate::plan::{Expr, Plan, QueryPlan};

/// Rewrites all results of a query.
pub fn optimise(plan: QueryPlan, catalog: &dyn Catalog) -> QueryPlan {
    let mut plan = plan;
    for result in &mut plan.results {
        rewrite(&mut result.plan, catalog);
    }
    let mut plans: Vec<&mut Plan> = plan.results.iter_mut().map(|result| &mut result.plan).collect();
    prune_columns::apply(&mut plans);
    plan
}

/// Keeps only rows for which the condition, over the plan's columns, holds; it moves to the data.
pub fn restrict(plan: &mut Plan, condition: Expr) {
    push_filter::restrict(plan, condition);
}

fn rewrite(plan: &mut Plan, catalog: &dyn Catalog) {
    fold::apply(plan, catalog);
    ignore_case::apply(plan);
    push_filter::apply(plan);
    bin_range::apply(plan);
    // Conditions that moved through projections may hold new constants.
    fold::apply(plan, catalog);
    drop_sort::apply(plan);
    push_take::apply(plan);
    top::apply(plan);
}

#[cfg(test)]
mod tests;
