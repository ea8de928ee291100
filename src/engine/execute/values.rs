//! Constant rows: `datatable`, `print` of constants, `getschema`.

use std::sync::Arc;

use conshelf_kql::{Schema, Value};

use crate::engine::batch::Batch;
use crate::engine::constant;
use crate::engine::error::{EngineError, Result};
use crate::engine::execute::materialised::Materialised;
use crate::engine::execute::pipeline::Pipeline;
use crate::engine::profile::OperatorProfile;

pub fn pipeline(profile: &Arc<OperatorProfile>, rows: &[Vec<Value>], schema: &Schema) -> Result<Pipeline> {
    if rows.iter().any(|row| row.len() < schema.len()) {
        return Err(EngineError::Internal(String::from("a row of constants is too short")));
    }
    let columns = schema
        .iter()
        .enumerate()
        .map(|(index, column)| constant::array_of(column.ty, rows.iter().map(|row| &row[index])))
        .collect::<Result<_>>()?;
    let batch = Batch::new(columns, rows.len());
    Ok(Pipeline::of(Arc::new(Materialised::charged(vec![batch], None)), profile.clone(), true))
}
