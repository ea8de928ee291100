//! `scan`: steps that match rows in order and remember what they matched. Reference: scan-operator.
//!
//! Expressions of steps see the row that is looked at, then a record of the same columns per step: what that
//! step matched last. A record that is not there shows nulls and the defaults of declared columns.

use std::rc::Rc;

use crate::ast::{self, ParameterKind};
use crate::optimise::tree::has_window;
use crate::plan::{Expr, Operator, ScanOutput, ScanStep};
use crate::types::{Column, Schema, Type};
use crate::value::Value;

use super::{parameter, parameter_text};
use crate::bind::comparison::cast;
use crate::bind::literal;
use crate::bind::naming::UniqueNames;
use crate::bind::scope::Relation;
use crate::bind::{Bind, Binder, null_of};

impl Binder<'_> {
    pub(in crate::bind) fn scan(&mut self, input: Relation, node: &ast::Scan) -> Bind<Relation> {
        let mut input = input;
        if !node.order_by.is_empty() {
            let keys = node.order_by.iter().map(|key| self.sort_key(&input, key)).collect::<Bind<_>>()?;
            let schema = input.schema().clone();
            let plan = self.plan(Operator::Sort { input: input.plan, keys }, schema);
            input = Relation::flagged(plan, true, true);
        }
        let mut partition = Vec::with_capacity(node.partition_by.len());
        for key in &node.partition_by {
            partition.push(self.with_row(&input, |binder| binder.scalar(key))?);
        }

        let mut schema = input.schema().clone();
        let mut unique = UniqueNames::default();
        schema.iter().for_each(|column| unique.reserve(&column.name));
        let mut defaults = Vec::with_capacity(node.declare.len());
        for declared in &node.declare {
            let default = self.declared_default(declared)?;
            schema.push(Column::new(unique.take(&declared.name.text), default.ty()));
            defaults.push(default);
        }

        let steps = self.scan_steps(&input, &schema, &node.steps)?;
        let match_id = parameter(&node.parameters, "with_match_id").and_then(parameter_text);
        let with_match_id = match_id.is_some();
        if let Some(name) = match_id {
            schema.push(Column::new(unique.take(&name), Type::Long));
        }
        let operator = Operator::ScanSteps { input: input.plan, partition, defaults, steps, with_match_id };
        let plan = self.plan(operator, schema);
        Ok(Relation::flagged(plan, true, input.sorted))
    }

    /// The value of a declared column in rows whose step assigns none.
    fn declared_default(&mut self, declared: &ast::Parameter) -> Bind<Value> {
        let ParameterKind::Scalar(type_name) = &declared.kind else {
            return Err(self.error("SEM0160", "A scalar type is expected here", declared.span));
        };
        let ty = self.type_named(type_name)?;
        let Some(default) = &declared.default else { return Ok(null_of(ty)) };
        if matches!(&default.kind, ast::ExprKind::Name(name) if name.text == "null") {
            return Ok(null_of(ty));
        }
        let value = self.with_row_scope(None, |binder| binder.constant_of(default))?;
        match literal::converted(&value, ty) {
            Some(value) => Ok(value),
            None => {
                let cast = cast(Expr::constant(value), ty);
                Ok(self.constant(&cast).unwrap_or_else(|| null_of(ty)))
            }
        }
    }

    fn scan_steps(
        &mut self,
        input: &Relation,
        record: &Schema,
        nodes: &[ast::ScanStep],
    ) -> Bind<Vec<ScanStep>> {
        let names: Rc<[String]> = nodes.iter().map(|step| step.name.text.clone()).collect();
        let mut row = input.clone();
        row.plan.schema = record.clone();
        self.with_row(&row, |binder| {
            if let Some(row) = &mut binder.row {
                row.steps = Some(names);
            }
            let mut steps = Vec::with_capacity(nodes.len());
            for node in nodes {
                let condition = binder.step_expression(&node.condition)?;
                let mut assignments = Vec::with_capacity(node.assignments.len());
                for assignment in &node.assignments {
                    let ast::ExprKind::Named { name, value } = &assignment.kind else {
                        return Err(binder.give_up());
                    };
                    let Some(position) = record.iter().position(|column| column.name == name.text) else {
                        let message =
                            format!("'scan' operator: there is no column '{}' to assign to", name.text);
                        let columns = record.iter().map(|column| column.name.as_str());
                        return Err(binder.unknown("SEM0100", message, name.span, &name.text, columns));
                    };
                    let value = binder.step_expression(value)?;
                    assignments.push((position, cast(value, record[position].ty)));
                }
                let output = match node.output.as_ref().map(|output| output.text.as_str()) {
                    Some("last") => ScanOutput::Last,
                    Some("none") => ScanOutput::None,
                    _ => ScanOutput::All,
                };
                steps.push(ScanStep {
                    name: node.name.text.clone(),
                    optional: node.optional,
                    output,
                    condition: cast(condition, Type::Bool),
                    assignments,
                });
            }
            Ok(steps)
        })
    }

    fn step_expression(&mut self, expression: &ast::Expr) -> Bind<Expr> {
        let bound = self.scalar(expression)?;
        if has_window(&bound) {
            let message = "Functions over rows in order cannot be used within a step: its state does that";
            return Err(self.error("SEM0024", message, expression.span));
        }
        Ok(self.folded(bound))
    }

    /// `step['column']`, as `step.column`.
    pub(in crate::bind) fn step_element(
        &mut self,
        step: &ast::Name,
        index: &ast::Expr,
    ) -> Option<Bind<Expr>> {
        let ast::ExprKind::Literal(ast::LiteralValue::String(text)) = &index.kind else { return None };
        let style = ast::NameStyle::Bracketed;
        self.step_column(step, &ast::Name { text: text.value.clone(), style, span: index.span })
    }

    /// `step.column`: what a step matched last; `None` where the name is no step.
    pub(in crate::bind) fn step_column(&mut self, step: &ast::Name, name: &ast::Name) -> Option<Bind<Expr>> {
        let row = self.row.as_ref().filter(|row| !row.hidden)?;
        let number = row.steps.as_ref()?.iter().position(|known| *known == step.text)?;
        if row.position(&step.text).is_some() {
            return None;
        }
        let columns = row.columns.clone();
        Some(match columns.iter().position(|column| column.name == name.text) {
            Some(position) => Ok(Expr::column((number + 1) * columns.len() + position, columns[position].ty)),
            None => {
                let message = format!("'scan' operator: the rows have no column '{}'", name.text);
                let names = columns.iter().map(|column| column.name.as_str());
                Err(self.unknown("SEM0100", message, name.span, &name.text, names))
            }
        })
    }
}
