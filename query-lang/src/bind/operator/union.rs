//! `union`: the rows of several tables, their columns matched by name and type.

use crate::ast::{self, ExprKind as Ast};
use crate::plan::{Expr, Operator, UnionKind};
use crate::span::Span;
use crate::types::{Column, Schema, Type};
use crate::value::Value;

use super::{parameter, parameter_text};
use crate::bind::naming::UniqueNames;
use crate::bind::scope::Relation;
use crate::bind::{Bind, Binder, null_of};

impl Binder<'_> {
    pub(in crate::bind) fn union(
        &mut self,
        input: Option<Relation>,
        node: &ast::Union,
        span: Span,
    ) -> Bind<Relation> {
        let kind = parameter(&node.parameters, "kind").and_then(parameter_text);
        let inner = match kind.as_deref() {
            None | Some("outer") => false,
            Some("inner") => true,
            Some(other) => {
                return Err(self.error(
                    "SEM0140",
                    format!("Unknown kind of union '{other}': inner or outer is expected"),
                    span,
                ));
            }
        };
        let fuzzy =
            parameter(&node.parameters, "isfuzzy").and_then(parameter_text).as_deref() == Some("true");
        let source = parameter(&node.parameters, "withsource")
            .or_else(|| parameter(&node.parameters, "with_source"))
            .and_then(parameter_text);
        let mut inputs: Vec<Relation> = input.into_iter().collect();
        let before = inputs.len();
        for table in &node.tables {
            self.union_input(table, fuzzy, &mut inputs);
        }
        if inputs.is_empty() {
            if self.failed
                || (before == 0 && self.diagnostics.iter().any(crate::diagnostic::Diagnostic::is_error))
            {
                return Err(self.give_up());
            }
            return Err(self.error("SEM0100", "'union' operator: no table was found", span));
        }
        Ok(self.united(inputs, inner, source, "union_arg"))
    }

    fn union_input(&mut self, table: &ast::Expr, fuzzy: bool, inputs: &mut Vec<Relation>) {
        let mut inner = table;
        while let Ast::Parenthesized(next) = &inner.kind {
            inner = next;
        }
        match &inner.kind {
            _ if self.wildcard_input(inner, fuzzy, inputs) => {}
            _ if fuzzy => {
                // What cannot be resolved is left out.
                let reported = self.diagnostics.len();
                let failed = self.failed;
                match self.table(inner) {
                    Ok(relation) => inputs.push(relation),
                    Err(_) => {
                        self.diagnostics.truncate(reported);
                        self.failed = failed;
                    }
                }
            }
            _ => match self.table(inner) {
                Ok(relation) => inputs.push(relation),
                Err(_) => self.failed = true,
            },
        }
    }

    /// The union of relations. Columns of one name and several types become one column for each type,
    /// called `name_type`.
    pub(in crate::bind) fn united(
        &mut self,
        inputs: Vec<Relation>,
        inner: bool,
        source: Option<String>,
        unnamed: &str,
    ) -> Relation {
        let (schema, origin) = united_schema(&inputs, inner);
        let mut full: Schema = Vec::new();
        if let Some(source) = &source {
            full.push(Column::new(source.clone(), Type::String));
        }
        for column in schema {
            let mut name = column.name;
            if full.iter().any(|taken| taken.name == name) {
                let mut unique = UniqueNames::default();
                for taken in &full {
                    unique.reserve(&taken.name);
                }
                name = unique.take(&name);
            }
            full.push(Column::new(name, column.ty));
        }
        let mut aligned = Vec::with_capacity(inputs.len());
        for (position, input) in inputs.into_iter().enumerate() {
            let mut expressions = Vec::with_capacity(full.len());
            if source.is_some() {
                let name = input.name.clone().unwrap_or_else(|| format!("{unnamed}{position}"));
                expressions.push(Expr::constant(Value::String(name)));
            }
            for (name, ty) in &origin {
                let found = input.schema().iter().position(|column| column.name == *name && column.ty == *ty);
                expressions.push(match found {
                    Some(column) => Expr::column(column, *ty),
                    None => Expr::constant(null_of(*ty)),
                });
            }
            let same = input.schema().len() == full.len()
                && expressions
                    .iter()
                    .enumerate()
                    .all(|(position, expression)| expression.kind == crate::plan::ExprKind::Column(position))
                && *input.schema() == full;
            aligned.push(if same {
                input.plan
            } else {
                self.projected(input, expressions, full.clone()).plan
            });
        }
        let kind = if inner { UnionKind::Inner } else { UnionKind::Outer };
        let plan = match aligned.len() {
            1 => aligned.swap_remove(0),
            _ => self.plan(Operator::Union { inputs: aligned, kind }, full),
        };
        Relation::new(plan)
    }
}

/// The columns of a union and, for each, the name and type it has in the inputs.
fn united_schema(inputs: &[Relation], inner: bool) -> (Schema, Vec<(String, Type)>) {
    let mut order: Vec<(&str, Vec<Type>)> = Vec::new();
    for input in inputs {
        for column in input.schema() {
            match order.iter_mut().find(|(name, _)| *name == column.name) {
                Some((_, types)) if types.contains(&column.ty) => {}
                Some((_, types)) => types.push(column.ty),
                None => order.push((&column.name, vec![column.ty])),
            }
        }
    }
    if inner {
        let everywhere = |name: &str, ty: Type| {
            inputs
                .iter()
                .all(|input| input.schema().iter().any(|column| column.name == name && column.ty == ty))
        };
        for (name, types) in &mut order {
            types.retain(|ty| everywhere(name, *ty));
        }
        order.retain(|(_, types)| !types.is_empty());
    }
    let mut schema = Vec::new();
    let mut origin = Vec::new();
    let mut unique = UniqueNames::default();
    // Names as they stand come before names made of a name and a type.
    for (name, _) in order.iter().filter(|(_, types)| types.len() == 1) {
        unique.reserve(name);
    }
    for (name, types) in order {
        for ty in &types {
            let shown = if types.len() > 1 { unique.take(&format!("{name}_{ty}")) } else { name.to_string() };
            schema.push(Column::new(shown, *ty));
            origin.push((name.to_string(), *ty));
        }
    }
    (schema, origin)
}
