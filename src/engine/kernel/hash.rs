//! Kernels of hashing and encoding.

use conshelf_kql::function::HashFunction;

use crate::engine::error::EngineError;
use crate::engine::kernel::Kernel;

/// The kernel of a function of the family.
pub fn kernel(function: HashFunction) -> Kernel {
    match function {
        HashFunction::Hash => |_, _| Err(EngineError::NotSupported(String::from("Hash"))),
        HashFunction::HashXxhash64 => |_, _| Err(EngineError::NotSupported(String::from("HashXxhash64"))),
        HashFunction::HashMany => |_, _| Err(EngineError::NotSupported(String::from("HashMany"))),
        HashFunction::HashCombine => |_, _| Err(EngineError::NotSupported(String::from("HashCombine"))),
        HashFunction::HashMd5 => |_, _| Err(EngineError::NotSupported(String::from("HashMd5"))),
        HashFunction::HashSha1 => |_, _| Err(EngineError::NotSupported(String::from("HashSha1"))),
        HashFunction::HashSha256 => |_, _| Err(EngineError::NotSupported(String::from("HashSha256"))),
        HashFunction::Base64EncodeToString => {
            |_, _| Err(EngineError::NotSupported(String::from("Base64EncodeToString")))
        }
        HashFunction::Base64DecodeToString => {
            |_, _| Err(EngineError::NotSupported(String::from("Base64DecodeToString")))
        }
        HashFunction::Base64EncodeFromArray => {
            |_, _| Err(EngineError::NotSupported(String::from("Base64EncodeFromArray")))
        }
        HashFunction::Base64DecodeToArray => {
            |_, _| Err(EngineError::NotSupported(String::from("Base64DecodeToArray")))
        }
        HashFunction::Base64EncodeFromGuid => {
            |_, _| Err(EngineError::NotSupported(String::from("Base64EncodeFromGuid")))
        }
        HashFunction::Base64DecodeToGuid => {
            |_, _| Err(EngineError::NotSupported(String::from("Base64DecodeToGuid")))
        }
        HashFunction::GzipCompress => |_, _| Err(EngineError::NotSupported(String::from("GzipCompress"))),
        HashFunction::GzipDecompress => |_, _| Err(EngineError::NotSupported(String::from("GzipDecompress"))),
        HashFunction::ZlibCompress => |_, _| Err(EngineError::NotSupported(String::from("ZlibCompress"))),
        HashFunction::ZlibDecompress => |_, _| Err(EngineError::NotSupported(String::from("ZlibDecompress"))),
        HashFunction::NewGuid => |_, _| Err(EngineError::NotSupported(String::from("NewGuid"))),
    }
}
