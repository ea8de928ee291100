//! The schema of one database as a server tells it, for the language server.

use conshelf_kql::catalog::{Catalog, StoredFunction, TableInfo};
use conshelf_kql::plan::{Expr, ExprKind};
use conshelf_kql::{Column, Schema, Type, Value};
use serde_json::Value as Json;

use crate::cli::client::{self, Client};

/// Tables and functions of a database.
#[derive(Clone, Debug, Default)]
pub struct RemoteCatalog {
    pub database: String,
    databases: Vec<String>,
    tables: Vec<(String, Schema)>,
    functions: Vec<(String, StoredFunction)>,
}

/// The rows of a command's answer.
fn rows(client: &Client, database: &str, command: &str) -> Result<Vec<Json>, String> {
    let answer = client.post("/query", &[("db", database), ("format", "json")], &[], command.as_bytes())?;
    let answer = client::read(answer)?;
    if !answer.is_success() {
        return Err(answer.error_message());
    }
    serde_json::from_str(&answer.body)
        .map_err(|error| format!("the answer to '{command}' is not JSON: {error}"))
}

fn text<'j>(row: &'j Json, name: &str) -> &'j str {
    row.get(name).and_then(Json::as_str).unwrap_or_default()
}

/// A type by its Kusto or .NET name.
fn type_named(name: &str) -> Type {
    let system = || Type::ALL.into_iter().find(|ty| ty.system_name() == name);
    Type::from_name(name).or_else(system).unwrap_or(Type::Dynamic)
}

impl RemoteCatalog {
    /// An empty database.
    pub fn empty(database: &str) -> RemoteCatalog {
        RemoteCatalog {
            database: database.to_owned(),
            databases: vec![database.to_owned()],
            ..RemoteCatalog::default()
        }
    }

    /// Asks a server for the schema of a database.
    pub fn fetch(client: &Client, database: &str) -> Result<RemoteCatalog, String> {
        let mut found = RemoteCatalog::empty(database);
        for row in rows(client, database, ".show databases")? {
            let name = text(&row, "DatabaseName").to_owned();
            if !found.databases.contains(&name) {
                found.databases.push(name);
            }
        }
        for row in rows(client, database, ".show database schema")? {
            let (table, column) = (text(&row, "TableName"), text(&row, "ColumnName"));
            if table.is_empty() {
                continue;
            }
            if found.tables.last().is_none_or(|(last, _)| last != table) {
                found.tables.push((table.to_owned(), Schema::new()));
            }
            if let Some((_, schema)) = found.tables.last_mut().filter(|_| !column.is_empty()) {
                schema.push(Column::new(column, type_named(text(&row, "ColumnType"))));
            }
        }
        for row in rows(client, database, ".show functions")? {
            let function = StoredFunction {
                parameters: text(&row, "Parameters").to_owned(),
                body: text(&row, "Body").to_owned(),
            };
            found.functions.push((text(&row, "Name").to_owned(), function));
        }
        Ok(found)
    }
}

impl Catalog for RemoteCatalog {
    fn default_database(&self) -> &str {
        &self.database
    }

    fn database(&self, name: &str) -> Option<String> {
        self.databases.iter().find(|known| known.eq_ignore_ascii_case(name)).cloned()
    }

    fn databases(&self) -> Vec<String> {
        self.databases.clone()
    }

    fn table(&self, database: &str, name: &str) -> Option<TableInfo> {
        let (_, schema) =
            self.tables.iter().filter(|_| database == self.database).find(|(table, _)| table == name)?;
        Some(TableInfo { schema: schema.clone() })
    }

    fn tables(&self, database: &str) -> Vec<String> {
        let own = database == self.database;
        self.tables.iter().filter(|_| own).map(|(name, _)| name.clone()).collect()
    }

    fn function(&self, database: &str, name: &str) -> Option<StoredFunction> {
        let mut own = self.functions.iter().filter(|_| database == self.database);
        own.find(|(function, _)| function == name).map(|(_, function)| function.clone())
    }

    fn functions(&self, database: &str) -> Vec<String> {
        let own = database == self.database;
        self.functions.iter().filter(|_| own).map(|(name, _)| name.clone()).collect()
    }

    fn fold(&self, expression: &Expr) -> Option<Value> {
        match &expression.kind {
            ExprKind::Constant(value) => Some(value.clone()),
            _ => None,
        }
    }

    fn runs(&self) -> bool {
        false
    }

    fn now_ticks(&self) -> i64 {
        crate::machine::now_ticks()
    }

    fn query_parameter(&self, _name: &str) -> Option<String> {
        None
    }
}
