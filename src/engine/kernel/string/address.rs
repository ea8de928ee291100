//! IPv4 and IPv6 addresses in texts. An address may carry a prefix: `192.168.1.1/24`.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use arrow_array::ArrayRef;
use arrow_array::types::Int64Type;
use conshelf_kql::Type;

use crate::engine::error::Result;
use crate::engine::kernel::access::{
    Dynamics, Longs, Texts, argument, bools, dynamics, nullable_bools, numbers, texts,
};
use crate::engine::kernel::{Datum, KernelCall};

/// An address of either family in the low bits, how many of its bits count, and how many it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    bits: u128,
    prefix: u32,
    width: u32,
}

impl Address {
    /// How many of its bits count.
    pub fn prefix(self) -> u32 {
        self.prefix
    }

    /// The address with everything past so many bits cleared.
    pub fn masked(self, prefix: u32) -> u128 {
        let cut = self.width - prefix.min(self.width);
        if cut >= 128 { 0 } else { self.bits >> cut << cut }
    }

    /// The address with everything past its prefix cleared.
    pub fn network(self) -> u128 {
        self.masked(self.prefix)
    }
}

/// How a family's addresses are read.
pub type Parse = fn(&str) -> Option<Address>;

fn quad(text: &str) -> Option<u32> {
    let mut value = 0u32;
    let mut parts = 0;
    for part in text.split('.') {
        let valid = (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        let octet: u32 = if valid { part.parse().ok()? } else { return None };
        if octet > 255 {
            return None;
        }
        value = value << 8 | octet;
        parts += 1;
    }
    (parts == 4).then_some(value)
}

fn split_prefix(text: &str, most: u32) -> Option<(&str, Option<u32>)> {
    let text = text.trim();
    match text.split_once('/') {
        None => Some((text, None)),
        Some((address, prefix)) => {
            let prefix: u32 = prefix.parse().ok()?;
            (prefix <= most).then_some((address, Some(prefix)))
        }
    }
}

/// Reads an IPv4 address.
pub fn parse4(text: &str) -> Option<Address> {
    let (address, prefix) = split_prefix(text, 32)?;
    Some(Address { bits: u128::from(quad(address)?), prefix: prefix.unwrap_or(32), width: 32 })
}

/// Reads an IPv6 address, or an IPv4 address (`::` before it does not matter) as the IPv6 address it is mapped to.
pub fn parse6(text: &str) -> Option<Address> {
    let text = text.trim();
    if let Some(mapped) = parse4(text.strip_prefix("::").unwrap_or(text)) {
        return Some(Address {
            bits: 0xffff_0000_0000 | mapped.bits,
            prefix: mapped.prefix + 96,
            width: 128,
        });
    }
    let (address, prefix) = split_prefix(text, 128)?;
    let address: Ipv6Addr = address.parse().ok()?;
    Some(Address { bits: u128::from(address), prefix: prefix.unwrap_or(128), width: 128 })
}

pub fn parse_ipv4(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(numbers::<Int64Type>(call.rows, |row| Some(parse4(values.get(row))?.network() as i64)))
}

/// A prefix given as an argument, if it is one for that width.
fn prefix_in(value: i64, width: u32) -> Option<u32> {
    u32::try_from(value).ok().filter(|prefix| *prefix <= width)
}

pub fn parse_ipv4_mask(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    let prefixes = Longs::new(argument(arguments, 1)?)?;
    Ok(numbers::<Int64Type>(call.rows, |row| {
        let address = parse4(values.get(row))?;
        Some(address.masked(address.prefix.min(prefix_in(prefixes.get(row)?, 32)?)) as i64)
    }))
}

fn print6(bits: u128, out: &mut String) {
    for (position, group) in Ipv6Addr::from(bits).segments().into_iter().enumerate() {
        // Writing into a String cannot fail.
        let _ = write!(out, "{}{group:04x}", if position > 0 { ":" } else { "" });
    }
}

pub fn parse_ipv6(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(texts(call.rows, |row, out| {
        parse6(values.get(row)).into_iter().for_each(|address| print6(address.network(), out));
    }))
}

pub fn parse_ipv6_mask(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    let prefixes = Longs::new(argument(arguments, 1)?)?;
    Ok(texts(call.rows, |row, out| {
        let prefix = prefixes.get(row).and_then(|prefix| prefix_in(prefix, 128));
        if let (Some(address), Some(prefix)) = (parse6(values.get(row)), prefix) {
            print6(address.masked(address.prefix.min(prefix)), out);
        }
    }))
}

pub fn format_ipv4(call: &KernelCall<'_>, arguments: &[Datum], with_mask: bool) -> Result<ArrayRef> {
    enum Source<'a> {
        Texts(Texts<'a>),
        Longs(Longs<'a>),
    }
    let value = argument(arguments, 0)?;
    let source = match call.argument_types.first() {
        Some(Type::Long) => Source::Longs(Longs::new(value)?),
        _ => Source::Texts(Texts::new(value)?),
    };
    let prefixes = arguments.get(1).map(Longs::new).transpose()?;
    Ok(texts(call.rows, |row, out| {
        let address = match &source {
            Source::Texts(values) => parse4(values.get(row)),
            Source::Longs(values) => values
                .get(row)
                .and_then(|value| u32::try_from(value).ok())
                .map(|bits| Address { bits: u128::from(bits), prefix: 32, width: 32 }),
        };
        let Some(address) = address else { return };
        let prefix = match prefixes.as_ref().and_then(|prefixes| prefixes.get(row)) {
            None => address.prefix,
            Some(prefix) => match prefix_in(prefix, 32) {
                Some(prefix) => address.prefix.min(prefix),
                None => return,
            },
        };
        // Writing into a String cannot fail.
        let _ = write!(out, "{}", Ipv4Addr::from(address.masked(prefix) as u32));
        if with_mask {
            let _ = write!(out, "/{prefix}");
        }
    }))
}

/// Both addresses of a row, cut to the shortest of their prefixes and the asked one.
fn pair(arguments: &[Datum], parse: Parse) -> Result<impl Fn(usize) -> Option<(u128, u128)> + '_> {
    let left = Texts::new(argument(arguments, 0)?)?;
    let right = Texts::new(argument(arguments, 1)?)?;
    let prefixes = arguments.get(2).map(Longs::new).transpose()?;
    Ok(move |row: usize| {
        let (left, right) = (parse(left.get(row))?, parse(right.get(row))?);
        let mut prefix = left.prefix.min(right.prefix);
        if let Some(asked) = prefixes.as_ref().and_then(|prefixes| prefixes.get(row)) {
            prefix = prefix.min(prefix_in(asked, left.width)?);
        }
        Some((left.masked(prefix), right.masked(prefix)))
    })
}

pub fn is_match(call: &KernelCall<'_>, arguments: &[Datum], parse: Parse) -> Result<ArrayRef> {
    let pair = pair(arguments, parse)?;
    Ok(nullable_bools(call.rows, |row| pair(row).map(|(left, right)| left == right)))
}

pub fn compare(call: &KernelCall<'_>, arguments: &[Datum], parse: Parse) -> Result<ArrayRef> {
    let pair = pair(arguments, parse)?;
    Ok(numbers::<Int64Type>(call.rows, |row| pair(row).map(|(left, right)| left.cmp(&right) as i64)))
}

/// Texts of a row: one per argument, or the elements of an array.
fn each_text(arguments: &[Datum], types: &[Type], row: usize, mut f: impl FnMut(&str)) -> Result<()> {
    for (value, ty) in arguments.iter().zip(types) {
        if *ty == Type::Dynamic {
            let array = Dynamics::new(value)?.get(row);
            match array.as_str() {
                Some(text) => f(text),
                None => array.iter_array().filter_map(|element| element.as_str()).for_each(&mut f),
            }
        } else {
            f(Texts::new(value)?.get(row));
        }
    }
    Ok(())
}

/// Whether the address is in any of the ranges; null where it, or a single range, is none.
pub fn is_in_ranges(call: &KernelCall<'_>, arguments: &[Datum], parse: Parse) -> Result<ArrayRef> {
    let addresses = Texts::new(argument(arguments, 0)?)?;
    let (others, types) = (&arguments[1..], call.argument_types.get(1..).unwrap_or_default());
    let mut results = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        let Some(address) = parse(addresses.get(row)) else {
            results.push(None);
            continue;
        };
        let (mut found, mut known) = (false, false);
        each_text(others, types, row, |range| {
            if let Some(range) = parse(range) {
                known = true;
                found |= address.masked(range.prefix) == range.network();
            }
        })?;
        results.push(known.then_some(found));
    }
    Ok(nullable_bools(call.rows, |row| results[row]))
}

pub fn ipv4_is_private(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(nullable_bools(call.rows, |row| {
        let address = parse4(values.get(row))?;
        Some(Ipv4Addr::from(address.bits as u32).is_private())
    }))
}

pub fn ipv4_netmask_suffix(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(numbers::<Int64Type>(call.rows, |row| Some(i64::from(parse4(values.get(row))?.prefix))))
}

pub fn ipv4_range_to_cidr_list(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let starts = Texts::new(argument(arguments, 0)?)?;
    let ends = Texts::new(argument(arguments, 1)?)?;
    Ok(dynamics(call.rows, |row, builder| {
        let (Some(start), Some(end)) = (parse4(starts.get(row)), parse4(ends.get(row))) else { return false };
        let (mut from, to) = (start.bits, end.bits);
        builder.begin_array();
        while from <= to {
            // The largest block that starts here and does not reach past the end.
            let mut size = from.trailing_zeros().min(32);
            while size > 0 && from + (1 << size) - 1 > to {
                size -= 1;
            }
            builder.string(&format!("{}/{}", Ipv4Addr::from(from as u32), 32 - size));
            from += 1 << size;
        }
        builder.end_array();
        true
    }))
}

/// A whole address, or with `prefix` also its first octets with the dot after them.
fn is_searchable(text: &str, prefix: bool) -> bool {
    if quad(text).is_some() {
        return true;
    }
    let Some(head) = text.strip_suffix('.').filter(|_| prefix) else { return false };
    let octets: Vec<&str> = head.split('.').collect();
    (1..=3).contains(&octets.len())
        && octets.iter().all(|octet| {
            (1..=3).contains(&octet.len())
                && octet.bytes().all(|byte| byte.is_ascii_digit())
                && octet.parse::<u16>().is_ok_and(|octet| octet <= 255)
        })
}

/// Whether the address stands in the text and is not the beginning of a longer number; of a prefix: whether a
/// valid address goes on from it.
fn contains_address(text: &str, address: &str) -> bool {
    memchr::memmem::find_iter(text.as_bytes(), address.as_bytes()).any(|start| {
        let rest = &text[start..];
        if !address.ends_with('.') {
            return !rest.as_bytes().get(address.len()).is_some_and(u8::is_ascii_digit);
        }
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let mut dots = rest[..end].match_indices('.').map(|(at, _)| at);
        // Past a fourth number there may be the full stop of a sentence.
        quad(&rest[..dots.nth(3).unwrap_or(end)]).is_some()
    })
}

pub fn has_ipv4(call: &KernelCall<'_>, arguments: &[Datum], prefix: bool) -> Result<ArrayRef> {
    let sources = Texts::new(argument(arguments, 0)?)?;
    let (others, types) = (&arguments[1..], call.argument_types.get(1..).unwrap_or_default());
    let mut found = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        let source = sources.get(row);
        let mut any = false;
        each_text(others, types, row, |address| {
            any |= is_searchable(address, prefix) && contains_address(source, address);
        })?;
        found.push(any);
    }
    Ok(bools(call.rows, |row| found[row]))
}
