//! Operators about the flow of rows rather than their values: `as`, `serialize`, `invoke`, `fork`,
//! `facet`, `sample`, `consume`.

use crate::ast::{self, ExprKind as Ast};
use crate::plan::{Expr, ExprKind, Operator, ResultPlan};
use crate::span::Span;
use crate::types::{Column, Type};
use crate::value::Value;

use super::summarize::count_rows;
use crate::bind::expression::Meaning;
use crate::bind::naming::result_name;
use crate::bind::pipeline::keyword;
use crate::bind::projection::Projection;
use crate::bind::scope::{Entity, Piped, Relation};
use crate::bind::{Bind, Binder};

impl Binder<'_> {
    pub(in crate::bind) fn as_name(&mut self, input: Relation, node: &ast::As) -> Bind<Relation> {
        let name = node.name.text.clone();
        let relation = self.share(input).named(Some(name.clone()));
        self.names = self.names.with(name, Entity::Table(std::rc::Rc::new(relation.clone())), self.block);
        Ok(relation)
    }

    /// Passes the rows if they have the columns that the schema names.
    pub(in crate::bind) fn assert_schema(
        &mut self,
        input: Relation,
        wanted: &ast::RowSchema,
    ) -> Bind<Relation> {
        for column in self.row_schema(wanted)? {
            if !input.schema().contains(&column) {
                let message = format!("The rows have no column '{}' of type {}", column.name, column.ty);
                return Err(self.error("SEM0100", message, wanted.span));
            }
        }
        Ok(input)
    }

    pub(in crate::bind) fn consume(&mut self, input: Relation) -> Bind<Relation> {
        let schema = input.schema().clone();
        let predicate = Expr::constant(Value::Bool(false));
        let plan = self.plan(Operator::Filter { input: input.plan, predicate }, schema);
        Ok(Relation::new(plan))
    }

    pub(in crate::bind) fn serialize(&mut self, input: Relation, node: &ast::Serialize) -> Bind<Relation> {
        let schema = input.schema().clone();
        let (sorted, name) = (input.sorted, input.name);
        let plan = self.plan(Operator::Serialize { input: input.plan }, schema);
        let relation = Relation::flagged(plan, true, sorted).named(name);
        if node.expressions.is_empty() {
            return Ok(relation);
        }
        // Unlike with `extend`, a name that is taken does not replace its column.
        let mut projection = Projection::of_input(relation.schema());
        self.with_row(&relation, |binder| {
            for expression in &node.expressions {
                match &expression.kind {
                    Ast::Named { name, value } => match binder.scalar(value) {
                        Ok(value) => {
                            projection.add(&name.text, value, None, false);
                        }
                        Err(_) => binder.failed = true,
                    },
                    _ => binder.project_column(&mut projection, expression, true),
                }
            }
        });
        let (expressions, schema) = (projection.expressions(), projection.schema());
        Ok(self.projected(relation, expressions, schema))
    }

    pub(in crate::bind) fn invoke(&mut self, input: Piped, call: &ast::Expr) -> Bind<Piped> {
        let Ast::Call(call) = &call.kind else {
            return Err(self.error("SEM0128", "A function call is expected after 'invoke'", call.span));
        };
        let span = call.name.span;
        let database = match &call.object {
            Some(object) => match self.meaning(object)? {
                Meaning::Database(database) => Some(database),
                _ => return Err(self.error("SEM0208", "A database is expected here", object.span)),
            },
            None => None,
        };
        let local = match (&database, self.names.find(&call.name.text)) {
            (None, Some(Entity::Function(function))) => Some(function.clone()),
            (None, Some(Entity::Broken)) => return Err(self.give_up()),
            _ => None,
        };
        let function = match local {
            Some(function) => Some(function),
            None => {
                let database = database.unwrap_or_else(|| self.database.clone());
                self.stored_function(&database, &call.name.text, span)?
            }
        };
        let Some(function) = function else {
            let functions: Vec<String> = self
                .names
                .all()
                .filter(|(_, entity)| matches!(entity, Entity::Function(_)))
                .map(|(name, _)| name.to_string())
                .chain(self.catalog.functions(&self.database))
                .collect();
            let message = format!("Unknown function: '{}'", call.name.text);
            let candidates = functions.iter().map(String::as_str);
            return Err(self.unknown("SEM0260", message, span, &call.name.text, candidates));
        };
        match self.call_function_with(&function, Some(input), &call.arguments, span)? {
            Meaning::Table(relation) => Ok(Piped::Rows(*relation)),
            Meaning::Graph(graph) => Ok(Piped::Graph(*graph)),
            _ => {
                let message = format!("The function '{}' does not yield a table", function.name);
                Err(self.error("SEM0111", message, span))
            }
        }
    }

    /// A leg of `fork` is made of operators that keep to the rows given.
    fn fork_operators(&mut self, body: &ast::Expr) -> Bind<()> {
        use ast::OperatorKind as O;
        let Ast::Pipeline(pipeline) = &body.kind else { return Ok(()) };
        let refused = pipeline.operators.iter().find(|operator| {
            matches!(
                operator.kind,
                O::Print(_)
                    | O::Range(_)
                    | O::Union(_)
                    | O::Join(_)
                    | O::Lookup(_)
                    | O::Find(_)
                    | O::Search(_)
                    | O::MvApply(_)
                    | O::MakeSeries(_)
                    | O::Serialize(_)
                    | O::Scan(_)
                    | O::Partition(_)
                    | O::GetSchema(_)
                    | O::Consume(_)
            )
        });
        let Some(operator) = refused else { return Ok(()) };
        let message = format!("The operator '{}' is not allowed in a leg of 'fork'", keyword(&operator.kind));
        Err(self.error("SEM0177", message, operator.keyword_span))
    }

    /// An operator that yields several results has no place where one table is taken.
    pub(super) fn yields_results(&mut self, span: Span) -> Bind<()> {
        if self.subqueries == 0 && self.pipelines == self.results_at {
            return Ok(());
        }
        let message = format!(
            "The operator '{}' yields several tables: only a statement as a whole may",
            self.operator
        );
        Err(self.error("SEM0174", message, span))
    }

    /// Each leg is a result of the query.
    pub(in crate::bind) fn fork(&mut self, input: Relation, node: &ast::Fork, span: Span) -> Bind<Relation> {
        self.yields_results(span)?;
        let input = self.share(input);
        let mut last = None;
        for (position, branch) in node.branches.iter().enumerate() {
            self.fork_operators(&branch.body)?;
            let outer = self.visualization.take();
            let relation = self.subquery(&branch.body, input.clone())?;
            let name = match branch.name.as_ref().or_else(|| given_name(&branch.body)) {
                Some(name) => name.text.clone(),
                None if position == 0 => "PrimaryResult".to_string(),
                None => format!("GenericResult{position}"),
            };
            let visualization = std::mem::replace(&mut self.visualization, outer);
            self.forked.push(ResultPlan { name, plan: relation.plan.clone(), visualization });
            last = Some(relation);
        }
        Ok(last.unwrap_or(input))
    }

    /// A table of values and counts for each column, then the rows as `with` shapes them.
    pub(in crate::bind) fn facet(
        &mut self,
        input: Relation,
        node: &ast::Facet,
        span: Span,
    ) -> Bind<Relation> {
        self.yields_results(span)?;
        let input = self.share(input);
        let mut last = None;
        for column in &node.columns {
            let mut projection = Projection::default();
            let keys = self.group_keys(&input, std::slice::from_ref(column), &mut projection);
            let mut schema = projection.schema();
            let name = schema.first().map_or_else(String::new, |column| column.name.clone());
            schema.push(Column::new(format!("count_{name}"), Type::Long));
            let operator =
                Operator::Summarize { input: input.plan.clone(), keys, aggregates: vec![count_rows()] };
            let plan = self.plan(operator, schema);
            self.forked.push(ResultPlan { name, plan: plan.clone(), visualization: None });
            last = Some(Relation::new(plan));
        }
        if let Some(body) = &node.with {
            let relation = self.subquery(body, input.clone())?;
            self.forked.push(ResultPlan {
                name: "PrimaryResult".to_string(),
                plan: relation.plan.clone(),
                visualization: None,
            });
            last = Some(relation);
        }
        Ok(last.unwrap_or(input))
    }

    pub(in crate::bind) fn sample(&mut self, input: Relation, node: &ast::Sample) -> Bind<Relation> {
        let count = self.row_count(&node.count)?;
        let schema = input.schema().clone();
        let plan = self.plan(Operator::Sample { input: input.plan, count }, schema);
        Ok(Relation::new(plan))
    }

    pub(in crate::bind) fn sample_distinct(
        &mut self,
        input: Relation,
        node: &ast::SampleDistinct,
    ) -> Bind<Relation> {
        let count = self.row_count(&node.count)?;
        let of = self.with_row(&input, |binder| binder.scalar(&node.of))?;
        self.expect_column(&of, &node.of)?;
        if of.ty == Type::Dynamic {
            let message = "A value of type dynamic is not allowed here: convert it, as in tostring(…)";
            return Err(self.error("SEM0116", message, node.of.span));
        }
        let name = result_name(&node.of).unwrap_or_else(|| "Column1".to_string());
        let schema = vec![Column::new(name, of.ty)];
        let plan = self.plan(Operator::SampleDistinct { input: input.plan, count, of }, schema);
        Ok(Relation::new(plan))
    }

    /// Some operators take nothing but a column as it stands.
    pub(in crate::bind) fn expect_column(&mut self, bound: &Expr, written: &ast::Expr) -> Bind<()> {
        let named = matches!(written.kind, Ast::Named { .. });
        if matches!(bound.kind, ExprKind::Column(_)) && !named {
            return Ok(());
        }
        let message = "The name of a column is expected here: compute the value before, with 'extend'";
        Err(self.error("SEM0109", message, written.span))
    }
}

/// The name that a pipeline gives its rows at its end (`… | as name`).
fn given_name(body: &ast::Expr) -> Option<&ast::Name> {
    let Ast::Pipeline(pipeline) = &body.kind else { return None };
    match &pipeline.operators.last()?.kind {
        ast::OperatorKind::As(node) => Some(&node.name),
        _ => None,
    }
}
