//! Each rule by plans before and after it; nothing else may change.

use super::*;
use crate::bind::bind;
use crate::catalog::TestCatalog;
use crate::explain::explain;
use crate::parser::parse;

fn bound(query: &str) -> Plan {
    let catalog = catalog();
    let parsed = parse(query);
    let bound = bind(&parsed.query, query, &catalog);
    let messages = format!("{query}: {:?} {:?}", parsed.diagnostics, bound.diagnostics);
    bound.plan.expect(&messages).results.remove(0).plan
}

fn catalog() -> TestCatalog {
    TestCatalog::default()
        .with_table("T", "t: datetime, a: long, b: string, c: real, d: dynamic")
        .with_table("U", "b: string, x: long, y: string")
}

fn compare(queries: &[&str], rule: impl Fn(&mut Plan)) -> String {
    let mut out = String::new();
    for query in queries {
        let mut plan = bound(query);
        let before = plan.clone();
        rule(&mut plan);
        assert_eq!(before.schema, plan.schema, "{query}");
        out.push_str(&format!("> {query}\n{}--\n{}\n", explain(&before), explain(&plan)));
    }
    out
}

#[test]
fn filters_are_pushed() {
    insta::assert_snapshot!(compare(
        &[
            "T | where a > 1 | where b == 'x'",
            "T | extend z = a + 1 | where z > 5 and b == 'x'",
            "T | extend r = rand() | where r > 0.5 and a == 1",
            "T | sort by t asc | where a > 1",
            "T | sort by t asc | extend n = row_number() | where a > 1 and n < 5",
            "T | union U | where b == 'x'",
            "T | join kind=inner U on b | where a > 1 and x > 2 and a > x",
            "T | join kind=leftouter U on b | where a > 1 and x > 2",
            "T | join U on b | where a > 1 and b == 'x' and x > 2",
            "T | join kind=leftanti U on b | where b == 'x' and a > 1",
            "T | summarize n = count() by b | where b == 'x' and n > 1",
            "T | take 5 | where a > 1",
            "T | mv-expand d to typeof(long) | where a > 1 and d > 2",
            "T | parse b with 'x' z: long | where a > 1 and z > 2",
        ],
        push_filter::apply
    ));
}

#[test]
fn columns_are_pruned() {
    insta::assert_snapshot!(compare(
        &[
            "T | where a > 1 | project b",
            "T | count",
            "T | summarize sum(c) by b",
            "T | extend z = a + 1, w = c * 2 | summarize max(z)",
            "T | join kind=inner U on b | project a, y",
            "T | join kind=leftsemi U on b | project a",
            "T | sort by t asc | project a",
            "T | union U | project x, a",
            "T | summarize n = count(), m = max(c) by b | project m",
            "T | summarize n = count(), m = max(c) | project z = 1",
            "T | mv-expand d | project a",
            "T | parse b with 'x' z: long | project c, z",
            "T | project-reorder c, a | where a > 1 | project c",
            "T | parse b with 'x' y ' ' z: long ' ' w | project c, z",
            "let S = materialize(T | where a > 1); S | join kind=inner (S | summarize max(c) by b) on b | project a",
        ],
        |plan| prune_columns::apply(&mut [plan])
    ));
}

#[test]
fn takes_become_tops() {
    insta::assert_snapshot!(compare(
        &[
            "T | sort by t asc | take 5",
            "T | sort by t asc | project a | take 5",
            "T | take 5 | take 3",
            "T | union U | take 5",
            "T | sort by t asc | extend n = row_number() | take 5",
            "T | extend z = a + 1 | top 3 by t",
            "T | extend z = a + 1 | top 3 by z",
        ],
        |plan| {
            push_take::apply(plan);
            top::apply(plan);
        }
    ));
}

#[test]
fn useless_sorts_go() {
    insta::assert_snapshot!(compare(
        &[
            "T | sort by t asc | summarize count() by b",
            "T | sort by t asc | where a > 1 | extend z = 1 | summarize sum(a)",
            "T | sort by t asc | summarize make_list(a)",
            "T | sort by t asc | extend n = row_number() | summarize max(n)",
            "T | sort by a asc | sort by a asc",
        ],
        drop_sort::apply
    ));
}

#[test]
fn cases_are_ignored_and_constants_folded() {
    insta::assert_snapshot!(compare(
        &[
            "T | where tolower(b) == 'x' and 'Y' == toupper(b) and tolower(b) == 'X'",
            "T | where true and a > 1",
            "T | where a > 1 or true",
            "T | where false",
        ],
        |plan| {
            ignore_case::apply(plan);
            fold::apply(plan, &catalog());
        }
    ));
}

#[test]
fn bins_are_ranges() {
    insta::assert_snapshot!(compare(
        &[
            "T | where bin(t, 1h) >= datetime(2020-01-01 05:00)",
            "T | where bin(t, 1h) >= datetime(2020-01-01 05:30) and bin(t, 1h) < datetime(2020-01-01 07:30)",
            "T | where bin(t, 1h) > datetime(2020-01-01 05:00) and bin(t, 1h) <= datetime(2020-01-01 07:00)",
            "T | where startofday(t) == datetime(2020-01-01)",
            "T | where bin(t, 1h) == datetime(2020-01-01 05:30)",
            "T | where bin(t, 1d) between (datetime(2020-01-01) .. 3d)",
            "T | where t between (datetime(2020-01-01) .. 1h) and t !between (datetime(2020-01-02) .. 1h)",
            "T | extend h = bin(t, 1h) | where datetime(2020-01-01) <= h",
            "T | where startofmonth(t) == datetime(2020-02-01) or a > 1",
            "T | where startofmonth(t) == datetime(2020-02-01) and a > 1",
            "T | where startofyear(t) between (datetime(2020-01-01) .. datetime(2021-01-01))",
            "T | where startofweek(t, -1) > datetime(2020-01-05)",
        ],
        |plan| {
            fold::apply(plan, &catalog());
            push_filter::apply(plan);
            bin_range::apply(plan);
        }
    ));
}

#[test]
fn the_whole() {
    insta::assert_snapshot!(compare(
        &[
            "T | where t > datetime(2020-01-01) | extend h = bin(t, 1h) | where b has 'x' | summarize count() by h | order by h asc",
            "let S = materialize(T | where a > 1); S | join kind=inner S on b | project a | take 3",
            "T | where b in (U | where x > 1 | project b) | project a",
        ],
        |plan| {
            rewrite(plan, &catalog());
            prune_columns::apply(&mut [plan]);
        }
    ));
}
