//! Ingestion mappings: which part of a record goes into which column (PROTOCOL 10.2).
//!
//! A mapping is an array of `{"column", "datatype", "Properties": {…}}` or of the old flat form; every key is
//! read without regard to case. It is compiled once per request.

use std::collections::HashMap;

use conshelf_kql::Type;
use conshelf_storage::ColumnType;
use conshelf_storage::dynamic::DynamicRef;
use conshelf_storage::ticks::{
    MAX_DATETIME_TICKS, TICKS_PER_MILLISECOND, TICKS_PER_SECOND, UNIX_EPOCH_TICKS,
};
use foldhash::fast::RandomState;
use serde_json::{Map, Value};

use crate::ingest::column::Scalar;
use crate::ingest::json::scalar_of;
use crate::ingest::rows::RowBuilder;

/// One step into a JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Key(String),
    Index(i64),
}

/// A change of the value on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transform {
    /// A count of units since 1970, each of so many ticks, or, negative, so many units to a tick.
    UnixTime { ticks_per_unit: i64 },
    /// `[{"key": k, "value": v}, …]` to `{k: v, …}`.
    ArrayToDictionary,
}

/// One entry of a mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct MappingEntry {
    pub column: String,
    pub ty: Option<ColumnType>,
    pub path: Option<Vec<Step>>,
    pub ordinal: Option<usize>,
    pub constant: Option<String>,
    pub transform: Option<Transform>,
}

/// Reads the JSON of a mapping.
pub fn parse(definition: &Value) -> Result<Vec<MappingEntry>, String> {
    // Commands store what they were given; that may be JSON text in a string.
    if let Value::String(text) = definition {
        let inner =
            serde_json::from_str(text).map_err(|error| format!("the mapping is not JSON: {error}"))?;
        return parse(&inner);
    }
    let entries = definition.as_array().ok_or("an ingestion mapping is a JSON array of columns")?;
    entries
        .iter()
        .enumerate()
        .map(|(index, entry)| {
            parse_entry(entry).map_err(|why| format!("entry {index} of the mapping: {why}"))
        })
        .collect()
}

fn parse_entry(entry: &Value) -> Result<MappingEntry, String> {
    let entry = entry.as_object().ok_or("not an object")?;
    let properties = member(entry, "properties").and_then(Value::as_object);
    let find = |name: &str| {
        properties.and_then(|properties| member(properties, name)).or_else(|| member(entry, name))
    };
    let text = |name: &str| {
        find(name).filter(|value| !value.is_null()).map(|value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
    };
    let column = member(entry, "column")
        .or_else(|| member(entry, "name"))
        .and_then(Value::as_str)
        .filter(|name| !name.is_empty())
        .ok_or("it names no column")?
        .to_string();
    let ty = match text("datatype").filter(|name| !name.is_empty()) {
        None => None,
        Some(name) => {
            let lower = name.to_ascii_lowercase();
            let short = lower.strip_prefix("system.").unwrap_or(&lower);
            let short = match short {
                "object" => "dynamic",
                "sbyte" => "bool",
                "single" => "real",
                "data.sqltypes.sqldecimal" | "sqldecimal" => "decimal",
                other => other,
            };
            let ty = Type::from_name(short).ok_or_else(|| format!("'{name}' is not a type"))?;
            ColumnType::ALL.into_iter().find(|column| column.name() == ty.name())
        }
    };
    let path = text("path").or_else(|| text("field")).filter(|path| !path.is_empty());
    let ordinal = match text("ordinal").filter(|text| !text.is_empty()) {
        None => None,
        Some(text) => Some(text.parse().map_err(|_| format!("'{text}' is not an ordinal"))?),
    };
    let transform = match text("transform").filter(|text| !text.is_empty()) {
        None => None,
        Some(name) => parse_transform(&name)?,
    };
    Ok(MappingEntry {
        column,
        ty,
        path: path.map(|path| parse_path(&path)).transpose()?,
        ordinal,
        constant: text("constvalue").or_else(|| text("constantvalue")).or_else(|| text("const")),
        transform,
    })
}

fn member<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn parse_transform(name: &str) -> Result<Option<Transform>, String> {
    Ok(Some(match name.to_ascii_lowercase().as_str() {
        "none" => return Ok(None),
        "datetimefromunixseconds" => Transform::UnixTime { ticks_per_unit: TICKS_PER_SECOND },
        "datetimefromunixmilliseconds" => Transform::UnixTime { ticks_per_unit: TICKS_PER_MILLISECOND },
        "datetimefromunixmicroseconds" => Transform::UnixTime { ticks_per_unit: 10 },
        "datetimefromunixnanoseconds" => Transform::UnixTime { ticks_per_unit: -100 },
        "propertybagarraytodictionary" => Transform::ArrayToDictionary,
        _ => return Err(format!("the mapping transformation '{name}' is not supported by this server")),
    }))
}

/// Reads `$`, `$.a.b`, `$['a b']`, `$.a[0]`, or a bare name.
pub fn parse_path(path: &str) -> Result<Vec<Step>, String> {
    let wrong = || format!("'{path}' is not a path such as $.a.b, $['a b'] or $.a[0]");
    let Some(mut rest) = path.strip_prefix('$') else {
        return Ok(vec![Step::Key(path.to_string())]);
    };
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            if end == 0 {
                return Err(wrong());
            }
            steps.push(Step::Key(after[..end].to_string()));
            rest = &after[end..];
        } else if let Some(after) = rest.strip_prefix('[') {
            let end = match after.as_bytes().first() {
                Some(quote @ (b'\'' | b'"')) => {
                    let close = after[1..].find([char::from(*quote)]).ok_or_else(wrong)? + 1;
                    steps.push(Step::Key(after[1..close].to_string()));
                    close + 1
                }
                _ => {
                    let close = after.find(']').ok_or_else(wrong)?;
                    steps.push(Step::Index(after[..close].parse().map_err(|_| wrong())?));
                    close
                }
            };
            rest = after[end..].strip_prefix(']').ok_or_else(wrong)?;
        } else {
            return Err(wrong());
        }
    }
    Ok(steps)
}

/// A column fed from a JSON value.
#[derive(Clone, Debug)]
pub struct JsonTarget {
    pub column: usize,
    path: Vec<Step>,
    transform: Option<Transform>,
}

impl JsonTarget {
    /// The value goes into the column as it is.
    pub fn is_plain(&self) -> bool {
        self.path.is_empty() && self.transform.is_none()
    }

    /// Puts the part of `value` that the path names into the column; no such part gives null.
    pub fn put(&self, value: DynamicRef<'_>, rows: &mut RowBuilder) {
        let found = self.path.iter().try_fold(value, |value, step| match step {
            Step::Key(key) => value.get(key),
            Step::Index(index) => value.at(*index),
        });
        let Some(found) = found else { return };
        let mut json = String::new();
        match self.transform {
            None => rows.append(self.column, scalar_of(found, &mut json)),
            Some(Transform::ArrayToDictionary) => {
                let mut builder = conshelf_storage::dynamic::DynamicBuilder::new();
                builder.begin_object();
                for entry in found.iter_array() {
                    if let (Some(key), Some(value)) =
                        (entry.get("key").and_then(|k| k.as_str()), entry.get("value"))
                    {
                        builder.key(key);
                        builder.value(value);
                    }
                }
                builder.end_object();
                let bytes = builder.finish();
                rows.append(self.column, scalar_of(DynamicRef::new(&bytes), &mut json));
            }
            Some(transform) => rows.append(self.column, unix_time(transform, scalar_of(found, &mut json))),
        }
    }
}

fn unix_time(transform: Transform, value: Scalar<'_>) -> Scalar<'static> {
    let Transform::UnixTime { ticks_per_unit } = transform else { return Scalar::Null };
    let ticks = match value {
        Scalar::Real(value) if ticks_per_unit > 0 => {
            let ticks = value * ticks_per_unit as f64;
            (ticks.abs() < 4e18).then_some(ticks.round() as i64)
        }
        Scalar::Integer(_) | Scalar::Text(_) => {
            let units = match value {
                Scalar::Integer(units) => Some(units),
                Scalar::Text(text) => text.trim().parse().ok(),
                _ => None,
            };
            units.and_then(|units| match ticks_per_unit {
                divisor if divisor < 0 => Some(units.div_euclid(-divisor)),
                factor => units.checked_mul(factor),
            })
        }
        _ => None,
    };
    let ticks = ticks.and_then(|ticks| ticks.checked_add(UNIX_EPOCH_TICKS));
    match ticks.filter(|ticks| (0..=MAX_DATETIME_TICKS).contains(ticks)) {
        Some(ticks) => Scalar::Ticks(ColumnType::DateTime, ticks),
        None => Scalar::Null,
    }
}

/// A mapping compiled for JSON records.
#[derive(Clone, Debug, Default)]
pub struct JsonMapping {
    by_key: HashMap<String, Vec<JsonTarget>, RandomState>,
    whole: Vec<JsonTarget>,
    constants: Vec<(usize, String)>,
}

impl JsonMapping {
    /// Compiles entries against the columns of a row builder; names that it does not know are an error to a
    /// strict builder.
    pub fn compile(entries: &[MappingEntry], rows: &mut RowBuilder) -> Result<JsonMapping, String> {
        let mut mapping = JsonMapping::default();
        for entry in entries {
            let column = column_of(entry, rows)?;
            if let Some(constant) = &entry.constant {
                mapping.constants.push((column, constant.clone()));
                continue;
            }
            let path = entry.path.clone().unwrap_or_else(|| vec![Step::Key(entry.column.clone())]);
            let target =
                |path: &[Step]| JsonTarget { column, path: path.to_vec(), transform: entry.transform };
            match path.split_first() {
                Some((Step::Key(key), rest)) => {
                    mapping.by_key.entry(key.clone()).or_default().push(target(rest))
                }
                _ => mapping.whole.push(target(&path)),
            }
        }
        Ok(mapping)
    }

    /// Columns fed from the property of that name.
    pub fn targets(&self, key: &str) -> &[JsonTarget] {
        self.by_key.get(key).map_or(&[], Vec::as_slice)
    }

    /// Columns fed from the record as a whole (`$`).
    pub fn whole_record(&self) -> &[JsonTarget] {
        &self.whole
    }

    /// Puts the constants into the current row.
    pub fn constants(&self, rows: &mut RowBuilder) {
        for (column, text) in &self.constants {
            rows.append(*column, Scalar::Text(text));
        }
    }
}

/// A mapping compiled for records of ordered values: what goes into which column.
#[derive(Clone, Debug, Default)]
pub struct OrdinalMapping {
    /// Columns fed from each position.
    pub by_ordinal: Vec<Vec<(usize, Option<Transform>)>>,
    pub constants: Vec<(usize, String)>,
}

impl OrdinalMapping {
    pub fn compile(entries: &[MappingEntry], rows: &mut RowBuilder) -> Result<OrdinalMapping, String> {
        let mut mapping = OrdinalMapping::default();
        for (index, entry) in entries.iter().enumerate() {
            let column = column_of(entry, rows)?;
            if let Some(constant) = &entry.constant {
                mapping.constants.push((column, constant.clone()));
                continue;
            }
            let ordinal = entry.ordinal.unwrap_or(index);
            if ordinal > 100_000 {
                return Err(format!("ordinal {ordinal} is larger than any record"));
            }
            if mapping.by_ordinal.len() <= ordinal {
                mapping.by_ordinal.resize_with(ordinal + 1, Vec::new);
            }
            mapping.by_ordinal[ordinal].push((column, entry.transform));
        }
        Ok(mapping)
    }

    /// Each position goes into the column of the same position.
    pub fn by_position(width: usize) -> OrdinalMapping {
        OrdinalMapping {
            by_ordinal: (0..width).map(|column| vec![(column, None)]).collect(),
            constants: Vec::new(),
        }
    }

    /// Puts one value where it goes.
    pub fn put(&self, position: usize, text: &str, rows: &mut RowBuilder) {
        for (column, transform) in self.by_ordinal.get(position).map_or(&[][..], Vec::as_slice) {
            match transform {
                Some(transform) => rows.append(*column, unix_time(*transform, Scalar::Text(text))),
                None if rows.column_type(*column) == Some(ColumnType::Dynamic) => {
                    put_json(*column, text, rows);
                }
                None => rows.append(*column, Scalar::Text(text)),
            }
        }
    }
}

/// A text for a dynamic column is the JSON it holds, else a string.
fn put_json(column: usize, text: &str, rows: &mut RowBuilder) {
    if text.is_empty() {
        rows.append(column, Scalar::Null);
        return;
    }
    match conshelf_storage::dynamic::from_json(text) {
        Ok(bytes) => {
            let mut json = String::new();
            rows.append(column, scalar_of(DynamicRef::new(&bytes), &mut json));
        }
        Err(_) => rows.append(column, Scalar::Text(text)),
    }
}

fn column_of(entry: &MappingEntry, rows: &mut RowBuilder) -> Result<usize, String> {
    rows.declare(&entry.column, entry.ty)?
        .ok_or_else(|| format!("the mapping names column '{}', which the table does not have", entry.column))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_and_any_case_of_keys() {
        let current = serde_json::json!([{"Column": "a", "DataType": "System.Int64", "properties": {"Path": "$.x['y z'][0]"}}]);
        let flat = serde_json::json!([{"column": "a", "path": "$.x['y z'][0]", "datatype": "long", "transform": null}]);
        let steps = vec![Step::Key("x".into()), Step::Key("y z".into()), Step::Index(0)];
        for definition in [&current, &flat, &Value::String(current.to_string())] {
            let entries = parse(definition).expect("a mapping");
            assert_eq!(entries[0].path.as_ref(), Some(&steps));
            assert_eq!(entries[0].ty, Some(ColumnType::Long));
        }
        let csv = parse(&serde_json::json!([{"Name": "b", "Ordinal": "3", "ConstValue": null}]))
            .expect("a mapping");
        assert_eq!((csv[0].ordinal, csv[0].constant.as_deref()), (Some(3), None));
        for wrong in [
            serde_json::json!({}),
            serde_json::json!([1]),
            serde_json::json!([{"path": "$.a"}]),
            serde_json::json!([{"column": "a", "path": "$."}]),
            serde_json::json!([{"column": "a", "path": "$.a[x]"}]),
            serde_json::json!([{"column": "a", "transform": "Nonsense"}]),
        ] {
            assert!(parse(&wrong).is_err(), "{wrong}");
        }
    }
}
