//! Kernels of string functions.

use conshelf_kql::function::StringFunction;

use crate::engine::error::EngineError;
use crate::engine::kernel::Kernel;

/// The kernel of a function of the family.
pub fn kernel(function: StringFunction) -> Kernel {
    match function {
        StringFunction::Strlen => |_, _| Err(EngineError::NotSupported(String::from("Strlen"))),
        StringFunction::Substring => |_, _| Err(EngineError::NotSupported(String::from("Substring"))),
        StringFunction::Strcat => |_, _| Err(EngineError::NotSupported(String::from("Strcat"))),
    }
}
