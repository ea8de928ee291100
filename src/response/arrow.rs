//! `arrow`: the Arrow IPC stream, in types that other tools know: datetime as timestamp (µs, UTC), timespan
//! as duration (µs), guid, decimal and dynamic as text. Several results are several streams, one after
//! another. Digits below a microsecond are cut off.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::types::{DurationMicrosecondType, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, Int64Array, PrimitiveArray, RecordBatch, RecordBatchOptions};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use conshelf_kql::{Column, Type};

use crate::engine::Batch;
use crate::response::columns::Cells;
use crate::response::{EncodeError, Encoder, Failure, ResultHeader};

const UNIX_EPOCH_TICKS: i64 = 621_355_968_000_000_000;

/// See the module.
#[derive(Default)]
pub struct ArrowEncoder {
    stream: Option<(StreamWriter<Vec<u8>>, SchemaRef)>,
}

fn arrow_field(column: &Column) -> Field {
    let ty = match column.ty {
        Type::Bool => DataType::Boolean,
        Type::Int => DataType::Int32,
        Type::Long => DataType::Int64,
        Type::Real => DataType::Float64,
        Type::DateTime => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        Type::TimeSpan => DataType::Duration(TimeUnit::Microsecond),
        Type::Decimal | Type::String | Type::Guid | Type::Dynamic => DataType::Utf8,
    };
    let metadata: std::collections::HashMap<String, String> =
        [("kusto_type".to_owned(), column.ty.name().to_owned())].into_iter().collect();
    Field::new(&column.name, ty, column.ty != Type::String).with_metadata(metadata)
}

fn failed(error: impl std::fmt::Display) -> EncodeError {
    EncodeError::Wrong { column: "arrow stream".to_owned(), ty: "ipc", arrow: error.to_string() }
}

fn converted(cells: Cells<'_>, array: &ArrayRef) -> ArrayRef {
    match cells {
        Cells::Bool(_) | Cells::Int(_) | Cells::Long(_) | Cells::Real(_) => array.clone(),
        Cells::DateTime(ticks) => {
            let micros: PrimitiveArray<TimestampMicrosecondType> = Int64Array::unary(ticks, micros_of);
            Arc::new(micros.with_timezone("UTC"))
        }
        Cells::TimeSpan(ticks) => {
            let micros: PrimitiveArray<DurationMicrosecondType> =
                Int64Array::unary(ticks, |ticks| ticks / 10);
            Arc::new(micros)
        }
        Cells::Decimal(_) | Cells::Guid(_) | Cells::String(_) | Cells::Dictionary(..) | Cells::Dynamic(_) => {
            texts_of(cells, array)
        }
    }
}

/// Microseconds since 1970 of ticks; what is below is cut off.
pub(super) fn micros_of(ticks: i64) -> i64 {
    (ticks - UNIX_EPOCH_TICKS).div_euclid(10)
}

/// The column as texts: dynamic as JSON, null where the cell is.
pub(super) fn texts_of(cells: Cells<'_>, array: &ArrayRef) -> ArrayRef {
    let mut builder = StringBuilder::new();
    let mut scratch = String::new();
    let mut text = Vec::new();
    for row in 0..array.len() {
        if let Some(text) = cells.string_at(row) {
            builder.append_value(text);
        } else if array.is_null(row) {
            builder.append_null();
        } else {
            text.clear();
            match cells {
                Cells::Dynamic(_) => cells.write_json(row, &mut scratch, &mut text),
                _ => cells.write_plain(row, &mut scratch, &mut text),
            }
            builder.append_value(String::from_utf8_lossy(&text));
        }
    }
    Arc::new(builder.finish())
}

impl Encoder for ArrowEncoder {
    fn content_type(&self) -> &'static str {
        "application/vnd.apache.arrow.stream"
    }

    fn begin_result(
        &mut self,
        _index: usize,
        header: &ResultHeader,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let schema = Arc::new(Schema::new(header.columns.iter().map(arrow_field).collect::<Vec<_>>()));
        let mut writer = StreamWriter::try_new(Vec::new(), &schema).map_err(failed)?;
        out.append(writer.get_mut());
        self.stream = Some((writer, schema));
        Ok(())
    }

    fn rows(&mut self, header: &ResultHeader, batch: &Batch, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let Some((writer, schema)) = &mut self.stream else { return Ok(()) };
        let cells = Cells::of_batch(&header.columns, batch)?;
        let arrays =
            cells.iter().zip(&batch.columns).map(|(cells, array)| converted(*cells, array)).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(batch.rows));
        let record = RecordBatch::try_new_with_options(schema.clone(), arrays, &options).map_err(failed)?;
        writer.write(&record).map_err(failed)?;
        out.append(writer.get_mut());
        Ok(())
    }

    fn end_result(
        &mut self,
        _header: &ResultHeader,
        failure: Option<&Failure>,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        // Without the end-of-stream mark a reader sees that the stream broke off.
        if let (Some((mut writer, _)), None) = (self.stream.take(), failure) {
            writer.finish().map_err(failed)?;
            out.append(writer.get_mut());
        }
        Ok(())
    }
}
