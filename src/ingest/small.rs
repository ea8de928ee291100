//! Small requests in company: those that wait at the same time for the same table are decoded into one batch
//! and share one append.
//!
//! A request of a few rows costs far less to decode than to commit: columns, log record, chunk and wake-ups are
//! per batch. While one group is on its way to the disk the next one gathers, so that nobody waits for company.
//! Each request stays all or nothing. One that needs more than rows in the columns there are (an error to
//! report, a table or column to make) is handed back, to be run by itself. Knows no HTTP.

use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::panic::AssertUnwindSafe;
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, Sender, channel};

use bytes::Bytes;
use conshelf_storage::{AppendOptions, StorageError, Store, TableEntry};

use crate::ingest::body::ContentEncoding;
use crate::ingest::commit::align;
use crate::ingest::format::Format;
use crate::ingest::rows::{DecodedBatch, Policy, RowBuilder, TextOrigin};
use crate::ingest::{IngestError, IngestReport, IngestRequest, MappingChoice, OnError, decoder, mapping};

/// Largest body of a small request.
pub const SMALL_BYTES: usize = 64 << 10;
/// Bytes of bodies that one group takes.
const GROUP_BYTES: usize = 1 << 20;
/// Threads that gather; a table belongs to one of them.
const GATHERERS: usize = 4;

/// What became of a small request.
#[derive(Debug)]
pub enum Outcome {
    /// Its rows are durable and visible.
    Stored(IngestReport),
    Failed(IngestError),
    /// Nothing was done: the request must be run by itself.
    Alone(Box<IngestRequest>),
}

/// Called once with the outcome, on a gathering thread: must not block.
pub type Answer = Box<dyn FnOnce(Outcome) + Send>;

struct Job {
    request: IngestRequest,
    body: Bytes,
    answer: Answer,
}

/// What a request contributed to the batch of its group.
#[derive(Clone, Copy, Debug)]
struct Share {
    rows: u64,
    bytes: u64,
    nulled: u64,
}

/// The threads that gather small requests; they start at the first one and end when this is dropped.
pub struct SmallRequests {
    store: Store,
    hasher: foldhash::fast::RandomState,
    gatherers: [OnceLock<Option<Sender<Job>>>; GATHERERS],
}

impl std::fmt::Debug for SmallRequests {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmallRequests").finish_non_exhaustive()
    }
}

/// Whether a request with a body of so many bytes may share its batch with others.
pub fn is_small(request: &IngestRequest, body_bytes: u64) -> bool {
    body_bytes <= SMALL_BYTES as u64
        && request.content_encoding == ContentEncoding::Identity
        && request.on_error == OnError::Abort
        && request.idempotency_key.is_none()
        && request.tags.is_empty()
        && !matches!(request.mapping, MappingChoice::Inline(_))
}

impl SmallRequests {
    pub fn new(store: Store) -> SmallRequests {
        SmallRequests { store, hasher: foldhash::fast::RandomState::default(), gatherers: Default::default() }
    }

    /// Hands in a request for which `is_small` holds.
    pub fn submit(&self, request: IngestRequest, body: Bytes, answer: Answer) {
        let hash = self.hasher.hash_one((&request.database, &request.table));
        let gatherer = &self.gatherers[(hash % GATHERERS as u64) as usize];
        let job = Job { request, body, answer };
        let refused = match gatherer.get_or_init(|| start(self.store.clone())) {
            Some(sender) => sender.send(job).err().map(|error| error.0),
            None => Some(job),
        };
        if let Some(Job { request, answer, .. }) = refused {
            answer(Outcome::Alone(Box::new(request)));
        }
    }
}

fn start(store: Store) -> Option<Sender<Job>> {
    let (sender, receiver) = channel();
    std::thread::Builder::new()
        .name("conshelf-gather".to_owned())
        .spawn(move || gather(&store, &receiver))
        .is_ok()
        .then_some(sender)
}

fn gather(store: &Store, receiver: &Receiver<Job>) {
    while let Ok(first) = receiver.recv() {
        let mut bytes = first.body.len();
        let mut waiting = VecDeque::from([first]);
        while bytes < GROUP_BYTES
            && let Ok(job) = receiver.try_recv()
        {
            bytes += job.body.len();
            waiting.push_back(job);
        }
        while let Some(first) = waiting.pop_front() {
            let mut group = vec![first];
            let mut others = VecDeque::new();
            for job in waiting {
                if are_alike(&group[0].request, &job.request) {
                    group.push(job)
                } else {
                    others.push_back(job)
                }
            }
            waiting = others;
            // Whoever is in a group that panics is told by the loss of its answer; later groups go on.
            if std::panic::catch_unwind(AssertUnwindSafe(|| store_group(store, group))).is_err() {
                tracing::error!("a group of small requests met a fault");
            }
        }
    }
}

/// Whether two requests can be decoded into the same batch.
fn are_alike(left: &IngestRequest, right: &IngestRequest) -> bool {
    left.table == right.table
        && left.database == right.database
        && left.create == right.create
        && left.format == right.format
        && left.header == right.header
        && left.mapping == right.mapping
}

fn hand_back(jobs: Vec<Job>) {
    for job in jobs {
        (job.answer)(Outcome::Alone(Box::new(job.request)));
    }
}

fn store_group(store: &Store, jobs: Vec<Job>) {
    let table = &jobs[0].request;
    let Some(entry) = store.table(&table.database, &table.table) else { return hand_back(jobs) };
    let mut jobs = jobs;
    let (batch, shares) = match decode(&entry, &jobs) {
        Ok(decoded) => decoded,
        Err(misfits) => {
            let (alone, company): (Vec<_>, Vec<_>) =
                jobs.into_iter().zip(misfits).partition(|(_, misfit)| *misfit);
            hand_back(alone.into_iter().map(|(job, _)| job).collect());
            jobs = company.into_iter().map(|(job, _)| job).collect();
            if jobs.is_empty() {
                return;
            }
            match decode(&entry, &jobs) {
                Ok(decoded) => decoded,
                Err(_) => return hand_back(jobs),
            }
        }
    };
    let columns = align(&entry.schema, &batch);
    let options = AppendOptions { key: None, schema: Some(entry.schema.clone()), tags: Vec::new() };
    match store.append(entry.id, &columns, options) {
        Ok(appended) => {
            for (job, share) in jobs.into_iter().zip(shares) {
                (job.answer)(Outcome::Stored(IngestReport {
                    database: job.request.database,
                    table: job.request.table,
                    rows: share.rows,
                    bytes: share.bytes,
                    batches: 1,
                    nulled_values: share.nulled,
                    sequence: appended.sequence,
                    ..IngestReport::default()
                }));
            }
        }
        // The table may have changed on the way; run alone, each finds out what there is now.
        Err(StorageError::Invalid(_) | StorageError::NotFound { .. }) => hand_back(jobs),
        Err(error) => {
            let error = IngestError::from(error);
            for job in jobs {
                let report = IngestReport {
                    database: job.request.database,
                    table: job.request.table,
                    ..IngestReport::default()
                };
                (job.answer)(Outcome::Failed(IngestError { report: Box::new(report), ..error.clone() }));
            }
        }
    }
}

/// The rows of all bodies in one batch, and what each brought; or which of them cannot be part of it.
fn decode(entry: &TableEntry, jobs: &[Job]) -> Result<(DecodedBatch, Vec<Share>), Vec<bool>> {
    let all_misfit = || jobs.iter().map(|_| true).collect::<Vec<bool>>();
    let Some(request) = jobs.first().map(|job| &job.request) else { return Err(Vec::new()) };
    let policy = if request.create { Policy::Evolve } else { Policy::Strict };
    // A request without a format goes by the look of its body; one that looks different goes alone.
    let sniffed = request.format.unwrap_or_else(|| Format::sniff(body_of(&jobs[0])));
    let entries = match &request.mapping {
        MappingChoice::Named(name) => {
            let found = entry.mapping(sniffed.mapping_kind(), name);
            match found.map(|found| mapping::parse(&found.definition)) {
                Some(Ok(entries)) => Some(entries),
                _ => return Err(all_misfit()),
            }
        }
        _ => None,
    };
    let origin = if sniffed == Format::Json { TextOrigin::Json } else { TextOrigin::Delimited };
    let mut rows = RowBuilder::new(&entry.schema, policy, origin);
    let mut shares = Vec::with_capacity(jobs.len());
    let mut misfits = Vec::with_capacity(jobs.len());
    for job in jobs {
        let body = body_of(job);
        let (rows_before, nulled_before) = (rows.rows(), rows.nulled());
        let format = job.request.format.unwrap_or_else(|| Format::sniff(body));
        let mut is_whole = format == sniffed;
        let mut at = 0;
        if is_whole {
            match decoder(format, job.request.header, entries.as_deref(), &mut rows) {
                Err(_) => is_whole = false,
                Ok(mut decoder) => loop {
                    let progress = decoder.decode(&body[at..], true, &mut rows);
                    at += progress.consumed;
                    if progress.error.is_some() || (progress.consumed == 0 && at < body.len()) {
                        is_whole = false;
                        break;
                    }
                    if at >= body.len() {
                        break;
                    }
                },
            }
        }
        let share = Share {
            rows: (rows.rows() - rows_before) as u64,
            bytes: at as u64,
            nulled: rows.nulled() - nulled_before,
        };
        misfits.push(!is_whole || share.rows == 0 || !rows.fits(&entry.schema));
        shares.push(share);
    }
    if misfits.contains(&true) {
        return Err(misfits);
    }
    Ok((rows.finish_coded(), shares))
}

/// The body without a byte order mark.
fn body_of(job: &Job) -> &[u8] {
    job.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&job.body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use conshelf_storage::{CatalogChange, ColumnType, StoreOptions, TableSchema};

    fn table_store() -> (tempfile::TempDir, Store) {
        let directory = tempfile::tempdir().expect("a directory");
        let store = Store::open(directory.path(), StoreOptions::default()).expect("opens");
        store
            .commit(CatalogChange::CreateTable {
                database: "NetDefaultDB".into(),
                name: "t".into(),
                schema: TableSchema::new([("a", ColumnType::Long), ("b", ColumnType::String)]),
                folder: String::new(),
                docstring: String::new(),
                if_not_exists: false,
            })
            .expect("a table");
        (directory, store)
    }

    /// Runs bodies as one group; gives what each was answered, in a word.
    fn answers(store: &Store, create: bool, bodies: &[&str]) -> Vec<String> {
        let (sender, receiver) = channel();
        let jobs = bodies.iter().enumerate().map(|(at, body)| {
            let mut request = IngestRequest::new("NetDefaultDB", "t");
            request.create = create;
            let sender = sender.clone();
            Job {
                request,
                body: Bytes::copy_from_slice(body.as_bytes()),
                answer: Box::new(move |outcome| {
                    let word = match outcome {
                        Outcome::Stored(report) => {
                            format!("{} rows, {} nulled", report.rows, report.nulled_values)
                        }
                        Outcome::Failed(error) => error.message,
                        Outcome::Alone(_) => "alone".to_owned(),
                    };
                    sender.send((at, word)).expect("is read");
                }),
            }
        });
        store_group(store, jobs.collect());
        drop(sender);
        let mut all: Vec<_> = receiver.iter().collect();
        all.sort();
        all.into_iter().map(|(_, word)| word).collect()
    }

    fn rows(store: &Store) -> u64 {
        let entry = store.table("NetDefaultDB", "t").expect("is there");
        store.snapshot().table_data(entry.id).expect("is there").rows()
    }

    #[test]
    fn requests_share_a_batch_and_stay_all_or_nothing() {
        let (_directory, store) = table_store();
        let before = store.status().log_syncs;
        let found = answers(
            &store,
            false,
            &[
                r#"{"a":1,"b":"x"}"#,
                "{\"a\":2}\n{\"a\":\"no number\"}\n",
                "{\"a\":3}\n{broken",
                "",
                "\u{feff}[{\"b\":\"y\",\"unknown\":1}]",
            ],
        );
        assert_eq!(found, ["1 rows, 0 nulled", "2 rows, 1 nulled", "alone", "alone", "1 rows, 0 nulled"]);
        assert_eq!(rows(&store), 4);
        assert_eq!(store.status().log_syncs, before + 1);
    }

    #[test]
    fn requests_that_change_the_table_go_alone() {
        let (_directory, store) = table_store();
        let found = answers(&store, true, &[r#"{"a":1}"#, r#"{"c":1}"#, r#"{"a":2}"#]);
        // Which of a group brought the column is not worth finding out.
        assert_eq!(found[0], "1 rows, 0 nulled");
        assert_eq!(found[1], "alone");
        assert!(answers(&store, true, &[r#"{"a":0.5}"#]) == ["alone"]);
        assert!(answers(&store, true, &[r#"{"a":7,"d":null}"#]) == ["1 rows, 0 nulled"]);
    }

    #[test]
    fn what_is_small() {
        let request = IngestRequest::new("d", "t");
        assert!(is_small(&request, 10));
        assert!(!is_small(&request, SMALL_BYTES as u64 + 1));
        assert!(!is_small(&IngestRequest { idempotency_key: Some("k".into()), ..request.clone() }, 10));
        assert!(!is_small(&IngestRequest { on_error: OnError::Skip, ..request }, 10));
    }
}
