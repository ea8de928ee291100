//! Decoded batches into a table: makes what is missing, settles column types, appends.
//!
//! Two requests may meet: each reconciles its columns with the schema of the moment and tries again when the
//! table has moved on in between.

use conshelf_storage::{
    AlteredColumn, AppendOptions, Appended, CatalogChange, ColumnType, StorageError, Store, TableEntry,
    TableSchema,
};
use parking_lot::Mutex;
use std::sync::Arc;

use crate::ingest::IngestError;
use crate::ingest::column::{ColumnBuilder, fits_real};
use crate::ingest::rows::DecodedBatch;
use arrow_array::ArrayRef;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;

/// Times a schema is settled anew because another request changed the table.
const ATTEMPTS: usize = 16;

/// One schema change at a time: requests that bring the same new column would only undo each other's work.
static EVOLVING: Mutex<()> = Mutex::new(());

/// A column made or changed by a request.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ColumnChange {
    pub name: String,
    #[serde(rename = "type")]
    pub ty: &'static str,
    /// The type before, where the column was widened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub was: Option<&'static str>,
}

/// What was made for a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Created {
    pub database: bool,
    pub table: bool,
    pub columns: Vec<ColumnChange>,
}

/// Appends batches to one table.
#[derive(Debug)]
pub struct Committer<'a> {
    pub store: &'a Store,
    pub database: &'a str,
    pub table: &'a str,
    /// May create and alter.
    pub evolve: bool,
    pub tags: &'a [String],
    pub created: Created,
}

impl Committer<'_> {
    /// Makes the batches durable and visible, all together.
    pub fn commit(&mut self, batches: &[DecodedBatch], key: Option<&str>) -> Result<Appended, IngestError> {
        for _ in 0..ATTEMPTS {
            let entry = match self.table_entry() {
                Some(entry) if !self.evolve || self.altered(&entry, batches)?.is_none() => entry,
                found if self.evolve => {
                    let _evolving = EVOLVING.lock();
                    self.evolve(found.is_some(), batches)?;
                    continue;
                }
                _ => return Err(self.missing()),
            };
            let aligned: Vec<Vec<ArrayRef>> =
                batches.iter().map(|batch| align(&entry.schema, batch)).collect();
            let options = AppendOptions { key, schema: Some(entry.schema.clone()), tags: self.tags.to_vec() };
            match self.store.append_many(entry.id, &aligned, options) {
                Ok(appended) => return Ok(appended),
                Err(StorageError::Invalid(_) | StorageError::NotFound { .. }) if self.moved_on(&entry) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(IngestError::busy("the table's columns keep changing under this request; try again"))
    }

    fn table_entry(&self) -> Option<Arc<TableEntry>> {
        self.store.table(self.database, self.table)
    }

    fn moved_on(&self, entry: &TableEntry) -> bool {
        self.table_entry().is_none_or(|now| now.id != entry.id || now.schema_version != entry.schema_version)
    }

    fn missing(&self) -> IngestError {
        IngestError::not_found(
            "BadRequest_TableNotExist",
            format!("table '{}' does not exist in database '{}'", self.table, self.database),
        )
    }

    /// Creates the database and the table if they are missing and brings the schema to what the batches need.
    fn evolve(&mut self, _table_was_there: bool, batches: &[DecodedBatch]) -> Result<(), IngestError> {
        let snapshot = self.store.snapshot();
        if snapshot.database(self.database).is_none() {
            self.store.commit(CatalogChange::CreateDatabase {
                name: self.database.to_string(),
                if_not_exists: true,
            })?;
            self.created.database = true;
        }
        let Some(entry) = self.table_entry() else {
            let mut columns: Vec<(String, ColumnType)> = Vec::new();
            for column in batches.iter().flat_map(|batch| &batch.columns) {
                match columns.iter_mut().find(|(name, _)| *name == column.name) {
                    Some((_, ty)) => *ty = column.ty,
                    None => columns.push((column.name.clone(), column.ty)),
                }
            }
            self.created.columns.extend(columns.iter().map(|(name, ty)| ColumnChange {
                name: name.clone(),
                ty: ty.name(),
                was: None,
            }));
            self.store.commit(CatalogChange::CreateTable {
                database: self.database.to_string(),
                name: self.table.to_string(),
                schema: TableSchema::new(columns),
                folder: String::new(),
                docstring: String::new(),
                if_not_exists: true,
            })?;
            self.created.table = true;
            return Ok(());
        };
        let Some(columns) = self.altered(&entry, batches)? else { return Ok(()) };
        let changes = columns.iter().filter_map(|column| {
            let was = entry.schema.columns.iter().find(|old| Some(old.id) == column.id).map(|old| old.ty);
            (was != Some(column.ty)).then(|| ColumnChange {
                name: column.name.clone(),
                ty: column.ty.name(),
                was: was.map(ColumnType::name),
            })
        });
        self.created.columns.extend(changes);
        self.store.commit(CatalogChange::AlterTable {
            database: self.database.to_string(),
            table: self.table.to_string(),
            columns: Some(columns),
            folder: None,
            docstring: None,
            expected_schema_version: Some(entry.schema_version),
        })?;
        Ok(())
    }

    /// The columns the table must have to take the batches; `None`: those it has.
    fn altered(
        &self,
        entry: &TableEntry,
        batches: &[DecodedBatch],
    ) -> Result<Option<Vec<AlteredColumn>>, IngestError> {
        let mut columns: Vec<AlteredColumn> =
            entry.schema.columns.iter().cloned().map(AlteredColumn::from).collect();
        let before = columns.clone();
        for column in batches.iter().flat_map(|batch| &batch.columns) {
            match columns.iter_mut().find(|known| known.name == column.name) {
                None => columns.push(AlteredColumn {
                    id: None,
                    name: column.name.clone(),
                    ty: column.ty,
                    docstring: String::new(),
                }),
                Some(known) => {
                    let mut target = common(known.ty, column.ty);
                    if known.ty == ColumnType::Long
                        && target == ColumnType::Real
                        && let Some(id) = known.id
                        && !self.stored_longs_fit_real(entry, id)?
                    {
                        target = ColumnType::Dynamic;
                    }
                    known.ty = target;
                }
            }
        }
        Ok((columns != before).then_some(columns))
    }

    /// Whether every stored value of a long column is a double without loss.
    fn stored_longs_fit_real(&self, entry: &TableEntry, column: u32) -> Result<bool, IngestError> {
        let Some(table) = self.store.snapshot().table_data(entry.id) else { return Ok(true) };
        for morsel in table.scan(&conshelf_storage::ScanRequest::default())?.morsels {
            let arrays = morsel.read(&[column])?;
            let fit = arrays
                .first()
                .and_then(|array| array.as_primitive_opt::<Int64Type>())
                .is_none_or(|array| array.iter().flatten().all(fits_real));
            if !fit {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The type of a column that holds values of both types. A string column takes every value as its text.
fn common(stored: ColumnType, new: ColumnType) -> ColumnType {
    use ColumnType::{Int, Long, Real, String};
    match (stored, new) {
        _ if stored == new => stored,
        (String, _) => String,
        (Int, Long) | (Long, Int) => Long,
        (Int | Long, Real) | (Real, Int | Long) => Real,
        _ => ColumnType::Dynamic,
    }
}

/// One array per column of the schema, in its types.
pub(crate) fn align(schema: &TableSchema, batch: &DecodedBatch) -> Vec<ArrayRef> {
    schema
        .columns
        .iter()
        .enumerate()
        .map(|(at, column)| match batch.column(at, &column.name) {
            Some(decoded) if decoded.ty == column.ty => decoded.array.clone(),
            Some(decoded) => {
                let mut builder = ColumnBuilder::from_array(decoded.ty, &decoded.array);
                builder.widen(column.ty);
                if builder.ty() != column.ty {
                    builder = ColumnBuilder::new(column.ty);
                    builder.pad(batch.rows);
                }
                builder.finish()
            }
            None => {
                let mut builder = ColumnBuilder::new(column.ty);
                builder.pad(batch.rows);
                builder.finish()
            }
        })
        .collect()
}
