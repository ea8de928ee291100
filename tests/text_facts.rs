//! Lengths of texts and searches in them answer alike whether storage answers them of its own, gives the texts,
//! or has not sealed the rows; and as they do above an operator that hides the column from the scan.

#[path = "support/answers.rs"]
mod answers;

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, StringViewArray};
use conshelf::engine::Engine;
use conshelf::storage::{
    AppendOptions, CatalogChange, ColumnType, DEFAULT_DATABASE, Store, StoreOptions, TableSchema,
};
use proptest::prelude::*;

use answers::ask;

const EXPRESSIONS: &[&str] = &[
    "strlen(s)",
    "string_size(s)",
    "isempty(s)",
    "isnotempty(s)",
    "s contains 'B/a'",
    "s contains_cs 'B/a'",
    "s !contains 'row 1'",
    "s !contains_cs 'é'",
    "s contains 'é'",
    "s contains ''",
    "strlen(s) + string_size(s)",
    "iff(isempty(s), 0, strlen(s))",
    "strcat(s, strlen(s))",
    "case(s contains 'row 1', 'one', s contains 'B/a', 'two', s contains_cs 'é', 'three', 'none')",
    "extract(@'row (\\d+)', 1, s)",
    "extract(@'(\\w+) é', 1, s)",
    "extract(@'(\\d+).*?(B|é)', 2, s)",
    "extract_all(@'(\\d)', s)",
    "replace_regex(s, @'/\\w+', '-')",
    "countof(s, 'B/')",
    "countof(s, @'\\d+', 'regex')",
    "indexof(s, 'é')",
    "indexof_regex(s, @'[/ ]')",
    "trim(@'[^0-9]+', s)",
    "split(s, '/')[1]",
    "tostring(split(s, ' ')[2])",
    "strcat(split(s, 'B/')[1], tostring(split(s, ' ')[-1]))",
    "s matches regex @'\\brow\\b'",
    "s startswith 'ROW 1'",
    "s startswith_cs 'row 12'",
    "s !startswith 'b'",
    "s endswith ' MS'",
    "s !endswith_cs '1 ms'",
    "s == 'row'",
    "s != 'Row 17 of a text that is longer'",
    "s =~ 'kROW'",
    "s !~ 'ROW'",
    "s matches regex '^row 1'",
    "s matches regex '^(row|é)$'",
    "s matches regex 'ms$'",
    "s matches regex 'took|B/a'",
    "tostring(split(s, ' ', long(null))[1])",
    "strcat(iff(n % 2 == 0, 'even', 'odd'), case(s has 'row', 'r', n > 5, 'n', ''), s)",
    "s in ('row', 'é', 'row 1 of host-0001 took 1 ms')",
    "s has 'host-0001'",
    "s hasprefix 'host'",
];

const CONDITIONS: &[&str] = &[
    "s contains 'b/A'",
    "s contains_cs 'b/A'",
    "s !contains 'row 1'",
    "s contains '/'",
    "isempty(s)",
    "isnotempty(s)",
    "strlen(s) > 10",
    "string_size(s) != strlen(s)",
    "s contains 'row' and strlen(s) between (5 .. 20)",
    "s contains 'row' and s contains '1' and not(s contains '7')",
    "isnotempty(s) and n < 10 and s contains 'a'",
    "s has 'row' and s contains '3'",
    "isempty(s) or s contains 'é'",
    "s contains 'b/a' or s contains 'é' or strlen(s) > 30",
    "s matches regex 'row 1[0-9]+ B'",
    "s matches regex '(?i)ROW .*/A'",
    "s matches regex '^row|of a text'",
    "s matches regex 'a text that .*er$'",
    "s matches regex @' of a '",
    "s startswith 'row 1' and s endswith 'ms'",
    "s == 'row' or s startswith 'b/a' or s =~ 'é'",
    "s !startswith 'row' and s !contains 'a'",
    "s has 'host-0001' or s has '7'",
    "s has 'host-0003' and n > 2",
    "s hassuffix '1 took' or s hasprefix 'of h'",
    "s has_any ('host-0002', 'took 5', 'é')",
    "s has_all ('took', 'ms', 'host')",
    "s in ('row', 'b/A b/a', 'kRow')",
    "s in~ ('ROW', 'B/A b/A', 'KROW')",
    "s matches regex '^row [0-9]+ of host-000[1-3] took'",
    "s matches regex 'took [0-9] ms$'",
    "s matches regex '^(é|row) .*s$'",
    "isempty(s) == false and tolower(s) != 'row'",
];

const SUMMARIES: &[&str] = &[
    "where s contains 'b/' | summarize c = count()",
    "where s contains 'b/' | summarize c = count(), max(strlen(s)) by k = n % 3",
    "where isnotempty(s) | summarize l = avg(strlen(s)), n = count(), sum(string_size(s)) by k = n % 5",
    "where s contains 'row' | summarize c = count() by s",
    "summarize countif(s contains 'a'), countif(isempty(s)), dcount(strlen(s)) by k = strlen(s) > 7",
    "where s contains '1' and n > 3 | summarize min(n), max(n)",
    "where s startswith 'row' | summarize c = count(), dcount(n % 3) by l = strlen(s) > 20",
    "where s startswith 'row' | parse s with 'row ' x:long ' of ' h ' took ' y:int ' ms' | summarize sum(x), dcount(h), max(y)",
    "where s startswith 'row' | parse s with 'row ' x:long ' of ' h ' took ' y:int ' ms' | summarize sum(x), sum(y)",
    "summarize dcount(s), countif(s startswith 'row'), countif(s == 'row') by k = strcat(s has 'a', n % 2)",
    "summarize c = count() by k = strcat(substring(s, 0, 1), iff(n % 2 == 0, 'x', 'y'))",
    "parse s with * 'row ' x:long ' ' y | summarize sum(x), countif(isnull(x)), dcount(y)",
    "parse-where s with 'row ' x:int ' B/' y | summarize sum(x), count(), max(y)",
    "parse kind=regex s with @'\\w+ ' x:long ' ' y | summarize sum(x), countif(isnull(x)), dcount(y)",
    "parse kind=relaxed s with * 'row ' x:long ' ' y:string | summarize sum(x), countif(isnull(x)), dcount(y)",
];

/// Few distinct texts, many, or many with characters beyond ASCII.
fn text((kind, pick, number): (u8, u8, u16)) -> String {
    match kind % 5 {
        3 => format!("row {number} of host-{:04} took {} ms", pick % 5, number % 10),
        4 if pick % 3 == 0 => String::from("\u{212a}row"),
        4 => format!("{pick} of {number:x}-row"),
        0 => ["", "row", "b/A b/a", "é", "Row 17 of a text that is longer"][usize::from(pick % 5)].to_owned(),
        1 if pick % 9 == 0 => String::new(),
        1 => format!("row {number} {}", "B/a/".repeat(usize::from(pick % 11))),
        _ => format!("{} row é {number}", "/é".repeat(usize::from(pick % 4))),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn facts_answer_as_texts_do(
        parts in prop::collection::vec(
            (0u8..5, prop::collection::vec((any::<u8>(), any::<u16>()), 1..400)),
            1..4,
        ),
        last in prop::collection::vec((any::<u8>(), any::<u8>(), any::<u16>()), 0..60),
    ) {
        let directory = tempfile::tempdir().expect("directory");
        let options = StoreOptions { background: false, ..StoreOptions::default() };
        let store = Store::open(directory.path(), options).expect("store");
        let snapshot = store.commit(CatalogChange::CreateTable {
            database: DEFAULT_DATABASE.to_owned(),
            name: String::from("T"),
            schema: TableSchema::new([("n", ColumnType::Long), ("s", ColumnType::String)]),
            folder: String::new(),
            docstring: String::new(),
            if_not_exists: false,
        }).expect("table");
        let table = snapshot.table(DEFAULT_DATABASE, "T").expect("table").id;
        let mut next = 0i64;
        let mut append = |texts: Vec<String>| {
            let numbers = Int64Array::from_iter_values(next..next + texts.len() as i64);
            next += texts.len() as i64;
            let columns: Vec<ArrayRef> =
                vec![Arc::new(numbers), Arc::new(StringViewArray::from_iter_values(texts))];
            store.append(table, &columns, AppendOptions::default()).expect("append");
        };
        for (kind, picks) in &parts {
            append(picks.iter().map(|(pick, number)| text((*kind, *pick, *number))).collect());
            store.seal(None).expect("sealed");
        }
        append(last.iter().map(|pick| text(*pick)).collect());
        let engine = Engine::new(store);
        for expression in EXPRESSIONS {
            let plain = ask(&engine, &format!("T | order by n asc | project n, r = {expression}"));
            let found = ask(&engine, &format!("T | project n, r = {expression} | order by n asc"));
            prop_assert_eq!(found, plain, "{}", expression);
        }
        for condition in CONDITIONS {
            let plain = ask(&engine, &format!("T | order by n asc | project n, s, r = ({condition})"));
            let plain: Vec<Vec<String>> = plain
                .into_iter()
                .filter(|row| row[2] == "Bool(true)")
                .map(|mut row| { row.truncate(2); row })
                .collect();
            let found = ask(&engine, &format!("T | where {condition} | project n, s | order by n asc"));
            prop_assert_eq!(&found, &plain, "{}", condition);
            let count = ask(&engine, &format!("T | where {condition} | count"));
            prop_assert_eq!(&count[0][0], &format!("Long({})", plain.len()), "{}", condition);
        }
        for summary in SUMMARIES {
            let mut plain = ask(&engine, &format!("T | order by n asc | take 1000000 | {summary}"));
            let mut found = ask(&engine, &format!("T | {summary}"));
            plain.sort();
            found.sort();
            prop_assert_eq!(found, plain, "{}", summary);
        }
    }
}
