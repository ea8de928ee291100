//! Operators as text.

use std::fmt::{self, Display, Formatter};

use super::{Commas, Parameters, WithProperties};
use crate::ast::*;

/// ` keyword value`, or nothing.
struct Clause<'a, T>(&'a str, &'a Option<T>);

impl<T: Display> Display for Clause<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.1 {
            Some(value) => write!(f, " {} {value}", self.0),
            None => Ok(()),
        }
    }
}

/// ` keyword a, b`, or nothing.
struct ListClause<'a, T>(&'a str, &'a [T]);

impl<T: Display> Display for ListClause<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.1.is_empty() { Ok(()) } else { write!(f, " {} {}", self.0, Commas(self.1)) }
    }
}

impl Display for Operator {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl Display for OperatorKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        use OperatorKind::*;
        match self {
            As(op) => write!(f, "as{} {}", Parameters(&op.parameters), op.name),
            AssertSchema(schema) => write!(f, "assert-schema {schema}"),
            Consume(op) => write!(f, "consume{}", Parameters(&op.parameters)),
            Count(op) => write!(f, "count{}{}", Parameters(&op.parameters), Clause("as", &op.name)),
            Distinct(op) => write!(f, "distinct{} {}", Parameters(&op.parameters), Commas(&op.expressions)),
            Evaluate(op) => {
                write!(f, "evaluate{} {}", Parameters(&op.parameters), op.call)?;
                op.schema.iter().try_for_each(|schema| write!(f, ": {schema}"))
            }
            ExecuteAndCache => f.write_str("__executeAndCache"),
            Extend(list) => write!(f, "extend {}", Commas(list)),
            Facet(op) => {
                write!(f, "facet by {}", Commas(&op.columns))?;
                op.with.iter().try_for_each(|body| write!(f, " with ({body})"))
            }
            Find(op) => op.fmt(f),
            Fork(op) => {
                f.write_str("fork")?;
                for ForkBranch { name, body, .. } in &op.branches {
                    match name {
                        Some(name) => write!(f, " {name}=({body})")?,
                        None => write!(f, " ({body})")?,
                    }
                }
                Ok(())
            }
            GetSchema(op) => write!(f, "getschema{}", Parameters(&op.parameters)),
            GraphMarkComponents(parameters) => write!(f, "graph-mark-components{}", Parameters(parameters)),
            GraphMatch(op) => write!(f, "graph-match{op}"),
            GraphShortestPaths(op) => write!(f, "graph-shortest-paths{op}"),
            GraphToTable(tables) => write!(f, "graph-to-table {}", Commas(tables)),
            GraphWhereEdges(predicate) => write!(f, "graph-where-edges {predicate}"),
            GraphWhereNodes(predicate) => write!(f, "graph-where-nodes {predicate}"),
            Invoke(call) => write!(f, "invoke {call}"),
            Join(op) => write!(f, "join{op}"),
            Lookup(op) => write!(f, "lookup{op}"),
            MacroExpand(op) => {
                write!(f, "macro-expand{} {}", Parameters(&op.parameters), op.entity_group)?;
                write!(f, "{} (", Clause("as", &op.name))?;
                for (at, statement) in op.body.iter().enumerate() {
                    write!(f, "{}{statement}", if at > 0 { "; " } else { "" })?;
                }
                f.write_str(")")
            }
            MakeGraph(op) => op.fmt(f),
            MakeSeries(op) => {
                write!(f, "make-series{} {}", Parameters(&op.parameters), Commas(&op.aggregates))?;
                write!(f, " on {}", op.axis)?;
                match &op.range {
                    SeriesRange::FromToStep { from, to, step } => {
                        write!(f, "{}{} step {step}", Clause("from", from), Clause("to", to))?;
                    }
                    SeriesRange::InRange { start, stop, step } => {
                        write!(f, " in range({start}, {stop}, {step})")?;
                    }
                }
                ListClause("by", &op.by).fmt(f)
            }
            MvApply(op) => {
                write!(f, "mv-apply{} {}", Parameters(&op.parameters), Commas(&op.columns))?;
                write!(f, "{}{}", Clause("limit", &op.limit), Clause("id", &op.context))?;
                write!(f, " on ({})", op.body)
            }
            MvExpand(op) => {
                let (parameters, limit) = (Parameters(&op.parameters), Clause("limit", &op.limit));
                write!(f, "mv-expand{parameters} {}{limit}", Commas(&op.columns))
            }
            Parse(op) => write!(f, "parse{op}"),
            ParseKv(op) => {
                write!(f, "parse-kv{} {} as {}", Parameters(&op.parameters), op.expression, op.columns)?;
                WithProperties(&op.properties).fmt(f)
            }
            ParseWhere(op) => write!(f, "parse-where{op}"),
            Partition(op) => {
                write!(f, "partition{} by {}", Parameters(&op.parameters), op.by)?;
                Clause("in", &op.scope).fmt(f)?;
                match &op.body {
                    PartitionBody::Subquery(body) => write!(f, " ({body})"),
                    PartitionBody::Query(body) => write!(f, " {body}"),
                }
            }
            PartitionBy(op) => {
                write!(f, "__partitionby{} {}", Parameters(&op.parameters), op.column)?;
                write!(f, "{} ({})", Clause("id", &op.context), op.body)
            }
            Print(list) => write!(f, "print {}", Commas(list)),
            Project(list) => list_operator("project", list, f),
            ProjectAway(list) => list_operator("project-away", list, f),
            ProjectByNames(list) => list_operator("project-by-names", list, f),
            ProjectKeep(list) => list_operator("project-keep", list, f),
            ProjectRename(list) => list_operator("project-rename", list, f),
            ProjectReorder(keys) => list_operator("project-reorder", keys, f),
            Range(op) => write!(f, "range {} from {} to {} step {}", op.name, op.from, op.to, op.step),
            Reduce(op) => {
                write!(f, "reduce{} by {}", Parameters(&op.parameters), op.expression)?;
                ListClause("with", &op.properties).fmt(f)
            }
            Render(op) => op.fmt(f),
            Sample(op) => write!(f, "sample{} {}", Parameters(&op.parameters), op.count),
            SampleDistinct(op) => {
                write!(f, "sample-distinct{} {} of {}", Parameters(&op.parameters), op.count, op.of)
            }
            Scan(op) => op.fmt(f),
            Search(op) => {
                write!(f, "search{}", Parameters(&op.parameters))?;
                in_tables(&op.tables, f)?;
                write!(f, " {}", op.predicate)
            }
            Serialize(op) => {
                write!(f, "serialize{}", Parameters(&op.parameters))?;
                if op.expressions.is_empty() { Ok(()) } else { write!(f, " {}", Commas(&op.expressions)) }
            }
            Sort(op) => write!(f, "sort{} by {}", Parameters(&op.parameters), Commas(&op.keys)),
            Summarize(op) => {
                write!(f, "summarize{}", Parameters(&op.parameters))?;
                if !op.aggregates.is_empty() {
                    write!(f, " {}", Commas(&op.aggregates))?;
                }
                op.by.iter().try_for_each(|keys| write!(f, " by {}", Commas(keys)))?;
                op.bin.iter().try_for_each(|bin| write!(f, " bin = {bin}"))
            }
            Take(op) => write!(f, "take{} {}", Parameters(&op.parameters), op.count),
            Top(op) => write!(f, "top{} {} by {}", Parameters(&op.parameters), op.count, op.key),
            TopHitters(op) => {
                write!(f, "top-hitters{} {}", Parameters(&op.parameters), op.count)?;
                write!(f, " of {}{}", op.of, Clause("by", &op.by))
            }
            TopNested(clauses) => Commas(clauses).fmt(f),
            Union(op) => write!(f, "union{} {}", Parameters(&op.parameters), Commas(&op.tables)),
            Where(op) => write!(f, "where{} {}", Parameters(&op.parameters), op.predicate),
            Unknown(text) => f.write_str(text),
        }
    }
}

fn list_operator<T: Display>(keyword: &str, list: &[T], f: &mut Formatter<'_>) -> fmt::Result {
    f.write_str(keyword)?;
    if list.is_empty() { Ok(()) } else { write!(f, " {}", Commas(list)) }
}

/// ` in (tables)`, or nothing.
fn in_tables(tables: &[Expr], f: &mut Formatter<'_>) -> fmt::Result {
    if tables.is_empty() { Ok(()) } else { write!(f, " in ({})", Commas(tables)) }
}

impl Display for Find {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "find{}", Parameters(&self.parameters))?;
        in_tables(&self.tables, f)?;
        write!(f, " where {}", self.predicate)?;
        let Some(projection) = &self.projection else { return Ok(()) };
        match projection.kind {
            FindProjectionKind::Project => write!(f, " project {}", Commas(&projection.columns)),
            FindProjectionKind::ProjectAway => write!(f, " __projectAway {}", Commas(&projection.columns)),
            FindProjectionKind::ProjectSmart => f.write_str(" project-smart"),
        }
    }
}

impl Display for GraphMatch {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", Parameters(&self.parameters), Commas(&self.patterns))?;
        Clause("where", &self.predicate).fmt(f)?;
        self.projection.iter().try_for_each(|columns| write!(f, " project {}", Commas(columns)))
    }
}

impl Display for GraphPattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.elements.iter().try_for_each(|element| element.fmt(f))
    }
}

impl Display for GraphElement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            GraphElement::Node { name: Some(name), .. } => write!(f, "({name})"),
            GraphElement::Node { name: None, .. } => f.write_str("()"),
            GraphElement::Edge(edge) => edge.fmt(f),
        }
    }
}

impl Display for GraphEdge {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.name.is_none() && self.range.is_none() {
            return f.write_str(match self.direction {
                GraphDirection::Forward => "-->",
                GraphDirection::Backward => "<--",
                GraphDirection::Any => "--",
            });
        }
        f.write_str(if self.direction == GraphDirection::Backward { "<-[" } else { "-[" })?;
        self.name.iter().try_for_each(|name| name.fmt(f))?;
        if let Some((low, high)) = &self.range {
            write!(f, "*{low}..{high}")?;
        }
        f.write_str(if self.direction == GraphDirection::Forward { "]->" } else { "]-" })
    }
}

impl Display for GraphTable {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let keyword = if self.nodes { "nodes" } else { "edges" };
        write!(f, "{keyword}{}{}", Clause("as", &self.name), Parameters(&self.parameters))
    }
}

impl Display for MakeGraph {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let arrow = if self.directed { "-->" } else { "--" };
        write!(f, "make-graph{} {} {arrow} {}", Parameters(&self.parameters), self.source, self.target)?;
        match &self.with {
            Some(MakeGraphWith::NodeId(name)) => write!(f, " with_node_id={name}")?,
            Some(MakeGraphWith::Nodes(nodes)) => write!(f, " with {}", Commas(nodes))?,
            None => {}
        }
        match &self.partitioned_by {
            Some(GraphPartition { column, body }) => write!(f, " partitioned-by {column} ({body})"),
            None => Ok(()),
        }
    }
}

impl Display for GraphNodes {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.table, self.key)
    }
}

impl Display for Join {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", Parameters(&self.parameters), self.right)?;
        match &self.condition {
            JoinCondition::On(conditions) => write!(f, " on {}", Commas(conditions)),
            JoinCondition::Where(predicate) => write!(f, " where {predicate}"),
            JoinCondition::None => Ok(()),
        }
    }
}

impl Display for SeriesAggregate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.expression.fmt(f)?;
        self.default.iter().try_for_each(|value| write!(f, " default = {value}"))
    }
}

impl Display for ExpandColumn {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.expression.fmt(f)?;
        let blank = if self.expression.kind == ExprKind::Missing { "" } else { " " };
        self.to_type.iter().try_for_each(|type_name| write!(f, "{blank}to typeof({type_name})"))
    }
}

impl Display for Parse {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} with", Parameters(&self.parameters), self.expression)?;
        self.pattern.iter().try_for_each(|piece| match piece {
            ParsePiece::Skip(_) => f.write_str(" *"),
            ParsePiece::Text { value, .. } => write!(f, " {}", super::quote(value)),
            ParsePiece::Column { name, type_name: Some(type_name), .. } => write!(f, " {name}:{type_name}"),
            ParsePiece::Column { name, type_name: None, .. } => write!(f, " {name}"),
        })
    }
}

impl Display for ReorderKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.expression.fmt(f)?;
        self.order.iter().try_for_each(|order| write!(f, " {order}"))
    }
}

impl Display for Render {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "render {}", self.chart)?;
        // The old properties `with x` and `by a, b` have no place in `with (…)`; those before them are old as well.
        let is_old = |property: &OperatorParameter| matches!(property.name.text.as_str(), "with" | "by");
        let old = self.properties.iter().rposition(is_old).map_or(0, |last| last + 1);
        for property in &self.properties[..old] {
            if is_old(property) {
                write!(f, " {} {}", property.name, property.value)?;
            } else {
                write!(f, " {property}")?;
            }
        }
        WithProperties(&self.properties[old..]).fmt(f)
    }
}

impl Display for Scan {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "scan{}", Parameters(&self.parameters))?;
        ListClause("order by", &self.order_by).fmt(f)?;
        ListClause("partition by", &self.partition_by).fmt(f)?;
        if !self.declare.is_empty() {
            write!(f, " declare ({})", Commas(&self.declare))?;
        }
        f.write_str(" with (")?;
        for (at, step) in self.steps.iter().enumerate() {
            write!(f, "{}{step}", if at > 0 { " " } else { "" })?;
        }
        f.write_str(")")
    }
}

impl Display for ScanStep {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "step {}", self.name)?;
        if self.optional {
            f.write_str(" optional")?;
        }
        self.output.iter().try_for_each(|output| write!(f, " output={output}"))?;
        write!(f, ": {}", self.condition)?;
        if !self.assignments.is_empty() {
            write!(f, " => {}", Commas(&self.assignments))?;
        }
        f.write_str(";")
    }
}

impl Display for SortKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.expression.fmt(f)?;
        match self.direction {
            Some(SortDirection::Ascending) => f.write_str(" asc")?,
            Some(SortDirection::Descending) => f.write_str(" desc")?,
            None => {}
        }
        match self.nulls {
            Some(NullsOrder::First) => f.write_str(" nulls first"),
            Some(NullsOrder::Last) => f.write_str(" nulls last"),
            None => Ok(()),
        }
    }
}

impl Display for TopNestedClause {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("top-nested")?;
        self.count.iter().try_for_each(|count| write!(f, " {count}"))?;
        write!(f, " of {}", self.of)?;
        self.with_others.iter().try_for_each(|value| write!(f, " with others = {value}"))?;
        write!(f, " by {}", self.by)
    }
}
