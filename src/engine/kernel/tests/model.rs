//! Operators over random columns against the obvious row-by-row meaning.

use std::sync::Arc;

use arrow_array::types::UInt32Type;
use arrow_array::{ArrayRef, DictionaryArray, Float64Array, Int64Array, StringViewArray};
use conshelf_kql::function::{FunctionId, OperatorFunction};
use conshelf_kql::plan::Expr;
use conshelf_kql::{Type, Value};
use proptest::prelude::*;

use super::over;

fn call(operator: OperatorFunction, arguments: &[Expr], ty: Type) -> Expr {
    Expr::call(FunctionId::Operator(operator), arguments.to_vec(), ty)
}

fn longs() -> impl Strategy<Value = Vec<Option<i64>>> {
    let long = prop_oneof![-4i64..5, any::<i64>(), Just(i64::MIN), Just(i64::MAX)];
    prop::collection::vec(prop::option::weighted(0.8, long), 0..20)
}

fn reals() -> impl Strategy<Value = Vec<Option<f64>>> {
    let real = prop_oneof![-3.0..3.0, Just(0.0), Just(-0.0), Just(f64::NAN), Just(f64::INFINITY)];
    prop::collection::vec(prop::option::weighted(0.8, real), 0..20)
}

fn long_value(value: Option<i64>) -> Value {
    value.map_or(Value::Null(Type::Long), Value::Long)
}

fn bool_value(value: Option<bool>) -> Value {
    value.map_or(Value::Null(Type::Bool), Value::Bool)
}

/// The five relations that are not `==` and `!=`, and those two, of values that may be null.
fn relate<T: PartialOrd>(operator: OperatorFunction, left: Option<T>, right: Option<T>) -> Option<bool> {
    use OperatorFunction as F;
    match (operator, left, right) {
        (_, None, None) => None,
        (F::Equal, Some(left), Some(right)) => Some(left == right),
        (F::NotEqual, Some(left), Some(right)) => Some(left != right),
        (F::Equal, _, _) => Some(false),
        (F::NotEqual, _, _) => Some(true),
        (F::Less, Some(left), Some(right)) => Some(left < right),
        (F::LessOrEqual, Some(left), Some(right)) => Some(left <= right),
        (F::Greater, Some(left), Some(right)) => Some(left > right),
        (F::GreaterOrEqual, Some(left), Some(right)) => Some(left >= right),
        _ => None,
    }
}

const RELATIONS: [OperatorFunction; 6] = [
    OperatorFunction::Equal,
    OperatorFunction::NotEqual,
    OperatorFunction::Less,
    OperatorFunction::LessOrEqual,
    OperatorFunction::Greater,
    OperatorFunction::GreaterOrEqual,
];

fn dictionary(texts: &[String]) -> ArrayRef {
    let array: DictionaryArray<UInt32Type> = {
        let mut values: Vec<&str> = texts.iter().map(String::as_str).collect();
        values.sort_unstable();
        values.dedup();
        let keys: Vec<u32> = texts
            .iter()
            .map(|text| values.iter().position(|value| value == text).unwrap_or(0) as u32)
            .collect();
        DictionaryArray::new(keys.into(), Arc::new(StringViewArray::from_iter_values(values)))
    };
    Arc::new(array)
}

proptest! {
    #[test]
    fn integers(left in longs(), right in longs()) {
        use OperatorFunction as F;
        let rows = left.len().min(right.len());
        let (left, right) = (&left[..rows], &right[..rows]);
        let columns = || -> Vec<(Type, ArrayRef)> {
            vec![
                (Type::Long, Arc::new(Int64Array::from(left.to_vec()))),
                (Type::Long, Arc::new(Int64Array::from(right.to_vec()))),
            ]
        };
        let model = |operator: F, a: i64, b: i64| match operator {
            F::Add => Some(a.wrapping_add(b)),
            F::Subtract => Some(a.wrapping_sub(b)),
            F::Multiply => Some(a.wrapping_mul(b)),
            F::Divide => (b != 0).then(|| a.wrapping_div(b)),
            _ => (b != 0).then(|| a.wrapping_rem_euclid(b)),
        };
        for operator in [F::Add, F::Subtract, F::Multiply, F::Divide, F::Modulo] {
            let found = over(|columns| call(operator, columns, Type::Long), columns());
            for row in 0..rows {
                let expected = left[row].zip(right[row]).and_then(|(a, b)| model(operator, a, b));
                prop_assert_eq!(&found[row], &long_value(expected), "{:?} row {}", operator, row);
            }
        }
        for operator in RELATIONS {
            let found = over(|columns| call(operator, columns, Type::Bool), columns());
            for row in 0..rows {
                prop_assert_eq!(&found[row], &bool_value(relate(operator, left[row], right[row])));
            }
            // With a constant on either side.
            if let Some(constant) = right.first().copied() {
                let constant = Expr::constant(long_value(constant));
                let found = over(|columns| call(operator, &[columns[0].clone(), constant.clone()], Type::Bool), columns());
                for row in 0..rows {
                    prop_assert_eq!(&found[row], &bool_value(relate(operator, left[row], right[0])));
                }
                let found = over(|columns| call(operator, &[constant.clone(), columns[0].clone()], Type::Bool), columns());
                for row in 0..rows {
                    prop_assert_eq!(&found[row], &bool_value(relate(operator, right[0], left[row])));
                }
            }
        }
    }

    #[test]
    fn reals_compare_as_numbers(left in reals(), right in reals()) {
        let rows = left.len().min(right.len());
        let (left, right) = (&left[..rows], &right[..rows]);
        for operator in RELATIONS {
            let columns: Vec<(Type, ArrayRef)> = vec![
                (Type::Real, Arc::new(Float64Array::from(left.to_vec()))),
                (Type::Real, Arc::new(Float64Array::from(right.to_vec()))),
            ];
            let found = over(|columns| call(operator, columns, Type::Bool), columns);
            for row in 0..rows {
                prop_assert_eq!(&found[row], &bool_value(relate(operator, left[row], right[row])));
            }
        }
    }

    #[test]
    fn texts_flat_and_as_dictionaries(
        texts in prop::collection::vec("[aAbBéÉ .-]{0,18}", 1..20),
        pattern in "[aAbBé.]{0,3}",
    ) {
        use OperatorFunction as F;
        let lower = |text: &str| text.to_lowercase();
        let flat: ArrayRef = Arc::new(StringViewArray::from_iter_values(&texts));
        let operators = [
            F::Equal, F::NotEqual, F::Less, F::EqualIgnoreCase, F::Contains, F::NotContains, F::ContainsCs,
            F::StartsWith, F::StartsWithCs, F::EndsWith, F::NotEndsWithCs, F::In, F::NotInIgnoreCase,
        ];
        for operator in operators {
            let model = |text: &str| match operator {
                F::Equal | F::In => text == pattern,
                F::NotEqual => text != pattern,
                F::Less => text < pattern.as_str(),
                F::EqualIgnoreCase => lower(text) == lower(&pattern),
                F::NotInIgnoreCase => lower(text) != lower(&pattern),
                F::Contains => lower(text).contains(&lower(&pattern)),
                F::NotContains => !lower(text).contains(&lower(&pattern)),
                F::ContainsCs => text.contains(&pattern),
                F::StartsWith => lower(text).starts_with(&lower(&pattern)),
                F::StartsWithCs => text.starts_with(&pattern),
                F::EndsWith => lower(text).ends_with(&lower(&pattern)),
                _ => !text.ends_with(&pattern),
            };
            let constant = Expr::constant(Value::String(pattern.clone()));
            for column in [flat.clone(), dictionary(&texts)] {
                let found = over(
                    |columns| call(operator, &[columns[0].clone(), constant.clone()], Type::Bool),
                    vec![(Type::String, column)],
                );
                for (text, found) in texts.iter().zip(found) {
                    prop_assert_eq!(found, Value::Bool(model(text)), "{:?} {} {}", operator, text, pattern);
                }
            }
            // The pattern as a column.
            let patterns: ArrayRef = Arc::new(StringViewArray::from_iter_values(texts.iter().map(|_| &pattern)));
            let found = over(
                |columns| call(operator, columns, Type::Bool),
                vec![(Type::String, flat.clone()), (Type::String, patterns)],
            );
            for (text, found) in texts.iter().zip(found) {
                prop_assert_eq!(found, Value::Bool(model(text)), "{:?} {} {}", operator, text, pattern);
            }
        }
    }

    #[test]
    fn conditions_leave_the_rows_where_they_are_true(
        left in prop::collection::vec(prop::option::of(any::<bool>()), 1..40),
        seed in any::<u64>(),
    ) {
        use crate::engine::batch::Batch;
        use crate::engine::evaluate::{NoSubqueries, PreparedExpression};
        use OperatorFunction as F;
        let right: Vec<Option<i64>> = left.iter().enumerate().map(|(row, _)| match (seed >> (row % 60)) & 3 {
            0 => None,
            bits => Some(bits as i64),
        }).collect();
        let columns: Vec<ArrayRef> = vec![
            Arc::new(arrow_array::BooleanArray::from(left.clone())),
            Arc::new(Int64Array::from(right.clone())),
        ];
        let two = Expr::constant(Value::Long(2));
        let compared = call(F::Equal, &[Expr::column(1, Type::Long), two], Type::Bool);
        let expr = call(F::And, &[Expr::column(0, Type::Bool), compared], Type::Bool);
        let query = super::query();
        let prepared = PreparedExpression::prepare(&expr, &query, &mut NoSubqueries).expect("preparable");
        let selected = prepared.select(&Batch::new(columns, left.len()), &query).expect("rows");
        for row in 0..left.len() {
            prop_assert_eq!(selected.value(row), left[row] == Some(true) && right[row] == Some(2));
        }
    }
}
