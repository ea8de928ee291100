//! Kernels of hashing and encoding.

use conshelf_kql::function::HashFunction;

use crate::engine::error::EngineError;
use crate::engine::kernel::Kernel;

/// The kernel of a function of the family.
pub fn kernel(function: HashFunction) -> Kernel {
    match function {
        HashFunction::Hash => |_, _| Err(EngineError::NotSupported(String::from("Hash"))),
    }
}
