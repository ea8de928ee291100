//! Hashing and encoding.

use crate::function::{FunctionSpec, function_family};

function_family! {
    /// Hashing and encoding.
    HashFunction {
        Hash => FunctionSpec::scalar("hash", &["(value: any, modulus: const long = null) -> long"], "xxHash64 of a value.").handles_nulls(),
    }
}
