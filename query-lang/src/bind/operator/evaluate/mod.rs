//! `evaluate`: finds the plugin in the table and hands over to the file that binds it.
//!
//! Most plugins read their arguments with [`PluginArguments`], bring the input to just the columns they need and
//! yield an `Operator::Plugin`, or lower themselves to plain operators.

mod activity;
mod arguments;
mod bag_unpack;
mod dcount_intersect;
mod lookup;
mod narrow;
mod patterns;
mod pivot;
mod rolling_percentile;
mod schema_merge;
mod shape;

use crate::ast::{self, ExprKind as Ast};
use crate::plan::Operator;
use crate::plugin::{Availability, Plugin};
use crate::span::Span;
use crate::types::{Column, Schema, Type};
use crate::value::Value;

use crate::bind::scope::Relation;
use crate::bind::{Bind, Binder, Reported};

pub(super) use arguments::PluginArguments;

impl Binder<'_> {
    pub(in crate::bind) fn evaluate(
        &mut self,
        input: Relation,
        node: &ast::Evaluate,
        _keyword: Span,
    ) -> Bind<Relation> {
        let Ast::Call(call) = &node.call.kind else { return Err(self.give_up()) };
        let name = &call.name;
        let Some(plugin) = Plugin::by_name(&name.text) else {
            let message = format!("Unknown plugin: '{}'", name.text);
            let known = Plugin::ALL.iter().map(|plugin| plugin.spec().name);
            return Err(self.unknown("SEM0010", message, name.span, &name.text, known));
        };
        if let Availability::Disabled(what) = plugin.spec().availability {
            return Err(self.disabled_plugin(name, what));
        }
        let schema = node.schema.as_ref();
        let span = node.call.span;
        match plugin {
            Plugin::Autocluster | Plugin::Basket | Plugin::Diffpatterns => {
                self.patterns(plugin, input, call, span)
            }
            Plugin::ActiveUsersCount
            | Plugin::ActivityCountsMetrics
            | Plugin::ActivityEngagement
            | Plugin::ActivityMetrics
            | Plugin::FunnelSequence
            | Plugin::FunnelSequenceCompletion
            | Plugin::NewActivityMetrics
            | Plugin::SessionCount
            | Plugin::SlidingWindowCounts => self.activity(plugin, input, call, span),
            Plugin::BagUnpack => self.bag_unpack(input, call, schema, span),
            Plugin::DcountIntersect => self.dcount_intersect(input, call, span),
            Plugin::DiffpatternsText => self.diffpatterns_text(input, call, span),
            Plugin::EstimateRowsCount => self.estimate_rows_count(input, call, span),
            Plugin::GeoLineLookup | Plugin::GeoPolygonLookup => self.geo_lookup(plugin, input, call, span),
            Plugin::Identity | Plugin::IdentityV3 => self.identity(plugin, input, call, span),
            Plugin::Ipv4Lookup | Plugin::Ipv6Lookup => self.ip_lookup(plugin, input, call, span),
            Plugin::InferStorageSchema => {
                let message =
                    format!("The plugin '{}' takes no rows: begin the query with 'evaluate'", name.text);
                Err(self.error("SEM0175", message, name.span))
            }
            Plugin::Narrow => self.narrow(input, call, span),
            Plugin::Pivot => self.pivot(input, call, schema, span),
            Plugin::Preview => self.preview(input, call, span),
            Plugin::RollingPercentile => self.rolling_percentile(input, call, span),
            Plugin::RowsNear => self.rows_near(input, call, span),
            Plugin::SchemaMerge => self.schema_merge(input, call, span),
            Plugin::SequenceDetect => self.sequence_detect(input, call, span),
            _ => Err(self.give_up()),
        }
    }

    fn disabled_plugin(&mut self, name: &ast::Name, what: &str) -> Reported {
        let message = format!("The plugin '{}' is disabled on this server: {what}", name.text);
        self.error("SEM0010", message, name.span)
    }

    /// `evaluate` at the start of a query.
    pub(super) fn evaluate_alone(&mut self, node: &ast::Evaluate) -> Bind<Relation> {
        let Ast::Call(call) = &node.call.kind else { return Err(self.give_up()) };
        let name = &call.name;
        let plugin = Plugin::by_name(&name.text);
        match plugin.map(|plugin| plugin.spec().availability) {
            Some(Availability::Disabled(what)) => Err(self.disabled_plugin(name, what)),
            Some(Availability::Runs) if plugin == Some(Plugin::InferStorageSchema) => {
                self.infer_storage_schema(call, node.call.span)
            }
            Some(Availability::Runs) => {
                let message = format!("The plugin '{}' needs rows: put 'evaluate' behind a table", name.text);
                Err(self.error("SEM0175", message, name.span))
            }
            None => {
                let message = format!("Unknown plugin: '{}'", name.text);
                let known = Plugin::ALL.iter().map(|plugin| plugin.spec().name);
                Err(self.unknown("SEM0010", message, name.span, &name.text, known))
            }
        }
    }

    /// The kernel gets the bag of options as it is.
    fn infer_storage_schema(&mut self, call: &ast::Call, span: Span) -> Bind<Relation> {
        let nothing = Relation::new(self.plan(Operator::Values { rows: Vec::new() }, Vec::new()));
        let arguments = PluginArguments::read(self, Plugin::InferStorageSchema, &nothing, call, span)?;
        let options = arguments.constant("Options").cloned().into_iter().collect();
        let schema = vec![Column::new("CslSchema", Type::String)];
        Ok(self.plugin_relation(Plugin::InferStorageSchema, Vec::new(), options, schema))
    }

    /// A relation that a plugin computes from all rows of its inputs.
    fn plugin_relation(
        &mut self,
        plugin: Plugin,
        inputs: Vec<Relation>,
        options: Vec<Value>,
        schema: Schema,
    ) -> Relation {
        let inputs = inputs.into_iter().map(|input| input.plan).collect();
        Relation::new(self.plan(Operator::Plugin { plugin, inputs, options }, schema))
    }

    /// The first value of a part of the query that says which columns a plugin yields. Gives up where nothing may
    /// run: the text is only checked, or an error stands in the way.
    pub(super) fn first_value_of(&mut self, plan: &crate::plan::Plan, span: Span) -> Bind<Value> {
        if self.failed || self.diagnostics.iter().any(crate::diagnostic::Diagnostic::is_error) {
            return Err(self.give_up());
        }
        if self.argument.is_some() {
            let message = "The columns follow from the rows, which a subquery does not know yet: declare them \
                           (evaluate plugin(…) : (name: type, …))";
            return Err(self.error("SEM0123", message, span));
        }
        let mut plan = plan.clone();
        crate::bind::origin::settle(&mut plan);
        match self.catalog.first_value(&plan) {
            Ok(Some(value)) => Ok(value),
            Ok(None) => Err(self.give_up()),
            Err(message) => Err(self.error("SEM0123", message, span)),
        }
    }
}
