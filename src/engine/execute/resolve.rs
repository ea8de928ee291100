//! Conditions with the answers of their subqueries in place, for whoever prunes by them: `in (subquery)` of a
//! few values is a list of values, `toscalar(…)` a constant, and the keys of a join's hashed side are a
//! condition on the other side.

use arrow_array::{Array, ArrayRef};
use conshelf_kql::function::{FunctionId, OperatorFunction};
use conshelf_kql::optimise;
use conshelf_kql::plan::{Expr, ExprKind, Operator, Plan};
use conshelf_kql::{Type, Value};

use crate::engine::error::Result;
use crate::engine::evaluate::SubqueryResolver;
use crate::engine::literal;

/// Longer lists prune little and cost much to compare with.
pub const VALUES_MAX: usize = 256;

/// The condition without its subqueries as far as that says more to storage.
pub fn resolve(condition: &Expr, subqueries: &mut dyn SubqueryResolver) -> Result<Expr> {
    let kind = match &condition.kind {
        ExprKind::ScalarSubquery(plan) => ExprKind::Constant(subqueries.scalar(plan, condition.ty)?),
        ExprKind::Parameter(number) => ExprKind::Constant(subqueries.parameter(*number)?),
        ExprKind::InSubquery { value, plan, negated: false, ignore_case: false }
            if plan.schema.first().is_some_and(|column| column.ty == value.ty) =>
        {
            match list(&subqueries.column(plan)?, value.ty)? {
                Some(values) => return Ok(is_in(value, values)),
                None => condition.kind.clone(),
            }
        }
        ExprKind::Call { function, arguments } => {
            let arguments =
                arguments.iter().map(|argument| resolve(argument, subqueries)).collect::<Result<_>>()?;
            ExprKind::Call { function: *function, arguments }
        }
        _ => condition.kind.clone(),
    };
    Ok(Expr { kind, ty: condition.ty })
}

fn is_in(value: &Expr, values: Vec<Value>) -> Expr {
    let arguments = std::iter::once(value.clone()).chain(values.into_iter().map(Expr::constant)).collect();
    Expr::call(FunctionId::Operator(OperatorFunction::In), arguments, Type::Bool)
}

/// The different values of columns, if they are few and all of a kind that storage compares.
fn list(pieces: &[ArrayRef], ty: Type) -> Result<Option<Vec<Value>>> {
    if !matches!(ty, Type::String | Type::Int | Type::Long | Type::DateTime | Type::TimeSpan | Type::Guid) {
        return Ok(None);
    }
    let mut values = Vec::new();
    for piece in pieces {
        if piece.null_count() > 0 || piece.len() > VALUES_MAX {
            return Ok(None);
        }
        for row in 0..piece.len() {
            let value = literal::array_to_value(piece, row, ty)?;
            if !values.contains(&value) {
                values.push(value);
            }
        }
        if values.len() > VALUES_MAX {
            return Ok(None);
        }
    }
    // A list of no values is not a call.
    Ok(Some(values).filter(|values| !values.is_empty()))
}

/// The plan of a join's streaming side without rows that have no partner, where its scan can tell them: `found`
/// are the different keys of the hashed side. `None`: nothing to gain.
pub fn with_partners(plan: &Plan, keys: &[Expr], found: &[ArrayRef]) -> Result<Option<Plan>> {
    if !reads_table(plan) {
        return Ok(None);
    }
    let mut narrowed: Option<Plan> = None;
    for (key, values) in keys.iter().zip(found) {
        let Some(values) = list(std::slice::from_ref(values), key.ty)? else { continue };
        optimise::restrict(narrowed.get_or_insert_with(|| plan.clone()), is_in(key, values));
    }
    Ok(narrowed)
}

/// Whether a condition on the plan's rows would reach a scan.
fn reads_table(plan: &Plan) -> bool {
    match &*plan.operator {
        Operator::Scan { .. } => true,
        Operator::Project { input, .. } | Operator::Filter { input, .. } => reads_table(input),
        _ => false,
    }
}
