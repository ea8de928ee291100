//! `macro-expand`: a subquery for each member of an entity group, and the union of what they yield.

use crate::ast::{self, StatementKind};
use crate::span::Span;

use super::{parameter, parameter_text};
use crate::bind::expression::Meaning;
use crate::bind::scope::{Entity, Relation};
use crate::bind::{Bind, Binder};

impl Binder<'_> {
    pub(in crate::bind) fn macro_expand(&mut self, node: &ast::MacroExpand, span: Span) -> Bind<Relation> {
        let text = |name: &str| parameter(&node.parameters, name).and_then(parameter_text);
        let inner = match text("kind").as_deref() {
            None | Some("outer") => false,
            Some("inner") => true,
            Some(other) => {
                let message = format!("Unknown kind of macro-expand '{other}': inner or outer is expected");
                return Err(self.error("SEM0140", message, span));
            }
        };
        let fuzzy = text("isfuzzy").as_deref() == Some("true") || self.is_set("best_effort");
        let Some(name) = &node.name else {
            return Err(self.error("SEM0200", "macro-expand expects 'as' and a name for the entity", span));
        };
        let members = self.entity_group(&node.entity_group, fuzzy)?;
        let mut inputs = Vec::with_capacity(members.len());
        for member in members {
            let (reported, failed) = (self.diagnostics.len(), self.failed);
            match self.expanded_member(name, member, node, span) {
                Ok(relation) => inputs.push(relation),
                Err(_) if fuzzy => {
                    self.diagnostics.truncate(reported);
                    self.failed = failed;
                }
                Err(reported) => return Err(reported),
            }
        }
        if inputs.is_empty() {
            return Err(self.error("SEM0100", "macro-expand: no entity of the group was found", span));
        }
        Ok(self.united(inputs, inner, None, "union_arg"))
    }

    fn expanded_member(
        &mut self,
        name: &ast::Name,
        member: Entity,
        node: &ast::MacroExpand,
        span: Span,
    ) -> Bind<Relation> {
        self.charge(1, span)?;
        let (names, block) = (self.names.clone(), self.block);
        self.block += 1;
        self.names = self.names.with(name.text.clone(), member, self.block);
        self.block += 1;
        let result = self.deeper(span, |binder| {
            binder.with_row_scope(None, |binder| binder.member_result(&node.body, span))
        });
        self.block = block;
        self.names = names;
        result
    }

    fn member_result(&mut self, body: &[ast::Statement], span: Span) -> Bind<Relation> {
        let mut result = None;
        for statement in body {
            match &statement.kind {
                StatementKind::Expression(expression) if result.is_none() => {
                    result = Some(match self.meaning(expression)? {
                        Meaning::Table(relation) => *relation,
                        _ => {
                            let message = "A tabular value is expected here";
                            return Err(self.error("SEM0111", message, expression.span));
                        }
                    });
                }
                _ => self.local_statement(statement),
            }
        }
        match result {
            Some(relation) => Ok(relation),
            None => Err(self.error("SEM0200", "The subquery of macro-expand has no result", span)),
        }
    }
}
