//! What the grammar would take at the end of a text: the rules note it as they look at the last token. Completion asks
//! for it with the text before the cursor. Knows nothing of what names mean.

use crate::token::TokenKind;

use super::Parser;

/// A part of the grammar that may come next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Slot {
    Statement,
    /// A statement or the result of a body.
    Body,
    /// An operator after a pipe.
    Operator,
    /// A table or an operator that starts a pipeline.
    Source,
    /// Only a table: the right side of a join, a table of a union.
    Table,
    /// The operand of an expression.
    Operand,
    /// What may stand after an operand.
    Infix,
    /// What follows a dot.
    Member,
    /// The name of a column, without an expression.
    Column,
    /// The condition of a join.
    JoinCondition,
    Type,
    /// The name of a parameter of the operator.
    Parameter,
    /// The value of the parameter of that name.
    ParameterValue(String),
    Plugin,
    /// A function that takes the rows.
    Invoked,
    Chart,
    /// The name of an option of `set`.
    Setting,
    /// The value of a `let`.
    LetValue,
    /// A name that the text makes up.
    NewName,
}

/// What may come next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sought {
    pub slots: Vec<Slot>,
    /// Keywords.
    pub words: Vec<&'static str>,
    /// The keyword of the operator that the end of the text lies in.
    pub operator: Option<String>,
}

/// What the grammar takes at the end of a text.
pub fn seek(text: &str) -> Sought {
    if text.len() > super::MAX_TEXT_BYTES {
        return Sought::default();
    }
    let mut parser = Parser::new(text);
    parser.sought = Some(Sought::default());
    parser.query();
    parser.sought.take().unwrap_or_default()
}

impl Parser<'_> {
    /// Whether a rule looks at the end of the text, and no rule has failed there before.
    pub(super) fn is_seeking(&self) -> bool {
        self.sought.is_some() && self.kind() == TokenKind::End && self.error_position != Some(self.position)
    }

    pub(super) fn seek(&mut self, slot: Slot) {
        if !self.is_seeking() {
            return;
        }
        let operator = self.operators.last().map(|span| span.text(self.text).to_owned());
        if let Some(sought) = &mut self.sought {
            if sought.slots.is_empty() && sought.words.is_empty() {
                sought.operator = operator;
            }
            if !sought.slots.contains(&slot) {
                sought.slots.push(slot);
            }
        }
    }

    pub(super) fn seek_word(&mut self, word: &'static str) {
        if !self.is_seeking() {
            return;
        }
        let operator = self.operators.last().map(|span| span.text(self.text).to_owned());
        if let Some(sought) = &mut self.sought {
            if sought.slots.is_empty() && sought.words.is_empty() {
                sought.operator = operator;
            }
            if !sought.words.contains(&word) {
                sought.words.push(word);
            }
        }
    }
}
