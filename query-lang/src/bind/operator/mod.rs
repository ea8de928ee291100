//! The operators of a pipeline, a file for each or for a few that share their rules. Each takes the relation
//! before it and yields the next one; what has no operator of its own in the plan is lowered here.

mod evaluate;
mod expand;
mod external;
mod filter;
mod flow;
mod graph;
mod join;
mod macro_expand;
mod parse;
mod partition;
mod project;
mod reduce;
mod render;
mod scan;
mod search;
mod series;
mod sort;
mod summarize;
mod top_hitters;
mod top_nested;
mod union;
mod values;
mod wildcard;

use crate::ast::{self, ExprKind as Ast, LiteralValue, OperatorKind};
use crate::plan::{Expr, Operator};
use crate::types::Schema;

use super::pipeline::keyword;
use super::scope::Relation;
use super::{Bind, Binder};

impl Binder<'_> {
    /// An operator that begins a pipeline.
    pub(super) fn source_operator(&mut self, operator: &ast::Operator) -> Bind<Relation> {
        match &operator.kind {
            OperatorKind::Print(expressions) => self.print(expressions),
            OperatorKind::Range(range) => self.range(range),
            OperatorKind::Union(union) => self.union(None, union, operator.keyword_span),
            OperatorKind::Find(find) => self.find(None, find, operator.keyword_span),
            OperatorKind::Search(search) => self.search(None, search, operator.keyword_span),
            OperatorKind::Evaluate(node) => self.evaluate_alone(node),
            OperatorKind::MacroExpand(node) => self.macro_expand(node, operator.keyword_span),
            other => Err(self.unsupported_operator(other, operator)),
        }
    }

    /// An operator that takes rows.
    pub(super) fn piped_operator(&mut self, operator: &ast::Operator, input: Relation) -> Bind<Relation> {
        let span = operator.keyword_span;
        match &operator.kind {
            OperatorKind::As(node) => self.as_name(input, node),
            OperatorKind::AssertSchema(wanted) => self.assert_schema(input, wanted),
            OperatorKind::Consume(_) => self.consume(input),
            OperatorKind::Count(node) => self.count(input, node),
            OperatorKind::Distinct(node) => self.distinct(input, node),
            OperatorKind::Evaluate(node) => self.evaluate(input, node, span),
            OperatorKind::Extend(expressions) => self.extend(input, expressions),
            OperatorKind::Facet(node) => self.facet(input, node, span),
            OperatorKind::Find(node) => self.find(Some(input), node, span),
            OperatorKind::Fork(node) => self.fork(input, node, span),
            OperatorKind::GetSchema(node) => self.get_schema(&input, node),
            OperatorKind::Join(node) => self.join(input, node, span),
            OperatorKind::Lookup(node) => self.lookup(input, node, span),
            OperatorKind::MakeSeries(node) => self.make_series(input, node, span),
            OperatorKind::MvApply(node) => self.mv_apply(input, node),
            OperatorKind::MvExpand(node) => self.mv_expand(input, node),
            OperatorKind::Parse(node) => self.parse_operator(input, node, false),
            OperatorKind::ParseWhere(node) => self.parse_operator(input, node, true),
            OperatorKind::ParseKv(node) => self.parse_kv(input, node),
            OperatorKind::Partition(node) => self.partition(input, node),
            OperatorKind::PartitionBy(node) => self.partition_by(input, node),
            OperatorKind::Project(expressions) => self.project(input, expressions),
            OperatorKind::ProjectAway(expressions) => self.project_away(input, expressions),
            OperatorKind::ProjectKeep(expressions) => self.project_keep(input, expressions),
            OperatorKind::ProjectRename(expressions) => self.project_rename(input, expressions),
            OperatorKind::ProjectReorder(keys) => self.project_reorder(input, keys),
            OperatorKind::ProjectByNames(expressions) => self.project_by_names(input, expressions),
            OperatorKind::Reduce(node) => self.reduce(input, node),
            OperatorKind::Render(node) => self.render(input, node),
            OperatorKind::Sample(node) => self.sample(input, node),
            OperatorKind::SampleDistinct(node) => self.sample_distinct(input, node),
            OperatorKind::Scan(node) => self.scan(input, node),
            OperatorKind::Search(node) => self.search(Some(input), node, span),
            OperatorKind::Serialize(node) => self.serialize(input, node),
            OperatorKind::Sort(node) => self.sort(input, node),
            OperatorKind::Summarize(node) => self.summarize(input, node),
            OperatorKind::Take(node) => self.take(input, node),
            OperatorKind::Top(node) => self.top(input, node),
            OperatorKind::TopHitters(node) => self.top_hitters(input, node),
            OperatorKind::TopNested(clauses) => self.top_nested(input, clauses),
            OperatorKind::Union(node) => self.union(Some(input), node, span),
            OperatorKind::Where(node) => self.filter(input, &node.predicate),
            OperatorKind::Unknown(_) => Err(self.give_up()),
            OperatorKind::Print(_) | OperatorKind::Range(_) => {
                let message =
                    format!("The operator '{}' must be the first of a query", keyword(&operator.kind));
                Err(self.error("SEM0175", message, span))
            }
            OperatorKind::GraphMatch(_)
            | OperatorKind::GraphShortestPaths(_)
            | OperatorKind::GraphToTable(_)
            | OperatorKind::GraphMarkComponents(_)
            | OperatorKind::GraphWhereNodes(_)
            | OperatorKind::GraphWhereEdges(_) => {
                let message = format!(
                    "The operator '{}' requires an input graph: make one with 'make-graph'",
                    keyword(&operator.kind)
                );
                Err(self.error("SEM0219", message, span))
            }
            other => Err(self.unsupported_operator(other, operator)),
        }
    }

    fn unsupported_operator(&mut self, kind: &OperatorKind, operator: &ast::Operator) -> super::Reported {
        self.unsupported(&format!("The operator '{}'", keyword(kind)), operator.keyword_span)
    }

    /// A new relation that projects the input; its order stays.
    fn projected(&mut self, input: Relation, expressions: Vec<Expr>, schema: Schema) -> Relation {
        let (serialized, sorted, name) = (input.serialized, input.sorted, input.name);
        let plan = self.plan(Operator::Project { input: input.plan, expressions }, schema);
        Relation::flagged(plan, serialized, sorted).named(name)
    }
}

/// The value of an operator's parameter, by name.
fn parameter<'a>(parameters: &'a [ast::OperatorParameter], name: &str) -> Option<&'a ast::Expr> {
    parameters.iter().find(|parameter| parameter.name.text == name).map(|parameter| &parameter.value)
}

/// The text of a parameter's value: a name or a literal.
fn parameter_text(value: &ast::Expr) -> Option<String> {
    match &value.kind {
        Ast::Name(name) => Some(name.text.clone()),
        Ast::Literal(LiteralValue::String(text)) => Some(text.value.clone()),
        Ast::Literal(LiteralValue::Bool(flag)) => Some(flag.to_string()),
        Ast::Literal(LiteralValue::Long(number)) => Some(number.to_string()),
        Ast::Literal(LiteralValue::Real(number)) => Some(number.to_string()),
        Ast::Parenthesized(inner) => parameter_text(inner),
        _ => None,
    }
}

/// Whether a name fits a pattern in which `*` stands for any text.
pub(super) fn matches_wildcard(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(first) = parts.next() else { return pattern == name };
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.len() >= last.len() && rest.ends_with(last)
}
