//! What queries keep for later ones never shows in an answer: random histories of a table, with every way in
//! which its rows come, move and go, between queries that may reuse and queries that may not.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use arrow_array::{ArrayRef, Float64Array, Int32Array, Int64Array, StringViewArray};
use conshelf::engine::cache::{CacheUse, QueryCache};
use conshelf::engine::context::{QueryLimits, QuerySettings};
use conshelf::engine::literal::array_to_value;
use conshelf::engine::{Engine, QueryContext, QueryRequest};
use conshelf::storage::{
    AlteredColumn, AppendOptions, CatalogChange, ColumnType, DEFAULT_DATABASE, PolicyTarget, Store,
    StoreOptions, TableId, TableSchema,
};
use conshelf_kql::Value;
use proptest::prelude::*;

const MINUTE: i64 = 600_000_000;
const DAY: i64 = 1_440 * MINUTE;
const START: i64 = 738_000 * DAY;
const TABLE: &str = "Events";

struct Fixture {
    engine: Engine,
    table: TableId,
    cache: Arc<QueryCache>,
    /// Rows appended so far.
    appended: i64,
    _directory: tempfile::TempDir,
}

/// What a query answered, and what it took.
struct Answer {
    rows: Vec<String>,
    rows_scanned: u64,
    hits: u64,
    misses: u64,
}

fn fixture(budget_bytes: u64) -> Fixture {
    let directory = tempfile::tempdir().expect("directory");
    let options = StoreOptions { background: false, ..StoreOptions::default() };
    let store = Store::open(directory.path(), options).expect("store");
    let schema = TableSchema::new([
        ("Time", ColumnType::DateTime),
        ("Number", ColumnType::Int),
        ("Real", ColumnType::Real),
        ("Level", ColumnType::String),
    ]);
    let change = CatalogChange::CreateTable {
        database: DEFAULT_DATABASE.to_owned(),
        name: TABLE.to_owned(),
        schema,
        folder: String::new(),
        docstring: String::new(),
        if_not_exists: false,
    };
    let snapshot = store.commit(change).expect("table");
    let table = snapshot.table(DEFAULT_DATABASE, TABLE).expect("table").id;
    Fixture {
        engine: Engine::new(store),
        table,
        cache: QueryCache::of(budget_bytes).expect("cache"),
        appended: 0,
        _directory: directory,
    }
}

impl Fixture {
    fn store(&self) -> &Store {
        self.engine.store()
    }

    /// Appends rows, `per_minute` of them a minute after those before.
    fn append(&mut self, rows: i64, per_minute: i64) {
        let snapshot = self.store().snapshot();
        let entry = snapshot.table(DEFAULT_DATABASE, TABLE).expect("table");
        let range = self.appended..self.appended + rows;
        let columns: Vec<ArrayRef> = entry
            .schema
            .columns
            .iter()
            .map(|column| -> ArrayRef {
                match (column.name.as_str(), column.ty) {
                    ("Time", _) => Arc::new(
                        range
                            .clone()
                            .map(|row| (row % 101 != 7).then_some(START + row * (MINUTE / per_minute)))
                            .collect::<Int64Array>(),
                    ),
                    (_, ColumnType::Int) => Arc::new(
                        range
                            .clone()
                            .map(|row| (row % 13 != 0).then_some((row * 7 % 50) as i32))
                            .collect::<Int32Array>(),
                    ),
                    (_, ColumnType::Long) => Arc::new(
                        range
                            .clone()
                            .map(|row| (row % 13 != 0).then_some(row * 7 % 50))
                            .collect::<Int64Array>(),
                    ),
                    (_, ColumnType::Real) => Arc::new(
                        range
                            .clone()
                            .map(|row| (row % 17 != 0).then_some((row % 64) as f64 / 4.0))
                            .collect::<Float64Array>(),
                    ),
                    _ => Arc::new(StringViewArray::from_iter_values(range.clone().map(|row| {
                        ["Info", "Warning", "ERROR", "code=7 a=b", ""][(row * row % 5) as usize]
                    }))),
                }
            })
            .collect();
        self.store().append(self.table, &columns, AppendOptions::default()).expect("append");
        self.appended += rows;
    }

    fn ask(&self, text: &str, now: i64, cache_use: CacheUse) -> Answer {
        let settings = Arc::new(QuerySettings {
            cache: Some(self.cache.clone()),
            cache_use,
            ..QuerySettings::default()
        });
        let context = QueryContext::with_settings(QueryLimits::default(), now, settings, Arc::default());
        let request = QueryRequest {
            text: text.to_owned(),
            database: DEFAULT_DATABASE.to_owned(),
            parameters: Vec::new(),
            context: context.clone(),
        };
        let tables = self.engine.query_collect(&request).unwrap_or_else(|error| panic!("{text}\n{error}"));
        let mut rows = Vec::new();
        for batch in &tables[0].batches {
            for row in 0..batch.rows {
                let values = batch.columns.iter().zip(&tables[0].description.schema);
                let values: Vec<String> = values
                    .map(|(array, column)| {
                        match array_to_value(array, row, column.ty).expect("value") {
                            // Additions of reals come in another order, as with several workers.
                            Value::Real(real) => format!("{real:.9e}"),
                            value => format!("{value:?}"),
                        }
                    })
                    .collect();
                rows.push(values.join(", "));
            }
        }
        Answer {
            rows,
            rows_scanned: context.progress.rows_scanned.load(Relaxed),
            hits: context.progress.cache_hits.load(Relaxed),
            misses: context.progress.cache_misses.load(Relaxed),
        }
    }

    /// Asks with and without; both must answer the same, in the same order.
    fn check(&self, text: &str, now: i64) {
        let plain = self.ask(text, now, CacheUse::Off);
        assert_eq!((plain.hits, plain.misses), (0, 0));
        for cache_use in [CacheUse::Use, CacheUse::Use] {
            let answer = self.ask(text, now, cache_use);
            assert_eq!(answer.rows, plain.rows, "{text}");
        }
    }

    fn now(&self) -> i64 {
        START + self.appended * MINUTE
    }
}

const QUERIES: &[&str] = &[
    "Events | count",
    "Events | where Time > ago(300m) | summarize count(), sum(Number), avg(Real), min(Real), max(Time)",
    "Events | where Time > ago(300m) and Number > 20 | summarize count() by bin(Time, 10m), Level",
    "Events | where Time between (ago(400m) .. ago(100m)) | summarize dcount(Number), countif(Level == 'ERROR') by Level",
    "Events | where Level has 'code' | parse Level with 'code=' code:long ' a=' rest | summarize sum(code), take = count() by rest",
    "Events | extend twice = Number * 2, day = startofday(Time) | where twice % 3 == 1 | summarize percentile(twice, 50), stdev(Real) by day",
    "Events | distinct Level, Number",
    "Events | where Real > 3.25 | summarize count_distinct(Number), max(Level), s = make_set(Level) by bin(Real, 4.0) | extend s = array_sort_asc(s)",
    "Events | summarize arg_max(Time, Number) by Level",
    "Events | summarize any = count() by minutes = (now() - Time) / 100m",
    "Events | where ingestion_time() > ago(1000000d) | summarize count() by extent = tostring(extent_id())",
    "Events | summarize count() by x = rand() > 2, Level",
    "Events | where Number in ((Events | summarize max(Number))) | summarize count() by Level",
    "Events | where Number > toscalar(Events | summarize avg(Number)) | summarize sum(Real) by Level",
    "Events | mv-expand n = range(1, 2) to typeof(long) | summarize sum(n), sum(Number) by Level",
    "Events | make-series c = count() on Time from bin(ago(300m), 10m) to bin(now(), 10m) step 10m by Level",
    "Events | where Time > ago(200m) | as T | summarize n = count() by Level | join kind=inner (T | summarize m = max(Real) by Level) on Level | order by Level asc",
    "union Events, (Events | where Number == 7) | summarize count() by Level",
    "Events | summarize hll(Number) by Level | summarize dcount_hll(hll_merge(hll_Number))",
    "Events | where Level has 'code' and Number > 10 | project Time, Number, Level",
    "Events | where isnotnull(Time) and Real > 3.25 | top 20 by Time desc",
    "Events | where Time > ago(200m) and Number == 7 | sort by Time asc | project Number, Real",
    "Events | where strlen(Level) == 5 and Time between (ago(400m) .. ago(100m)) | order by Time desc | project Level",
    "Events | where Level =~ 'error' and Number != 3 | project Number | summarize count() by Number",
    "let x = 7; Events | where Number == x or Real == real(nan) | summarize variance(Number), binary_all_xor(Number) by Level",
    "Events | join kind=inner (datatable(Level: string, Team: string)['Info', 'one', 'ERROR', 'two', '', 'one']) on Level | summarize count(), sum(Number) by Team",
    "Events | join kind=inner (datatable(Level: string, Team: string)['Info', 'two', 'ERROR', 'one', 'Warning', 'one', 'Info', '']) on Level | summarize count(), sum(Number) by Team",
    "Events | join kind=leftouter (datatable(Level: string, Team: string)['Info', 'one', 'ERROR', 'two', '', 'one']) on Level | summarize count(), max(Real) by Team, Level1",
    "Events | join kind=leftsemi (datatable(Level: string, Team: string)['Info', 'two', 'ERROR', 'one', 'Warning', 'one', 'Info', '']) on Level | summarize count(), max(Real) by Level",
    "Events | join kind=leftanti (datatable(Level: string, Team: string)['Info', 'one', 'ERROR', 'two', '', 'one']) on Level | summarize count(), max(Real) by Level",
    "Events | lookup (datatable(Level: string, Team: string)['Info', 'one', 'ERROR', 'two', '', 'one']) on Level | summarize dcount(Number) by Team",
    "Events | where Number > 5 | make-series c = count(), m = max(Number) default = 7 on Time step 100m by Level",
    "Events | where Number > 20 | summarize arg_min(Time, *) by Level",
    "Events | summarize arg_max(Time, *)",
    "Events | top 20 by Real desc | project Real",
    "let x = 8; Events | where Number == x or Real == real(+inf) | summarize variance(Number), binary_all_xor(Number) by Level",
];

/// What is read newest or greatest first, some of it not at all; `serialize` keeps that from happening.
const EXTREMES: &[&str] = &[
    "summarize arg_max(Time, *) by Level",
    "summarize arg_min(Time, *) by Level",
    "where Number % 3 == 1 | summarize arg_max(Time, Number, Real) by Level",
    "where Level != 'Info' and Real > 3.25 | summarize arg_max(Time, Number) by Level",
    "where strlen(Level) > 4 and Number > 9 | summarize arg_max(Time, *) by Level",
    "where Level == 'absent' | summarize arg_max(Time, *) by Level",
    "summarize arg_max(Time, *)",
    "where Number < 9 | summarize arg_min(Time, *)",
    "summarize arg_max(Time, Real) by Level, Number",
    "top 7 by Time desc",
    "where Number == 7 | top 7 by Time asc nulls last",
    "top 9 by Real desc | project Real",
    "top 9 by Real asc | project Real",
    "top 9 by Real asc nulls last | project Real",
    "top 9 by Number desc nulls first | project Number",
];

/// Joins whose hashed side is small, and the same with keys that no dictionary holds.
const JOINS: &[&str] = &[
    "join kind=inner (T) on Level | project Number, Level, Level1, Team, Size",
    "join kind=leftouter (T) on Level | project Number, Level, Level1, Team, Size",
    "join kind=rightouter (T) on Level | project Number, Level, Level1, Team, Size",
    "join kind=fullouter (T) on Level | project Number, Level, Level1, Team, Size",
    "join kind=innerunique (T) on Level | project Level, Level1, Team, Size",
    "join kind=rightanti (T) on Level",
    "lookup (T) on Level | project Number, Level, Team, Size",
    "lookup kind=inner (T) on Level | project Number, Level, Team, Size",
    "join kind=inner (T) on Level | summarize count(), sum(Size) by Team, Level",
    "join kind=leftouter (T) on Level | where Team != 'one' | summarize count(), sum(Size), min(Level1) by Team",
];

#[derive(Clone, Debug)]
enum Step {
    Append(i64),
    Seal,
    Merge,
    Retention,
    DropExtent(usize),
    Clear,
    AlterType,
    RenameColumn,
    Ask(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (1i64..400).prop_map(Step::Append),
        5 => Just(Step::Seal),
        2 => Just(Step::Merge),
        1 => Just(Step::Retention),
        1 => (0usize..8).prop_map(Step::DropExtent),
        1 => Just(Step::Clear),
        1 => Just(Step::AlterType),
        1 => Just(Step::RenameColumn),
        12 => (0..QUERIES.len()).prop_map(Step::Ask),
    ]
}

/// Commits the table's columns as `change` makes them.
fn alter(fixture: &Fixture, change: impl Fn(&mut AlteredColumn)) {
    let snapshot = fixture.store().snapshot();
    let entry = snapshot.table(DEFAULT_DATABASE, TABLE).expect("table");
    let columns = entry.schema.columns.iter().map(|column| {
        let mut altered = AlteredColumn {
            id: Some(column.id),
            name: column.name.clone(),
            ty: column.ty,
            docstring: String::new(),
        };
        change(&mut altered);
        altered
    });
    let change = CatalogChange::AlterTable {
        database: DEFAULT_DATABASE.to_owned(),
        table: TABLE.to_owned(),
        columns: Some(columns.collect()),
        folder: None,
        docstring: None,
        expected_schema_version: None,
    };
    fixture.store().commit(change).expect("altered");
}

fn apply(fixture: &mut Fixture, step: &Step) {
    let database = DEFAULT_DATABASE.to_owned();
    let table = TABLE.to_owned();
    match step {
        Step::Append(rows) => fixture.append(*rows, 1),
        Step::Seal => fixture.store().seal(None).expect("sealed"),
        Step::Merge => while fixture.store().merge_once().expect("merged") {},
        Step::Retention => {
            let change = CatalogChange::SetPolicy {
                target: PolicyTarget::Table { database, table },
                kind: String::from("retention"),
                value: Some(serde_json::json!({ "SoftDeletePeriod": "0.02:00:00" })),
            };
            fixture.store().commit(change).expect("policy");
            fixture.store().apply_retention(fixture.now()).expect("retention");
        }
        Step::DropExtent(index) => {
            let data = fixture.store().snapshot().table_data(fixture.table).expect("table");
            let extents = data.extents();
            if let Some(extent) = extents.get(index % extents.len().max(1)) {
                let extents = vec![extent.id];
                let change = CatalogChange::DropExtents { database, table, extents };
                fixture.store().commit(change).expect("dropped");
            }
        }
        Step::Clear => {
            fixture.store().commit(CatalogChange::ClearTable { database, table }).expect("cleared");
        }
        Step::AlterType => alter(fixture, |column| {
            if column.name == "Number" {
                column.ty = match column.ty {
                    ColumnType::Int => ColumnType::Long,
                    _ => ColumnType::Int,
                };
            }
        }),
        // Two columns of one name, one after the other.
        Step::RenameColumn => {
            alter(fixture, |column| {
                if column.name == "Real" {
                    column.id = None;
                }
            });
        }
        Step::Ask(query) => fixture.check(QUERIES[*query], fixture.now()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_kept_never_shows_in_an_answer(
        steps in prop::collection::vec(step(), 5..40),
        small in any::<bool>(),
    ) {
        let mut fixture = fixture(if small { 8 << 10 } else { 1 << 20 });
        for step in &steps {
            apply(&mut fixture, step);
        }
        for query in QUERIES {
            fixture.check(query, fixture.now());
            fixture.check(query, fixture.now() + MINUTE);
        }
        let sorted = |text: &str| {
            let mut rows = fixture.ask(text, fixture.now(), CacheUse::Use).rows;
            rows.sort_unstable();
            rows
        };
        // Keys that occur once, or several times.
        let rows = match small {
            true => "'Info', 'one', 1, 'ERROR', 'two', 2, '', '', int(null)",
            false => "'Info', 'two', 3, 'Info', 'one', 4, 'none', 'one', 5",
        };
        let with = format!("let T = datatable(Level: string, Team: string, Size: int)[{rows}]; Events");
        for join in JOINS {
            // Through a dynamic value texts lose their dictionary.
            let flat = "extend Level = tostring(pack_array(Level, Number)[0])";
            let whole = sorted(&format!("{with} | serialize | {flat} | {join}"));
            prop_assert_eq!(&sorted(&format!("{with} | {join}")), &whole, "{}", join);
        }
        for extreme in EXTREMES {
            let whole = sorted(&format!("Events | serialize | {extreme}"));
            for _ in 0..2 {
                prop_assert_eq!(&sorted(&format!("Events | {extreme}")), &whole, "{}", extreme);
            }
        }
        let statistics = fixture.cache.statistics();
        prop_assert!(statistics.bytes <= statistics.budget_bytes);
    }
}

#[test]
fn a_refresh_reads_what_is_new() {
    let mut fixture = fixture(64 << 20);
    // A month of minutes in extents of several row groups.
    let per_minute = 16;
    let month = 30 * 1_440 * per_minute;
    for part in 0..6 {
        fixture.append(month / 6, per_minute);
        if part % 2 == 1 {
            fixture.store().seal(None).expect("sealed");
        }
    }
    let query = "Events | where Time > ago(40d) | summarize count(), max(Number), avg(Real) by bin(Time, 1m)";
    let now = |fixture: &Fixture| START + fixture.appended / per_minute * MINUTE;
    let first = fixture.ask(query, now(&fixture), CacheUse::Use);
    let plain = fixture.ask(query, now(&fixture), CacheUse::Off);
    assert_eq!(first.rows, plain.rows);
    assert_eq!(first.rows_scanned, plain.rows_scanned);
    assert!(first.rows_scanned > month as u64 * 9 / 10);
    assert_eq!(first.hits, 0);
    assert!(first.misses > 3);
    let again = fixture.ask(query, now(&fixture), CacheUse::Use);
    assert_eq!(again.rows_scanned, 0);
    assert_eq!((again.hits, again.misses), (first.misses, 0));
    assert_eq!(again.rows, first.rows);
    // New rows, also in a new extent; the bound moves on with the time.
    fixture.append(1_000, per_minute);
    let newer = fixture.ask(query, now(&fixture), CacheUse::Use);
    assert_eq!(newer.rows_scanned, 1_000);
    fixture.store().seal(None).expect("sealed");
    fixture.append(10, per_minute);
    let newest = fixture.ask(query, now(&fixture), CacheUse::Use);
    assert!(newest.rows_scanned <= 1_010);
    let plain = fixture.ask(query, now(&fixture), CacheUse::Off);
    assert_eq!(newest.rows, plain.rows);
    // Whoever wants it computed anew gets it so, and it is kept.
    let refreshed = fixture.ask(query, now(&fixture), CacheUse::Refresh);
    assert_eq!(refreshed.rows_scanned, plain.rows_scanned);
    assert_eq!(fixture.ask(query, now(&fixture), CacheUse::Use).rows_scanned, 10);
    // A text can do without.
    let without = format!("set query_results_cache_per_shard=false; {query}");
    assert_eq!(fixture.ask(&without, now(&fixture), CacheUse::Use).rows_scanned, plain.rows_scanned);
    // Extents that are gone are forgotten by the next query.
    let (table, database) = (TABLE.to_owned(), DEFAULT_DATABASE.to_owned());
    fixture.store().commit(CatalogChange::ClearTable { database, table }).expect("cleared");
    assert!(fixture.cache.statistics().entries > 0);
    assert_eq!(fixture.ask("Events | count", now(&fixture), CacheUse::Use).rows, ["Long(0)"]);
    assert_eq!(fixture.cache.statistics().entries, 0);
}

#[test]
fn very_many_groups_are_all_there() {
    let mut fixture = fixture(64 << 20);
    fixture.engine = fixture.engine.with_workers(2);
    for _ in 0..3 {
        fixture.append(70_000, 1);
        fixture.store().seal(None).expect("sealed");
    }
    for summary in [
        "summarize n = count(), sum(Number), dcount(Level) by Time | summarize count(), sum(n), sum(sum_Number), sum(dcount_Level)",
        "summarize n = count(), sum(Number) by Time, Level | top 3 by sum_Number | summarize sum(n), sum(sum_Number)",
        "summarize n = count() by Time | summarize count(), sum(n)",
        "summarize dcount(Time) by Number, Level | summarize count(), sum(dcount_Time)",
        "summarize dcount(Time) by Number, Level | top 5 by dcount_Time | project dcount_Time",
    ] {
        let query = format!("Events | {summary}");
        fixture.check(&query, START);
        assert_eq!(fixture.ask(&query, START, CacheUse::Use).rows_scanned, 0, "{query}");
    }
}

#[test]
fn a_bound_within_an_extent_leaves_the_others_known() {
    let mut fixture = fixture(64 << 20);
    for _ in 0..4 {
        fixture.append(1_000, 1);
        fixture.store().seal(None).expect("sealed");
    }
    let query = "Events | where Time > ago(3500m) | summarize sum(Number) by bin(Time, 1h)";
    let now = START + 4_000 * MINUTE;
    let first = fixture.ask(query, now, CacheUse::Use);
    let later = fixture.ask(query, now + 10 * MINUTE, CacheUse::Use);
    assert!(later.rows_scanned < first.rows_scanned, "{} {}", later.rows_scanned, first.rows_scanned);
    assert!(later.hits > 0 && later.misses > 0);
    assert_eq!(later.rows, fixture.ask(query, now + 10 * MINUTE, CacheUse::Off).rows);
}

#[test]
fn row_groups_without_a_row_are_not_read_again() {
    let mut fixture = fixture(64 << 20);
    for _ in 0..3 {
        fixture.append(1_000, 1);
        fixture.store().seal(None).expect("sealed");
    }
    fixture.append(10, 1);
    let (none, some) = ("strlen(Level) == 77", "strlen(Level) == 7");
    let ask = |condition: &str| {
        let query = format!("Events | where {condition} | order by Time asc | project Time, Level, Number");
        fixture.ask(&query, START, CacheUse::Use)
    };
    let first = ask(none);
    assert!(first.rows_scanned >= 3_000);
    assert_eq!(ask(none).rows_scanned, 10);
    // The same condition of a query over other columns.
    let others =
        "Events | where strlen(Level) == 77 and Time > datetime(1999-01-01) | project Real, Time, Level";
    assert!(fixture.ask(others, START, CacheUse::Use).rows_scanned <= first.rows_scanned);
    let rows = ask(some).rows;
    assert!(!rows.is_empty());
    assert_eq!(ask(some).rows, rows);
}

#[test]
fn the_latest_row_of_each_text_is_looked_for_in_the_newest_rows() {
    let mut fixture = fixture(64 << 20);
    fixture.engine = fixture.engine.clone().with_workers(1);
    for _ in 0..6 {
        fixture.append(1_000, 1);
        fixture.store().seal(None).expect("sealed");
    }
    for cache_use in [CacheUse::Off, CacheUse::Use, CacheUse::Use] {
        for query in [
            "Events | summarize arg_max(Time, *) by Level",
            "Events | summarize arg_min(Time, *) by Level",
            "Events | summarize arg_max(Time, *)",
            "Events | top 5 by Time desc",
            // The greatest value is in each row group: the first ones suffice.
            "Events | top 5 by Real desc",
        ] {
            let read = fixture.ask(query, START, cache_use).rows_scanned;
            assert!(read <= 1_200, "{query}: {read}");
        }
        // Other texts have no rows.
        let query =
            "Events | where Level in ('Info', 'none') and Number > 3 | summarize arg_max(Time, *) by Level";
        let read = fixture.ask(query, START, cache_use).rows_scanned;
        assert!(read <= 1_200, "{read}");
    }
}
