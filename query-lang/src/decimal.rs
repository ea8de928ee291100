//! Decimal numbers of 34 significant digits, Kusto's `decimal`.
//!
//! A value is `coefficient × 10^exponent` in canonical form (no trailing zeros in the coefficient, zero has
//! exponent zero), so that equal numbers have equal bytes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The largest number of significant digits.
pub const MAX_DIGITS: u32 = 34;

/// A canonical decimal number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Decimal {
    coefficient: i128,
    exponent: i16,
}

impl Decimal {
    pub const ZERO: Decimal = Decimal { coefficient: 0, exponent: 0 };

    /// The canonical form of `coefficient × 10^exponent`; digits past the 34th are rounded half to even.
    pub fn new(coefficient: i128, exponent: i16) -> Decimal {
        let (mut coefficient, mut exponent) = (coefficient, exponent);
        if coefficient == 0 {
            return Decimal::ZERO;
        }
        let limit = 10i128.pow(MAX_DIGITS);
        while coefficient <= -limit || coefficient >= limit {
            let (quotient, rest) = (coefficient / 10, coefficient % 10);
            let up = rest.abs() > 5 || (rest.abs() == 5 && quotient % 2 != 0);
            coefficient = quotient + if up { rest.signum() } else { 0 };
            exponent = exponent.saturating_add(1);
        }
        while coefficient % 10 == 0 {
            coefficient /= 10;
            exponent = exponent.saturating_add(1);
        }
        Decimal { coefficient, exponent }
    }

    pub fn coefficient(self) -> i128 {
        self.coefficient
    }

    pub fn exponent(self) -> i16 {
        self.exponent
    }

    /// Canonical 16 bytes: the coefficient shifted left by 14 bits, the biased exponent below, big-endian.
    pub fn to_bytes(self) -> [u8; 16] {
        let biased = (i32::from(self.exponent) + 8192).clamp(0, 16383) as i128;
        ((self.coefficient << 14) | biased).to_be_bytes()
    }

    /// The inverse of `to_bytes`; any 16 bytes give some number.
    pub fn from_bytes(bytes: [u8; 16]) -> Decimal {
        let packed = i128::from_be_bytes(bytes);
        let exponent = ((packed & 16383) as i32 - 8192) as i16;
        Decimal::new(packed >> 14, exponent)
    }

    /// Parses `[-+]digits[.digits][e[-+]digits]`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Decimal> {
        let text = text.trim();
        let (negative, rest) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (mantissa, exponent) = match rest.find(['e', 'E']) {
            Some(at) => (&rest[..at], rest[at + 1..].parse::<i32>().ok()?),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let mut coefficient: i128 = 0;
        let mut scale: i32 = 0;
        let mut dropped = 0i32;
        for (digit, in_fraction) in
            whole.bytes().map(|b| (b, false)).chain(fraction.bytes().map(|b| (b, true)))
        {
            if !digit.is_ascii_digit() {
                return None;
            }
            if coefficient < 10i128.pow(36) {
                coefficient = coefficient * 10 + i128::from(digit - b'0');
                scale += i32::from(in_fraction);
            } else {
                dropped += i32::from(!in_fraction);
            }
        }
        let exponent = i16::try_from(exponent.checked_add(dropped)?.checked_sub(scale)?).ok()?;
        Some(Decimal::new(if negative { -coefficient } else { coefficient }, exponent))
    }
}

impl fmt::Display for Decimal {
    /// Plain notation, never an exponent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.coefficient.unsigned_abs().to_string();
        if self.coefficient < 0 {
            f.write_str("-")?;
        }
        if self.exponent >= 0 {
            write!(f, "{digits}{}", "0".repeat(self.exponent as usize))
        } else {
            let scale = usize::from(self.exponent.unsigned_abs());
            if digits.len() > scale {
                let (whole, fraction) = digits.split_at(digits.len() - scale);
                write!(f, "{whole}.{fraction}")
            } else {
                write!(f, "0.{}{digits}", "0".repeat(scale - digits.len()))
            }
        }
    }
}
