//! Kernels of arrays, property bags and JSON.

use conshelf_kql::function::DynamicFunction;

use crate::engine::error::EngineError;
use crate::engine::kernel::Kernel;

/// The kernel of a function of the family.
pub fn kernel(function: DynamicFunction) -> Kernel {
    match function {
        DynamicFunction::ArrayLength => |_, _| Err(EngineError::NotSupported(String::from("ArrayLength"))),
    }
}
