//! The binary value of a `dynamic` column: parsed once at ingestion, read in place ever after.
//!
//! Every node, also a nested one, is a complete value: a tag byte (version in the high four bits, kind in
//! the low four) and a body that runs to the end of the node's bytes. `FORMAT.md` ("Dynamic value") has the
//! layout. Objects keep the order of their keys, scalars keep their type, and arrays and objects carry the
//! end offsets of their parts, so that reading one part never touches its siblings.
//!
//! Knows JSON text and nothing of columns, files or KQL. Decimals are opaque bytes beside their text.

mod builder;
mod compare;
mod json_read;
mod json_write;
mod reader;

pub use builder::DynamicBuilder;
pub use compare::{compare, equal, hash};
pub use json_read::{JsonError, from_json};
pub use json_write::{format_real, write_json_string};
pub use reader::{ArrayIter, DynamicRef, InvalidDynamic, ObjectIter, validate};

/// The version in the tag byte of every node.
pub const DYNAMIC_VERSION: u8 = 1;

/// Deepest nesting of arrays and objects that is read or written.
pub const MAX_DEPTH: usize = 128;

/// Objects with more keys than this carry their sorted order for binary search.
pub(crate) const SORTED_ABOVE: usize = 8;

/// What a dynamic value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum DynamicKind {
    Null = 0,
    Bool = 1,
    Long = 3,
    Real = 4,
    Decimal = 5,
    DateTime = 6,
    TimeSpan = 7,
    String = 8,
    Guid = 9,
    Array = 10,
    Object = 11,
}

/// The low four bits of a tag byte. `false` and `true` have a tag each; otherwise a tag is its kind.
pub(crate) mod tag {
    use super::DYNAMIC_VERSION;

    pub(crate) const fn of(kind: u8) -> u8 {
        DYNAMIC_VERSION << 4 | kind
    }
    pub const NULL: u8 = of(0);
    pub const FALSE: u8 = of(1);
    pub const TRUE: u8 = of(2);
    pub const LONG: u8 = of(3);
    pub const REAL: u8 = of(4);
    pub const DECIMAL: u8 = of(5);
    pub const DATETIME: u8 = of(6);
    pub const TIMESPAN: u8 = of(7);
    pub const STRING: u8 = of(8);
    pub const GUID: u8 = of(9);
    pub const ARRAY: u8 = of(10);
    pub const OBJECT: u8 = of(11);
}

/// The header byte of an array or object: offset width code (1 << code bytes), and whether the sorted key
/// order follows the offsets.
pub(crate) mod header {
    pub const WIDTH: u8 = 0b0011;
    pub const SORTED: u8 = 0b0100;
}
