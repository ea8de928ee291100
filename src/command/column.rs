//! Columns: rename, drop, change of type.

use conshelf_storage::{AlteredColumn, CatalogChange};

use crate::command::database::check_name;
use crate::command::reader::Reader;
use crate::command::table::altered;
use crate::command::{CommandContext, CommandError, CommandOutput, Result, policy, table_named};

/// `T.C` or `['T'].['C']`
fn column_path(reader: &mut Reader<'_>) -> Result<(String, String)> {
    let table = reader.name("the name of a table")?;
    reader.expect_symbol('.')?;
    Ok((table, reader.name("the name of a column")?))
}

/// Rewrites the columns of a table.
fn rewrite(
    context: &CommandContext<'_>,
    table_name: &str,
    rewrite: impl FnOnce(&mut Vec<AlteredColumn>) -> Result<()>,
) -> Result<CommandOutput> {
    let snapshot = context.store.snapshot();
    let database = context.database_of(&snapshot)?;
    let table = table_named(database, table_name)?;
    let mut columns: Vec<AlteredColumn> =
        table.schema.columns.iter().cloned().map(AlteredColumn::from).collect();
    rewrite(&mut columns)?;
    if columns.is_empty() {
        return Err(CommandError::Invalid(format!("table '{table_name}' must keep at least one column")));
    }
    let change = CatalogChange::AlterTable {
        database: context.database_name().to_owned(),
        table: table_name.to_owned(),
        columns: Some(columns),
        folder: None,
        docstring: None,
        expected_schema_version: Some(table.schema_version),
    };
    altered(context, &[change], table_name)
}

fn position(columns: &[AlteredColumn], name: &str) -> Result<usize> {
    columns
        .iter()
        .position(|column| column.name == name)
        .ok_or_else(|| CommandError::NotFound { kind: "Column".to_owned(), name: name.to_owned() })
}

/// `.alter column T.C type=long`, or the policy of a column.
pub fn alter_column(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    let (table, column) = column_path(reader)?;
    if reader.eat("policy") {
        return policy::change_column(context, reader, &table, &column);
    }
    reader.expect("type")?;
    reader.expect_symbol('=')?;
    let ty = reader.column_type()?;
    reader.finish()?;
    rewrite(context, &table, |columns| {
        let at = position(columns, &column)?;
        columns[at].ty = ty;
        Ok(())
    })
}

/// `.rename column T.A to B`
pub fn rename_column(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    let (table, column) = column_path(reader)?;
    reader.expect("to")?;
    let to = reader.name("the new name")?;
    reader.finish()?;
    rename_all(context, &table, &[(column, to)])
}

/// `.rename columns B = T.A, …`
pub fn rename_columns(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    let mut table_name: Option<String> = None;
    let mut renames = Vec::new();
    loop {
        let to = reader.name("the new name of a column")?;
        reader.expect_symbol('=')?;
        let (table, from) = column_path(reader)?;
        if table_name.as_ref().is_some_and(|known| *known != table) {
            return Err(reader.error("the columns of one table can be renamed by one command"));
        }
        table_name = Some(table);
        renames.push((from, to));
        if !reader.eat_symbol(',') {
            break;
        }
    }
    reader.finish()?;
    rename_all(context, &table_name.unwrap_or_default(), &renames)
}

/// All at once, so that names can be swapped.
fn rename_all(
    context: &CommandContext<'_>,
    table: &str,
    renames: &[(String, String)],
) -> Result<CommandOutput> {
    rewrite(context, table, |columns| {
        let places: Vec<usize> =
            renames.iter().map(|(from, _)| position(columns, from)).collect::<Result<_>>()?;
        for (at, (_, to)) in places.into_iter().zip(renames) {
            check_name("column", to)?;
            columns[at].name.clone_from(to);
        }
        for (at, column) in columns.iter().enumerate() {
            if columns[..at].iter().any(|other| other.name == column.name) {
                return Err(CommandError::AlreadyExists {
                    kind: "Column".to_owned(),
                    name: column.name.clone(),
                });
            }
        }
        Ok(())
    })
}

/// `.drop column T.C`
pub fn drop_column(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    let (table, column) = column_path(reader)?;
    let _ = reader.eat("ifexists");
    reader.finish()?;
    drop_named(context, &table, &[column])
}

/// `.drop columns from table T (A, B)`
pub fn drop_columns(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    reader.expect("from")?;
    reader.expect("table")?;
    let table = reader.name("the name of a table")?;
    let columns = reader.name_list("the name of a column")?;
    reader.finish()?;
    drop_named(context, &table, &columns)
}

pub fn drop_named(context: &CommandContext<'_>, table: &str, names: &[String]) -> Result<CommandOutput> {
    rewrite(context, table, |columns| {
        for name in names {
            let at = position(columns, name)?;
            columns.remove(at);
        }
        Ok(())
    })
}
