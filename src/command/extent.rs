//! Extents: `.show … extents`, `.drop extents`.

use conshelf_kql::Type;
use conshelf_kql::time::ticks_of_unit;
use conshelf_storage::{CatalogChange, DatabaseEntry, ExtentInformation, Snapshot, TableEntry};
use uuid::Uuid;

use crate::command::reader::Reader;
use crate::command::result::RowsBuilder;
use crate::command::{CommandContext, CommandError, CommandOutput, Result, table_named};

/// What `.show extents` is narrowed to.
#[derive(Default)]
struct Selection {
    ids: Option<Vec<Uuid>>,
    /// (operator, text, joined by `or` with the one before)
    tags: Vec<(String, String, bool)>,
}

impl Selection {
    fn takes(&self, extent: &ExtentInformation) -> bool {
        if self.ids.as_ref().is_some_and(|ids| !ids.contains(&extent.id)) {
            return false;
        }
        let mut holds = true;
        for (at, (operator, text, or)) in self.tags.iter().enumerate() {
            let text = text.to_lowercase();
            let any = |test: &dyn Fn(&str) -> bool| extent.tags.iter().any(|tag| test(&tag.to_lowercase()));
            let this = match operator.as_str() {
                "has" => any(&|tag| tag == text),
                "!has" => !any(&|tag| tag == text),
                "contains" => any(&|tag| tag.contains(&text)),
                "!contains" => !any(&|tag| tag.contains(&text)),
                "startswith" => any(&|tag| tag.starts_with(&text)),
                _ => !any(&|tag| tag.starts_with(&text)),
            };
            holds = match (at, or) {
                (0, _) => this,
                (_, true) => holds || this,
                (_, false) => holds && this,
            };
        }
        holds
    }
}

fn read_ids(reader: &mut Reader<'_>) -> Result<Vec<Uuid>> {
    let names = reader.name_list("the id of an extent")?;
    names
        .iter()
        .map(|name| {
            Uuid::parse_str(name)
                .map_err(|_| CommandError::Invalid(format!("'{name}' is not the id of an extent")))
        })
        .collect()
}

fn selection(reader: &mut Reader<'_>) -> Result<Selection> {
    let mut selection = Selection::default();
    if reader.at_symbol('(') {
        selection.ids = Some(read_ids(reader)?);
    }
    let _ = reader.eat("details");
    let _ = reader.eat("hot");
    if reader.eat("where") {
        let mut or = false;
        loop {
            reader.expect("tags")?;
            let negated = reader.eat_symbol('!');
            let operator = reader.word()?.to_ascii_lowercase();
            if !["has", "contains", "startswith"].contains(&operator.as_str()) {
                return Err(
                    reader.error("expected has, !has, contains, !contains, startswith or !startswith")
                );
            }
            let operator = if negated { format!("!{operator}") } else { operator };
            selection.tags.push((operator, reader.string("a tag")?, or));
            if reader.eat("and") {
                or = false;
            } else if reader.eat("or") {
                or = true;
            } else {
                break;
            }
        }
    }
    reader.properties()?;
    reader.finish()?;
    Ok(selection)
}

/// `.show [database D] extents …`
pub fn show_extents(
    context: &CommandContext<'_>,
    reader: &mut Reader<'_>,
    database: Option<&DatabaseEntry>,
) -> Result<CommandOutput> {
    let selection = selection(reader)?;
    let snapshot = context.store.snapshot();
    let database = match database {
        Some(database) => database,
        None => context.database_of(&snapshot)?,
    };
    let tables: Vec<&TableEntry> = database.tables().map(AsRef::as_ref).collect();
    Ok(rows(&snapshot, &tables, &selection))
}

/// `.show cluster extents …`
pub fn show_cluster_extents(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    let selection = selection(reader)?;
    let snapshot = context.store.snapshot();
    let tables: Vec<&TableEntry> =
        snapshot.databases().flat_map(|database| database.tables()).map(AsRef::as_ref).collect();
    Ok(rows(&snapshot, &tables, &selection))
}

/// `.show table T extents …`, `.show tables (A, B) extents …`
pub fn show_table_extents(
    reader: &mut Reader<'_>,
    snapshot: &Snapshot,
    database: &DatabaseEntry,
    names: &[String],
) -> Result<CommandOutput> {
    let selection = selection(reader)?;
    let tables: Vec<&TableEntry> =
        names.iter().map(|name| table_named(database, name).map(AsRef::as_ref)).collect::<Result<_>>()?;
    Ok(rows(snapshot, &tables, &selection))
}

fn rows(snapshot: &Snapshot, tables: &[&TableEntry], selection: &Selection) -> CommandOutput {
    let mut rows = RowsBuilder::new(&[
        ("ExtentId", Type::Guid),
        ("DatabaseName", Type::String),
        ("TableName", Type::String),
        ("MaxCreatedOn", Type::DateTime),
        ("OriginalSize", Type::Real),
        ("ExtentSize", Type::Real),
        ("CompressedSize", Type::Real),
        ("IndexSize", Type::Real),
        ("Blocks", Type::Long),
        ("Segments", Type::Long),
        ("ExtentContainerId", Type::String),
        ("RowCount", Type::Long),
        ("MinCreatedOn", Type::DateTime),
        ("Tags", Type::String),
        ("Kind", Type::String),
        ("DeletedRowCount", Type::Long),
    ]);
    for table in tables {
        let Some(data) = snapshot.table_data(table.id) else { continue };
        for extent in data.extents().iter().filter(|extent| selection.takes(extent)) {
            rows.guid(extent.id).text(&table.database).text(&table.name).ticks(extent.created_ticks);
            rows.real(extent.original_bytes as f64).real(extent.file_bytes as f64);
            rows.real(extent.file_bytes as f64).real(0.0).long(1).long(1).text("").long(extent.rows);
            rows.ticks(extent.created_ticks).text(extent.tags.join("\n")).text("StorageV3").long(0).end_row();
        }
    }
    rows.into()
}

/// `.drop extents (ids) [from T]`, `.drop extent id [from T]`, `.drop extents from T`,
/// `.drop extents older N days from (T | all tables)`
pub fn drop_extents(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    let snapshot = context.store.snapshot();
    let database = context.database_of(&snapshot)?;
    if reader.at_payload() || reader.at("whatif") {
        return reader
            .unsupported("drop extents <| query", "name the extents: .drop extents (id, id) from T");
    }
    let mut ids: Option<Vec<Uuid>> = None;
    let mut older_than: Option<i64> = None;
    if reader.at_symbol('(') {
        ids = Some(read_ids(reader)?);
    } else if reader.eat("older") {
        let count: i64 = reader
            .word()?
            .parse()
            .map_err(|_| CommandError::Invalid("'older' is followed by a whole number".to_owned()))?;
        let unit = reader.word()?.to_ascii_lowercase();
        let Some((ticks, _)) = ticks_of_unit(&unit) else {
            return Err(CommandError::Invalid(format!("'{unit}' is not a unit of time; use days or hours")));
        };
        older_than = Some(context.query.now_ticks.saturating_sub(count.saturating_mul(ticks)));
    } else if !reader.at("from") {
        let name = reader.name("the id of an extent")?;
        let id = Uuid::parse_str(&name)
            .map_err(|_| CommandError::Invalid(format!("'{name}' is not the id of an extent")))?;
        ids = Some(vec![id]);
    }
    let mut tables: Vec<&TableEntry> = database.tables().map(AsRef::as_ref).collect();
    if reader.eat("from") {
        if reader.eat("all") {
            reader.expect("tables")?;
        } else {
            tables = vec![table_named(database, &reader.name("the name of a table")?)?.as_ref()];
        }
    } else if ids.is_none() {
        return Err(reader.error("expected 'from' and a table"));
    }
    reader.finish()?;
    context.may_write()?;
    if ids.is_none() && older_than.is_none() {
        // Everything of the table: unsealed rows become extents first, so that they go too.
        for table in &tables {
            context.store.seal(Some(table.id))?;
        }
    }
    let snapshot = context.store.snapshot();
    let mut changes = Vec::new();
    let mut rows = RowsBuilder::new(&[
        ("ExtentId", Type::Guid),
        ("TableName", Type::String),
        ("CreatedOn", Type::DateTime),
    ]);
    let mut found = 0;
    for table in tables {
        let Some(data) = snapshot.table_data(table.id) else { continue };
        let chosen: Vec<ExtentInformation> = data
            .extents()
            .into_iter()
            .filter(|extent| ids.as_ref().is_none_or(|ids| ids.contains(&extent.id)))
            .filter(|extent| older_than.is_none_or(|limit| extent.created_ticks < limit))
            .collect();
        for extent in &chosen {
            rows.guid(extent.id).text(&table.name).ticks(extent.created_ticks).end_row();
        }
        found += chosen.len();
        if !chosen.is_empty() {
            changes.push(CatalogChange::DropExtents {
                database: database.name.clone(),
                table: table.name.clone(),
                extents: chosen.iter().map(|extent| extent.id).collect(),
            });
        }
    }
    if let Some(ids) = ids.filter(|ids| found < ids.len()) {
        let text: Vec<String> = ids.iter().map(Uuid::to_string).collect();
        return Err(CommandError::NotFound { kind: "Extent".to_owned(), name: text.join(", ") });
    }
    if !changes.is_empty() {
        context.commit(&changes)?;
    }
    Ok(rows.into())
}
