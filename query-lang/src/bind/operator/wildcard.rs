//! Tables that a wildcard stands for, in `union`, `find` and `search`: `T*`, `*`, `database('x').T*`,
//! `database('*').T`.

use crate::ast::{self, ExprKind as Ast};
use crate::span::Span;

use super::matches_wildcard;
use crate::bind::expression::Meaning;
use crate::bind::scope::{Entity, Relation};
use crate::bind::{Bind, Binder};

impl Binder<'_> {
    /// Adds the tables that an expression with a wildcard stands for; `false`: it has none.
    pub(in crate::bind) fn wildcard_input(
        &mut self,
        table: &ast::Expr,
        fuzzy: bool,
        inputs: &mut Vec<Relation>,
    ) -> bool {
        let (object, pattern) = match &table.kind {
            Ast::Parenthesized(inner) => return self.wildcard_input(inner, fuzzy, inputs),
            Ast::Member { object, name } if database_pattern(object).is_some() => {
                (Some(object.as_ref()), name.text.as_str())
            }
            Ast::Element { object, index } => match wildcard(index) {
                Some(pattern) => (Some(object.as_ref()), pattern),
                None => return false,
            },
            _ => match wildcard(table) {
                Some(pattern) => (None, pattern),
                None => return false,
            },
        };
        let before = inputs.len();
        match object {
            None => self.wildcard_tables(pattern, table.span, inputs),
            Some(object) => match self.databases_of(object) {
                Ok(databases) => {
                    for database in databases {
                        self.tables_of(&database, pattern, table.span, inputs);
                    }
                }
                Err(_) => {
                    self.failed = true;
                    return true;
                }
            },
        }
        if inputs.len() == before && !fuzzy && pattern != "*" {
            let message = format!("'{}' operator: no table fits the pattern '{pattern}'", self.operator);
            self.error("SEM0100", message, table.span);
        }
        true
    }

    /// Tables of the database and views of the query whose names fit the pattern.
    pub(in crate::bind) fn wildcard_tables(&mut self, pattern: &str, span: Span, inputs: &mut Vec<Relation>) {
        let views: Vec<(String, Entity)> = self
            .names
            .all()
            .filter(|(name, entity)| {
                matches!(entity, Entity::Function(function) if function.view)
                    && matches_wildcard(pattern, name)
            })
            .map(|(name, entity)| (name.to_string(), entity.clone()))
            .collect();
        let database = self.database.clone();
        self.tables_of(&database, pattern, span, inputs);
        for (name, entity) in views.into_iter().rev() {
            if let Entity::Function(function) = entity
                && let Ok(Meaning::Table(relation)) = self.call_function(&function, &[], span)
            {
                inputs.push(relation.named(Some(name)));
            }
        }
    }

    fn tables_of(&mut self, database: &str, pattern: &str, span: Span, inputs: &mut Vec<Relation>) {
        let mut tables = self.catalog.tables(database);
        tables.sort();
        tables.retain(|name| matches_wildcard(pattern, name) && self.is_reachable(database, name));
        for name in &tables {
            if let Ok(Some(Meaning::Table(relation))) = self.stored(database, name, span) {
                inputs.push(*relation);
            }
        }
    }

    /// The databases that `database(…)` stands for.
    pub(in crate::bind) fn databases_of(&mut self, object: &ast::Expr) -> Bind<Vec<String>> {
        if let Some(pattern) = database_pattern(object) {
            if let Ast::Call(ast::Call { object: Some(cluster), .. }) = &object.kind {
                self.this_cluster(cluster)?;
            }
            let mut databases = self.catalog.databases();
            databases.sort();
            databases.retain(|name| matches_wildcard(&pattern, name));
            return Ok(databases);
        }
        match self.with_row_scope(None, |binder| binder.meaning(object))? {
            Meaning::Database(database) => Ok(vec![database]),
            _ => Err(self.error("SEM0208", "A database is expected here", object.span)),
        }
    }
}

fn wildcard(expression: &ast::Expr) -> Option<&str> {
    match &expression.kind {
        Ast::Wildcard(pattern) | Ast::BracketedWildcard(pattern) => Some(pattern),
        Ast::Star => Some("*"),
        _ => None,
    }
}

/// The pattern of `database('a*')`.
fn database_pattern(object: &ast::Expr) -> Option<String> {
    let Ast::Call(call) = &object.kind else { return None };
    let [argument] = call.arguments.as_slice() else { return None };
    match &argument.kind {
        Ast::Literal(ast::LiteralValue::String(text))
            if call.name.text == "database" && text.value.contains('*') =>
        {
            Some(text.value.clone())
        }
        _ => None,
    }
}
