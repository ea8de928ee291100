//! `parquet`: one Apache Parquet file, row group after row group as they fill, compressed with zstd.
//!
//! Types as the reference maps them on export (export-data-to-storage): datetime as timestamp (µs, UTC; digits below
//! are cut off), timespan as its ticks of 100 ns, decimal with 18 digits after the point (more are rounded), guid and
//! dynamic as text. The types of Kusto are in the file's metadata under `kusto_schema`. A file holds one result; a
//! query with several is refused. A file that broke off has no footer: a reader sees that.

use std::sync::Arc;

use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{
    Array, ArrayRef, Decimal128Array, Int64Array, PrimitiveArray, RecordBatch, RecordBatchOptions,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use conshelf_kql::{Column, Type};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;

use crate::engine::Batch;
use crate::response::arrow::{micros_of, texts_of};
use crate::response::columns::Cells;
use crate::response::{EncodeError, Encoder, Failure, ResultHeader};

/// Rows of a row group.
const GROUP_ROWS_MAX: usize = 128 << 10;
/// Bytes of a row group in memory, as far as they are encoded.
const GROUP_BYTES_MAX: usize = 16 << 20;
/// Digits of a decimal, and those of them after the point.
const DECIMAL_DIGITS: u8 = 38;
const DECIMAL_SCALE: i8 = 18;

/// See the module.
#[derive(Default)]
pub struct ParquetEncoder {
    file: Option<(ArrowWriter<Vec<u8>>, SchemaRef)>,
}

fn field(column: &Column) -> Field {
    let ty = match column.ty {
        Type::Bool => DataType::Boolean,
        Type::Int => DataType::Int32,
        Type::Long | Type::TimeSpan => DataType::Int64,
        Type::Real => DataType::Float64,
        Type::DateTime => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        Type::Decimal => DataType::Decimal128(DECIMAL_DIGITS, DECIMAL_SCALE),
        Type::String | Type::Guid | Type::Dynamic => DataType::Utf8,
    };
    Field::new(&column.name, ty, column.ty != Type::String)
}

fn failed(error: impl std::fmt::Display) -> EncodeError {
    EncodeError::Wrong { column: "parquet file".to_owned(), ty: "parquet", arrow: error.to_string() }
}

/// A decimal's text as a count of units of its last kept digit, rounded half away from nought.
fn scaled(text: &str) -> Option<i128> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let kept = DECIMAL_SCALE as usize;
    let mut value: i128 = 0;
    let padded = fraction.bytes().chain(std::iter::repeat(b'0')).take(kept);
    for digit in whole.bytes().chain(padded) {
        let digit = i128::from(digit.checked_sub(b'0').filter(|digit| *digit < 10)?);
        value = value.checked_mul(10)?.checked_add(digit)?;
    }
    if fraction.as_bytes().get(kept).is_some_and(|digit| *digit >= b'5') {
        value = value.checked_add(1)?;
    }
    (value < 10_i128.pow(u32::from(DECIMAL_DIGITS))).then_some(value * sign)
}

fn decimals(cells: Cells<'_>, array: &ArrayRef, name: &str) -> Result<ArrayRef, EncodeError> {
    let mut scratch = String::new();
    let mut text = Vec::new();
    let mut values: Vec<Option<i128>> = Vec::with_capacity(array.len());
    for row in 0..array.len() {
        if array.is_null(row) {
            values.push(None);
            continue;
        }
        text.clear();
        cells.write_plain(row, &mut scratch, &mut text);
        let text = String::from_utf8_lossy(&text);
        let value = scaled(&text).ok_or_else(|| {
            EncodeError::Refused(format!(
                "the decimal {text} of column '{name}' is too large for a Parquet decimal({DECIMAL_DIGITS},{DECIMAL_SCALE}); convert the column with tostring() or toreal()"
            ))
        })?;
        values.push(Some(value));
    }
    let array = Decimal128Array::from(values);
    Ok(Arc::new(array.with_precision_and_scale(DECIMAL_DIGITS, DECIMAL_SCALE).map_err(failed)?))
}

fn converted(cells: Cells<'_>, array: &ArrayRef, name: &str) -> Result<ArrayRef, EncodeError> {
    Ok(match cells {
        Cells::Bool(_) | Cells::Int(_) | Cells::Long(_) | Cells::Real(_) | Cells::TimeSpan(_) => {
            array.clone()
        }
        Cells::DateTime(ticks) => {
            let micros: PrimitiveArray<TimestampMicrosecondType> = Int64Array::unary(ticks, micros_of);
            Arc::new(micros.with_timezone("UTC"))
        }
        Cells::Decimal(_) => decimals(cells, array, name)?,
        Cells::Guid(_) | Cells::String(_) | Cells::Dictionary(..) | Cells::Dynamic(_) => {
            texts_of(cells, array)
        }
    })
}

impl Encoder for ParquetEncoder {
    fn content_type(&self) -> &'static str {
        "application/vnd.apache.parquet"
    }

    fn begin(&mut self, results: &[ResultHeader], _out: &mut Vec<u8>) -> Result<(), EncodeError> {
        match results.len() {
            0 | 1 => Ok(()),
            count => Err(EncodeError::Refused(format!(
                "a Parquet file holds one result and this query has {count}; ask for each by itself, or use format=arrow"
            ))),
        }
    }

    fn begin_result(
        &mut self,
        _index: usize,
        header: &ResultHeader,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let columns = &header.columns;
        if columns.is_empty() {
            return Err(EncodeError::Refused("a Parquet file needs at least one column".to_owned()));
        }
        let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
        let types: Vec<String> =
            columns.iter().map(|column| format!("{}:{}", column.name, column.ty.name())).collect();
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).map_err(failed)?))
            .set_created_by(concat!("conshelf ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_max_row_group_row_count(Some(GROUP_ROWS_MAX))
            .set_max_row_group_bytes(Some(GROUP_BYTES_MAX))
            .set_key_value_metadata(Some(vec![KeyValue::new("kusto_schema".to_owned(), types.join(","))]))
            .build();
        let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
        let mut writer =
            ArrowWriter::try_new_with_options(Vec::new(), schema.clone(), options).map_err(failed)?;
        out.append(writer.inner_mut());
        self.file = Some((writer, schema));
        Ok(())
    }

    fn rows(&mut self, header: &ResultHeader, batch: &Batch, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let Some((writer, schema)) = &mut self.file else { return Ok(()) };
        let cells = Cells::of_batch(&header.columns, batch)?;
        let arrays = cells
            .iter()
            .zip(&batch.columns)
            .zip(&header.columns)
            .map(|((cells, array), column)| converted(*cells, array, &column.name))
            .collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.rows));
        let record = RecordBatch::try_new_with_options(schema.clone(), arrays, &options).map_err(failed)?;
        writer.write(&record).map_err(failed)?;
        out.append(writer.inner_mut());
        Ok(())
    }

    fn end_result(
        &mut self,
        _header: &ResultHeader,
        failure: Option<&Failure>,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        if let (Some((mut writer, _)), None) = (self.file.take(), failure) {
            writer.finish().map_err(failed)?;
            out.append(writer.inner_mut());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::cast::AsArray;
    use arrow_array::types::{Decimal128Type, Float64Type, Int32Type, Int64Type};
    use bytes::Bytes;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;
    use crate::response::Completion;
    use crate::response::tests_support::{numbers, sample};

    fn written(header: &ResultHeader, batches: &[&Batch]) -> Vec<u8> {
        let mut encoder = ParquetEncoder::default();
        let mut out = Vec::new();
        encoder.begin(std::slice::from_ref(header), &mut out).expect("begin");
        encoder.begin_result(0, header, &mut out).expect("begin the result");
        for batch in batches {
            encoder.rows(header, batch, &mut out).expect("rows");
        }
        encoder.end_result(header, None, &mut out).expect("end");
        encoder.finish(&Completion::default(), &mut out).expect("finish");
        out
    }

    fn read(bytes: Vec<u8>) -> (SchemaRef, Vec<RecordBatch>) {
        let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes)).expect("a file");
        let schema = reader.schema().clone();
        (schema, reader.build().expect("a reader").collect::<Result<_, _>>().expect("rows"))
    }

    #[test]
    fn every_type_comes_back() {
        let (header, batch) = sample();
        let bytes = written(&header, &[&batch]);
        assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
        let (schema, rows) = read(bytes);
        let types: Vec<String> =
            schema.fields().iter().map(|field| format!("{}:{}", field.name(), field.data_type())).collect();
        let expected = "b:Boolean i:Int32 l:Int64 r:Float64 c:Decimal128(38, 18) t:Timestamp(µs, \"UTC\") d:Int64 s:Utf8 g:Utf8 o:Utf8";
        assert_eq!(types.join(" "), expected);
        let row = &rows[0];
        assert_eq!(row.num_rows(), 2);
        for (at, column) in row.columns().iter().enumerate() {
            let text = header.columns[at].ty == Type::String;
            assert_eq!(column.is_null(1), !text, "only texts are never null: column {at}");
        }
        assert!(row.column(0).as_boolean().value(0));
        assert_eq!(row.column(1).as_primitive::<Int32Type>().value(0), -1);
        assert_eq!(row.column(2).as_primitive::<Int64Type>().value(0), i64::MAX);
        assert_eq!(row.column(3).as_primitive::<Float64Type>().value(0).to_bits(), 2.0_f64.to_bits());
        assert_eq!(row.column(4).as_primitive::<Decimal128Type>().value(0), 12_500_000_000_000_000_000);
        let micros = row.column(5).as_primitive::<TimestampMicrosecondType>().value(0);
        assert_eq!(micros, (638_396_640_000_000_000 - 621_355_968_000_000_000) / 10);
        assert_eq!(row.column(6).as_primitive::<Int64Type>().value(0), -864_000_000_001, "ticks");
        let text = |at: usize| row.column(at).as_string::<i32>().value(0).to_owned();
        assert_eq!(text(7), "a,\"b\"\n\té");
        assert_eq!(text(8), "abababab-abab-abab-abab-abababababab");
        assert_eq!(text(9), r#"{"a":[1,2.5,"x"],"b":null}"#);
    }

    #[test]
    fn many_rows_are_several_groups_and_no_rows_a_file() {
        let (header, batch) = numbers(100_000);
        let bytes = written(&header, &[&batch, &batch, &batch]);
        let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes.clone())).expect("a file");
        assert!(reader.metadata().num_row_groups() > 1);
        let (_, rows) = read(bytes);
        let all: Vec<i64> = rows
            .iter()
            .flat_map(|rows| rows.column(0).as_primitive::<Int64Type>().values().to_vec())
            .collect();
        assert_eq!(all.len(), 300_000);
        assert!(all.iter().enumerate().all(|(at, value)| *value == at as i64 % 100_000));
        let (schema, rows) = read(written(&header, &[]));
        assert_eq!((schema.fields().len(), rows.iter().map(RecordBatch::num_rows).sum::<usize>()), (1, 0));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let (header, _) = numbers(1);
        let two = [header.clone(), header];
        let refused = ParquetEncoder::default().begin(&two, &mut Vec::new());
        assert!(matches!(refused, Err(EncodeError::Refused(_))));
        let cases = [
            ("0", Some(0)),
            ("-1.5", Some(-1_500_000_000_000_000_000)),
            ("0.0000000000000000005", Some(1)),
            ("-0.0000000000000000004", Some(0)),
            ("99999999999999999999", Some(99_999_999_999_999_999_999 * 10_i128.pow(18))),
            ("100000000000000000000", None),
            ("1000000000000000000000000000000000000000", None),
        ];
        for (text, expected) in cases {
            assert_eq!(scaled(text), expected, "{text}");
        }
    }
}
