//! Principals and roles: there is no access control but the server's token, so everyone is an administrator.

use conshelf_kql::Type;

use crate::command::reader::Reader;
use crate::command::result::RowsBuilder;
use crate::command::{CommandContext, CommandError, CommandOutput, Result};

/// `.show principal access with (…)`, `.show principal [P] roles`
pub fn show_principal(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    if !reader.eat("access") {
        if reader.at_string() {
            reader.string("a principal")?;
        }
        return show_roles(context, reader);
    }
    let properties = reader.properties()?;
    reader.finish()?;
    let find = |name: &str| {
        properties
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
            .unwrap_or_default()
    };
    let mut rows = RowsBuilder::new(&[
        ("Principal", Type::String),
        ("AccessType", Type::String),
        ("Entity", Type::String),
        ("IsAllowed", Type::Bool),
    ]);
    let entity = match (find("database"), find("table")) {
        ("", table) => table.to_owned(),
        (database, "") => database.to_owned(),
        (database, table) => format!("{database}.{table}"),
    };
    rows.text(find("principal")).text(find("accesstype")).text(entity).bool(true).end_row();
    Ok(rows.into())
}

/// `.show database D principals`, `.show table T principals`, `.show … principal roles`
pub fn show_roles(_context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    while reader.at_name() {
        reader.name("a word")?;
    }
    reader.finish()?;
    let mut rows = RowsBuilder::new(&[
        ("Role", Type::String),
        ("PrincipalType", Type::String),
        ("PrincipalDisplayName", Type::String),
        ("PrincipalObjectId", Type::String),
        ("PrincipalFQN", Type::String),
        ("Notes", Type::String),
        ("RoleAssignmentIdentifier", Type::String),
    ]);
    rows.text("Admin").text("Everyone").text("everyone who can reach the server").text("").text("*");
    rows.text("").text("").end_row();
    Ok(rows.into())
}

/// `.add database D viewers (…)`
pub fn add_or_set(_context: &CommandContext<'_>, _reader: &mut Reader<'_>) -> Result<CommandOutput> {
    Err(CommandError::NotSupported(
        "roles: access is decided by the server's token alone ('conshelf serve --token')".to_owned(),
    ))
}
