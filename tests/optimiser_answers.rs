//! Rewriting a plan must not change its answer: random pipelines over stored tables, run as bound by one worker
//! and rewritten by all of them, yield the same rows.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int64Array, StringViewArray};
use conshelf::engine::context::QueryLimits;
use conshelf::engine::literal::array_to_value;
use conshelf::engine::{Engine, QueryContext, QueryRequest};
use conshelf::storage::{
    AppendOptions, CatalogChange, ColumnType, DEFAULT_DATABASE, Store, StoreOptions, TableSchema,
};

const DAY: i64 = 864_000_000_000;

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % sides as u64) as usize
    }

    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.roll(choices.len())]
    }
}

fn table(store: &Store, name: &str, columns: &[(&str, ColumnType)], parts: Vec<Vec<ArrayRef>>) {
    let snapshot = store
        .commit(CatalogChange::CreateTable {
            database: DEFAULT_DATABASE.to_owned(),
            name: name.to_owned(),
            schema: TableSchema::new(columns.iter().copied()),
            folder: String::new(),
            docstring: String::new(),
            if_not_exists: false,
        })
        .expect("table");
    let table = snapshot.table(DEFAULT_DATABASE, name).expect("table").id;
    for (number, part) in parts.into_iter().enumerate() {
        store.append(table, &part, AppendOptions::default()).expect("append");
        if number == 0 {
            store.seal(Some(table)).expect("seal");
        }
    }
}

fn engine(directory: &std::path::Path) -> Engine {
    let options = StoreOptions { background: false, ..StoreOptions::default() };
    let store = Store::open(directory, options).expect("store");
    let part = |from: i64, to: i64| -> Vec<ArrayRef> {
        let rows = from..to;
        vec![
            Arc::new(
                rows.clone()
                    .map(|row| (row % 41 != 0).then_some(738_000 * DAY + row * DAY / 50))
                    .collect::<Int64Array>(),
            ),
            Arc::new(rows.clone().map(|row| (row % 7 != 0).then_some(row * 13 % 17)).collect::<Int64Array>()),
            Arc::new(
                rows.clone()
                    .map(|row| (row % 11 != 0).then_some((row % 9) as f64 / 2.0))
                    .collect::<Float64Array>(),
            ),
            Arc::new(StringViewArray::from_iter_values(
                rows.clone().map(|row| ["alpha", "Beta", "gamma delta", ""][(row % 4) as usize]),
            )),
        ]
    };
    let columns = [
        ("t", ColumnType::DateTime),
        ("a", ColumnType::Long),
        ("c", ColumnType::Real),
        ("s", ColumnType::String),
    ];
    table(&store, "T", &columns, vec![part(0, 150), part(150, 220)]);
    let keys: Vec<ArrayRef> = vec![
        Arc::new((0..20).map(|row| (row % 6 != 0).then_some(row % 15)).collect::<Int64Array>()),
        Arc::new(StringViewArray::from_iter_values(
            (0..20).map(|row| ["alpha", "beta", "omega", "Beta"][(row % 4) as usize]),
        )),
        Arc::new((0..20).map(Some).collect::<Int64Array>()),
    ];
    table(
        &store,
        "U",
        &[("a", ColumnType::Long), ("s", ColumnType::String), ("x", ColumnType::Long)],
        vec![keys],
    );
    Engine::new(store)
}

fn condition(dice: &mut Dice) -> String {
    let one = |dice: &mut Dice| {
        dice.pick(&[
            "a > 5",
            "a == 3",
            "isnull(a)",
            "c < 2.5",
            "c != 1",
            "s has 'delta'",
            "tolower(s) == 'beta'",
            "s startswith 'A'",
            "isempty(s)",
            "t > datetime(2021-07-30)",
            "t between (datetime(2021-07-28) .. 2d)",
            "a in (1, 2, 3)",
            "a in (U | where x > 4 | project a)",
            "a + 1 > c",
            "not(a > 3)",
            "x > 3",
            "z != 2",
            "n > 1",
            "true",
        ])
        .to_owned()
    };
    match dice.roll(4) {
        0 => format!("{} and {}", one(dice), one(dice)),
        1 => format!("{} or {}", one(dice), one(dice)),
        _ => one(dice),
    }
}

fn operator(dice: &mut Dice) -> String {
    match dice.roll(16) {
        0..=4 => format!("where {}", condition(dice)),
        5 | 6 => format!(
            "extend {}",
            dice.pick(&[
                "z = a + 1",
                "a = a * 2",
                "z = strlen(s)",
                "s = tolower(s)",
                "z = iff(a > 3, 1, 2)",
                "n = a % 3"
            ])
        ),
        7 => format!("project {}", dice.pick(&["a, s", "a, s, c, t", "z = a, s", "a, c"])),
        8 => format!(
            "join kind={} U on {}",
            dice.pick(&[
                "inner",
                "leftouter",
                "rightouter",
                "fullouter",
                "leftsemi",
                "leftanti",
                "rightsemi",
                "rightanti"
            ]),
            dice.pick(&["a", "s", "a, s"])
        ),
        9 => "lookup U on a".to_owned(),
        10 => format!("union {}", dice.pick(&["U", "(U | where x > 5)", "T"])),
        11 | 12 => format!(
            "summarize {} by {}",
            dice.pick(&[
                "n = count()",
                "n = sum(a), m = max(c)",
                "n = dcount(s), count()",
                "n = countif(a > 3), z = min(a)"
            ]),
            dice.pick(&["a", "s", "a, s", "bin(t, 1d)", "tolower(s)"])
        ),
        13 => dice.pick(&["sort by a asc, s asc", "sort by c desc", "order by s asc"]).to_owned(),
        14 => dice.pick(&["distinct a, s", "distinct s", "count", "project-away a"]).to_owned(),
        _ => dice
            .pick(&[
                "mv-expand z = range(1, 3, 1) to typeof(long)",
                "parse s with * 'a' z 'a' *",
                "serialize",
                "as X | union X",
                "project-rename z = a",
            ])
            .to_owned(),
    }
}

/// The rows as texts, in any order; `None` if the query is refused.
fn answer(engine: &Engine, text: &str) -> Option<Vec<String>> {
    let request = QueryRequest {
        text: text.to_owned(),
        database: DEFAULT_DATABASE.to_owned(),
        parameters: Vec::new(),
        context: QueryContext::new(QueryLimits::default(), 738_002 * DAY),
    };
    let tables = engine.query_collect(&request).ok()?;
    let mut rows = Vec::new();
    for batch in &tables[0].batches {
        for row in 0..batch.rows {
            let values: Vec<String> = batch
                .columns
                .iter()
                .zip(&tables[0].description.schema)
                .map(|(array, column)| match array_to_value(array, row, column.ty).expect("value") {
                    // Sums of reals differ in their last digits with the order of the rows.
                    conshelf_kql::Value::Real(value) => format!("{value:.6}"),
                    other => format!("{other:?}"),
                })
                .collect();
            rows.push(values.join(" | "));
        }
    }
    rows.sort();
    Some(rows)
}

#[test]
fn rewritten_plans_give_the_same_answers() {
    let directory = tempfile::tempdir().expect("directory");
    let engine = engine(directory.path());
    let plain = engine.clone().without_optimiser().with_workers(1);
    let mut dice = Dice(20_240_601);
    let mut answered = 0;
    let count =
        std::env::var("CONSHELF_RANDOM_QUERIES").ok().and_then(|count| count.parse().ok()).unwrap_or(300);
    for _ in 0..count {
        let length = 1 + dice.roll(5);
        let operators: Vec<String> = (0..length).map(|_| operator(&mut dice)).collect();
        let text = format!("T | {}", operators.join(" | "));
        let (expected, found) = (answer(&plain, &text), answer(&engine, &text));
        answered += usize::from(expected.is_some());
        if expected != found {
            let explain = engine.explain(&QueryRequest {
                text: text.clone(),
                database: DEFAULT_DATABASE.to_owned(),
                parameters: Vec::new(),
                context: QueryContext::new(QueryLimits::default(), 738_002 * DAY),
            });
            panic!("{text}\n{}\nplain: {expected:?}\nrewritten: {found:?}", explain.unwrap_or_default());
        }
    }
    assert!(answered * 3 > count, "only {answered} of {count} queries could be bound");
}
