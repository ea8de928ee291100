//! Dashboards in the catalog: show, store, drop.

use conshelf_kql::Type;
use conshelf_storage::{CatalogChange, CreateMode, DashboardEntry, DatabaseEntry};

use crate::command::database::check_name;
use crate::command::reader::Reader;
use crate::command::result::RowsBuilder;
use crate::command::{CommandContext, CommandError, CommandOutput, Result};
use crate::dashboard::token::EmbedKey;
use crate::dashboard::{self, FileFormat};

/// Title and description as the file tells them; empty where it cannot be read.
fn told(entry: &DashboardEntry) -> (String, String) {
    let format = FileFormat::from_name(&entry.format).unwrap_or(FileFormat::Yaml);
    dashboard::read(&entry.text, format).map(|read| (read.title, read.description)).unwrap_or_default()
}

fn list<'d>(
    database: &str,
    dashboards: impl Iterator<Item = &'d DashboardEntry>,
    with_text: bool,
) -> CommandOutput {
    let mut columns = vec![
        ("Name", Type::String),
        ("DatabaseName", Type::String),
        ("Title", Type::String),
        ("Description", Type::String),
        ("Format", Type::String),
        ("UpdatedOn", Type::DateTime),
    ];
    if with_text {
        columns.push(("Text", Type::String));
    }
    let mut rows = RowsBuilder::new(&columns);
    for entry in dashboards {
        let (title, description) = told(entry);
        rows.text(&entry.name).text(database).text(&title).text(&description);
        rows.text(&entry.format).ticks(entry.updated_ticks);
        if with_text {
            rows.text(&entry.text);
        }
        rows.end_row();
    }
    rows.into()
}

fn named<'d>(database: &'d DatabaseEntry, name: &str) -> Result<&'d DashboardEntry> {
    database
        .dashboard(name)
        .map(AsRef::as_ref)
        .ok_or_else(|| CommandError::NotFound { kind: "Dashboard".to_owned(), name: name.to_owned() })
}

/// `.show dashboards`
pub fn show_dashboards(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    reader.finish()?;
    let snapshot = context.store.snapshot();
    let database = context.database_of(&snapshot)?;
    Ok(list(&database.name, database.dashboards.values().map(AsRef::as_ref), false))
}

/// `.show dashboard N`
pub fn show_dashboard(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    let name = reader.name("the name of a dashboard")?;
    reader.finish()?;
    let snapshot = context.store.snapshot();
    let database = context.database_of(&snapshot)?;
    Ok(list(&database.name, std::iter::once(named(database, &name)?), true))
}

/// `.create | .create-or-alter | .alter dashboard N <| text`
pub fn change_dashboard(
    context: &CommandContext<'_>,
    reader: &mut Reader<'_>,
    verb: &str,
) -> Result<CommandOutput> {
    let name = reader.name("the name of a dashboard")?;
    let mode = match verb {
        "alter" => CreateMode::Alter,
        "create-or-alter" => CreateMode::CreateOrAlter,
        "create" if reader.eat("ifnotexists") => CreateMode::CreateIfNotExists,
        "create" => CreateMode::Create,
        _ => return reader.unsupported(&format!("{verb} dashboard"), "use .create-or-alter dashboard"),
    };
    let (text, offset) = reader.payload()?;
    check_name("dashboard", &name)?;
    let format = FileFormat::of_text(text);
    if let Err(problems) = dashboard::read(text, format) {
        let first = problems.first();
        let path = first.map(|problem| problem.path.as_str()).filter(|path| !path.is_empty());
        let message = first.map_or("it is not a dashboard", |problem| problem.message.as_str());
        return Err(CommandError::Syntax {
            message: path.map_or_else(|| message.to_owned(), |path| format!("{path}: {message}")),
            start: offset + first.map_or(0, |problem| problem.place.offset_in(text)),
            length: 1,
        });
    }
    let dashboard = DashboardEntry {
        name: name.clone(),
        format: format.name().to_owned(),
        text: text.to_owned(),
        updated_ticks: crate::machine::now_ticks(),
    };
    let database = context.database_name().to_owned();
    context.commit(&[CatalogChange::CreateDashboard { database, dashboard, mode, expected_text: None }])?;
    let snapshot = context.store.snapshot();
    let database = context.database_of(&snapshot)?;
    Ok(list(&database.name, std::iter::once(named(database, &name)?), false))
}

/// `.drop dashboard N [ifexists]`
pub fn drop_dashboard(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    let name = reader.name("the name of a dashboard")?;
    let if_exists = reader.eat("ifexists");
    reader.finish()?;
    let database = context.database_name().to_owned();
    context.commit(&[CatalogChange::DropDashboard { database, name, if_exists, expected_text: None }])?;
    let snapshot = context.store.snapshot();
    let database = context.database_of(&snapshot)?;
    Ok(list(&database.name, database.dashboards.values().map(AsRef::as_ref), false))
}

/// `.rotate embed key`: every address of an embedded dashboard ends.
pub fn rotate_key(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    reader.expect("embed")?;
    reader.expect("key")?;
    reader.finish()?;
    context.may_write()?;
    EmbedKey::rotate(context.store.directory())
        .map_err(|error| CommandError::Unavailable(format!("the key could not be written: {error}")))?;
    let mut rows = RowsBuilder::new(&[("Result", Type::String)]);
    rows.text("every address of an embedded dashboard has ended").end_row();
    Ok(rows.into())
}
