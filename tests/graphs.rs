//! Graphs: what patterns match, against a model that tries everything; and answers checked by hand.

use std::collections::BTreeMap;

use conshelf::engine::context::QueryLimits;
use conshelf::engine::{Engine, EngineError, QueryContext, QueryRequest};
use conshelf::response::delimited::DelimitedEncoder;
use conshelf::response::{Encoder, ResultHeader};
use conshelf::storage::{DEFAULT_DATABASE, Store, StoreOptions};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

fn request(text: &str) -> QueryRequest {
    QueryRequest {
        text: text.to_owned(),
        database: DEFAULT_DATABASE.to_owned(),
        parameters: Vec::new(),
        context: QueryContext::new(QueryLimits::default(), 638_000_000_000_000_000),
    }
}

/// The tables of an answer: a line of columns, then rows as CSV.
fn tables(engine: &Engine, text: &str) -> Result<Vec<(String, Vec<String>)>, EngineError> {
    let mut found = Vec::new();
    for table in engine.query_collect(&request(text))? {
        let schema = &table.description.schema;
        let columns: Vec<String> =
            schema.iter().map(|column| format!("{}:{}", column.name, column.ty)).collect();
        let header = ResultHeader::primary(schema.clone());
        let mut encoder = DelimitedEncoder::csv();
        let mut bytes = Vec::new();
        for batch in &table.batches {
            encoder
                .rows(&header, batch, &mut bytes)
                .map_err(|error| EngineError::Internal(error.to_string()))?;
        }
        let rows = String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect();
        found.push((columns.join(", "), rows));
    }
    Ok(found)
}

fn with_engine<R>(test: impl FnOnce(&Engine) -> R) -> R {
    let directory = tempfile::tempdir().expect("a directory");
    let store = Store::open(directory.path(), StoreOptions::default()).expect("an empty store");
    test(&Engine::new(store).with_workers(2))
}

/// An edge of a pattern between node variables.
#[derive(Clone, Debug)]
struct Step {
    from: usize,
    to: usize,
    /// 0 forward, 1 backward, 2 any.
    direction: usize,
    least: usize,
    most: usize,
}

#[derive(Clone, Debug)]
struct Case {
    edges: Vec<(usize, usize)>,
    steps: Vec<Step>,
    /// 0 all, 1 none, 2 unique edges.
    cycles: usize,
    /// `w` of the first edge's edges is more than this.
    least_weight: Option<usize>,
    /// The first node is another than the last.
    different_ends: bool,
}

/// A match: the node of each variable, and the edges of each step.
type Match = (Vec<usize>, Vec<Vec<usize>>);

const NODES: usize = 4;

fn weight(edge: usize) -> usize {
    edge * 7 % 5
}

impl Case {
    fn variables(&self) -> usize {
        self.steps.iter().map(|step| step.from.max(step.to) + 1).max().unwrap_or(0)
    }

    /// All walks along a step from a node: the edges taken and the nodes reached.
    fn walks(&self, step: &Step, from: usize) -> Vec<(Vec<usize>, Vec<usize>)> {
        let mut all = vec![(Vec::new(), Vec::new())];
        let mut longest = all.clone();
        for _ in 0..step.most {
            let mut longer = Vec::new();
            for (edges, nodes) in &longest {
                let at: usize = nodes.last().copied().unwrap_or(from);
                for (edge, (source, target)) in self.edges.iter().enumerate() {
                    let mut ends = Vec::new();
                    if step.direction != 1 && *source == at {
                        ends.push(*target);
                    }
                    if step.direction != 0 && *target == at && (step.direction == 1 || source != target) {
                        ends.push(*source);
                    }
                    for end in ends {
                        let (mut edges, mut nodes): (Vec<usize>, Vec<usize>) = (edges.clone(), nodes.clone());
                        edges.push(edge);
                        nodes.push(end);
                        longer.push((edges, nodes));
                    }
                }
            }
            all.extend(longer.iter().cloned());
            longest = longer;
        }
        all.retain(|(edges, _)| edges.len() >= step.least);
        all
    }

    fn allowed(&self, found: &Match, passed: &[Vec<usize>]) -> bool {
        let (nodes, paths) = found;
        let mut edges: Vec<usize> = paths.iter().flatten().copied().collect();
        let taken = edges.len();
        edges.sort_unstable();
        edges.dedup();
        let mut seen: Vec<usize> = nodes.iter().chain(passed.iter().flatten()).copied().collect();
        seen.sort_unstable();
        seen.dedup();
        // What has no cycle is a tree: one node more than edges.
        let fits = match self.cycles {
            0 => true,
            1 => edges.len() == taken && seen.len() == taken + 1,
            _ => edges.len() == taken,
        };
        let heavy = self.least_weight.is_none_or(|least| paths[0].iter().all(|edge| weight(*edge) > least));
        let (first, last) = (self.steps[0].from, self.steps[self.steps.len() - 1].to);
        fits && heavy && (!self.different_ends || nodes[first] != nodes[last])
    }

    fn matches(&self) -> Vec<Match> {
        let mut found = Vec::new();
        // Nodes exist only where edges are.
        for start in (0..NODES).filter(|node| self.edges.iter().any(|(s, t)| s == node || t == node)) {
            let mut nodes = vec![None; self.variables()];
            nodes[self.steps[0].from] = Some(start);
            self.extend(0, &mut nodes, &mut Vec::new(), &mut Vec::new(), &mut found);
        }
        found
    }

    fn extend(
        &self,
        step: usize,
        nodes: &mut Vec<Option<usize>>,
        paths: &mut Vec<Vec<usize>>,
        passed: &mut Vec<Vec<usize>>,
        found: &mut Vec<Match>,
    ) {
        let Some(next) = self.steps.get(step) else {
            let complete = (nodes.iter().flatten().copied().collect(), paths.clone());
            if self.allowed(&complete, passed) {
                found.push(complete);
            }
            return;
        };
        let from = nodes[next.from].expect("steps begin at known nodes");
        for (edges, reached) in self.walks(next, from) {
            let end = reached.last().copied().unwrap_or(from);
            let before = nodes[next.to];
            if before.is_some_and(|known| known != end) {
                continue;
            }
            nodes[next.to] = Some(end);
            paths.push(edges);
            passed.push(reached);
            self.extend(step + 1, nodes, paths, passed, found);
            passed.pop();
            paths.pop();
            nodes[next.to] = before;
        }
    }

    /// The steps in the notation of the language, a sequence each time one does not begin where the last ended.
    fn pattern(&self) -> String {
        let mut text = String::new();
        let mut at = None;
        for (number, step) in self.steps.iter().enumerate() {
            if at != Some(step.from) {
                text.push_str(if at.is_some() { ", " } else { "" });
                text.push_str(&format!("(n{})", step.from));
            }
            let (left, right) = [("-", "->"), ("<-", "-"), ("-", "-")][step.direction];
            let range = match (step.least, step.most) {
                (1, 1) => String::new(),
                (least, most) => format!("*{least}..{most}"),
            };
            text.push_str(&format!("{left}[e{number}{range}]{right}(n{})", step.to));
            at = Some(step.to);
        }
        text
    }

    fn query(&self, operator: &str) -> String {
        let edges: Vec<String> = self
            .edges
            .iter()
            .enumerate()
            .map(|(edge, (source, target))| format!("'{source}','{target}',{edge},{}", weight(edge)))
            .collect();
        let mut conditions = Vec::new();
        if let Some(least) = self.least_weight {
            conditions.push(format!("all(e0, w > {least})"));
        }
        if self.different_ends {
            let (first, last) = (self.steps[0].from, self.steps[self.steps.len() - 1].to);
            conditions.push(format!("n{first}.name != n{last}.name"));
        }
        let condition = match conditions.is_empty() {
            true => String::new(),
            false => format!("where {}", conditions.join(" and ")),
        };
        let columns: Vec<String> = (0..self.variables())
            .map(|node| format!("n{node}.name"))
            .chain((0..self.steps.len()).map(|step| format!("map(e{step}, i)")))
            .collect();
        format!(
            "datatable(s:string, t:string, i:long, w:long)[{}] | make-graph s --> t with_node_id=name | {operator} cycles={} {} {condition} project {}",
            edges.join(", "),
            ["all", "none", "unique_edges"][self.cycles],
            self.pattern(),
            columns.join(", ")
        )
    }
}

fn row((nodes, paths): &Match) -> String {
    let nodes = nodes.iter().map(|node| node.to_string());
    let paths = paths.iter().map(|path| {
        let edges: Vec<String> = path.iter().map(|edge| edge.to_string()).collect();
        match path.len() > 1 {
            true => format!("\"[{}]\"", edges.join(",")),
            false => format!("[{}]", edges.join(",")),
        }
    });
    nodes.chain(paths).collect::<Vec<_>>().join(",")
}

fn sorted(mut rows: Vec<String>) -> Vec<String> {
    rows.sort_unstable();
    rows
}

fn range() -> impl Strategy<Value = (usize, usize)> {
    prop_oneof![
        Just((1, 1)),
        Just((1, 1)),
        (0usize..3, 0usize..3).prop_map(|(least, more)| (least, (least + more).clamp(1, 3))),
    ]
}

/// Steps that each begin at a node known before, and end at a known or a new one.
fn steps(linear: bool) -> impl Strategy<Value = Vec<Step>> {
    vec((any::<usize>(), any::<usize>(), 0usize..3, range()), 1..4).prop_map(move |parts| {
        let mut known = 1;
        let mut last = 0;
        let mut steps = Vec::new();
        for (from, to, direction, (least, most)) in parts {
            let from = if linear { last } else { from % known };
            let to = if linear && to % 3 > 0 { known } else { to % (known + 1) };
            known = known.max(to + 1);
            last = to;
            steps.push(Step { from, to, direction, least, most });
        }
        steps
    })
}

fn cases(linear: bool) -> impl Strategy<Value = Case> {
    (
        vec((0..NODES, 0..NODES), 0..6),
        steps(linear),
        0usize..3,
        proptest::option::of(0usize..4),
        any::<bool>(),
    )
        .prop_map(|(edges, steps, cycles, least_weight, different_ends)| Case {
            edges,
            steps,
            cycles,
            least_weight,
            different_ends,
        })
}

fn check(linear: bool, test: impl Fn(&Engine, Case) -> Result<(), TestCaseError>) {
    with_engine(|engine| {
        let config = Config { cases: 150, failure_persistence: None, ..Config::default() };
        TestRunner::new(config).run(&cases(linear), |case| test(engine, case)).expect("the model agrees");
    });
}

fn rows_of(engine: &Engine, query: &str) -> Result<Vec<String>, TestCaseError> {
    let mut found =
        tables(engine, query).map_err(|error| TestCaseError::fail(format!("{query}: {error}")))?;
    Ok(found.pop().map_or_else(Vec::new, |(_, rows)| rows))
}

#[test]
fn patterns_match_what_the_model_matches() {
    check(false, |engine, case| {
        let query = case.query("graph-match");
        let found = sorted(rows_of(engine, &query)?);
        let wanted = sorted(case.matches().iter().map(row).collect());
        prop_assert_eq!(found, wanted, "{}", query);
        Ok(())
    });
}

#[test]
fn shortest_paths_are_the_shortest_of_the_matches() {
    check(true, |engine, case| {
        if !case.steps.iter().any(|step| (step.least, step.most) != (1, 1)) {
            return Ok(());
        }
        let (first, last) = (case.steps[0].from, case.steps[case.steps.len() - 1].to);
        let mut by_ends: BTreeMap<(usize, usize), (usize, Vec<String>)> = BTreeMap::new();
        for found in case.matches() {
            let length = found.1.iter().map(Vec::len).sum();
            let known = by_ends.entry((found.0[first], found.0[last])).or_insert((length, Vec::new()));
            if length < known.0 {
                *known = (length, Vec::new());
            }
            if length == known.0 {
                known.1.push(row(&found));
            }
        }
        let query = case.query("graph-shortest-paths output=all");
        let found = sorted(rows_of(engine, &query)?);
        let wanted = sorted(by_ends.values().flat_map(|(_, rows)| rows.clone()).collect());
        prop_assert_eq!(found, wanted, "{}", query);

        let query = case.query("graph-shortest-paths");
        let found = rows_of(engine, &query)?;
        prop_assert_eq!(found.len(), by_ends.len(), "{}", query);
        for rows in by_ends.values().map(|(_, rows)| rows) {
            prop_assert_eq!(found.iter().filter(|row| rows.contains(row)).count(), 1, "{}", query);
        }
        Ok(())
    });
}

#[test]
fn components_are_what_paths_say() {
    check(false, |engine, case| {
        let edges: Vec<String> = case.edges.iter().map(|(s, t)| format!("{s},{t}")).collect();
        let mut reach = [[false; NODES]; NODES];
        let mut linked = reach;
        for (source, target) in &case.edges {
            reach[*source][*target] = true;
            linked[*source][*target] = true;
            linked[*target][*source] = true;
        }
        for table in [&mut reach, &mut linked] {
            for through in 0..NODES {
                for a in 0..NODES {
                    for b in 0..NODES {
                        table[a][b] |= a == b || (table[a][through] && table[through][b]);
                    }
                }
            }
        }
        for kind in ["weak", "strong"] {
            let query = format!(
                "datatable(s:long, t:long)[{}] | make-graph s --> t with_node_id=n | graph-mark-components kind={kind} with_component_id=c | graph-to-table nodes",
                edges.join(", ")
            );
            let rows = rows_of(engine, &query)?;
            let found: Vec<(usize, usize)> = rows
                .iter()
                .filter_map(|row| row.split_once(','))
                .filter_map(|(node, component)| Some((node.parse().ok()?, component.parse().ok()?)))
                .collect();
            let numbers = found.iter().map(|(_, component)| *component).max().map_or(0, |most| most + 1);
            for (a, of_a) in &found {
                prop_assert!((0..numbers).all(|number| found.iter().any(|(_, of)| *of == number)));
                for (b, of_b) in &found {
                    let together = match kind {
                        "weak" => linked[*a][*b],
                        _ => reach[*a][*b] && reach[*b][*a],
                    };
                    prop_assert_eq!(of_a == of_b, together, "{}: {} {}", query, a, b);
                }
            }
        }
        Ok(())
    });
}

/// A small organisation: who reports to whom since when.
const STAFF: &str = "let people = datatable(name:string, age:long, city:string)['Ann',50,'Oslo', 'Bo',40,'Rome', 'Cy',30,'Oslo', 'Di',20,''];
let reports = datatable(who:string, boss:string, year:int, bag:dynamic)['Bo','Ann',2020,dynamic({\"k\":1}), 'Cy','Bo',2021,dynamic(null), 'Di','Bo',2022,dynamic([1]), 'Ed','Cy',2023,dynamic('x')];
";

fn answers(queries: &[&str]) -> String {
    with_engine(|engine| {
        let mut out = String::new();
        for query in queries {
            out.push_str(&format!("> {query}\n"));
            match tables(engine, &format!("{STAFF}{query}")) {
                Ok(found) => {
                    for (columns, rows) in found {
                        out.push_str(&format!("[{columns}]\n{}\n", sorted(rows).join("\n")));
                    }
                }
                Err(error) => out.push_str(&format!("{error}\n")),
            }
            out.push('\n');
        }
        out
    })
}

macro_rules! golden {
    ($($name:ident: [$($query:expr),* $(,)?],)*) => {
        $(#[test]
        fn $name() {
            insta::with_settings!({ omit_expression => true }, {
                insta::assert_snapshot!(stringify!($name), answers(&[$($query),*]));
            });
        })*
    };
}

golden! {
    graph_tables: [
        "reports | make-graph who --> boss with people on name | graph-to-table nodes",
        "reports | make-graph who --> boss with people on name | graph-to-table edges with_target_id=t",
        "reports | make-graph who --> boss | graph-to-table edges as E; E | count",
        "reports | make-graph who --> boss with_node_id=id | graph-to-table nodes as N with_node_id=h, edges as E; N | project id; E | project who",
        "reports | where year > 3000 | make-graph who --> boss with people on name | graph-to-table nodes",
        "reports | make-graph who --> boss with people on name, (datatable(name:string, age:long, city:string, title:string)['Cy',31,'Bern','dev', 'Di',0,'Bern','ops', 'Zo',1,'','ceo']) on name | graph-to-table nodes",
        "reports | make-graph who --> boss with people on name, (datatable(name:string, age:string, city:int)['Cy','old',5]) on name | graph-to-table nodes",
        "datatable(s:int, t:long)[1,2, 2,int(null)] | make-graph s --> t with_node_id=n | graph-to-table nodes",
        "datatable(s:int, t:string)[1,'2', 2,'x'] | make-graph s --> t with_node_id=n | graph-to-table nodes with_node_id=h | project n",
        "let g = reports | make-graph who --> boss with people on name; g | graph-to-table nodes | summarize n = count() | extend m = toscalar(g | graph-to-table edges | count)",
        "let g = (T:(who:string, boss:string)) { T | make-graph who --> boss with people on name }; let f = (G:(*)) { G | graph-to-table nodes | count }; reports | invoke g() | graph-to-table edges | count; f(g(reports)); reports | invoke g() | invoke f()",
    ],
    a_graph_alone: [
        "reports | make-graph who --> boss with people on name",
        "let g = reports | make-graph who --> boss; g",
    ],
    graph_projections: [
        "reports | make-graph who --> boss with people on name | graph-match (a)-[e]->(b) project a.name, e.year, b.age, a.name, x = 1 + b.age, b.age + 1",
        "reports | make-graph who --> boss with people on name | graph-match (a)-[e]->(b) where a.name == 'Bo' project a, e, b['city'], e.bag.k",
        "reports | make-graph who --> boss with people on name | graph-match (a)-[e*1..3]->(b) where a.name == 'Ed' project b.name, e.year, e, year = strcat(e.year, '!'), n = array_length(e)",
        "reports | make-graph who --> boss with people on name | graph-match (a)<-[e*0..2]-(b) where a.name == 'Ann' project b.name, map(e, bag), map(inner_nodes(e), strcat(name, node_degree_in(), node_id())), any(e, year > 2020), all(inner_nodes(e), age > 35)",
        "reports | make-graph who --> boss with people on name | graph-match (a)-[e*1..2]->(b) where e.year > 2021 and a.age < b.age project a.name, b.name",
        "reports | make-graph who --> boss with people on name | graph-match (a)-[e*1..3]->(b) where all(e, strcat(boss, '') != a.name and year > 2020) project node_id(a), labels(a), labels(e), node_degree_out(a), map(e, who == a.name)",
        "reports | make-graph who --> boss with people on name | graph-match (a) where a.age > 25 project a.name",
        "let lowest = 1; let name = 'Bo'; reports | make-graph who --> boss with people on name | graph-match (a)-[e*lowest..(1+1)]->(b) where b.name == name project a.name, len = array_length(map(e, 1))",
        "reports | make-graph who -- boss with people on name | graph-match (a)-->(b) where a.name == 'Bo' project b.name",
        "reports | make-graph who --> boss with people on name | graph-match (a)--(b)--(c) where a.name == 'Bo' project b.name, c.name",
        "reports | make-graph who --> boss with people on name | graph-match (a)-->(b), (c)-->(b) where a.age < c.age project a.name, b.name, c.name",
        "reports | make-graph who --> boss with people on name partitioned-by year (graph-match (a)-[e]->(b) project a.name, e.year)",
        "reports | make-graph who --> boss partitioned-by year (graph-match (a)-[e]->(b) project e.who | summarize n = count() | extend one = 1)",
        "reports | extend city = 'Oslo' | make-graph who --> boss with people on name partitioned-by city (graph-to-table nodes | project name, city)",
        "reports | make-graph who --> boss with people on name | graph-mark-components | graph-match (a)-->(b) project a.ComponentId",
        "reports | make-graph who --> boss with people on name | graph-match (a)-[e]->(b) where a.name in ((people | where age < 35 | project name)) and b.age > toscalar(people | summarize min(age)) project a.name",
    ],
    graph_errors: [
        "reports | make-graph who --> nobody | graph-to-table nodes",
        "reports | make-graph who --> bag | graph-to-table nodes",
        "reports | make-graph who --> boss with people on bag | graph-to-table nodes",
        "reports | graph-match (a)-->(b) project a.x",
        "reports | make-graph who --> boss | count",
        "reports | make-graph who --> boss | graph-match (a)-->(b)",
        "let g = reports | make-graph who --> boss; print array_length(g)",
        "reports | make-graph who --> boss with people on name | graph-match (a)-[e]->(b) project a.nam, e.yeer, b, c.name",
        "reports | make-graph who --> boss with people on name | graph-match (a)-[e]->(b) where a.age project a.name",
        "reports | make-graph who --> boss with people on name | graph-match (a)-[e]->(b), (c)-->(d) project a.name",
        "reports | make-graph who --> boss with people on name | graph-match (a)-[e]- project a.name",
        "reports | make-graph who --> boss with people on name | graph-match (a)(b) project a.name",
        "reports | make-graph who --> boss with people on name | graph-match (a)-[a]->(b) project b.name",
        "reports | make-graph who --> boss with people on name | graph-match (a)-[e]->(b)-[e]->(c) project b.name",
        "reports | make-graph who --> boss with people on name | graph-match (a)-[e*3..1]->(b) project b.name",
        "reports | make-graph who --> boss with people on name | graph-match (a)-[e*-1..1]->(b) project b.name",
        "reports | make-graph who --> boss with people on name | graph-match cycles=some (a)-[e]->(b) project b.name",
        "reports | make-graph who --> boss with people on name | graph-match (a)-[e*1..2]->(b) project map(a, name)",
        "reports | make-graph who --> boss with people on name | graph-match (a)-[e*1..2]->(b) project map(e), inner_nodes(e), node_id(), node_degree_in(e)",
        "reports | make-graph who --> boss with people on name | graph-match (a)-[e*1..2]->(b) where all(e, year) project a.name",
        "reports | make-graph who --> boss with people on name | graph-shortest-paths (a)-[e]->(b) project a.name",
        "reports | make-graph who --> boss with people on name | graph-shortest-paths output=some (a)-[e*1..2]->(b) project a.name",
        "reports | make-graph who --> boss with people on name | graph-mark-components kind=odd | graph-to-table nodes",
        "reports | make-graph who --> boss with people on name | graph-to-table nodes, edges",
        "graph('nothing') | graph-to-table nodes",
        "print node_id(), map(1, 2)",
        "reports | make-graph who --> boss with people on name | graph-match (a)-[e]->(b) project count(), sum(a.age)",
        "reports | make-graph who --> boss with people on name partitioned-by year (graph-to-table nodes)",
    ],
}
