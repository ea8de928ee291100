//! The Kusto Query Language: text to a typed logical plan.
//!
//! ```text
//! text ──lex──▶ tokens ──parse──▶ syntax tree ──bind──▶ plan ──optimise──▶ plan
//! ```
//!
//! Each stage is plain data with spans and can be printed on its own. Parsing and binding never fail: they
//! yield what they understood and diagnostics. This crate depends on no other crate of ours and knows no
//! Arrow, no async, no files and no clock: the "now" of a query is handed in.

pub mod ast;
pub mod bind;
pub mod catalog;
pub mod decimal;
pub mod diagnostic;
pub mod editor;
pub mod explain;
pub mod function;
pub mod lexer;
pub mod operator;
pub mod optimise;
pub mod parser;
pub mod plan;
pub mod plugin;
pub mod print;
pub mod span;
pub mod time;
pub mod token;
pub mod types;
pub mod value;

pub use decimal::Decimal;
pub use lexer::lex;
pub use parser::{Parsed, parse};
pub use types::{Column, Schema, Type};
pub use value::{Dynamic, Value};
