//! Where tables are: `cluster(…)`, `database(…)` and its aliases, wildcards over them, entity groups, and what
//! `restrict access` leaves to be seen.

use std::rc::Rc;

use crate::ast::{self, ExprKind as Ast};
use crate::diagnostic::{Diagnostic, DiagnosticKind, Severity};
use crate::span::Span;

use super::expression::Meaning;
use super::operator::matches_wildcard;
use super::scope::{Entity, Function, Names};
use super::{Bind, Binder, Reported};

/// Entities of a database that a `restrict access` statement names.
#[derive(Clone, Debug)]
pub(super) struct Reachable {
    database: String,
    /// A name, or a pattern with `*`.
    pattern: String,
}

/// What several `restrict access` statements leave: each narrows what those before it left.
pub(super) type Access = Rc<Vec<Vec<Reachable>>>;

/// Tables of a wildcard: in those databases, or in the scope where none is named.
pub(super) struct EntityPattern<'a> {
    pub databases: Option<&'a ast::Expr>,
    pub pattern: &'a str,
}

/// The wildcard that an expression is: `T*`, `*`, `database('x').T*`, `database('*').*`.
pub(super) fn entity_pattern(expression: &ast::Expr) -> Option<EntityPattern<'_>> {
    fn plain(kind: &Ast) -> Option<&str> {
        match kind {
            Ast::Wildcard(pattern) | Ast::BracketedWildcard(pattern) => Some(pattern),
            Ast::Star => Some("*"),
            _ => None,
        }
    }
    match &expression.kind {
        Ast::Parenthesized(inner) => entity_pattern(inner),
        Ast::Element { object, index } => {
            Some(EntityPattern { databases: Some(object), pattern: plain(&index.kind)? })
        }
        kind => Some(EntityPattern { databases: None, pattern: plain(kind)? }),
    }
}

impl Binder<'_> {
    /// Whether the statements so far let an entity of a database be seen.
    pub(super) fn is_reachable(&self, database: &str, name: &str) -> bool {
        self.access.iter().all(|level| {
            level.iter().any(|entity| entity.database == database && matches_wildcard(&entity.pattern, name))
        })
    }

    pub(super) fn unreachable(&mut self, name: &str, span: Span) -> Reported {
        let message = format!("'{}' operator: '{name}' cannot be seen: 'restrict access' leaves it out", {
            self.operator
        });
        self.error("SEM0100", message, span)
    }

    /// `restrict access to (…)`: what follows sees the listed entities only. Functions keep what they saw where they
    /// were declared.
    pub(super) fn restrict_access(&mut self, statement: &ast::RestrictStatement) {
        let mut names: Vec<String> = Vec::new();
        let mut entities: Vec<Reachable> = Vec::new();
        for entity in &statement.entities {
            if self.restricted_entity(entity, &mut names, &mut entities).is_err() {
                self.failed = true;
            }
        }
        let mut access = Vec::clone(&self.access);
        access.push(entities);
        self.access = Rc::new(access);
        let mut declared: Vec<(String, Entity, u32)> = self.names.all_with_blocks().collect();
        declared.reverse();
        let mut left = Names::default();
        for (name, entity, block) in declared {
            let listed = names.iter().any(|pattern| matches_wildcard(pattern, &name));
            let entity = match entity {
                entity if listed => entity,
                Entity::Table(_)
                | Entity::Graph(_)
                | Entity::Pattern(_)
                | Entity::Database(_)
                | Entity::Group(_) => Entity::Hidden,
                Entity::Function(function) if !self.is_scalar_body(&function) => Entity::Hidden,
                // It may be a scalar function: it stays, and sees no more than its callers.
                Entity::Function(function) => Entity::Function(Rc::new(Function {
                    name: function.name.clone(),
                    parameters: function.parameters.clone(),
                    body: function.body.clone(),
                    view: function.view,
                    names: left.clone(),
                    access: self.access.clone(),
                    stored_in: None,
                })),
                entity => entity,
            };
            left = left.with(name, entity, block);
        }
        self.names = left;
    }

    fn restricted_entity(
        &mut self,
        entity: &ast::Expr,
        names: &mut Vec<String>,
        entities: &mut Vec<Reachable>,
    ) -> Bind<()> {
        if let Some(found) = entity_pattern(entity) {
            match found.databases {
                None => names.push(found.pattern.to_string()),
                Some(object) => {
                    for database in self.databases_of(object)? {
                        entities.push(Reachable { database, pattern: found.pattern.to_string() });
                    }
                }
            }
            return Ok(());
        }
        match &entity.kind {
            Ast::Parenthesized(inner) => self.restricted_entity(inner, names, entities),
            Ast::Name(name) if self.names.find(&name.text).is_some() => {
                names.push(name.text.clone());
                Ok(())
            }
            Ast::Name(name) => {
                let database = self.database.clone();
                if !self.is_stored(&database, &name.text) {
                    return Err(self.unknown_name(&name.text, name.span));
                }
                entities.push(Reachable { database, pattern: name.text.clone() });
                Ok(())
            }
            Ast::Member { object, name } => {
                for database in self.databases_of(object)? {
                    if !self.is_stored(&database, &name.text) {
                        return Err(self.unknown_stored(&database, &name.text, name.span));
                    }
                    entities.push(Reachable { database, pattern: name.text.clone() });
                }
                Ok(())
            }
            _ => {
                let message = "A table, a function or a wildcard is expected here, as in database().T";
                Err(self.error("SEM0100", message, entity.span))
            }
        }
    }

    fn is_stored(&self, database: &str, name: &str) -> bool {
        self.is_reachable(database, name)
            && (self.catalog.table(database, name).is_some()
                || self.catalog.function(database, name).is_some())
    }

    pub(super) fn unknown_stored(&mut self, database: &str, name: &str, span: Span) -> Reported {
        let message = format!(
            "'{}' operator: Failed to resolve table expression named '{name}' in database '{database}'",
            self.operator
        );
        let mut candidates = self.catalog.tables(database);
        candidates.extend(self.catalog.functions(database));
        candidates.retain(|candidate| self.is_reachable(database, candidate));
        self.unknown("SEM0100", message, span, name, candidates.iter().map(String::as_str))
    }

    /// Whether an expression is `cluster('…')` or the name of one.
    pub(super) fn is_cluster(&self, expression: &ast::Expr) -> bool {
        match &expression.kind {
            Ast::Call(call) => call.object.is_none() && call.name.text == "cluster",
            Ast::Name(name) => matches!(self.names.find(&name.text), Some(Entity::Cluster)),
            _ => false,
        }
    }

    /// Refuses any cluster but this one. Like the analyser it only warns, but there is no plan.
    pub(super) fn this_cluster(&mut self, expression: &ast::Expr) -> Bind<()> {
        let Ast::Call(call) = &expression.kind else { return Ok(()) };
        let [argument] = call.arguments.as_slice() else {
            return Err(self.error("SEM0219", "cluster() expects 1 argument", expression.span));
        };
        let name = self.constant_text(argument)?;
        if self.catalog.is_this_cluster(&name) {
            return Ok(());
        }
        let message =
            format!("The cluster '{name}' cannot be reached: a query reads this server's databases only");
        let diagnostic =
            Diagnostic::new("SEM0207", Severity::Warning, DiagnosticKind::Semantic, message, argument.span);
        self.report(
            diagnostic.with_hint("leave out 'cluster(…)', or name this server: cluster('localhost')"),
        );
        Err(self.give_up())
    }

    /// The members of `entity_group […]`, or of the group of that name.
    pub(super) fn entity_group(&mut self, expression: &ast::Expr, fuzzy: bool) -> Bind<Vec<Entity>> {
        match &expression.kind {
            Ast::Parenthesized(inner) => self.entity_group(inner, fuzzy),
            Ast::EntityGroup(members) => {
                let mut found = Vec::with_capacity(members.len());
                for member in members {
                    let (reported, failed) = (self.diagnostics.len(), self.failed);
                    match self.entity_group_member(member) {
                        Ok(mut entities) => found.append(&mut entities),
                        Err(_) if fuzzy => {
                            self.diagnostics.truncate(reported);
                            self.failed = failed;
                        }
                        Err(reported) => return Err(reported),
                    }
                }
                Ok(found)
            }
            Ast::Name(name) => match self.names.find(&name.text).cloned() {
                Some(Entity::Group(members)) => Ok(Vec::clone(&members)),
                Some(Entity::Broken) => Err(self.give_up()),
                Some(_) => {
                    let message = format!("'{}' is no entity group", name.text);
                    Err(self.error("SEM0100", message, name.span))
                }
                None => {
                    let message = format!("There is no entity group '{}' in the query", name.text);
                    let diagnostic = Diagnostic::semantic("SEM0100", message, name.span);
                    let hint = format!(
                        "declare it: let {} = entity_group [database('a'), database('b')];",
                        name.text
                    );
                    Err(self.report(diagnostic.with_hint(hint)))
                }
            },
            _ => self.entity_group_member(expression),
        }
    }

    fn entity_group_member(&mut self, member: &ast::Expr) -> Bind<Vec<Entity>> {
        if matches!(member.kind, Ast::EntityGroup(_)) {
            return self.entity_group(member, false);
        }
        if let Ast::Name(name) = &member.kind
            && let Some(Entity::Group(members)) = self.names.find(&name.text)
        {
            return Ok(Vec::clone(members));
        }
        if self.is_cluster(member) {
            self.this_cluster(member)?;
            return Ok(vec![Entity::Cluster]);
        }
        Ok(vec![match self.meaning(member)? {
            Meaning::Database(database) => Entity::Database(database),
            Meaning::Table(relation) => Entity::Table(Rc::new(*relation)),
            Meaning::Scalar(_) | Meaning::Graph(_) | Meaning::Named => {
                let message = "A cluster, database or table is expected in an entity group";
                return Err(self.error("SEM0100", message, member.span));
            }
        }])
    }
}
