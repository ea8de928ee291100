//! From a requested catalog change to manifest edits: every rule about names and existence is here.
//!
//! Pure: reads a state, writes nothing.

use std::collections::HashSet;

use uuid::Uuid;

use crate::catalog::{
    AlteredColumn, CatalogChange, CreateMode, DEFAULT_DATABASE, DashboardEntry, DatabaseEntry, MappingEntry,
    PolicyTarget, TableEntry,
};
use crate::error::{Result, StorageError};
use crate::limits::NAME_BYTES_MAX;
use crate::manifest::edit::{DatabaseRecord, Edit, TableRecord};
use crate::manifest::state::State;
use crate::types::{ColumnDefinition, TableSchema};

/// What a plan needs to know besides the state.
#[derive(Clone, Copy, Debug)]
pub struct PlanContext {
    pub now_ticks: i64,
    /// Last commit sequence that any row has.
    pub sequence: u64,
}

/// The edits that a change means for a state. No edits: nothing to do.
pub fn plan(state: &State, change: &CatalogChange, context: PlanContext) -> Result<Vec<Edit>> {
    match change {
        CatalogChange::CreateDatabase { name, if_not_exists } => {
            check_name("database", name)?;
            if state.database(name).is_some() {
                return exists_unless(*if_not_exists, "database", name);
            }
            Ok(vec![put_database(&DatabaseEntry {
                id: Uuid::new_v4(),
                name: name.clone(),
                created_ticks: context.now_ticks,
                docstring: String::new(),
                policies: Default::default(),
                tables: Default::default(),
                functions: Default::default(),
                dashboards: Default::default(),
                mappings: Vec::new(),
            })])
        }
        CatalogChange::DropDatabase { name, if_exists } => {
            let Some(database) = state.database(name) else {
                return missing_unless(*if_exists, "database", name);
            };
            if database.name.eq_ignore_ascii_case(DEFAULT_DATABASE) {
                return Err(StorageError::Invalid(format!(
                    "database '{DEFAULT_DATABASE}' cannot be dropped"
                )));
            }
            let mut edits: Vec<Edit> = database
                .tables()
                .map(|table| Edit::RemoveTable { id: table.id, at_ticks: context.now_ticks })
                .collect();
            edits.push(Edit::RemoveDatabase { id: database.id });
            Ok(edits)
        }
        CatalogChange::RenameDatabase { name, new_name } => {
            let database = database(state, name)?;
            check_name("database", new_name)?;
            if database.name.eq_ignore_ascii_case(DEFAULT_DATABASE) {
                return Err(StorageError::Invalid(format!(
                    "database '{DEFAULT_DATABASE}' cannot be renamed"
                )));
            }
            if state.database(new_name).is_some_and(|other| other.id != database.id) {
                return exists_unless(false, "database", new_name);
            }
            Ok(change_database(database, |record| record.name = new_name.clone()))
        }
        CatalogChange::SetDatabaseDocstring { name, docstring } => {
            Ok(change_database(database(state, name)?, |record| record.docstring = docstring.clone()))
        }
        CatalogChange::CreateTable {
            database: name,
            name: table,
            schema,
            folder,
            docstring,
            if_not_exists,
        } => {
            let database = database(state, name)?;
            check_name("table", table)?;
            if database.table(table).is_some() {
                return exists_unless(*if_not_exists, "table", table);
            }
            let mut schema = schema.clone();
            for (column, id) in schema.columns.iter_mut().zip(0u32..) {
                column.id = id;
            }
            schema.next_column_id = u32::try_from(schema.columns.len()).unwrap_or(u32::MAX);
            check_columns(&schema)?;
            let table = TableRecord {
                id: Uuid::new_v4(),
                database: database.id,
                name: table.clone(),
                schema,
                schema_version: 1,
                created_ticks: context.now_ticks,
                folder: folder.clone(),
                docstring: docstring.clone(),
                policies: Default::default(),
                mappings: Vec::new(),
            };
            Ok(vec![Edit::PutTable { table }])
        }
        CatalogChange::AlterTable {
            database,
            table: name,
            columns,
            folder,
            docstring,
            expected_schema_version,
        } => {
            let entry = table(state, database, name)?;
            if expected_schema_version.is_some_and(|expected| expected != entry.schema_version) {
                return Err(StorageError::Invalid(format!(
                    "the schema of table '{name}' has changed meanwhile"
                )));
            }
            let mut record = TableRecord::from_entry(entry);
            if let Some(columns) = columns {
                record.schema = altered_schema(&record.schema, columns)?;
                if record.schema != *entry.schema {
                    record.schema_version += 1;
                }
            }
            if let Some(folder) = folder {
                record.folder = folder.clone();
            }
            if let Some(docstring) = docstring {
                record.docstring = docstring.clone();
            }
            Ok(changed_table(entry, record))
        }
        CatalogChange::MergeColumns { database, table: name, columns } => {
            let entry = table(state, database, name)?;
            let mut record = TableRecord::from_entry(entry);
            for (column, ty) in columns {
                match record.schema.columns.iter().find(|known| known.name == *column) {
                    Some(known) if known.ty == *ty => {}
                    Some(known) => {
                        return Err(StorageError::Invalid(format!(
                            "column '{column}' of table '{name}' is {}, not {}",
                            known.ty.name(),
                            ty.name()
                        )));
                    }
                    None => {
                        let id = record.schema.next_column_id;
                        record.schema.next_column_id += 1;
                        record.schema.columns.push(ColumnDefinition {
                            id,
                            name: column.clone(),
                            ty: *ty,
                            docstring: String::new(),
                        });
                    }
                }
            }
            check_columns(&record.schema)?;
            if record.schema != *entry.schema {
                record.schema_version += 1;
            }
            Ok(changed_table(entry, record))
        }
        CatalogChange::RenameTables { database: name, renames } => rename_tables(state, name, renames),
        CatalogChange::DropTable { database: database_name, name, if_exists } => {
            match database(state, database_name)?.table(name) {
                None => missing_unless(*if_exists, "table", name),
                Some(table) => Ok(vec![Edit::RemoveTable { id: table.id, at_ticks: context.now_ticks }]),
            }
        }
        CatalogChange::SetPolicy { target, kind, value } => {
            let kind = kind.to_lowercase();
            let set = |policies: &mut std::collections::BTreeMap<String, serde_json::Value>| match value {
                Some(value) => {
                    policies.insert(kind.clone(), value.clone());
                }
                None => {
                    policies.remove(&kind);
                }
            };
            match target {
                PolicyTarget::Database { database: name } => {
                    Ok(change_database(database(state, name)?, |record| set(&mut record.policies)))
                }
                PolicyTarget::Table { database, table: name } => {
                    let entry = table(state, database, name)?;
                    let mut record = TableRecord::from_entry(entry);
                    set(&mut record.policies);
                    Ok(changed_table(entry, record))
                }
            }
        }
        CatalogChange::CreateFunction { database: name, function, mode } => {
            let database = database(state, name)?;
            check_name("function", &function.name)?;
            if !allowed(*mode, database.function(&function.name).is_some(), "function", &function.name)? {
                return Ok(Vec::new());
            }
            Ok(change_database(database, |record| {
                record.functions.retain(|other| other.name != function.name);
                record.functions.push(function.clone());
                record.functions.sort_by(|left, right| left.name.cmp(&right.name));
            }))
        }
        CatalogChange::DropFunction { database: database_name, name, if_exists } => {
            let database = database(state, database_name)?;
            if database.function(name).is_none() {
                return missing_unless(*if_exists, "function", name);
            }
            Ok(change_database(database, |record| record.functions.retain(|other| other.name != *name)))
        }
        CatalogChange::CreateDashboard { database: name, dashboard, mode, expected_text } => {
            let database = database(state, name)?;
            check_name("dashboard", &dashboard.name)?;
            let known: Option<&DashboardEntry> = database.dashboard(&dashboard.name).map(AsRef::as_ref);
            check_text(known, &dashboard.name, expected_text.as_deref())?;
            if !allowed(*mode, known.is_some(), "dashboard", &dashboard.name)? {
                return Ok(Vec::new());
            }
            Ok(change_database(database, |record| {
                record.dashboards.retain(|other| other.name != dashboard.name);
                record.dashboards.push(dashboard.clone());
                record.dashboards.sort_by(|left, right| left.name.cmp(&right.name));
            }))
        }
        CatalogChange::DropDashboard { database: database_name, name, if_exists, expected_text } => {
            let database = database(state, database_name)?;
            let known: Option<&DashboardEntry> = database.dashboard(name).map(AsRef::as_ref);
            check_text(known, name, expected_text.as_deref())?;
            if known.is_none() {
                return missing_unless(*if_exists, "dashboard", name);
            }
            Ok(change_database(database, |record| record.dashboards.retain(|other| other.name != *name)))
        }
        CatalogChange::CreateMapping {
            database: database_name,
            table: table_name,
            name,
            kind,
            definition,
            mode,
        } => {
            check_name("mapping", name)?;
            let mapping = MappingEntry {
                name: name.clone(),
                kind: kind.to_lowercase(),
                definition: definition.clone(),
                updated_ticks: context.now_ticks,
            };
            let put = |mappings: &mut Vec<MappingEntry>| {
                mappings.retain(|other| !(other.kind == mapping.kind && other.name == mapping.name));
                mappings.push(mapping.clone());
            };
            match table_name {
                None => {
                    let database = database(state, database_name)?;
                    if !allowed(*mode, database.mapping(kind, name).is_some(), "mapping", name)? {
                        return Ok(Vec::new());
                    }
                    Ok(change_database(database, |record| put(&mut record.mappings)))
                }
                Some(table_name) => {
                    let entry = table(state, database_name, table_name)?;
                    if !allowed(*mode, entry.mapping(kind, name).is_some(), "mapping", name)? {
                        return Ok(Vec::new());
                    }
                    let mut record = TableRecord::from_entry(entry);
                    put(&mut record.mappings);
                    Ok(changed_table(entry, record))
                }
            }
        }
        CatalogChange::DropMapping { database: database_name, table: table_name, name, kind } => {
            let keep = |other: &MappingEntry| !(other.kind.eq_ignore_ascii_case(kind) && other.name == *name);
            match table_name {
                None => {
                    let database = database(state, database_name)?;
                    if database.mapping(kind, name).is_none() {
                        return missing_unless(false, "mapping", name);
                    }
                    Ok(change_database(database, |record| record.mappings.retain(keep)))
                }
                Some(table_name) => {
                    let entry = table(state, database_name, table_name)?;
                    if entry.mapping(kind, name).is_none() {
                        return missing_unless(false, "mapping", name);
                    }
                    let mut record = TableRecord::from_entry(entry);
                    record.mappings.retain(keep);
                    Ok(changed_table(entry, record))
                }
            }
        }
        CatalogChange::ClearTable { database, table: name } => {
            let entry = table(state, database, name)?;
            let remove =
                state.tables.get(&entry.id).map(|table| table.extents.iter().map(|e| e.id).collect());
            Ok(vec![
                Edit::ReplaceExtents {
                    table: entry.id,
                    add: Vec::new(),
                    remove: remove.unwrap_or_default(),
                    merged: false,
                    at_ticks: context.now_ticks,
                },
                Edit::Sealed { table: entry.id, up_to: context.sequence },
                Edit::AddKeys { table: entry.id, keys: Vec::new(), expire_before_ticks: i64::MAX },
            ])
        }
        CatalogChange::DropExtents { database, table: name, extents } => {
            let entry = table(state, database, name)?;
            let known = state.tables.get(&entry.id);
            for id in extents {
                if !known.is_some_and(|table| table.extents.iter().any(|extent| extent.id == *id)) {
                    return Err(StorageError::NotFound { kind: "extent", name: id.to_string() });
                }
            }
            let unique: HashSet<Uuid> = extents.iter().copied().collect();
            if unique.is_empty() {
                return Ok(Vec::new());
            }
            Ok(vec![Edit::ReplaceExtents {
                table: entry.id,
                add: Vec::new(),
                remove: unique.into_iter().collect(),
                merged: false,
                at_ticks: context.now_ticks,
            }])
        }
    }
}

fn rename_tables(state: &State, database_name: &str, renames: &[(String, String)]) -> Result<Vec<Edit>> {
    let database = database(state, database_name)?;
    let leaving: HashSet<&String> = renames.iter().map(|(old, _)| old).collect();
    let mut taken = HashSet::new();
    let mut edits = Vec::new();
    for (old, new) in renames {
        let entry = table(state, database_name, old)?;
        check_name("table", new)?;
        if (database.table(new).is_some() && !leaving.contains(new)) || !taken.insert(new) {
            return Err(StorageError::AlreadyExists { kind: "table", name: new.clone() });
        }
        let mut record = TableRecord::from_entry(entry);
        record.name = new.clone();
        edits.extend(changed_table(entry, record));
    }
    Ok(edits)
}

fn altered_schema(schema: &TableSchema, columns: &[AlteredColumn]) -> Result<TableSchema> {
    let mut next_column_id = schema.next_column_id;
    let mut altered = Vec::with_capacity(columns.len());
    for column in columns {
        let id = match column.id {
            Some(id) if schema.columns.iter().any(|known| known.id == id) => id,
            Some(id) => {
                return Err(StorageError::NotFound {
                    kind: "column",
                    name: format!("{} (id {id})", column.name),
                });
            }
            None => {
                next_column_id += 1;
                next_column_id - 1
            }
        };
        altered.push(ColumnDefinition {
            id,
            name: column.name.clone(),
            ty: column.ty,
            docstring: column.docstring.clone(),
        });
    }
    let schema = TableSchema { columns: altered, next_column_id };
    check_columns(&schema)?;
    Ok(schema)
}

fn check_columns(schema: &TableSchema) -> Result<()> {
    let mut names = HashSet::new();
    let mut ids = HashSet::new();
    for column in &schema.columns {
        check_name("column", &column.name)?;
        if !names.insert(&column.name) {
            return Err(StorageError::AlreadyExists { kind: "column", name: column.name.clone() });
        }
        if !ids.insert(column.id) {
            return Err(StorageError::Invalid(format!("column id {} is used twice", column.id)));
        }
    }
    Ok(())
}

fn check_name(kind: &str, name: &str) -> Result<()> {
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        return Err(StorageError::Invalid(format!(
            "a {kind} name has between 1 and {NAME_BYTES_MAX} bytes, this one {}",
            name.len()
        )));
    }
    Ok(())
}

/// Refuses when a dashboard is not what whoever changes it believes it to be.
fn check_text(known: Option<&DashboardEntry>, name: &str, expected: Option<&str>) -> Result<()> {
    if expected.is_some_and(|expected| known.is_none_or(|known| known.text != expected)) {
        return Err(StorageError::Invalid(format!("dashboard '{name}' has changed meanwhile")));
    }
    Ok(())
}

fn database<'a>(state: &'a State, name: &str) -> Result<&'a DatabaseEntry> {
    match state.database(name) {
        Some(database) => Ok(database),
        None => Err(StorageError::NotFound { kind: "database", name: name.to_owned() }),
    }
}

fn table<'a>(state: &'a State, database_name: &str, name: &str) -> Result<&'a TableEntry> {
    match database(state, database_name)?.table(name) {
        Some(table) => Ok(table),
        None => Err(StorageError::NotFound { kind: "table", name: name.to_owned() }),
    }
}

fn put_database(entry: &DatabaseEntry) -> Edit {
    Edit::PutDatabase { database: DatabaseRecord::from_entry(entry) }
}

fn change_database(entry: &DatabaseEntry, change: impl FnOnce(&mut DatabaseRecord)) -> Vec<Edit> {
    let before = DatabaseRecord::from_entry(entry);
    let mut record = before.clone();
    change(&mut record);
    if record == before { Vec::new() } else { vec![Edit::PutDatabase { database: record }] }
}

fn changed_table(entry: &TableEntry, record: TableRecord) -> Vec<Edit> {
    if TableRecord::from_entry(entry) == record { Vec::new() } else { vec![Edit::PutTable { table: record }] }
}

fn exists_unless(tolerated: bool, kind: &'static str, name: &str) -> Result<Vec<Edit>> {
    if tolerated { Ok(Vec::new()) } else { Err(StorageError::AlreadyExists { kind, name: name.to_owned() }) }
}

fn missing_unless(tolerated: bool, kind: &'static str, name: &str) -> Result<Vec<Edit>> {
    if tolerated { Ok(Vec::new()) } else { Err(StorageError::NotFound { kind, name: name.to_owned() }) }
}

/// Whether the mode lets the thing be written now; `Ok(false)` leaves the existing one.
fn allowed(mode: CreateMode, exists: bool, kind: &'static str, name: &str) -> Result<bool> {
    match (mode, exists) {
        (CreateMode::Create, true) => Err(StorageError::AlreadyExists { kind, name: name.to_owned() }),
        (CreateMode::CreateIfNotExists, true) => Ok(false),
        (CreateMode::Alter, false) => Err(StorageError::NotFound { kind, name: name.to_owned() }),
        _ => Ok(true),
    }
}
