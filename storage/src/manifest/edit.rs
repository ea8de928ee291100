//! Differences between two versions of the manifest: what its files contain, as JSON.
//!
//! A full manifest is the list of edits that builds the state from nothing, so there is one way to read both.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::catalog::{DashboardEntry, FunctionEntry, MappingEntry};
use crate::types::TableSchema;

/// One difference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "edit", rename_all = "snake_case")]
pub enum Edit {
    /// Creates a database or replaces everything of it but its tables.
    PutDatabase { database: DatabaseRecord },
    /// Removes a database that has no tables any more.
    RemoveDatabase {
        #[serde(with = "uuid_text")]
        id: Uuid,
    },
    /// Creates a table or replaces everything of it but its extents.
    PutTable { table: TableRecord },
    /// Removes a table; its extents become dropped ones.
    RemoveTable {
        #[serde(with = "uuid_text")]
        id: Uuid,
        at_ticks: i64,
    },
    /// Adds extents to a table and drops others of it, in one step.
    ReplaceExtents {
        #[serde(with = "uuid_text")]
        table: Uuid,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        add: Vec<ExtentRecord>,
        #[serde(default, skip_serializing_if = "Vec::is_empty", with = "uuid_list")]
        remove: Vec<Uuid>,
        /// True when the rows of the removed extents live on in the added ones.
        #[serde(default)]
        merged: bool,
        at_ticks: i64,
    },
    /// Rows of the table up to this commit sequence are in extents (or cleared): replay skips them.
    Sealed {
        #[serde(with = "uuid_text")]
        table: Uuid,
        up_to: u64,
    },
    /// Forgets the idempotency keys from before a time, then adds those of sealed batches.
    AddKeys {
        #[serde(with = "uuid_text")]
        table: Uuid,
        keys: Vec<KeyRecord>,
        expire_before_ticks: i64,
    },
    /// A dropped extent, as a full manifest lists it.
    Dropped { extent: DroppedExtent },
    /// Dropped extents whose files are gone.
    Forget {
        #[serde(with = "uuid_list")]
        extents: Vec<Uuid>,
    },
    /// The commit sequence had reached this when the version was written.
    Sequence { last: u64 },
}

/// A database without its tables.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DatabaseRecord {
    #[serde(with = "uuid_text")]
    pub id: Uuid,
    pub name: String,
    pub created_ticks: i64,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub docstring: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub policies: BTreeMap<String, Value>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<FunctionEntry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dashboards: Vec<DashboardEntry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mappings: Vec<MappingEntry>,
}

/// A table without its data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableRecord {
    #[serde(with = "uuid_text")]
    pub id: Uuid,
    #[serde(with = "uuid_text")]
    pub database: Uuid,
    pub name: String,
    pub schema: TableSchema,
    pub schema_version: u64,
    pub created_ticks: i64,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub folder: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub docstring: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub policies: BTreeMap<String, Value>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mappings: Vec<MappingEntry>,
}

/// What the manifest knows of one extent without opening it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExtentRecord {
    #[serde(with = "uuid_text")]
    pub id: Uuid,
    /// Span of the time column (first tick, first tick past it) that the extent lies in.
    pub partition: (i64, i64),
    pub rows: u64,
    pub row_groups: u32,
    pub file_bytes: u64,
    pub original_bytes: u64,
    /// xxh3 (64 bit) of the whole file.
    pub file_checksum: u64,
    /// Id of the column that `min_time` and `max_time` are about.
    pub time_column: Option<u32>,
    pub min_time: Option<i64>,
    pub max_time: Option<i64>,
    pub created_ticks: i64,
    /// How many merges lie between the rows and their first extent.
    #[serde(default)]
    pub generation: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

/// An extent that is not part of its table any more but whose file may still exist.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DroppedExtent {
    #[serde(with = "uuid_text")]
    pub table: Uuid,
    pub extent: ExtentRecord,
    pub dropped_ticks: i64,
    /// True when a merge replaced it.
    pub merged: bool,
}

/// A remembered idempotency key: the xxh3 128-bit hash of its text, as 32 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyRecord {
    #[serde(rename = "k", with = "key_text")]
    pub hash: u128,
    #[serde(rename = "s")]
    pub sequence: u64,
    #[serde(rename = "n")]
    pub rows: u64,
    #[serde(rename = "t")]
    pub ticks: i64,
}

mod uuid_text {
    use serde::{Deserialize, Deserializer, Serializer};
    use uuid::Uuid;

    pub fn serialize<S: Serializer>(id: &Uuid, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(id)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uuid, D::Error> {
        let text = String::deserialize(deserializer)?;
        Uuid::parse_str(&text).map_err(serde::de::Error::custom)
    }
}

mod uuid_list {
    use serde::{Deserialize, Deserializer, Serializer};
    use uuid::Uuid;

    pub fn serialize<S: Serializer>(ids: &[Uuid], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(ids.iter().map(Uuid::to_string))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Uuid>, D::Error> {
        Vec::<String>::deserialize(deserializer)?
            .iter()
            .map(|text| Uuid::parse_str(text).map_err(serde::de::Error::custom))
            .collect()
    }
}

mod key_text {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(hash: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{hash:032x}"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u128, D::Error> {
        let text = String::deserialize(deserializer)?;
        u128::from_str_radix(&text, 16).map_err(serde::de::Error::custom)
    }
}
