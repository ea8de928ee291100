//! Arguments of any type as dynamic values.

use conshelf_kql::Type;
use conshelf_storage::{DynamicBuilder, DynamicRef};

use crate::engine::error::Result;
use crate::engine::kernel::access::{Bools, Bytes16, Dynamics, Ints, Longs, Reals, Texts, argument};
use crate::engine::kernel::{Datum, KernelCall};

/// A column whose values can be put into a dynamic value.
pub enum Values<'a> {
    Bool(Bools<'a>),
    Int(Ints<'a>),
    Long(Longs<'a>),
    Real(Reals<'a>),
    Decimal(Bytes16<'a>),
    DateTime(Longs<'a>),
    TimeSpan(Longs<'a>),
    Text(Texts<'a>),
    Guid(Bytes16<'a>),
    Dynamic(Dynamics<'a>),
}

impl<'a> Values<'a> {
    pub fn new(datum: &'a Datum, ty: Type) -> Result<Values<'a>> {
        Ok(match ty {
            Type::Bool => Values::Bool(Bools::new(datum)?),
            Type::Int => Values::Int(Ints::new(datum)?),
            Type::Long => Values::Long(Longs::new(datum)?),
            Type::Real => Values::Real(Reals::new(datum)?),
            Type::Decimal => Values::Decimal(Bytes16::new(datum)?),
            Type::DateTime => Values::DateTime(Longs::new(datum)?),
            Type::TimeSpan => Values::TimeSpan(Longs::new(datum)?),
            Type::String => Values::Text(Texts::new(datum)?),
            Type::Guid => Values::Guid(Bytes16::new(datum)?),
            Type::Dynamic => Values::Dynamic(Dynamics::new(datum)?),
        })
    }

    /// The argument at a position, by the type that the call says it has.
    pub fn at(call: &KernelCall<'_>, arguments: &'a [Datum], position: usize) -> Result<Values<'a>> {
        let ty = call.argument_types.get(position).copied().unwrap_or(Type::Dynamic);
        Values::new(argument(arguments, position)?, ty)
    }

    /// All arguments from a position on.
    pub fn all(call: &KernelCall<'_>, arguments: &'a [Datum], from: usize) -> Result<Vec<Values<'a>>> {
        (from..arguments.len()).map(|position| Values::at(call, arguments, position)).collect()
    }

    /// Appends the value of a row; null where it is null.
    pub fn put(&self, row: usize, builder: &mut DynamicBuilder) {
        match self {
            Values::Bool(values) => match values.get(row) {
                Some(value) => builder.bool(value),
                None => builder.null(),
            },
            Values::Int(values) => match values.get(row) {
                Some(value) => builder.long(value.into()),
                None => builder.null(),
            },
            Values::Long(values) => match values.get(row) {
                Some(value) => builder.long(value),
                None => builder.null(),
            },
            Values::Real(values) => match values.get(row) {
                Some(value) => builder.real(value),
                None => builder.null(),
            },
            Values::Decimal(values) => match values.decimal(row) {
                Some(value) => builder.decimal(value.to_bytes(), &value.to_string()),
                None => builder.null(),
            },
            Values::DateTime(values) => match values.get(row) {
                Some(value) => builder.datetime(value),
                None => builder.null(),
            },
            Values::TimeSpan(values) => match values.get(row) {
                Some(value) => builder.timespan(value),
                None => builder.null(),
            },
            Values::Text(values) => builder.string(values.get(row)),
            Values::Guid(values) => match values.get(row) {
                Some(value) => builder.guid(value),
                None => builder.null(),
            },
            Values::Dynamic(values) => builder.value(values.get(row)),
        }
    }

    /// The value of a row as dynamic bytes in a buffer.
    pub fn bytes(&self, row: usize) -> Vec<u8> {
        if let Values::Dynamic(values) = self {
            return values.get(row).bytes().to_vec();
        }
        let mut builder = DynamicBuilder::new();
        self.put(row, &mut builder);
        builder.finish()
    }

    /// The value of a row as a key of a property bag.
    pub fn key(&self, row: usize) -> Option<String> {
        match self {
            Values::Text(values) => Some(values.get(row).to_string()),
            Values::Dynamic(values) => values.get(row).as_str().map(str::to_string),
            _ => {
                let bytes = self.bytes(row);
                let mut text = String::new();
                DynamicRef::new(&bytes).to_text(&mut text);
                (!text.is_empty()).then_some(text)
            }
        }
    }
}
