//! Kernels of choices between values.

use conshelf_kql::function::ConditionalFunction;

use crate::engine::error::EngineError;
use crate::engine::kernel::Kernel;

/// The kernel of a function of the family.
pub fn kernel(function: ConditionalFunction) -> Kernel {
    match function {
        ConditionalFunction::Iff => |_, _| Err(EngineError::NotSupported(String::from("Iff"))),
        ConditionalFunction::Case => |_, _| Err(EngineError::NotSupported(String::from("Case"))),
        ConditionalFunction::Coalesce => |_, _| Err(EngineError::NotSupported(String::from("Coalesce"))),
        ConditionalFunction::MaxOf => |_, _| Err(EngineError::NotSupported(String::from("MaxOf"))),
        ConditionalFunction::MinOf => |_, _| Err(EngineError::NotSupported(String::from("MinOf"))),
        ConditionalFunction::IsNull => |_, _| Err(EngineError::NotSupported(String::from("IsNull"))),
        ConditionalFunction::IsNotNull => |_, _| Err(EngineError::NotSupported(String::from("IsNotNull"))),
        ConditionalFunction::IsEmpty => |_, _| Err(EngineError::NotSupported(String::from("IsEmpty"))),
        ConditionalFunction::IsNotEmpty => |_, _| Err(EngineError::NotSupported(String::from("IsNotEmpty"))),
        ConditionalFunction::GetType => |_, _| Err(EngineError::NotSupported(String::from("GetType"))),
    }
}
