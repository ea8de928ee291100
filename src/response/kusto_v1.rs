//! `kusto-v1`: `{"Tables":[…]}`. A query answers its results, then properties, status and contents; a command
//! exactly one table. Key order is part of the protocol (some readers count tokens).

use std::sync::Arc;

use conshelf_kql::{Column, Schema, Type};

use crate::engine::Batch;
use crate::response::json_rows::JsonRows;
use crate::response::kusto::{self, RequestIdentity};
use crate::response::row_writer::{RowWriter, write_batch};
use crate::response::value_text::{json_string, quoted};
use crate::response::{Completion, EncodeError, Encoder, Failure, ResultHeader, value_text};

/// What kind of request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum V1Kind {
    Query,
    /// One table and nothing else.
    Command,
}

/// See the module.
#[derive(Debug)]
pub struct KustoV1Encoder {
    identity: RequestIdentity,
    kind: V1Kind,
    /// `deferpartialqueryfailures`: failures go to the status table only.
    defer_failures: bool,
    results: Vec<ResultHeader>,
    begun: usize,
    first_row: bool,
    exceptions: Vec<String>,
}

impl KustoV1Encoder {
    pub fn new(identity: RequestIdentity, kind: V1Kind, defer_failures: bool) -> KustoV1Encoder {
        KustoV1Encoder {
            identity,
            kind,
            defer_failures,
            results: Vec::new(),
            begun: 0,
            first_row: true,
            exceptions: Vec::new(),
        }
    }

    fn exceptions_json(&self) -> String {
        let texts: Vec<String> = self.exceptions.iter().map(|text| quoted(text)).collect();
        format!("\"Exceptions\":[{}]", texts.join(","))
    }
}

fn begin_table(index: usize, columns: &Schema, out: &mut Vec<u8>) {
    if index > 0 {
        out.push(b',');
    }
    out.extend_from_slice(format!("{{\"TableName\":\"Table_{index}\",\"Columns\":[").as_bytes());
    for (at, column) in columns.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"ColumnName\":");
        json_string(&column.name, out);
        out.extend_from_slice(
            format!(
                ",\"DataType\":\"{}\",\"ColumnType\":\"{}\"}}",
                kusto::v1_data_type(column.ty),
                column.ty.name()
            )
            .as_bytes(),
        );
    }
    out.extend_from_slice(b"],\"Rows\":[");
}

fn schema(columns: &[(&str, Type)]) -> Schema {
    columns.iter().map(|(name, ty)| Column::new(*name, *ty)).collect()
}

impl Encoder for KustoV1Encoder {
    fn content_type(&self) -> &'static str {
        "application/json; charset=utf-8"
    }

    fn begin(&mut self, results: &[ResultHeader], out: &mut Vec<u8>) -> Result<(), EncodeError> {
        self.results = results.to_vec();
        out.extend_from_slice(b"{\"Tables\":[");
        Ok(())
    }

    fn begin_result(
        &mut self,
        index: usize,
        header: &ResultHeader,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        begin_table(index, &header.columns, out);
        self.begun = index + 1;
        self.first_row = true;
        Ok(())
    }

    fn rows(&mut self, header: &ResultHeader, batch: &Batch, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let first = self.note_rows(batch.rows);
        write_batch(&JsonRows::arrays(&header.columns), batch, first, out)
    }

    fn row_writer(&self, _index: usize, header: &ResultHeader) -> Option<Arc<dyn RowWriter>> {
        Some(Arc::new(JsonRows::arrays(&header.columns)))
    }

    fn note_rows(&mut self, rows: usize) -> bool {
        rows > 0 && std::mem::take(&mut self.first_row)
    }

    fn end_result(
        &mut self,
        _header: &ResultHeader,
        failure: Option<&Failure>,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        if let Some(failure) = failure.filter(|_| !self.defer_failures) {
            self.exceptions.push(failure.message.clone());
            if !std::mem::take(&mut self.first_row) {
                out.push(b',');
            }
            out.extend_from_slice(format!("{{{}}}", self.exceptions_json()).as_bytes());
        }
        out.extend_from_slice(b"]}");
        Ok(())
    }

    fn finish(&mut self, completion: &Completion, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if self.kind == V1Kind::Query {
            let mut table = self.begun;
            begin_table(table, &schema(&[("Value", Type::String)]), out);
            for (at, result) in self.results.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                out.push(b'[');
                json_string(&kusto::visualization_json(result.visualization.as_ref()), out);
                out.push(b']');
            }
            out.extend_from_slice(b"]}");
            table += 1;
            begin_table(
                table,
                &schema(&[
                    ("Timestamp", Type::DateTime),
                    ("Severity", Type::Int),
                    ("SeverityName", Type::String),
                    ("StatusCode", Type::Int),
                    ("StatusDescription", Type::String),
                    ("Count", Type::Int),
                    ("RequestId", Type::Guid),
                    ("ActivityId", Type::Guid),
                    ("SubActivityId", Type::Guid),
                    ("ClientActivityId", Type::String),
                ]),
                out,
            );
            let ids = format!(
                "\"{activity}\",\"{activity}\",\"{activity}\",{}",
                quoted(&self.identity.client_request_id),
                activity = self.identity.activity_id,
            );
            let at = value_text::datetime_text(completion.finished_ticks);
            if let Some(failure) = &completion.failure {
                let (code, _) = kusto::status_of(failure.kind);
                let (_, text) = kusto::failure_event(failure);
                out.extend_from_slice(
                    format!("[\"{at}\",2,\"Error\",{code},{},1,{ids}],", quoted(&text)).as_bytes(),
                );
            } else {
                out.extend_from_slice(
                    format!("[\"{at}\",4,\"Info\",0,\"Query completed successfully\",1,{ids}],").as_bytes(),
                );
            }
            let resources = quoted(&kusto::resources_json(&completion.statistics));
            out.extend_from_slice(format!("[\"{at}\",6,\"Stats\",0,{resources},1,{ids}]]}}").as_bytes());
            table += 1;
            begin_table(
                table,
                &schema(&[
                    ("Ordinal", Type::Long),
                    ("Kind", Type::String),
                    ("Name", Type::String),
                    ("Id", Type::String),
                    ("PrettyName", Type::String),
                ]),
                out,
            );
            let activity = self.identity.activity_id;
            for (at, result) in self.results.iter().take(self.begun).enumerate() {
                out.extend_from_slice(
                    format!("[{at},\"QueryResult\",{},\"{activity}\",\"\"],", quoted(&result.name))
                        .as_bytes(),
                );
            }
            out.extend_from_slice(
                format!(
                    "[{},\"QueryProperties\",\"@ExtendedProperties\",\"{activity}\",\"\"],[{},\"QueryStatus\",\"QueryStatus\",\"00000000-0000-0000-0000-000000000000\",\"\"]]}}",
                    self.begun,
                    self.begun + 1
                )
                .as_bytes(),
            );
        }
        out.push(b']');
        if !self.exceptions.is_empty() {
            out.push(b',');
            out.extend_from_slice(self.exceptions_json().as_bytes());
        }
        out.push(b'}');
        Ok(())
    }

    fn reports_failures(&self) -> bool {
        true
    }
}

/// A whole v1 answer of one table: what commands and streaming ingestion give.
pub fn single_table(
    identity: RequestIdentity,
    columns: Schema,
    batches: &[Batch],
) -> Result<Vec<u8>, EncodeError> {
    let header = ResultHeader::primary(columns);
    let mut encoder = KustoV1Encoder::new(identity, V1Kind::Command, false);
    let mut out = Vec::new();
    encoder.begin(std::slice::from_ref(&header), &mut out)?;
    encoder.begin_result(0, &header, &mut out)?;
    for batch in batches {
        encoder.rows(&header, batch, &mut out)?;
    }
    encoder.end_result(&header, None, &mut out)?;
    encoder.finish(&Completion::default(), &mut out)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response::tests_support::{completion, failed_completion, identity, sample};

    fn answer(kind: V1Kind, defer: bool, completion: &Completion) -> String {
        let (header, batch) = sample();
        let mut encoder = KustoV1Encoder::new(identity(), kind, defer);
        let mut out = Vec::new();
        encoder.begin(std::slice::from_ref(&header), &mut out).expect("begin");
        encoder.begin_result(0, &header, &mut out).expect("begin result");
        encoder.rows(&header, &batch, &mut out).expect("rows");
        encoder.end_result(&header, completion.failure.as_deref(), &mut out).expect("end result");
        encoder.finish(completion, &mut out).expect("finish");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn a_query_answers_four_tables() {
        insta::assert_snapshot!(answer(V1Kind::Query, false, &completion()));
    }

    #[test]
    fn a_command_answers_one_table() {
        insta::assert_snapshot!(answer(V1Kind::Command, false, &completion()));
    }

    #[test]
    fn a_partial_failure_stands_in_the_rows_and_beside_the_tables() {
        insta::assert_snapshot!(answer(V1Kind::Query, false, &failed_completion()));
    }

    #[test]
    fn every_answer_is_json() {
        for completion in [completion(), failed_completion()] {
            for kind in [V1Kind::Query, V1Kind::Command] {
                for defer in [false, true] {
                    let text = answer(kind, defer, &completion);
                    assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{text}");
                }
            }
        }
    }

    #[test]
    fn one_table_helper_matches_the_encoder() {
        let (header, batch) = sample();
        let whole = single_table(identity(), header.columns, &[batch]).expect("encoded");
        assert_eq!(String::from_utf8(whole).expect("text"), answer(V1Kind::Command, false, &completion()));
    }
}
