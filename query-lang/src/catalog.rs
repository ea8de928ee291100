//! What the binder may ask about databases, tables, stored functions and the moment of the query.
//!
//! The engine answers from its own catalog; tests answer from a list. Nothing here holds rows.

use crate::plan::{Expr, Plan};
use crate::types::Schema;
use crate::value::Value;

/// A stored table as the binder sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct TableInfo {
    pub schema: Schema,
}

/// A stored function as written: `(a: long)` and `{ T | where x > a }`, or the body without its braces.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredFunction {
    pub parameters: String,
    pub body: String,
}

/// What stands outside of the query text.
pub trait Catalog {
    /// The database that names without `database(…)` belong to.
    fn default_database(&self) -> &str;

    /// The name of the database as stored, if there is one of that name.
    fn database(&self, name: &str) -> Option<String>;

    fn databases(&self) -> Vec<String>;

    /// Whether `cluster('name')` is this server; names of other servers cannot be reached.
    fn is_this_cluster(&self, name: &str) -> bool {
        let name = name.trim().to_ascii_lowercase();
        let address = name.split_once("://").map_or(name.as_str(), |(_, rest)| rest);
        let address = address.split('/').next().unwrap_or_default();
        let endpoint = self.cluster_endpoint().to_ascii_lowercase();
        let host = |address: &str| match address.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host.to_string(),
            _ => address.to_string(),
        };
        matches!(
            host(address).as_str(),
            "" | "." | "localhost" | "127.0.0.1" | "[::1]" | "conshelf" | "this server"
        ) || host(address) == host(&endpoint)
    }

    /// The name under which the server is reached: `current_cluster_endpoint()`.
    fn cluster_endpoint(&self) -> String {
        String::from("localhost")
    }

    fn table(&self, database: &str, name: &str) -> Option<TableInfo>;

    /// Names of the tables of a database, for wildcards, `search`, `find` and suggestions.
    fn tables(&self, database: &str) -> Vec<String>;

    fn function(&self, database: &str, name: &str) -> Option<StoredFunction>;

    /// Names of the stored functions of a database, for suggestions.
    fn functions(&self, database: &str) -> Vec<String>;

    /// The value of an expression without columns and volatile functions; `None` if it has none.
    fn fold(&self, expression: &Expr) -> Option<Value>;

    /// The first value of the first row of a plan: for plugins whose columns follow from the rows. `Ok(None)` where
    /// nothing may run, as when a text is only checked; an error is what went wrong in the run.
    fn first_value(&self, _plan: &Plan) -> Result<Option<Value>, String> {
        Ok(None)
    }

    /// Whether the query is to run; a text that is only checked comes without the values of its parameters.
    fn runs(&self) -> bool {
        true
    }

    /// The moment of the query: 100 ns ticks since 0001-01-01T00:00:00Z.
    fn now_ticks(&self) -> i64;

    /// The database cursor of what the catalog shows: ticks of the time of ingestion.
    fn cursor_ticks(&self) -> i64 {
        self.now_ticks()
    }

    /// The text given with the request for a parameter of `declare query_parameters`, a KQL literal.
    fn query_parameter(&self, name: &str) -> Option<String>;
}

/// A catalog of fixed tables that folds constants only as they stand. For tests and for checking texts
/// without a server.
#[derive(Clone, Debug, Default)]
pub struct TestCatalog {
    pub tables: Vec<(String, Schema)>,
    pub functions: Vec<(String, StoredFunction)>,
    pub parameters: Vec<(String, String)>,
    /// What `now()` is.
    pub now: i64,
}

impl TestCatalog {
    /// The name of its only database.
    pub const DATABASE: &'static str = "TestDb";

    /// Adds a table; `columns` as in `(a: long, b: string)` without the parentheses. Unknown types are `dynamic`.
    pub fn with_table(mut self, name: &str, columns: &str) -> Self {
        let schema = columns
            .split(',')
            .filter_map(|column| column.split_once(':'))
            .map(|(name, ty)| crate::types::Column {
                name: name.trim().to_string(),
                ty: crate::types::Type::from_name(ty.trim()).unwrap_or(crate::types::Type::Dynamic),
            })
            .collect();
        self.tables.push((name.to_string(), schema));
        self
    }

    pub fn with_function(mut self, name: &str, parameters: &str, body: &str) -> Self {
        let function = StoredFunction { parameters: parameters.to_string(), body: body.to_string() };
        self.functions.push((name.to_string(), function));
        self
    }
}

impl Catalog for TestCatalog {
    fn default_database(&self) -> &str {
        Self::DATABASE
    }

    fn database(&self, name: &str) -> Option<String> {
        (name == Self::DATABASE).then(|| Self::DATABASE.to_string())
    }

    fn databases(&self) -> Vec<String> {
        vec![Self::DATABASE.to_string()]
    }

    fn table(&self, database: &str, name: &str) -> Option<TableInfo> {
        if database != Self::DATABASE {
            return None;
        }
        let (_, schema) = self.tables.iter().find(|(table, _)| table == name)?;
        Some(TableInfo { schema: schema.clone() })
    }

    fn tables(&self, database: &str) -> Vec<String> {
        if database != Self::DATABASE {
            return Vec::new();
        }
        self.tables.iter().map(|(name, _)| name.clone()).collect()
    }

    fn function(&self, _database: &str, name: &str) -> Option<StoredFunction> {
        self.functions.iter().find(|(function, _)| function == name).map(|(_, function)| function.clone())
    }

    fn functions(&self, _database: &str) -> Vec<String> {
        self.functions.iter().map(|(name, _)| name.clone()).collect()
    }

    fn fold(&self, expression: &Expr) -> Option<Value> {
        match &expression.kind {
            crate::plan::ExprKind::Constant(value) => Some(value.clone()),
            _ => None,
        }
    }

    fn now_ticks(&self) -> i64 {
        self.now
    }

    fn query_parameter(&self, name: &str) -> Option<String> {
        self.parameters.iter().find(|(parameter, _)| parameter == name).map(|(_, text)| text.clone())
    }
}
