//! Kernels of conversions between types.

use conshelf_kql::function::ConversionFunction;

use crate::engine::error::EngineError;
use crate::engine::kernel::Kernel;

/// The kernel of a function of the family.
pub fn kernel(function: ConversionFunction) -> Kernel {
    match function {
        ConversionFunction::ToBool => |_, _| Err(EngineError::NotSupported(String::from("ToBool"))),
        ConversionFunction::ToInt => |_, _| Err(EngineError::NotSupported(String::from("ToInt"))),
        ConversionFunction::ToLong => |_, _| Err(EngineError::NotSupported(String::from("ToLong"))),
        ConversionFunction::ToReal => |_, _| Err(EngineError::NotSupported(String::from("ToReal"))),
        ConversionFunction::ToDecimal => |_, _| Err(EngineError::NotSupported(String::from("ToDecimal"))),
        ConversionFunction::ToDateTime => |_, _| Err(EngineError::NotSupported(String::from("ToDateTime"))),
        ConversionFunction::ToTimeSpan => |_, _| Err(EngineError::NotSupported(String::from("ToTimeSpan"))),
        ConversionFunction::ToString => |_, _| Err(EngineError::NotSupported(String::from("ToString"))),
        ConversionFunction::ToGuid => |_, _| Err(EngineError::NotSupported(String::from("ToGuid"))),
        ConversionFunction::ToDynamic => |_, _| Err(EngineError::NotSupported(String::from("ToDynamic"))),
    }
}
