//! Rows of files outside of the store: `externaldata`, `inline_external_table`.

use std::sync::Arc;

use conshelf_kql::Schema;
use conshelf_kql::plan::ExternalSource;
use conshelf_storage::TableSchema;

use crate::engine::batch::Batch;
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::Executor;
use crate::engine::execute::materialised::Materialised;
use crate::engine::execute::pipeline::Pipeline;
use crate::engine::literal::column_type;
use crate::engine::profile::OperatorProfile;
use crate::ingest::external::ExternalRows;

pub fn pipeline(
    executor: &Executor,
    profile: &Arc<OperatorProfile>,
    source: &ExternalSource,
    schema: &Schema,
) -> Result<Pipeline> {
    let query = &executor.query;
    let table = TableSchema::new(schema.iter().map(|column| (column.name.as_str(), column_type(column.ty))));
    let rows = ExternalRows {
        format: source.format.clone(),
        skip_first_record: source.skip_first_record,
        mapping: source.mapping.clone(),
        folder: source.folder.clone(),
    };
    let mut batches: Vec<Batch> = Vec::new();
    let mut memory = query.reserve(0)?;
    let mut bytes = 0;
    for address in &source.addresses {
        query.check()?;
        let timeout = query.limits.timeout.saturating_sub(query.started.elapsed());
        let mut stopped = None;
        let outcome = query.settings.external_data.read(address, &rows, &table, timeout, &mut |decoded| {
            let columns = decoded.columns.into_iter().map(|column| column.array).collect();
            let batch = Batch::new(columns, decoded.rows);
            bytes += batch.memory_bytes() as u64;
            let charged = query.check().and_then(|()| memory.resize(bytes));
            batches.push(batch);
            charged.map_err(|error| {
                let message = error.to_string();
                stopped = Some(error);
                message
            })
        });
        if let Some(error) = stopped {
            return Err(error);
        }
        outcome.map_err(|message| {
            let shown = address.split(['?', ';']).next().unwrap_or_default();
            EngineError::Evaluation(format!("external data '{shown}': {message}"))
        })?;
    }
    Ok(Pipeline::of(Arc::new(Materialised::charged(batches, Some(memory))), profile.clone(), false))
}
