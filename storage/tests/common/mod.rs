//! What the tests of the store share: a small table, rows for it, and reading them back.
#![allow(dead_code, reason = "not every test file uses everything")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, Int64Array, StringViewArray};
use conshelf_storage::column::flatten;
use conshelf_storage::{
    AppendOptions, CatalogChange, ColumnType, ScanRequest, Snapshot, Store, StoreOptions, TableId,
    TableSchema,
};

/// Ticks of a day.
pub const DAY: i64 = 864_000_000_000;
/// A moment in 2024.
pub const NOW: i64 = 638_500_000_000_000_000;

/// Options that do nothing by themselves: no background work, a clock that stands still.
pub fn quiet() -> StoreOptions {
    StoreOptions {
        background: false,
        clock: Arc::new(|| NOW),
        busy_wait: std::time::Duration::ZERO,
        ..StoreOptions::default()
    }
}

/// Creates a table `name(time: datetime, id: long, text: string)` in the default database.
pub fn create(store: &Store, name: &str) -> TableId {
    let change = CatalogChange::CreateTable {
        database: "NetDefaultDB".to_owned(),
        name: name.to_owned(),
        schema: TableSchema::new([
            ("time", ColumnType::DateTime),
            ("id", ColumnType::Long),
            ("text", ColumnType::String),
        ]),
        folder: String::new(),
        docstring: String::new(),
        if_not_exists: true,
    };
    let snapshot = store.commit(change).unwrap();
    snapshot.table("netdefaultdb", name).unwrap().id
}

/// The text that goes with an id.
pub fn text_of(id: i64) -> String {
    format!("row number {id} says {}", "hello ".repeat((id % 7) as usize))
}

/// A batch of rows with the given ids; the time is a function of the id.
pub fn batch(ids: impl IntoIterator<Item = i64>, time_of: impl Fn(i64) -> Option<i64>) -> Vec<ArrayRef> {
    let ids: Vec<i64> = ids.into_iter().collect();
    vec![
        Arc::new(ids.iter().map(|id| time_of(*id)).collect::<Int64Array>()),
        Arc::new(Int64Array::from(ids.clone())),
        Arc::new(StringViewArray::from_iter_values(ids.iter().map(|id| text_of(*id)))),
    ]
}

/// Appends rows a second apart.
pub fn append(store: &Store, table: TableId, ids: impl IntoIterator<Item = i64>) {
    let columns = batch(ids, |id| Some(NOW + id * 10_000_000));
    store.append(table, &columns, AppendOptions::default()).unwrap();
}

/// Every id that a scan gives, sorted; checks that texts belong to their ids.
pub fn ids_of(snapshot: &Snapshot, table: TableId, request: &ScanRequest) -> Vec<i64> {
    let Some(data) = snapshot.table_data(table) else { return Vec::new() };
    let mut ids = Vec::new();
    for morsel in data.scan(request).unwrap().morsels {
        let columns = morsel.read(&[1, 2]).unwrap();
        assert_eq!(columns[0].len(), morsel.rows());
        let texts = flatten(&columns[1]).unwrap();
        for (id, text) in
            columns[0].as_primitive::<Int64Type>().values().iter().zip(texts.as_string_view().iter())
        {
            assert_eq!(text, Some(text_of(*id).as_str()));
            ids.push(*id);
        }
    }
    ids.sort_unstable();
    ids
}

/// Every id in a table now, sorted.
pub fn ids(store: &Store, table: TableId) -> Vec<i64> {
    ids_of(&store.snapshot(), table, &ScanRequest::default())
}
