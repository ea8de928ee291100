//! Where rows come from: `ingestion_time()`, `extent_id()` and their kin read hidden columns of the scan below.
//!
//! The binder leaves the calls in the plan. Here each is given a column that is carried from the scan up to the
//! operator that asks, through whatever keeps rows as they are; where rows come from no table, the answer is
//! that of a row without a place.

use crate::function::{ContextFunction, FunctionId};
use crate::optimise::tree::{
    bottom_up, change_expressions, change_subqueries, inputs_mut, take, visit_expressions,
};
use crate::plan::{Expr, ExprKind, Operator, Plan};
use crate::types::{Column, Type};
use crate::value::{Dynamic, Value};

/// What a scan knows of a row beside its columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hidden {
    IngestionTime,
    ExtentId,
    ExtentTags,
}

impl Hidden {
    const ALL: [Hidden; 3] = [Hidden::IngestionTime, Hidden::ExtentId, Hidden::ExtentTags];

    fn of(function: FunctionId) -> Option<Hidden> {
        match function {
            FunctionId::Context(ContextFunction::IngestionTime) => Some(Hidden::IngestionTime),
            FunctionId::Context(ContextFunction::ExtentId) => Some(Hidden::ExtentId),
            FunctionId::Context(ContextFunction::ExtentTags) => Some(Hidden::ExtentTags),
            _ => None,
        }
    }

    /// The column under the name by which a scan yields it.
    fn column(self) -> Column {
        match self {
            Hidden::IngestionTime => Column::new("$IngestionTime", Type::DateTime),
            Hidden::ExtentId => Column::new("$ExtentId", Type::Guid),
            Hidden::ExtentTags => Column::new("$ExtentTags", Type::Dynamic),
        }
    }

    /// Of a row that is stored nowhere.
    fn absent(self) -> Value {
        match self {
            Hidden::IngestionTime => Value::Null(Type::DateTime),
            Hidden::ExtentId => Value::Guid(Default::default()),
            Hidden::ExtentTags => Value::Dynamic(Dynamic::Array(Vec::new())),
        }
    }
}

/// Gives every call of a plan its column.
pub(super) fn settle(plan: &mut Plan) {
    bottom_up(plan, &mut settle_operator);
}

fn settle_operator(plan: &mut Plan) {
    change_expressions(&mut plan.operator, &mut |expression| change_subqueries(expression, &mut settle));
    for hidden in Hidden::ALL {
        let mut asked = false;
        visit_expressions(&plan.operator, &mut |expression| asked = asked || asks(expression, hidden));
        if !asked {
            continue;
        }
        let width = plan.schema.len();
        let column = match reads_its_input(&plan.operator) {
            true => inputs_mut(&mut plan.operator).into_iter().next().and_then(|input| carry(input, hidden)),
            false => None,
        };
        change_expressions(&mut plan.operator, &mut |expression| answer(expression, hidden, column));
        if column.is_some() {
            drop_carried(plan, width);
        }
    }
}

/// Whether the expressions of an operator are over the columns of its first input.
fn reads_its_input(operator: &Operator) -> bool {
    matches!(
        operator,
        Operator::Filter { .. }
            | Operator::Project { .. }
            | Operator::Summarize { .. }
            | Operator::Sort { .. }
            | Operator::Top { .. }
            | Operator::SampleDistinct { .. }
            | Operator::MakeSeries { .. }
    )
}

fn asks(expression: &Expr, hidden: Hidden) -> bool {
    match &expression.kind {
        ExprKind::Call { function, arguments } => {
            Hidden::of(*function) == Some(hidden) || arguments.iter().any(|argument| asks(argument, hidden))
        }
        ExprKind::InSubquery { value, .. } => asks(value, hidden),
        _ => false,
    }
}

fn answer(expression: &mut Expr, hidden: Hidden, column: Option<usize>) {
    match &mut expression.kind {
        ExprKind::Call { function, .. } if Hidden::of(*function) == Some(hidden) => {
            expression.kind = match column {
                Some(position) => ExprKind::Column(position),
                None => ExprKind::Constant(hidden.absent()),
            };
        }
        ExprKind::Call { arguments, .. } => {
            arguments.iter_mut().for_each(|argument| answer(argument, hidden, column));
        }
        ExprKind::InSubquery { value, .. } => answer(value, hidden, column),
        _ => {}
    }
}

/// Appends the hidden column to what a plan yields; its position, or `None` where the rows are of no table.
fn carry(plan: &mut Plan, hidden: Hidden) -> Option<usize> {
    let known = hidden.column();
    match plan.operator.as_mut() {
        Operator::Scan { columns, .. } => {
            if let Some(position) = columns.iter().position(|column| *column == known.name) {
                return Some(position);
            }
            columns.push(known.name.clone());
            plan.schema.push(known);
            Some(plan.schema.len() - 1)
        }
        Operator::Filter { input, .. }
        | Operator::Sort { input, .. }
        | Operator::Top { input, .. }
        | Operator::Take { input, .. }
        | Operator::Serialize { input }
        | Operator::Sample { input, .. } => {
            let position = carry(input, hidden)?;
            plan.schema = input.schema.clone();
            Some(position)
        }
        Operator::Project { input, expressions } => {
            let position = carry(input, hidden)?;
            expressions.push(Expr::column(position, known.ty));
            plan.schema.push(known);
            Some(plan.schema.len() - 1)
        }
        Operator::Parse { input, .. }
        | Operator::ParseKv { input, .. }
        | Operator::MvExpand { input, .. } => {
            let width = input.schema.len();
            let position = carry(input, hidden)?;
            if position < width {
                return Some(position);
            }
            plan.schema.insert(position, known);
            // What the operator appends comes after the carried column: put it last.
            let order: Vec<usize> =
                (0..plan.schema.len()).filter(|at| *at != position).chain([position]).collect();
            project(plan, &order);
            Some(plan.schema.len() - 1)
        }
        Operator::Union { inputs, .. } => {
            let width = plan.schema.len();
            for input in inputs.iter_mut() {
                let position = carry(input, hidden);
                let below = take(input);
                let mut expressions: Vec<Expr> =
                    (0..width).map(|at| Expr::column(at, below.schema[at].ty)).collect();
                expressions.push(match position {
                    Some(position) => Expr::column(position, known.ty),
                    None => Expr { kind: ExprKind::Constant(hidden.absent()), ty: known.ty },
                });
                let mut schema = below.schema[..width].to_vec();
                schema.push(known.clone());
                *input = Plan::new(Operator::Project { input: below, expressions }, schema);
            }
            plan.schema.push(known);
            Some(width)
        }
        _ => None,
    }
}

/// An operator that yields the columns of its input yields the carried one too: it goes no further.
fn drop_carried(plan: &mut Plan, width: usize) {
    let carried = match plan.operator.as_ref() {
        Operator::Filter { input, .. } | Operator::Sort { input, .. } | Operator::Top { input, .. } => {
            input.schema.clone()
        }
        _ => return,
    };
    if carried.len() > width {
        plan.schema = carried;
        let order: Vec<usize> = (0..width).collect();
        project(plan, &order);
    }
}

fn project(plan: &mut Plan, order: &[usize]) {
    let input = take(plan);
    let schema: Vec<Column> = order.iter().map(|at| input.schema[*at].clone()).collect();
    let expressions = order.iter().zip(&schema).map(|(at, column)| Expr::column(*at, column.ty)).collect();
    *plan = Plan::new(Operator::Project { input, expressions }, schema);
}
