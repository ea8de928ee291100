//! Pipelines: a source and operators one after another.

use crate::ast::{self, OperatorKind};
use crate::span::Span;

use super::expression::{Meaning, table_meaning};
use super::scope::{Piped, Relation};
use super::{Bind, Binder, OPERATORS_MAX};

impl Binder<'_> {
    pub(super) fn pipeline_meaning(&mut self, pipeline: &ast::Pipeline, span: Span) -> Bind<Meaning> {
        if pipeline.operators.is_empty() {
            return match &pipeline.source {
                Some(source) => self.meaning(source),
                None => Err(self.give_up()),
            };
        }
        // The rows given to a subquery are for its own pipeline, not for those within; and what a graph pattern
        // matches is nothing to them.
        let argument = self.argument.take();
        let graph = self.graph.take();
        let given = argument.clone();
        self.pipelines += 1;
        let found = self.with_row_scope(None, |binder| binder.pipeline(pipeline, given, span));
        self.pipelines -= 1;
        self.argument = argument;
        self.graph = graph;
        Ok(match found? {
            Piped::Rows(relation) => table_meaning(relation),
            Piped::Graph(graph) => Meaning::Graph(Box::new(graph)),
            Piped::Named => Meaning::Named,
        })
    }

    fn pipeline(&mut self, pipeline: &ast::Pipeline, argument: Option<Piped>, span: Span) -> Bind<Piped> {
        if let Some(first) = pipeline.operators.first() {
            self.operator = keyword(&first.kind);
        }
        let mut current = match &pipeline.source {
            Some(source) => match self.piped_source(source) {
                Err(_) if self.takes_notes() => {
                    Some(Piped::Rows(Relation::new(super::notes::rows_of(Vec::new()))))
                }
                found => Some(found?),
            },
            None => argument,
        };
        for (position, operator) in pipeline.operators.iter().enumerate() {
            if self.operators > OPERATORS_MAX {
                return Err(self.error("SEM0011", "The query has too many operators", operator.keyword_span));
            }
            self.operator = keyword(&operator.kind);
            let begins = position == 0
                && begins_pipeline(&operator.kind)
                && (current.is_none()
                    || matches!(operator.kind, OperatorKind::Print(_) | OperatorKind::Range(_)))
                && pipeline.source.is_none();
            let next = if begins {
                Piped::Rows(match self.source_operator(operator) {
                    Err(_) if self.takes_notes() => Relation::new(super::notes::rows_of(Vec::new())),
                    found => found?,
                })
            } else {
                let input = match current.take() {
                    Some(input) => input,
                    None => {
                        let message = format!(
                            "The operator '{}' cannot be the first of a query",
                            keyword(&operator.kind)
                        );
                        return Err(self.error("SEM0174", message, operator.keyword_span));
                    }
                };
                let stand_in = match &input {
                    Piped::Rows(rows) => self.note_operator(operator, rows),
                    Piped::Graph(_) | Piped::Named => None,
                };
                match (self.next_piped(operator, input), stand_in) {
                    (Err(_), Some(stand_in)) => Piped::Rows(stand_in),
                    (found, _) => found?,
                }
            };
            current = Some(next);
        }
        match current {
            Some(piped) => Ok(piped),
            None => Err(self.error("SEM0111", "A tabular value is expected here", span)),
        }
    }

    /// What a pipeline begins with: rows or a graph.
    fn piped_source(&mut self, source: &ast::Expr) -> Bind<Piped> {
        match self.with_row_scope(None, |binder| binder.meaning(source))? {
            Meaning::Table(relation) => Ok(Piped::Rows(*relation)),
            Meaning::Graph(graph) => Ok(Piped::Graph(*graph)),
            _ => Err(self.error("SEM0111", "A tabular value is expected here", source.span)),
        }
    }

    fn next_piped(&mut self, operator: &ast::Operator, input: Piped) -> Bind<Piped> {
        match (input, &operator.kind) {
            (input, OperatorKind::Invoke(call)) => self.invoke(input, call),
            (Piped::Graph(graph), _) => self.graph_operator(operator, graph),
            (Piped::Rows(rows), OperatorKind::MakeGraph(node)) => self.make_graph(rows, node),
            (Piped::Rows(rows), _) => self.piped_operator(operator, rows).map(Piped::Rows),
            (Piped::Named, _) => {
                let message = "The tables were given names: use these in other statements";
                Err(self.error("SEM0111", message, operator.keyword_span))
            }
        }
    }

    /// The body of `mv-apply`, `partition` and `fork`: a pipeline that takes the given rows.
    pub(super) fn subquery(&mut self, body: &ast::Expr, argument: Relation) -> Bind<Relation> {
        self.subquery_over(body, Piped::Rows(argument))
    }

    /// As `subquery`, of `partitioned-by` too: it takes the graph.
    pub(super) fn subquery_over(&mut self, body: &ast::Expr, argument: Piped) -> Bind<Relation> {
        self.subqueries += 1;
        let outer = self.argument.replace(argument);
        let (operator, names) = (self.operator, self.names.clone());
        let result = self.table(body);
        // What `as` names within stands for rows of one run.
        self.names = names;
        self.operator = operator;
        self.argument = outer;
        self.subqueries -= 1;
        result
    }
}

/// Operators that can stand without rows to work on.
fn begins_pipeline(kind: &OperatorKind) -> bool {
    matches!(
        kind,
        OperatorKind::Print(_)
            | OperatorKind::Range(_)
            | OperatorKind::Union(_)
            | OperatorKind::Find(_)
            | OperatorKind::Search(_)
            | OperatorKind::Evaluate(_)
            | OperatorKind::MacroExpand(_)
    )
}

/// The keyword of an operator as the reference writes it.
pub(super) fn keyword(kind: &OperatorKind) -> &'static str {
    match kind {
        OperatorKind::As(_) => "as",
        OperatorKind::AssertSchema(_) => "assert-schema",
        OperatorKind::Consume(_) => "consume",
        OperatorKind::Count(_) => "count",
        OperatorKind::Distinct(_) => "distinct",
        OperatorKind::Evaluate(_) => "evaluate",
        OperatorKind::ExecuteAndCache => "execute_and_cache",
        OperatorKind::Extend(_) => "extend",
        OperatorKind::Facet(_) => "facet",
        OperatorKind::Find(_) => "find",
        OperatorKind::Fork(_) => "fork",
        OperatorKind::GetSchema(_) => "getschema",
        OperatorKind::GraphMarkComponents(_) => "graph-mark-components",
        OperatorKind::GraphMatch(_) => "graph-match",
        OperatorKind::GraphShortestPaths(_) => "graph-shortest-paths",
        OperatorKind::GraphToTable(_) => "graph-to-table",
        OperatorKind::GraphWhereEdges(_) => "graph-where-edges",
        OperatorKind::GraphWhereNodes(_) => "graph-where-nodes",
        OperatorKind::Invoke(_) => "invoke",
        OperatorKind::Join(_) => "join",
        OperatorKind::Lookup(_) => "lookup",
        OperatorKind::MacroExpand(_) => "macro-expand",
        OperatorKind::MakeGraph(_) => "make-graph",
        OperatorKind::MakeSeries(_) => "make-series",
        OperatorKind::MvApply(_) => "mv-apply",
        OperatorKind::MvExpand(_) => "mv-expand",
        OperatorKind::Parse(_) => "parse",
        OperatorKind::ParseKv(_) => "parse-kv",
        OperatorKind::ParseWhere(_) => "parse-where",
        OperatorKind::Partition(_) => "partition",
        OperatorKind::PartitionBy(_) => "__partitionby",
        OperatorKind::Print(_) => "print",
        OperatorKind::Project(_) => "project",
        OperatorKind::ProjectAway(_) => "project-away",
        OperatorKind::ProjectByNames(_) => "project-by-names",
        OperatorKind::ProjectKeep(_) => "project-keep",
        OperatorKind::ProjectRename(_) => "project-rename",
        OperatorKind::ProjectReorder(_) => "project-reorder",
        OperatorKind::Range(_) => "range",
        OperatorKind::Reduce(_) => "reduce",
        OperatorKind::Render(_) => "render",
        OperatorKind::Sample(_) => "sample",
        OperatorKind::SampleDistinct(_) => "sample-distinct",
        OperatorKind::Scan(_) => "scan",
        OperatorKind::Search(_) => "search",
        OperatorKind::Serialize(_) => "serialize",
        OperatorKind::Sort(_) => "sort",
        OperatorKind::Summarize(_) => "summarize",
        OperatorKind::Take(_) => "take",
        OperatorKind::Top(_) => "top",
        OperatorKind::TopHitters(_) => "top-hitters",
        OperatorKind::TopNested(_) => "top-nested",
        OperatorKind::Union(_) => "union",
        OperatorKind::Where(_) => "where",
        OperatorKind::Unknown(_) => "query",
    }
}
