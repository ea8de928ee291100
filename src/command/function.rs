//! Stored functions: show, create, alter, drop.

use conshelf_kql::Type;
use conshelf_storage::{CatalogChange, CreateMode, DatabaseEntry, FunctionEntry};

use crate::command::database::check_name;
use crate::command::reader::Reader;
use crate::command::result::RowsBuilder;
use crate::command::{CommandContext, CommandError, CommandOutput, Result, schema};
use crate::query;

/// A parameter of a stored function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FunctionParameter {
    Scalar { name: String, ty: Type, default: Option<String> },
    Tabular { name: String, columns: Vec<(String, Type)> },
}

/// Reads a parameter list; what is not understood is left out.
pub fn parameters(text: &str) -> Vec<FunctionParameter> {
    let mut reader = Reader::new(text);
    parameter_list(&mut reader).unwrap_or_default()
}

fn language_type(reader: &mut Reader<'_>) -> Result<Type> {
    reader.column_type().map(schema::language_type)
}

fn parameter_list(reader: &mut Reader<'_>) -> Result<Vec<FunctionParameter>> {
    reader.expect_symbol('(')?;
    let mut parameters = Vec::new();
    if reader.eat_symbol(')') {
        return Ok(parameters);
    }
    loop {
        let name = reader.name("the name of a parameter")?;
        reader.expect_symbol(':')?;
        if reader.at_symbol('(') {
            let mut columns = Vec::new();
            reader.expect_symbol('(')?;
            while !reader.eat_symbol(')') {
                if !reader.eat_symbol('*') {
                    let column = reader.name("the name of a column")?;
                    reader.expect_symbol(':')?;
                    columns.push((column, language_type(reader)?));
                }
                if !reader.at_symbol(')') {
                    reader.expect_symbol(',')?;
                }
            }
            parameters.push(FunctionParameter::Tabular { name, columns });
        } else {
            let ty = language_type(reader)?;
            let default = if reader.eat_symbol('=') { Some(default_value(reader)?) } else { None };
            parameters.push(FunctionParameter::Scalar { name, ty, default });
        }
        if reader.eat_symbol(')') {
            return Ok(parameters);
        }
        reader.expect_symbol(',')?;
    }
}

/// A default value as it is written.
fn default_value(reader: &mut Reader<'_>) -> Result<String> {
    if reader.at_string() {
        return Ok(crate::response::value_text::quoted(&reader.string("a value")?));
    }
    if reader.eat_symbol('-') {
        return Ok(format!("-{}", reader.word()?));
    }
    let word = reader.word()?;
    if reader.at_symbol('(') { Ok(format!("{word}{}", reader.balanced()?)) } else { Ok(word.to_owned()) }
}

/// The list in Kusto's normal form: `(n:long, s:string="x")`.
fn normal_form(parameters: &[FunctionParameter], any_columns: bool) -> String {
    let written: Vec<String> = parameters
        .iter()
        .map(|parameter| match parameter {
            FunctionParameter::Scalar { name, ty, default } => {
                let default = default.as_ref().map(|value| format!("={value}")).unwrap_or_default();
                format!("{}:{}{default}", schema::written_name(name), ty.name())
            }
            FunctionParameter::Tabular { name, columns } => {
                let mut columns: Vec<String> = columns
                    .iter()
                    .map(|(name, ty)| format!("{}:{}", schema::written_name(name), ty.name()))
                    .collect();
                if any_columns || columns.is_empty() {
                    columns.push("*".to_owned());
                }
                format!("{}:({})", schema::written_name(name), columns.join(", "))
            }
        })
        .collect();
    format!("({})", written.join(", "))
}

fn list<'f>(functions: impl Iterator<Item = &'f FunctionEntry>) -> CommandOutput {
    let mut rows = RowsBuilder::new(&[
        ("Name", Type::String),
        ("Parameters", Type::String),
        ("Body", Type::String),
        ("Folder", Type::String),
        ("DocString", Type::String),
    ]);
    for function in functions {
        rows.text(&function.name).text(&function.parameters).text(&function.body);
        rows.text(&function.folder).text(&function.docstring).end_row();
    }
    rows.into()
}

fn function_named<'d>(database: &'d DatabaseEntry, name: &str) -> Result<&'d FunctionEntry> {
    database
        .function(name)
        .map(AsRef::as_ref)
        .ok_or_else(|| CommandError::NotFound { kind: "Function".to_owned(), name: name.to_owned() })
}

/// `.show functions [(A, B)]`
pub fn show_functions(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    let names = if reader.at_symbol('(') { Some(reader.name_list("the name of a function")?) } else { None };
    reader.properties()?;
    reader.finish()?;
    let snapshot = context.store.snapshot();
    let database = context.database_of(&snapshot)?;
    let functions = database.functions.values().map(AsRef::as_ref);
    Ok(match names {
        None => list(functions),
        Some(names) => list(functions.filter(|function: &&FunctionEntry| names.contains(&function.name))),
    })
}

/// `.show function f [schema as json]`
pub fn show_function(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    let name = reader.name("the name of a function")?;
    let as_schema = reader.eat("schema");
    if as_schema && reader.eat("as") {
        reader.expect("json")?;
    }
    reader.properties()?;
    reader.finish()?;
    let snapshot = context.store.snapshot();
    let database = context.database_of(&snapshot)?;
    let function = function_named(database, &name)?;
    if !as_schema {
        return Ok(list(std::iter::once(function)));
    }
    // What it yields is known where it can be called without arguments.
    let callable = parameters(&function.parameters)
        .iter()
        .all(|parameter| matches!(parameter, FunctionParameter::Scalar { default: Some(_), .. }));
    let outputs: Vec<(String, Type)> = if callable {
        let text = format!("{}()", schema::written_name(&name));
        let checked = query::check(context.store, &text, &database.name);
        checked.columns.into_iter().map(|column| (column.name, column.ty)).collect()
    } else {
        Vec::new()
    };
    let mut rows = RowsBuilder::new(&[
        ("Name", Type::String),
        ("Schema", Type::String),
        ("DatabaseName", Type::String),
        ("Folder", Type::String),
        ("DocString", Type::String),
    ]);
    rows.text(&name).text(schema::function_json(function, &outputs)).text(&database.name);
    rows.text(&function.folder).text(&function.docstring).end_row();
    Ok(rows.into())
}

/// `.create | .create-or-alter | .alter function [ifnotexists] [with (…)] f(parameters) { body }`
pub fn change_function(
    context: &CommandContext<'_>,
    reader: &mut Reader<'_>,
    verb: &str,
    if_not_exists: bool,
) -> Result<CommandOutput> {
    let if_not_exists = if_not_exists | reader.eat("ifnotexists");
    let properties = reader.properties()?;
    let name = reader.name("the name of a function")?;
    let database_name = context.database_name().to_owned();
    if verb == "alter" && (reader.at("folder") || reader.at("docstring")) {
        let is_folder = reader.at("folder");
        reader.word()?;
        let text = reader.string("the text")?;
        reader.finish()?;
        let snapshot = context.store.snapshot();
        let mut function = function_named(context.database_of(&snapshot)?, &name)?.clone();
        if is_folder {
            function.folder = text;
        } else {
            function.docstring = text;
        }
        return store(context, database_name, function, CreateMode::Alter);
    }
    let start = reader.start();
    let parameter_text = reader.clone().balanced()?.to_owned();
    let any_columns = parameter_text.contains('*');
    let parsed = parameter_list(reader)?;
    if !reader.at_symbol('{') {
        return Err(reader.error("expected the body of the function in braces"));
    }
    let body = reader.balanced()?.to_owned();
    let late_properties = reader.properties()?;
    reader.finish()?;
    check_name("function", &name)?;
    let properties: Vec<(String, String)> = properties.into_iter().chain(late_properties).collect();
    let find =
        |wanted: &str| properties.iter().find(|(known, _)| known == wanted).map(|(_, value)| value.clone());
    let snapshot = context.store.snapshot();
    let database = context.database_of(&snapshot)?;
    let existing = database.function(&name);
    let function = FunctionEntry {
        name: name.clone(),
        parameters: normal_form(&parsed, any_columns),
        body,
        folder: find("folder").or_else(|| existing.map(|known| known.folder.clone())).unwrap_or_default(),
        docstring: find("docstring")
            .or_else(|| existing.map(|known| known.docstring.clone()))
            .unwrap_or_default(),
    };
    let skip = find("skipvalidation").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    if !skip {
        validate(context, &function, start)?;
    }
    let mode = match verb {
        "alter" => CreateMode::Alter,
        "create-or-alter" => CreateMode::CreateOrAlter,
        _ if if_not_exists => CreateMode::CreateIfNotExists,
        _ => CreateMode::Create,
    };
    store(context, database_name, function, mode)
}

/// Refuses a function whose text is not KQL. Tables that do not exist yet are no reason.
fn validate(context: &CommandContext<'_>, function: &FunctionEntry, start: usize) -> Result<()> {
    let text =
        format!("let {} = {} {};", schema::written_name(&function.name), function.parameters, function.body);
    let checked = query::check(context.store, &format!("{text} print 1"), context.database_name());
    match checked.diagnostics.iter().find(|found| found.is_syntax && found.severity == "Error") {
        None => Ok(()),
        Some(found) => Err(CommandError::Syntax {
            message: format!("in the function '{}': {}", function.name, found.message),
            start,
            length: 1,
        }),
    }
}

fn store(
    context: &CommandContext<'_>,
    database: String,
    function: FunctionEntry,
    mode: CreateMode,
) -> Result<CommandOutput> {
    let name = function.name.clone();
    context.commit(&[CatalogChange::CreateFunction { database, function, mode }])?;
    let snapshot = context.store.snapshot();
    let stored = function_named(context.database_of(&snapshot)?, &name)?;
    Ok(list(std::iter::once(stored)))
}

/// `.drop function f [ifexists]`
pub fn drop_function(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    let name = reader.name("the name of a function")?;
    dropped(context, reader, vec![name])
}

/// `.drop functions (f, g) [ifexists]`
pub fn drop_functions(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    let names = reader.name_list("the name of a function")?;
    dropped(context, reader, names)
}

fn dropped(
    context: &CommandContext<'_>,
    reader: &mut Reader<'_>,
    names: Vec<String>,
) -> Result<CommandOutput> {
    let if_exists = reader.eat("ifexists");
    reader.finish()?;
    let changes: Vec<CatalogChange> = names
        .into_iter()
        .map(|name| CatalogChange::DropFunction {
            database: context.database_name().to_owned(),
            name,
            if_exists,
        })
        .collect();
    context.commit(&changes)?;
    let snapshot = context.store.snapshot();
    let database = context.database_of(&snapshot)?;
    Ok(list(database.functions.values().map(AsRef::as_ref)))
}
