//! The operators of graphs: `make-graph`, `graph-match`, `graph-shortest-paths`, `graph-to-table` and their kin.

use crate::ast::{
    ExprKind, GraphDirection, GraphEdge, GraphElement, GraphMatch, GraphNodes, GraphPartition, GraphPattern,
    GraphTable, MakeGraph, MakeGraphWith, OperatorKind,
};
use crate::token::TokenKind;

use super::super::parameter::Parameters;
use super::super::recover::Follow;
use super::super::{ListRule, Parser};

impl Parser<'_> {
    /// `make-graph source --> target [with …] [partitioned-by column (pipeline)]`
    pub(super) fn make_graph(&mut self) -> OperatorKind {
        self.bump();
        let parameters = self.parameters(&Parameters::COMMON);
        let source = self.required_name();
        let mut directed = true;
        if !self.eat_joined("-->") {
            directed = false;
            if !self.eat_joined("--") {
                self.report_expected(&["-->", "--"]);
            }
        }
        let target = self.required_name();
        let mut with = None;
        if self.eat_word("with_node_id") {
            self.expect(TokenKind::Assign, "=");
            with = Some(MakeGraphWith::NodeId(self.required_name()));
        } else if self.eat_word("with") {
            with = Some(MakeGraphWith::Nodes(self.list(
                ListRule::ONE_OR_MORE.until(&["partitioned-by"]),
                Self::at_list_end,
                Self::graph_nodes,
                |parser| {
                    let table = parser.missing_expression();
                    let key = parser.missing_name();
                    GraphNodes { span: table.span, table, key }
                },
            )));
        }
        let mut partitioned_by = None;
        if self.eat_word("partitioned-by") {
            let column = match self.required_column_path().kind {
                ExprKind::Name(name) => name,
                _ => self.missing_name(),
            };
            let body = Box::new(self.parenthesized_subpipeline());
            partitioned_by = Some(GraphPartition { column, body });
        }
        OperatorKind::MakeGraph(MakeGraph { parameters, source, directed, target, with, partitioned_by })
    }

    /// `table on column`
    fn graph_nodes(&mut self) -> Option<GraphNodes> {
        let start = self.start();
        let table = self.signed()?;
        self.expect_word("on");
        let key = self.required_name();
        Some(GraphNodes { table, key, span: self.span_from(start) })
    }

    pub(super) fn graph_match(&mut self) -> OperatorKind {
        OperatorKind::GraphMatch(self.graph_match_parts(&Parameters::COMMON))
    }

    pub(super) fn graph_shortest_paths(&mut self) -> OperatorKind {
        OperatorKind::GraphShortestPaths(self.graph_match_parts(&Parameters::GRAPH_PATHS))
    }

    /// `pattern, pattern [where predicate] [project …]`
    fn graph_match_parts(&mut self, rule: &Parameters) -> GraphMatch {
        self.bump();
        let parameters = self.parameters(rule);
        let mut patterns = vec![self.graph_pattern()];
        while self.eat(TokenKind::Comma) {
            patterns.push(self.graph_pattern());
        }
        let predicate =
            if self.eat_word("where") { Some(self.required_expression(Follow::Anything)) } else { None };
        let projection = if self.eat_word("project") {
            Some(self.list(ListRule::ONE_OR_MORE, Self::at_list_end, Self::named, Self::missing_expression))
        } else {
            None
        };
        GraphMatch { parameters, patterns, predicate, projection }
    }

    fn graph_pattern(&mut self) -> GraphPattern {
        let start = self.start();
        let mut elements = Vec::new();
        while let Some(element) = self.graph_element() {
            elements.push(element);
        }
        if elements.is_empty() {
            self.error("KS217", "Missing graph-match pattern such as (a)-[e]->(b).");
        }
        GraphPattern { elements, span: self.span_from(start) }
    }

    fn graph_element(&mut self) -> Option<GraphElement> {
        let start = self.start();
        if self.eat(TokenKind::OpenParen) {
            let name = self.name();
            self.expect(TokenKind::CloseParen, ")");
            return Some(GraphElement::Node { name, span: self.span_from(start) });
        }
        let plain = |direction, span| {
            Some(GraphElement::Edge(GraphEdge { name: None, direction, range: None, span }))
        };
        if self.eat_joined("-->") {
            return plain(GraphDirection::Forward, self.span_from(start));
        }
        if self.eat_joined("<--") {
            return plain(GraphDirection::Backward, self.span_from(start));
        }
        if self.eat_joined("--") {
            return plain(GraphDirection::Any, self.span_from(start));
        }
        let backward = if self.eat_joined("-[") {
            false
        } else if self.eat_joined("<-[") {
            true
        } else {
            return None;
        };
        let name = self.name();
        let mut range = None;
        if self.eat(TokenKind::Star) {
            let low = self.graph_range_bound();
            self.expect(TokenKind::DotDot, "..");
            range = Some((Box::new(low), Box::new(self.graph_range_bound())));
        }
        let forward = self.eat_joined("]->");
        if !forward && !self.eat_joined("]-") {
            self.report_expected(&["]->", "]-"]);
        }
        let direction = match (backward, forward) {
            (true, _) => GraphDirection::Backward,
            (false, true) => GraphDirection::Forward,
            (false, false) => GraphDirection::Any,
        };
        Some(GraphElement::Edge(GraphEdge { name, direction, range, span: self.span_from(start) }))
    }

    fn graph_range_bound(&mut self) -> crate::ast::Expr {
        match self.signed() {
            Some(bound) => bound,
            None => self.missing_expression(),
        }
    }

    /// `graph-to-table nodes as name, edges as name`
    pub(super) fn graph_to_table(&mut self) -> OperatorKind {
        self.bump();
        OperatorKind::GraphToTable(self.list(
            ListRule::OPEN,
            Self::never,
            Self::graph_table,
            Self::missing_graph_table,
        ))
    }

    fn graph_table(&mut self) -> Option<GraphTable> {
        let start = self.start();
        let nodes = self.eat_word("nodes");
        if !nodes && !self.eat_word("edges") {
            return None;
        }
        let name = if self.eat_word("as") { Some(self.required_name()) } else { None };
        let rule = if nodes { &Parameters::GRAPH_NODES } else { &Parameters::GRAPH_EDGES };
        let parameters = self.parameters(rule);
        Some(GraphTable { nodes, name, parameters, span: self.span_from(start) })
    }

    fn missing_graph_table(&mut self) -> GraphTable {
        self.report_expected(&["nodes", "edges"]);
        let start = self.start();
        GraphTable { nodes: true, name: None, parameters: Vec::new(), span: self.span_from(start) }
    }

    pub(super) fn graph_mark_components(&mut self) -> OperatorKind {
        self.bump();
        OperatorKind::GraphMarkComponents(self.parameters(&Parameters::GRAPH_COMPONENTS))
    }

    pub(super) fn graph_where_nodes(&mut self) -> OperatorKind {
        self.bump();
        OperatorKind::GraphWhereNodes(self.required_scalar())
    }

    pub(super) fn graph_where_edges(&mut self) -> OperatorKind {
        self.bump();
        OperatorKind::GraphWhereEdges(self.required_scalar())
    }
}
