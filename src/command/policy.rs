//! Policies of databases, tables and columns: stored as JSON, retention acted on by storage, the others
//! given back as they were set, so that deployment scripts replay.

use conshelf_kql::Type;
use conshelf_kql::time::parse_timespan;
use conshelf_storage::{CatalogChange, DatabaseEntry, PolicyTarget, TableEntry};
use serde_json::{Map, Value, json};

use crate::command::reader::Reader;
use crate::command::result::RowsBuilder;
use crate::command::{
    CommandContext, CommandError, CommandOutput, Result, database_named, schema, table_named,
};
use crate::response::value_text::timespan_text;

/// Where the pretty name of a database is kept among its policies.
pub const PRETTY_NAME: &str = "$prettyname";

/// Kind of a policy as commands write it, and its name in answers.
const KINDS: [(&str, &str); 21] = [
    ("retention", "RetentionPolicy"),
    ("caching", "CachingPolicy"),
    ("streamingingestion", "StreamingIngestionPolicy"),
    ("ingestionbatching", "IngestionBatchingPolicy"),
    ("update", "UpdatePolicy"),
    ("merge", "ExtentsMergePolicy"),
    ("sharding", "ShardingPolicy"),
    ("partitioning", "PartitioningPolicy"),
    ("row_level_security", "RowLevelSecurityPolicy"),
    ("roworder", "RowOrderPolicy"),
    ("encoding", "EncodingPolicy"),
    ("ingestiontime", "IngestionTimePolicy"),
    ("restricted_view_access", "RestrictedViewAccessPolicy"),
    ("auto_delete", "AutoDeletePolicy"),
    ("extent_tags_retention", "ExtentTagsRetentionPolicy"),
    ("managed_identity", "ManagedIdentityPolicy"),
    ("query_weak_consistency", "QueryWeakConsistencyPolicy"),
    ("mirroring", "MirroringPolicy"),
    ("query_acceleration", "QueryAccelerationPolicy"),
    ("diagnostics", "DiagnosticsPolicy"),
    ("capacity", "CapacityPolicy"),
];

/// The kind named by the next word.
fn read_kind(reader: &mut Reader<'_>) -> Result<&'static str> {
    for (kind, _) in KINDS {
        if reader.eat(kind) {
            return Ok(kind);
        }
    }
    for (alias, kind) in
        [("row_order", "roworder"), ("streaming_ingestion", "streamingingestion"), ("hot", "caching")]
    {
        if reader.eat(alias) {
            return Ok(kind);
        }
    }
    let known: Vec<&str> = KINDS.iter().map(|(kind, _)| *kind).collect();
    Err(reader.error(format!("expected a kind of policy: {}", known.join(", "))))
}

fn policy_name(kind: &str) -> &'static str {
    KINDS.iter().find(|(known, _)| *known == kind).map_or("Policy", |(_, name)| name)
}

/// JSON of a policy, `null` where it is not set.
pub fn policy_text(policies: &std::collections::BTreeMap<String, Value>, kind: &str) -> String {
    policies.get(kind).map_or_else(|| "null".to_owned(), Value::to_string)
}

/// JSON of the policy in force for a table: its own, else its database's.
pub fn effective_text(database: &DatabaseEntry, table: &TableEntry, kind: &str) -> String {
    if table.policies.contains_key(kind) {
        policy_text(&table.policies, kind)
    } else {
        policy_text(&database.policies, kind)
    }
}

fn new_rows() -> RowsBuilder {
    RowsBuilder::new(&[
        ("PolicyName", Type::String),
        ("EntityName", Type::String),
        ("Policy", Type::String),
        ("ChildEntities", Type::String),
        ("EntityType", Type::String),
    ])
}

fn table_row(rows: &mut RowsBuilder, database: &DatabaseEntry, table: &TableEntry, kind: &str) {
    // Streaming ingestion works for every table unless a policy says otherwise.
    let text = match (kind, table.policies.get(kind).or_else(|| database.policies.get(kind))) {
        ("streamingingestion", None) => "{\"IsEnabled\":true,\"HintAllocatedRate\":null}".to_owned(),
        ("ingestiontime", None) => "{\"IsEnabled\":true}".to_owned(),
        _ => policy_text(&table.policies, kind),
    };
    rows.text(policy_name(kind)).text(format!("[{}].[{}]", database.name, table.name)).text(text);
    rows.text("").text("Table").end_row();
}

fn database_row(rows: &mut RowsBuilder, database: &DatabaseEntry, kind: &str) {
    let text = match (kind, database.policies.get(kind)) {
        ("streamingingestion", None) => "{\"IsEnabled\":true,\"HintAllocatedRate\":null}".to_owned(),
        _ => policy_text(&database.policies, kind),
    };
    let children: Vec<&str> = database.tables.keys().map(String::as_str).collect();
    rows.text(policy_name(kind)).text(format!("[{}]", database.name)).text(text);
    rows.text(json!(children).to_string()).text("Database").end_row();
}

/// `.show table T policy K`
pub fn show_table(
    reader: &mut Reader<'_>,
    database: &DatabaseEntry,
    table: &TableEntry,
) -> Result<CommandOutput> {
    let kind = read_kind(reader)?;
    reader.finish()?;
    let mut rows = new_rows();
    table_row(&mut rows, database, table, kind);
    Ok(rows.into())
}

/// `.show table * policy K`, `.show tables (A, B) policy K`
pub fn show_tables(
    reader: &mut Reader<'_>,
    database: &DatabaseEntry,
    names: Option<&[String]>,
) -> Result<CommandOutput> {
    let kind = read_kind(reader)?;
    reader.finish()?;
    let mut rows = new_rows();
    for table in database.tables().filter(|table| names.is_none_or(|names| names.contains(&table.name))) {
        table_row(&mut rows, database, table, kind);
    }
    Ok(rows.into())
}

/// `.show database D policy K`
pub fn show_database(reader: &mut Reader<'_>, database: &DatabaseEntry) -> Result<CommandOutput> {
    let kind = read_kind(reader)?;
    reader.finish()?;
    let mut rows = new_rows();
    database_row(&mut rows, database, kind);
    Ok(rows.into())
}

/// `.show cluster policy K`
pub fn show_cluster(reader: &mut Reader<'_>) -> Result<CommandOutput> {
    let name = reader.word()?.to_ascii_lowercase();
    reader.finish()?;
    let mut rows = new_rows();
    rows.text(KINDS.iter().find(|(kind, _)| *kind == name).map_or(name.as_str(), |(_, policy)| policy));
    rows.text("").text("null").text("").text("Cluster").end_row();
    Ok(rows.into())
}

/// `.alter cluster policy …`
pub fn change_cluster(_context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    reader.unsupported("alter cluster policy", "there is one node; its limits are flags of 'conshelf serve'")
}

fn column_kind(kind: &str, column: &str) -> String {
    format!("{kind}:{column}")
}

/// `.show column T.C policy encoding`
pub fn show_column(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    let snapshot = context.store.snapshot();
    let database = context.database_of(&snapshot)?;
    let table = reader.name("the name of a table")?;
    reader.expect_symbol('.')?;
    show_column_of(reader, database, &table)
}

/// The rest of `.show table T.C policy …`.
pub fn show_column_of(
    reader: &mut Reader<'_>,
    database: &DatabaseEntry,
    table: &str,
) -> Result<CommandOutput> {
    let table = table_named(database, table)?;
    let column = reader.name("the name of a column")?;
    reader.expect("policy")?;
    let kind = read_kind(reader)?;
    reader.finish()?;
    let mut rows = new_rows();
    let text = policy_text(&table.policies, &column_kind(kind, &column));
    rows.text(policy_name(kind)).text(format!("[{}].[{}].[{column}]", database.name, table.name)).text(text);
    rows.text("").text("Column").end_row();
    Ok(rows.into())
}

/// `.alter column T.C policy encoding type='…'`
pub fn change_column(
    context: &CommandContext<'_>,
    reader: &mut Reader<'_>,
    table: &str,
    column: &str,
) -> Result<CommandOutput> {
    let kind = read_kind(reader)?;
    let value = if reader.eat("type") {
        reader.expect_symbol('=')?;
        json!({"EncodingPolicyType": reader.value()?})
    } else if reader.at_string() {
        let text = reader.string("the policy")?;
        serde_json::from_str(&text).unwrap_or_else(|_| json!({ "EncodingPolicyType": text }))
    } else {
        Value::Null
    };
    reader.finish()?;
    let database = context.database_name().to_owned();
    context.commit(&[CatalogChange::SetPolicy {
        target: PolicyTarget::Table { database, table: table.to_owned() },
        kind: column_kind(kind, column),
        value: Some(value).filter(|value| !value.is_null()),
    }])?;
    let snapshot = context.store.snapshot();
    let database = context.database_of(&snapshot)?;
    let text = format!("{}.{} policy {kind}", schema::written_name(table), schema::written_name(column));
    let mut again = Reader::new(&text);
    let table = again.name("the name of a table")?;
    again.expect_symbol('.')?;
    show_column_of(&mut again, database, &table)
}

/// `.alter[-merge] table T policy K …`, also for several tables.
pub fn change_table(
    context: &CommandContext<'_>,
    reader: &mut Reader<'_>,
    verb: &str,
    tables: Vec<String>,
) -> Result<CommandOutput> {
    let kind = read_kind(reader)?;
    let value = read_value(reader, kind)?;
    reader.finish()?;
    let snapshot = context.store.snapshot();
    let database = context.database_of(&snapshot)?;
    let mut changes = Vec::new();
    for name in &tables {
        let table = table_named(database, name)?;
        changes.push(CatalogChange::SetPolicy {
            target: PolicyTarget::Table { database: database.name.clone(), table: name.clone() },
            kind: kind.to_owned(),
            value: merged(verb, table.policies.get(kind), value.clone()),
        });
    }
    context.commit(&changes)?;
    let snapshot = context.store.snapshot();
    let database = context.database_of(&snapshot)?;
    let mut rows = new_rows();
    for name in &tables {
        table_row(&mut rows, database, table_named(database, name)?, kind);
    }
    Ok(rows.into())
}

/// `.alter[-merge] database D policy K …`
pub fn change_database(
    context: &CommandContext<'_>,
    reader: &mut Reader<'_>,
    verb: &str,
    name: String,
) -> Result<CommandOutput> {
    let kind = read_kind(reader)?;
    let value = read_value(reader, kind)?;
    reader.finish()?;
    let snapshot = context.store.snapshot();
    let database = database_named(&snapshot, &name)?;
    let value = merged(verb, database.policies.get(kind), value);
    set_database(context, &name, kind, value)
}

fn set_database(
    context: &CommandContext<'_>,
    name: &str,
    kind: &str,
    value: Option<Value>,
) -> Result<CommandOutput> {
    context.commit(&[CatalogChange::SetPolicy {
        target: PolicyTarget::Database { database: name.to_owned() },
        kind: kind.to_owned(),
        value,
    }])?;
    let snapshot = context.store.snapshot();
    let mut rows = new_rows();
    database_row(&mut rows, database_named(&snapshot, name)?, kind);
    Ok(rows.into())
}

/// `.alter database D prettyname 'x'`, `.drop database D prettyname`
pub fn set_pretty_name(
    context: &CommandContext<'_>,
    database: &str,
    pretty_name: Option<String>,
) -> Result<CommandOutput> {
    context.commit(&[CatalogChange::SetPolicy {
        target: PolicyTarget::Database { database: database.to_owned() },
        kind: PRETTY_NAME.to_owned(),
        value: pretty_name.clone().map(Value::String),
    }])?;
    let mut rows = RowsBuilder::new(&[("DatabaseName", Type::String), ("PrettyName", Type::String)]);
    rows.text(database).text(pretty_name.unwrap_or_default()).end_row();
    Ok(rows.into())
}

/// `.delete (table T | database D | column T.C | cluster) policy K`
pub fn delete_policy(
    context: &CommandContext<'_>,
    reader: &mut Reader<'_>,
    what: &str,
) -> Result<CommandOutput> {
    if what == "cluster" {
        return change_cluster(context, reader);
    }
    let names = if reader.at_symbol('(') {
        reader.name_list("the name of a table")?
    } else {
        vec![reader.name("a name")?]
    };
    if what == "column" {
        reader.expect_symbol('.')?;
        let column = reader.name("the name of a column")?;
        reader.expect("policy")?;
        return change_column(context, reader, &names[0], &column);
    }
    if what == "table" && (reader.at("records") || reader.at_payload()) {
        return reader.unsupported("delete table records", "drop extents or let retention remove old rows");
    }
    reader.expect("policy")?;
    let kind = read_kind(reader)?;
    reader.finish()?;
    if what == "database" {
        return set_database(context, &names[0], kind, None);
    }
    let database = context.database_name().to_owned();
    let changes: Vec<CatalogChange> = names
        .iter()
        .map(|name| CatalogChange::SetPolicy {
            target: PolicyTarget::Table { database: database.clone(), table: name.clone() },
            kind: kind.to_owned(),
            value: None,
        })
        .collect();
    context.commit(&changes)?;
    let snapshot = context.store.snapshot();
    let database = context.database_of(&snapshot)?;
    let mut rows = new_rows();
    for name in &names {
        table_row(&mut rows, database, table_named(database, name)?, kind);
    }
    Ok(rows.into())
}

/// `alter-merge` keeps the members that are not given.
fn merged(verb: &str, old: Option<&Value>, new: Value) -> Option<Value> {
    if new.is_null() {
        return None;
    }
    match (verb, old, new) {
        ("alter-merge", Some(Value::Object(old)), Value::Object(new)) => {
            let mut all: Map<String, Value> = old.clone();
            all.extend(new);
            Some(Value::Object(all))
        }
        ("alter-merge", Some(Value::Array(old)), Value::Array(new)) => {
            Some(Value::Array(old.iter().cloned().chain(new).collect()))
        }
        (_, _, new) => Some(new),
    }
}

/// The value of a policy: JSON in a string, or the words of its kind.
fn read_value(reader: &mut Reader<'_>, kind: &str) -> Result<Value> {
    if kind == "row_level_security" {
        let enabled = reader.at("enable");
        if enabled || reader.at("disable") {
            reader.word()?;
            reader.properties()?;
            let query = if reader.at_string() { reader.string("the query")? } else { String::new() };
            return Ok(json!({"IsEnabled": enabled, "Query": query}));
        }
    }
    if reader.at_string() {
        let text = reader.string("the policy")?;
        let value: Value = serde_json::from_str(&text)
            .map_err(|error| CommandError::Invalid(format!("the {kind} policy is not JSON: {error}")))?;
        return checked(kind, value);
    }
    for (word, value) in [("enable", true), ("disable", false), ("true", true), ("false", false)] {
        if reader.eat(word) {
            return Ok(json!({ "IsEnabled": value }));
        }
    }
    if kind == "roworder" && reader.at_symbol('(') {
        reader.expect_symbol('(')?;
        let mut keys = Vec::new();
        while !reader.eat_symbol(')') {
            let name = reader.name("the name of a column")?;
            let ascending = !reader.eat("desc");
            let _ = reader.eat("asc");
            keys.push(json!({"ColumnName": name, "IsAscending": ascending}));
            if !reader.at_symbol(')') {
                reader.expect_symbol(',')?;
            }
        }
        return Ok(json!({ "OrderBy": keys }));
    }
    if reader.at_symbol('{') || reader.at_symbol('[') {
        let text = reader.balanced()?;
        let value: Value = serde_json::from_str(text)
            .map_err(|error| CommandError::Invalid(format!("the {kind} policy is not JSON: {error}")))?;
        return checked(kind, value);
    }
    words(reader, kind)
}

/// `softdelete = 10d recoverability = disabled`, `hot = 3d`, …
fn words(reader: &mut Reader<'_>, kind: &str) -> Result<Value> {
    let mut members = Map::new();
    while reader.at_name() {
        let name = reader.word()?.to_ascii_lowercase();
        reader.expect_symbol('=')?;
        let value = reader.value()?;
        let span = |text: &str| -> Result<String> {
            parse_timespan(text).map(timespan_text).ok_or_else(|| {
                CommandError::Invalid(format!(
                    "'{text}' is not a length of time; write e.g. 30d or 1.12:00:00"
                ))
            })
        };
        match (kind, name.as_str()) {
            ("retention", "softdelete") => {
                members.insert("SoftDeletePeriod".to_owned(), json!(span(&value)?));
            }
            ("retention", "recoverability") => {
                let enabled = value.eq_ignore_ascii_case("enabled");
                members
                    .insert("Recoverability".to_owned(), json!(if enabled { "Enabled" } else { "Disabled" }));
            }
            ("caching", "hot") => {
                let span = json!({"Value": span(&value)?});
                members.insert("DataHotSpan".to_owned(), span.clone());
                members.insert("IndexHotSpan".to_owned(), span);
            }
            ("caching", "hotdata") => {
                members.insert("DataHotSpan".to_owned(), json!({"Value": span(&value)?}));
            }
            ("caching", "hotindex") => {
                members.insert("IndexHotSpan".to_owned(), json!({"Value": span(&value)?}));
            }
            ("caching", "hot_window") => {
                // Windows of old data that is hot; all data is.
                let _ = reader.eat_symbol('.') && reader.eat_symbol('.') && reader.value().is_ok();
            }
            _ => return Err(reader.error(format!("'{name}' is not a member of the {kind} policy"))),
        }
        let _ = reader.eat_symbol(',');
    }
    if members.is_empty() {
        return Err(reader.error(format!("expected the {kind} policy as a string literal with JSON")));
    }
    Ok(Value::Object(members))
}

/// Refuses values that storage would not understand.
fn checked(kind: &str, mut value: Value) -> Result<Value> {
    if kind == "retention"
        && let Some(object) = value.as_object_mut()
        && let Some(period) = object.get_mut("SoftDeletePeriod")
    {
        let text = period.as_str().unwrap_or_default().to_owned();
        let Some(ticks) = parse_timespan(&text) else {
            return Err(CommandError::Invalid(format!(
                "SoftDeletePeriod '{text}' is not a length of time; write e.g. \"30.00:00:00\""
            )));
        };
        *period = json!(timespan_text(ticks));
    }
    Ok(value)
}
