//! Ingestion: the bytes of a request body into rows of a table.
//!
//! ```text
//! body ─ decompress ─▶ window ─ decode (json, delimited) ─▶ column builders ─▶ batch ─ commit ─▶ store
//! ```
//!
//! No row objects: values go from the input straight into columns. A request is all or nothing as long as
//! its rows fit `ATOMIC_BYTES`; a longer stream is committed batch by batch and the answer says how far it
//! came. Nothing here knows HTTP.

pub mod body;
mod coding;
pub mod column;
pub mod commit;
pub mod decode;
pub mod delimited;
pub mod external;
pub mod format;
pub mod json;
pub mod mapping;
pub mod rows;
pub mod small;
pub mod text;
pub mod threads;

use std::io::Read;

use conshelf_storage::{StorageError, Store, TableSchema};

use crate::ingest::body::{ContentEncoding, Window};
use crate::ingest::commit::{Committer, Created};
use crate::ingest::decode::Decoder;
use crate::ingest::delimited::{DelimitedDecoder, Header, TextDecoder};
use crate::ingest::format::Format;
use crate::ingest::json::JsonDecoder;
use crate::ingest::mapping::{JsonMapping, MappingEntry, OrdinalMapping};
use crate::ingest::rows::{DecodedBatch, Policy, RowBuilder, TextOrigin};

/// Bytes of decoded rows up to which a request is all or nothing.
pub const ATOMIC_BYTES: usize = 64 << 20;
/// Bad records that a report lists; further ones are only counted.
pub const REPORTED_ERRORS: usize = 100;

/// What becomes of a request with a bad record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OnError {
    /// Nothing of it is stored.
    #[default]
    Abort,
    /// The good records are stored, the bad ones reported.
    Skip,
}

/// Which mapping a request uses.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum MappingChoice {
    #[default]
    None,
    /// The table's, else the database's, mapping of that name and of the format's kind.
    Named(String),
    /// The mapping itself.
    Inline(serde_json::Value),
}

/// An ingestion request without its body.
#[derive(Clone, Debug)]
pub struct IngestRequest {
    pub database: String,
    pub table: String,
    /// `None`: by the look of the first bytes.
    pub format: Option<Format>,
    pub header: Header,
    pub mapping: MappingChoice,
    pub content_encoding: ContentEncoding,
    /// The friendly door: database, table and columns are made as they appear, and a value that does not fit
    /// its column widens it. Otherwise the table must exist, unknown names are passed over and values that do
    /// not fit become null.
    pub create: bool,
    pub on_error: OnError,
    /// A request with the same key stores nothing again.
    pub idempotency_key: Option<String>,
    pub tags: Vec<String>,
}

impl IngestRequest {
    pub fn new(database: impl Into<String>, table: impl Into<String>) -> IngestRequest {
        IngestRequest {
            database: database.into(),
            table: table.into(),
            format: None,
            header: Header::Auto,
            mapping: MappingChoice::None,
            content_encoding: ContentEncoding::Identity,
            create: true,
            on_error: OnError::Abort,
            idempotency_key: None,
            tags: Vec::new(),
        }
    }
}

/// A bad record.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct BadRecord {
    /// From 1.
    pub line: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    pub message: String,
}

/// What a request did, or did before it broke off.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct IngestReport {
    pub database: String,
    pub table: String,
    /// Rows stored: durable and visible.
    pub rows: u64,
    /// Plain bytes of the body up to the last row stored.
    pub bytes: u64,
    pub batches: u64,
    /// The rows were stored by an earlier request with the same key.
    pub duplicate: bool,
    pub created: Created,
    /// Values that did not fit their column and became null.
    #[serde(skip_serializing_if = "is_zero")]
    pub nulled_values: u64,
    /// Bad records passed over.
    pub skipped: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<BadRecord>,
    /// Commit sequence of the last batch: a cursor to it.
    pub sequence: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn is_zero(value: &u64) -> bool {
    *value == 0
}

/// What kind of failure an ingestion met; the server maps it to a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The body or the request is wrong; sending it again will not help.
    BadRequest,
    /// No such table, database or mapping.
    NotFound,
    /// The row store is full or the table is in flux; try again later.
    Busy,
    /// The disk refuses; try again when the cause is gone.
    Storage,
    /// The connection broke off.
    Disconnected,
}

/// Why an ingestion failed, and how far it came.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct IngestError {
    pub failure: Failure,
    /// Kusto's code, e.g. `BadRequest_TableNotExist`.
    pub code: &'static str,
    pub message: String,
    pub line: Option<u64>,
    pub field: Option<String>,
    /// Rows that are stored all the same (streams longer than `ATOMIC_BYTES`), bad records met.
    pub report: Box<IngestReport>,
}

impl IngestError {
    fn new(failure: Failure, code: &'static str, message: impl Into<String>) -> IngestError {
        IngestError {
            failure,
            code,
            message: message.into(),
            line: None,
            field: None,
            report: Box::default(),
        }
    }

    pub fn bad_request(code: &'static str, message: impl Into<String>) -> IngestError {
        IngestError::new(Failure::BadRequest, code, message)
    }

    pub fn not_found(code: &'static str, message: impl Into<String>) -> IngestError {
        IngestError::new(Failure::NotFound, code, message)
    }

    pub fn busy(message: impl Into<String>) -> IngestError {
        IngestError::new(Failure::Busy, "TooManyRequests", message)
    }
}

impl From<StorageError> for IngestError {
    fn from(error: StorageError) -> IngestError {
        let (failure, code) = match &error {
            StorageError::Busy { .. } => (Failure::Busy, "TooManyRequests"),
            StorageError::NotFound { .. } => (Failure::NotFound, "BadRequest_EntityNotFound"),
            StorageError::Invalid(_) | StorageError::AlreadyExists { .. } => {
                (Failure::BadRequest, "General_BadRequest")
            }
            _ => (Failure::Storage, "ServiceUnavailable"),
        };
        IngestError::new(failure, code, error.to_string())
    }
}

/// Reads a body to its end and stores its rows. Blocks; to be called off the async threads.
pub fn run(
    store: &Store,
    request: &IngestRequest,
    body: &mut (dyn Read + Send),
) -> Result<IngestReport, IngestError> {
    let mut ingestion = Ingestion::new(store, request);
    let outcome = ingestion.run(body);
    let report = ingestion.into_report();
    match outcome {
        Ok(()) => Ok(report),
        Err(mut error) => {
            if report.rows > 0 {
                error.message = format!(
                    "{}; {} rows ({} bytes of the body) were stored before this, a retry with the same \
                     Idempotency-Key stores only the rest",
                    error.message, report.rows, report.bytes
                );
            }
            error.report = Box::new(report);
            Err(error)
        }
    }
}

struct Ingestion<'a> {
    request: &'a IngestRequest,
    committer: Committer<'a>,
    report: IngestReport,
    /// Decoded and not committed.
    held: Vec<DecodedBatch>,
    held_bytes: usize,
    /// The stream outgrew `ATOMIC_BYTES`: batches are committed as they come.
    streaming: bool,
}

impl<'a> Ingestion<'a> {
    fn new(store: &'a Store, request: &'a IngestRequest) -> Ingestion<'a> {
        let report = IngestReport {
            database: request.database.clone(),
            table: request.table.clone(),
            ..IngestReport::default()
        };
        let committer = Committer {
            store,
            database: &request.database,
            table: &request.table,
            evolve: request.create,
            tags: &request.tags,
            created: Created::default(),
        };
        Ingestion { request, committer, report, held: Vec::new(), held_bytes: 0, streaming: false }
    }

    fn into_report(self) -> IngestReport {
        IngestReport { created: self.committer.created, ..self.report }
    }

    fn run(&mut self, body: &mut (dyn Read + Send)) -> Result<(), IngestError> {
        let source = self.request.content_encoding.decode(body).map_err(broken_body)?;
        let mut window = Window::new(source);
        window.fill().map_err(broken_body)?;
        let format = self.request.format.unwrap_or_else(|| Format::sniff(window.bytes()));
        let (mut rows, mut decoder) = self.prepare(format)?;
        loop {
            let progress = decoder.decode(window.bytes(), window.ended(), &mut rows);
            let mut bad = None;
            if let Some(error) = progress.error {
                let line = window.line_at(error.offset);
                bad = Some(BadRecord { line, field: error.field, message: error.message });
            }
            window.consume(progress.consumed);
            if let Some(bad) = bad {
                self.meet(bad)?;
                continue;
            }
            if rows.is_full() || (rows.rows() > 0 && rows.memory_bytes() >= rows::BATCH_BYTES) {
                self.take(&mut rows, window.consumed())?;
            } else if window.ended() {
                if window.bytes().is_empty() || progress.consumed == 0 {
                    break;
                }
            } else if let Err(error) = window.fill() {
                return Err(broken_body(error));
            }
        }
        self.take(&mut rows, window.consumed())?;
        if self.report.rows == 0 && self.held.is_empty() && self.report.skipped == 0 && !self.report.duplicate
        {
            return Err(IngestError::bad_request("Stream_NoDataToIngest", "the body holds no record"));
        }
        let key = self.request.idempotency_key.as_deref();
        self.commit_held(key.map(str::to_string), window.consumed())
    }

    /// The row builder and the decoder of the request.
    fn prepare(&self, format: Format) -> Result<(RowBuilder, Box<dyn Decoder>), IngestError> {
        let snapshot = self.committer.store.snapshot();
        let database = snapshot.database(&self.request.database);
        let table = snapshot.table(&self.request.database, &self.request.table);
        if !self.request.create {
            if database.is_none() {
                let message =
                    format!("Entity ID '{}' of kind 'Database' was not found.", self.request.database);
                return Err(IngestError::not_found("BadRequest_EntityNotFound", message));
            }
            if table.is_none() {
                let message = format!(
                    "table '{}' does not exist in database '{}'",
                    self.request.table, self.request.database
                );
                return Err(IngestError::not_found("BadRequest_TableNotExist", message));
            }
        }
        let entries = match &self.request.mapping {
            MappingChoice::None => None,
            MappingChoice::Inline(definition) => Some(mapping::parse(definition).map_err(bad_mapping)?),
            MappingChoice::Named(name) => {
                let kind = format.mapping_kind();
                let found = table
                    .and_then(|table| table.mapping(kind, name))
                    .or_else(|| database.and_then(|database| database.mapping(kind, name)));
                let Some(found) = found else {
                    let message = format!(
                        "ingestion mapping '{name}' of kind '{kind}' was not found on table '{}'",
                        self.request.table
                    );
                    return Err(IngestError::not_found("BadRequest_InvalidMappingReference", message));
                };
                Some(mapping::parse(&found.definition).map_err(bad_mapping)?)
            }
        };
        let policy = if self.request.create { Policy::Evolve } else { Policy::Strict };
        let origin = if format == Format::Json { TextOrigin::Json } else { TextOrigin::Delimited };
        let empty = TableSchema::default();
        let schema = table.map_or(&empty, |table| &table.schema);
        let mut rows = RowBuilder::new(schema, policy, origin);
        let decoder =
            decoder(format, self.request.header, entries.as_deref(), &mut rows).map_err(bad_mapping)?;
        Ok((rows, decoder))
    }

    /// A bad record: the end of the request, or one to pass over.
    fn meet(&mut self, bad: BadRecord) -> Result<(), IngestError> {
        if self.request.on_error == OnError::Abort {
            let at = match &bad.field {
                Some(field) => format!("line {}, field '{field}'", bad.line),
                None => format!("line {}", bad.line),
            };
            let mut error =
                IngestError::bad_request("BadRequest_InvalidBlob", format!("{at}: {}", bad.message));
            error.line = Some(bad.line);
            error.field.clone_from(&bad.field);
            return Err(error);
        }
        self.report.skipped += 1;
        if self.report.errors.len() < REPORTED_ERRORS {
            self.report.errors.push(bad);
        }
        Ok(())
    }

    /// Takes the rows built so far; commits them if the request has outgrown all or nothing.
    fn take(&mut self, rows: &mut RowBuilder, consumed: u64) -> Result<(), IngestError> {
        if rows.rows() == 0 {
            return Ok(());
        }
        self.held_bytes += rows.memory_bytes();
        let batch = rows.finish_coded();
        self.report.nulled_values += batch.nulled;
        self.held.push(batch);
        self.streaming |= self.held_bytes > ATOMIC_BYTES;
        if self.streaming {
            // Batches are cut by rows and bytes alone, so that a repeated request cuts the same ones.
            let key = self.request.idempotency_key.as_ref().map(|key| format!("{key}#{consumed}"));
            self.commit_held(key, consumed)?;
        }
        Ok(())
    }

    fn commit_held(&mut self, key: Option<String>, consumed: u64) -> Result<(), IngestError> {
        if self.held.is_empty() {
            return Ok(());
        }
        let appended = self.committer.commit(&self.held, key.as_deref())?;
        self.report.rows += appended.rows;
        self.report.batches += self.held.len() as u64;
        self.report.bytes = consumed;
        self.report.sequence = appended.sequence;
        self.report.duplicate = appended.duplicate;
        self.held.clear();
        Ok(())
    }
}

fn decoder(
    format: Format,
    header: Header,
    entries: Option<&[MappingEntry]>,
    rows: &mut RowBuilder,
) -> Result<Box<dyn Decoder>, String> {
    Ok(match format {
        Format::Json => {
            let mapping = entries.map(|entries| JsonMapping::compile(entries, rows)).transpose()?;
            Box::new(JsonDecoder::new(mapping))
        }
        Format::Delimited(dialect) => {
            let mapping = entries.map(|entries| OrdinalMapping::compile(entries, rows)).transpose()?;
            Box::new(DelimitedDecoder::new(dialect, header, mapping))
        }
        Format::Text | Format::Raw => {
            let mapping = entries.map(|entries| OrdinalMapping::compile(entries, rows)).transpose()?;
            Box::new(TextDecoder::new(format == Format::Raw, mapping))
        }
    })
}

fn bad_mapping(message: String) -> IngestError {
    IngestError::bad_request("BadRequest_InvalidMapping", message)
}

fn broken_body(error: std::io::Error) -> IngestError {
    match error.kind() {
        std::io::ErrorKind::ConnectionAborted
        | std::io::ErrorKind::ConnectionReset
        | std::io::ErrorKind::BrokenPipe
        | std::io::ErrorKind::TimedOut => IngestError::new(
            Failure::Disconnected,
            "ClientDisconnected",
            format!("the body broke off: {error}"),
        ),
        _ => IngestError::bad_request(
            "BadRequest_InvalidBlob",
            format!("the body cannot be read with its content encoding: {error}"),
        ),
    }
}

/// For fuzzing: any bytes as a body of any format; must neither panic nor hang.
#[doc(hidden)]
pub fn fuzz_decode(data: &[u8]) {
    let Some((&choice, input)) = data.split_first() else { return };
    let format = match choice % 4 {
        0 => Format::Json,
        1 => Format::CSV,
        2 => Format::Delimited(format::Dialect { delimiter: b'\t', quoted: false }),
        _ => Format::Text,
    };
    let schema = TableSchema::new(conshelf_storage::ColumnType::ALL.map(|ty| (ty.name(), ty)));
    let policy = if choice & 64 == 0 { Policy::Strict } else { Policy::Evolve };
    let mut rows = RowBuilder::new(&schema, policy, TextOrigin::Json);
    let Ok(mut decoder) = decoder(format, Header::Auto, None, &mut rows) else { return };
    let half = input.len() / 2;
    let first = decoder.decode(&input[..half], false, &mut rows);
    let mut at = first.consumed;
    assert!(at <= half, "a decoder consumes no more than it was given");
    while at < input.len() {
        let progress = decoder.decode(&input[at..], true, &mut rows);
        at += progress.consumed;
        if progress.consumed == 0 {
            break;
        }
    }
    rows.finish();
}
