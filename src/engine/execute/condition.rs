//! A condition that every row of a scan must meet, as the scan, the indexes and the cache know it.

use conshelf_kql::plan::{Expr, ExprKind};
use conshelf_storage::{ColumnType, EXTENT_TAGS_COLUMN, Morsel, TextTest};

use crate::engine::cache::Fingerprint;
use crate::engine::error::Result;
use crate::engine::evaluate::PreparedExpression;
use crate::engine::execute::Executor;
use crate::engine::execute::expression::Expressions;
use crate::engine::execute::filter::conjuncts;
use crate::engine::execute::partial;
use crate::engine::execute::path::Paths;
use crate::engine::execute::rewrite::{columns_of, fold_constants, substitute};
use crate::engine::execute::text_fact;
use crate::engine::pruning::{self, Translation};

/// A condition every row must meet.
pub struct Condition {
    pub expression: PreparedExpression,
    /// Positions of the columns it reads.
    pub columns: Vec<usize>,
    pub translation: Option<Translation>,
    /// A column of texts and a test that they pass wherever the condition holds.
    pub hint: Option<(usize, TextTest)>,
    /// Names it; `None`: whether it holds does not follow from the row alone.
    pub fingerprint: Option<u128>,
}

impl Condition {
    /// The parts of a predicate, those first that are cheap to read and that indexes know something of. Paths into
    /// dynamic columns are added to `paths`; translation and fingerprint are of the condition as written.
    pub fn all(
        executor: &Executor,
        predicate: Option<&Expr>,
        columns: &[(u32, ColumnType)],
        paths: &mut Paths,
    ) -> Result<Vec<Condition>> {
        let list = predicate.map_or_else(Vec::new, conjuncts);
        let (prepared, resolved) = Expressions::resolved(executor, &list)?;
        let mut conditions: Vec<Condition> = resolved
            .iter()
            .zip(prepared.into_prepared())
            .map(|(condition, expression)| {
                let expression = paths.prepare(condition, expression, &executor.query);
                let folded = fold_constants(condition, &executor.query);
                let translation = pruning::translate(&folded, columns);
                let fingerprint = partial::deterministic(condition, &executor.query)
                    .and_then(|condition| fingerprint(&condition, columns));
                let hint = text_fact::hint(&folded);
                Condition { columns: expression.columns(), expression, translation, hint, fingerprint }
            })
            .collect();
        conditions.sort_by_key(|condition| {
            let texts = condition.columns.iter().any(|position| {
                !matches!(
                    columns.get(*position),
                    Some((_, ty)) if !matches!(ty, ColumnType::String | ColumnType::Dynamic)
                )
            });
            (texts, condition.translation.is_none())
        });
        Ok(conditions)
    }

    /// Whether statistics say that every row of the morsel meets the condition.
    pub fn always_holds(&self, morsel: &Morsel) -> bool {
        self.translation.as_ref().is_some_and(|translation| {
            translation.exact
                && pruning::always_true(&translation.predicate, &|column| morsel.statistics(column))
        })
    }
}

/// Names a condition by the columns it reads; `None` where that cannot be.
fn fingerprint(condition: &Expr, columns: &[(u32, ColumnType)]) -> Option<u128> {
    let by_id: Vec<Expr> = columns
        .iter()
        .map(|(id, _)| Expr { kind: ExprKind::Column(*id as usize), ty: condition.ty })
        .collect();
    let mut used = Vec::new();
    columns_of(condition, &mut used);
    let mut types: Vec<&(u32, ColumnType)> =
        used.iter().map(|position| columns.get(*position)).collect::<Option<_>>()?;
    // Tags of an extent may be altered.
    if types.iter().any(|(id, _)| *id == EXTENT_TAGS_COLUMN) {
        return None;
    }
    types.sort_unstable_by_key(|(id, _)| *id);
    Some(Fingerprint::default().add(&substitute(condition, &by_id)?).add(&types).finish())
}
