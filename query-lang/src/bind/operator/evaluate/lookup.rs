//! `geo_line_lookup`, `geo_polygon_lookup`, `ipv4_lookup`, `ipv6_lookup`: a join with the rows of a table whose
//! shape or network holds what a row has.
//!
//! The kernel gets two inputs. Of the rows: the longitude and the latitude as reals, or the address; of the table:
//! the shape or the network; then of both the further keys as texts, then the columns to yield. Options: how many
//! further keys, whether rows without a match stay, the radius (or null), and for the order of the columns whether
//! the table's come first.

use crate::ast;
use crate::plan::Expr;
use crate::plugin::Plugin;
use crate::span::Span;
use crate::types::{Column, Schema, Type};
use crate::value::Value;

use crate::bind::comparison::cast;
use crate::bind::naming::UniqueNames;
use crate::bind::scope::Relation;
use crate::bind::{Bind, Binder};

use super::PluginArguments;

/// What is looked up, with what.
struct Lookup {
    rows: Relation,
    table: Relation,
    row_keys: Vec<Expr>,
    table_keys: Vec<Expr>,
    /// Columns of the table that are yielded.
    yielded: Vec<usize>,
    extra_keys: usize,
    keep_unmatched: bool,
    radius: Value,
    table_first: bool,
}

fn is_true(value: Option<&Value>) -> bool {
    matches!(value, Some(Value::Bool(true)))
}

impl Binder<'_> {
    pub(super) fn geo_lookup(
        &mut self,
        plugin: Plugin,
        input: Relation,
        call: &ast::Call,
        span: Span,
    ) -> Bind<Relation> {
        let arguments = PluginArguments::read(self, plugin, &input, call, span)?;
        let key = if plugin == Plugin::GeoLineLookup { "LookupLineKey" } else { "LookupPolygonKey" };
        let (Some(table), Some((key, _)), Some(longitude), Some(latitude)) = (
            arguments.table("LookupTable").cloned(),
            arguments.key(key),
            arguments.column("SourceLongitude"),
            arguments.column("SourceLatitude"),
        ) else {
            return Err(self.give_up());
        };
        let keeps_key = is_true(arguments.constant("return_lookup_key"));
        let degrees = |(position, ty): (usize, Type)| cast(Expr::column(position, ty), Type::Real);
        Ok(self.looked_up(
            plugin,
            Lookup {
                row_keys: vec![degrees(longitude), degrees(latitude)],
                table_keys: vec![Expr::column(key, Type::Dynamic)],
                yielded: (0..table.schema().len()).filter(|column| keeps_key || *column != key).collect(),
                extra_keys: 0,
                keep_unmatched: is_true(arguments.constant("return_unmatched")),
                radius: arguments.constant("radius").cloned().unwrap_or(Value::Null(Type::Real)),
                table_first: false,
                rows: input,
                table,
            },
        ))
    }

    pub(super) fn ip_lookup(
        &mut self,
        plugin: Plugin,
        input: Relation,
        call: &ast::Call,
        span: Span,
    ) -> Bind<Relation> {
        let arguments = PluginArguments::read(self, plugin, &input, call, span)?;
        let (source, key) = match plugin {
            Plugin::Ipv4Lookup => ("SourceIPv4Key", "IPv4LookupKey"),
            _ => ("SourceIPv6Key", "IPv6LookupKey"),
        };
        let (Some(table), Some((source, _)), Some((key, _))) =
            (arguments.table("LookupTable").cloned(), arguments.column(source), arguments.key(key))
        else {
            return Err(self.give_up());
        };
        let mut row_keys = vec![Expr::column(source, Type::String)];
        let mut table_keys = vec![Expr::column(key, Type::String)];
        let mut dropped = Vec::new();
        let text = |position: usize, ty: Type| cast(Expr::column(position, ty), Type::String);
        for (position, ty) in arguments.columns("ExtraKey") {
            let name = &input.schema()[position].name;
            let Some(other) = table.schema().iter().position(|column| column.name == *name) else {
                let message = format!("The lookup table has no column '{name}'");
                return Err(self.error("SEM0100", message, arguments.span("ExtraKey")));
            };
            row_keys.push(text(position, ty));
            table_keys.push(text(other, table.schema()[other].ty));
            dropped.push(other);
        }
        Ok(self.looked_up(
            plugin,
            Lookup {
                extra_keys: row_keys.len() - 1,
                row_keys,
                table_keys,
                yielded: (0..table.schema().len()).filter(|column| !dropped.contains(column)).collect(),
                keep_unmatched: is_true(arguments.constant("return_unmatched")),
                radius: Value::Null(Type::Real),
                // The engine yields the table's columns of this one first.
                table_first: plugin == Plugin::Ipv6Lookup,
                rows: input,
                table,
            },
        ))
    }

    fn looked_up(&mut self, plugin: Plugin, lookup: Lookup) -> Relation {
        let mut unique = UniqueNames::default();
        let of_rows: Schema = lookup.rows.schema().clone();
        let of_table: Schema =
            lookup.yielded.iter().map(|column| lookup.table.schema()[*column].clone()).collect();
        let (first, second) = if lookup.table_first { (&of_table, &of_rows) } else { (&of_rows, &of_table) };
        let schema: Schema = first
            .iter()
            .chain(second)
            .map(|column| Column::new(unique.take(&column.name), column.ty))
            .collect();
        let bring = |binder: &mut Self, relation: Relation, keys: Vec<Expr>, columns: Vec<usize>| {
            let mut schema: Schema = Vec::new();
            let mut expressions = Vec::new();
            for (place, key) in keys.into_iter().enumerate() {
                schema.push(Column::new(format!("key{place}"), key.ty));
                expressions.push(key);
            }
            for column in columns {
                let column_of = &relation.schema()[column];
                schema.push(Column::new(format!("column{column}"), column_of.ty));
                expressions.push(Expr::column(column, column_of.ty));
            }
            binder.projected(relation, expressions, schema)
        };
        let all = (0..of_rows.len()).collect();
        let rows = bring(self, lookup.rows, lookup.row_keys, all);
        let table = bring(self, lookup.table, lookup.table_keys, lookup.yielded);
        let options = vec![
            Value::Long(lookup.extra_keys as i64),
            Value::Bool(lookup.keep_unmatched),
            lookup.radius,
            Value::Bool(lookup.table_first),
        ];
        self.plugin_relation(plugin, vec![rows, table], options, schema)
    }
}
