//! The manifest in memory: an immutable value per version, cheap to copy because everything large is shared.
//!
//! Knows how edits change it. Knows no files.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use uuid::Uuid;

use crate::catalog::{DatabaseEntry, TableEntry, TableId};
use crate::limits::KEYS_PER_TABLE_MAX;
use crate::manifest::edit::{DatabaseRecord, DroppedExtent, Edit, ExtentRecord, KeyRecord, TableRecord};

/// Everything that exists at one version.
#[derive(Clone, Debug, Default)]
pub struct State {
    pub version: u64,
    /// Commit sequence when the version was written (the log may be ahead of it).
    pub sequence: u64,
    /// By lower-cased name.
    pub databases: BTreeMap<String, Arc<DatabaseEntry>>,
    pub tables: HashMap<TableId, TableState>,
    pub dropped: Arc<BTreeMap<Uuid, DroppedExtent>>,
}

/// A table and its data.
#[derive(Clone, Debug)]
pub struct TableState {
    pub entry: Arc<TableEntry>,
    pub extents: Arc<Vec<Arc<ExtentRecord>>>,
    /// Rows up to this commit sequence are in `extents`.
    pub sealed_up_to: u64,
    pub keys: Arc<VecDeque<KeyRecord>>,
}

impl State {
    /// The database of that name, without regard to case.
    pub fn database(&self, name: &str) -> Option<&Arc<DatabaseEntry>> {
        self.databases.get(&name.to_lowercase())
    }

    fn database_by_id(&self, id: Uuid) -> Option<(&String, &Arc<DatabaseEntry>)> {
        self.databases.iter().find(|(_, database)| database.id == id)
    }

    fn change_database(&mut self, id: Uuid, change: impl FnOnce(&mut DatabaseEntry)) -> Result<(), String> {
        let key = self.database_by_id(id).map(|(key, _)| key.clone()).ok_or(format!("no database {id}"))?;
        let entry = self.databases.get_mut(&key).ok_or(format!("no database {id}"))?;
        change(Arc::make_mut(entry));
        Ok(())
    }

    fn table_mut(&mut self, id: TableId) -> Result<&mut TableState, String> {
        self.tables.get_mut(&id).ok_or_else(|| format!("no table {id}"))
    }

    /// Applies one edit. The error says what contradicts the state; only a damaged manifest has one.
    pub fn apply(&mut self, edit: &Edit) -> Result<(), String> {
        match edit {
            Edit::PutDatabase { database } => self.put_database(database),
            Edit::RemoveDatabase { id } => {
                if let Some(key) = self.database_by_id(*id).map(|(key, _)| key.clone()) {
                    self.databases.remove(&key);
                }
                Ok(())
            }
            Edit::PutTable { table } => self.put_table(table),
            Edit::RemoveTable { id, at_ticks } => self.remove_table(*id, *at_ticks),
            Edit::ReplaceExtents { table, add, remove, merged, at_ticks } => {
                let state = self.table_mut(*table)?;
                let mut extents = Vec::with_capacity(state.extents.len() + add.len());
                let mut dropped = Vec::with_capacity(remove.len());
                let gone: std::collections::HashSet<&Uuid> = remove.iter().collect();
                for extent in state.extents.iter() {
                    if gone.contains(&extent.id) {
                        dropped.push(extent.clone());
                    } else {
                        extents.push(extent.clone());
                    }
                }
                if dropped.len() != remove.len() {
                    return Err(format!("table {table} lacks an extent that version {} drops", self.version));
                }
                extents.extend(add.iter().cloned().map(Arc::new));
                state.extents = Arc::new(extents);
                self.drop_extents(*table, &dropped, *at_ticks, *merged);
                Ok(())
            }
            Edit::Sealed { table, up_to } => {
                let state = self.table_mut(*table)?;
                state.sealed_up_to = state.sealed_up_to.max(*up_to);
                Ok(())
            }
            Edit::AddKeys { table, keys, expire_before_ticks } => {
                let known = Arc::make_mut(&mut self.table_mut(*table)?.keys);
                known.retain(|key| key.ticks >= *expire_before_ticks);
                known.extend(keys.iter().cloned());
                let excess = known.len().saturating_sub(KEYS_PER_TABLE_MAX);
                known.drain(..excess);
                Ok(())
            }
            Edit::Dropped { extent } => {
                Arc::make_mut(&mut self.dropped).insert(extent.extent.id, extent.clone());
                Ok(())
            }
            Edit::Forget { extents } => {
                let dropped = Arc::make_mut(&mut self.dropped);
                for id in extents {
                    dropped.remove(id);
                }
                Ok(())
            }
            Edit::Sequence { last } => {
                self.sequence = self.sequence.max(*last);
                Ok(())
            }
        }
    }

    fn put_database(&mut self, record: &DatabaseRecord) -> Result<(), String> {
        let previous = self.database_by_id(record.id).map(|(key, entry)| (key.clone(), entry.clone()));
        let mut tables = BTreeMap::new();
        if let Some((key, entry)) = previous {
            self.databases.remove(&key);
            tables = entry.tables.clone();
            if entry.name != record.name {
                for (_, table) in tables.iter_mut() {
                    Arc::make_mut(table).database = record.name.clone();
                    if let Some(state) = self.tables.get_mut(&table.id) {
                        state.entry = table.clone();
                    }
                }
            }
        }
        let entry = DatabaseEntry {
            id: record.id,
            name: record.name.clone(),
            created_ticks: record.created_ticks,
            docstring: record.docstring.clone(),
            policies: record.policies.clone(),
            functions: record
                .functions
                .iter()
                .map(|function| (function.name.clone(), Arc::new(function.clone())))
                .collect(),
            dashboards: record
                .dashboards
                .iter()
                .map(|dashboard| (dashboard.name.clone(), Arc::new(dashboard.clone())))
                .collect(),
            mappings: record.mappings.clone(),
            tables,
        };
        match self.databases.insert(record.name.to_lowercase(), Arc::new(entry)) {
            None => Ok(()),
            Some(other) => Err(format!("two databases are called {}", other.name)),
        }
    }

    fn put_table(&mut self, record: &TableRecord) -> Result<(), String> {
        let previous = self.tables.get(&record.id).map(|state| state.entry.name.clone());
        let database_name = self
            .database_by_id(record.database)
            .map(|(_, entry)| entry.name.clone())
            .ok_or(format!("table {} belongs to no database", record.name))?;
        let entry = Arc::new(TableEntry {
            id: record.id,
            name: record.name.clone(),
            database_id: record.database,
            database: database_name,
            schema: Arc::new(record.schema.clone()),
            schema_version: record.schema_version,
            folder: record.folder.clone(),
            docstring: record.docstring.clone(),
            policies: record.policies.clone(),
            mappings: record.mappings.clone(),
            created_ticks: record.created_ticks,
        });
        let listed = entry.clone();
        self.change_database(record.database, |database| {
            if let Some(name) = previous
                && database.tables.get(&name).is_some_and(|table| table.id == listed.id)
            {
                database.tables.remove(&name);
            }
            database.tables.insert(listed.name.clone(), listed);
        })?;
        match self.tables.get_mut(&record.id) {
            Some(state) => state.entry = entry,
            None => {
                let state =
                    TableState { entry, extents: Arc::default(), sealed_up_to: 0, keys: Arc::default() };
                self.tables.insert(record.id, state);
            }
        }
        Ok(())
    }

    fn remove_table(&mut self, id: TableId, at_ticks: i64) -> Result<(), String> {
        let state = self.tables.remove(&id).ok_or_else(|| format!("no table {id}"))?;
        self.change_database(state.entry.database_id, |database| {
            if database.tables.get(&state.entry.name).is_some_and(|table| table.id == id) {
                database.tables.remove(&state.entry.name);
            }
        })?;
        self.drop_extents(id, &state.extents, at_ticks, false);
        Ok(())
    }

    fn drop_extents(&mut self, table: TableId, extents: &[Arc<ExtentRecord>], at_ticks: i64, merged: bool) {
        if extents.is_empty() {
            return;
        }
        let dropped = Arc::make_mut(&mut self.dropped);
        for extent in extents {
            let extent = extent.as_ref().clone();
            dropped.insert(extent.id, DroppedExtent { table, extent, dropped_ticks: at_ticks, merged });
        }
    }

    /// The edits that build this state from nothing.
    pub fn to_edits(&self) -> Vec<Edit> {
        let mut edits = vec![Edit::Sequence { last: self.sequence }];
        for database in self.databases.values() {
            edits.push(Edit::PutDatabase { database: DatabaseRecord::from_entry(database) });
            for table in database.tables.values() {
                edits.push(Edit::PutTable { table: TableRecord::from_entry(table) });
                let Some(state) = self.tables.get(&table.id) else { continue };
                if state.sealed_up_to > 0 {
                    edits.push(Edit::Sealed { table: table.id, up_to: state.sealed_up_to });
                }
                if !state.extents.is_empty() {
                    edits.push(Edit::ReplaceExtents {
                        table: table.id,
                        add: state.extents.iter().map(|extent| extent.as_ref().clone()).collect(),
                        remove: Vec::new(),
                        merged: false,
                        at_ticks: 0,
                    });
                }
                if !state.keys.is_empty() {
                    edits.push(Edit::AddKeys {
                        table: table.id,
                        keys: state.keys.iter().cloned().collect(),
                        expire_before_ticks: i64::MIN,
                    });
                }
            }
        }
        edits.extend(self.dropped.values().map(|extent| Edit::Dropped { extent: extent.clone() }));
        edits
    }
}

impl DatabaseRecord {
    /// The record of an entry.
    pub fn from_entry(entry: &DatabaseEntry) -> DatabaseRecord {
        DatabaseRecord {
            id: entry.id,
            name: entry.name.clone(),
            created_ticks: entry.created_ticks,
            docstring: entry.docstring.clone(),
            policies: entry.policies.clone(),
            functions: entry.functions.values().map(|function| function.as_ref().clone()).collect(),
            dashboards: entry.dashboards.values().map(|dashboard| dashboard.as_ref().clone()).collect(),
            mappings: entry.mappings.clone(),
        }
    }
}

impl TableRecord {
    /// The record of an entry.
    pub fn from_entry(entry: &TableEntry) -> TableRecord {
        TableRecord {
            id: entry.id,
            database: entry.database_id,
            name: entry.name.clone(),
            schema: entry.schema.as_ref().clone(),
            schema_version: entry.schema_version,
            created_ticks: entry.created_ticks,
            folder: entry.folder.clone(),
            docstring: entry.docstring.clone(),
            policies: entry.policies.clone(),
            mappings: entry.mappings.clone(),
        }
    }
}
