//! Queries over stored tables: sealed extents and rows that are not sealed yet must answer alike, whatever
//! pruning by statistics and terms leaves unread.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int32Array, Int64Array, StringViewArray};
use conshelf::engine::context::QueryLimits;
use conshelf::engine::literal::array_to_value;
use conshelf::engine::{Engine, EngineError, QueryContext, QueryRequest};
use conshelf::storage::{
    AppendOptions, CatalogChange, ColumnType, DEFAULT_DATABASE, Store, StoreOptions, TableSchema,
};
use conshelf_kql::Value;

const DAY: i64 = 864_000_000_000;
const ROWS: i64 = 3_000;

struct Fixture {
    engine: Engine,
    /// One worker, plans as they were bound.
    plain: Engine,
    _directory: tempfile::TempDir,
}

/// Three days of events; the first two thirds are sealed.
fn fixture() -> Fixture {
    let directory = tempfile::tempdir().expect("directory");
    let options = StoreOptions { background: false, ..StoreOptions::default() };
    let store = Store::open(directory.path(), options).expect("store");
    let schema = TableSchema::new([
        ("Time", ColumnType::DateTime),
        ("Number", ColumnType::Long),
        ("Small", ColumnType::Int),
        ("Real", ColumnType::Real),
        ("Level", ColumnType::String),
        ("Message", ColumnType::String),
    ]);
    let snapshot = store
        .commit(CatalogChange::CreateTable {
            database: DEFAULT_DATABASE.to_owned(),
            name: String::from("Events"),
            schema,
            folder: String::new(),
            docstring: String::new(),
            if_not_exists: false,
        })
        .expect("table");
    let table = snapshot.table(DEFAULT_DATABASE, "Events").expect("table").id;
    for part in 0..3 {
        let rows = part * ROWS / 3..(part + 1) * ROWS / 3;
        let some = |row: &i64, every: i64| row % every != 0;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(
                rows.clone()
                    .map(|row| some(&row, 97).then_some(738_000 * DAY + row * DAY / 1_000))
                    .collect::<Int64Array>(),
            ),
            Arc::new(
                rows.clone().map(|row| some(&row, 13).then_some(row * 7 % 1_000)).collect::<Int64Array>(),
            ),
            Arc::new(
                rows.clone().map(|row| some(&row, 11).then_some((row / 500) as i32)).collect::<Int32Array>(),
            ),
            Arc::new(
                rows.clone()
                    .map(|row| {
                        some(&row, 17).then_some(if row % 19 == 0 { f64::NAN } else { row as f64 / 8.0 })
                    })
                    .collect::<Float64Array>(),
            ),
            Arc::new(StringViewArray::from_iter_values(
                rows.clone().map(|row| ["Info", "Warning", "ERROR", "Debug", ""][(row % 5) as usize]),
            )),
            Arc::new(StringViewArray::from_iter_values(rows.clone().map(|row| match row % 4 {
                0 => format!("GET /api/item-{row} took {} ms", row % 77),
                1 => format!("user u{} logged in from Zürich", row % 100),
                2 => format!("Disk sd{} is nearly full: {row}%", row % 3),
                _ => String::new(),
            }))),
        ];
        store.append(table, &columns, AppendOptions::default()).expect("append");
        if part == 1 {
            store.seal(Some(table)).expect("seal");
        }
    }
    let engine = Engine::new(store);
    Fixture { plain: engine.clone().without_optimiser().with_workers(1), engine, _directory: directory }
}

fn request(text: &str, limits: QueryLimits) -> QueryRequest {
    QueryRequest {
        text: text.to_owned(),
        database: DEFAULT_DATABASE.to_owned(),
        parameters: Vec::new(),
        context: QueryContext::new(limits, 738_002 * DAY),
    }
}

impl Fixture {
    fn rows(&self, engine: &Engine, text: &str) -> Vec<Vec<Value>> {
        let tables = engine.query_collect(&request(text, QueryLimits::default()));
        let tables = tables.unwrap_or_else(|error| panic!("{text}\n{error}"));
        let table = &tables[0];
        let mut rows = Vec::new();
        for batch in &table.batches {
            for row in 0..batch.rows {
                let values = batch.columns.iter().zip(&table.description.schema);
                rows.push(
                    values
                        .map(|(array, column)| array_to_value(array, row, column.ty).expect("value"))
                        .collect(),
                );
            }
        }
        rows
    }

    fn text(&self, text: &str) -> Vec<String> {
        self.rows(&self.engine, text).iter().map(|row| format!("{row:?}")).collect()
    }

    fn plain_text(&self, text: &str) -> Vec<String> {
        self.rows(&self.plain, text).iter().map(|row| format!("{row:?}")).collect()
    }
}

#[test]
fn pruning_never_changes_an_answer() {
    let fixture = fixture();
    assert_eq!(fixture.text("Events | count"), [format!("[Long({ROWS})]")]);
    let conditions = [
        "Number == 14",
        "Number != 14",
        "Number between (10 .. 20)",
        "Number !between (10 .. 990)",
        "Number in (1, 2, 3, 700)",
        "Number !in (1, 2, 3)",
        "Number < 5 or Number > 990",
        "not(Number < 900)",
        "isnull(Number)",
        "isnotnull(Number) and Small == 3",
        "Small >= 5",
        "Small == 100",
        "Real > 300.0",
        "Real <= 0.5",
        "isnan(Real)",
        "Real == real(nan)",
        "Time > ago(1d)",
        "Time >= datetime(2021-07-31) and Time < datetime(2021-07-31 12:00)",
        "Time < now() - 1d or Number == 7",
        "Level == 'ERROR'",
        "Level =~ 'error'",
        "Level != 'Info'",
        "Level in ('Debug', 'nothing')",
        "Level in~ ('debug', 'NOTHING')",
        "Level == ''",
        "isempty(Level) and Message has 'disk'",
        "Message has 'item-40'",
        "Message has 'ITEM'",
        "Message has_cs 'ITEM'",
        "Message has 'u7'",
        "Message !has 'user'",
        "Message has 'zürich'",
        "Message hasprefix 'log'",
        "Message hassuffix 'gged'",
        "Message startswith 'disk sd'",
        "Message startswith_cs 'disk sd'",
        "Message endswith 'ms'",
        "Message contains 'i/item-2'",
        "Message contains 'arly ful'",
        "Message has_any ('sd1', 'u99')",
        "Message has_all ('sd1', 'full')",
        "Message matches regex 'item-[0-9]{3} '",
        "strlen(Message) > 30 and Level == 'Info' and Number > 500",
        "Number > toscalar(Events | summarize max(Number)) - 10",
        "Number in ((Events | where Small == 5 | project Number))",
    ];
    for condition in conditions {
        let text = format!(
            "Events | where {condition} | project Time, Number, Small, Real, Level, Message | order by Message asc, Time asc, Number asc, Real asc, Level asc"
        );
        assert_eq!(fixture.text(&text), fixture.plain_text(&text), "{condition}");
    }
}

#[test]
fn top_reads_late_and_agrees_with_sort() {
    let fixture = fixture();
    for keys in
        ["Time desc", "Time asc", "Time asc nulls last", "Number asc", "Real desc nulls first", "Level asc"]
    {
        for input in ["Events", "Events | where Level == 'ERROR' | extend Twice = Number * 2"] {
            let top = format!("{input} | top 25 by {keys}");
            let sorted = format!("{input} | sort by {keys} | take 25");
            let fixed = |text: &str| {
                // Rows equal in their keys may be any of them.
                let keys: Vec<&str> = keys.split(", ").filter_map(|key| key.split(' ').next()).collect();
                fixture.text(&format!("{text} | project {}", keys.join(", ")))
            };
            assert_eq!(fixed(&top), fixed(&sorted), "{top}");
            assert_eq!(
                fixture.rows(&fixture.engine, &top)[0].len(),
                fixture.rows(&fixture.plain, &sorted)[0].len()
            );
        }
    }
}

#[test]
fn summaries_agree_with_unpruned_ones() {
    let fixture = fixture();
    for tail in [
        "summarize count(), min(Time), max(Time), min(Number), max(Small)",
        "summarize count() by bin(Time, 1h) | order by Time asc",
        "summarize count(), max(Number) by bin(Time, 1d), Level | order by Time asc, Level asc",
        "summarize dcount(Level), sum(Number), countif(Small > 2)",
        "summarize min(Real), max(Real), avg(Number) by Small | order by Small asc",
        "summarize arg_max(Time, *) by Level | order by Level asc",
        "where Small > 0 | extend Double = Number * 2 | summarize arg_min(Time, Double, Message) by Small, Level | order by Small asc, Level asc",
        "summarize arg_max(Time, Number, Message)",
        "where Number > 2000 | summarize arg_max(Time, Number, Message)",
        "distinct Level, Small | order by Level asc, Small asc",
        "make-series count() on Time from datetime(2021-07-30) to datetime(2021-08-02) step 6h by Level | order by Level asc",
    ] {
        let text = format!("Events | {tail}");
        assert_eq!(fixture.text(&text), fixture.plain_text(&text), "{tail}");
    }
}

#[test]
fn limits_stop_a_query_with_their_error() {
    let fixture = fixture();
    let run = |text: &str, limits: QueryLimits| {
        let request = request(text, limits);
        fixture.engine.query_collect(&request).expect_err("a limit")
    };
    let rows = QueryLimits { result_rows: Some(100), ..QueryLimits::default() };
    assert!(matches!(run("Events", rows), EngineError::ResultTooLarge { limit: 100, .. }));
    let bytes = QueryLimits { result_bytes: Some(1_000), ..QueryLimits::default() };
    assert!(matches!(run("Events", bytes), EngineError::ResultTooLarge { limit: 1_000, .. }));
    let memory = QueryLimits { memory_bytes: 50_000, ..QueryLimits::default() };
    assert!(matches!(run("Events | sort by Message asc", memory), EngineError::Memory { .. }));
    let time = QueryLimits { timeout: std::time::Duration::ZERO, ..QueryLimits::default() };
    assert!(matches!(
        run("range x from 1 to 100000000 step 1 | summarize count()", time),
        EngineError::Timeout { .. }
    ));
    let cancelled = request("Events | count", QueryLimits::default());
    cancelled.context.cancel();
    assert!(matches!(fixture.engine.query_collect(&cancelled), Err(EngineError::Cancelled)));
}

#[test]
fn rows_come_in_order_up_to_the_limit() {
    let fixture = fixture();
    let limits = QueryLimits { result_rows: Some(70_000), ..QueryLimits::default() };
    let request = request("range x from 1 to 300000 step 1 | where x % 2 == 0", limits);
    let prepared = fixture.engine.prepare(&request).expect("a query");
    let mut next = 2;
    let outcome = fixture.engine.run(&prepared, &mut |_, batch| {
        for row in 0..batch.rows {
            let value = array_to_value(&batch.columns[0], row, conshelf_kql::Type::Long)?;
            assert_eq!(value, Value::Long(next));
            next += 2;
        }
        Ok(std::ops::ControlFlow::Continue(()))
    });
    assert!(matches!(outcome, Err(EngineError::ResultTooLarge { limit: 70_000, .. })));
    assert_eq!(next, 2 + 2 * 70_000);
}

#[test]
fn explain_says_what_was_read() {
    let fixture = fixture();
    let text = fixture
        .engine
        .explain(&request(
            "Events | where Time > ago(1h) | summarize count() by Level",
            QueryLimits::default(),
        ))
        .expect("explained");
    assert!(text.contains("Summarize") && text.contains("row_groups="), "{text}");
}

#[test]
fn conditions_that_imply_a_range_of_time_leave_extents_unread() {
    let fixture = fixture();
    let start = "let start = datetime(0001-01-01) + 738000d;";
    for query in [
        "Events | where Time between (start .. 1h) | summarize dcount(Number)",
        "Events | where bin(Time, 1h) == start + 2h | summarize dcount(Number)",
        "Events | extend d = startofday(Time) | where d <= start | summarize dcount(Number)",
        "let limit_ = toscalar(print start + 1h); Events | where Time < limit_ | summarize dcount(Number)",
        "Events | where Time in (print t = start + 864s) | summarize dcount(Number)",
        "Events | join kind=inner (print Time = start + 864s) on Time | summarize dcount(Number)",
        "Events | join kind=leftsemi (print Time = start + 864s) on Time | summarize dcount(Number)",
    ] {
        let text = format!("{start} {query}");
        let explained = fixture.engine.explain(&request(&text, QueryLimits::default())).expect("explained");
        assert!(explained.contains("extents=1/3"), "{query}: {explained}");
        assert_eq!(fixture.text(&text), fixture.plain_text(&text), "{query}");
        assert_ne!(fixture.text(&text), ["[Long(0)]"], "{query}");
    }
}

#[test]
fn very_many_groups_are_counted_once() {
    let fixture = fixture();
    for (keys, groups) in
        [("x", 300_000), ("x % 150000", 150_000), ("k = tostring(x % 150000), x % 3", 150_000)]
    {
        let text = format!(
            "range x from 1 to 300000 step 1 | summarize n = count(), s = sum(x) by {keys} | summarize count(), sum(n), sum(s), max(n)"
        );
        let expected =
            format!("[Long({groups}), Long(300000), Long(45000150000), Long({})]", 300_000 / groups);
        assert_eq!(fixture.text(&text), std::slice::from_ref(&expected), "{keys}");
        assert_eq!(fixture.plain_text(&text), [expected], "{keys}");
    }
}

/// What a thread of the server's has.
const STACK_BYTES: usize = 2 << 20;

#[test]
fn long_chains_of_operators_do_not_exhaust_the_stack() {
    let fixture = fixture();
    let text = |operator: &str, count: usize| format!("print x = 1 {} | count", operator.repeat(count));
    let engine = fixture.engine.clone();
    let run = move || {
        for count in [50, 400, 6_000] {
            for operator in [
                "| extend x = x + 1 ",
                "| where x > 0 ",
                "| sort by x asc ",
                "| summarize x = max(x) ",
                "| union (print x = 2) ",
            ] {
                let request = request(&text(operator, count), QueryLimits::default());
                match engine.query_collect(&request) {
                    Ok(_) => {}
                    Err(error) => assert!(count > 50, "{count} times '{operator}': {error}"),
                }
            }
        }
    };
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(run).expect("thread");
    thread.join().expect("no panic");
}
