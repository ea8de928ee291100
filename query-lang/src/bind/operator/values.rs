//! Sources that hold their rows themselves: `print`, `range`, `datatable`; and `getschema`.

use crate::ast::{self, ExprKind as Ast};
use crate::plan::{Expr, Operator};
use crate::span::Span;
use crate::types::{Column, Schema, Type};
use crate::value::Value;

use super::project::tuple_columns;
use super::{parameter, parameter_text};
use crate::bind::comparison::cast;
use crate::bind::projection::Projection;
use crate::bind::scope::Relation;
use crate::bind::{Bind, Binder, null_of};

impl Binder<'_> {
    pub(in crate::bind) fn print(&mut self, expressions: &[ast::Expr]) -> Bind<Relation> {
        let mut projection = Projection::default();
        for (position, expression) in expressions.iter().enumerate() {
            let (name, value) = match &expression.kind {
                Ast::Named { name, value } => (Some(name), value.as_ref()),
                Ast::NamedTuple { names, value } => (names.first(), value.as_ref()),
                _ => (None, expression),
            };
            let mut bound = match self.scalar(value) {
                Ok(bound) => bound,
                Err(_) => {
                    self.failed = true;
                    if let Some(name) = name {
                        self.broken_columns.insert(name.text.clone());
                    }
                    Self::null_expression(Type::Dynamic)
                }
            };
            if let Some(columns) = tuple_columns(&bound, value) {
                match (&expression.kind, name) {
                    (Ast::NamedTuple { names, .. }, _) => {
                        for (name, (_, column)) in names.iter().zip(columns) {
                            if projection.declare(&name.text, column, None, false).is_err() {
                                self.duplicate_column(&name.text, name.span);
                            }
                        }
                        continue;
                    }
                    (_, None) => {
                        for (name, column) in columns {
                            projection.add(&name, column, None, false);
                        }
                        continue;
                    }
                    (_, Some(_)) => {
                        if let Some((_, first)) = columns.into_iter().next() {
                            bound = first;
                        }
                    }
                }
            }
            match name {
                Some(name) => {
                    if projection.declare(&name.text, bound, None, false).is_err() {
                        self.duplicate_column(&name.text, name.span);
                    }
                }
                None => {
                    projection.add(&format!("print_{position}"), bound, None, false);
                }
            }
        }
        let (expressions, schema) = (projection.expressions(), projection.schema());
        let values = self.plan(Operator::Values { rows: vec![Vec::new()] }, Vec::new());
        let plan = self.plan(Operator::Project { input: values, expressions }, schema);
        Ok(Relation::flagged(plan, true, false))
    }

    pub(in crate::bind) fn range(&mut self, range: &ast::Range) -> Bind<Relation> {
        let from = self.scalar(&range.from);
        let to = self.scalar(&range.to);
        let step = self.scalar(&range.step);
        let (from, to, step) = (from?, to?, step?);
        let (from, to, step) = (self.folded(from), self.folded(to), self.folded(step));
        let numbers = from.ty.is_number() && to.ty.is_number() && step.ty.is_number();
        let (ty, step_type) = match (from.ty, to.ty, step.ty) {
            _ if numbers => {
                let ty = from.ty.max(to.ty).max(step.ty);
                (ty, ty)
            }
            (Type::DateTime, Type::DateTime, Type::TimeSpan) => (Type::DateTime, Type::TimeSpan),
            (Type::TimeSpan, Type::TimeSpan, Type::TimeSpan) => (Type::TimeSpan, Type::TimeSpan),
            (from_type, to_type, step_type) => {
                let message =
                    format!("range cannot count from {from_type} to {to_type} in steps of {step_type}");
                return Err(self.error("SEM0178", message, range.step.span));
            }
        };
        let (from, to, step) = (cast(from, ty), cast(to, ty), cast(step, step_type));
        let (from, to, step) = (self.folded(from), self.folded(to), self.folded(step));
        let schema = vec![Column::new(range.name.text.clone(), ty)];
        let plan = self.plan(Operator::Range { from, to, step }, schema);
        Ok(Relation::flagged(plan, true, true))
    }

    /// The schema of a declared row.
    pub(in crate::bind) fn row_schema(&mut self, declared: &ast::RowSchema) -> Bind<Schema> {
        let mut schema: Schema = Vec::with_capacity(declared.columns.len());
        for column in &declared.columns {
            let ty = self.type_named(&column.type_name)?;
            if schema.iter().any(|found| found.name == column.name.text) {
                self.duplicate_column(&column.name.text, column.name.span);
                continue;
            }
            schema.push(Column::new(column.name.text.clone(), ty));
        }
        Ok(schema)
    }

    pub(in crate::bind) fn data_table(&mut self, table: &ast::DataTable, span: Span) -> Bind<Relation> {
        let schema = self.row_schema(&table.schema)?;
        let width = schema.len();
        if width == 0 {
            return Err(self.error("SEM0170", "datatable needs at least one column", span));
        }
        if !table.values.len().is_multiple_of(width) {
            let message = format!(
                "Incorrect number of data values: {} values do not fill rows of {width} columns",
                table.values.len()
            );
            self.error("SEM0173", message, span);
        }
        let mut rows = Vec::with_capacity(table.values.len() / width);
        for row in table.values.chunks(width) {
            let mut values = Vec::with_capacity(width);
            for (value, column) in row.iter().zip(&schema) {
                match self.with_row_scope(None, |binder| binder.data_value(value, column.ty)) {
                    Ok(value) => values.push(value),
                    Err(_) => {
                        self.failed = true;
                        values.push(null_of(column.ty));
                    }
                }
            }
            rows.push(values);
        }
        let plan = self.plan(Operator::Values { rows }, schema);
        Ok(Relation::new(plan))
    }

    /// A value of a datatable in the type of its column; what does not fit is null.
    fn data_value(&mut self, value: &ast::Expr, ty: Type) -> Bind<Value> {
        let bound = self.scalar(value)?;
        if self.constant(&bound).is_none() {
            return Err(self.error("SEM0129", "The values of a datatable must be constants", value.span));
        }
        let converted = cast(bound, ty);
        Ok(self.constant(&converted).unwrap_or_else(|| null_of(ty)))
    }

    pub(in crate::bind) fn get_schema(&mut self, input: &Relation, node: &ast::GetSchema) -> Bind<Relation> {
        if parameter(&node.parameters, "kind").and_then(parameter_text).as_deref() == Some("csl") {
            let columns: Vec<String> =
                input.schema().iter().map(|column| format!("{}:{}", column.name, column.ty)).collect();
            let rows = vec![vec![Value::String(columns.join(","))]];
            let plan = self.plan(Operator::Values { rows }, vec![Column::new("Schema", Type::String)]);
            return Ok(Relation::new(plan));
        }
        let rows = input
            .schema()
            .iter()
            .enumerate()
            .map(|(position, column)| {
                vec![
                    Value::String(column.name.clone()),
                    Value::Long(i64::try_from(position).unwrap_or(i64::MAX)),
                    Value::String(column.ty.system_name().to_string()),
                    Value::String(column.ty.name().to_string()),
                ]
            })
            .collect();
        let schema = vec![
            Column::new("ColumnName", Type::String),
            Column::new("ColumnOrdinal", Type::Long),
            Column::new("DataType", Type::String),
            Column::new("ColumnType", Type::String),
        ];
        let plan = self.plan(Operator::Values { rows }, schema);
        Ok(Relation::flagged(plan, true, false))
    }

    /// The columns of a relation as expressions.
    pub(in crate::bind) fn all_columns(schema: &Schema) -> Vec<Expr> {
        schema.iter().enumerate().map(|(position, column)| Expr::column(position, column.ty)).collect()
    }
}
