//! Graphs in the plan: how one is built, what is looked for in it, and what of a match is kept.
//!
//! A graph is no table: [`GraphPlan`] stands beside [`Plan`] and only the operators of graphs hold it. Nodes,
//! edges, and the elements of a pattern are referred to by position.

use serde::{Deserialize, Serialize};

use super::{Expr, Plan};
use crate::types::{Schema, Type};

/// A graph together with the properties of its nodes and edges.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GraphPlan {
    pub source: Box<GraphSource>,
    pub nodes: Schema,
    pub edges: Schema,
    /// Type of what identifies a node.
    pub id: Type,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum GraphSource {
    Build(GraphBuild),
    /// Appends to the nodes a column with the number of the component each is in. `strong`: by paths in both
    /// directions, else directions do not count.
    Components {
        input: GraphPlan,
        strong: bool,
    },
    /// The graph given to a subquery (`partitioned-by`).
    Argument,
}

/// A graph from rows: one edge per row of `edges`, one node per identifier met.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GraphBuild {
    pub edges: Plan,
    /// Identifiers of the ends of an edge, over the columns of `edges`; of the type of the graph's identifiers.
    pub source: Expr,
    pub target: Expr,
    /// Properties of nodes, then the identifier as the last column. Several rows of a node are merged.
    pub nodes: Plan,
    /// Columns that get the identifier where a node has no row, as expressions over the identifier alone.
    pub keys: Vec<(usize, Expr)>,
    /// `false`: edges lead both ways.
    pub directed: bool,
}

/// What `graph-match` and `graph-shortest-paths` look for and yield. One row per match.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GraphSearch {
    pub graph: GraphPlan,
    pub pattern: GraphPattern,
    pub cycles: Cycles,
    /// Only the shortest matches between the first and the last node of the pattern.
    pub shortest: Option<Shortest>,
    /// What conditions and expressions read of a match: they refer to these by position.
    pub values: Vec<GraphValue>,
    /// All must hold.
    pub conditions: Vec<Expr>,
    pub expressions: Vec<Expr>,
}

/// Edges between numbered node variables; always connected. A pattern of one node has no edges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GraphPattern {
    /// How many node variables there are.
    pub nodes: usize,
    pub edges: Vec<GraphStep>,
}

/// An edge of a pattern, from left to right as written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GraphStep {
    pub from: usize,
    pub to: usize,
    pub direction: StepDirection,
    /// How many edges in a row it stands for, at least and at most.
    pub least: u32,
    pub most: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StepDirection {
    Forward,
    Backward,
    Any,
}

/// Which matches that pass a node again count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cycles {
    All,
    None,
    /// As long as no edge is passed twice.
    UniqueEdges,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shortest {
    /// One per pair of ends.
    Any,
    All,
}

/// Something read of a match.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GraphValue {
    pub kind: GraphValueKind,
    pub ty: Type,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum GraphValueKind {
    NodeProperty {
        node: usize,
        column: usize,
    },
    NodeId {
        node: usize,
    },
    NodeDegreeIn {
        node: usize,
    },
    NodeDegreeOut {
        node: usize,
    },
    /// Of an edge that stands for exactly one.
    EdgeProperty {
        edge: usize,
        column: usize,
    },
    /// An expression for each edge of a path, or each node between its edges, brought together. It reads the
    /// properties of the edge or node, then `locals`.
    Path {
        edge: usize,
        inner_nodes: bool,
        collect: PathCollect,
        locals: Vec<PathLocal>,
        expression: Expr,
    },
    /// A property of the edge of a path that the expression around it is about; stands only in the making.
    Lifted {
        edge: usize,
        column: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PathCollect {
    /// True without edges or nodes.
    All,
    Any,
    /// An array.
    Map,
}

/// What an expression along a path reads besides properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PathLocal {
    NodeId,
    NodeDegreeIn,
    NodeDegreeOut,
    /// An earlier value of the match.
    Outer(usize),
}

/// A column of node identifiers, as hashes, before the properties that `graph-to-table` yields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum GraphHash {
    Node,
    Source,
    Target,
}

impl GraphPlan {
    /// The tables it is built of.
    pub fn inputs(&self) -> Vec<&Plan> {
        match self.source.as_ref() {
            GraphSource::Build(build) => build.inputs(),
            GraphSource::Components { input, .. } => input.inputs(),
            GraphSource::Argument => Vec::new(),
        }
    }

    pub fn inputs_mut(&mut self) -> Vec<&mut Plan> {
        match self.source.as_mut() {
            GraphSource::Build(build) => build.inputs_mut(),
            GraphSource::Components { input, .. } => input.inputs_mut(),
            GraphSource::Argument => Vec::new(),
        }
    }

    /// Whether it is built of the graph given to a subquery.
    pub fn is_argument(&self) -> bool {
        match self.source.as_ref() {
            GraphSource::Build(_) => false,
            GraphSource::Components { input, .. } => input.is_argument(),
            GraphSource::Argument => true,
        }
    }
}

impl GraphBuild {
    pub fn inputs(&self) -> Vec<&Plan> {
        vec![&self.edges, &self.nodes]
    }

    pub fn inputs_mut(&mut self) -> Vec<&mut Plan> {
        vec![&mut self.edges, &mut self.nodes]
    }
}

impl GraphSearch {
    /// All expressions, whatever they are over.
    pub fn expressions(&self) -> impl Iterator<Item = &Expr> {
        let along = self.values.iter().filter_map(|value| match &value.kind {
            GraphValueKind::Path { expression, .. } => Some(expression),
            _ => None,
        });
        along.chain(&self.conditions).chain(&self.expressions)
    }

    pub fn expressions_mut(&mut self) -> impl Iterator<Item = &mut Expr> {
        let along = self.values.iter_mut().filter_map(|value| match &mut value.kind {
            GraphValueKind::Path { expression, .. } => Some(expression),
            _ => None,
        });
        along.chain(&mut self.conditions).chain(&mut self.expressions)
    }
}
