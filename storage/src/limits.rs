//! Every constant that bounds something in the store, with its reason.

use std::time::Duration;

/// 100 ns ticks in one second; every time in this crate is in ticks since 0001-01-01T00:00:00Z.
pub const TICKS_PER_SECOND: i64 = 10_000_000;

/// One partition is a day of the time column: small enough that "last hours" queries and retention skip
/// most files, large enough that a year is a few hundred directories.
pub const PARTITION_SPAN_TICKS: i64 = 86_400 * TICKS_PER_SECOND;

/// A seal that would touch more partitions than this uses a coarser span for its extents: a request with
/// random years must not create a million files.
pub const SEAL_PARTITIONS_MAX: usize = 64;

/// The factor between one partition span and the next coarser one (a day, about a month, about three years …).
pub const PARTITION_COARSENING: i64 = 32;

/// Rows of one table that trigger a seal: sixteen full row groups, which is where dictionaries, term indexes
/// and compression reach nearly their final ratio.
pub const SEAL_ROWS: u64 = 1_048_576;

/// Bytes of one table in the row store that trigger a seal.
pub const SEAL_BYTES: u64 = 256 << 20;

/// Age of the oldest unsealed row that triggers a seal. Rows are durable and visible before; the age only
/// bounds how long they stay outside the indexed form.
pub const SEAL_AGE: Duration = Duration::from_secs(60);

/// Log bytes on disk past which tables that hold the oldest segment are sealed: bounds the replay at open to
/// about two seconds.
pub const LOG_BYTES_MAX: u64 = 512 << 20;

/// A segment is closed at this size: the unit in which log space is freed.
pub const LOG_SEGMENT_BYTES: u64 = 64 << 20;

/// Bytes that one group commit gathers at most before it writes: bounds the wait of its first member.
pub const GROUP_COMMIT_BYTES_MAX: usize = 32 << 20;

/// Requests that may wait for the log thread; more callers block in `append`.
pub const LOG_QUEUE_LENGTH: usize = 1024;

/// How often `Durability::Relaxed` syncs the log.
pub const RELAXED_SYNC_INTERVAL: Duration = Duration::from_millis(100);

/// Largest stored payload of one log record; a longer batch is split by the caller (and a longer length in a
/// file is damage, not data).
pub const LOG_RECORD_BYTES_MAX: u32 = 1 << 30;

/// Most rows of one appended batch.
pub const APPEND_ROWS_MAX: usize = 4 << 20;

/// Texts below this many bytes stay uncompressed in the log: making the compressor ready would cost more than it
/// saves.
pub const LOG_COMPRESS_BYTES_MIN: usize = 2048;

/// Default bound of the row store's memory.
pub const ROW_STORE_BYTES: u64 = 1 << 30;

/// How long an append waits for room in the row store before it is refused: about as long as a seal takes to
/// give some back.
pub const BUSY_WAIT: Duration = Duration::from_secs(2);

/// The row store keeps a chunk of at least this many rows as it is; smaller ones are joined.
pub const CHUNK_ROWS_FULL: usize = 4096;

/// Fewest small chunks at the end of a table that are joined at once: fewer are not worth the call.
pub const CHUNK_JOIN_COUNT: usize = 16;

/// A join at least multiplies the rows of each of its chunks by this, so a row is copied at most six times on its
/// way to a full chunk.
pub const CHUNK_GROWTH_FACTOR: usize = 4;

/// Rows of one row-store morsel; the same as a row group, so that all morsels are alike.
pub const MORSEL_ROWS: usize = 65_536;

/// Rows of one row group in an extent.
pub const ROW_GROUP_ROWS: usize = 65_536;

/// Rows past which an extent is never merged again.
pub const EXTENT_ROWS_MAX: u64 = 16 << 20;

/// Original bytes past which an extent is never merged again.
pub const EXTENT_ORIGINAL_BYTES_MAX: u64 = 4 << 30;

/// Most extents that one merge reads.
pub const MERGE_INPUTS_MAX: usize = 100;

/// Fewest extents of one size tier that are worth a merge. Tiers grow by the same factor, so a merge lifts its
/// rows by one tier: about three times between the usual size of a seal and a full extent.
pub const MERGE_INPUTS_MIN: usize = 8;

/// A partition whose newest extent is this old is merged as a whole: late rows are rare after it.
pub const MERGE_COLD_AGE_TICKS: i64 = 3600 * TICKS_PER_SECOND;

/// Fewest extents of such a partition that are worth it.
pub const MERGE_COLD_INPUTS_MIN: usize = 4;

/// Rows that a settled extent should have at least: what a seal makes under load.
pub const EXTENT_ROWS_MIN: u64 = 1_000_000;

/// A partition whose newest extent is this old has settled: what a burst left over is merged to the size of a
/// usual extent, and sparse partitions join their neighbours.
pub const MERGE_QUIET_AGE_TICKS: i64 = 120 * TICKS_PER_SECOND;

/// An extent that was merged so many times takes no part in the merges of settled partitions …
pub const MERGE_GENERATIONS_MAX: u32 = 2;

/// … unless it has fewer rows than this.
pub const MERGE_FREE_ROWS: u64 = 131_072;

/// Sparse partitions are joined over at most this part of the table's retention: so much longer its rows may stay.
pub const RETENTION_SLACK_SHARE: i64 = 8;

/// Decoded bytes that one merge may hold: one row group of each input at worst.
pub const MERGE_MEMORY_BYTES: u64 = 256 << 20;

/// An idempotency key is remembered at least this long after its batch …
pub const KEY_AGE: Duration = Duration::from_secs(24 * 3600);

/// … unless the table has seen more than this many newer keys.
pub const KEYS_PER_TABLE_MAX: usize = 50_000;

/// Longest idempotency key in bytes.
pub const KEY_BYTES_MAX: usize = 1024;

/// Most tags that one extent carries.
pub const TAGS_PER_EXTENT_MAX: usize = 256;

/// Dropped extents stay this long after the drop, so that it can be undone.
pub const RECOVERABILITY: Duration = Duration::from_secs(3600);

/// Extents replaced by a merge stay this long: their rows live on in the merged one, and queries that still read
/// them keep them anyway.
pub const REPLACED_KEEP: Duration = Duration::from_secs(2);

/// A full manifest is written every this many versions; between them only differences are.
pub const MANIFEST_CHECKPOINT_EVERY: u64 = 64;

/// Full manifests kept: the newest, and one before it in case the newest is damaged.
pub const MANIFEST_CHECKPOINTS_KEPT: usize = 3;

/// Longest name of a database, table, column, function or mapping (Kusto's limit).
pub const NAME_BYTES_MAX: usize = 1024;

/// How often background threads look for work when nobody wakes them.
pub const BACKGROUND_TICK: Duration = Duration::from_millis(250);

/// How often retention is applied.
pub const RETENTION_INTERVAL: Duration = Duration::from_secs(60);

/// How often files that nobody needs any more are deleted.
pub const GARBAGE_INTERVAL: Duration = Duration::from_secs(5);

/// Bytes of extents, the newest first, that are mapped and checked at the start before a query asks for them.
pub const WARM_UP_BYTES_MAX: u64 = 2 << 30;

/// Most extents of them: an open one holds its footer in memory.
pub const WARM_UP_EXTENTS_MAX: usize = 256;
