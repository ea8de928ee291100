//! What names stand for while a query is bound: columns of the current row, and names given by `let`, by
//! parameters of functions and by `as`. Knows nothing of the catalog.

use std::rc::Rc;

use crate::ast;
use crate::plan::graph::GraphPlan;
use crate::plan::{Expr, Plan};
use crate::types::Schema;

use super::entity::Access;

/// A table on its way through a pipeline.
#[derive(Clone, Debug)]
pub(super) struct Relation {
    pub plan: Plan,
    /// The order of the rows has a meaning (`serialize`, `sort`, `range` …), which window functions ask for.
    pub serialized: bool,
    /// The rows come sorted by a key.
    pub sorted: bool,
    /// The stored table, or the name given with `as`, that the rows are of.
    pub name: Option<String>,
}

impl Relation {
    pub fn new(plan: Plan) -> Relation {
        Relation::flagged(plan, false, false)
    }

    pub fn flagged(plan: Plan, serialized: bool, sorted: bool) -> Relation {
        Relation { plan, serialized, sorted, name: None }
    }

    pub fn named(self, name: Option<String>) -> Relation {
        Relation { name, ..self }
    }

    pub fn schema(&self) -> &Schema {
        &self.plan.schema
    }
}

/// What flows from one operator to the next.
#[derive(Clone, Debug)]
pub(super) enum Piped {
    Rows(Relation),
    Graph(GraphPlan),
    /// The results have got names; no rows flow on.
    Named,
}

/// What a name of a graph pattern stands for: the number of a node variable or of an edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GraphElement {
    Node(usize),
    Edge(usize),
}

/// A function of the query or of a database.
#[derive(Debug)]
pub(super) struct Function {
    pub name: String,
    pub parameters: Vec<ast::Parameter>,
    pub body: ast::FunctionBody,
    pub view: bool,
    /// What the body sees besides its parameters.
    pub names: Names,
    /// What of the databases its body may see.
    pub access: Access,
    /// The database of a stored function: its text is not part of the query text.
    pub stored_in: Option<String>,
}

impl Function {
    pub fn least_arguments(&self) -> usize {
        self.parameters.iter().filter(|parameter| parameter.default.is_none()).count()
    }
}

/// A pattern and the names its bodies see.
#[derive(Debug)]
pub(super) struct Pattern {
    pub definition: Option<ast::PatternDefinition>,
    pub names: Names,
    pub access: Access,
}

#[derive(Clone, Debug)]
pub(super) enum Entity {
    /// Without columns, or over the columns of the row scope with that number.
    Scalar {
        expression: Expr,
        row: Option<u32>,
    },
    Table(Rc<Relation>),
    Graph(Rc<GraphPlan>),
    GraphElement(GraphElement),
    Function(Rc<Function>),
    Database(String),
    /// This server, as a member of an entity group.
    Cluster,
    Group(Rc<Vec<Entity>>),
    /// `declare pattern`; without a definition it can be declared but not called.
    Pattern(Rc<Pattern>),
    /// `restrict access` leaves it out.
    Hidden,
    /// Its definition was wrong and is reported; uses of it are not.
    Broken,
}

/// A chain of names, the innermost first. Copies are cheap: functions keep the chain they were declared under.
#[derive(Clone, Debug, Default)]
pub(super) struct Names(Option<Rc<Node>>);

#[derive(Debug)]
struct Node {
    name: String,
    entity: Entity,
    /// Depth of the block the name was declared in.
    block: u32,
    outer: Names,
}

impl Names {
    pub fn with(&self, name: impl Into<String>, entity: Entity, block: u32) -> Names {
        Names(Some(Rc::new(Node { name: name.into(), entity, block, outer: self.clone() })))
    }

    fn nodes(&self) -> impl Iterator<Item = &Node> {
        std::iter::successors(self.0.as_deref(), |node| node.outer.0.as_deref())
    }

    pub fn find(&self, name: &str) -> Option<&Entity> {
        self.nodes().find(|node| node.name == name).map(|node| &node.entity)
    }

    /// Whether the name was declared in this very block.
    pub fn declared_in(&self, name: &str, block: u32) -> bool {
        self.nodes().take_while(|node| node.block >= block).any(|node| node.name == name)
    }

    /// As `all`, copied, with the blocks of the declarations.
    pub fn all_with_blocks(&self) -> impl Iterator<Item = (String, Entity, u32)> {
        self.nodes().map(|node| (node.name.clone(), node.entity.clone(), node.block))
    }

    /// All names with what they stand for, the innermost first.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Entity)> {
        self.nodes().map(|node| (node.name.as_str(), &node.entity))
    }
}

impl Drop for Node {
    /// Frees a long chain without recursion.
    fn drop(&mut self) {
        let mut next = self.outer.0.take();
        while let Some(node) = next {
            match Rc::try_unwrap(node) {
                Ok(mut node) => next = node.outer.0.take(),
                Err(_) => break,
            }
        }
    }
}

/// The columns that expressions may use.
#[derive(Clone, Debug)]
pub(super) struct RowScope {
    pub number: u32,
    pub columns: Rc<Schema>,
    /// Inside the body of a scalar function the caller's columns have no names, but arguments may hold them.
    pub hidden: bool,
    pub serialized: bool,
    /// In a join condition: how many of the columns are of the left side.
    pub left_columns: Option<usize>,
    /// Within `scan`: the names of its steps. Behind the columns stand as many again per step.
    pub steps: Option<Rc<[String]>>,
}

impl RowScope {
    pub fn position(&self, name: &str) -> Option<usize> {
        if self.hidden {
            return None;
        }
        self.columns.iter().position(|column| column.name == name)
    }
}
