//! Decimal numbers of 34 significant digits, Kusto's `decimal`.
//!
//! A value is `coefficient × 10^exponent` in canonical form (no trailing zeros in the coefficient, zero has
//! exponent zero), so that equal numbers have equal bytes.

use std::cmp::Ordering;
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

/// Arithmetic: exact results are rounded half to even to 34 digits.
impl Decimal {
    pub fn is_zero(self) -> bool {
        self.coefficient == 0
    }

    pub fn is_negative(self) -> bool {
        self.coefficient < 0
    }

    /// The sum.
    pub fn plus(self, other: Decimal) -> Decimal {
        if self.is_zero() {
            return other;
        }
        if other.is_zero() {
            return self;
        }
        let (upper, lower) = if self.exponent >= other.exponent { (self, other) } else { (other, self) };
        let distance = i32::from(upper.exponent) - i32::from(lower.exponent);
        // One digit of room is left for the carry.
        let room = (37 - upper.digits() as i32).min(distance);
        let raised = upper.coefficient * 10i128.pow(room as u32);
        let exponent = i32::from(upper.exponent) - room;
        let lowered = shift_right_sticky(lower.coefficient, (distance - room) as u32);
        Decimal::new(raised + lowered, clamp_exponent(exponent))
    }

    /// The difference.
    pub fn minus(self, other: Decimal) -> Decimal {
        self.plus(other.negated())
    }

    pub fn negated(self) -> Decimal {
        Decimal { coefficient: -self.coefficient, exponent: self.exponent }
    }

    pub fn absolute(self) -> Decimal {
        Decimal { coefficient: self.coefficient.abs(), exponent: self.exponent }
    }

    /// The product.
    pub fn times(self, other: Decimal) -> Decimal {
        let negative = self.is_negative() != other.is_negative();
        let mut limbs = wide_product(self.coefficient.unsigned_abs(), other.coefficient.unsigned_abs());
        let mut exponent = i32::from(self.exponent) + i32::from(other.exponent);
        let mut sticky = false;
        // Down to what an i128 holds, with more digits left than the result keeps.
        while limbs[3] != 0 || limbs[2] != 0 || limbs[1] >> 62 != 0 {
            let rest = divide_by_ten(&mut limbs);
            sticky |= rest != 0;
            exponent += 1;
        }
        let mut magnitude = (u128::from(limbs[1]) << 64 | u128::from(limbs[0])) as i128;
        if sticky && magnitude % 5 == 0 {
            magnitude += 1;
        }
        Decimal::new(if negative { -magnitude } else { magnitude }, clamp_exponent(exponent))
    }

    /// The quotient; `None` when dividing by zero.
    pub fn divided_by(self, other: Decimal) -> Option<Decimal> {
        if other.is_zero() {
            return None;
        }
        let negative = self.is_negative() != other.is_negative();
        let divisor = other.coefficient.unsigned_abs();
        let dividend = self.coefficient.unsigned_abs();
        let mut exponent = i32::from(self.exponent) - i32::from(other.exponent);
        let (mut quotient, mut rest) = (dividend / divisor, dividend % divisor);
        while rest != 0 && quotient < 10u128.pow(MAX_DIGITS) {
            rest *= 10;
            quotient = quotient * 10 + rest / divisor;
            rest %= divisor;
            exponent -= 1;
        }
        if rest != 0 && quotient.is_multiple_of(5) {
            quotient += 1;
        }
        let magnitude = quotient as i128;
        Some(Decimal::new(if negative { -magnitude } else { magnitude }, clamp_exponent(exponent)))
    }

    /// The remainder that is not negative; `None` when dividing by zero.
    pub fn modulo(self, other: Decimal) -> Option<Decimal> {
        if other.is_zero() {
            return None;
        }
        let divisor = other.absolute();
        let distance = i32::from(self.exponent) - i32::from(divisor.exponent);
        let rest = if distance >= 0 {
            let modulus = divisor.coefficient;
            let mut rest = self.coefficient.abs() % modulus;
            for _ in 0..distance {
                if rest == 0 {
                    break;
                }
                rest = rest * 10 % modulus;
            }
            Decimal::new(rest, divisor.exponent)
        } else {
            let scale = u32::try_from(-distance).ok().and_then(|power| 10i128.checked_pow(power));
            match scale.and_then(|scale| divisor.coefficient.checked_mul(scale)) {
                Some(modulus) => Decimal::new(self.coefficient.abs() % modulus, self.exponent),
                None => self.absolute(),
            }
        };
        Some(if self.is_negative() && !rest.is_zero() { divisor.minus(rest) } else { rest })
    }

    /// Without the fraction, toward zero.
    pub fn truncated(self) -> Decimal {
        if self.exponent >= 0 {
            return self;
        }
        match 10i128.checked_pow(u32::from(self.exponent.unsigned_abs())) {
            Some(scale) => Decimal::new(self.coefficient / scale, 0),
            None => Decimal::ZERO,
        }
    }

    /// The largest whole number not above.
    pub fn floored(self) -> Decimal {
        let whole = self.truncated();
        if self.is_negative() && whole != self { whole.minus(Decimal::from(1)) } else { whole }
    }

    /// The integer without the fraction; `None` outside the range of `long`.
    pub fn to_i64(self) -> Option<i64> {
        let whole = self.truncated();
        let scale = 10i128.checked_pow(u32::try_from(whole.exponent).ok()?)?;
        i64::try_from(whole.coefficient.checked_mul(scale)?).ok()
    }

    /// The nearest double.
    pub fn to_f64(self) -> f64 {
        let power = i32::from(self.exponent);
        if self.coefficient.unsigned_abs() < 1 << 53 && (-22..=22).contains(&power) {
            let exact = self.coefficient as f64;
            let scale = 10f64.powi(power.abs());
            return if power < 0 { exact / scale } else { exact * scale };
        }
        format!("{}e{power}", self.coefficient).parse().unwrap_or(f64::NAN)
    }

    /// The number of the shortest text that reads back as the double; `None` for NaN and infinities.
    pub fn from_f64(value: f64) -> Option<Decimal> {
        if value.is_finite() { Decimal::parse(&format!("{value:e}")) } else { None }
    }

    fn digits(self) -> u32 {
        self.coefficient.unsigned_abs().checked_ilog10().map_or(1, |log| log + 1)
    }
}

impl From<i64> for Decimal {
    fn from(value: i64) -> Decimal {
        Decimal::new(i128::from(value), 0)
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Decimal) -> Ordering {
        let signs = self.coefficient.signum().cmp(&other.coefficient.signum());
        if signs != Ordering::Equal || self.is_zero() {
            return signs;
        }
        let magnitude = |value: &Decimal| value.digits() as i32 + i32::from(value.exponent);
        let by_magnitude = magnitude(self).cmp(&magnitude(other)).then_with(|| {
            // Equally many digits before the point: both fit when brought to the lower exponent.
            let lowest = self.exponent.min(other.exponent);
            let aligned =
                |value: &Decimal| value.coefficient.abs() * 10i128.pow((value.exponent - lowest) as u32);
            aligned(self).cmp(&aligned(other))
        });
        if self.is_negative() { by_magnitude.reverse() } else { by_magnitude }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Decimal) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn clamp_exponent(exponent: i32) -> i16 {
    exponent.clamp(-8192, 8191) as i16
}

/// `value / 10^power` toward zero, with the last digit moved off a tie when something was cut.
fn shift_right_sticky(value: i128, power: u32) -> i128 {
    if power == 0 {
        return value;
    }
    let (quotient, rest) = match 10i128.checked_pow(power) {
        Some(scale) => (value / scale, value % scale),
        None => (0, value),
    };
    if rest != 0 && quotient % 5 == 0 { quotient + rest.signum() } else { quotient }
}

/// The 256-bit product, least significant limb first.
fn wide_product(left: u128, right: u128) -> [u64; 4] {
    let halves = |value: u128| [value as u64, (value >> 64) as u64];
    let mut limbs = [0u64; 4];
    for (i, a) in halves(left).into_iter().enumerate() {
        let mut carry = 0u128;
        for (j, b) in halves(right).into_iter().enumerate() {
            let sum = u128::from(a) * u128::from(b) + u128::from(limbs[i + j]) + carry;
            limbs[i + j] = sum as u64;
            carry = sum >> 64;
        }
        limbs[i + 2] = carry as u64;
    }
    limbs
}

/// Divides in place; yields the remainder.
fn divide_by_ten(limbs: &mut [u64; 4]) -> u64 {
    let mut rest = 0u128;
    for limb in limbs.iter_mut().rev() {
        let current = rest << 64 | u128::from(*limb);
        *limb = (current / 10) as u64;
        rest = current % 10;
    }
    rest as u64
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).expect("a decimal")
    }

    #[test]
    fn arithmetic_rounds_to_34_digits() {
        let cases = [
            (decimal("0.1").plus(decimal("0.2")), "0.3"),
            (decimal("1e30").plus(decimal("1e-30")), "1000000000000000000000000000000"),
            (decimal("-1").plus(decimal("1e-60")), "-1"),
            (decimal("1").minus(decimal("1e-34")), "0.9999999999999999999999999999999999"),
            (decimal("1.5").times(decimal("2")), "3"),
            (
                decimal("9999999999999999999999999999999999")
                    .times(decimal("9999999999999999999999999999999999")),
                "99999999999999999999999999999999980000000000000000000000000000000000",
            ),
        ];
        for (found, expected) in cases {
            assert_eq!(found.to_string(), expected);
        }
        let third = decimal("1").divided_by(decimal("3")).map(|value| value.to_string());
        assert_eq!(third.as_deref(), Some("0.3333333333333333333333333333333333"));
        assert_eq!(decimal("1").divided_by(Decimal::ZERO), None);
        assert_eq!(decimal("-7.5").modulo(decimal("2")), Some(decimal("0.5")));
        assert_eq!(decimal("1e20").modulo(decimal("7")), Some(decimal("2")));
        assert_eq!(decimal("0.3").modulo(decimal("-1e30")), Some(decimal("0.3")));
        assert_eq!(decimal("-2.5").floored(), decimal("-3"));
        assert_eq!(decimal("1e400").to_i64(), None);
        assert_eq!(decimal("-2.9").to_i64(), Some(-2));
        assert_eq!(Decimal::from_f64(0.1), Some(decimal("0.1")));
    }

    fn any_decimal() -> impl Strategy<Value = Decimal> {
        (-999_999i64..=999_999, -6i16..=4).prop_map(|(c, e)| Decimal::new(i128::from(c), e))
    }

    proptest! {
        #[test]
        fn agrees_with_scaled_integers(left in any_decimal(), right in any_decimal()) {
            let scaled = |value: Decimal| value.coefficient() * 10i128.pow((value.exponent() + 6) as u32);
            prop_assert_eq!(scaled(left.plus(right)), scaled(left) + scaled(right));
            prop_assert_eq!(left.cmp(&right), scaled(left).cmp(&scaled(right)));
            prop_assert_eq!(left.times(right), Decimal::new(scaled(left), -6).times(Decimal::new(scaled(right), -6)));
            prop_assert_eq!(left.times(right).coefficient().signum(), (scaled(left) * scaled(right)).signum());
            if let Some(rest) = left.modulo(right) {
                prop_assert_eq!(scaled(rest), scaled(left).rem_euclid(scaled(right).abs()));
            }
            if let Some(quotient) = left.divided_by(right) {
                let back = quotient.times(right).minus(left).absolute();
                prop_assert!(back <= left.absolute().times(decimal("1e-32")));
            }
        }

        #[test]
        fn bytes_and_text_read_back(coefficient in any::<i64>(), exponent in -40i16..40) {
            let value = Decimal::new(i128::from(coefficient), exponent);
            prop_assert_eq!(Decimal::from_bytes(value.to_bytes()), value);
            prop_assert_eq!(Decimal::parse(&value.to_string()), Some(value));
        }
    }
}
