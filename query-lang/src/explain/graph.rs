//! The lines of the operators of graphs: patterns in the notation of the language, with numbers for names.

use std::fmt::Write;

use super::{assignments, columns, expression};
use crate::plan::graph::{
    Cycles, GraphPattern, GraphPlan, GraphSearch, GraphSource, GraphValue, GraphValueKind, PathCollect,
    PathLocal, Shortest, StepDirection,
};
use crate::types::{Column, Schema};

pub(super) fn search(search: &GraphSearch, schema: &Schema) -> String {
    let mut text = match search.shortest {
        None => "GraphMatch".to_string(),
        Some(Shortest::Any) => "GraphShortestPaths".to_string(),
        Some(Shortest::All) => "GraphShortestPaths all".to_string(),
    };
    match search.cycles {
        Cycles::UniqueEdges => {}
        Cycles::All => text.push_str(" cycles=all"),
        Cycles::None => text.push_str(" cycles=none"),
    }
    let _ = write!(text, " {} in {}", pattern(&search.pattern), graph(&search.graph));
    let values = value_schema(search);
    for (number, condition) in search.conditions.iter().enumerate() {
        let word = if number == 0 { "where" } else { "and" };
        let _ = write!(text, " {word} {}", expression(condition, &values));
    }
    let _ = write!(text, " project {}", assignments(&search.expressions, schema, &values));
    text
}

pub(super) fn table(of: &GraphPlan, nodes: bool, hashes: usize, schema: &Schema) -> String {
    let what = if nodes { "nodes" } else { "edges" };
    let hashed = if hashes > 0 { format!(" with {hashes} hashes") } else { String::new() };
    format!("GraphTable {what}{hashed} of {} [{}]", graph(of), columns(schema))
}

fn graph(plan: &GraphPlan) -> String {
    match plan.source.as_ref() {
        GraphSource::Build(build) => {
            let arrow = if build.directed { "-->" } else { "--" };
            format!(
                "({} {arrow} {})",
                expression(&build.source, &build.edges.schema),
                expression(&build.target, &build.edges.schema)
            )
        }
        GraphSource::Components { input, strong } => {
            format!("{} components of {}", if *strong { "strong" } else { "weak" }, graph(input))
        }
        GraphSource::Argument => "the argument".to_string(),
    }
}

fn pattern(pattern: &GraphPattern) -> String {
    if pattern.edges.is_empty() {
        return "(n0)".to_string();
    }
    let steps = pattern.edges.iter().enumerate().map(|(number, step)| {
        let range = match (step.least, step.most) {
            (1, 1) => String::new(),
            (least, most) => format!("*{least}..{most}"),
        };
        let (left, right) = match step.direction {
            StepDirection::Forward => ("-", "->"),
            StepDirection::Backward => ("<-", "-"),
            StepDirection::Any => ("-", "-"),
        };
        format!("(n{}){left}[e{number}{range}]{right}(n{})", step.from, step.to)
    });
    steps.collect::<Vec<_>>().join(", ")
}

/// Names of what is read of a match.
fn value_schema(search: &GraphSearch) -> Schema {
    let mut schema = Schema::new();
    for value in &search.values {
        let name = value_name(search, value, &schema);
        schema.push(Column::new(name, value.ty));
    }
    schema
}

fn value_name(search: &GraphSearch, value: &GraphValue, before: &Schema) -> String {
    let name = |schema: &Schema, column: usize| {
        schema.get(column).map_or_else(String::new, |column| column.name.clone())
    };
    match &value.kind {
        GraphValueKind::NodeProperty { node, column } => {
            format!("n{node}.{}", name(&search.graph.nodes, *column))
        }
        GraphValueKind::NodeId { node } => format!("node_id(n{node})"),
        GraphValueKind::NodeDegreeIn { node } => format!("node_degree_in(n{node})"),
        GraphValueKind::NodeDegreeOut { node } => format!("node_degree_out(n{node})"),
        GraphValueKind::EdgeProperty { edge, column } | GraphValueKind::Lifted { edge, column } => {
            format!("e{edge}.{}", name(&search.graph.edges, *column))
        }
        GraphValueKind::Path { edge, inner_nodes, collect, locals, expression: along } => {
            let function = match collect {
                PathCollect::All => "all",
                PathCollect::Any => "any",
                PathCollect::Map => "map",
            };
            let mut inner =
                if *inner_nodes { search.graph.nodes.clone() } else { search.graph.edges.clone() };
            for local in locals {
                let name = match local {
                    PathLocal::NodeId => "node_id()".to_string(),
                    PathLocal::NodeDegreeIn => "node_degree_in()".to_string(),
                    PathLocal::NodeDegreeOut => "node_degree_out()".to_string(),
                    PathLocal::Outer(value) => name(before, *value),
                };
                inner.push(Column::new(name, crate::types::Type::Dynamic));
            }
            let of = if *inner_nodes { format!("inner_nodes(e{edge})") } else { format!("e{edge}") };
            format!("{function}({of}, {})", expression(along, &inner))
        }
    }
}
