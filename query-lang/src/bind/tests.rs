//! Golden plans of every operator, and the messages about what cannot be bound.

use crate::bind::{bind, check};
use crate::catalog::TestCatalog;
use crate::diagnostic::render_all;
use crate::explain::explain_query;
use crate::parser::parse;

fn catalog() -> TestCatalog {
    TestCatalog { now: 637_134_336_000_000_000, ..TestCatalog::default() }
        .with_table(
            "Logs",
            "Timestamp: datetime, Level: string, Message: string, Node: string, Latency: real",
        )
        .with_table(
            "Metrics",
            "Timestamp: datetime, Name: string, Value: real, Labels: dynamic, Count: long, Small: int",
        )
        .with_table("Nodes", "Node: string, Zone: string, Cores: int, Latency: real")
        .with_function("Recent", "(span: timespan = 1h)", "{ Logs | where Timestamp > ago(span) }")
        .with_function("Loud", "(T: (Level: string))", "T | where Level == 'error'")
        .with_function("Endless", "()", "{ Endless() }")
}

fn plan(query: &str) -> String {
    let parsed = parse(query);
    let bound = bind(&parsed.query, query, &catalog());
    let mut diagnostics = parsed.diagnostics;
    diagnostics.extend(bound.diagnostics);
    let messages = render_all(&diagnostics, query);
    match bound.plan {
        Some(plan) => format!("{messages}{}", explain_query(&plan)),
        None => messages,
    }
}

fn golden(queries: &[&str]) -> String {
    queries.iter().map(|query| format!("> {query}\n{}\n", plan(query))).collect()
}

macro_rules! golden_plans {
    ($($name:ident: [$($query:expr),* $(,)?],)*) => {
        $(#[test]
        fn $name() {
            insta::assert_snapshot!(stringify!($name), golden(&[$($query),*]));
        })*
    };
}

golden_plans! {
    sources: [
        "print 1, a = 'x', 2.5",
        "range x from 1 to 10 step 2",
        "range t from datetime(2020-01-01) to datetime(2020-01-02) step 1h",
        "datatable(a: long, b: string)[1, 'x', 2, 'y']",
        "Logs",
        "database('TestDb').Logs | take 1",
        "cluster('localhost').database('TestDb').Logs | take 1",
        "table('Logs') | count",
        "Metrics | getschema",
    ],
    filters: [
        "Logs | where Level == 'error' and Latency > 1",
        "Metrics | where Labels.a.b[0] == 'x' and Labels['c'] > 5",
        "Logs | where Timestamp between (datetime(2020-01-01) .. 1d)",
        "Logs | where Level in ('a', 'b') or Level !in~ ('c')",
        "Logs | where Node in (Nodes | where Cores > 4 | project Node)",
        "Logs | where * has 'x'",
        "Metrics | where Small == 1 and Count != 2.5 and Value == 1",
    ],
    projections: [
        "Metrics | extend a = Count + 1, Count = Small * 2, strlen(Name), Labels.a.b, Small + Small",
        "Metrics | project Name, v = Value, Value * 2",
        "Metrics | project-away L*, Count",
        "Metrics | project-keep *a*, Count",
        "Metrics | project-rename N = Name, C = Count",
        "Metrics | project-reorder Value, *a* desc",
        "print a10 = 1, a9 = 2, a1 = 3 | project-reorder a* granny-asc",
    ],
    aggregates: [
        "Logs | summarize count() by Level",
        "Logs | summarize count(), avg(Latency), max(Timestamp) by bin(Timestamp, 1h), Node",
        "Metrics | summarize sum(Count) / count(), dcount(Name), countif(Value > 1), percentiles(Value, 50, 99.9)",
        "Logs | summarize arg_max(Timestamp, *) by Node",
        "Logs | summarize arg_min(Latency, Node, Message), take_any(Level)",
        "Logs | summarize make_list(Node), make_set_if(Level, Latency > 1), x = sum(Latency) by tolower(Node)",
        "Logs | summarize by Level, Node",
        "Logs | distinct Level, Node",
        "Nodes | distinct *",
        "Logs | count",
        "Logs | count as n",
    ],
    orders: [
        "Logs | sort by Timestamp",
        "Logs | order by Level asc, Latency desc nulls first",
        "Logs | top 5 by Latency asc",
        "Logs | take 10",
        "Logs | sort by Timestamp asc | extend n = row_number(), d = Timestamp - prev(Timestamp)",
        "Logs | serialize n = row_number(1)",
        "Logs | top-hitters 3 of Node by Latency",
        "Logs | top-nested 2 of Node by count(), top-nested 1 of Level by m = max(Latency)",
    ],
    joins: [
        "Logs | join Nodes on Node",
        "Logs | join kind=inner (Nodes | where Cores > 1) on $left.Node == $right.Node",
        "Logs | join kind=leftouter hint.strategy=broadcast Nodes on Node",
        "Logs | join kind=leftanti Nodes on Node",
        "Logs | join kind=rightsemi Nodes on Node",
        "Metrics | join (Metrics | project Small, Name) on $left.Count == $right.Small",
        "Logs | lookup Nodes on Node",
    ],
    unions: [
        "Logs | union Nodes",
        "union withsource=T Logs, (Nodes | where Cores > 1)",
        "union kind=inner Logs, Nodes",
        "union isfuzzy=true Missing, Nodes",
        "union N*",
        "union (print a = 1), (print a = 'x'), (print a_long = true)",
        "search in (Nodes) 'west' and Cores > 4",
        "Nodes | search kind=case_sensitive 'W*'",
        "find in (Logs, Nodes) where Node == 'a' project Node, Level",
    ],
    expansions: [
        "Metrics | mv-expand Labels",
        "Metrics | project Name, Labels | mv-expand with_itemindex=i x = Labels to typeof(long) limit 5",
        "Metrics | project Name, Labels | mv-apply x = Labels to typeof(long) on (summarize s = sum(x))",
        "Metrics | project Name, Labels | mv-apply Labels to typeof(long) on (top 1 by Labels | project m = Labels, Name)",
        "Logs | parse Message with * 'id=' id: long ' ' rest",
        "Logs | parse-where kind=regex flags=U Message with 'a' Level 'b'",
        "Logs | parse-kv Message as (a: long, b: string) with (pair_delimiter=',', kv_delimiter='=')",
        "Logs | make-series avg(Latency) default = 0, n = count() on Timestamp from datetime(2020-01-01) to datetime(2020-01-02) step 1h by Node",
        "Logs | partition by Node (top 1 by Latency)",
        "Logs | sample 5",
        "Logs | sample-distinct 5 of Node",
    ],
    declarations: [
        "let n = 10; let T = Logs | where Latency > n; T | take n",
        "let f = (x: long, y: long = 2) { x + y }; Metrics | extend z = f(Count), w = f(y = 1, x = 2)",
        "let f = (T: (Node: string), z: string) { T | where Node == z }; Logs | invoke f('a')",
        "let T = Nodes; let g = view () { T }; union g*",
        "Recent() | count",
        "Logs | invoke Loud() | project Level",
        "let m = toscalar(Logs | summarize max(Latency)); Logs | where Latency == m",
        "let M = materialize(Logs | where Latency > 1); M | join kind=inner M on Node",
        "set notruncation; set query_datascope = 'hotcache'; Logs | take 1",
        "declare query_parameters (limit: long = 5); Logs | take limit",
        "Logs | as L | union L",
        "Logs | summarize count() by bin(Timestamp, 1h) | render timechart with (title='x', legend=hidden)",
        "Logs | fork (count) errors = (where Level == 'error' | take 1)",
        "Logs | take 1; Nodes | take 2",
        "declare pattern p = (a: string)[b: string] { ('x').['y'] = { print a, b }; }; p('x').y",
        "Metrics | project Name, Labels | evaluate bag_unpack(Labels) : (*, x: long)",
        "Logs | evaluate pivot(Level, avg(Latency), Node) : (Node: string, error: real, info: real)",
    ],
    messages: [
        "Lgos | take 1",
        "Logs | where Levle == 'error' | project Mesage",
        "Logs | extend x = strlenn(Message)",
        "Logs | extend x = substring(Message)",
        "Logs | extend x = datetime_diff(1)",
        "Logs | where Latency",
        "Logs | where Latency == 'x'",
        "Logs | where Level > 'a'",
        "Logs | extend Level + 1",
        "Logs | where sum(Latency) > 1",
        "Logs | summarize Latency by Node",
        "Logs | summarize sum(Level)",
        "Logs | summarize max(sum(Latency))",
        "Metrics | summarize count() by Labels",
        "Metrics | sort by Labels",
        "Logs | project Node, Node",
        "Logs | extend a = 1, a = 2",
        "Logs | project-rename Level = Node",
        "Logs | join kind=innner Nodes on Node",
        "Logs | join Nodes on Zone",
        "Logs | join Nodes on $left.Level == $right.Cores",
        "Logs | union Missing",
        "let x = 1; let x = 2; print x",
        "let f = (x: long) { x }; print f()",
        "let f = (T: (a: long)) { T }; Logs | invoke f()",
        "Endless()",
        "Logs | take 'x'",
        "Logs | top 1.5 by Latency",
        "Logs | mv-expand Level",
        "Logs | evaluate bag_unpack(Message)",
        "Logs | evaluate autocluster()",
        "datatable(a: long, b: long)[1, 2, 3]",
        "range x from 1 to 'a' step 1",
        "database('Nope').T",
        "print Logs",
        "Logs | extend x = case(1, 2, 3)",
    ],
}

#[test]
fn check_tells_the_columns() {
    let (diagnostics, schema) = check("Logs | summarize n = count() by Level", &catalog());
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let names: Vec<String> =
        schema.unwrap().iter().map(|column| format!("{}:{}", column.name, column.ty)).collect();
    assert_eq!(names, ["Level:string", "n:long"]);
}

#[test]
fn several_mistakes_are_reported_at_once() {
    let (diagnostics, _) = check("Logs | where A == 1 | extend x = B, y = C | where D", &catalog());
    assert_eq!(diagnostics.len(), 4, "{diagnostics:?}");
}

#[test]
fn what_follows_from_a_mistake_is_not_reported() {
    let (diagnostics, _) =
        check("Logs | extend x = Missing | where x > 1 | summarize sum(x) by x", &catalog());
    assert_eq!(diagnostics.len(), 1, "{diagnostics:?}");
}

#[test]
fn deep_and_long_texts_are_survived() {
    let run = || {
        let deep = format!("print {}1{}", "abs(".repeat(5000), ")".repeat(5000));
        check(&deep, &catalog());
        let wide = format!("print {}", vec!["1"; 900].join(" + "));
        let (diagnostics, _) = check(&wide, &catalog());
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        let pipes = format!("Logs{}", " | extend x = 1".repeat(2000));
        check(&pipes, &catalog());
        let mut lets = String::from("let v0 = Logs;");
        for number in 1..40 {
            lets.push_str(&format!("let v{number} = v{} | union v{};", number - 1, number - 1));
        }
        check(&format!("{lets} v39"), &catalog());
        let conditions = vec!["Latency > 1"; 3000].join(" or ");
        let (diagnostics, _) = check(&format!("Logs | where {conditions}"), &catalog());
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(run).unwrap().join().unwrap();
}
