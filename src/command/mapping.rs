//! Ingestion mappings of tables and databases.

use conshelf_kql::Type;
use conshelf_storage::{CatalogChange, CreateMode, DatabaseEntry, MappingEntry, TableEntry};
use serde_json::{Map, Value, json};

use crate::command::database::check_name;
use crate::command::reader::Reader;
use crate::command::result::RowsBuilder;
use crate::command::{CommandContext, CommandError, CommandOutput, Result, database_named, table_named};

const KINDS: [(&str, &str); 8] = [
    ("csv", "Csv"),
    ("json", "Json"),
    ("avro", "Avro"),
    ("apacheavro", "ApacheAvro"),
    ("parquet", "Parquet"),
    ("sstream", "SStream"),
    ("orc", "Orc"),
    ("w3clogfile", "W3CLogFile"),
];

fn kind_name(kind: &str) -> &str {
    KINDS.iter().find(|(known, _)| kind.eq_ignore_ascii_case(known)).map_or(kind, |(_, name)| name)
}

fn read_kind(reader: &mut Reader<'_>) -> Result<&'static str> {
    for (kind, _) in KINDS {
        if reader.eat(kind) {
            return Ok(kind);
        }
    }
    Err(reader.error(
        "expected the kind of the mapping: csv, json, avro, apacheavro, parquet, orc, sstream or w3clogfile",
    ))
}

fn new_rows() -> RowsBuilder {
    RowsBuilder::new(&[
        ("Name", Type::String),
        ("Kind", Type::String),
        ("Mapping", Type::String),
        ("LastUpdatedOn", Type::DateTime),
        ("Database", Type::String),
        ("Table", Type::String),
    ])
}

fn add_row(rows: &mut RowsBuilder, mapping: &MappingEntry, database: &str, table: &str) {
    rows.text(&mapping.name).text(kind_name(&mapping.kind)).text(mapping.definition.to_string());
    rows.ticks(mapping.updated_ticks).text(database).text(table).end_row();
}

/// A member of an object by its name in any case.
fn member<'a>(object: &'a Map<String, Value>, names: &[&str]) -> Option<&'a Value> {
    object
        .iter()
        .find(|(key, _)| names.iter().any(|name| key.eq_ignore_ascii_case(name)))
        .map(|(_, value)| value)
}

/// The mapping in Kusto's normal form: `[{"column","datatype","Properties":{…}}]`.
pub fn normal_form(definition: &Value) -> std::result::Result<Value, String> {
    let Value::Array(entries) = definition else {
        return Err("an ingestion mapping is a JSON array of objects".to_owned());
    };
    let mut normal = Vec::with_capacity(entries.len());
    for entry in entries {
        let Value::Object(entry) = entry else {
            return Err(format!("an entry of an ingestion mapping is an object, not {entry}"));
        };
        let Some(column) = member(entry, &["column", "name"]).and_then(Value::as_str) else {
            return Err(format!("an entry of the mapping names no column: {}", Value::Object(entry.clone())));
        };
        let datatype = member(entry, &["datatype", "cslDataType"]).and_then(Value::as_str).unwrap_or("");
        let mut properties = Map::new();
        let nested = member(entry, &["properties"]).and_then(Value::as_object);
        for name in ["Path", "Ordinal", "Field", "ConstValue", "Transform"] {
            let value = nested
                .and_then(|nested| member(nested, &[name]))
                .or_else(|| member(entry, &[name]))
                .filter(|value| !value.is_null());
            match value {
                Some(Value::String(text)) if text.is_empty() => {}
                Some(Value::String(text)) => drop(properties.insert(name.to_owned(), json!(text))),
                Some(other) => drop(properties.insert(name.to_owned(), json!(other.to_string()))),
                None => {}
            }
        }
        normal.push(json!({"column": column, "datatype": datatype, "Properties": properties}));
    }
    Ok(Value::Array(normal))
}

/// `… ingestion json mapping 'm' '[…]'` after create, alter or create-or-alter.
pub fn change(
    context: &CommandContext<'_>,
    reader: &mut Reader<'_>,
    verb: &str,
    database: String,
    table: Option<String>,
) -> Result<CommandOutput> {
    let kind = read_kind(reader)?;
    reader.expect("mapping")?;
    // The name and the mapping are both string literals: the first one is the name alone.
    let (name, text) = name_and_text(reader)?;
    reader.properties()?;
    reader.finish()?;
    check_name("mapping", &name)?;
    let definition: Value = serde_json::from_str(&text)
        .map_err(|error| CommandError::Invalid(format!("the mapping '{name}' is not JSON: {error}")))?;
    let definition = normal_form(&definition).map_err(CommandError::Invalid)?;
    let mode = match verb {
        "alter" => CreateMode::Alter,
        "create-or-alter" => CreateMode::CreateOrAlter,
        _ => CreateMode::Create,
    };
    context.commit(&[CatalogChange::CreateMapping {
        database: database.clone(),
        table: table.clone(),
        name: name.clone(),
        kind: kind.to_owned(),
        definition,
        mode,
    }])?;
    let snapshot = context.store.snapshot();
    let entry = database_named(&snapshot, &database)?;
    let mut rows = new_rows();
    let stored = match &table {
        Some(table) => table_named(entry, table)?.mapping(kind, &name),
        None => entry.mapping(kind, &name),
    };
    if let Some(mapping) = stored {
        add_row(&mut rows, mapping, &entry.name, table.as_deref().unwrap_or(""));
    }
    Ok(rows.into())
}

fn name_and_text(reader: &mut Reader<'_>) -> Result<(String, String)> {
    let name = reader.name("the name of the mapping")?;
    if reader.at_string() {
        return Ok((name, reader.string("the mapping")?));
    }
    if reader.at_symbol('[') {
        return Ok((name, reader.balanced()?.to_owned()));
    }
    Err(reader.error("expected the mapping as a string literal"))
}

/// What follows `.show table T ingestion`.
pub fn show_table(
    reader: &mut Reader<'_>,
    database: &DatabaseEntry,
    table: &TableEntry,
) -> Result<CommandOutput> {
    let (kind, name) = selection(reader)?;
    let mut rows = new_rows();
    let mut found = false;
    for mapping in select(&table.mappings, kind, name.as_deref()) {
        add_row(&mut rows, mapping, &database.name, &table.name);
        found = true;
    }
    missing_if(!found, kind, name)?;
    Ok(rows.into())
}

/// What follows `.show database D ingestion`.
pub fn show_database(reader: &mut Reader<'_>, database: &DatabaseEntry) -> Result<CommandOutput> {
    let (kind, name) = selection(reader)?;
    let mut rows = new_rows();
    let mut found = false;
    for mapping in select(&database.mappings, kind, name.as_deref()) {
        add_row(&mut rows, mapping, &database.name, "");
        found = true;
    }
    if name.is_none() {
        for table in database.tables() {
            for mapping in select(&table.mappings, kind, None) {
                add_row(&mut rows, mapping, &database.name, &table.name);
            }
        }
    }
    missing_if(!found, kind, name)?;
    Ok(rows.into())
}

fn missing_if(missing: bool, kind: Option<&str>, name: Option<String>) -> Result<()> {
    match name {
        Some(name) if missing => Err(CommandError::NotFound {
            kind: format!("{}Mapping", kind.map_or("Ingestion", kind_name)),
            name,
        }),
        _ => Ok(()),
    }
}

/// `[kind] mapping[s] ['name']`
fn selection(reader: &mut Reader<'_>) -> Result<(Option<&'static str>, Option<String>)> {
    let kind = if reader.at("mapping") || reader.at("mappings") { None } else { Some(read_kind(reader)?) };
    if !reader.eat("mappings") {
        reader.expect("mapping")?;
    }
    let name = if reader.at_name() && !reader.at("with") {
        Some(reader.name("the name of a mapping")?)
    } else {
        None
    };
    reader.properties()?;
    reader.finish()?;
    Ok((kind, name))
}

fn select<'m>(
    mappings: &'m [MappingEntry],
    kind: Option<&'m str>,
    name: Option<&'m str>,
) -> impl Iterator<Item = &'m MappingEntry> {
    mappings.iter().filter(move |mapping| {
        kind.is_none_or(|kind| mapping.kind.eq_ignore_ascii_case(kind))
            && name.is_none_or(|name| mapping.name == name)
    })
}

/// What follows `.drop table T ingestion` or `.drop database D ingestion`.
pub fn drop_mapping(
    context: &CommandContext<'_>,
    reader: &mut Reader<'_>,
    database: String,
    table: Option<String>,
) -> Result<CommandOutput> {
    let kind = read_kind(reader)?;
    reader.expect("mapping")?;
    let name = reader.name("the name of a mapping")?;
    reader.finish()?;
    context.commit(&[CatalogChange::DropMapping {
        database: database.clone(),
        table: table.clone(),
        name,
        kind: kind.to_owned(),
    }])?;
    let snapshot = context.store.snapshot();
    let entry = database_named(&snapshot, &database)?;
    let mut rows = new_rows();
    match &table {
        Some(table) => {
            for mapping in &table_named(entry, table)?.mappings {
                add_row(&mut rows, mapping, &entry.name, table);
            }
        }
        None => {
            for mapping in &entry.mappings {
                add_row(&mut rows, mapping, &entry.name, "");
            }
        }
    }
    Ok(rows.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mappings_are_read_in_every_dialect() {
        let expected = json!([{"column": "a", "datatype": "int", "Properties": {"Path": "$.a"}}]);
        for given in [
            json!([{"column": "a", "datatype": "int", "Properties": {"Path": "$.a"}}]),
            json!([{"Column": "a", "DataType": "int", "properties": {"path": "$.a"}}]),
            json!([{"column": "a", "path": "$.a", "datatype": "int", "transform": null}]),
        ] {
            assert_eq!(normal_form(&given), Ok(expected.clone()), "{given}");
        }
        assert_eq!(
            normal_form(&json!([{"Name": "a", "DataType": "int", "Ordinal": 0, "ConstValue": null}])),
            Ok(json!([{"column": "a", "datatype": "int", "Properties": {"Ordinal": "0"}}]))
        );
        for wrong in [json!({}), json!([1]), json!([{"path": "$"}])] {
            assert!(normal_form(&wrong).is_err(), "{wrong}");
        }
    }
}
