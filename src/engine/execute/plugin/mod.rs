//! The plugins of `evaluate` that are no composition of other operators: one a file.
//!
//! A kernel gets all rows of its inputs and yields all rows of its result. What the inputs' columns and the
//! options stand for is said where the plugin is bound (`query-lang`, `bind/operator/evaluate`).

mod activity;
mod cluster;
mod dcount_intersect;
mod difference;
mod infer_schema;
mod lookup;
mod narrow;
mod pattern;
mod rolling_percentile;
mod rows_near;
mod schema_merge;

use std::sync::Arc;

use conshelf_kql::plan::Plan;
use conshelf_kql::plugin::Plugin;
use conshelf_kql::{Schema, Value};

use crate::engine::batch::Batch;
use crate::engine::context::QueryContext;
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::Executor;
use crate::engine::execute::columns;
use crate::engine::execute::materialised::Materialised;
use crate::engine::execute::pipeline::Pipeline;
use crate::engine::profile::OperatorProfile;

/// A call of a plugin over rows in memory.
struct PluginCall<'a> {
    /// For limits: charge what grows with the rows, `check` in long loops.
    query: &'a Arc<QueryContext>,
    /// All rows of each input, as one batch.
    inputs: Vec<Batch>,
    input_schemas: Vec<&'a Schema>,
    options: &'a [Value],
}

type Kernel = fn(&PluginCall<'_>) -> Result<Vec<Batch>>;

fn kernel(plugin: Plugin) -> Option<Kernel> {
    match plugin {
        Plugin::Autocluster => Some(cluster::autocluster),
        Plugin::Basket => Some(cluster::basket),
        Plugin::DcountIntersect => Some(dcount_intersect::rows),
        Plugin::Diffpatterns => Some(difference::patterns),
        Plugin::DiffpatternsText => Some(difference::texts),
        Plugin::ActiveUsersCount => Some(activity::active_users::rows),
        Plugin::ActivityCountsMetrics => Some(activity::counts::rows),
        Plugin::ActivityEngagement => Some(activity::engagement::rows),
        Plugin::ActivityMetrics => Some(activity::metrics::rows),
        Plugin::FunnelSequence => Some(activity::funnel::sequence),
        Plugin::FunnelSequenceCompletion => Some(activity::funnel::completion),
        Plugin::GeoLineLookup => Some(lookup::lines),
        Plugin::GeoPolygonLookup => Some(lookup::polygons),
        Plugin::Ipv4Lookup => Some(lookup::ipv4),
        Plugin::Ipv6Lookup => Some(lookup::ipv6),
        Plugin::InferStorageSchema => Some(infer_schema::rows),
        Plugin::Narrow => Some(narrow::rows),
        Plugin::RollingPercentile => Some(rolling_percentile::rows),
        Plugin::RowsNear => Some(rows_near::rows),
        Plugin::SchemaMerge => Some(schema_merge::rows),
        Plugin::NewActivityMetrics => Some(activity::new_users::rows),
        Plugin::SequenceDetect => Some(activity::sequence::rows),
        Plugin::SessionCount => Some(activity::sessions::rows),
        Plugin::SlidingWindowCounts => Some(activity::sliding::rows),
        // Lowered to other operators, or refused, by the binder.
        _ => None,
    }
}

pub fn pipeline(
    executor: &Executor,
    profile: &Arc<OperatorProfile>,
    plugin: Plugin,
    inputs: &[Plan],
    options: &[Value],
) -> Result<Pipeline> {
    let Some(kernel) = kernel(plugin) else {
        return Err(EngineError::Internal(format!("the plugin {} has no kernel", plugin.spec().name)));
    };
    // Kept until the kernel is done: they hold the memory's charge.
    let materialised: Vec<Arc<Materialised>> =
        inputs.iter().map(|input| executor.materialise(input)).collect::<Result<_>>()?;
    let call = PluginCall {
        query: &executor.query,
        inputs: materialised
            .iter()
            .zip(inputs)
            .map(|(rows, input)| columns::concat(&rows.batches, &input.schema))
            .collect::<Result<_>>()?,
        input_schemas: inputs.iter().map(|input| &input.schema).collect(),
        options,
    };
    let rows = Materialised::new(&executor.query, kernel(&call)?)?;
    Ok(Pipeline::of(Arc::new(rows), profile.clone(), true))
}
