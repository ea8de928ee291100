//! `mv-expand` and `mv-apply`.

use crate::ast::{self, ExprKind as Ast};
use crate::plan::{BagExpansion, Expansion, Expr, ExprKind, Operator};
use crate::types::{Column, Schema, Type};
use crate::value::Value;

use super::{parameter, parameter_text};
use crate::bind::naming::{UniqueNames, result_name};
use crate::bind::scope::Relation;
use crate::bind::{Bind, Binder};

/// The expansions and the rows they yield.
struct Expanded {
    expansions: Vec<Expansion>,
    schema: Schema,
    with_item_index: bool,
    row_limit: Option<u64>,
}

impl Binder<'_> {
    fn expansions(
        &mut self,
        input: &Relation,
        parameters: &[ast::OperatorParameter],
        columns: &[ast::ExpandColumn],
        limit: Option<&ast::Expr>,
    ) -> Bind<Expanded> {
        let mut schema = input.schema().clone();
        let width = schema.len();
        let mut expansions: Vec<Expansion> = Vec::with_capacity(columns.len());
        let mut failed = false;
        for column in columns {
            failed |= self.expansion(input, column, &mut schema, width, &mut expansions).is_err();
        }
        if failed {
            return Err(self.give_up());
        }
        let index = parameter(parameters, "with_itemindex").and_then(parameter_text);
        let with_item_index = index.is_some();
        if let Some(index) = index {
            let mut unique = UniqueNames::default();
            for column in &schema {
                unique.reserve(&column.name);
            }
            schema.push(Column::new(unique.take(&index), Type::Long));
        }
        let row_limit = match limit {
            Some(limit) => match self.row_count(limit).map(|limit| self.constant(&limit))? {
                Some(Value::Long(limit)) => Some(u64::try_from(limit).unwrap_or(0)),
                _ => return Err(self.error("SEM0129", "The limit must be a constant", limit.span)),
            },
            None => None,
        };
        Ok(Expanded { expansions, schema, with_item_index, row_limit })
    }

    fn expansion(
        &mut self,
        input: &Relation,
        column: &ast::ExpandColumn,
        schema: &mut Schema,
        width: usize,
        expansions: &mut Vec<Expansion>,
    ) -> Bind<()> {
        let (name, value) = match &column.expression.kind {
            Ast::Named { name, value } => (Some(name.text.clone()), value.as_ref()),
            _ => (None, &column.expression),
        };
        let source = self.with_row(input, |binder| binder.scalar(value))?;
        if source.ty != Type::Dynamic {
            let message = format!("A value of type dynamic is expected here, found {}", source.ty);
            return Err(self.error("SEM0107", message, value.span));
        }
        let ty = match &column.to_type {
            Some(type_name) => self.type_named(type_name)?,
            None => Type::Dynamic,
        };
        let name = match (name, &source.kind) {
            (Some(name), _) => name,
            (None, ExprKind::Column(position)) => schema[*position].name.clone(),
            (None, _) => result_name(value).filter(|name| !name.is_empty()).unwrap_or_else(|| {
                let mut number = 1;
                while schema.iter().any(|column| column.name == format!("Column{number}")) {
                    number += 1;
                }
                format!("Column{number}")
            }),
        };
        let replaces = schema.iter().position(|column| column.name == name);
        match replaces {
            Some(position)
                if position < width && expansions.iter().all(|other| other.replaces != Some(position)) =>
            {
                schema[position].ty = ty;
                expansions.push(Expansion { source, ty, replaces: Some(position) });
            }
            Some(_) => {
                self.duplicate_column(&name, column.span);
                return Err(self.give_up());
            }
            None => {
                schema.push(Column::new(name, ty));
                expansions.push(Expansion { source, ty, replaces: None });
            }
        }
        Ok(())
    }

    pub(in crate::bind) fn mv_expand(&mut self, input: Relation, node: &ast::MvExpand) -> Bind<Relation> {
        let expanded = self.expansions(&input, &node.parameters, &node.columns, node.limit.as_deref())?;
        let kind = parameter(&node.parameters, "bagexpansion")
            .or_else(|| parameter(&node.parameters, "kind"))
            .and_then(parameter_text);
        let bag_expansion = match kind.as_deref() {
            Some("array") => BagExpansion::Array,
            _ => BagExpansion::Bag,
        };
        let (serialized, sorted, name) = (input.serialized, input.sorted, input.name);
        let operator = Operator::MvExpand {
            input: input.plan,
            expansions: expanded.expansions,
            bag_expansion,
            with_item_index: expanded.with_item_index,
            row_limit: expanded.row_limit,
        };
        let plan = self.plan(operator, expanded.schema);
        Ok(Relation::flagged(plan, serialized, sorted).named(name))
    }

    pub(in crate::bind) fn mv_apply(&mut self, input: Relation, node: &ast::MvApply) -> Bind<Relation> {
        let expanded = self.expansions(&input, &node.parameters, &node.columns, node.limit.as_deref())?;
        let argument = self.plan(Operator::Argument, expanded.schema.clone());
        // Within an array the items have an order.
        let subquery = self.subquery(&node.body, Relation::flagged(argument, true, false))?;

        // Columns of the input stand first, unless they are expanded or the subquery yields one of their name.
        let replaced: Vec<usize> =
            expanded.expansions.iter().filter_map(|expansion| expansion.replaces).collect();
        let result = subquery.schema().clone();
        let place = |name: &str| result.iter().position(|column| column.name == name);
        let input_schema = input.schema().clone();
        let kept: Vec<usize> = (0..input_schema.len())
            .filter(|position| !replaced.contains(position) && place(&input_schema[*position].name).is_none())
            .collect();
        let mut raw: Schema = kept.iter().map(|position| input_schema[*position].clone()).collect();
        raw.extend(result.iter().cloned());
        let mut order: Vec<usize> = Vec::with_capacity(raw.len());
        for (position, column) in input_schema.iter().enumerate() {
            if replaced.contains(&position) {
                continue;
            }
            match kept.iter().position(|kept| *kept == position) {
                Some(found) => order.push(found),
                None => order.extend(place(&column.name).map(|found| kept.len() + found)),
            }
        }
        let rest: Vec<usize> = (0..raw.len()).filter(|position| !order.contains(position)).collect();
        order.extend(rest);

        let operator = Operator::MvApply {
            input: input.plan,
            expansions: expanded.expansions,
            with_item_index: expanded.with_item_index,
            row_limit: expanded.row_limit,
            kept,
            subquery: subquery.plan,
        };
        let plan = self.plan(operator, raw.clone());
        let relation = Relation::new(plan);
        if order.iter().enumerate().all(|(position, from)| position == *from) {
            return Ok(relation);
        }
        let schema: Schema = order.iter().map(|position| raw[*position].clone()).collect();
        let expressions = order.iter().map(|position| Expr::column(*position, raw[*position].ty)).collect();
        Ok(self.projected(relation, expressions, schema))
    }
}
