//! Kernels of conversions between types.

use conshelf_kql::function::ConversionFunction;

use crate::engine::error::EngineError;
use crate::engine::kernel::Kernel;

/// The kernel of a function of the family.
pub fn kernel(function: ConversionFunction) -> Kernel {
    match function {
        ConversionFunction::ToLong => |_, _| Err(EngineError::NotSupported(String::from("ToLong"))),
    }
}
