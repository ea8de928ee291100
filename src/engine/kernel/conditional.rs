//! Kernels of choices between values.

use conshelf_kql::function::ConditionalFunction;

use crate::engine::error::EngineError;
use crate::engine::kernel::Kernel;

/// The kernel of a function of the family.
pub fn kernel(function: ConditionalFunction) -> Kernel {
    match function {
        ConditionalFunction::Iff => |_, _| Err(EngineError::NotSupported(String::from("Iff"))),
        ConditionalFunction::Coalesce => |_, _| Err(EngineError::NotSupported(String::from("Coalesce"))),
    }
}
