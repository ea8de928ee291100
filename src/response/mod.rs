//! Response formats: result headers and a stream of batches in, bytes out.
//!
//! ```text
//! server ──ResultHeader, Batch, Completion──▶ writer (order, limits, chunks) ──▶ Encoder (one format) ──▶ bytes
//! ```
//!
//! One format a file, each an [`Encoder`]; the texts of values are in `value_text`. Nothing here knows HTTP,
//! plans or storage: encoders write by hand into a byte buffer, without a tree of values.

pub mod arrow;
pub mod columns;
pub mod delimited;
pub mod json;
mod json_rows;
pub mod kusto;
pub mod kusto_v1;
pub mod kusto_v2;
pub mod ndjson;
pub mod parquet;
pub mod row_writer;
pub mod table;
pub mod value_text;
pub mod writer;

use std::sync::Arc;

use conshelf_kql::Schema;
use conshelf_kql::plan::Visualization;

use crate::engine::Batch;

pub use row_writer::RowWriter;
pub use writer::{ResponseWriter, ResultLimits};

/// What is known of a result before its rows.
#[derive(Clone, Debug)]
pub struct ResultHeader {
    pub name: String,
    pub columns: Schema,
    pub visualization: Option<Visualization>,
}

impl ResultHeader {
    /// A result of the usual name without a visualization.
    pub fn primary(columns: Schema) -> ResultHeader {
        ResultHeader { name: "PrimaryResult".to_owned(), columns, visualization: None }
    }
}

/// Why an answer stopped early, in the words a client gets.
#[derive(Clone, Debug)]
pub struct Failure {
    pub code: String,
    pub message: String,
    /// `{"error":{…}}` as Kusto clients read it.
    pub one_api: String,
    pub kind: FailureKind,
}

/// What kind of end it was: decides the numbers in Kusto's status rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// More records or bytes than a result may have; the number is the record limit where that was it.
    ResultTooLarge {
        record_limit: Option<u64>,
    },
    Memory,
    Timeout,
    Cancelled,
    Other,
}

/// Figures of a finished query.
#[derive(Clone, Debug, Default)]
pub struct QueryStatistics {
    pub execution_seconds: f64,
    pub cpu_seconds: f64,
    pub memory_peak_bytes: u64,
    pub extents_total: u64,
    pub extents_scanned: u64,
    pub rows_total: u64,
    pub rows_scanned: u64,
    pub bytes_scanned: u64,
    /// Rows and bytes of each result, filled in by the writer.
    pub results: Vec<(u64, u64)>,
}

/// The end of an answer.
#[derive(Clone, Debug, Default)]
pub struct Completion {
    pub statistics: QueryStatistics,
    pub failure: Option<Arc<Failure>>,
    /// Ticks of the moment the answer was complete.
    pub finished_ticks: i64,
}

/// Why a result could not be written.
#[derive(Clone, Debug, thiserror::Error)]
pub enum EncodeError {
    /// A batch whose arrays are not those its schema promises: a bug of ours.
    #[error("column '{column}' of type {ty} came as {arrow}")]
    Wrong { column: String, ty: &'static str, arrow: String },
    /// The format cannot hold this result: what and why, for the client.
    #[error("{0}")]
    Refused(String),
}

/// One response format. Called in this order: `begin`, for every result `begin_result`, `rows`…,
/// `end_result`, then `finish`. A failure is told to the result it happened in and again to `finish`; the
/// results after it are not begun.
pub trait Encoder: Send {
    /// The media type of the body.
    fn content_type(&self) -> &'static str;

    /// Writes nothing where it is not defined, like `end_result` and `finish`.
    fn begin(&mut self, _results: &[ResultHeader], _out: &mut Vec<u8>) -> Result<(), EncodeError> {
        Ok(())
    }

    fn begin_result(
        &mut self,
        index: usize,
        header: &ResultHeader,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError>;

    fn rows(&mut self, header: &ResultHeader, batch: &Batch, out: &mut Vec<u8>) -> Result<(), EncodeError>;

    /// What writes the rows of a result, whether it is begun or not, where they do not depend on those before them.
    /// Rows may then be written by it instead of by `rows`; `note_rows` tells the encoder of them.
    fn row_writer(&self, _index: usize, _header: &ResultHeader) -> Option<Arc<dyn RowWriter>> {
        None
    }

    /// Takes note of rows of the result that is open, which the row writer wrote; whether they are its first.
    fn note_rows(&mut self, _rows: usize) -> bool {
        false
    }

    fn end_result(
        &mut self,
        _header: &ResultHeader,
        _failure: Option<&Failure>,
        _out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        Ok(())
    }

    fn finish(&mut self, _completion: &Completion, _out: &mut Vec<u8>) -> Result<(), EncodeError> {
        Ok(())
    }

    /// Whether a failure after the first byte is told inside the body so that no client can overlook it.
    /// If not, the body is broken off after `finish`.
    fn reports_failures(&self) -> bool {
        false
    }
}

/// The formats a client may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Json,
    Ndjson,
    Csv,
    Tsv,
    Table,
    Arrow,
    Parquet,
    KustoV1,
    KustoV2,
}

impl Format {
    /// Every format with the name `format=` takes.
    pub const ALL: [(Format, &'static str); 9] = [
        (Format::Json, "json"),
        (Format::Ndjson, "ndjson"),
        (Format::Csv, "csv"),
        (Format::Tsv, "tsv"),
        (Format::Table, "table"),
        (Format::Arrow, "arrow"),
        (Format::Parquet, "parquet"),
        (Format::KustoV1, "kusto-v1"),
        (Format::KustoV2, "kusto-v2"),
    ];

    pub fn from_name(name: &str) -> Option<Format> {
        let name = name.trim();
        match name.to_ascii_lowercase().as_str() {
            "jsonl" | "jsonlines" => return Some(Format::Ndjson),
            "text" | "txt" => return Some(Format::Table),
            "v1" => return Some(Format::KustoV1),
            "v2" => return Some(Format::KustoV2),
            _ => {}
        }
        Format::ALL.iter().find(|(_, known)| name.eq_ignore_ascii_case(known)).map(|(format, _)| *format)
    }

    pub fn name(self) -> &'static str {
        Format::ALL.iter().find(|(format, _)| *format == self).map_or("json", |(_, name)| name)
    }

    /// The format an `Accept` header asks for: the best of those we have, aligned text when anything goes.
    pub fn from_accept(accept: &str) -> Format {
        let mut best: Option<(f32, Format)> = None;
        for entry in accept.split(',') {
            let mut parts = entry.split(';').map(str::trim);
            let format = match parts.next().unwrap_or("").to_ascii_lowercase().as_str() {
                "application/json" => Format::Json,
                "application/x-ndjson"
                | "application/ndjson"
                | "application/jsonl"
                | "application/x-jsonlines" => Format::Ndjson,
                "text/csv" | "application/csv" => Format::Csv,
                "text/tab-separated-values" => Format::Tsv,
                "text/plain" => Format::Table,
                "application/vnd.apache.arrow.stream" => Format::Arrow,
                "application/vnd.apache.parquet" => Format::Parquet,
                _ => continue,
            };
            let weight = parts
                .find_map(|part| part.strip_prefix("q="))
                .and_then(|text| text.parse::<f32>().ok())
                .unwrap_or(1.0);
            if weight > 0.0 && best.is_none_or(|(least, _)| weight > least) {
                best = Some((weight, format));
            }
        }
        best.map_or(Format::Table, |(_, format)| format)
    }

    /// Errors before the first byte are text for those who asked for text.
    pub fn is_text(self) -> bool {
        matches!(self, Format::Table | Format::Csv | Format::Tsv)
    }

    /// The encoder of the formats that need nothing but the rows.
    pub fn friendly_encoder(self) -> Option<Box<dyn Encoder>> {
        Some(match self {
            Format::Json => Box::new(json::JsonEncoder::default()),
            Format::Ndjson => Box::new(ndjson::NdjsonEncoder),
            Format::Csv => Box::new(delimited::DelimitedEncoder::csv()),
            Format::Tsv => Box::new(delimited::DelimitedEncoder::tsv()),
            Format::Table => Box::new(table::TableEncoder::default()),
            Format::Arrow => Box::new(arrow::ArrowEncoder::default()),
            Format::Parquet => Box::new(parquet::ParquetEncoder::default()),
            Format::KustoV1 | Format::KustoV2 => return None,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests_support;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_chooses_the_best_known_format() {
        let cases = [
            ("", Format::Table),
            ("*/*", Format::Table),
            ("application/json", Format::Json),
            ("text/html,application/xhtml+xml,*/*;q=0.8", Format::Table),
            ("text/csv;q=0.5, application/x-ndjson", Format::Ndjson),
            ("application/json;q=0, text/csv", Format::Csv),
            ("application/vnd.apache.arrow.stream", Format::Arrow),
            ("application/vnd.apache.parquet", Format::Parquet),
        ];
        for (accept, expected) in cases {
            assert_eq!(Format::from_accept(accept), expected, "{accept}");
        }
    }

    #[test]
    fn every_format_has_a_name() {
        for (format, name) in Format::ALL {
            assert_eq!(Format::from_name(&name.to_uppercase()), Some(format));
            assert_eq!(format.name(), name);
        }
        assert_eq!(Format::from_name("xml"), None);
    }
}
