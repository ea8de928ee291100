//! Punycode (RFC 3492): Unicode texts in the letters of domain names.

use arrow_array::ArrayRef;

use crate::engine::error::Result;
use crate::engine::kernel::access::{Texts, argument, texts};
use crate::engine::kernel::{Datum, KernelCall};

const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;
const SKEW: u32 = 38;
const DAMP: u32 = 700;
const INITIAL_BIAS: u32 = 72;
const INITIAL_N: u32 = 128;

fn adapt(delta: u32, points: u32, first: bool) -> u32 {
    let mut delta = if first { delta / DAMP } else { delta / 2 };
    delta += delta / points;
    let mut k = 0;
    while delta > (BASE - T_MIN) * T_MAX / 2 {
        delta /= BASE - T_MIN;
        k += BASE;
    }
    k + (BASE - T_MIN + 1) * delta / (delta + SKEW)
}

fn threshold(k: u32, bias: u32) -> u32 {
    k.saturating_sub(bias).clamp(T_MIN, T_MAX)
}

fn digit(value: u32) -> char {
    char::from(if value < 26 { b'a' + value as u8 } else { b'0' + (value - 26) as u8 })
}

/// The punycode of a text; `None` where it would overflow.
fn encode(text: &str) -> Option<String> {
    let mut out: String = text.chars().filter(char::is_ascii).collect();
    let basic = u32::try_from(out.len()).ok()?;
    let mut handled = basic;
    if basic > 0 {
        out.push('-');
    }
    let total = u32::try_from(text.chars().count()).ok()?;
    let (mut n, mut delta, mut bias) = (INITIAL_N, 0u32, INITIAL_BIAS);
    while handled < total {
        let next = text.chars().map(u32::from).filter(|point| *point >= n).min()?;
        delta = delta.checked_add((next - n).checked_mul(handled + 1)?)?;
        n = next;
        for point in text.chars().map(u32::from) {
            if point < n {
                delta = delta.checked_add(1)?;
            }
            if point == n {
                let mut rest = delta;
                let mut k = BASE;
                loop {
                    let t = threshold(k, bias);
                    if rest < t {
                        break;
                    }
                    out.push(digit(t + (rest - t) % (BASE - t)));
                    rest = (rest - t) / (BASE - t);
                    k += BASE;
                }
                out.push(digit(rest));
                bias = adapt(delta, handled + 1, handled == basic);
                delta = 0;
                handled += 1;
            }
        }
        delta = delta.checked_add(1)?;
        n += 1;
    }
    Some(out)
}

/// The text of punycode; `None` where it is none.
fn decode(text: &str) -> Option<String> {
    if !text.is_ascii() {
        return None;
    }
    let (basic, extended) = text.rsplit_once('-').unwrap_or(("", text));
    let mut points: Vec<char> = basic.chars().collect();
    let (mut n, mut i, mut bias) = (INITIAL_N, 0u32, INITIAL_BIAS);
    let mut digits = extended.bytes();
    while digits.len() > 0 {
        let before = i;
        let (mut weight, mut k) = (1u32, BASE);
        loop {
            let value = match digits.next()? {
                byte @ b'a'..=b'z' => u32::from(byte - b'a'),
                byte @ b'A'..=b'Z' => u32::from(byte - b'A'),
                byte @ b'0'..=b'9' => u32::from(byte - b'0') + 26,
                _ => return None,
            };
            i = i.checked_add(value.checked_mul(weight)?)?;
            let t = threshold(k, bias);
            if value < t {
                break;
            }
            weight = weight.checked_mul(BASE - t)?;
            k += BASE;
        }
        let count = u32::try_from(points.len()).ok()?.checked_add(1)?;
        bias = adapt(i - before, count, before == 0);
        n = n.checked_add(i / count)?;
        i %= count;
        points.insert(i as usize, char::from_u32(n)?);
        i += 1;
    }
    Some(points.into_iter().collect())
}

/// Characters that end a label of a domain name.
fn is_dot(character: char) -> bool {
    matches!(character, '.' | '。' | '．' | '｡')
}

pub fn from_string(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(texts(call.rows, |row, out| out.push_str(&encode(values.get(row)).unwrap_or_default())))
}

pub fn to_string(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(texts(call.rows, |row, out| out.push_str(&decode(values.get(row)).unwrap_or_default())))
}

fn labels(text: &str, out: &mut String, label: impl Fn(&str, &mut String) -> Option<()>) {
    for (position, part) in text.split(is_dot).enumerate() {
        if position > 0 {
            out.push('.');
        }
        if label(part, out).is_none() {
            out.clear();
            return;
        }
    }
}

pub fn domain_from_string(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(texts(call.rows, |row, out| {
        labels(values.get(row), out, |label, out| {
            match label.strip_prefix("xn--") {
                Some(encoded) => out.push_str(&decode(encoded)?),
                None => out.push_str(label),
            }
            Some(())
        });
    }))
}

pub fn domain_to_string(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(texts(call.rows, |row, out| {
        labels(values.get(row), out, |label, out| {
            if label.is_ascii() {
                out.push_str(label);
            } else {
                out.push_str("xn--");
                out.push_str(&encode(label)?);
            }
            Some(())
        });
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_survive_punycode() {
        for (text, encoded) in [
            ("académie-française", "acadmie-franaise-npb1a"),
            ("Gáe", "Ge-mia"),
            ("Lê Lợi", "L Li-gpa4517b"),
            ("Skáldskaparmál", "Skldskaparml-dbbj"),
            ("他们为什么不说中文", "ihqwcrb4cv8a8dqg056pqjye"),
        ] {
            assert_eq!(encode(text).as_deref(), Some(encoded));
            assert_eq!(decode(encoded).as_deref(), Some(text));
        }
        assert_eq!(decode("é"), None);
        assert_eq!(decode("a-!!"), None);
        assert_eq!(decode("999999999999"), None);
    }
}
