//! Scalar functions by example: each case is an expression and the text of its value. It must come out the
//! same however the arguments reach the kernels: as constants, as columns, as slices, beside nulls, as
//! dictionaries, and must yield nothing for no rows.

mod conditional;
mod conversion;
mod hash;
mod model;
mod operator;
mod string;

use std::sync::Arc;

use arrow_array::types::UInt32Type;
use arrow_array::{Array, ArrayRef, DictionaryArray, UInt32Array};
use conshelf_kql::catalog::TestCatalog;
use conshelf_kql::function::signature::Form;
use conshelf_kql::function::{FunctionId, signature};
use conshelf_kql::plan::{Expr, ExprKind, Operator};
use conshelf_kql::{Type, Value};

use crate::engine::batch::Batch;
use crate::engine::context::{QueryContext, QueryLimits};
use crate::engine::evaluate::{NoSubqueries, PreparedExpression, fold};
use crate::engine::kernel::Datum;
use crate::engine::kernel::conversion::Printer;
use crate::engine::literal::{array_to_value, flatten, null_column, repeat, value_to_array};

pub fn query() -> Arc<QueryContext> {
    QueryContext::new(QueryLimits::default(), 638_000_000_000_000_000)
}

/// The typed expression of a text, its constants not folded.
pub fn bind(text: &str) -> Expr {
    let statement = format!("print result = {text}");
    let parsed = conshelf_kql::parser::parse(&statement);
    assert!(parsed.diagnostics.is_empty(), "{text}: {:?}", parsed.diagnostics);
    let bound = conshelf_kql::bind::bind(&parsed.query, &statement, &TestCatalog::default());
    let plan = bound.plan.unwrap_or_else(|| panic!("{text}: {:?}", bound.diagnostics));
    match *plan.results[0].plan.operator.clone() {
        Operator::Project { expressions, .. } => expressions[0].clone(),
        Operator::Values { rows } => Expr::constant(rows[0][0].clone()),
        other => panic!("{text}: bound to {other:?}"),
    }
}

/// A value as `tostring` prints it; `null` for null.
pub fn show(value: &Value) -> String {
    if value.is_null() {
        return String::from("null");
    }
    let datum = Datum::Constant(value_to_array(value));
    let mut text = String::new();
    Printer::new(&datum, value.ty()).expect("a printable value").print(0, &mut text);
    text
}

/// Turns the constants of an expression into columns, but for those that must be constant.
fn spread(expr: &Expr, columns: &mut Vec<Value>) -> Expr {
    let ExprKind::Call { function, arguments } = &expr.kind else { return expr.clone() };
    let arguments = arguments
        .iter()
        .enumerate()
        .map(|(position, argument)| match &argument.kind {
            ExprKind::Constant(value) if !must_be_constant(*function, position) => {
                columns.push(value.clone());
                Expr::column(columns.len() - 1, argument.ty)
            }
            _ => spread(argument, columns),
        })
        .collect();
    Expr::call(*function, arguments, expr.ty)
}

fn must_be_constant(function: FunctionId, position: usize) -> bool {
    signature::signatures(function).iter().any(|signature| {
        let parameter = signature.parameters.get(position).or(signature.parameters.last());
        parameter
            .is_some_and(|parameter| matches!(parameter.form, Form::Constant | Form::Literal | Form::Type))
    })
}

/// How the columns of a batch are held.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Shape {
    Flat,
    Sliced,
    /// The middle row is null everywhere.
    BesideNulls,
    Dictionaries,
}

const ROWS: usize = 3;

fn column(value: &Value, shape: Shape) -> ArrayRef {
    let one = value_to_array(value);
    match shape {
        Shape::Flat => repeat(&one, ROWS).expect("repeatable"),
        Shape::Sliced => {
            let other = null_column(value.ty(), 1);
            let parts: Vec<&dyn Array> = vec![&other, &one, &one, &one, &other];
            arrow_select::concat::concat(&parts).expect("one type").slice(1, ROWS)
        }
        Shape::BesideNulls => {
            let other = null_column(value.ty(), 1);
            arrow_select::concat::concat(&[&one, &other, &one]).expect("one type")
        }
        Shape::Dictionaries if value.ty() == Type::String => {
            let keys = UInt32Array::from(vec![0; ROWS]);
            Arc::new(DictionaryArray::<UInt32Type>::try_new(keys, one).expect("a dictionary"))
        }
        Shape::Dictionaries => repeat(&one, ROWS).expect("repeatable"),
    }
}

/// Checks cases of expression and printed value.
pub fn check(cases: &[(&str, &str)]) {
    let query = query();
    for (text, expected) in cases {
        let expr = bind(text);
        let value = fold(&expr, &query).unwrap_or_else(|| {
            let failed = PreparedExpression::prepare(&expr, &query, &mut NoSubqueries);
            panic!("{text} has no value: {failed:?}")
        });
        assert_eq!(value.ty(), expr.ty, "{text}");
        assert_eq!(show(&value), *expected, "{text}");

        let mut values = Vec::new();
        let varying = spread(&expr, &mut values);
        let prepared = PreparedExpression::prepare(&varying, &query, &mut NoSubqueries)
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        for shape in [Shape::Flat, Shape::Sliced, Shape::BesideNulls, Shape::Dictionaries] {
            let columns = values.iter().map(|value| column(value, shape)).collect();
            let result = prepared
                .evaluate_column(&Batch::new(columns, ROWS), &query)
                .unwrap_or_else(|error| panic!("{text} {shape:?}: {error}"));
            assert_eq!(result.len(), ROWS, "{text} {shape:?}");
            for row in (0..ROWS).filter(|row| shape != Shape::BesideNulls || *row != 1) {
                let found = array_to_value(&result, row, varying.ty).expect("readable");
                assert_eq!(show(&found), *expected, "{text} {shape:?} row {row}");
            }
        }
        let columns = values.iter().map(|value| column(value, Shape::Flat).slice(0, 0)).collect();
        let result = prepared.evaluate_column(&Batch::new(columns, 0), &query);
        assert_eq!(result.map(|result| result.len()).ok(), Some(0), "{text} for no rows");
    }
}

/// The values of an expression over columns.
pub fn over(text_of: impl Fn(&[Expr]) -> Expr, columns: Vec<(Type, ArrayRef)>) -> Vec<Value> {
    let query = query();
    let expressions: Vec<Expr> =
        columns.iter().enumerate().map(|(position, (ty, _))| Expr::column(position, *ty)).collect();
    let expr = text_of(&expressions);
    let rows = columns.first().map_or(1, |(_, array)| array.len());
    let batch = Batch::new(columns.into_iter().map(|(_, array)| array).collect(), rows);
    let prepared = PreparedExpression::prepare(&expr, &query, &mut NoSubqueries).expect("preparable");
    let result = prepared.evaluate_column(&batch, &query).expect("a column");
    let result = flatten(&result).expect("flat");
    (0..rows).map(|row| array_to_value(&result, row, expr.ty).expect("readable")).collect()
}

#[test]
fn documented_examples_of_these_families_hold() {
    let families = FunctionId::all().filter(|function| {
        matches!(
            function,
            FunctionId::Operator(_)
                | FunctionId::Conditional(_)
                | FunctionId::Conversion(_)
                | FunctionId::Hash(_)
                | FunctionId::String(_)
        )
    });
    for function in families {
        assert!(!function.spec().summary.is_empty(), "{}", function.spec().name);
        assert_eq!(signature::signatures(function).len(), function.spec().signatures.len());
    }
}
