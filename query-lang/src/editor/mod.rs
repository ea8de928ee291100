//! What an editor asks about a text: completion, hover help, the signature of the call at the cursor, classified
//! tokens, formatting, declarations, corrections.
//!
//! Everything is answered from the tables that parser and binder read, and from what the binder notes on its way.
//! Offsets are bytes of the text; [`position`] translates those of editors. Nothing here fails or panics, however
//! broken the text is and wherever the cursor stands.

pub mod action;
pub mod completion;
mod cursor;
pub mod documentation;
pub mod format;

pub mod hover;
pub mod position;
pub mod signature;
pub mod symbol;
pub mod token;
mod values;

pub use action::{Correction, corrections};
pub use completion::{Completion, CompletionItem, CompletionKind, complete};

pub use format::format;
pub use hover::{Hover, hover};
pub use signature::{SignatureHelp, signature_help};
pub use symbol::{Declaration, declarations, definition, references};
pub use token::{Classification, ClassifiedToken, classify};

/// A name as the text must write it: bracketed if it is no plain name.
pub fn quoted_name(name: &str) -> String {
    let mut characters = name.chars();
    let plain = characters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && name.chars().all(|character| character.is_alphanumeric() || character == '_');
    let free = !matches!(
        crate::token::keyword_class(name),
        Some(crate::token::KeywordClass::Declared | crate::token::KeywordClass::Never)
    );
    if plain && free {
        return name.to_string();
    }
    let escaped = name.replace('\\', "\\\\").replace('\'', "\\'");
    format!("['{escaped}']")
}
