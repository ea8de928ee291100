//! Kernels of expression operators.

use conshelf_kql::function::OperatorFunction;

use crate::engine::error::EngineError;
use crate::engine::kernel::Kernel;

/// The kernel of a function of the family.
pub fn kernel(function: OperatorFunction) -> Kernel {
    match function {
        OperatorFunction::Add => |_, _| Err(EngineError::NotSupported(String::from("Add"))),
        OperatorFunction::Equal => |_, _| Err(EngineError::NotSupported(String::from("Equal"))),
        OperatorFunction::And => |_, _| Err(EngineError::NotSupported(String::from("And"))),
        OperatorFunction::Has => |_, _| Err(EngineError::NotSupported(String::from("Has"))),
    }
}
