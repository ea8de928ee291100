//! Functions compiled for several widths of vectors, of which the machine's is taken when they are called.
//!
//! The program itself is compiled for every machine of its architecture. A loop over many values gains two to four
//! times where it may use what the machine at hand has.
#![allow(unsafe_code)]

/// Defines a function without type parameters whose loops use the widest vectors of the machine. Calls inside it
/// gain only where they are inlined.
#[macro_export]
macro_rules! widest_vectors {
    (
        $(#[$attribute:meta])*
        $visibility:vis fn $name:ident($($argument:ident: $type:ty),* $(,)?) $(-> $result:ty)? $body:block
    ) => {
        $(#[$attribute])*
        $visibility fn $name($($argument: $type),*) $(-> $result)? {
            #[inline(always)]
            fn narrow($($argument: $type),*) $(-> $result)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx2,bmi1,bmi2,lzcnt,popcnt")]
                fn widest($($argument: $type),*) $(-> $result)? {
                    narrow($($argument),*)
                }
                #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
                fn wide($($argument: $type),*) $(-> $result)? {
                    narrow($($argument),*)
                }
                match $crate::vectors::width() {
                    // SAFETY: the machine has what the function is compiled for.
                    $crate::vectors::Width::Bits512 => return unsafe { widest($($argument),*) },
                    // SAFETY: the same.
                    $crate::vectors::Width::Bits256 => return unsafe { wide($($argument),*) },
                    $crate::vectors::Width::Least => {}
                }
            }
            narrow($($argument),*)
        }
    };
}

/// Vectors of a machine, with the bit instructions that came before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    Least,
    /// AVX2, BMI1, BMI2, LZCNT, POPCNT: what `wide` is compiled for.
    Bits256,
    /// Those and AVX-512 F, BW, CD, DQ, VL: what `widest` is compiled for.
    Bits512,
}

/// Of the machine at hand; asks the processor once.
#[cfg(target_arch = "x86_64")]
#[inline]
pub fn width() -> Width {
    use std::arch::is_x86_feature_detected as has;
    let bits = has!("bmi1") && has!("bmi2") && has!("lzcnt") && has!("popcnt");
    if !bits || !has!("avx2") {
        Width::Least
    } else if has!("avx512f") && has!("avx512bw") && has!("avx512cd") && has!("avx512dq") && has!("avx512vl")
    {
        Width::Bits512
    } else {
        Width::Bits256
    }
}
