//! What the binder may ask, answered from a storage snapshot.

use std::sync::Arc;

use conshelf_kql::catalog::{Catalog, StoredFunction, TableInfo};
use conshelf_kql::optimise::optimise;
use conshelf_kql::plan::{Expr, Plan, QueryPlan, ResultPlan};
use conshelf_kql::{Column, Schema, Value};
use conshelf_storage::{Snapshot, TableEntry};

use crate::engine::context::QueryContext;
use crate::engine::evaluate;
use crate::engine::execute::Executor;
use crate::engine::literal::{array_to_value, kusto_type};

/// A snapshot's catalog for one query.
pub struct QueryCatalog<'a> {
    snapshot: &'a Arc<Snapshot>,
    database: String,
    /// KQL literals by parameter name.
    parameters: &'a [(String, String)],
    query: &'a Arc<QueryContext>,
    /// Threads for parts of the query that run while it is bound; `None`: nothing runs.
    workers: Option<usize>,
    /// The database cursor that the snapshot stands for.
    cursor: Option<i64>,
}

impl<'a> QueryCatalog<'a> {
    /// `database` is the one of the request; if it is known, under the name it was created with.
    pub fn new(
        snapshot: &'a Arc<Snapshot>,
        database: &str,
        parameters: &'a [(String, String)],
        query: &'a Arc<QueryContext>,
    ) -> QueryCatalog<'a> {
        let known = snapshot.database(database).map(|entry| entry.name.clone());
        let database = known.unwrap_or_else(|| database.to_owned());
        QueryCatalog { snapshot, database, parameters, query, workers: None, cursor: None }
    }

    pub fn with_cursor(self, cursor: i64) -> QueryCatalog<'a> {
        QueryCatalog { cursor: Some(cursor), ..self }
    }

    /// Lets parts of the query run while it is bound, for plugins whose columns follow from the rows.
    pub fn running(self, workers: usize) -> QueryCatalog<'a> {
        QueryCatalog { workers: Some(workers), ..self }
    }
}

/// The columns of a table as the language sees them.
pub fn schema_of(table: &TableEntry) -> Schema {
    table
        .schema
        .columns
        .iter()
        .map(|column| Column::new(column.name.clone(), kusto_type(column.ty)))
        .collect()
}

impl Catalog for QueryCatalog<'_> {
    fn default_database(&self) -> &str {
        &self.database
    }

    fn database(&self, name: &str) -> Option<String> {
        self.snapshot.database(name).map(|database| database.name.clone())
    }

    fn databases(&self) -> Vec<String> {
        self.snapshot.databases().map(|database| database.name.clone()).collect()
    }

    fn table(&self, database: &str, name: &str) -> Option<TableInfo> {
        let table = self.snapshot.table(database, name)?;
        Some(TableInfo { schema: schema_of(table) })
    }

    fn tables(&self, database: &str) -> Vec<String> {
        let database = self.snapshot.database(database);
        database.map_or_else(Vec::new, |database| database.tables().map(|table| table.name.clone()).collect())
    }

    fn function(&self, database: &str, name: &str) -> Option<StoredFunction> {
        let function = self.snapshot.database(database)?.function(name)?;
        Some(StoredFunction { parameters: function.parameters.clone(), body: function.body.clone() })
    }

    fn functions(&self, database: &str) -> Vec<String> {
        let database = self.snapshot.database(database);
        database.map_or_else(Vec::new, |database| {
            database.functions.values().map(|function| function.name.clone()).collect()
        })
    }

    fn fold(&self, expression: &Expr) -> Option<Value> {
        evaluate::fold(expression, self.query)
    }

    fn first_value(&self, plan: &Plan) -> Result<Option<Value>, String> {
        let Some(workers) = self.workers else { return Ok(None) };
        let result = ResultPlan { name: String::new(), plan: plan.clone(), visualization: None };
        let query = QueryPlan { results: vec![result], options: Vec::new() };
        let Some(ResultPlan { plan, .. }) = optimise(query, self).results.pop() else { return Ok(None) };
        let ty = plan.schema.first().map_or(conshelf_kql::Type::Dynamic, |column| column.ty);
        let executor = Executor::new(self.query.clone(), Some(self.snapshot.clone()), workers);
        let rows = executor.first_rows(&plan, 1).map_err(|error| error.to_string())?;
        let first = rows.iter().find(|batch| batch.rows > 0).and_then(|batch| batch.columns.first());
        match first {
            Some(column) => array_to_value(column, 0, ty).map(Some).map_err(|error| error.to_string()),
            None => Ok(Some(Value::Null(ty))),
        }
    }

    fn cluster_endpoint(&self) -> String {
        self.query.settings.endpoint.clone()
    }

    fn cursor_ticks(&self) -> i64 {
        self.cursor.unwrap_or(self.query.now_ticks)
    }

    fn runs(&self) -> bool {
        self.workers.is_some()
    }

    fn now_ticks(&self) -> i64 {
        self.query.now_ticks
    }

    fn query_parameter(&self, name: &str) -> Option<String> {
        self.parameters.iter().find(|(parameter, _)| parameter == name).map(|(_, text)| text.clone())
    }
}
