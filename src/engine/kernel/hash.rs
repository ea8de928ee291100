//! Kernels of hashing, base64, compression and unique identifiers.
//!
//! xxHash64 hashes the bytes of a value (numbers and times little-endian); the digests hash its text.

use std::fmt::Write as _;
use std::io::{Read, Write};

use arrow_array::ArrayRef;
use arrow_array::types::Int64Type;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use conshelf_kql::Type;
use conshelf_kql::function::HashFunction;
use sha2::Digest;
use xxhash_rust::xxh64::xxh64;

use crate::engine::error::Result;
use crate::engine::kernel::access::{
    Bools, Bytes16, Dynamics, Ints, Longs, Reals, Texts, argument, bytes16, dynamics, numbers, texts,
};
use crate::engine::kernel::conversion::Printer;
use crate::engine::kernel::{Datum, Kernel, KernelCall};

/// The kernel of a function of the family.
pub fn kernel(function: HashFunction) -> Kernel {
    match function {
        HashFunction::Hash | HashFunction::HashXxhash64 => hash,
        HashFunction::HashMany => hash_many,
        HashFunction::HashCombine => hash_combine,
        HashFunction::HashMd5 => digest::<md5::Md5>,
        HashFunction::HashSha1 => digest::<sha1::Sha1>,
        HashFunction::HashSha256 => digest::<sha2::Sha256>,
        HashFunction::Base64EncodeToString => base64_encode_tostring,
        HashFunction::Base64DecodeToString => base64_decode_tostring,
        HashFunction::Base64EncodeFromArray => base64_encode_fromarray,
        HashFunction::Base64DecodeToArray => base64_decode_toarray,
        HashFunction::Base64EncodeFromGuid => base64_encode_fromguid,
        HashFunction::Base64DecodeToGuid => base64_decode_toguid,
        HashFunction::GzipCompress => gzip_compress,
        HashFunction::GzipDecompress => gzip_decompress,
        HashFunction::ZlibCompress => zlib_compress,
        HashFunction::ZlibDecompress => zlib_decompress,
        HashFunction::NewGuid => new_guid,
    }
}

/// Hashes the values of a column, row by row.
enum Hasher<'a> {
    Bool(Bools<'a>),
    Int(Ints<'a>),
    Long(Longs<'a>),
    Real(Reals<'a>),
    Bytes16(Bytes16<'a>),
    Text(Texts<'a>),
    Dynamic(Dynamics<'a>),
}

impl<'a> Hasher<'a> {
    fn new(value: &'a Datum, ty: Type) -> Result<Hasher<'a>> {
        Ok(match ty {
            Type::Bool => Hasher::Bool(Bools::new(value)?),
            Type::Int => Hasher::Int(Ints::new(value)?),
            Type::Long | Type::DateTime | Type::TimeSpan => Hasher::Long(Longs::new(value)?),
            Type::Real => Hasher::Real(Reals::new(value)?),
            Type::Decimal | Type::Guid => Hasher::Bytes16(Bytes16::new(value)?),
            Type::String => Hasher::Text(Texts::new(value)?),
            Type::Dynamic => Hasher::Dynamic(Dynamics::new(value)?),
        })
    }

    /// The hash of a row; `None` for null.
    fn hash(&self, row: usize) -> Option<u64> {
        Some(match self {
            Hasher::Bool(values) => xxh64(&[u8::from(values.get(row)?)], 0),
            Hasher::Int(values) => xxh64(&values.get(row)?.to_le_bytes(), 0),
            Hasher::Long(values) => xxh64(&values.get(row)?.to_le_bytes(), 0),
            Hasher::Real(values) => xxh64(&values.get(row)?.to_le_bytes(), 0),
            Hasher::Bytes16(values) => xxh64(&values.get(row)?, 0),
            Hasher::Text(values) => xxh64(values.get(row).as_bytes(), 0),
            Hasher::Dynamic(values) => {
                let value = values.get(row);
                if value.is_null() {
                    return None;
                }
                match (value.as_str(), value.as_long()) {
                    (Some(text), _) => xxh64(text.as_bytes(), 0),
                    (_, Some(long)) => xxh64(&long.to_le_bytes(), 0),
                    _ => xxh64(value.to_json_string().as_bytes(), 0),
                }
            }
        })
    }
}

fn hashers<'a>(call: &KernelCall<'_>, arguments: &'a [Datum]) -> Result<Vec<Hasher<'a>>> {
    arguments.iter().zip(call.argument_types).map(|(value, ty)| Hasher::new(value, *ty)).collect()
}

fn hash(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let ty = call.argument_types.first().copied().unwrap_or(Type::String);
    let hasher = Hasher::new(argument(arguments, 0)?, ty)?;
    let moduli = arguments.get(1).map(Longs::new).transpose()?;
    Ok(numbers::<Int64Type>(call.rows, |row| {
        let hash = hasher.hash(row)? as i64;
        match moduli.as_ref().and_then(|moduli| moduli.get(row)) {
            None => Some(hash),
            Some(modulus) => hash.checked_rem_euclid(modulus),
        }
    }))
}

/// Mixes one more hash in: the 128 to 64 bit step of CityHash.
fn combine(left: u64, right: u64) -> u64 {
    const FACTOR: u64 = 0x9ddf_ea08_eb38_2d69;
    let mut mixed = (left ^ right).wrapping_mul(FACTOR);
    mixed ^= mixed >> 47;
    mixed = (right ^ mixed).wrapping_mul(FACTOR);
    mixed ^= mixed >> 47;
    mixed.wrapping_mul(FACTOR)
}

fn hash_many(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let hashers = hashers(call, arguments)?;
    Ok(numbers::<Int64Type>(call.rows, |row| {
        let hashes = hashers.iter().map(|hasher| hasher.hash(row).unwrap_or(0));
        hashes.reduce(combine).map(|hash| hash as i64)
    }))
}

fn hash_combine(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let hashes = arguments.iter().map(Longs::new).collect::<Result<Vec<_>>>()?;
    Ok(numbers::<Int64Type>(call.rows, |row| {
        hashes.iter().map(|hashes| hashes.raw(row) as u64).reduce(combine).map(|hash| hash as i64)
    }))
}

fn digest<D: Digest>(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let ty = call.argument_types.first().copied().unwrap_or(Type::String);
    let printer = Printer::new(argument(arguments, 0)?, ty)?;
    let mut text = String::new();
    Ok(texts(call.rows, |row, out| {
        text.clear();
        printer.print(row, &mut text);
        for byte in D::digest(text.as_bytes()) {
            // Writing into a String cannot fail.
            let _ = write!(out, "{byte:02x}");
        }
    }))
}

fn base64_encode_tostring(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(texts(call.rows, |row, out| BASE64.encode_string(values.get(row), out)))
}

fn base64_decode_tostring(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(texts(call.rows, |row, out| {
        let decoded = BASE64.decode(values.get(row)).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        out.push_str(&decoded.unwrap_or_default());
    }))
}

fn base64_encode_fromarray(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Dynamics::new(argument(arguments, 0)?)?;
    Ok(texts(call.rows, |row, out| {
        let bytes: Option<Vec<u8>> = values
            .get(row)
            .iter_array()
            .map(|element| element.as_long().and_then(|byte| u8::try_from(byte).ok()))
            .collect();
        BASE64.encode_string(bytes.unwrap_or_default(), out);
    }))
}

fn base64_decode_toarray(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(dynamics(call.rows, |row, builder| {
        let Ok(bytes) = BASE64.decode(values.get(row)) else { return false };
        builder.begin_array();
        bytes.into_iter().for_each(|byte| builder.long(i64::from(byte)));
        builder.end_array();
        true
    }))
}

/// Between the order of a guid's text and that of its bytes in .NET: the first three groups are reversed.
fn reorder(mut bytes: [u8; 16]) -> [u8; 16] {
    bytes[..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    bytes
}

fn base64_encode_fromguid(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Bytes16::new(argument(arguments, 0)?)?;
    Ok(texts(call.rows, |row, out| {
        values.get(row).into_iter().for_each(|bytes| BASE64.encode_string(reorder(bytes), out));
    }))
}

fn base64_decode_toguid(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    bytes16(call.rows, |row| {
        let bytes = BASE64.decode(values.get(row)).ok()?;
        bytes.try_into().ok().map(reorder)
    })
}

/// The most bytes a compressed text may unfold to.
const MAX_UNFOLDED: u64 = 64 << 20;

/// The text that a decompressor yields; nothing where it fails, is no UTF-8 or is too long.
fn unfold(reader: impl Read, out: &mut String) {
    let mut bytes = Vec::new();
    if reader.take(MAX_UNFOLDED + 1).read_to_end(&mut bytes).is_err() || bytes.len() as u64 > MAX_UNFOLDED {
        return;
    }
    out.push_str(&String::from_utf8(bytes).unwrap_or_default());
}

/// Deflated bytes; stored as they are in one block where that is hardly longer, as the engine does.
fn deflate(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).ok()?;
    let packed = encoder.finish().ok()?;
    let length = u16::try_from(bytes.len()).ok().filter(|length| *length > 0);
    let Some(length) = length.filter(|_| packed.len() >= bytes.len()) else {
        return Some(packed);
    };
    let mut stored = vec![1];
    stored.extend(length.to_le_bytes());
    stored.extend((!length).to_le_bytes());
    stored.extend(bytes);
    Some(stored)
}

fn adler32(bytes: &[u8]) -> u32 {
    const PRIME: u32 = 65_521;
    let (low, high) = bytes.iter().fold((1, 0), |(low, high), byte| {
        let low = (low + u32::from(*byte)) % PRIME;
        (low, (high + low) % PRIME)
    });
    high << 16 | low
}

fn gzip_compress(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(texts(call.rows, |row, out| {
        let text = values.get(row).as_bytes();
        if let Some(packed) = deflate(text) {
            let mut check = flate2::Crc::new();
            check.update(text);
            // Deflate, no name, no time, an unknown system.
            let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
            bytes.extend(packed);
            bytes.extend(check.sum().to_le_bytes());
            bytes.extend(check.amount().to_le_bytes());
            BASE64.encode_string(bytes, out);
        }
    }))
}

fn gzip_decompress(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(texts(call.rows, |row, out| {
        if let Ok(bytes) = BASE64.decode(values.get(row)) {
            unfold(flate2::read::GzDecoder::new(bytes.as_slice()), out);
        }
    }))
}

fn zlib_compress(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(texts(call.rows, |row, out| {
        let text = values.get(row).as_bytes();
        if let Some(packed) = deflate(text) {
            let mut bytes = vec![0x78, 0x01];
            bytes.extend(packed);
            bytes.extend(adler32(text).to_be_bytes());
            BASE64.encode_string(bytes, out);
        }
    }))
}

fn zlib_decompress(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let values = Texts::new(argument(arguments, 0)?)?;
    Ok(texts(call.rows, |row, out| {
        if let Ok(bytes) = BASE64.decode(values.get(row)) {
            unfold(flate2::read::ZlibDecoder::new(bytes.as_slice()), out);
        }
    }))
}

fn new_guid(call: &KernelCall<'_>, _: &[Datum]) -> Result<ArrayRef> {
    bytes16(call.rows, |_| Some(*uuid::Uuid::new_v4().as_bytes()))
}
