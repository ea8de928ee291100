//! Kernels of numeric functions.

use conshelf_kql::function::MathFunction;

use crate::engine::error::EngineError;
use crate::engine::kernel::Kernel;

/// The kernel of a function of the family.
pub fn kernel(function: MathFunction) -> Kernel {
    match function {
        MathFunction::Abs => |_, _| Err(EngineError::NotSupported(String::from("Abs"))),
        MathFunction::Bin => |_, _| Err(EngineError::NotSupported(String::from("Bin"))),
    }
}
