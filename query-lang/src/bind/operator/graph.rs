//! `make-graph` and the operators that take its graph: `graph-match`, `graph-shortest-paths`,
//! `graph-mark-components`, `graph-to-table`.

use std::rc::Rc;

use crate::ast::{self, GraphDirection, GraphElement as Element, MakeGraphWith, OperatorKind};
use crate::function::OperatorFunction;
use crate::function::signature::common_type;
use crate::plan::graph::{
    Cycles, GraphBuild, GraphHash, GraphPattern, GraphPlan, GraphSearch, GraphSource, GraphStep, PathCollect,
    Shortest, StepDirection,
};
use crate::plan::{Expr, ExprKind, Operator, Plan, ResultPlan, UnionKind};
use crate::span::Span;
use crate::types::{Column, Schema, Type};
use crate::value::Value;

use super::{keyword, parameter, parameter_text};
use crate::bind::comparison::cast;
use crate::bind::graph::{GraphScope, as_dynamic};
use crate::bind::projection::Projection;
use crate::bind::scope::{Entity, GraphElement, Piped, Relation, RowScope};
use crate::bind::{Bind, Binder, Reported, null_of};
use crate::function::FunctionId;

/// A table with properties of nodes and the position of the identifier in it.
struct NodeTable {
    relation: Relation,
    key: usize,
}

/// A pattern in numbers.
struct NumberedPattern {
    pattern: GraphPattern,
    /// By edge: whether its length varies.
    variable: Vec<bool>,
    names: Vec<(String, GraphElement)>,
}

impl Binder<'_> {
    /// An operator that takes a graph.
    pub(in crate::bind) fn graph_operator(
        &mut self,
        operator: &ast::Operator,
        graph: GraphPlan,
    ) -> Bind<Piped> {
        let span = operator.keyword_span;
        match &operator.kind {
            OperatorKind::GraphMatch(node) => self.graph_match(graph, node, span),
            OperatorKind::GraphShortestPaths(node) => self.graph_shortest_paths(graph, node, span),
            OperatorKind::GraphMarkComponents(parameters) => self.mark_components(graph, parameters, span),
            OperatorKind::GraphToTable(tables) => self.graph_to_table(graph, tables, span),
            OperatorKind::GraphWhereNodes(_) | OperatorKind::GraphWhereEdges(_) => {
                let what = format!("The operator '{}'", keyword(&operator.kind));
                Err(self.unsupported(&what, span))
            }
            OperatorKind::Unknown(_) => Err(self.give_up()),
            other => {
                let message = format!(
                    "The operator '{}' takes rows, not a graph: make rows of it first, with 'graph-match' or 'graph-to-table'",
                    keyword(other)
                );
                Err(self.error("SEM0111", message, span))
            }
        }
    }

    pub(in crate::bind) fn make_graph(&mut self, edges: Relation, node: &ast::MakeGraph) -> Bind<Piped> {
        let source = self.identifier_column(edges.schema(), &node.source);
        let target = self.identifier_column(edges.schema(), &node.target);
        let mut tables = Vec::new();
        let mut failed = false;
        if let Some(MakeGraphWith::Nodes(nodes)) = &node.with {
            for nodes in nodes {
                let relation = self.table(&nodes.table);
                let Ok(relation) = relation else {
                    failed = true;
                    continue;
                };
                match self.identifier_column(relation.schema(), &nodes.key) {
                    Ok(key) => tables.push(NodeTable { relation, key }),
                    Err(Reported) => failed = true,
                }
            }
        }
        let (source, target) = (source?, target?);
        if failed {
            return Err(Reported);
        }
        let (source_type, target_type) = (edges.schema()[source].ty, edges.schema()[target].ty);
        let keys = tables.iter().map(|table| table.relation.schema()[table.key].ty);
        let id = identifier_type([source_type, target_type].into_iter().chain(keys));
        let implied = match &node.with {
            Some(MakeGraphWith::NodeId(name)) if name.text.is_empty() => {
                return Err(self.error("SEM0243", "The name of the node identifier is missing", name.span));
            }
            Some(MakeGraphWith::NodeId(name)) => Some(Column::new(name.text.clone(), source_type)),
            _ => None,
        };
        let key_columns: Vec<String> = match &implied {
            Some(column) => vec![column.name.clone()],
            None => tables.iter().map(|table| table.relation.schema()[table.key].name.clone()).collect(),
        };
        let nodes = match implied {
            Some(column) => vec![column],
            None => merged_schema(&tables),
        };
        let mut key_positions: Vec<usize> = key_columns
            .iter()
            .filter_map(|name| nodes.iter().position(|column| column.name == *name))
            .collect();
        key_positions.dedup();
        let keys = key_positions
            .into_iter()
            .map(|position| (position, converted(Expr::column(0, id), nodes[position].ty)))
            .collect();
        let build = GraphBuild {
            source: cast(Expr::column(source, source_type), id),
            target: cast(Expr::column(target, target_type), id),
            nodes: self.node_rows(tables, &nodes, id),
            keys,
            directed: node.directed,
            edges: edges.plan,
        };
        let edges = build.edges.schema.clone();
        match &node.partitioned_by {
            None => {
                Ok(Piped::Graph(GraphPlan { source: Box::new(GraphSource::Build(build)), nodes, edges, id }))
            }
            Some(partition) => self.partitioned_graph(build, nodes, id, partition),
        }
    }

    /// The position of a column that identifies nodes.
    fn identifier_column(&mut self, schema: &Schema, name: &ast::Name) -> Bind<usize> {
        if self.broken_columns.contains(&name.text) {
            return Err(self.give_up());
        }
        let position = self.column_of(schema, name)?;
        if schema[position].ty == Type::Dynamic {
            let message =
                "Source, target and node identifiers cannot be dynamic: convert them, as in tostring(…)";
            return Err(self.error("SEM0240", message, name.span));
        }
        Ok(position)
    }

    fn column_of(&mut self, schema: &Schema, name: &ast::Name) -> Bind<usize> {
        match schema.iter().position(|column| column.name == name.text) {
            Some(position) => Ok(position),
            None => {
                let message =
                    format!("'{}' operator: Failed to resolve column named '{}'", self.operator, name.text);
                let names = schema.iter().map(|column| column.name.as_str());
                Err(self.unknown("SEM0100", message, name.span, &name.text, names))
            }
        }
    }

    /// The rows of all tables in the columns of the nodes, each with its identifier at the end.
    fn node_rows(&mut self, tables: Vec<NodeTable>, nodes: &Schema, id: Type) -> Plan {
        let mut schema = nodes.clone();
        schema.push(Column::new("$node", id));
        let mut inputs = Vec::with_capacity(tables.len());
        for table in tables {
            let of_table = table.relation.schema().clone();
            let mut expressions: Vec<Expr> = nodes
                .iter()
                .map(|column| match of_table.iter().position(|found| found.name == column.name) {
                    Some(position) => converted(Expr::column(position, of_table[position].ty), column.ty),
                    None => Expr::constant(null_of(column.ty)),
                })
                .collect();
            expressions.push(cast(Expr::column(table.key, of_table[table.key].ty), id));
            let operator = Operator::Project { input: table.relation.plan, expressions };
            inputs.push(self.plan(operator, schema.clone()));
        }
        if inputs.len() > 1 {
            return self.plan(Operator::Union { inputs, kind: UnionKind::Outer }, schema);
        }
        match inputs.pop() {
            Some(single) => single,
            None => self.plan(Operator::Values { rows: Vec::new() }, schema),
        }
    }

    /// `partitioned-by column (operators)`
    fn partitioned_graph(
        &mut self,
        build: GraphBuild,
        nodes: Schema,
        id: Type,
        partition: &ast::GraphPartition,
    ) -> Bind<Piped> {
        let edges = build.edges.schema.clone();
        let edge_key = self.column_of(&edges, &partition.column)?;
        let without_rows =
            matches!(build.nodes.operator.as_ref(), Operator::Values { rows } if rows.is_empty());
        let node_key = nodes.iter().position(|column| column.name == partition.column.text);
        let node_key = match node_key {
            _ if without_rows => None,
            Some(position) if nodes[position].ty == edges[edge_key].ty => Some(position),
            _ => {
                let message = format!(
                    "The tables of nodes must have the partition column '{}' of type {}, too",
                    partition.column.text, edges[edge_key].ty
                );
                return Err(self.error("SEM0100", message, partition.column.span));
            }
        };
        let graph = GraphPlan { source: Box::new(GraphSource::Argument), nodes, edges, id };
        let subquery = self.subquery_over(&partition.body, Piped::Graph(graph))?;
        let schema = subquery.schema().clone();
        let operator = Operator::GraphPartition { build, edge_key, node_key, subquery: subquery.plan };
        let plan = self.plan(operator, schema);
        Ok(Piped::Rows(Relation::new(plan)))
    }

    fn mark_components(
        &mut self,
        graph: GraphPlan,
        parameters: &[ast::OperatorParameter],
        span: Span,
    ) -> Bind<Piped> {
        let strong = match parameter(parameters, "kind").and_then(parameter_text).as_deref() {
            None | Some("weak") => false,
            Some("strong") => true,
            Some(other) => {
                let message = format!("Unknown kind of components '{other}'");
                return Err(self.unknown("SEM0140", message, span, other, ["weak", "strong"]));
            }
        };
        let name = parameter(parameters, "with_component_id").and_then(parameter_text);
        let mut nodes = graph.nodes.clone();
        nodes.push(Column::new(name.unwrap_or_else(|| "ComponentId".to_string()), Type::Long));
        let (edges, id) = (graph.edges.clone(), graph.id);
        let source = Box::new(GraphSource::Components { input: graph, strong });
        Ok(Piped::Graph(GraphPlan { source, nodes, edges, id }))
    }

    fn graph_to_table(&mut self, graph: GraphPlan, tables: &[ast::GraphTable], span: Span) -> Bind<Piped> {
        if let [table] = tables {
            let relation = self.graph_table(graph, table);
            return Ok(Piped::Rows(match &table.name {
                Some(name) => self.named_table_of_graph(relation, name),
                None => relation,
            }));
        }
        let missing: Vec<Span> =
            tables.iter().filter(|table| table.name.is_none()).map(|table| table.span).collect();
        for span in &missing {
            self.error("SEM0273", "Several outputs of a graph need names: add 'as name'", *span);
        }
        if !missing.is_empty() {
            return Err(Reported);
        }
        if !matches!(tables, [first, second] if first.nodes != second.nodes) {
            let message = "The outputs of a graph are 'nodes', 'edges', or one of each";
            return Err(self.error("SEM0229", message, span));
        }
        let graph = self.shared_graph(graph);
        for table in tables {
            let relation = self.graph_table(graph.clone(), table);
            if let Some(name) = &table.name {
                self.named_table_of_graph(relation, name);
            }
        }
        Ok(Piped::Named)
    }

    /// A graph as the result of a query: a table of its edges and one of its nodes.
    pub(in crate::bind) fn graph_results(&mut self, graph: GraphPlan) -> [ResultPlan; 2] {
        let graph = self.shared_graph(graph);
        [("Edges", false), ("Nodes", true)].map(|(name, nodes)| {
            let schema = if nodes { graph.nodes.clone() } else { graph.edges.clone() };
            let operator = Operator::GraphTable { graph: graph.clone(), nodes, hashes: Vec::new() };
            let plan = self.plan(operator, schema);
            ResultPlan { name: name.to_string(), plan, visualization: None }
        })
    }

    /// The graph with inputs that are computed once however often they are used.
    fn shared_graph(&mut self, mut graph: GraphPlan) -> GraphPlan {
        for input in graph.inputs_mut() {
            let id = self.next_shared();
            let schema = input.schema.clone();
            let nothing = Plan::new(Operator::Values { rows: Vec::new() }, Schema::new());
            let rows = std::mem::replace(input, nothing);
            *input = self.plan(Operator::Shared { id, input: rows }, schema);
        }
        graph
    }

    fn named_table_of_graph(&mut self, relation: Relation, name: &ast::Name) -> Relation {
        let relation = self.share(relation).named(Some(name.text.clone()));
        let entity = Entity::Table(Rc::new(relation.clone()));
        self.names = self.names.with(name.text.clone(), entity, self.block);
        relation
    }

    fn graph_table(&mut self, graph: GraphPlan, table: &ast::GraphTable) -> Relation {
        let wanted: &[(&str, GraphHash)] = if table.nodes {
            &[("with_node_id", GraphHash::Node)]
        } else {
            &[("with_source_id", GraphHash::Source), ("with_target_id", GraphHash::Target)]
        };
        let mut schema = Schema::new();
        let mut hashes = Vec::new();
        for (name, hash) in wanted {
            if let Some(column) = parameter(&table.parameters, name).and_then(parameter_text) {
                schema.push(Column::new(column, Type::Long));
                hashes.push(*hash);
            }
        }
        schema.extend(if table.nodes { graph.nodes.clone() } else { graph.edges.clone() });
        let plan = self.plan(Operator::GraphTable { graph, nodes: table.nodes, hashes }, schema);
        Relation::new(plan)
    }

    fn graph_match(&mut self, graph: GraphPlan, node: &ast::GraphMatch, span: Span) -> Bind<Piped> {
        self.graph_search(graph, node, None, span)
    }

    fn graph_shortest_paths(&mut self, graph: GraphPlan, node: &ast::GraphMatch, span: Span) -> Bind<Piped> {
        let output = match parameter(&node.parameters, "output").and_then(parameter_text).as_deref() {
            None | Some("any") => Shortest::Any,
            Some("all") => Shortest::All,
            Some(other) => {
                let message = format!("Unknown output of shortest paths '{other}'");
                return Err(self.unknown("SEM0140", message, span, other, ["any", "all"]));
            }
        };
        if node.patterns.len() != 1 {
            let message = "The pattern of 'graph-shortest-paths' must be a single sequence";
            return Err(self.error("SEM0239", message, span));
        }
        let variable = node
            .patterns
            .iter()
            .flat_map(|pattern| &pattern.elements)
            .any(|element| matches!(element, Element::Edge(edge) if edge.range.is_some()));
        if !variable {
            let message = "The pattern of 'graph-shortest-paths' must have a variable length edge, as in (a)-[e*1..5]->(b)";
            return Err(self.error("SEM0239", message, span));
        }
        self.graph_search(graph, node, Some(output), span)
    }

    fn graph_search(
        &mut self,
        graph: GraphPlan,
        node: &ast::GraphMatch,
        shortest: Option<Shortest>,
        span: Span,
    ) -> Bind<Piped> {
        let cycles = match parameter(&node.parameters, "cycles").and_then(parameter_text).as_deref() {
            None | Some("unique_edges") => Cycles::UniqueEdges,
            Some("all") => Cycles::All,
            Some("none") => Cycles::None,
            Some(other) => {
                let message = format!("Unknown value of cycles '{other}'");
                return Err(self.unknown("SEM0140", message, span, other, ["all", "none", "unique_edges"]));
            }
        };
        let NumberedPattern { pattern, variable, names } = self.graph_pattern(&node.patterns, span)?;
        self.rows += 1;
        let number = self.rows;
        let scope = GraphScope::new(graph.nodes.clone(), graph.edges.clone(), graph.id, variable, number);
        let outer_scope = self.graph.replace(scope);
        let outer_names = self.names.clone();
        for (name, element) in names {
            self.names = self.names.with(name, Entity::GraphElement(element), self.block);
        }
        let row = RowScope {
            number,
            columns: Rc::default(),
            hidden: true,
            serialized: false,
            left_columns: None,
            steps: None,
        };
        let bound = self.with_row_scope(Some(row), |binder| {
            let conditions = match &node.predicate {
                Some(predicate) => binder.match_conditions(predicate),
                None => Ok(Vec::new()),
            };
            let mut columns = Projection::default();
            for expression in node.projection.iter().flatten() {
                binder.project_column(&mut columns, expression, false);
            }
            conditions.map(|conditions| (conditions, columns))
        });
        self.names = outer_names;
        let scope = std::mem::replace(&mut self.graph, outer_scope);
        let (conditions, columns) = bound?;
        if node.projection.is_none() {
            let message = format!("The operator '{}' must end with 'project …'", self.operator);
            return Err(self.error("SEM0005", message, span));
        }
        let values = scope.map_or_else(Vec::new, |scope| scope.values);
        let search = GraphSearch {
            graph,
            pattern,
            cycles,
            shortest,
            values,
            conditions,
            expressions: columns.expressions(),
        };
        let plan = self.plan(Operator::GraphSearch(Box::new(search)), columns.schema());
        Ok(Piped::Rows(Relation::new(plan)))
    }

    /// The parts of `where`, each a condition about a match.
    fn match_conditions(&mut self, predicate: &ast::Expr) -> Bind<Vec<Expr>> {
        let bound = self.scalar(predicate)?;
        if !matches!(bound.ty, Type::Bool | Type::Dynamic) {
            let message = format!("The condition must be bool, found {}", bound.ty);
            return Err(self.error("SEM0141", message, predicate.span));
        }
        let mut waiting = vec![cast(bound, Type::Bool)];
        let mut conditions = Vec::new();
        while let Some(condition) = waiting.pop() {
            match condition.kind {
                ExprKind::Call { function: FunctionId::Operator(OperatorFunction::And), arguments } => {
                    waiting.extend(arguments.into_iter().rev())
                }
                kind => {
                    let condition = Expr { kind, ty: condition.ty };
                    conditions.push(self.lifted(condition, PathCollect::All, predicate.span)?);
                }
            }
        }
        Ok(conditions)
    }

    /// Reads a pattern and reports what is wrong in it.
    fn graph_pattern(&mut self, patterns: &[ast::GraphPattern], span: Span) -> Bind<NumberedPattern> {
        let mut names: Vec<(String, GraphElement)> = Vec::new();
        let mut nodes = 0;
        let mut edges: Vec<GraphStep> = Vec::new();
        let mut variable = Vec::new();
        let mut failed = false;
        for pattern in patterns {
            let mut left: Option<usize> = None;
            let mut waiting: Option<&ast::GraphEdge> = None;
            for (position, element) in pattern.elements.iter().enumerate() {
                match element {
                    Element::Node { name, span } => {
                        if position % 2 == 1 {
                            let message = "An edge is expected between two nodes of a pattern, found a node";
                            self.error("SEM0239", message, *span);
                            failed = true;
                            continue;
                        }
                        let name = name.as_ref().filter(|name| !name.text.is_empty());
                        let known = name.and_then(|name| names.iter().find(|(known, _)| *known == name.text));
                        let node = match (known, name) {
                            (Some((_, GraphElement::Node(node))), _) => *node,
                            (Some((_, GraphElement::Edge(_))), Some(name)) => {
                                let message =
                                    format!("'{}' names both a node and an edge of the pattern", name.text);
                                self.error("SEM0201", message, name.span);
                                failed = true;
                                continue;
                            }
                            (_, name) => {
                                nodes += 1;
                                if let Some(name) = name {
                                    names.push((name.text.clone(), GraphElement::Node(nodes - 1)));
                                }
                                nodes - 1
                            }
                        };
                        if let (Some(from), Some(edge)) = (left, waiting.take()) {
                            let Ok((least, most)) = self.edge_range(edge) else {
                                failed = true;
                                continue;
                            };
                            let direction = match edge.direction {
                                GraphDirection::Forward => StepDirection::Forward,
                                GraphDirection::Backward => StepDirection::Backward,
                                GraphDirection::Any => StepDirection::Any,
                            };
                            edges.push(GraphStep { from, to: node, direction, least, most });
                        }
                        left = Some(node);
                    }
                    Element::Edge(edge) => {
                        if position % 2 == 0 {
                            let message = "A node is expected here in a pattern, found an edge";
                            self.error("SEM0239", message, edge.span);
                            failed = true;
                            continue;
                        }
                        if position + 1 == pattern.elements.len() {
                            let message = "A pattern must end with a node";
                            self.error("SEM0238", message, edge.span);
                            failed = true;
                        }
                        waiting = Some(edge);
                        variable.push(edge.range.is_some());
                        if let Some(name) = edge.name.as_ref().filter(|name| !name.text.is_empty()) {
                            if names.iter().any(|(known, _)| *known == name.text) {
                                let message = format!(
                                    "The name '{}' stands twice in the pattern: an edge can stand only once",
                                    name.text
                                );
                                self.error("SEM0201", message, name.span);
                                failed = true;
                            }
                            names.push((name.text.clone(), GraphElement::Edge(variable.len() - 1)));
                        }
                    }
                }
            }
            if pattern.elements.is_empty() {
                failed = true;
                self.failed = true;
            }
        }
        if failed {
            return Err(Reported);
        }
        let pattern = GraphPattern { nodes, edges };
        if !is_connected(&pattern) {
            let message = "All sequences of a pattern must be connected: they must share names of nodes";
            return Err(self.error("SEM0239", message, span));
        }
        Ok(NumberedPattern { pattern, variable, names })
    }

    /// How many edges in a row an edge of a pattern stands for.
    fn edge_range(&mut self, edge: &ast::GraphEdge) -> Bind<(u32, u32)> {
        let Some((least, most)) = &edge.range else { return Ok((1, 1)) };
        let (least_bound, most_bound) = (self.range_bound(least), self.range_bound(most));
        let (least, most) = (least_bound?, most_bound?);
        if least > most {
            let message = format!("The range {least}..{most} of an edge is empty");
            return Err(self.error("SEM0117", message, edge.span));
        }
        Ok((least, most))
    }

    fn range_bound(&mut self, bound: &ast::Expr) -> Bind<u32> {
        match self.with_row_scope(None, |binder| binder.constant_of(bound))? {
            Value::Long(number) if number >= 0 => Ok(u32::try_from(number).unwrap_or(u32::MAX)),
            Value::Int(number) if number >= 0 => Ok(number.unsigned_abs()),
            _ => {
                let message = "A bound of an edge's length must be an integer that is not negative";
                Err(self.error("SEM0134", message, bound.span))
            }
        }
    }
}

/// The type in which identifiers of these types are compared.
fn identifier_type(types: impl Iterator<Item = Type>) -> Type {
    let mut common: Option<Type> = None;
    for ty in types {
        common = match common {
            None => Some(ty),
            Some(before) if before == ty => Some(ty),
            Some(before) => match common_type(before, ty) {
                Some(Type::Dynamic) | None => return Type::String,
                found => found,
            },
        };
    }
    common.unwrap_or(Type::String)
}

/// The columns of all tables, those of one name once; where types differ they become one that holds both.
fn merged_schema(tables: &[NodeTable]) -> Schema {
    let mut schema = Schema::new();
    for column in tables.iter().flat_map(|table| table.relation.schema()) {
        match schema.iter_mut().find(|known: &&mut Column| known.name == column.name) {
            None => schema.push(column.clone()),
            Some(known) if known.ty == column.ty => {}
            Some(known) => {
                let both_numbers = known.ty.is_number() && column.ty.is_number();
                let common = if both_numbers { common_type(known.ty, column.ty) } else { None };
                known.ty = common.unwrap_or(Type::Dynamic);
            }
        }
    }
    schema
}

fn converted(expression: Expr, ty: Type) -> Expr {
    if ty == Type::Dynamic { as_dynamic(expression) } else { cast(expression, ty) }
}

fn is_connected(pattern: &GraphPattern) -> bool {
    let mut group: Vec<usize> = (0..pattern.nodes).collect();
    for edge in &pattern.edges {
        let (from, to) = (group[edge.from], group[edge.to]);
        group.iter_mut().filter(|group| **group == from).for_each(|group| *group = to);
    }
    group.windows(2).all(|pair| pair[0] == pair[1])
}
