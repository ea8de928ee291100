//! The executor against a slow model that goes row by row: random small tables with nulls, random plans of
//! filters, projections, summaries, joins, sorts and unions. One worker and several must agree with it.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use conshelf::engine::QueryContext;
use conshelf::engine::context::QueryLimits;
use conshelf::engine::execute::Executor;
use conshelf::engine::literal::array_to_value;
use conshelf_kql::function::{AggregateFunction, FunctionId, OperatorFunction};
use conshelf_kql::plan::{Aggregate, Expr, JoinKind, Operator, Plan, SortKey, UnionKind};
use conshelf_kql::{Column, Schema, Type, Value};
use proptest::prelude::*;

type Row = Vec<Value>;

/// A plan beside the rows it should yield. `ordered`: in this order.
#[derive(Clone, Debug)]
struct Case {
    plan: Plan,
    rows: Vec<Row>,
    ordered: bool,
}

fn table_schema() -> Schema {
    vec![
        Column::new("number", Type::Long),
        Column::new("text", Type::String),
        Column::new("real", Type::Real),
        Column::new("time", Type::DateTime),
        Column::new("flag", Type::Bool),
    ]
}

fn number() -> impl Strategy<Value = Value> {
    prop_oneof![4 => (-3i64..4).prop_map(Value::Long), 1 => Just(Value::Null(Type::Long))]
}

fn row() -> impl Strategy<Value = Row> {
    let text = prop_oneof![
        Just(""),
        Just("a"),
        Just("A"),
        Just("a text that is longer than twelve bytes"),
        Just("a text that is longer than twelve byteS")
    ];
    let real = prop_oneof![
        (-3i32..3).prop_map(|value| Value::Real(f64::from(value) / 2.0)),
        Just(Value::Real(f64::NAN)),
        Just(Value::Real(-0.0)),
        Just(Value::Null(Type::Real)),
    ];
    let time = prop_oneof![(0i64..5).prop_map(Value::DateTime), Just(Value::Null(Type::DateTime))];
    let flag = prop_oneof![any::<bool>().prop_map(Value::Bool), Just(Value::Null(Type::Bool))];
    (number(), text, real, time, flag).prop_map(|(number, text, real, time, flag)| {
        vec![number, Value::String(text.to_owned()), real, time, flag]
    })
}

/// A union of constant tables, so that several workers find something to do.
fn table() -> impl Strategy<Value = Case> {
    prop::collection::vec(prop::collection::vec(row(), 0..12), 1..5).prop_map(|parts| {
        let inputs = parts
            .iter()
            .map(|rows| Plan::new(Operator::Values { rows: rows.clone() }, table_schema()))
            .collect();
        let plan = Plan::new(Operator::Union { inputs, kind: UnionKind::Outer }, table_schema());
        Case { plan, rows: parts.concat(), ordered: false }
    })
}

/// How values compare as group keys and in results.
fn canonical(value: &Value) -> String {
    match value {
        Value::Real(value) if value.is_nan() => String::from("real NaN"),
        Value::Real(value) => format!("real {}", value + 0.0),
        Value::Null(_) => String::from("null"),
        other => format!("{other:?}"),
    }
}

fn compare(left: &Value, right: &Value, key: &SortKey) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Null(_) => 2,
        Value::Real(value) if value.is_nan() => 1,
        _ => 0,
    };
    let (left_rank, right_rank) = (rank(left), rank(right));
    if left_rank != 0 || right_rank != 0 {
        let order = left_rank.cmp(&right_rank);
        return if key.nulls_first { order.reverse() } else { order };
    }
    let order = match (left, right) {
        (Value::Long(left), Value::Long(right)) | (Value::DateTime(left), Value::DateTime(right)) => {
            left.cmp(right)
        }
        (Value::Real(left), Value::Real(right)) => left.partial_cmp(right).unwrap_or(Ordering::Equal),
        (Value::String(left), Value::String(right)) => left.cmp(right),
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        _ => Ordering::Equal,
    };
    if key.descending { order.reverse() } else { order }
}

fn column(case: &Case, position: usize) -> Expr {
    Expr::column(position, case.plan.schema[position].ty)
}

fn is_true(value: &Value, constant: i64, function: OperatorFunction) -> bool {
    let Value::Long(value) = value else { return false };
    match function {
        OperatorFunction::Equal => *value == constant,
        OperatorFunction::Less => *value < constant,
        _ => *value >= constant,
    }
}

fn filtered(case: Case, constant: i64, function: OperatorFunction) -> Case {
    let predicate = Expr::call(
        FunctionId::Operator(function),
        vec![column(&case, 0), Expr::constant(Value::Long(constant))],
        Type::Bool,
    );
    let rows = case.rows.into_iter().filter(|row| is_true(&row[0], constant, function)).collect();
    let schema = case.plan.schema.clone();
    Case {
        plan: Plan::new(Operator::Filter { input: case.plan, predicate }, schema),
        rows,
        ordered: case.ordered,
    }
}

fn projected(case: Case, positions: &[usize]) -> Case {
    // A number comes first: it is what filters and aggregates look at.
    let width = case.plan.schema.len();
    let number = case.plan.schema.iter().position(|column| column.ty == Type::Long).unwrap_or(0);
    let positions: Vec<usize> = std::iter::once(number).chain(positions.iter().map(|p| p % width)).collect();
    let expressions = positions.iter().map(|position| column(&case, *position)).collect();
    let schema: Schema = positions
        .iter()
        .enumerate()
        .map(|(index, position)| Column::new(format!("c{index}"), case.plan.schema[*position].ty))
        .collect();
    let rows = case
        .rows
        .iter()
        .map(|row| positions.iter().map(|position| row[*position].clone()).collect())
        .collect();
    Case {
        plan: Plan::new(Operator::Project { input: case.plan, expressions }, schema),
        rows,
        ordered: case.ordered,
    }
}

fn sort_keys(case: &Case, choices: &[(usize, bool, bool)]) -> Vec<SortKey> {
    choices
        .iter()
        .map(|(position, descending, nulls_first)| SortKey {
            expression: column(case, position % case.plan.schema.len()),
            descending: *descending,
            nulls_first: *nulls_first,
        })
        .collect()
}

fn sort_rows(case: &mut Case, keys: &[SortKey]) {
    case.rows.sort_by(|left, right| {
        keys.iter().fold(Ordering::Equal, |order, key| {
            order.then_with(|| {
                let conshelf_kql::plan::ExprKind::Column(position) = key.expression.kind else {
                    return Ordering::Equal;
                };
                compare(&left[position], &right[position], key)
            })
        })
    });
}

fn sorted(mut case: Case, choices: &[(usize, bool, bool)], limit: Option<usize>) -> Case {
    let keys = sort_keys(&case, choices);
    sort_rows(&mut case, &keys);
    let schema = case.plan.schema.clone();
    let operator = match limit {
        None => Operator::Sort { input: case.plan, keys },
        Some(limit) => {
            case.rows.truncate(limit);
            Operator::Top { input: case.plan, keys, limit: Expr::constant(Value::Long(limit as i64)) }
        }
    };
    Case { plan: Plan::new(operator, schema), rows: case.rows, ordered: true }
}

fn summarized(case: Case, key_positions: &[usize]) -> Case {
    let width = case.plan.schema.len();
    let positions: Vec<usize> = key_positions.iter().map(|position| position % width).collect();
    let keys: Vec<Expr> = positions.iter().map(|position| column(&case, *position)).collect();
    let aggregate = |function, arguments: Vec<Expr>, condition| Aggregate {
        function: FunctionId::Aggregate(function),
        arguments,
        condition,
        outputs: vec![Type::Long],
    };
    let small = Expr::call(
        FunctionId::Operator(OperatorFunction::Less),
        vec![column(&case, 0), Expr::constant(Value::Long(1))],
        Type::Bool,
    );
    let aggregates = vec![
        aggregate(AggregateFunction::Count, Vec::new(), None),
        aggregate(AggregateFunction::Sum, vec![column(&case, 0)], None),
        aggregate(AggregateFunction::Max, vec![column(&case, 0)], None),
        aggregate(AggregateFunction::Count, Vec::new(), Some(small)),
    ];
    let mut groups: BTreeMap<Vec<String>, (Row, Vec<&Row>)> = BTreeMap::new();
    for row in &case.rows {
        let key: Row = positions.iter().map(|position| row[*position].clone()).collect();
        let name = key.iter().map(canonical).collect();
        groups.entry(name).or_insert_with(|| (key, Vec::new())).1.push(row);
    }
    if positions.is_empty() && groups.is_empty() {
        groups.insert(Vec::new(), (Vec::new(), Vec::new()));
    }
    let rows = groups
        .into_values()
        .map(|(mut key, rows)| {
            let numbers: Vec<i64> = rows
                .iter()
                .filter_map(|row| if let Value::Long(value) = row[0] { Some(value) } else { None })
                .collect();
            key.push(Value::Long(rows.len() as i64));
            key.push(Value::Long(numbers.iter().sum()));
            key.push(numbers.iter().max().map_or(Value::Null(Type::Long), |max| Value::Long(*max)));
            key.push(Value::Long(numbers.iter().filter(|number| **number < 1).count() as i64));
            key
        })
        .collect();
    let mut schema: Schema =
        positions.iter().map(|position| Column::new("", case.plan.schema[*position].ty)).collect();
    schema.extend((0..4).map(|_| Column::new("", Type::Long)));
    let plan = Plan::new(Operator::Summarize { input: case.plan, keys, aggregates }, schema);
    // Numbers first, for whatever is stacked on top.
    let width = positions.len();
    let order: Vec<usize> = (width..width + 4).chain(0..width).collect();
    projected(Case { plan, rows, ordered: false }, &order)
}

const KINDS: [JoinKind; 9] = [
    JoinKind::InnerUnique,
    JoinKind::Inner,
    JoinKind::LeftOuter,
    JoinKind::RightOuter,
    JoinKind::FullOuter,
    JoinKind::LeftSemi,
    JoinKind::RightSemi,
    JoinKind::LeftAnti,
    JoinKind::RightAnti,
];

fn missing(schema: &Schema) -> Row {
    schema
        .iter()
        .map(|column| match column.ty {
            Type::String => Value::String(String::new()),
            ty => Value::Null(ty),
        })
        .collect()
}

fn joined(left: Case, right: Case, kind: JoinKind, by: usize) -> Case {
    // Which row of a key innerunique keeps is open where the order of the left is.
    let kind = if kind == JoinKind::InnerUnique && has_join(&left.plan) { JoinKind::Inner } else { kind };
    // Keys of a type both sides have at that place.
    let usable = |position: &usize| {
        left.plan.schema.get(*position).map(|column| column.ty)
            == right.plan.schema.get(*position).map(|c| c.ty)
            && *position < left.plan.schema.len()
    };
    let positions: Vec<usize> = [by % 5, (by / 5) % 5].into_iter().filter(usable).collect();
    if positions.is_empty() {
        return left;
    }
    let keys = |case: &Case| positions.iter().map(|position| column(case, *position)).collect::<Vec<_>>();
    let key = |row: &Row| positions.iter().map(|position| canonical(&row[*position])).collect::<Vec<_>>();
    let meet = |a: &Row, b: &Row| key(a) == key(b);
    let pair = |a: &Row, b: &Row| a.iter().chain(b).cloned().collect::<Row>();
    let (no_left, no_right) = (missing(&left.plan.schema), missing(&right.plan.schema));
    let mut left_rows = left.rows.clone();
    if kind == JoinKind::InnerUnique {
        let mut seen = std::collections::HashSet::new();
        left_rows.retain(|row| seen.insert(key(row)));
    }
    let mut rows = Vec::new();
    for a in &left_rows {
        let partners: Vec<&Row> = right.rows.iter().filter(|b| meet(a, b)).collect();
        match kind {
            JoinKind::LeftSemi if !partners.is_empty() => rows.push(a.clone()),
            JoinKind::LeftAnti if partners.is_empty() => rows.push(a.clone()),
            JoinKind::LeftSemi | JoinKind::LeftAnti | JoinKind::RightSemi | JoinKind::RightAnti => {}
            JoinKind::LeftOuter | JoinKind::FullOuter if partners.is_empty() => rows.push(pair(a, &no_right)),
            _ => rows.extend(partners.iter().map(|b| pair(a, b))),
        }
    }
    for b in &right.rows {
        let lonely = !left.rows.iter().any(|a| meet(a, b));
        match kind {
            JoinKind::RightSemi if !lonely => rows.push(b.clone()),
            JoinKind::RightAnti if lonely => rows.push(b.clone()),
            JoinKind::RightOuter | JoinKind::FullOuter if lonely => rows.push(pair(&no_left, b)),
            _ => {}
        }
    }
    let schema = match kind {
        JoinKind::LeftSemi | JoinKind::LeftAnti => left.plan.schema.clone(),
        JoinKind::RightSemi | JoinKind::RightAnti => right.plan.schema.clone(),
        _ => left.plan.schema.iter().chain(&right.plan.schema).cloned().collect(),
    };
    let operator = Operator::Join {
        kind,
        left_keys: keys(&left),
        right_keys: keys(&right),
        left: left.plan,
        right: right.plan,
    };
    Case { plan: Plan::new(operator, schema), rows, ordered: false }
}

fn case() -> impl Strategy<Value = Case> {
    let function = prop_oneof![
        Just(OperatorFunction::Equal),
        Just(OperatorFunction::Less),
        Just(OperatorFunction::GreaterOrEqual)
    ];
    table().boxed().prop_recursive(4, 64, 4, move |inner| {
        let choices = prop::collection::vec((0usize..5, any::<bool>(), any::<bool>()), 1..4);
        prop_oneof![
            (inner.clone(), -3i64..4, function.clone())
                .prop_map(|(case, constant, function)| { filtered(case, constant, function) }),
            (inner.clone(), prop::collection::vec(0usize..20, 0..5))
                .prop_map(|(case, positions)| projected(case, &positions)),
            (inner.clone(), choices.clone()).prop_map(|(case, choices)| sorted(case, &choices, None)),
            (inner.clone(), prop::collection::vec(0usize..20, 0..4))
                .prop_map(|(case, positions)| summarized(case, &positions)),
            (inner.clone(), inner.clone(), 0usize..9, 0usize..25).prop_map(|(left, right, kind, by)| joined(
                left,
                right,
                KINDS[kind],
                by
            )),
        ]
        .boxed()
    })
}

fn run(plan: &Plan, workers: usize) -> Vec<Row> {
    run_with(plan, workers, None)
}

/// `many_groups`: so many groups are many (see `Executor`).
fn run_with(plan: &Plan, workers: usize, many_groups: Option<usize>) -> Vec<Row> {
    let query = QueryContext::new(QueryLimits::default(), 0);
    let mut executor = Executor::new(query, None, workers);
    executor.many_groups = many_groups.unwrap_or(executor.many_groups);
    let result = executor.materialise(plan).expect("the plan runs");
    let mut rows = Vec::new();
    for batch in &result.batches {
        for row in 0..batch.rows {
            let values = batch.columns.iter().zip(&plan.schema);
            rows.push(
                values.map(|(array, column)| array_to_value(array, row, column.ty).expect("value")).collect(),
            );
        }
    }
    rows
}

fn texts(rows: &[Row], ordered: bool) -> Vec<Vec<String>> {
    let mut texts: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(canonical).collect()).collect();
    if !ordered {
        texts.sort();
    }
    texts
}

/// Whether joins stand below: then the order of equal keys is open.
fn has_join(plan: &Plan) -> bool {
    match &*plan.operator {
        Operator::Join { .. } | Operator::Summarize { .. } => true,
        Operator::Filter { input, .. }
        | Operator::Project { input, .. }
        | Operator::Sort { input, .. }
        | Operator::Top { input, .. } => has_join(input),
        Operator::Union { inputs, .. } => inputs.iter().any(has_join),
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn plans_agree_with_the_model(case in case()) {
        let ordered = case.ordered && !has_join(&case.plan);
        let expected = texts(&case.rows, ordered);
        for workers in [1, 4] {
            prop_assert_eq!(texts(&run(&case.plan, workers), ordered), expected.clone(), "{} workers", workers);
        }
    }

    #[test]
    fn counting_very_many_groups_agrees_with_the_model(
        table in table(),
        positions in prop::collection::vec(0usize..5, 1..5),
        many_groups in 0usize..6,
        is_distinct in any::<bool>(),
        limit in prop::option::of(1usize..12),
    ) {
        let mut groups: BTreeMap<Vec<String>, i64> = BTreeMap::new();
        for row in &table.rows {
            *groups.entry(positions.iter().map(|position| canonical(&row[*position])).collect()).or_default() += 1;
        }
        let keys: Vec<Expr> = positions.iter().map(|position| column(&table, *position)).collect();
        let mut schema: Schema = keys.iter().map(|key| Column::new("", key.ty)).collect();
        let mut aggregates = Vec::new();
        if !is_distinct {
            aggregates.push(Aggregate {
                function: FunctionId::Aggregate(AggregateFunction::Count),
                arguments: Vec::new(),
                condition: None,
                outputs: vec![Type::Long],
            });
            schema.push(Column::new("", Type::Long));
        }
        let mut plan = Plan::new(Operator::Summarize { input: table.plan, keys, aggregates }, schema.clone());
        if let (Some(limit), false) = (limit, is_distinct) {
            let expression = Expr::column(positions.len(), Type::Long);
            let key = SortKey { expression, descending: true, nulls_first: false };
            let limit = Expr::constant(Value::Long(limit as i64));
            plan = Plan::new(Operator::Top { input: plan, keys: vec![key], limit }, schema);
        }
        let mut largest: Vec<i64> = groups.values().copied().collect();
        largest.sort_unstable_by(|left, right| right.cmp(left));
        for workers in [1, 4] {
            let rows = run_with(&plan, workers, Some(many_groups));
            let counts: Vec<i64> = rows.iter().map(|row| match row.get(positions.len()) {
                Some(Value::Long(count)) => *count,
                _ => 0,
            }).collect();
            let found: BTreeMap<Vec<String>, i64> = rows
                .iter()
                .map(|row| row[..positions.len()].iter().map(canonical).collect())
                .zip(counts.iter().copied())
                .collect();
            prop_assert_eq!(found.len(), rows.len(), "a group stands there twice");
            match (is_distinct, limit) {
                (true, _) => prop_assert!(found.keys().eq(groups.keys())),
                (false, None) => prop_assert_eq!(&found, &groups),
                (false, Some(limit)) => {
                    prop_assert_eq!(&counts, &largest[..limit.min(largest.len())]);
                    prop_assert!(found.iter().all(|(key, count)| groups.get(key) == Some(count)));
                }
            }
        }
    }

    #[test]
    fn top_is_the_head_of_sort(
        table in table(),
        choices in prop::collection::vec((0usize..5, any::<bool>(), any::<bool>()), 1..3),
        limit in 0usize..20,
    ) {
        let case = sorted(table, &choices, Some(limit));
        for workers in [1, 4] {
            prop_assert_eq!(texts(&run(&case.plan, workers), true), texts(&case.rows, true));
        }
    }

    #[test]
    fn take_gives_the_first_rows(table in table(), limit in 0usize..60) {
        let schema = table.plan.schema.clone();
        let limit_expression = Expr::constant(Value::Long(limit as i64));
        let plan = Plan::new(Operator::Take { input: table.plan, limit: limit_expression }, schema);
        let mut expected = table.rows;
        expected.truncate(limit);
        for workers in [1, 4] {
            prop_assert_eq!(texts(&run(&plan, workers), true), texts(&expected, true));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn very_many_groups_have_the_results_of_few(
        table in table(),
        positions in prop::collection::vec(0usize..5, 1..5),
        limit in prop::option::of(1usize..12),
    ) {
        let keys: Vec<Expr> = positions.iter().map(|position| column(&table, *position)).collect();
        let mut schema: Schema = keys.iter().map(|key| Column::new("", key.ty)).collect();
        let mut aggregates = Vec::new();
        let mut add = |function, arguments: Vec<Expr>, ty| {
            let function = FunctionId::Aggregate(function);
            aggregates.push(Aggregate { function, arguments, condition: None, outputs: vec![ty] });
            schema.push(Column::new("", ty));
        };
        add(AggregateFunction::Count, Vec::new(), Type::Long);
        for position in 0..table.plan.schema.len() {
            let argument = column(&table, position);
            match argument.ty {
                Type::Long => {
                    add(AggregateFunction::Sum, vec![argument.clone()], Type::Long);
                    add(AggregateFunction::Min, vec![argument.clone()], Type::Long);
                }
                Type::String => add(AggregateFunction::Max, vec![argument.clone()], Type::String),
                _ => {}
            }
            add(AggregateFunction::Dcount, vec![argument], Type::Long);
        }
        let plan = Plan::new(Operator::Summarize { input: table.plan, keys, aggregates }, schema.clone());
        let expected = texts(&run_with(&plan, 1, None), false);
        prop_assert_eq!(texts(&run_with(&plan, 4, Some(0)), false), expected.clone());
        let Some(limit) = limit else { return Ok(()) };
        for place in positions.len()..schema.len() {
            let expression = Expr::column(place, schema[place].ty);
            let key = SortKey { expression, descending: true, nulls_first: false };
            let limit_constant = Expr::constant(Value::Long(limit as i64));
            let operator = Operator::Top { input: plan.clone(), keys: vec![key], limit: limit_constant };
            let top = Plan::new(operator, schema.clone());
            let found = run_with(&top, 4, Some(0));
            let values = |rows: &[Row]| rows.iter().map(|row| canonical(&row[place])).collect::<Vec<_>>();
            prop_assert_eq!(values(&found), values(&run_with(&top, 1, None)));
            for row in texts(&found, false) {
                prop_assert!(expected.contains(&row));
            }
        }
    }
}
