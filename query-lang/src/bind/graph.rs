//! What expressions of `graph-match` and `graph-shortest-paths` may name: elements of the pattern, their
//! properties, and the functions that only graphs have.
//!
//! Whatever is read of a match becomes a numbered value (see [`GraphValue`]); expressions refer to values as
//! they refer to columns elsewhere. An expression that names a property of a variable length edge without
//! `all()`, `any()` or `map()` is about each of its edges: it is bound first and lifted afterwards.

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::ast::{self, ExprKind as Ast};
use crate::function::{FunctionId, OperatorFunction};
use crate::optimise::tree::{columns_of, renumber};
use crate::plan::Expr;
use crate::plan::graph::{GraphValue, GraphValueKind, PathCollect, PathLocal};
use crate::span::Span;
use crate::types::{Schema, Type};
use crate::value::{Dynamic, Value};

use super::comparison::{cast, operator};
use super::expression::Meaning;
use super::naming::{result_name, result_name_without};
use super::scope::{Entity, GraphElement, RowScope};
use super::{Bind, Binder};

/// The match that expressions are about.
#[derive(Debug)]
pub(super) struct GraphScope {
    pub nodes: Rc<Schema>,
    pub edges: Rc<Schema>,
    /// Type of the identifiers of nodes.
    pub id: Type,
    /// By edge of the pattern: whether it is of variable length.
    pub variable: Vec<bool>,
    pub values: Vec<GraphValue>,
    /// Number of the row scope in which values are columns.
    pub row: u32,
    /// A variable length edge was named since this was cleared.
    pub named_variable: bool,
    inner: Option<InnerScope>,
}

/// Within `all()`, `any()`, `map()`: the edge or inner node they stand at.
#[derive(Debug)]
struct InnerScope {
    row: u32,
    edge: usize,
    nodes: bool,
    /// Columns before the locals.
    width: usize,
    locals: Vec<PathLocal>,
}

impl GraphScope {
    pub fn new(nodes: Schema, edges: Schema, id: Type, variable: Vec<bool>, row: u32) -> GraphScope {
        let (nodes, edges) = (Rc::new(nodes), Rc::new(edges));
        GraphScope { nodes, edges, id, variable, values: Vec::new(), row, named_variable: false, inner: None }
    }

    fn value(&mut self, kind: GraphValueKind, ty: Type) -> usize {
        let value = GraphValue { kind, ty };
        match self.values.iter().position(|known| *known == value) {
            Some(position) => position,
            None => {
                self.values.push(value);
                self.values.len() - 1
            }
        }
    }
}

impl InnerScope {
    fn local(&mut self, local: PathLocal) -> usize {
        let position = match self.locals.iter().position(|known| *known == local) {
            Some(position) => position,
            None => {
                self.locals.push(local);
                self.locals.len() - 1
            }
        };
        self.width + position
    }
}

/// A dynamic value that holds the value as it is: texts are not parsed.
pub(super) fn as_dynamic(expression: Expr) -> Expr {
    if expression.ty == Type::Dynamic {
        return expression;
    }
    match FunctionId::by_name("pack_array") {
        Some(pack) => {
            let array = Expr::call(pack, vec![expression], Type::Dynamic);
            let first = Expr::constant(Value::Long(0));
            operator(OperatorFunction::Element, vec![array, first], Type::Dynamic)
        }
        None => cast(expression, Type::Dynamic),
    }
}

impl Binder<'_> {
    /// The element of the pattern that an expression names, unless a column of the row hides it.
    pub(super) fn graph_element(&self, expression: &ast::Expr) -> Option<GraphElement> {
        match &expression.kind {
            Ast::Parenthesized(inner) => self.graph_element(inner),
            Ast::Name(name) => {
                if self.row.as_ref().is_some_and(|row| row.position(&name.text).is_some()) {
                    return None;
                }
                match self.names.find(&name.text) {
                    Some(Entity::GraphElement(element)) => Some(*element),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// The properties that an element of the pattern has.
    pub(super) fn graph_properties(&self, element: GraphElement) -> Option<Rc<Schema>> {
        let scope = self.graph.as_ref()?;
        Some(match element {
            GraphElement::Node(_) => scope.nodes.clone(),
            GraphElement::Edge(_) => scope.edges.clone(),
        })
    }

    /// A value of the match as an expression of the row in scope.
    fn graph_value(&mut self, kind: GraphValueKind, ty: Type, span: Span) -> Bind<Expr> {
        let row = self.row.as_ref().map(|row| row.number);
        let lifted = matches!(kind, GraphValueKind::Lifted { .. });
        let placed = self.graph.as_mut().and_then(|scope| {
            let in_match = row == Some(scope.row);
            let in_path = scope.inner.as_ref().is_some_and(|inner| row == Some(inner.row)) && !lifted;
            if !in_match && !in_path {
                return None;
            }
            let value = scope.value(kind, ty);
            match &mut scope.inner {
                Some(inner) if in_path => Some(inner.local(PathLocal::Outer(value))),
                _ => Some(value),
            }
        });
        match placed {
            Some(position) => Ok(Expr::column(position, ty)),
            None => {
                let message =
                    "An element of the pattern can be named only in the expressions of its operator";
                Err(self.error("SEM0100", message, span))
            }
        }
    }

    /// `element.property`
    pub(super) fn graph_property(&mut self, element: GraphElement, name: &str, span: Span) -> Bind<Expr> {
        let Some(schema) = self.graph_properties(element) else { return Err(self.give_up()) };
        let Some(column) = schema.iter().position(|column| column.name == name) else {
            let what = match element {
                GraphElement::Node(_) => "nodes",
                GraphElement::Edge(_) => "edges",
            };
            let message = format!("'{}' operator: the {what} have no property '{name}'", self.operator);
            let names = schema.iter().map(|column| column.name.as_str());
            return Err(self.unknown("SEM0100", message, span, name, names));
        };
        self.graph_column(element, column, schema[column].ty, span)
    }

    fn graph_column(&mut self, element: GraphElement, column: usize, ty: Type, span: Span) -> Bind<Expr> {
        let kind = match element {
            GraphElement::Node(node) => GraphValueKind::NodeProperty { node, column },
            GraphElement::Edge(edge) => {
                let row = self.row.as_ref().map(|row| row.number);
                let Some(scope) = &mut self.graph else { return Err(self.give_up()) };
                let variable = scope.variable.get(edge).copied().unwrap_or(false);
                scope.named_variable |= variable;
                // Within map(e, …) e is the edge it stands at.
                if let Some(inner) = &scope.inner
                    && (inner.edge, inner.nodes) == (edge, false)
                    && row == Some(inner.row)
                {
                    return Ok(Expr::column(column, ty));
                }
                match variable {
                    true => GraphValueKind::Lifted { edge, column },
                    false => GraphValueKind::EdgeProperty { edge, column },
                }
            }
        };
        self.graph_value(kind, ty, span)
    }

    /// An element by itself: the bag of its properties; of a variable length edge the array of them.
    pub(super) fn whole_graph_element(&mut self, element: GraphElement, span: Span) -> Bind<Expr> {
        let Some(scope) = &mut self.graph else { return Err(self.give_up()) };
        let (schema, variable) = match element {
            GraphElement::Node(_) => (scope.nodes.clone(), false),
            GraphElement::Edge(edge) => {
                (scope.edges.clone(), scope.variable.get(edge).copied().unwrap_or(false))
            }
        };
        scope.named_variable |= variable;
        let mut pairs = Vec::with_capacity(schema.len() * 2);
        for (position, column) in schema.iter().enumerate() {
            pairs.push(Expr::constant(Value::String(column.name.clone())));
            pairs.push(match variable {
                true => Expr::column(position, column.ty),
                false => self.graph_column(element, position, column.ty, span)?,
            });
        }
        let bag = self.packed(pairs, span)?;
        match element {
            GraphElement::Edge(edge) if variable => {
                let kind = GraphValueKind::Path {
                    edge,
                    inner_nodes: false,
                    collect: PathCollect::Map,
                    locals: Vec::new(),
                    expression: bag,
                };
                self.graph_value(kind, Type::Dynamic, span)
            }
            _ => Ok(bag),
        }
    }

    /// A call of a function that only graphs have; `None` for any other call.
    pub(super) fn graph_call(&mut self, call: &ast::Call, span: Span) -> Bind<Option<Meaning>> {
        if self.graph.is_none() || call.object.is_some() {
            return Ok(None);
        }
        let collect = match call.name.text.as_str() {
            "all" => PathCollect::All,
            "any" => PathCollect::Any,
            "map" => PathCollect::Map,
            "labels" | "node_id" | "node_degree_in" | "node_degree_out" => {
                return self.element_function(call, span).map(|value| Some(Meaning::Scalar(value)));
            }
            "inner_nodes" => {
                let message = "inner_nodes() can only be the first argument of all(), any() and map()";
                return Err(self.error("SEM0211", message, call.name.span));
            }
            _ => return Ok(None),
        };
        self.along_path(collect, call, span).map(|value| Some(Meaning::Scalar(value)))
    }

    /// `labels()`, `node_id()`, `node_degree_in()`, `node_degree_out()`: of the element named, or of the one
    /// that the function around them stands at.
    fn element_function(&mut self, call: &ast::Call, span: Span) -> Bind<Expr> {
        let name = call.name.text.as_str();
        let element = match call.arguments.as_slice() {
            [] => None,
            [argument] => match self.graph_element(argument) {
                Some(element) => Some(element),
                None => {
                    let message = format!("{name}(): the argument must be an element of the pattern");
                    return Err(self.error("SEM0107", message, argument.span));
                }
            },
            _ => return Err(self.error("SEM0219", format!("{name}() expects 0 or 1 arguments"), span)),
        };
        if name == "labels" {
            // A graph made of tables has none.
            if let (Some(GraphElement::Edge(edge)), Some(scope)) = (element, &mut self.graph) {
                scope.named_variable |= scope.variable.get(edge).copied().unwrap_or(false);
            }
            return Ok(Expr::constant(Value::Dynamic(Dynamic::Array(Vec::new()))));
        }
        let Some(scope) = &mut self.graph else { return Err(self.give_up()) };
        let ty = if name == "node_id" { scope.id } else { Type::Long };
        let value = match element {
            Some(GraphElement::Node(node)) => {
                let kind = match name {
                    "node_id" => GraphValueKind::NodeId { node },
                    "node_degree_in" => GraphValueKind::NodeDegreeIn { node },
                    _ => GraphValueKind::NodeDegreeOut { node },
                };
                self.graph_value(kind, ty, span)?
            }
            Some(GraphElement::Edge(_)) => {
                let message = format!("{name}(): the argument must be a node of the pattern");
                return Err(self.error("SEM0107", message, span));
            }
            None => {
                let local = match name {
                    "node_id" => PathLocal::NodeId,
                    "node_degree_in" => PathLocal::NodeDegreeIn,
                    _ => PathLocal::NodeDegreeOut,
                };
                match &mut scope.inner {
                    Some(inner) if inner.nodes => Expr::column(inner.local(local), ty),
                    _ => {
                        let message = format!("{name}() needs a node, except along inner_nodes() of an edge");
                        return Err(self.error("SEM0119", message, span));
                    }
                }
            }
        };
        Ok(if name == "node_id" { cast(value, Type::String) } else { value })
    }

    /// `all(edge, condition)`, `any(inner_nodes(edge), condition)`, `map(edge, expression)`
    fn along_path(&mut self, collect: PathCollect, call: &ast::Call, span: Span) -> Bind<Expr> {
        let name = call.name.text.as_str();
        let [path, body] = call.arguments.as_slice() else {
            let message = format!("The function '{name}' expects 2 arguments");
            return Err(self.error("SEM0119", message, call.name.span));
        };
        let mut path = path;
        while let Ast::Parenthesized(inner) = &path.kind {
            path = inner;
        }
        let (element, nodes) = match &path.kind {
            Ast::Call(inner) if inner.object.is_none() && inner.name.text == "inner_nodes" => {
                match inner.arguments.as_slice() {
                    [edge] => (self.graph_element(edge), true),
                    _ => {
                        let message = "inner_nodes() expects 1 argument";
                        return Err(self.error("SEM0119", message, inner.name.span));
                    }
                }
            }
            _ => (self.graph_element(path), false),
        };
        let Some(GraphElement::Edge(edge)) = element else {
            let message = format!(
                "{name}(): the first argument must be an edge of the pattern or inner_nodes() of one"
            );
            return Err(self.error("SEM0107", message, path.span));
        };
        let outer = self.row.as_ref().map(|row| row.number);
        self.rows += 1;
        let number = self.rows;
        let Some(scope) = &mut self.graph else { return Err(self.give_up()) };
        if outer != Some(scope.row) {
            let message = format!("{name}() cannot stand within all(), any(), map() or a subquery");
            return Err(self.error("SEM0177", message, call.name.span));
        }
        scope.named_variable |= scope.variable.get(edge).copied().unwrap_or(false);
        let columns = if nodes { scope.nodes.clone() } else { scope.edges.clone() };
        scope.inner = Some(InnerScope { row: number, edge, nodes, width: columns.len(), locals: Vec::new() });
        let row =
            RowScope { number, columns, hidden: false, serialized: false, left_columns: None, steps: None };
        let bound = self.with_row_scope(Some(row), |binder| binder.scalar(body));
        let inner = self.graph.as_mut().and_then(|scope| scope.inner.take());
        let expression = bound?;
        let expression = match collect {
            PathCollect::Map => expression,
            _ if matches!(expression.ty, Type::Bool | Type::Dynamic) => cast(expression, Type::Bool),
            PathCollect::All | PathCollect::Any => {
                let message = format!("{name}(): the condition must be bool, found {}", expression.ty);
                return Err(self.error("SEM0107", message, body.span));
            }
        };
        let ty = if collect == PathCollect::Map { Type::Dynamic } else { Type::Bool };
        let locals = inner.map_or_else(Vec::new, |inner| inner.locals);
        let kind = GraphValueKind::Path { edge, inner_nodes: nodes, collect, locals, expression };
        self.graph_value(kind, ty, span)
    }

    /// Brings an expression about each edge of a variable length edge together; others stay.
    pub(super) fn lifted(&mut self, expression: Expr, collect: PathCollect, span: Span) -> Bind<Expr> {
        let Some(scope) = &mut self.graph else { return Ok(expression) };
        let mut used = BTreeSet::new();
        columns_of(&expression, &mut used);
        let width = scope.edges.len();
        let mut path = None;
        let mut locals = Vec::new();
        let mut places = std::collections::BTreeMap::new();
        for position in used {
            match scope.values.get(position).map(|value| &value.kind) {
                Some(GraphValueKind::Lifted { edge, column }) => {
                    if path.is_some_and(|path| path != *edge) {
                        let message = "An expression cannot be about the edges of two variable length edges: use map(), all() or any()";
                        return Err(self.error("SEM0177", message, span));
                    }
                    path = Some(*edge);
                    places.insert(position, *column);
                }
                _ => {
                    places.insert(position, width + locals.len());
                    locals.push(PathLocal::Outer(position));
                }
            }
        }
        let Some(edge) = path else { return Ok(expression) };
        let mut expression = expression;
        renumber(&mut expression, &|position| places.get(&position).copied().unwrap_or(position));
        let ty = if collect == PathCollect::Map { Type::Dynamic } else { Type::Bool };
        let kind = GraphValueKind::Path { edge, inner_nodes: false, collect, locals, expression };
        let position = scope.value(kind, ty);
        Ok(Expr::column(position, ty))
    }

    /// The name of a projected expression that has none given. A property by itself is called after its element
    /// and itself, one within another expression only after itself.
    pub(super) fn projected_name(&self, value: &ast::Expr) -> Option<String> {
        let in_match = self
            .graph
            .as_ref()
            .is_some_and(|scope| Some(scope.row) == self.row.as_ref().map(|row| row.number));
        if !in_match || matches!(value.kind, Ast::Member { .. } | Ast::Element { .. }) {
            return result_name(value);
        }
        let is_element = |name: &str| matches!(self.names.find(name), Some(Entity::GraphElement(_)));
        result_name_without(value, &is_element)
    }

    /// An expression of a `project`. In that of a match, whatever names a variable length edge is dynamic.
    pub(super) fn projected_value(&mut self, value: &ast::Expr) -> Bind<Expr> {
        let row = self.row.as_ref().map(|row| row.number);
        match &mut self.graph {
            Some(scope) if row == Some(scope.row) => scope.named_variable = false,
            _ => return self.scalar(value),
        }
        let bound = self.scalar(value)?;
        let bound = self.lifted(bound, PathCollect::Map, value.span)?;
        let variable = self.graph.as_ref().is_some_and(|scope| scope.named_variable);
        Ok(if variable { as_dynamic(bound) } else { bound })
    }
}
