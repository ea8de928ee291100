//! Tables: show, create, alter, drop, rename, clear.

use conshelf_kql::Type;
use conshelf_storage::{
    AlteredColumn, CatalogChange, ColumnType, DatabaseEntry, Snapshot, TableEntry, TableSchema,
};

use crate::command::database::check_name;
use crate::command::reader::{DeclaredColumn, Reader};
use crate::command::result::RowsBuilder;
use crate::command::{
    CommandContext, CommandError, CommandOutput, Result, extent, mapping, policy, principal, schema,
    table_named,
};

/// Bytes and rows of one table.
#[derive(Clone, Copy, Debug, Default)]
struct Size {
    extents: u64,
    disk: u64,
    original: u64,
    rows: u64,
    created: Option<(i64, i64)>,
}

fn size_of(snapshot: &Snapshot, table: &TableEntry, row_store_bytes: u64) -> Size {
    let Some(data) = snapshot.table_data(table.id) else { return Size::default() };
    let mut size = Size { rows: data.rows(), original: row_store_bytes, ..Size::default() };
    for extent in data.extents() {
        size.extents += 1;
        size.disk += extent.file_bytes;
        size.original += extent.original_bytes;
        let created = extent.created_ticks;
        size.created = Some(match size.created {
            None => (created, created),
            Some((least, greatest)) => (least.min(created), greatest.max(created)),
        });
    }
    size
}

/// `.show tables [(A, B)] [details]`
pub fn show_tables(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    let snapshot = context.store.snapshot();
    let names = if reader.at_symbol('(') { Some(reader.name_list("the name of a table")?) } else { None };
    let database = context.database_of(&snapshot)?;
    if reader.eat("extents") {
        let tables = names.unwrap_or_default();
        return extent::show_table_extents(reader, &snapshot, database, &tables);
    }
    if reader.eat("policy") {
        return policy::show_tables(reader, database, names.as_deref());
    }
    let is_detailed = reader.eat("details");
    if reader.eat("schema") {
        reader.expect("as")?;
        reader.expect("json")?;
        reader.finish()?;
        let tables = chosen(database, names.as_deref())?;
        return Ok(schema_rows(database, &tables, schema::table_json));
    }
    reader.finish()?;
    let tables: Vec<&TableEntry> = match names {
        None => database.tables().map(AsRef::as_ref).collect(),
        // Unknown names are passed over here, as Kusto does.
        Some(names) => names.iter().filter_map(|name| database.table(name)).map(AsRef::as_ref).collect(),
    };
    Ok(if is_detailed { details(context, &snapshot, database, &tables) } else { list(database, &tables) })
}

fn chosen<'d>(database: &'d DatabaseEntry, names: Option<&[String]>) -> Result<Vec<&'d TableEntry>> {
    match names {
        None => Ok(database.tables().map(AsRef::as_ref).collect()),
        Some(names) => names.iter().map(|name| table_named(database, name).map(AsRef::as_ref)).collect(),
    }
}

fn list(database: &DatabaseEntry, tables: &[&TableEntry]) -> CommandOutput {
    let mut rows = RowsBuilder::new(&[
        ("TableName", Type::String),
        ("DatabaseName", Type::String),
        ("Folder", Type::String),
        ("DocString", Type::String),
    ]);
    for table in tables {
        rows.text(&table.name).text(&database.name).text(&table.folder).text(&table.docstring).end_row();
    }
    rows.into()
}

fn details(
    context: &CommandContext<'_>,
    snapshot: &Snapshot,
    database: &DatabaseEntry,
    tables: &[&TableEntry],
) -> CommandOutput {
    let mut rows = RowsBuilder::new(&[
        ("TableName", Type::String),
        ("DatabaseName", Type::String),
        ("Folder", Type::String),
        ("DocString", Type::String),
        ("TotalExtents", Type::Long),
        ("TotalExtentSize", Type::Real),
        ("TotalOriginalSize", Type::Real),
        ("TotalRowCount", Type::Long),
        ("HotExtents", Type::Long),
        ("HotExtentSize", Type::Real),
        ("HotOriginalSize", Type::Real),
        ("HotRowCount", Type::Long),
        ("AuthorizedPrincipals", Type::String),
        ("RetentionPolicy", Type::String),
        ("CachingPolicy", Type::String),
        ("ShardingPolicy", Type::String),
        ("MergePolicy", Type::String),
        ("StreamingIngestionPolicy", Type::String),
        ("IngestionBatchingPolicy", Type::String),
        ("MinExtentsCreationTime", Type::DateTime),
        ("MaxExtentsCreationTime", Type::DateTime),
        ("RowOrderPolicy", Type::String),
        ("TableId", Type::String),
    ]);
    let statistics = context.store.statistics();
    for table in tables {
        let row_store =
            statistics.iter().find(|known| known.table == table.id).map_or(0, |known| known.row_store_bytes);
        let size = size_of(snapshot, table, row_store);
        rows.text(&table.name).text(&database.name).text(&table.folder).text(&table.docstring);
        for _ in 0..2 {
            rows.long(size.extents).real(size.disk as f64).real(size.original as f64).long(size.rows);
        }
        rows.text("[]");
        for kind in ["retention", "caching", "sharding", "merge", "streamingingestion", "ingestionbatching"] {
            rows.text(policy::effective_text(database, table, kind));
        }
        match size.created {
            Some((least, greatest)) => rows.ticks(least).ticks(greatest),
            None => rows.null().null(),
        };
        rows.text(policy::effective_text(database, table, "roworder")).text(table.id.to_string()).end_row();
    }
    rows.into()
}

fn schema_rows(
    database: &DatabaseEntry,
    tables: &[&TableEntry],
    text: impl Fn(&TableEntry) -> String,
) -> CommandOutput {
    let mut rows = RowsBuilder::new(&[
        ("TableName", Type::String),
        ("Schema", Type::String),
        ("DatabaseName", Type::String),
        ("Folder", Type::String),
        ("DocString", Type::String),
    ]);
    for table in tables {
        rows.text(&table.name).text(text(table)).text(&database.name);
        rows.text(&table.folder).text(&table.docstring).end_row();
    }
    rows.into()
}

/// `.show table T [details | schema as json | cslschema | policy … | ingestion … | extents | …]`
pub fn show_table(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    let snapshot = context.store.snapshot();
    let database = context.database_of(&snapshot)?;
    if reader.eat_symbol('*') {
        reader.expect("policy")?;
        return policy::show_tables(reader, database, None);
    }
    let name = reader.name("the name of a table")?;
    if reader.eat_symbol('.') {
        return policy::show_column_of(reader, database, &name);
    }
    let table = table_named(database, &name)?;
    if reader.eat("policy") {
        return policy::show_table(reader, database, table);
    }
    if reader.eat("ingestion") {
        return mapping::show_table(reader, database, table);
    }
    if reader.eat("extents") {
        return extent::show_table_extents(reader, &snapshot, database, &[name]);
    }
    if reader.at("principals") || reader.at("principal") {
        return principal::show_roles(context, reader);
    }
    if reader.eat("data") {
        reader.expect("statistics")?;
        return column_statistics(reader, &snapshot, table);
    }
    let mut form = "columns";
    if reader.eat("details") {
        form = "details";
    } else if reader.eat("cslschema") {
        form = "csl";
    } else if reader.eat("schema") {
        form = "json";
        if reader.eat("as") {
            form = if reader.eat("csl") { "csl" } else { "json" };
            if form == "json" {
                reader.expect("json")?;
            }
        }
    } else {
        let _ = reader.eat("columns");
    }
    reader.finish()?;
    let tables = [table.as_ref()];
    Ok(match form {
        "details" => details(context, &snapshot, database, &tables),
        "csl" => schema_rows(database, &tables, |table| schema::csl_columns(&table.schema)),
        "json" => schema_rows(database, &tables, schema::table_json),
        _ => attributes(&snapshot, table),
    })
}

fn attributes(snapshot: &Snapshot, table: &TableEntry) -> CommandOutput {
    let mut rows = RowsBuilder::new(&[
        ("AttributeName", Type::String),
        ("AttributeType", Type::String),
        ("ExtentSize", Type::Long),
        ("CompressionRatio", Type::Real),
        ("IndexSize", Type::Long),
        ("IndexSizePercent", Type::Real),
        ("OriginalSize", Type::Long),
        ("AttributeId", Type::Guid),
        ("SharedIndexSize", Type::Long),
        ("StorageEngineVersion", Type::String),
    ]);
    let size = size_of(snapshot, table, 0);
    let columns = table.schema.columns.len().max(1) as u64;
    for column in &table.schema.columns {
        let ratio = if size.disk > 0 { size.original as f64 / size.disk as f64 } else { 0.0 };
        let id = column_guid(table, column.id);
        rows.text(&column.name)
            .text(schema::language_type(column.ty).name())
            .long(size.disk / columns)
            .real(ratio);
        rows.long(0).real(0.0).long(size.original / columns).guid(id).long(0).text("V3").end_row();
    }
    rows.into()
}

/// `.show table T data statistics [with (…)]`. All data is looked at, so a sample is not needed.
fn column_statistics(
    reader: &mut Reader<'_>,
    snapshot: &Snapshot,
    table: &TableEntry,
) -> Result<CommandOutput> {
    let (mut from, mut to) = (i64::MIN, i64::MAX);
    for (name, value) in reader.properties()? {
        let bound = match name.to_ascii_lowercase().as_str() {
            "from" => &mut from,
            "to" => &mut to,
            _ => continue,
        };
        let text =
            value.trim().trim_start_matches("datetime(").trim_end_matches(')').trim_matches(['"', '\'']);
        *bound = conshelf_kql::time::parse_datetime(text)
            .ok_or_else(|| CommandError::Invalid(format!("'{value}' is not a datetime")))?;
    }
    reader.finish()?;
    let (columns, totals) = match snapshot.table_data(table.id) {
        Some(data) => data.column_bytes(|extent| (from..=to).contains(&extent.created_ticks))?,
        None => Default::default(),
    };
    let mut rows = RowsBuilder::new(&[
        ("ColumnName", Type::String),
        ("ColumnType", Type::String),
        ("ColumnId", Type::Guid),
        ("OriginalSize", Type::Long),
        ("ExtentSize", Type::Long),
        ("CompressionRatio", Type::Real),
        ("DataCompressedSize", Type::Long),
        ("SharedIndexSize", Type::Long),
        ("IndexSize", Type::Long),
        ("IndexSizePercent", Type::Real),
        ("StorageEngineVersion", Type::String),
        ("PresentRowCount", Type::Long),
        ("DeletedRowCount", Type::Long),
        ("SamplePercent", Type::Real),
        ("IncludeColdData", Type::Bool),
    ]);
    let of = |id: u32| columns.iter().find(|sizes| sizes.column == id).copied().unwrap_or_default();
    let visible: u64 =
        table.schema.columns.iter().map(|column| of(column.id)).map(|c| c.data + c.index).sum();
    // Sizes of the columns and this together are the bytes of the files.
    let shared = totals.file_bytes.saturating_sub(visible);
    let ratio = |part: u64, whole: u64| if whole > 0 { part as f64 / whole as f64 } else { 0.0 };
    for column in &table.schema.columns {
        let sizes = of(column.id);
        let extent_size = sizes.data + sizes.index;
        rows.text(&column.name)
            .text(schema::language_type(column.ty).name())
            .guid(column_guid(table, column.id))
            .long(sizes.original)
            .long(extent_size)
            .real(ratio(sizes.original, extent_size))
            .long(sizes.data)
            .long(shared)
            .long(sizes.index)
            .real(ratio(sizes.index, sizes.original) * 100.0)
            .text("V3")
            .long(totals.rows)
            .long(0)
            .real(100.0)
            .bool(true)
            .end_row();
    }
    Ok(rows.into())
}

/// An id that stays the same for a column of a table.
fn column_guid(table: &TableEntry, column: u32) -> uuid::Uuid {
    uuid::Uuid::from_u128(table.id.as_u128() ^ u128::from(column))
}

/// `folder` and `docstring` of a property list.
fn texts(properties: &[(String, String)]) -> (Option<String>, Option<String>) {
    let find =
        |name: &str| properties.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    (find("folder"), find("docstring"))
}

fn table_schema(columns: &[DeclaredColumn]) -> TableSchema {
    TableSchema::new(columns.iter().map(|column| (column.name.clone(), column.ty)))
}

/// `.create | .create-merge | .alter | .alter-merge table T …`
pub fn change_table(
    context: &CommandContext<'_>,
    reader: &mut Reader<'_>,
    verb: &str,
) -> Result<CommandOutput> {
    let name = reader.name("the name of a table")?;
    if reader.eat("policy") {
        return policy::change_table(context, reader, verb, vec![name]);
    }
    if reader.eat("ingestion") {
        let database = context.database_name().to_owned();
        return mapping::change(context, reader, verb, database, Some(name));
    }
    if reader.eat_symbol('.') {
        return Err(reader.error("a column is altered by '.alter column T.C type=…'"));
    }
    let database = context.database_name().to_owned();
    if verb.starts_with("alter") {
        let docstring = reader.at("docstring");
        if docstring || reader.at("folder") {
            reader.word()?;
            let text = reader.string("the text")?;
            reader.finish()?;
            let (folder, docstring) = if docstring { (None, Some(text)) } else { (Some(text), None) };
            let change = CatalogChange::AlterTable {
                database,
                table: name.clone(),
                columns: None,
                folder,
                docstring,
                expected_schema_version: None,
            };
            return altered(context, &[change], &name);
        }
        if reader.eat("column-docstrings") {
            return column_docstrings(context, reader, verb, &name);
        }
    }
    if reader.eat("based-on") {
        return create_based_on(context, reader, verb, &name);
    }
    let columns = reader.columns()?;
    let properties = reader.properties()?;
    reader.finish()?;
    if columns.is_empty() {
        return Err(CommandError::Invalid(format!("table '{name}' must have at least one column")));
    }
    let changes = table_changes(context, &database, verb, &name, &columns, &properties)?;
    altered(context, &changes, &name)
}

/// The changes of one declared table.
fn table_changes(
    context: &CommandContext<'_>,
    database: &str,
    verb: &str,
    name: &str,
    columns: &[DeclaredColumn],
    properties: &[(String, String)],
) -> Result<Vec<CatalogChange>> {
    check_name("table", name)?;
    for column in columns {
        check_name("column", &column.name)?;
    }
    let snapshot = context.store.snapshot();
    let entry = context.database_of(&snapshot)?;
    let (folder, docstring) = texts(properties);
    let existing = entry.table(name);
    if existing.is_none() && entry.function(name).is_some() {
        return Err(CommandError::Invalid(format!(
            "a function named '{name}' exists; a table cannot have its name"
        )));
    }
    let Some(existing) = existing else {
        if verb.starts_with("alter") {
            return Err(CommandError::NotFound { kind: "Table".to_owned(), name: name.to_owned() });
        }
        return Ok(vec![CatalogChange::CreateTable {
            database: database.to_owned(),
            name: name.to_owned(),
            schema: table_schema(columns),
            folder: folder.unwrap_or_default(),
            docstring: docstring.unwrap_or_default(),
            if_not_exists: true,
        }]);
    };
    let alter = |columns: Option<Vec<AlteredColumn>>| CatalogChange::AlterTable {
        database: database.to_owned(),
        table: name.to_owned(),
        columns,
        folder: folder.clone(),
        docstring: docstring.clone(),
        expected_schema_version: Some(existing.schema_version),
    };
    match verb {
        // An existing table stays as it is.
        "create" => Ok(Vec::new()),
        "create-merge" | "alter-merge" => {
            let mut changes = vec![CatalogChange::MergeColumns {
                database: database.to_owned(),
                table: name.to_owned(),
                columns: columns.iter().map(|column| (column.name.clone(), column.ty)).collect(),
            }];
            if folder.is_some() || docstring.is_some() {
                changes.push(CatalogChange::AlterTable {
                    database: database.to_owned(),
                    table: name.to_owned(),
                    columns: None,
                    folder,
                    docstring,
                    expected_schema_version: None,
                });
            }
            for column in columns {
                if let Some(at) = existing.schema.position(&column.name)
                    && existing.schema.columns[at].ty != column.ty
                {
                    return Err(CommandError::Invalid(format!(
                        "column '{}' of table '{name}' is of type {}, not {}; use .alter column to change a type",
                        column.name,
                        existing.schema.columns[at].ty.name(),
                        column.ty.name()
                    )));
                }
            }
            Ok(changes)
        }
        _ => {
            let altered: Vec<AlteredColumn> = columns
                .iter()
                .map(|column| match existing.schema.position(&column.name) {
                    Some(at) if existing.schema.columns[at].ty == column.ty => {
                        AlteredColumn::from(existing.schema.columns[at].clone())
                    }
                    Some(at) => AlteredColumn {
                        ty: column.ty,
                        ..AlteredColumn::from(existing.schema.columns[at].clone())
                    },
                    None => new_column(&column.name, column.ty),
                })
                .collect();
            for column in columns {
                if let Some(at) = existing.schema.position(&column.name)
                    && existing.schema.columns[at].ty != column.ty
                {
                    return Err(CommandError::Invalid(format!(
                        "column '{}' of table '{name}' is of type {}, not {}; use .alter column to change a type",
                        column.name,
                        existing.schema.columns[at].ty.name(),
                        column.ty.name()
                    )));
                }
            }
            Ok(vec![alter(Some(altered))])
        }
    }
}

fn new_column(name: &str, ty: ColumnType) -> AlteredColumn {
    AlteredColumn { id: None, name: name.to_owned(), ty, docstring: String::new() }
}

/// Commits changes and answers the table's schema.
pub fn altered(context: &CommandContext<'_>, changes: &[CatalogChange], name: &str) -> Result<CommandOutput> {
    context.commit(changes)?;
    let snapshot = context.store.snapshot();
    let database = context.database_of(&snapshot)?;
    let table = table_named(database, name)?;
    Ok(schema_rows(database, &[table.as_ref()], schema::table_json))
}

/// `.create table T based-on S [ifnotexists] [with (…)]`
fn create_based_on(
    context: &CommandContext<'_>,
    reader: &mut Reader<'_>,
    verb: &str,
    name: &str,
) -> Result<CommandOutput> {
    let source = reader.name("the name of a table")?;
    let _ = reader.eat("ifnotexists");
    let properties = reader.properties()?;
    reader.finish()?;
    let snapshot = context.store.snapshot();
    let database = context.database_of(&snapshot)?;
    let source = table_named(database, &source)?;
    let columns: Vec<DeclaredColumn> = source
        .schema
        .columns
        .iter()
        .map(|column| DeclaredColumn { name: column.name.clone(), ty: column.ty })
        .collect();
    let mut properties = properties;
    for (name, value) in [("folder", &source.folder), ("docstring", &source.docstring)] {
        if !properties.iter().any(|(known, _)| known == name) {
            properties.push((name.to_owned(), value.clone()));
        }
    }
    let changes = table_changes(context, context.database_name(), verb, name, &columns, &properties)?;
    altered(context, &changes, name)
}

/// `(a:'…', b:'…')` after `column-docstrings`.
fn column_docstrings(
    context: &CommandContext<'_>,
    reader: &mut Reader<'_>,
    verb: &str,
    name: &str,
) -> Result<CommandOutput> {
    let mut given: Vec<(String, String)> = Vec::new();
    reader.expect_symbol('(')?;
    while !reader.eat_symbol(')') {
        let column = reader.name("the name of a column")?;
        reader.expect_symbol(':')?;
        given.push((column, reader.string("the description")?));
        if !reader.at_symbol(')') {
            reader.expect_symbol(',')?;
        }
    }
    reader.finish()?;
    let snapshot = context.store.snapshot();
    let database = context.database_of(&snapshot)?;
    let table = table_named(database, name)?;
    for (column, _) in &given {
        if table.schema.position(column).is_none() {
            return Err(CommandError::NotFound { kind: "Column".to_owned(), name: column.clone() });
        }
    }
    let columns = table
        .schema
        .columns
        .iter()
        .map(|column| {
            let mut altered = AlteredColumn::from(column.clone());
            match given.iter().find(|(name, _)| *name == column.name) {
                Some((_, docstring)) => altered.docstring.clone_from(docstring),
                None if verb == "alter" => altered.docstring.clear(),
                None => {}
            }
            altered
        })
        .collect();
    let change = CatalogChange::AlterTable {
        database: context.database_name().to_owned(),
        table: name.to_owned(),
        columns: Some(columns),
        folder: None,
        docstring: None,
        expected_schema_version: Some(table.schema_version),
    };
    altered(context, &[change], name)
}

/// `.create | .create-merge tables A(…), B(…) [with (…)]`
pub fn change_tables(
    context: &CommandContext<'_>,
    reader: &mut Reader<'_>,
    verb: &str,
) -> Result<CommandOutput> {
    if reader.at_symbol('(') {
        let names = reader.name_list("the name of a table")?;
        reader.expect("policy")?;
        return policy::change_table(context, reader, verb, names);
    }
    let mut declared = Vec::new();
    loop {
        let name = reader.name("the name of a table")?;
        declared.push((name, reader.columns()?));
        if !reader.eat_symbol(',') {
            break;
        }
    }
    let properties = reader.properties()?;
    reader.finish()?;
    let mut changes = Vec::new();
    for (name, columns) in &declared {
        changes.extend(table_changes(context, context.database_name(), verb, name, columns, &properties)?);
    }
    context.commit(&changes)?;
    let snapshot = context.store.snapshot();
    let database = context.database_of(&snapshot)?;
    let names: Vec<String> = declared.into_iter().map(|(name, _)| name).collect();
    Ok(list(database, &chosen(database, Some(&names))?))
}

/// `.drop table T [ifexists]`, and what of a table can be dropped.
pub fn drop_table(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    let name = reader.name("the name of a table")?;
    if reader.eat("ingestion") {
        let database = context.database_name().to_owned();
        return mapping::drop_mapping(context, reader, database, Some(name));
    }
    if reader.eat("columns") {
        let columns = reader.name_list("the name of a column")?;
        reader.finish()?;
        return super::column::drop_named(context, &name, &columns);
    }
    let if_exists = reader.eat("ifexists");
    reader.finish()?;
    dropped(context, &[name], if_exists)
}

/// `.drop tables (A, B) [ifexists]`
pub fn drop_tables(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    let names = reader.name_list("the name of a table")?;
    let if_exists = reader.eat("ifexists");
    reader.finish()?;
    dropped(context, &names, if_exists)
}

fn dropped(context: &CommandContext<'_>, names: &[String], if_exists: bool) -> Result<CommandOutput> {
    let changes: Vec<CatalogChange> = names
        .iter()
        .map(|name| CatalogChange::DropTable {
            database: context.database_name().to_owned(),
            name: name.clone(),
            if_exists,
        })
        .collect();
    context.commit(&changes)?;
    let snapshot = context.store.snapshot();
    let database = context.database_of(&snapshot)?;
    Ok(list(database, &chosen(database, None)?))
}

/// `.rename table A to B`
pub fn rename_table(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    let from = reader.name("the name of a table")?;
    reader.expect("to")?;
    let to = reader.name("the new name")?;
    let _ = reader.eat("ifexists");
    reader.finish()?;
    check_name("table", &to)?;
    let change = CatalogChange::RenameTables {
        database: context.database_name().to_owned(),
        renames: vec![(from, to.clone())],
    };
    altered(context, &[change], &to)
}

/// `.rename tables NEW = OLD [ifexists], …`
pub fn rename_tables(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    let snapshot = context.store.snapshot();
    let database = context.database_of(&snapshot)?;
    let mut renames = Vec::new();
    loop {
        let to = reader.name("the new name of a table")?;
        reader.expect_symbol('=')?;
        let from = reader.name("the name of a table")?;
        let if_exists = reader.eat("ifexists");
        check_name("table", &to)?;
        if !if_exists || database.table(&from).is_some() {
            renames.push((from, to));
        }
        if !reader.eat_symbol(',') {
            break;
        }
    }
    reader.finish()?;
    let names: Vec<String> = renames.iter().map(|(_, to)| to.clone()).collect();
    if !renames.is_empty() {
        context.commit(&[CatalogChange::RenameTables {
            database: context.database_name().to_owned(),
            renames,
        }])?;
    }
    let snapshot = context.store.snapshot();
    let database = context.database_of(&snapshot)?;
    Ok(list(database, &chosen(database, Some(&names))?))
}

/// `.clear table T data`
pub fn clear(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    let _ = reader.eat("async");
    if !reader.eat("table") {
        return reader
            .unsupported("clear", "what can be cleared is the data of a table: .clear table T data");
    }
    let table = reader.name("the name of a table")?;
    reader.expect("data")?;
    reader.finish()?;
    context.commit(&[CatalogChange::ClearTable { database: context.database_name().to_owned(), table }])?;
    let mut rows = RowsBuilder::new(&[("Status", Type::String)]);
    rows.text("Success").end_row();
    Ok(rows.into())
}

/// `.show materialized-views`: there are none.
pub fn show_views(reader: &mut Reader<'_>, what: &str) -> Result<CommandOutput> {
    if what == "materialized-view" {
        let name = reader.name("the name of a materialized view")?;
        return Err(CommandError::NotFound { kind: "Materialized-view".to_owned(), name });
    }
    let _ = reader.eat("details");
    reader.finish()?;
    let rows = RowsBuilder::new(&[
        ("Name", Type::String),
        ("SourceTable", Type::String),
        ("Query", Type::String),
        ("MaterializedTo", Type::DateTime),
        ("LastRun", Type::DateTime),
        ("LastRunResult", Type::String),
        ("IsHealthy", Type::Bool),
        ("IsEnabled", Type::Bool),
        ("Folder", Type::String),
        ("DocString", Type::String),
        ("AutoUpdateSchema", Type::Bool),
        ("EffectiveDateTime", Type::DateTime),
        ("Lookback", Type::String),
    ]);
    Ok(rows.into())
}

/// `.show external tables`: there are none.
pub fn show_external(reader: &mut Reader<'_>) -> Result<CommandOutput> {
    if reader.eat("table") {
        let name = reader.name("the name of an external table")?;
        return Err(CommandError::NotFound { kind: "ExternalTable".to_owned(), name });
    }
    reader.expect("tables")?;
    let _ = reader.eat("details");
    reader.finish()?;
    let rows = RowsBuilder::new(&[
        ("TableName", Type::String),
        ("TableType", Type::String),
        ("Folder", Type::String),
        ("DocString", Type::String),
        ("Properties", Type::String),
        ("ConnectionStrings", Type::String),
        ("Partitions", Type::String),
        ("PathFormat", Type::String),
    ]);
    Ok(rows.into())
}
