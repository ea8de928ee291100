//! Databases: `.show databases …`, `.show database …`, create, drop, rename.

use conshelf_kql::Type;
use conshelf_storage::{CatalogChange, DatabaseEntry, Snapshot, Store};

use crate::command::reader::Reader;
use crate::command::result::RowsBuilder;
use crate::command::{
    CommandContext, CommandError, CommandOutput, Result, database_named, extent, mapping, policy, principal,
    schema,
};

/// Sums over the tables of a database.
#[derive(Default)]
struct Totals {
    original: u64,
    disk: u64,
    rows: u64,
    extents: u64,
}

fn totals(store: &Store, database: &DatabaseEntry) -> Totals {
    let mut totals = Totals::default();
    for table in store.statistics().iter().filter(|table| table.database == database.name) {
        totals.original += table.original_bytes + table.row_store_bytes;
        totals.disk += table.sealed_bytes;
        totals.rows += table.sealed_rows + table.row_store_rows;
        totals.extents += table.extents;
    }
    totals
}

/// What of the databases is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Detail {
    Plain,
    Identity,
    Details,
    Policies,
    DataStatistics,
    Entities,
}

fn detail(reader: &mut Reader<'_>) -> Detail {
    for (word, detail) in [
        ("details", Detail::Details),
        ("verbose", Detail::Plain),
        ("identity", Detail::Identity),
        ("policies", Detail::Policies),
        ("datastats", Detail::DataStatistics),
        ("entities", Detail::Entities),
    ] {
        if reader.eat(word) {
            return detail;
        }
    }
    Detail::Plain
}

/// `.show databases [(A, B)] [details | …]`
pub fn show_databases(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    let snapshot = context.store.snapshot();
    let names = if reader.at_symbol('(') { Some(reader.name_list("the name of a database")?) } else { None };
    if reader.eat("schema") {
        let chosen = chosen(&snapshot, names.as_deref())?;
        return schema::show_databases(context, reader, &chosen);
    }
    let detail = detail(reader);
    skip_with(reader)?;
    reader.finish()?;
    let chosen = chosen(&snapshot, names.as_deref())?;
    Ok(list(context, &chosen, detail))
}

fn skip_with(reader: &mut Reader<'_>) -> Result<()> {
    reader.properties().map(drop)
}

fn chosen<'s>(snapshot: &'s Snapshot, names: Option<&[String]>) -> Result<Vec<&'s DatabaseEntry>> {
    match names {
        None => Ok(snapshot.databases().map(AsRef::as_ref).collect()),
        Some(names) => names.iter().map(|name| database_named(snapshot, name).map(AsRef::as_ref)).collect(),
    }
}

/// `.show database [D] [details | policy … | schema … | …]`
pub fn show_database(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    const AFTER_NAME: [&str; 14] = [
        "details",
        "policies",
        "policy",
        "schema",
        "cslschema",
        "identity",
        "principals",
        "principal",
        "ingestion",
        "extents",
        "datastats",
        "entities",
        "verbose",
        "operations",
    ];
    let snapshot = context.store.snapshot();
    let keyword = AFTER_NAME.iter().any(|word| reader.at(word));
    let database = if reader.at_name() && (!keyword || is_name_ahead(reader, &snapshot)) {
        database_named(&snapshot, &reader.name("the name of a database")?)?
    } else {
        context.database_of(&snapshot)?
    };
    if reader.eat("schema") {
        return schema::show_databases(context, reader, &[database.as_ref()]);
    }
    if reader.eat("cslschema") {
        return schema::show_database_cslschema(reader, database);
    }
    if reader.eat("policy") {
        return policy::show_database(reader, database);
    }
    if reader.at("principals") || reader.at("principal") {
        return principal::show_roles(context, reader);
    }
    if reader.eat("ingestion") {
        return mapping::show_database(reader, database);
    }
    if reader.eat("extents") {
        return extent::show_extents(context, reader, Some(database));
    }
    let detail = detail(reader);
    skip_with(reader)?;
    reader.finish()?;
    Ok(list(context, &[database.as_ref()], detail))
}

/// Whether a keyword is meant as the name of a database: one of that name exists and more follows.
fn is_name_ahead(reader: &Reader<'_>, snapshot: &Snapshot) -> bool {
    let mut ahead = reader.clone();
    ahead.word().is_ok_and(|word| snapshot.database(word).is_some()) && ahead.at_name()
}

fn list(context: &CommandContext<'_>, databases: &[&DatabaseEntry], detail: Detail) -> CommandOutput {
    const START: [(&str, Type); 6] = [
        ("DatabaseName", Type::String),
        ("PersistentStorage", Type::String),
        ("Version", Type::String),
        ("IsCurrent", Type::Bool),
        ("DatabaseAccessMode", Type::String),
        ("PrettyName", Type::String),
    ];
    const POLICIES: [(&str, Type); 7] = [
        ("AuthorizedPrincipals", Type::String),
        ("RetentionPolicy", Type::String),
        ("MergePolicy", Type::String),
        ("CachingPolicy", Type::String),
        ("ShardingPolicy", Type::String),
        ("StreamingIngestionPolicy", Type::String),
        ("IngestionBatchingPolicy", Type::String),
    ];
    let mut columns: Vec<(&str, Type)> = START.to_vec();
    match detail {
        Detail::Plain => columns.extend([
            ("DatabaseId", Type::Guid),
            ("InTransitionTo", Type::String),
            ("SuspensionState", Type::String),
        ]),
        Detail::Identity => columns.extend([
            ("CurrentUserIsUnrestrictedViewer", Type::Bool),
            ("DatabaseId", Type::Guid),
            ("InTransitionTo", Type::String),
        ]),
        Detail::Details => {
            columns.extend(POLICIES);
            columns.extend([
                ("TotalSize", Type::Real),
                ("DatabaseId", Type::Guid),
                ("InTransitionTo", Type::String),
                ("NumberOfTables", Type::Int),
                ("NumberOfExternalTables", Type::Int),
                ("NumberOfMaterializedViews", Type::Int),
                ("EncryptionScope", Type::String),
                ("SuspensionState", Type::String),
            ]);
        }
        Detail::Policies => {
            columns.push(("DatabaseId", Type::Guid));
            columns.extend(POLICIES);
        }
        Detail::DataStatistics => {
            columns.push(("DatabaseId", Type::Guid));
            for name in ["OriginalSize", "ExtentSize", "CompressedSize", "IndexSize"] {
                columns.push((name, Type::Real));
            }
            columns.push(("RowCount", Type::Long));
            for name in ["HotOriginalSize", "HotExtentSize", "HotCompressedSize", "HotIndexSize"] {
                columns.push((name, Type::Real));
            }
            columns.extend([
                ("HotRowCount", Type::Long),
                ("TotalExtents", Type::Long),
                ("HotExtents", Type::Long),
            ]);
        }
        Detail::Entities => return entities(databases),
    }
    let mut rows = RowsBuilder::new(&columns);
    let current = context.database_name();
    for database in databases {
        rows.text(&database.name)
            .text(context.store.directory().to_string_lossy())
            .text("v1.0")
            .bool(database.name.eq_ignore_ascii_case(current))
            .text("ReadWrite")
            .text(schema::pretty_name(database));
        let policies = |rows: &mut RowsBuilder| {
            rows.text("[]");
            for kind in
                ["retention", "merge", "caching", "sharding", "streamingingestion", "ingestionbatching"]
            {
                rows.text(policy::policy_text(&database.policies, kind));
            }
        };
        match detail {
            Detail::Plain => {
                rows.guid(database.id).text("").text("");
            }
            Detail::Identity => {
                rows.bool(true).guid(database.id).text("");
            }
            Detail::Details => {
                policies(&mut rows);
                rows.real(totals(context.store, database).disk as f64)
                    .guid(database.id)
                    .text("")
                    .int(i32::try_from(database.tables.len()).unwrap_or(i32::MAX))
                    .int(0)
                    .int(0)
                    .text("")
                    .text("");
            }
            Detail::Policies => {
                rows.guid(database.id);
                policies(&mut rows);
            }
            Detail::DataStatistics => {
                let totals = totals(context.store, database);
                let (original, disk) = (totals.original as f64, totals.disk as f64);
                rows.guid(database.id);
                rows.real(original).real(disk).real(disk).real(0.0).long(totals.rows);
                rows.real(original).real(disk).real(disk).real(0.0).long(totals.rows);
                rows.long(totals.extents).long(totals.extents);
            }
            Detail::Entities => {}
        }
        rows.end_row();
    }
    rows.into()
}

fn entities(databases: &[&DatabaseEntry]) -> CommandOutput {
    let mut rows = RowsBuilder::new(&[
        ("DatabaseName", Type::String),
        ("EntityType", Type::String),
        ("EntityName", Type::String),
        ("DocString", Type::String),
        ("Folder", Type::String),
        ("CslInputSchema", Type::String),
        ("Content", Type::String),
        ("CslOutputSchema", Type::String),
        ("Properties", Type::Dynamic),
    ]);
    for database in databases {
        for table in database.tables() {
            rows.text(&database.name)
                .text("Table")
                .text(&table.name)
                .text(&table.docstring)
                .text(&table.folder);
            rows.text("").text("").text(schema::csl_columns(&table.schema)).json("{}").end_row();
        }
        for function in database.functions.values() {
            rows.text(&database.name).text("Function").text(&function.name);
            rows.text(&function.docstring).text(&function.folder).text(&function.parameters);
            rows.text(&function.body).text("").json("{}").end_row();
        }
    }
    rows.into()
}

/// `.create database D [persist (…) | volatile] [ifnotexists]`, `.alter database D …`
pub fn change_database(
    context: &CommandContext<'_>,
    reader: &mut Reader<'_>,
    verb: &str,
) -> Result<CommandOutput> {
    let name = reader.name("the name of a database")?;
    if verb.starts_with("alter") || reader.at("policy") {
        if reader.eat("policy") {
            return policy::change_database(context, reader, verb, name);
        }
        if reader.eat("docstring") {
            let docstring = reader.string("the description")?;
            reader.finish()?;
            context.commit(&[CatalogChange::SetDatabaseDocstring { name: name.clone(), docstring }])?;
            let snapshot = context.store.snapshot();
            return Ok(list(context, &[database_named(&snapshot, &name)?.as_ref()], Detail::Plain));
        }
        if reader.eat("prettyname") {
            let pretty = reader.string("the pretty name")?;
            reader.finish()?;
            return policy::set_pretty_name(context, &name, Some(pretty));
        }
        if reader.eat("ingestion") {
            return mapping::change(context, reader, verb, name, None);
        }
        return Err(reader.error("expected 'policy', 'prettyname', 'docstring' or 'ingestion'"));
    }
    if reader.eat("ingestion") {
        return mapping::change(context, reader, verb, name, None);
    }
    let mut if_not_exists = reader.eat("ifnotexists");
    if reader.eat("persist") {
        reader.balanced()?;
    } else {
        let _ = reader.eat("volatile");
    }
    if_not_exists |= reader.eat("ifnotexists");
    skip_with(reader)?;
    reader.finish()?;
    check_name("database", &name)?;
    context.commit(&[CatalogChange::CreateDatabase { name: name.clone(), if_not_exists }])?;
    let mut rows = RowsBuilder::new(&[
        ("DatabaseName", Type::String),
        ("PersistentPath", Type::String),
        ("Created", Type::Bool),
        ("StoresMetadata", Type::Bool),
        ("StoresData", Type::Bool),
    ]);
    rows.text(&name).text(context.store.directory().to_string_lossy());
    rows.bool(true).bool(true).bool(true).end_row();
    Ok(rows.into())
}

/// Refuses names that no entity may have.
pub fn check_name(kind: &str, name: &str) -> Result<()> {
    if name.trim().is_empty() || name.chars().any(char::is_control) || name.len() > 1024 {
        return Err(CommandError::Invalid(format!(
            "'{}' cannot be the name of a {kind}: it must have 1 to 1024 characters, none of them a control character",
            name.escape_debug()
        )));
    }
    Ok(())
}

/// `.drop database D [ifexists]`
pub fn drop_database(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    let name = reader.name("the name of a database")?;
    if reader.eat("prettyname") {
        reader.finish()?;
        return policy::set_pretty_name(context, &name, None);
    }
    if reader.eat("ingestion") {
        return mapping::drop_mapping(context, reader, name, None);
    }
    let if_exists = reader.eat("ifexists");
    reader.finish()?;
    context.commit(&[CatalogChange::DropDatabase { name, if_exists }])?;
    let snapshot = context.store.snapshot();
    let databases: Vec<&DatabaseEntry> = snapshot.databases().map(AsRef::as_ref).collect();
    Ok(list(context, &databases, Detail::Plain))
}

/// `.rename database A to B`
pub fn rename_database(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    let name = reader.name("the name of a database")?;
    reader.expect("to")?;
    let new_name = reader.name("the new name")?;
    reader.finish()?;
    check_name("database", &new_name)?;
    context.commit(&[CatalogChange::RenameDatabase { name, new_name: new_name.clone() }])?;
    let snapshot = context.store.snapshot();
    Ok(list(context, &[database_named(&snapshot, &new_name)?.as_ref()], Detail::Plain))
}
