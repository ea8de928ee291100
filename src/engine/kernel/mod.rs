//! Scalar functions over Arrow arrays: one kernel per `FunctionId`, by one exhaustive match per family.
//!
//! A kernel sees flat arrays of exactly the types the binder resolved (never a dictionary: the evaluator
//! runs a function of one string column on the dictionary's values) and constants as arrays of one row. It
//! knows neither plans nor where its rows come from.

pub mod access;
pub mod conditional;
pub mod context;
pub mod conversion;
pub mod datetime;
pub mod dynamic;
pub mod geo;
pub mod hash;
pub mod math;
pub mod operator;
pub mod regular;
pub mod string;
pub mod text;

#[cfg(test)]
pub mod tests;

use std::sync::Arc;

use arrow_array::ArrayRef;
use conshelf_kql::Type;
use conshelf_kql::function::FunctionId;

use crate::engine::context::QueryContext;
use crate::engine::error::Result;

/// An argument or a result: a value per row, or one for all rows (an array of length 1).
#[derive(Clone, Debug)]
pub enum Datum {
    Array(ArrayRef),
    Constant(ArrayRef),
}

impl Datum {
    /// The array and whether it stands for all rows.
    pub fn parts(&self) -> (&ArrayRef, bool) {
        match self {
            Datum::Array(array) => (array, false),
            Datum::Constant(array) => (array, true),
        }
    }
}

/// What a kernel is called with beside its arguments.
#[derive(Clone, Copy, Debug)]
pub struct KernelCall<'a> {
    /// Rows to yield; 1 when all arguments are constants.
    pub rows: usize,
    pub argument_types: &'a [Type],
    pub return_type: Type,
    pub query: &'a Arc<QueryContext>,
}

/// Computes one function over a batch: yields an array of `call.rows` values of `call.return_type`.
/// Where the function's null rule is `NullGivesNull` the caller masks the result with the arguments' nulls.
pub type Kernel = fn(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef>;

/// A kernel made for the constants of one call. It is given all arguments, the constant ones too.
pub type Prepared = Box<dyn Fn(&KernelCall<'_>, &[Datum]) -> Result<ArrayRef> + Send + Sync>;

/// What can be got ready once for a call whose constant arguments are known (columns of one row), instead of
/// once for every batch. `None`: nothing, the plain kernel will do.
pub fn prepare(
    function: FunctionId,
    argument_types: &[Type],
    constants: &[Option<&ArrayRef>],
) -> Result<Option<Prepared>> {
    match function {
        FunctionId::Operator(f) => operator::prepare(f, argument_types, constants),
        _ => Ok(None),
    }
}

/// The kernel of a scalar function; `None` for window functions and aggregates, which have operators of
/// their own.
pub fn kernel(function: FunctionId) -> Option<Kernel> {
    Some(match function {
        FunctionId::Operator(f) => operator::kernel(f),
        FunctionId::Conditional(f) => conditional::kernel(f),
        FunctionId::Context(f) => context::kernel(f),
        FunctionId::Conversion(f) => conversion::kernel(f),
        FunctionId::DateTime(f) => datetime::kernel(f),
        FunctionId::Dynamic(f) => dynamic::kernel(f),
        FunctionId::Geo(f) => geo::kernel(f),
        FunctionId::Hash(f) => hash::kernel(f),
        FunctionId::Math(f) => math::kernel(f),
        FunctionId::String(f) => string::kernel(f),
        FunctionId::Window(_) | FunctionId::Aggregate(_) => return None,
    })
}
