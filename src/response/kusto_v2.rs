//! `kusto-v2`: an array of frames, plain, fragmented (one frame a line) or progressive.
//!
//! The order of keys inside a frame is part of the protocol: `FrameType` first, `Rows` and `OneApiErrors`
//! last. Streaming readers of the Kusto SDKs consume the tokens in exactly this order.

use std::sync::Arc;

use conshelf_kql::{Column, Schema, Type};

use crate::engine::Batch;
use crate::response::json_rows::JsonRows;
use crate::response::kusto::{self, RequestIdentity};
use crate::response::row_writer::{RowWriter, write_batch};
use crate::response::value_text::{self, json_string, quoted};
use crate::response::{Completion, EncodeError, Encoder, Failure, FailureKind, ResultHeader};

/// Where errors after the first row are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ErrorPlacement {
    /// As the last element of the rows, and in the completion frame.
    #[default]
    InData,
    /// In the table's completion frame, and in the data set's.
    EndOfTable,
    /// In the data set's completion frame.
    EndOfDataset,
}

impl ErrorPlacement {
    fn name(self) -> &'static str {
        match self {
            ErrorPlacement::InData => "InData",
            ErrorPlacement::EndOfTable => "EndOfTable",
            ErrorPlacement::EndOfDataset => "EndOfDataset",
        }
    }
}

/// The forms of the v2 answer.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct V2Options {
    pub newlines_between_frames: bool,
    pub fragment_primary_tables: bool,
    pub progressive: bool,
    pub error_placement: ErrorPlacement,
    /// `deferpartialqueryfailures`: failures are told in the completion table only.
    pub defer_failures: bool,
    /// The earlier run that the rows are of, as JSON text.
    pub server_cache: Option<String>,
}

/// See the module.
#[derive(Debug)]
pub struct KustoV2Encoder {
    identity: RequestIdentity,
    options: V2Options,
    begun: usize,
    first_row: bool,
    rows: u64,
}

impl KustoV2Encoder {
    pub fn new(identity: RequestIdentity, options: V2Options) -> KustoV2Encoder {
        KustoV2Encoder { identity, options, begun: 0, first_row: true, rows: 0 }
    }

    fn fragmented(&self) -> bool {
        self.options.fragment_primary_tables || self.options.progressive
    }

    /// The rows of the table with that number.
    fn json_rows(&self, id: usize, header: &ResultHeader) -> JsonRows {
        let rows = JsonRows::arrays(&header.columns);
        if !self.fragmented() {
            return rows;
        }
        let mut start = Vec::new();
        self.separator(&mut start);
        let frame = if self.options.progressive {
            format!(
                "{{\"FrameType\":\"TableFragment\",\"TableId\":{id},\"FieldCount\":{},\"TableFragmentType\":\"DataAppend\",\"Rows\":[",
                header.columns.len()
            )
        } else {
            format!(
                "{{\"FrameType\":\"TableFragment\",\"TableFragmentType\":\"DataAppend\",\"TableId\":{id},\"Rows\":["
            )
        };
        start.extend_from_slice(frame.as_bytes());
        rows.framed(start, b"]}")
    }

    /// What stands before every frame but the first.
    fn separator(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.options.newlines_between_frames { b"\n," } else { b"," });
    }
}

fn write_columns(columns: &Schema, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\"Columns\":[");
    for (at, column) in columns.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"ColumnName\":");
        json_string(&column.name, out);
        out.extend_from_slice(b",\"ColumnType\":\"");
        out.extend_from_slice(column.ty.name().as_bytes());
        out.extend_from_slice(b"\"}");
    }
    out.push(b']');
}

/// A `DataTable` or `TableHeader` up to its columns.
fn begin_table(frame: &str, id: usize, kind: &str, name: &str, columns: &Schema, out: &mut Vec<u8>) {
    out.extend_from_slice(
        format!(
            "{{\"FrameType\":\"{frame}\",\"TableId\":{id},\"TableKind\":\"{kind}\",\"TableName\":{},",
            quoted(name)
        )
        .as_bytes(),
    );
    write_columns(columns, out);
}

fn schema(columns: &[(&str, Type)]) -> Schema {
    columns.iter().map(|(name, ty)| Column::new(*name, *ty)).collect()
}

impl Encoder for KustoV2Encoder {
    fn content_type(&self) -> &'static str {
        "application/json; charset=utf-8"
    }

    fn begin(&mut self, results: &[ResultHeader], out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let placement = self.options.error_placement.name();
        out.extend_from_slice(
            format!(
                "[{{\"FrameType\":\"DataSetHeader\",\"IsProgressive\":{},\"Version\":\"v2.0\",\"IsFragmented\":{},\"ErrorReportingPlacement\":\"{placement}\"}}",
                self.options.progressive,
                self.options.fragment_primary_tables,
            )
            .as_bytes(),
        );
        self.separator(out);
        let columns = schema(&[("TableId", Type::Int), ("Key", Type::String), ("Value", Type::Dynamic)]);
        begin_table("DataTable", 0, "QueryProperties", "@ExtendedProperties", &columns, out);
        out.extend_from_slice(b",\"Rows\":[");
        for (at, result) in results.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            out.extend_from_slice(format!("[{},\"Visualization\",", at + 1).as_bytes());
            json_string(&kusto::visualization_json(result.visualization.as_ref()), out);
            out.push(b']');
        }
        if let Some(origin) = &self.options.server_cache {
            if !results.is_empty() {
                out.push(b',');
            }
            out.extend_from_slice(b"[0,\"ServerCache\",");
            json_string(origin, out);
            out.push(b']');
        }
        out.extend_from_slice(b"]}");
        Ok(())
    }

    fn begin_result(
        &mut self,
        index: usize,
        header: &ResultHeader,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        self.begun = index + 1;
        self.first_row = true;
        self.rows = 0;
        self.separator(out);
        let frame = if self.fragmented() { "TableHeader" } else { "DataTable" };
        begin_table(frame, index + 1, "PrimaryResult", &header.name, &header.columns, out);
        out.extend_from_slice(if self.fragmented() { b"}" } else { b",\"Rows\":[" });
        Ok(())
    }

    fn rows(&mut self, header: &ResultHeader, batch: &Batch, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let first = self.note_rows(batch.rows);
        write_batch(&self.json_rows(self.begun, header), batch, first, out)
    }

    fn row_writer(&self, index: usize, header: &ResultHeader) -> Option<Arc<dyn RowWriter>> {
        Some(Arc::new(self.json_rows(index + 1, header)))
    }

    fn note_rows(&mut self, rows: usize) -> bool {
        self.rows += rows as u64;
        rows > 0 && std::mem::take(&mut self.first_row)
    }

    fn end_result(
        &mut self,
        _header: &ResultHeader,
        failure: Option<&Failure>,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let failure = failure.filter(|_| !self.options.defer_failures);
        let id = self.begun;
        let placement = self.options.error_placement;
        if !self.fragmented() {
            if let Some(failure) = failure.filter(|_| placement == ErrorPlacement::InData) {
                if !std::mem::take(&mut self.first_row) {
                    out.push(b',');
                }
                out.extend_from_slice(format!("{{\"OneApiErrors\":[{}]}}", failure.one_api).as_bytes());
            }
            out.extend_from_slice(b"]}");
            return Ok(());
        }
        if let Some(failure) = failure.filter(|_| placement == ErrorPlacement::InData) {
            self.separator(out);
            let field_count = if self.options.progressive { "\"FieldCount\":0," } else { "" };
            let kind = if self.options.progressive {
                format!("\"TableId\":{id},{field_count}\"TableFragmentType\":\"DataAppend\"")
            } else {
                format!("\"TableFragmentType\":\"DataAppend\",\"TableId\":{id}")
            };
            out.extend_from_slice(
                format!(
                    "{{\"FrameType\":\"TableFragment\",{kind},\"Rows\":[{{\"OneApiErrors\":[{}]}}]}}",
                    failure.one_api
                )
                .as_bytes(),
            );
        }
        if self.options.progressive {
            self.separator(out);
            out.extend_from_slice(
                format!("{{\"FrameType\":\"TableProgress\",\"TableId\":{id},\"TableProgress\":100.0}}")
                    .as_bytes(),
            );
        }
        self.separator(out);
        out.extend_from_slice(
            format!("{{\"FrameType\":\"TableCompletion\",\"TableId\":{id},\"RowCount\":{}", self.rows)
                .as_bytes(),
        );
        if let Some(failure) = failure.filter(|_| placement == ErrorPlacement::EndOfTable) {
            out.extend_from_slice(format!(",\"OneApiErrors\":[{}]", failure.one_api).as_bytes());
        }
        out.push(b'}');
        Ok(())
    }

    fn finish(&mut self, completion: &Completion, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.separator(out);
        let columns = schema(&[
            ("Timestamp", Type::DateTime),
            ("ClientRequestId", Type::String),
            ("ActivityId", Type::Guid),
            ("SubActivityId", Type::Guid),
            ("ParentActivityId", Type::Guid),
            ("Level", Type::Int),
            ("LevelName", Type::String),
            ("StatusCode", Type::Int),
            ("StatusCodeName", Type::String),
            ("EventType", Type::Int),
            ("EventTypeName", Type::String),
            ("Payload", Type::String),
        ]);
        let name = "QueryCompletionInformation";
        begin_table("DataTable", self.begun + 1, name, name, &columns, out);
        let start = format!(
            "[\"{}\",{},\"{activity}\",\"{activity}\",\"{activity}\"",
            value_text::datetime_text(completion.finished_ticks),
            quoted(&self.identity.client_request_id),
            activity = self.identity.activity_id,
        );
        out.extend_from_slice(b",\"Rows\":[");
        if let Some(failure) = &completion.failure {
            let (code, code_name) = kusto::status_of(failure.kind);
            let (event, text) = kusto::failure_event(failure);
            out.extend_from_slice(
                format!(
                    "{start},2,\"Error\",{code},{},1,\"{event}\",{}],",
                    quoted(code_name),
                    quoted(&kusto::event_payload(&text))
                )
                .as_bytes(),
            );
        } else {
            let payload = quoted(&kusto::event_payload("Query completed successfully"));
            out.extend_from_slice(
                format!("{start},4,\"Info\",0,\"S_OK (0)\",4,\"QueryInfo\",{payload}],").as_bytes(),
            );
        }
        let payload = quoted(&kusto::resources_json(&completion.statistics));
        out.extend_from_slice(
            format!("{start},6,\"Stats\",0,\"S_OK (0)\",0,\"QueryResourceConsumption\",{payload}]]}}")
                .as_bytes(),
        );
        self.separator(out);
        let cancelled = completion
            .failure
            .as_ref()
            .is_some_and(|failure| matches!(failure.kind, FailureKind::Cancelled | FailureKind::Timeout));
        match completion.failure.as_ref().filter(|_| !self.options.defer_failures) {
            None => out.extend_from_slice(
                format!("{{\"FrameType\":\"DataSetCompletion\",\"HasErrors\":false,\"Cancelled\":{cancelled}}}")
                    .as_bytes(),
            ),
            Some(failure) => out.extend_from_slice(
                format!(
                    "{{\"FrameType\":\"DataSetCompletion\",\"HasErrors\":true,\"Cancelled\":{cancelled},\"OneApiErrors\":[{}]}}",
                    failure.one_api
                )
                .as_bytes(),
            ),
        }
        out.extend_from_slice(if self.options.newlines_between_frames { b"\n]" } else { b"]" });
        Ok(())
    }

    fn reports_failures(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response::tests_support::{completion, failed_completion, identity, sample};

    fn answer(options: V2Options, completion: &Completion) -> String {
        let (header, batch) = sample();
        let mut encoder = KustoV2Encoder::new(identity(), options);
        let mut out = Vec::new();
        encoder.begin(std::slice::from_ref(&header), &mut out).expect("begin");
        encoder.begin_result(0, &header, &mut out).expect("begin result");
        encoder.rows(&header, &batch, &mut out).expect("rows");
        encoder.end_result(&header, completion.failure.as_deref(), &mut out).expect("end result");
        encoder.finish(completion, &mut out).expect("finish");
        String::from_utf8(out).expect("text")
    }

    const GO: V2Options = V2Options {
        newlines_between_frames: true,
        fragment_primary_tables: true,
        progressive: false,
        error_placement: ErrorPlacement::EndOfTable,
        defer_failures: false,
        server_cache: None,
    };

    #[test]
    fn plain() {
        insta::assert_snapshot!(answer(V2Options::default(), &completion()));
    }

    #[test]
    fn fragmented_one_frame_a_line() {
        let text = answer(GO, &completion());
        for (at, line) in text.lines().enumerate() {
            let start = if at == 0 { '[' } else { ',' };
            assert!(line.starts_with(start) || line == "]", "{line}");
        }
        assert!(text.starts_with(
            r#"[{"FrameType":"DataSetHeader","IsProgressive":false,"Version":"v2.0","IsFragmented":true,"ErrorReportingPlacement":"EndOfTable"}"#
        ));
        insta::assert_snapshot!(text);
    }

    #[test]
    fn failure_in_data() {
        insta::assert_snapshot!(answer(V2Options::default(), &failed_completion()));
    }

    #[test]
    fn failure_at_the_end_of_the_table() {
        insta::assert_snapshot!(answer(GO, &failed_completion()));
    }

    #[test]
    fn deferred_failure_is_in_the_completion_table_only() {
        let options = V2Options { defer_failures: true, ..V2Options::default() };
        let text = answer(options, &failed_completion());
        assert!(!text.contains("OneApiErrors"), "{text}");
        assert!(text.contains("\"HasErrors\":false"), "{text}");
        assert!(text.contains("internal record count limit 5 (E_QUERY_RESULT_SET_TOO_LARGE"), "{text}");
    }

    #[test]
    fn every_form_is_json() {
        let switches = [false, true];
        for newlines_between_frames in switches {
            for fragment_primary_tables in switches {
                for progressive in switches {
                    for defer_failures in switches {
                        for error_placement in
                            [ErrorPlacement::InData, ErrorPlacement::EndOfTable, ErrorPlacement::EndOfDataset]
                        {
                            let options = V2Options {
                                newlines_between_frames,
                                fragment_primary_tables,
                                progressive,
                                error_placement,
                                defer_failures,
                                server_cache: progressive.then(|| String::from("{\"a\":\"b\"}")),
                            };
                            for completion in [completion(), failed_completion()] {
                                let text = answer(options.clone(), &completion);
                                assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{text}");
                            }
                        }
                    }
                }
            }
        }
    }
}
