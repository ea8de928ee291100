//! Writing an extent so that it exists wholly or not at all, and reading it back once for its checksum.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use arrow_array::ArrayRef;
use uuid::Uuid;
use xxhash_rust::xxh3::Xxh3;

use crate::catalog::{INGESTION_TIME_COLUMN, TableEntry};
use crate::error::{Result, StorageError};
use crate::extent::{EncodeOptions, ExtentSpecification, ExtentWriter};
use crate::manifest::edit::ExtentRecord;
use crate::shared::Shared;
use crate::types::ColumnType;

/// The hidden columns that every extent has.
pub(crate) const HIDDEN_COLUMNS: [(u32, ColumnType); 1] = [(INGESTION_TIME_COLUMN, ColumnType::DateTime)];

/// What the new extent is.
#[derive(Debug)]
pub(crate) struct NewExtent<'a> {
    pub entry: &'a TableEntry,
    pub partition: (i64, i64),
    pub created_ticks: i64,
    pub generation: u32,
    pub tags: Vec<String>,
}

/// Ids and types of an extent's columns in their order.
pub(crate) fn columns_of(entry: &TableEntry) -> Vec<(u32, ColumnType)> {
    let visible = entry.schema.columns.iter().map(|column| (column.id, column.ty));
    visible.chain(HIDDEN_COLUMNS).collect()
}

/// Writes an extent from the row groups that `next` gives, under its final name, durably. The manifest does not
/// know it yet: until it does, a crash removes it.
pub(crate) fn write(
    shared: &Shared,
    new: NewExtent<'_>,
    mut next: impl FnMut() -> Result<Option<Vec<ArrayRef>>>,
) -> Result<ExtentRecord> {
    let mut record = ExtentRecord {
        id: Uuid::new_v4(),
        partition: new.partition,
        rows: 0,
        row_groups: 0,
        file_bytes: 0,
        original_bytes: 0,
        file_checksum: 0,
        time_column: new.entry.time_column(),
        min_time: None,
        max_time: None,
        created_ticks: new.created_ticks,
        generation: new.generation,
        tags: new.tags,
    };
    let path = shared.layout.extent(new.entry.id, &record);
    let directory = path.parent().unwrap_or(&path).to_owned();
    create_directories(shared, &directory)?;
    let temporary = path.with_extension("extent.tmp");
    let specification = ExtentSpecification {
        extent_id: record.id,
        table_id: new.entry.id,
        schema: &new.entry.schema,
        hidden_columns: &HIDDEN_COLUMNS,
        partition: Some(record.partition),
        created_ticks: record.created_ticks,
        tags: &record.tags,
    };
    let written = (|| {
        let mut writer = ExtentWriter::create(&temporary, &specification, &EncodeOptions::default())?;
        while let Some(arrays) = next()? {
            writer.push_row_group(&arrays)?;
        }
        let summary = writer.finish()?;
        let checksum = file_checksum(&temporary)?;
        shared.disk.wrote(&temporary).map_err(|error| StorageError::io("write", &temporary, error))?;
        shared.disk.rename(&temporary, &path).map_err(|error| StorageError::io("rename to", &path, error))?;
        Ok((summary, checksum))
    })();
    let (summary, checksum) = match written {
        Ok(written) => written,
        Err(error) => {
            let _ = shared.disk.remove(&temporary);
            return Err(error);
        }
    };
    if let Err(error) = shared.disk.sync_directory(&directory) {
        let _ = shared.disk.remove(&path);
        return Err(StorageError::io("sync directory", directory, error));
    }
    record.rows = summary.rows;
    record.row_groups = summary.row_groups;
    record.file_bytes = summary.file_bytes;
    record.original_bytes = summary.original_bytes;
    record.file_checksum = checksum;
    record.min_time = summary.min_time;
    record.max_time = summary.max_time;
    Ok(record)
}

/// Creates the directory of a partition so that a crash does not lose it with its files.
fn create_directories(shared: &Shared, directory: &Path) -> Result<()> {
    if shared.durable_directories.lock().contains(directory) {
        return Ok(());
    }
    let created = || {
        shared.disk.create_directory(directory)?;
        let table = directory.parent().unwrap_or(directory);
        shared.disk.sync_directory(table)?;
        shared.disk.sync_directory(&shared.layout.extents())
    };
    created().map_err(|error| StorageError::io("create directory", directory, error))?;
    shared.durable_directories.lock().insert(directory.to_owned());
    Ok(())
}

/// xxh3 (64 bit) of a whole file.
pub(crate) fn file_checksum(path: &Path) -> Result<u64> {
    let read = || -> std::io::Result<u64> {
        let mut file = File::open(path)?;
        let mut hasher = Xxh3::new();
        let mut buffer = vec![0u8; 1 << 20];
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(hasher.digest()),
                length => hasher.update(&buffer[..length]),
            }
        }
    };
    read().map_err(|error| StorageError::io("read", path, error))
}

/// Deletes extents that were written but not committed.
pub(crate) fn discard(shared: &Shared, entry: &TableEntry, records: &[ExtentRecord]) {
    for record in records {
        let path: PathBuf = shared.layout.extent(entry.id, record);
        if let Err(error) = shared.disk.remove(&path) {
            tracing::warn!(file = %path.display(), %error, "an unused extent stays until the next start");
        }
    }
}

/// After a commit that failed: extents of a version that may exist on disk stay until another version took its
/// place for certain, others go at once.
pub(crate) fn abandon(shared: &Shared, entry: &TableEntry, records: &[ExtentRecord], doubtful: bool) {
    if doubtful {
        let paths = records.iter().map(|record| shared.layout.extent(entry.id, record));
        shared.doubtful.lock().extend(paths);
    } else {
        discard(shared, entry, records);
    }
}
