//! The small filter language that storage understands.
//!
//! A predicate may only *prune*: a row group or extent is skipped solely when no row of it can match, and
//! whoever asked re-checks every row. So every answer here is conservative, and nothing here knows KQL.

use crate::types::ColumnType;

/// A constant to compare a column with. Datetimes and timespans are ticks in `Integer`.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    Bool(bool),
    /// For int, long, datetime and timespan columns.
    Integer(i64),
    Real(f64),
    String(String),
    /// Guid bytes (big-endian text order) or canonical decimal bytes.
    Bytes16([u8; 16]),
}

/// How a column is compared with a literal. A null never satisfies a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A condition on the columns of one table. `column` is the stable column id.
#[derive(Clone, Debug, PartialEq)]
pub enum Predicate {
    /// All hold. Empty: always true.
    And(Vec<Predicate>),
    /// At least one holds. Empty: never true.
    Or(Vec<Predicate>),
    /// The part does not hold. Only of what is never null: where a comparison with a null fails, so would its
    /// negation.
    Not(Box<Predicate>),
    Compare {
        column: u32,
        ty: ColumnType,
        operator: Comparison,
        value: Literal,
    },
    /// The column equals one of the values.
    In {
        column: u32,
        ty: ColumnType,
        values: Vec<Literal>,
    },
    /// A string column equals the text without regard to case.
    EqualIgnoreCase {
        column: u32,
        value: String,
    },
    /// A string (or dynamic) column contains the whole term. `term` is lower-cased, alphanumeric only.
    HasTerm {
        column: u32,
        term: String,
    },
    /// A string (or dynamic) column has a term that begins with `prefix` (lower-cased).
    HasTermPrefix {
        column: u32,
        prefix: String,
    },
    IsNull {
        column: u32,
        ty: ColumnType,
    },
    IsNotNull {
        column: u32,
        ty: ColumnType,
    },
}
