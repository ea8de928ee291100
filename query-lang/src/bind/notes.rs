//! What the binder notes for editors on its way: what each name of the text turned out to be, which columns each
//! operator is given, and what is in scope at the cursor. Off in ordinary binding.
//!
//! While notes are taken a wrong operator does not end its pipeline, and bodies of functions that nobody calls are
//! bound with stand-ins for their parameters, so that a half-written text yields as much as it can.

use std::collections::HashSet;
use std::rc::Rc;

use crate::ast;
use crate::catalog::Catalog;
use crate::function::FunctionId;
use crate::plan::{Expr, Operator, Plan};
use crate::span::Span;
use crate::types::{Column, Schema, Type};

use super::expression::Meaning;
use super::scope::{Entity, Relation};
use super::{Binder, literal, null_of};

/// The name that stands in the text where the cursor is.
pub const CURSOR: &str = "__cursor_of_the_editor";

/// What a name of the text is.
#[derive(Clone, Debug, PartialEq)]
pub enum Use {
    Column(Type),
    /// A scalar `let`, or a parameter.
    Variable(Type),
    /// A tabular `let`, parameter or `as`.
    Relation(Schema),
    Table {
        database: String,
        schema: Schema,
    },
    Function(FunctionId),
    /// A function of the text: its parameters as written.
    LocalFunction(String),
    StoredFunction {
        database: String,
        parameters: String,
    },
    Database,
    /// A graph: the properties of its nodes and of its edges.
    Graph(Schema, Schema),
    /// An element of a graph pattern, and its properties.
    GraphElement(Schema),
}

/// What is before the dot that the cursor stands behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    Database(String),
    /// Something with named parts, such as an element of a graph pattern.
    Properties(Schema),
    Value(Type),
}

/// What can be named at the cursor.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scope {
    /// The columns of the row; `None` where expressions see none.
    pub columns: Option<Schema>,
    /// In the condition of a join: the columns of the left and the right side.
    pub join: Option<(Schema, Schema)>,
    /// Names of the text, the innermost first.
    pub names: Vec<(String, Use)>,
    /// Whether an aggregate may stand here.
    pub aggregates: bool,
    /// The database that bare names belong to.
    pub database: String,
    pub object: Option<Object>,
}

/// The notes on a text.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    pub uses: Vec<(Span, Use)>,
    /// The span of an operator and the columns it is given.
    pub inputs: Vec<(Span, Schema)>,
    /// Present if the text holds the cursor and it was reached.
    pub scope: Option<Scope>,
    /// The scope is that of an expression, not just of the operator around.
    exact: bool,
    cursor: Option<u32>,
}

impl Notes {
    /// What the name at a span is.
    pub fn use_at(&self, span: Span) -> Option<&Use> {
        self.uses.iter().find(|(other, _)| *other == span).map(|(_, found)| found)
    }

    /// The columns given to the innermost operator around an offset.
    pub fn input_at(&self, offset: u32) -> Option<&Schema> {
        self.inputs
            .iter()
            .filter(|(span, _)| span.start <= offset && offset <= span.end)
            .min_by_key(|(span, _)| span.len())
            .map(|(_, schema)| schema)
    }
}

/// Binds a query for its notes. `cursor` is the offset of [`CURSOR`] in the text, if it is there.
pub fn annotate(query: &ast::Query, text: &str, catalog: &dyn Catalog, cursor: Option<u32>) -> Notes {
    let mut binder = Binder::new(text, catalog);
    binder.notes = Some(Box::new(Notes { cursor, ..Notes::default() }));
    binder.bind_query(query);
    let mut notes = binder.notes.take().map(|notes| *notes).unwrap_or_default();
    let mut seen = HashSet::new();
    notes.uses.retain(|(span, _)| seen.insert(*span));
    notes
}

impl Binder<'_> {
    pub(super) fn takes_notes(&self) -> bool {
        self.notes.is_some()
    }

    /// Notes what a name is. The text of stored functions is not the text of the query.
    pub(super) fn note_use(&mut self, span: Span, make: impl FnOnce(&Self) -> Option<Use>) {
        if self.notes.is_none() || self.foreign.is_some() {
            return;
        }
        let found = make(self);
        if let (Some(notes), Some(found)) = (&mut self.notes, found) {
            notes.uses.push((span, found));
        }
    }

    pub(super) fn note_meaning(&mut self, span: Span, meaning: &Meaning) {
        self.note_use(span, |binder| match meaning {
            Meaning::Scalar(value) => Some(Use::Variable(value.ty)),
            Meaning::Table(relation) => Some(match &relation.name {
                Some(name) if binder.catalog.table(&binder.database, name).is_some() => {
                    Use::Table { database: binder.database.clone(), schema: relation.schema().clone() }
                }
                _ => Use::Relation(relation.schema().clone()),
            }),
            Meaning::Database(_) => Some(Use::Database),
            Meaning::Graph(graph) => Some(Use::Graph(graph.nodes.clone(), graph.edges.clone())),
            Meaning::Named => None,
        });
    }

    fn use_of(&self, entity: &Entity) -> Option<Use> {
        Some(match entity {
            Entity::Scalar { expression, .. } => Use::Variable(expression.ty),
            Entity::Table(relation) => Use::Relation(relation.schema().clone()),
            Entity::Function(function) => {
                let parameters: Vec<String> =
                    function.parameters.iter().map(|parameter| parameter.to_string()).collect();
                Use::LocalFunction(format!("({})", parameters.join(", ")))
            }
            Entity::Database(_) => Use::Database,
            Entity::Cluster => Use::Database,
            Entity::Group(_) | Entity::Hidden => return None,
            Entity::Graph(graph) => Use::Graph(graph.nodes.clone(), graph.edges.clone()),
            Entity::GraphElement(element) => {
                Use::GraphElement(self.graph_properties(*element)?.as_ref().clone())
            }
            Entity::Pattern(_) => Use::LocalFunction("(…)".to_string()),
            Entity::Broken => Use::Variable(Type::Dynamic),
        })
    }

    pub(super) fn note_entity(&mut self, span: Span, entity: &Entity) {
        self.note_use(span, |binder| binder.use_of(entity));
    }

    fn current_scope(&self) -> Scope {
        let mut seen = HashSet::new();
        let names = self
            .names
            .all()
            .filter(|(name, _)| seen.insert(name.to_string()))
            .filter_map(|(name, entity)| Some((name.to_string(), self.use_of(entity)?)))
            .collect();
        let columns = self.row.as_ref().filter(|row| !row.hidden).map(|row| row.columns.as_ref().clone());
        Scope {
            columns,
            join: None,
            names,
            aggregates: self.aggregation.is_some(),
            database: self.database.clone(),
            object: None,
        }
    }

    /// Notes what is in scope if this name is the cursor.
    pub(super) fn note_cursor(&mut self, name: &str) -> bool {
        if name != CURSOR || self.notes.is_none() {
            return false;
        }
        let scope = self.current_scope();
        self.set_scope(scope, true);
        true
    }

    pub(super) fn note_member(&mut self, object: Object) {
        let scope = Scope { object: Some(object), ..self.current_scope() };
        self.set_scope(scope, true);
    }

    /// Notes both sides of a join if its condition holds the cursor.
    pub(super) fn note_join(&mut self, left: &Relation, right: &Relation, condition: Span) {
        let at = self.notes.as_ref().and_then(|notes| notes.cursor);
        if at.is_some_and(|at| condition.start <= at && at <= condition.end) {
            let join = Some((left.schema().clone(), right.schema().clone()));
            let scope = Scope { join, ..self.current_scope() };
            self.set_scope(scope, true);
        }
    }

    fn set_scope(&mut self, scope: Scope, exact: bool) {
        if let Some(notes) = &mut self.notes {
            if exact || !notes.exact {
                notes.scope = Some(scope);
            }
            notes.exact |= exact;
        }
    }

    /// Notes that a statement begins: the cursor may be in it and nowhere in an expression.
    pub(super) fn note_statement(&mut self, span: Span) {
        let at = self.notes.as_ref().and_then(|notes| notes.cursor);
        if at.is_some_and(|at| span.start <= at) {
            let scope = self.current_scope();
            self.set_scope(scope, false);
        }
    }

    /// Notes what an operator is given; yields a stand-in for its result, should it be wrong.
    pub(super) fn note_operator(&mut self, operator: &ast::Operator, input: &Relation) -> Option<Relation> {
        self.notes.as_ref()?;
        let schema = input.schema().clone();
        if self.foreign.is_none() {
            let at = self.notes.as_ref().and_then(|notes| notes.cursor);
            if at.is_some_and(|at| operator.span.start <= at) {
                let scope = Scope { columns: Some(schema.clone()), ..self.current_scope() };
                self.set_scope(scope, false);
            }
            if let Some(notes) = &mut self.notes {
                notes.inputs.push((operator.span, schema.clone()));
            }
        }
        let plan = rows_of(schema);
        Some(Relation::flagged(plan, input.serialized, input.sorted).named(input.name.clone()))
    }

    /// Binds the body of a function with stand-ins for its parameters.
    pub(super) fn sketch(&mut self, function: &ast::FunctionDeclaration) {
        if self.notes.is_none() || self.foreign.is_some() || self.depth > 20 {
            return;
        }
        let outer_names = self.names.clone();
        let outer_block = self.block;
        let outer_row = self.row.take();
        let outer_aggregation = self.aggregation.take();
        let outer_argument = self.argument.take();
        let outer_failed = self.failed;
        let reported = self.diagnostics.len();
        self.depth += 1;
        self.block += 1;
        for parameter in &function.parameters {
            let entity = match &parameter.kind {
                ast::ParameterKind::Scalar(type_name) => {
                    let ty = literal::type_of(type_name.keyword).unwrap_or(Type::Dynamic);
                    Entity::Scalar { expression: Expr::constant(null_of(ty)), row: None }
                }
                ast::ParameterKind::Tabular(schema) => {
                    let columns = schema.columns.iter().map(|column| {
                        let ty = literal::type_of(column.type_name.keyword).unwrap_or(Type::Dynamic);
                        Column::new(column.name.text.clone(), ty)
                    });
                    Entity::Table(Rc::new(Relation::new(rows_of(columns.collect()))))
                }
            };
            self.note_entity(parameter.name.span, &entity);
            self.names = self.names.with(parameter.name.text.clone(), entity, self.block);
        }
        self.block += 1;
        for statement in &function.body.statements {
            self.local_statement(statement);
        }
        self.note_statement(function.body.span);
        if let Some(result) = &function.body.result {
            let _ = self.meaning(result);
        }
        self.depth -= 1;
        self.diagnostics.truncate(reported);
        self.failed = outer_failed;
        self.argument = outer_argument;
        self.aggregation = outer_aggregation;
        self.row = outer_row;
        self.block = outer_block;
        self.names = outer_names;
    }
}

/// A plan without rows.
pub(super) fn rows_of(schema: Schema) -> Plan {
    Plan::new(Operator::Values { rows: Vec::new() }, schema)
}
