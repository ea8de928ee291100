//! Kernels of date and time functions.

use conshelf_kql::function::DateTimeFunction;

use crate::engine::error::EngineError;
use crate::engine::kernel::Kernel;

/// The kernel of a function of the family.
pub fn kernel(function: DateTimeFunction) -> Kernel {
    match function {
        DateTimeFunction::StartOfDay => |_, _| Err(EngineError::NotSupported(String::from("StartOfDay"))),
    }
}
