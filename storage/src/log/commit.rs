//! The thread that makes appends durable: it gathers what waits, writes it, syncs once for all of it, lets the
//! sink publish the rows and answers the callers.
//!
//! Knows requests, sequences and the writer; how rows become visible is the sink's business.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use crate::catalog::TableId;
use crate::error::{Result, StorageError};
use crate::limits::{GROUP_COMMIT_BYTES_MAX, RELAXED_SYNC_INTERVAL};
use crate::log::payload::StoredPayload;
use crate::log::writer::{LogWriter, RecordToWrite};
use crate::row_store::Chunk;
use crate::store::{Appended, Clock, Durability};

/// One batch, ready to be written.
#[derive(Debug)]
pub struct PreparedBatch {
    pub payload: StoredPayload,
    pub checksum: u64,
    pub chunk: Chunk,
}

/// One append. All batches count or none.
#[derive(Debug)]
pub struct AppendRequest {
    pub table: TableId,
    pub batches: Vec<PreparedBatch>,
    /// Hash of the idempotency key.
    pub key: Option<u128>,
    pub rows: u64,
    pub reply: Sender<Result<Appended>>,
}

impl AppendRequest {
    fn stored_bytes(&self) -> usize {
        self.batches.iter().map(|batch| batch.payload.bytes.len()).sum()
    }
}

/// What the thread is asked to do.
#[derive(Debug)]
pub enum LogCommand {
    Append(Box<AppendRequest>),
    /// Close the segment being written so that it can be freed.
    CloseSegment(Sender<()>),
    /// Sync, stop, answer.
    Stop(Sender<Result<()>>),
}

/// Rows that are durable and shall become visible.
#[derive(Debug)]
pub struct Publication {
    pub table: TableId,
    pub chunks: Vec<Chunk>,
    pub key: Option<u128>,
    pub rows: u64,
}

/// Where durable rows go.
pub trait CommitSink: Send + Sync {
    /// Sequence and rows of the request that had this key.
    fn known_key(&self, table: TableId, key: u128) -> Option<(u64, u64)>;
    /// Makes rows visible, all at once; one answer per publication.
    fn publish(&self, publications: Vec<Publication>) -> Vec<Result<Appended>>;
    /// After the callers were answered.
    fn after_publish(&self, tables: &[TableId]);
    /// Whether writes work, and the log's size and syncs.
    fn report(&self, report: LogReport);
}

/// State of the log for the store's status.
#[derive(Debug, Default)]
pub struct LogReport {
    /// A write failed just now.
    pub failure: Option<String>,
    /// Writes succeed.
    pub healthy: bool,
    pub active_bytes: u64,
    pub syncs: u64,
}

/// The thread's state.
pub struct LogThread<S: CommitSink> {
    pub writer: LogWriter,
    pub sink: Arc<S>,
    pub receiver: Receiver<LogCommand>,
    pub durability: Durability,
    pub clock: Clock,
    pub last_sequence: u64,
    pub syncs: u64,
}

impl<S: CommitSink> LogThread<S> {
    /// Works until it is told to stop or every sender is gone.
    pub fn run(mut self) {
        let mut last_sync = Instant::now();
        loop {
            let command = match self.idle_wait(last_sync) {
                None => self.receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(wait) => self.receiver.recv_timeout(wait),
            };
            let mut requests = Vec::new();
            let mut other = None;
            match command {
                Ok(LogCommand::Append(request)) => other = self.gather(*request, &mut requests),
                Ok(command) => other = Some(command),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    let _ = self.sync(true);
                    return;
                }
            }
            if !requests.is_empty() {
                self.commit(requests);
            }
            if self.writer.has_unsynced() && last_sync.elapsed() >= RELAXED_SYNC_INTERVAL {
                self.sync_relaxed();
                last_sync = Instant::now();
            }
            if self.writer.needs_repair() {
                self.repair();
            }
            match other {
                Some(LogCommand::CloseSegment(reply)) => {
                    self.sync_relaxed();
                    self.writer.close_segment();
                    self.report(None);
                    let _ = reply.send(());
                }
                Some(LogCommand::Stop(reply)) => {
                    let result = self.sync(true);
                    let _ = reply.send(result);
                    return;
                }
                _ => {}
            }
        }
    }

    fn idle_wait(&self, last_sync: Instant) -> Option<Duration> {
        const REPAIR_INTERVAL: Duration = Duration::from_millis(500);
        if self.writer.has_unsynced() {
            Some(RELAXED_SYNC_INTERVAL.saturating_sub(last_sync.elapsed()))
        } else if self.writer.needs_repair() {
            Some(REPAIR_INTERVAL)
        } else {
            None
        }
    }

    /// Takes what else waits, up to the bound of a group; the first command of another sort ends it.
    fn gather(&self, first: AppendRequest, requests: &mut Vec<AppendRequest>) -> Option<LogCommand> {
        let mut bytes = first.stored_bytes();
        requests.push(first);
        while bytes < GROUP_COMMIT_BYTES_MAX {
            match self.receiver.try_recv() {
                Ok(LogCommand::Append(request)) => {
                    bytes += request.stored_bytes();
                    requests.push(*request);
                }
                Ok(command) => return Some(command),
                Err(_) => return None,
            }
        }
        None
    }

    fn commit(&mut self, requests: Vec<AppendRequest>) {
        let mut fresh: Vec<AppendRequest> = Vec::with_capacity(requests.len());
        // A second request with a key of this very group waits for the first one's fate.
        let mut group_keys: HashMap<(TableId, u128), usize> = HashMap::new();
        let mut followers: Vec<(usize, Sender<Result<Appended>>)> = Vec::new();
        for request in requests {
            if let Some(key) = request.key {
                if let Some((sequence, rows)) = self.sink.known_key(request.table, key) {
                    let _ = request.reply.send(Ok(Appended { sequence, rows, duplicate: true }));
                    continue;
                }
                if let Some(leader) = group_keys.get(&(request.table, key)) {
                    followers.push((*leader, request.reply));
                    continue;
                }
                group_keys.insert((request.table, key), fresh.len());
            }
            fresh.push(request);
        }
        if fresh.is_empty() {
            return;
        }
        for chunk in fresh.iter_mut().flat_map(|request| &mut request.batches).map(|batch| &mut batch.chunk) {
            self.last_sequence += 1;
            chunk.first_sequence = self.last_sequence;
            chunk.last_sequence = self.last_sequence;
        }
        let written = self.write(&fresh);
        let mut replies = Vec::with_capacity(fresh.len());
        let mut answers: Vec<Result<Appended>> = match written {
            Ok(()) => {
                let mut publications = Vec::with_capacity(fresh.len());
                for request in fresh {
                    replies.push(request.reply);
                    publications.push(Publication {
                        table: request.table,
                        chunks: request.batches.into_iter().map(|batch| batch.chunk).collect(),
                        key: request.key,
                        rows: request.rows,
                    });
                }
                let mut tables: Vec<TableId> =
                    publications.iter().map(|publication| publication.table).collect();
                tables.sort_unstable();
                tables.dedup();
                let answers = self.sink.publish(publications);
                self.report(None);
                self.answer(answers, replies, followers);
                self.sink.after_publish(&tables);
                self.writer.rotate_if_full();
                return;
            }
            Err(error) => {
                self.report(Some(error.to_string()));
                replies.extend(fresh.into_iter().map(|request| request.reply));
                replies.iter().map(|_| Err(again(&error))).collect()
            }
        };
        answers.truncate(replies.len());
        self.answer(answers, replies, followers);
    }

    fn answer(
        &self,
        answers: Vec<Result<Appended>>,
        replies: Vec<Sender<Result<Appended>>>,
        followers: Vec<(usize, Sender<Result<Appended>>)>,
    ) {
        for (leader, reply) in followers {
            let answer = match answers.get(leader) {
                Some(Ok(appended)) => Ok(Appended { duplicate: true, ..*appended }),
                Some(Err(error)) => Err(again(error)),
                None => Err(StorageError::Closed),
            };
            let _ = reply.send(answer);
        }
        for (answer, reply) in answers.into_iter().zip(replies) {
            let _ = reply.send(answer);
        }
    }

    fn write(&mut self, requests: &[AppendRequest]) -> Result<()> {
        let mut records = Vec::new();
        for request in requests {
            for (index, batch) in request.batches.iter().enumerate() {
                records.push(RecordToWrite {
                    table: request.table,
                    sequence: batch.chunk.first_sequence,
                    index: index as u32,
                    more: index + 1 < request.batches.len(),
                    rows: batch.chunk.rows as u32,
                    time: batch.chunk.time.map(|(_, least, greatest)| (least, greatest)),
                    payload: &batch.payload,
                    payload_checksum: batch.checksum,
                });
            }
        }
        self.writer.write(&records, (self.clock)())?;
        match self.durability {
            Durability::Durable => self.sync(false),
            Durability::Relaxed => Ok(()),
        }
    }

    fn sync(&mut self, acknowledged: bool) -> Result<()> {
        if !self.writer.has_unsynced() {
            return Ok(());
        }
        self.syncs += 1;
        self.writer.sync(acknowledged)
    }

    fn sync_relaxed(&mut self) {
        let failure = self.sync(true).err().map(|error| error.to_string());
        self.report(failure);
    }

    fn repair(&mut self) {
        let failure = self.writer.repair((self.clock)()).err().map(|error| error.to_string());
        self.report(failure);
    }

    fn report(&self, failure: Option<String>) {
        let healthy = failure.is_none() && !self.writer.needs_repair();
        self.sink.report(LogReport {
            failure,
            healthy,
            active_bytes: self.writer.active_bytes(),
            syncs: self.syncs,
        });
    }
}

/// The same failure for another of the callers that shared it.
fn again(error: &StorageError) -> StorageError {
    match error {
        StorageError::Io { action, path, source } => {
            let source = match source.raw_os_error() {
                Some(code) => io::Error::from_raw_os_error(code),
                None => io::Error::new(source.kind(), source.to_string()),
            };
            StorageError::Io { action, path: path.clone(), source }
        }
        StorageError::NotFound { kind, name } => StorageError::NotFound { kind, name: name.clone() },
        StorageError::Closed => StorageError::Closed,
        other => StorageError::Invalid(other.to_string()),
    }
}
