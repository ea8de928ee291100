//! Paths into dynamic columns answer alike whether storage keeps them as columns of their own, keeps whole values
//! only, or has not sealed the rows; and as they do above an operator that hides the column from the scan.

#[path = "support/answers.rs"]
mod answers;

use std::sync::Arc;

use arrow_array::{ArrayRef, BinaryViewArray, Int64Array};
use conshelf::engine::Engine;
use conshelf::storage::{
    AppendOptions, CatalogChange, ColumnType, DEFAULT_DATABASE, DynamicBuilder, Store, StoreOptions,
    TableSchema,
};
use proptest::prelude::*;

use answers::ask;

/// A random value as its pick, turned into bytes by [`value`].
type Pick = (u8, u8, u8, i64);

fn scalar(pick: u8, number: i64, out: &mut DynamicBuilder) {
    match pick % 16 {
        0..3 => out.string(["x", "variant-3", "Variant-3 b"][(number % 3).unsigned_abs() as usize]),
        3 => out.long(number),
        4 => out.long(number % 300),
        5 => out.real(number as f64 / 100.0),
        6 => out.real([f64::NAN, f64::INFINITY, -0.0][(number % 3).unsigned_abs() as usize]),
        7 => out.bool(number % 2 == 0),
        8 => out.null(),
        9 => out.string(["", "12", "2.5", "true", "nan"][(number % 5).unsigned_abs() as usize]),
        10 => out.datetime(number.rem_euclid(3_155_378_975_999_999_999)),
        11 => out.timespan(number),
        12 => out.guid([number as u8; 16]),
        13 => {
            out.begin_array();
            out.long(number);
            out.string("x");
            out.end_array();
        }
        14 => out.string(&format!("a text of more than twelve bytes {number}")),
        _ => {
            let decimal = conshelf_kql::Decimal::from(number % 1000);
            out.decimal(decimal.to_bytes(), &decimal.to_string());
        }
    }
}

fn value((shape, left, right, number): Pick, out: &mut DynamicBuilder) -> Option<Vec<u8>> {
    match shape % 8 {
        0 => scalar(left, number, out),
        1 => return None,
        // One kind of leaf for most rows, so that chunks keep typed columns.
        shape => {
            out.begin_object();
            out.key("k");
            scalar(if shape < 5 { 0 } else { left }, number, out);
            if shape % 2 == 0 {
                out.key("n");
                scalar(if shape < 5 { 5 } else { right }, number % 10_000, out);
            }
            out.key("b");
            if shape == 7 {
                scalar(right, number, out);
            } else {
                out.begin_object();
                out.key("c");
                scalar(if shape < 5 { 4 } else { right }, number, out);
                out.key("t");
                out.bool(number % 2 == 0);
                out.end_object();
            }
            out.end_object();
        }
    }
    Some(out.finish())
}

const EXPRESSIONS: &[&str] = &[
    "d.k",
    "d['k']",
    "d.b",
    "d.b.c",
    "d.none",
    "tostring(d.k)",
    "tostring(d.n)",
    "tostring(d.b)",
    "tostring(d.b.c)",
    "todouble(d.n)",
    "toreal(d.b.c)",
    "tolong(d.n)",
    "tolong(d.b.c)",
    "toint(d.b.c)",
    "toint(d.n)",
    "tobool(d.b.t)",
    "tobool(d.k)",
    "todecimal(d.n)",
    "todatetime(d.k)",
    "isnull(d.k)",
    "isempty(d.k)",
    "isnotempty(d.b.c)",
    "gettype(d.k)",
    "strcat(d.k, '-', d.n)",
    "coalesce(todouble(d.n), 1.5)",
    "iff(isnull(d.n), d.k, d.b)",
    "pack_array(d.k, d.n, tolong(d.b.c))",
    "bag_keys(d.b)",
    "strlen(tostring(d.k))",
    "tostring(d)",
];

const CONDITIONS: &[&str] = &[
    "d.k == 'variant-3'",
    "tostring(d.k) == 'variant-3'",
    "'x' == d.k",
    "tostring(d.k) == 'true'",
    "d.k has 'variant'",
    "tostring(d.k) in ('x', 'variant-3', '12')",
    "d.k =~ 'VARIANT-3'",
    "d.k != 'x'",
    "todouble(d.n) > 10",
    "d.n > 10",
    "d.b.c == 7",
    "tolong(d.b.c) between (0 .. 100)",
    "tobool(d.b.t)",
    "d.b.t == true",
    "isnotempty(d.k) and todouble(d.n) < 50 and tostring(d) contains 'x'",
    "isnull(d.b.c) or d.k == 'x'",
    "d has 'variant'",
    "d has 'b'",
    "d !has 'variant-3'",
    "tostring(d) has_cs 'true'",
    "d contains 'ariant-'",
    "tostring(d) contains 'null'",
    "d contains '1'",
    "d !contains_cs '7,'",
    "d hasprefix 'vari'",
    "d contains '\"k\":'",
    "d has 'variant' and (d has '3' or d contains 'x')",
];

const SUMMARIES: &[&str] = &[
    "summarize count() by k = tostring(d.k)",
    "summarize count(), max(tolong(d.b.c)), dcount(tostring(d.n)) by k = tostring(d.k)",
    "where d.k == 'variant-3' | summarize count(), min(todouble(d.n)) by b = tobool(d.b.t)",
    "summarize countif(d.k == 'x'), l = array_length(make_list(d.k)), s = array_length(make_set(d.b.c))",
    "summarize n = count() by bin(tolong(d.b.c), 100)",
    "where isnotempty(d.k) | distinct tostring(d.k), tolong(d.n)",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn paths_answer_as_whole_values_do(
        parts in prop::collection::vec(
            (0u8..3, prop::collection::vec((2u8..8, any::<u8>(), any::<u8>(), any::<i64>()), 1..150)),
            1..4,
        ),
        odd in prop::collection::vec(any::<Pick>(), 0..100),
        seal in any::<bool>(),
    ) {
        let directory = tempfile::tempdir().expect("directory");
        let options = StoreOptions { background: false, ..StoreOptions::default() };
        let store = Store::open(directory.path(), options).expect("store");
        let schema = TableSchema::new([("Id", ColumnType::Long), ("d", ColumnType::Dynamic)]);
        let snapshot = store.commit(CatalogChange::CreateTable {
            database: DEFAULT_DATABASE.to_owned(),
            name: String::from("T"),
            schema,
            folder: String::new(),
            docstring: String::new(),
            if_not_exists: false,
        }).expect("table");
        let table = snapshot.table(DEFAULT_DATABASE, "T").expect("table").id;
        let mut builder = DynamicBuilder::new();
        let mut next = 0i64;
        let mut append = |picks: &[Pick]| {
            let values: BinaryViewArray = picks.iter().map(|pick| value(*pick, &mut builder)).collect();
            let ids = Int64Array::from_iter_values(next..next + picks.len() as i64);
            next += picks.len() as i64;
            let columns: Vec<ArrayRef> = vec![Arc::new(ids), Arc::new(values)];
            store.append(table, &columns, AppendOptions::default()).expect("append");
        };
        for (regular, picks) in &parts {
            // Mostly rows with the same keys and kinds, twenty times each.
            let few = |pick: &Pick| if *regular > 0 { (pick.0 % 3 + 2, pick.1, pick.2, pick.3) } else { *pick };
            let picks: Vec<Pick> = picks.iter().map(few).cycle().take(picks.len() * 20).collect();
            append(&picks);
            store.seal(None).expect("sealed");
        }
        append(&odd);
        if seal {
            store.seal(None).expect("sealed");
        }
        let engine = Engine::new(store);
        for expression in EXPRESSIONS {
            let plain = ask(&engine, &format!("T | order by Id asc | project Id, r = {expression}"));
            let found = ask(&engine, &format!("T | project Id, r = {expression} | order by Id asc"));
            prop_assert_eq!(found, plain, "{}", expression);
        }
        for condition in CONDITIONS {
            let plain = ask(&engine, &format!("T | order by Id asc | project Id, r = ({condition})"));
            let plain: Vec<String> =
                plain.iter().filter(|row| row[1] == "Bool(true)").map(|row| row[0].clone()).collect();
            let found = ask(&engine, &format!("T | where {condition} | project Id | order by Id asc"));
            let found: Vec<String> = found.iter().map(|row| row[0].clone()).collect();
            prop_assert_eq!(found, plain, "{}", condition);
        }
        for summary in SUMMARIES {
            let mut plain = ask(&engine, &format!("T | order by Id asc | take 1000000 | {summary}"));
            let mut found = ask(&engine, &format!("T | {summary}"));
            plain.sort();
            found.sort();
            prop_assert_eq!(found, plain, "{}", summary);
        }
    }
}
