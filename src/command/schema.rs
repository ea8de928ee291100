//! Schemas as text: the JSON that editors read, CSL column lists, scripts, the tabular form.

use std::fmt::Write;

use conshelf_kql::Type;
use conshelf_storage::{ColumnType, DatabaseEntry, FunctionEntry, TableEntry, TableSchema};

use crate::command::function::{self, FunctionParameter};
use crate::command::reader::Reader;
use crate::command::result::RowsBuilder;
use crate::command::{CommandContext, CommandOutput, Result};
use crate::response::value_text::quoted;

/// The language type of a storage type.
pub fn language_type(ty: ColumnType) -> Type {
    match ty {
        ColumnType::Bool => Type::Bool,
        ColumnType::Int => Type::Int,
        ColumnType::Long => Type::Long,
        ColumnType::Real => Type::Real,
        ColumnType::Decimal => Type::Decimal,
        ColumnType::DateTime => Type::DateTime,
        ColumnType::TimeSpan => Type::TimeSpan,
        ColumnType::String => Type::String,
        ColumnType::Guid => Type::Guid,
        ColumnType::Dynamic => Type::Dynamic,
    }
}

/// The name as a command writes it: bracketed when it is not a plain identifier.
pub fn written_name(name: &str) -> String {
    let mut letters = name.chars();
    let plain = letters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_alphanumeric() || letter == '_');
    if plain { name.to_owned() } else { format!("['{}']", name.replace('\\', "\\\\").replace('\'', "\\'")) }
}

/// `A:int,['a b']:string`
pub fn csl_columns(schema: &TableSchema) -> String {
    let columns: Vec<String> = schema
        .columns
        .iter()
        .map(|column| format!("{}:{}", written_name(&column.name), column.ty.name()))
        .collect();
    columns.join(",")
}

pub fn pretty_name(database: &DatabaseEntry) -> String {
    database
        .policies
        .get(super::policy::PRETTY_NAME)
        .and_then(|value| value.as_str())
        .unwrap_or_default()
        .to_owned()
}

fn column_json(name: &str, ty: Type, docstring: &str) -> String {
    let mut json = format!(
        "{{\"Name\":{},\"Type\":\"{}\",\"CslType\":\"{}\"",
        quoted(name),
        ty.system_name(),
        ty.name()
    );
    if !docstring.is_empty() {
        let _ = write!(json, ",\"DocString\":{}", quoted(docstring));
    }
    json.push('}');
    json
}

fn ordered_columns(schema: &TableSchema) -> String {
    let columns: Vec<String> = schema
        .columns
        .iter()
        .map(|column| column_json(&column.name, language_type(column.ty), &column.docstring))
        .collect();
    format!("\"OrderedColumns\":[{}]", columns.join(","))
}

/// `{"Name":…,"OrderedColumns":[…]}`
pub fn table_json(table: &TableEntry) -> String {
    format!("{{\"Name\":{},{}}}", quoted(&table.name), ordered_columns(&table.schema))
}

fn table_in_database_json(table: &TableEntry) -> String {
    format!(
        "{{\"Name\":{},\"Folder\":{},\"DocString\":{},{}}}",
        quoted(&table.name),
        quoted(&table.folder),
        quoted(&table.docstring),
        ordered_columns(&table.schema)
    )
}

fn parameter_json(parameter: &FunctionParameter) -> String {
    match parameter {
        FunctionParameter::Scalar { name, ty, default } => {
            let mut json = column_json(name, *ty, "");
            if let Some(default) = default {
                json.pop();
                let _ = write!(json, ",\"CslDefaultValue\":{}}}", quoted(default));
            }
            json
        }
        FunctionParameter::Tabular { name, columns } => {
            let columns: Vec<String> = columns.iter().map(|(name, ty)| column_json(name, *ty, "")).collect();
            format!("{{\"Name\":{},\"Columns\":[{}]}}", quoted(name), columns.join(","))
        }
    }
}

/// The object of a function; `outputs` as far as they are known.
pub fn function_json(function: &FunctionEntry, outputs: &[(String, Type)]) -> String {
    let parameters: Vec<String> =
        function::parameters(&function.parameters).iter().map(parameter_json).collect();
    let outputs: Vec<String> = outputs.iter().map(|(name, ty)| column_json(name, *ty, "")).collect();
    format!(
        "{{\"Name\":{},\"InputParameters\":[{}],\"Body\":{},\"Folder\":{},\"DocString\":{},\"FunctionKind\":\"Unknown\",\"OutputColumns\":[{}]}}",
        quoted(&function.name),
        parameters.join(","),
        quoted(&function.body),
        quoted(&function.folder),
        quoted(&function.docstring),
        outputs.join(",")
    )
}

fn database_json(database: &DatabaseEntry) -> String {
    let tables: Vec<String> = database
        .tables()
        .map(|table| format!("{}:{}", quoted(&table.name), table_in_database_json(table)))
        .collect();
    let functions: Vec<String> = database
        .functions
        .values()
        .map(|function| format!("{}:{}", quoted(&function.name), function_json(function, &[])))
        .collect();
    format!(
        "{{\"Name\":{},\"Tables\":{{{}}},\"ExternalTables\":{{}},\"MaterializedViews\":{{}},\"EntityGroups\":{{}},\"MajorVersion\":1,\"MinorVersion\":0,\"Functions\":{{{}}},\"DatabaseAccessMode\":\"ReadWrite\",\"GraphModels\":{{}}}}",
        quoted(&database.name),
        tables.join(","),
        functions.join(",")
    )
}

/// The schema of several databases as one JSON object.
pub fn databases_json(databases: &[&DatabaseEntry]) -> String {
    let databases: Vec<String> = databases
        .iter()
        .map(|database| format!("{}:{}", quoted(&database.name), database_json(database)))
        .collect();
    format!("{{\"Plugins\":[],\"Databases\":{{{}}}}}", databases.join(","))
}

/// `.show schema [as json]`
pub fn show_schema(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    let snapshot = context.store.snapshot();
    let databases: Vec<&DatabaseEntry> = snapshot.databases().map(AsRef::as_ref).collect();
    show_databases(context, reader, &databases)
}

/// What follows `.show databases schema` or `.show database D schema`.
pub fn show_databases(
    _context: &CommandContext<'_>,
    reader: &mut Reader<'_>,
    databases: &[&DatabaseEntry],
) -> Result<CommandOutput> {
    let mut form = "table";
    let _ = reader.eat("details");
    if reader.eat("if_later_than") {
        reader.string("a version")?;
    }
    if reader.eat("as") {
        if reader.eat("json") {
            form = "json";
        } else {
            reader.expect("csl")?;
            let _ = reader.eat("script");
            form = "script";
        }
    }
    if reader.eat("if_later_than") {
        reader.string("a version")?;
    }
    reader.properties()?;
    reader.finish()?;
    Ok(match form {
        "json" => {
            let mut rows = RowsBuilder::new(&[("DatabaseSchema", Type::String)]);
            rows.text(databases_json(databases)).end_row();
            rows.into()
        }
        "script" => {
            let mut rows = RowsBuilder::new(&[("DatabaseSchemaScript", Type::String)]);
            for command in databases.iter().flat_map(|database| script(database)) {
                rows.text(command).end_row();
            }
            rows.into()
        }
        _ => tabular(databases),
    })
}

fn tabular(databases: &[&DatabaseEntry]) -> CommandOutput {
    let mut rows = RowsBuilder::new(&[
        ("DatabaseName", Type::String),
        ("TableName", Type::String),
        ("ColumnName", Type::String),
        ("ColumnType", Type::String),
        ("IsDefaultTable", Type::Bool),
        ("IsDefaultColumn", Type::Bool),
        ("PrettyName", Type::String),
        ("Version", Type::String),
        ("Folder", Type::String),
        ("DocString", Type::String),
    ]);
    for database in databases {
        rows.text(&database.name).text("").text("").text("").bool(false).bool(false);
        rows.text(pretty_name(database)).text("v1.0").text("").text(&database.docstring).end_row();
        for table in database.tables() {
            rows.text(&database.name).text(&table.name).text("").text("").bool(false).bool(false);
            rows.text("").text("").text(&table.folder).text(&table.docstring).end_row();
            for column in &table.schema.columns {
                rows.text(&database.name).text(&table.name).text(&column.name);
                rows.text(language_type(column.ty).system_name()).bool(false).bool(false);
                rows.text("").text("").text("").text(&column.docstring).end_row();
            }
        }
    }
    rows.into()
}

/// The commands that make a database what it is.
fn script(database: &DatabaseEntry) -> Vec<String> {
    let mut commands = Vec::new();
    let with = |folder: &str, docstring: &str| {
        let mut properties = Vec::new();
        if !folder.is_empty() {
            properties.push(format!("folder = {}", quoted(folder)));
        }
        if !docstring.is_empty() {
            properties.push(format!("docstring = {}", quoted(docstring)));
        }
        if properties.is_empty() { String::new() } else { format!(" with ({})", properties.join(", ")) }
    };
    for table in database.tables() {
        let name = written_name(&table.name);
        commands.push(format!(
            ".create-merge table {name} ({}){}",
            csl_columns(&table.schema).replace(',', ", "),
            with(&table.folder, &table.docstring)
        ));
        for (kind, value) in &table.policies {
            commands.push(format!(".alter table {name} policy {kind} {}", quoted(&value.to_string())));
        }
        for mapping in &table.mappings {
            commands.push(format!(
                ".create-or-alter table {name} ingestion {} mapping {} {}",
                mapping.kind,
                quoted(&mapping.name),
                quoted(&mapping.definition.to_string())
            ));
        }
    }
    for function in database.functions.values() {
        commands.push(format!(
            ".create-or-alter function{} {}{} {}",
            with(&function.folder, &function.docstring),
            written_name(&function.name),
            function.parameters,
            function.body
        ));
    }
    for (kind, value) in database.policies.iter().filter(|(kind, _)| *kind != super::policy::PRETTY_NAME) {
        commands.push(format!(
            ".alter database {} policy {kind} {}",
            written_name(&database.name),
            quoted(&value.to_string())
        ));
    }
    commands
}

/// `.show database D cslschema [script]`
pub fn show_database_cslschema(reader: &mut Reader<'_>, database: &DatabaseEntry) -> Result<CommandOutput> {
    let as_script = reader.eat("script");
    reader.finish()?;
    if as_script {
        let mut rows = RowsBuilder::new(&[("DatabaseSchemaScript", Type::String)]);
        for command in script(database) {
            rows.text(command).end_row();
        }
        return Ok(rows.into());
    }
    let mut rows = RowsBuilder::new(&[
        ("TableName", Type::String),
        ("Schema", Type::String),
        ("DatabaseName", Type::String),
        ("Folder", Type::String),
        ("DocString", Type::String),
    ]);
    for table in database.tables() {
        rows.text(&table.name).text(csl_columns(&table.schema)).text(&database.name);
        rows.text(&table.folder).text(&table.docstring).end_row();
    }
    Ok(rows.into())
}
