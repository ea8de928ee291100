//! What exists: databases, tables, stored functions, ingestion mappings, policies — and the changes to it.
//!
//! Plain data. Knows nothing of files; `manifest` makes a change durable, `snapshot` shows the result.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::types::{ColumnDefinition, ColumnType, SchemaRef, TableSchema};

/// Identity of a table for its whole life; survives renames.
pub type TableId = Uuid;

/// The database that always exists and that requests mean when they name none.
pub const DEFAULT_DATABASE: &str = "NetDefaultDB";

/// Hidden column with the time (ticks) at which a row was appended: `ingestion_time()`.
pub const INGESTION_TIME_COLUMN: u32 = u32::MAX;
/// Not stored: the id of the extent that a row is in; zeros before it is in one.
pub const EXTENT_ID_COLUMN: u32 = u32::MAX - 1;
/// Not stored: the tags of the extent that a row is in, as a dynamic array.
pub const EXTENT_TAGS_COLUMN: u32 = u32::MAX - 2;

/// A database and what it contains.
#[derive(Clone, Debug)]
pub struct DatabaseEntry {
    pub id: Uuid,
    pub name: String,
    pub created_ticks: i64,
    pub docstring: String,
    /// Policy kind (lower case, e.g. `retention`) to its JSON.
    pub policies: BTreeMap<String, Value>,
    pub tables: BTreeMap<String, Arc<TableEntry>>,
    pub functions: BTreeMap<String, Arc<FunctionEntry>>,
    pub dashboards: BTreeMap<String, Arc<DashboardEntry>>,
    pub mappings: Vec<MappingEntry>,
}

impl DatabaseEntry {
    /// The table of that name (case-sensitive).
    pub fn table(&self, name: &str) -> Option<&Arc<TableEntry>> {
        self.tables.get(name)
    }

    /// Every table in order of its name.
    pub fn tables(&self) -> impl Iterator<Item = &Arc<TableEntry>> {
        self.tables.values()
    }

    /// The stored function of that name (case-sensitive).
    pub fn function(&self, name: &str) -> Option<&Arc<FunctionEntry>> {
        self.functions.get(name)
    }

    /// The dashboard of that name (case-sensitive).
    pub fn dashboard(&self, name: &str) -> Option<&Arc<DashboardEntry>> {
        self.dashboards.get(name)
    }

    /// The ingestion mapping of that kind and name.
    pub fn mapping(&self, kind: &str, name: &str) -> Option<&MappingEntry> {
        find_mapping(&self.mappings, kind, name)
    }
}

/// A table without its data.
#[derive(Clone, Debug, PartialEq)]
pub struct TableEntry {
    pub id: TableId,
    pub name: String,
    pub database_id: Uuid,
    /// Name of the database, as it was created.
    pub database: String,
    pub schema: SchemaRef,
    /// Grows with every change of the schema.
    pub schema_version: u64,
    pub folder: String,
    pub docstring: String,
    /// Policy kind (lower case) to its JSON.
    pub policies: BTreeMap<String, Value>,
    pub mappings: Vec<MappingEntry>,
    pub created_ticks: i64,
}

impl TableEntry {
    /// Stable id of the time column: the first `datetime`, if any.
    pub fn time_column(&self) -> Option<u32> {
        self.schema.time_position().map(|position| self.schema.columns[position].id)
    }

    /// The ingestion mapping of that kind and name.
    pub fn mapping(&self, kind: &str, name: &str) -> Option<&MappingEntry> {
        find_mapping(&self.mappings, kind, name)
    }

    /// Type of a column by its stable id; the hidden ingestion time is a datetime.
    pub fn column_type(&self, id: u32) -> Option<ColumnType> {
        match id {
            INGESTION_TIME_COLUMN => return Some(ColumnType::DateTime),
            EXTENT_ID_COLUMN => return Some(ColumnType::Guid),
            EXTENT_TAGS_COLUMN => return Some(ColumnType::Dynamic),
            _ => {}
        }
        self.schema.columns.iter().find(|column| column.id == id).map(|column| column.ty)
    }
}

fn find_mapping<'a>(mappings: &'a [MappingEntry], kind: &str, name: &str) -> Option<&'a MappingEntry> {
    mappings.iter().find(|mapping| mapping.kind.eq_ignore_ascii_case(kind) && mapping.name == name)
}

/// A stored function: texts only, storage does not read KQL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionEntry {
    pub name: String,
    /// The parameter list with its parentheses, e.g. `(limit: long)`.
    pub parameters: String,
    pub body: String,
    #[serde(default)]
    pub folder: String,
    #[serde(default)]
    pub docstring: String,
}

/// A dashboard as its author wrote it: storage does not read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DashboardEntry {
    pub name: String,
    /// `yaml` or `json`.
    pub format: String,
    pub text: String,
    pub updated_ticks: i64,
}

/// An ingestion mapping. `kind` is `csv`, `json`, …; `definition` is its JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MappingEntry {
    pub name: String,
    pub kind: String,
    pub definition: Value,
    pub updated_ticks: i64,
}

/// What to do when the thing already exists (or does not).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum CreateMode {
    /// Refuse when it exists.
    #[default]
    Create,
    /// Leave the existing one as it is.
    CreateIfNotExists,
    /// Replace the existing one.
    CreateOrAlter,
    /// Refuse when it does not exist.
    Alter,
}

/// Whom a policy is set for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyTarget {
    Database { database: String },
    Table { database: String, table: String },
}

/// One change of what exists. Database names match without regard to case, all others exactly.
/// `Store::commit` applies one, `Store::commit_all` several or none of them.
#[derive(Clone, Debug)]
pub enum CatalogChange {
    CreateDatabase {
        name: String,
        if_not_exists: bool,
    },
    /// Drops the database with all its tables. The default database cannot be dropped.
    DropDatabase {
        name: String,
        if_exists: bool,
    },
    RenameDatabase {
        name: String,
        new_name: String,
    },
    SetDatabaseDocstring {
        name: String,
        docstring: String,
    },
    CreateTable {
        database: String,
        name: String,
        /// Column ids are given anew, from zero.
        schema: TableSchema,
        folder: String,
        docstring: String,
        if_not_exists: bool,
    },
    /// Replaces schema and texts. In `columns` an id that the table has keeps its data (rename, reorder,
    /// change of type); `id: None` adds a column; a missing id drops that column.
    AlterTable {
        database: String,
        table: String,
        columns: Option<Vec<AlteredColumn>>,
        folder: Option<String>,
        docstring: Option<String>,
        /// Refuse when the schema is not of this version any more.
        expected_schema_version: Option<u64>,
    },
    /// Adds the columns that are missing, in order; existing ones must have the same type.
    MergeColumns {
        database: String,
        table: String,
        columns: Vec<(String, ColumnType)>,
    },
    /// Renames tables, all at once, so that names can be swapped.
    RenameTables {
        database: String,
        renames: Vec<(String, String)>,
    },
    DropTable {
        database: String,
        name: String,
        if_exists: bool,
    },
    /// `value: None` deletes the policy.
    SetPolicy {
        target: PolicyTarget,
        kind: String,
        value: Option<Value>,
    },
    CreateFunction {
        database: String,
        function: FunctionEntry,
        mode: CreateMode,
    },
    DropFunction {
        database: String,
        name: String,
        if_exists: bool,
    },
    CreateDashboard {
        database: String,
        dashboard: DashboardEntry,
        mode: CreateMode,
        /// Refuse when the text is not this any more.
        expected_text: Option<String>,
    },
    DropDashboard {
        database: String,
        name: String,
        if_exists: bool,
        /// Refuse when the text is not this any more.
        expected_text: Option<String>,
    },
    /// A mapping of a table, or of the database when `table` is `None`.
    CreateMapping {
        database: String,
        table: Option<String>,
        name: String,
        kind: String,
        definition: Value,
        mode: CreateMode,
    },
    DropMapping {
        database: String,
        table: Option<String>,
        name: String,
        kind: String,
    },
    /// Drops every row of the table, unsealed ones included.
    ClearTable {
        database: String,
        table: String,
    },
    DropExtents {
        database: String,
        table: String,
        extents: Vec<Uuid>,
    },
}

/// A column of `CatalogChange::AlterTable`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlteredColumn {
    /// The column's stable id, or `None` for a new one.
    pub id: Option<u32>,
    pub name: String,
    pub ty: ColumnType,
    pub docstring: String,
}

impl From<ColumnDefinition> for AlteredColumn {
    fn from(column: ColumnDefinition) -> AlteredColumn {
        AlteredColumn { id: Some(column.id), name: column.name, ty: column.ty, docstring: column.docstring }
    }
}
