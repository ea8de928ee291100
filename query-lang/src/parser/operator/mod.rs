//! The operators of a pipeline: which word starts which, a file per family. Each rule is called at its keyword.

mod aggregation;
mod combination;
mod graph;
mod partition;
mod projection;
mod render;
mod rows;
mod scan;
mod series;
mod text;

pub(super) use render::CHARTS;

use crate::ast::{As, Consume, Count, Evaluate, GetSchema, Operator, OperatorKind, Where};
use crate::token::TokenKind;

use super::parameter::Parameters;
use super::{ListRule, Parser, Slot};

impl Parser<'_> {
    /// An operator that may follow a pipe. Words that are operators only with something after them (`count`, `range`)
    /// are looked at further.
    pub(super) fn operator(&mut self) -> Option<Operator> {
        let token = self.peek(0);
        if !token.kind.is_keyword() {
            return None;
        }
        let rule: fn(&mut Self) -> OperatorKind = match token.text(self.text) {
            "as" => Self::as_operator,
            "assert-schema" => Self::assert_schema,
            "consume" => Self::consume,
            "count" if self.kind_at(1) != TokenKind::OpenParen => Self::count,
            "distinct" => Self::distinct,
            "evaluate" => Self::evaluate,
            "__executeAndCache" => |parser| {
                parser.bump();
                OperatorKind::ExecuteAndCache
            },
            "extend" => Self::extend,
            "facet" => Self::facet,
            "filter" | "where" => Self::filter,
            "find" => Self::find,
            "fork" => Self::fork,
            "getschema" => Self::get_schema,
            "graph-mark-components" => Self::graph_mark_components,
            "graph-match" => Self::graph_match,
            "graph-shortest-paths" => Self::graph_shortest_paths,
            "graph-to-table" => Self::graph_to_table,
            "graph-where-edges" => Self::graph_where_edges,
            "graph-where-nodes" => Self::graph_where_nodes,
            "invoke" => Self::invoke,
            "join" => Self::join,
            "lookup" => Self::lookup,
            "make-graph" => Self::make_graph,
            "make-series" => Self::make_series,
            "mvapply" | "mv-apply" => Self::mv_apply,
            "mvexpand" | "mv-expand" => Self::mv_expand,
            "order" | "sort" => Self::sort,
            "parse" => Self::parse_operator,
            "parse-kv" => Self::parse_kv,
            "parse-where" => Self::parse_where,
            "partition" => Self::partition,
            "__partitionby" => Self::partition_by,
            "project" => Self::project,
            "project-away" => Self::project_away,
            "project-by-names" => Self::project_by_names,
            "project-keep" => Self::project_keep,
            "project-rename" => Self::project_rename,
            "project-reorder" => Self::project_reorder,
            "range" if self.kind_at(1) != TokenKind::OpenParen => Self::range,
            "reduce" => Self::reduce,
            "render" => Self::render,
            "sample" => Self::sample,
            "sample-distinct" => Self::sample_distinct,
            "scan" => Self::scan,
            "search" => Self::search,
            "serialize" => Self::serialize,
            "summarize" => Self::summarize,
            "take" | "limit" => Self::take,
            "top" => Self::top,
            "top-hitters" => Self::top_hitters,
            "top-nested" => Self::top_nested,
            "union" => Self::union,
            _ => return None,
        };
        Some(self.finish(rule))
    }

    /// An operator that may start a query.
    pub(super) fn source_operator(&mut self) -> Option<Operator> {
        let token = self.peek(0);
        if !token.kind.is_keyword() {
            return None;
        }
        let rule: fn(&mut Self) -> OperatorKind = match token.text(self.text) {
            "evaluate" => Self::evaluate,
            "find" => Self::find,
            "macro-expand" => Self::macro_expand,
            "print" => Self::print,
            "search" => Self::search,
            "union" => Self::union,
            _ => return None,
        };
        Some(self.finish(rule))
    }

    fn finish(&mut self, rule: fn(&mut Self) -> OperatorKind) -> Operator {
        let keyword_span = self.peek(0).span;
        // `project-awy` reads as `project - awy`, which is seldom meant.
        let dashed =
            (self.is_glued(1) && self.kind_at(1) == TokenKind::Minus).then(|| self.like_dashed()).flatten();
        let errors = self.diagnostics.len();
        self.operators.push(keyword_span);
        let kind = rule(self);
        self.operators.pop();
        if let (Some(like), Some(first)) = (dashed, self.diagnostics.get_mut(errors)) {
            first.hints.insert(0, format!("did you mean '{like}'?"));
        }
        Operator { kind, keyword_span, span: self.span_from(keyword_span.start) }
    }

    /// `as [hint.materialized=…] name`
    pub(super) fn as_operator(&mut self) -> OperatorKind {
        self.bump();
        let parameters = self.parameters(&Parameters::COMMON);
        OperatorKind::As(As { parameters, name: self.required_name() })
    }

    fn assert_schema(&mut self) -> OperatorKind {
        self.bump();
        OperatorKind::AssertSchema(self.row_schema(false, ListRule::TRAILING))
    }

    fn consume(&mut self) -> OperatorKind {
        self.bump();
        OperatorKind::Consume(Consume { parameters: self.parameters(&Parameters::COMMON_ALWAYS) })
    }

    /// `count [as name]`
    fn count(&mut self) -> OperatorKind {
        self.bump();
        let mut name = None;
        if self.eat_word("as") {
            name = Some(if self.kind() == TokenKind::Identifier {
                self.word_name()
            } else {
                self.missing_name()
            });
        }
        OperatorKind::Count(Count { parameters: Vec::new(), name })
    }

    /// `evaluate plugin(arguments) [: (columns)]`
    fn evaluate(&mut self) -> OperatorKind {
        self.bump();
        let parameters = self.parameters(&Parameters::COMMON_ALWAYS);
        self.seek(Slot::Plugin);
        let call = if self.at_call() {
            self.call()
        } else if self.scan_name(0) > 0 {
            let name = self.required_name_reference();
            self.expect(TokenKind::OpenParen, "(");
            name
        } else {
            self.report_missing("call of a plugin");
            self.missing()
        };
        let schema =
            if self.eat(TokenKind::Colon) { Some(self.row_schema(true, ListRule::TRAILING)) } else { None };
        OperatorKind::Evaluate(Evaluate { parameters, call, schema })
    }

    /// `where predicate`
    fn filter(&mut self) -> OperatorKind {
        self.bump();
        let parameters = self.parameters(&Parameters::COMMON);
        let predicate = Box::new(self.required_named());
        OperatorKind::Where(Where { parameters, predicate })
    }

    fn get_schema(&mut self) -> OperatorKind {
        self.bump();
        let parameters = self.parameter(&Parameters::KIND).into_iter().collect();
        OperatorKind::GetSchema(GetSchema { parameters })
    }

    /// `invoke f(arguments)`, `invoke database('x').f(arguments)`
    fn invoke(&mut self) -> OperatorKind {
        self.bump();
        self.seek(Slot::Invoked);
        if !self.at_call() {
            self.report_missing("call of a function");
            return OperatorKind::Invoke(self.missing());
        }
        let start = self.start();
        let mut call = self.call();
        while self.kind() == TokenKind::Dot {
            let count = self.scan_name(1);
            if count == 0 || self.kind_at(1 + count) != TokenKind::OpenParen {
                break;
            }
            self.bump();
            call = self.selected(call, start);
        }
        OperatorKind::Invoke(call)
    }
}
