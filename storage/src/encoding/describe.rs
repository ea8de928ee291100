//! Names the encodings of a chunk, for people who ask where the bytes go.

use super::input::{Decoded, Input, Malformed};
use super::{series, shaped, templates};
use crate::format::{encoding_tag as tag, validity};

/// For example `dictionary(50: text, bit_packed)` or `nulls roaring, alp(bit_packed, 12 exceptions)`.
pub fn describe_chunk(bytes: &[u8], rows: usize) -> Decoded<String> {
    let mut input = Input::new(bytes);
    let nulls = match input.u8()? {
        validity::ALL_VALID => "",
        validity::ALL_NULL => return Ok("all null".to_owned()),
        validity::BITMAP => {
            input.take(rows.div_ceil(8))?;
            "nulls bitmap, "
        }
        validity::ROARING_NULLS => {
            input.part()?;
            "nulls roaring, "
        }
        _ => return Err(Malformed("unknown kind of validity")),
    };
    Ok(format!("{nulls}{}", node(input, 0)?))
}

fn node(mut input: Input<'_>, depth: u32) -> Decoded<String> {
    if depth > 8 {
        return Err(Malformed("encodings are nested too deeply"));
    }
    let start = input;
    Ok(match input.u8()? {
        tag::RAW => format!("raw{}", u32::from(input.u8()?) * 8),
        tag::CONSTANT => "constant".to_owned(),
        tag::RUN_LENGTH => {
            let runs = input.u32()?;
            let lengths = node(input.part()?, depth + 1)?;
            let values = node(input.part()?, depth + 1)?;
            format!("run_length({runs}: {lengths}, {values})")
        }
        tag::DICTIONARY => {
            let count = input.u32()?;
            let values = node(input.part()?, depth + 1)?;
            let codes = node(input.part()?, depth + 1)?;
            format!("dictionary({count}: {values}, {codes})")
        }
        tag::SPARSE => {
            input.take(8)?;
            let count = input.u32()?;
            input.part()?;
            format!("sparse({count}: {})", node(input.part()?, depth + 1)?)
        }
        tag::BIT_PACKED => "bit_packed".to_owned(),
        tag::COPIES => {
            let (copies, _) = (input.u32()?, input.u32()?);
            input.part()?;
            input.part()?;
            input.part()?;
            format!("copies({copies}: {})", node(input.part()?, depth + 1)?)
        }
        tag::ASCII => node(input, depth + 1)?,
        tag::SERIES => {
            let Some((keys, values)) = series::parts(start)? else { return Err(Malformed("no keys")) };
            let keys: Vec<String> = keys.iter().map(|key| format!("#{key}")).collect();
            format!("series(by {}, {})", keys.join(" "), node(values, depth + 1)?)
        }
        tag::STEPS => {
            let series = input.u32()?;
            input.part()?;
            input.part()?;
            format!("steps({series}: {})", node(input, depth + 1)?)
        }
        tag::DELTA => "delta".to_owned(),
        tag::ALP => {
            input.take(2)?;
            let integers = node(input.part()?, depth + 1)?;
            format!("alp({integers}, {} exceptions)", input.u32()?)
        }
        tag::SPLIT_ZSTD => "split_zstd".to_owned(),
        tag::BITMAP => "bitmap".to_owned(),
        tag::FIXED16 => "fixed16".to_owned(),
        tag::FIXED16_ZSTD => "fixed16_zstd".to_owned(),
        kind @ (tag::TEXT | tag::TEXT_ZSTD) => {
            let lengths = node(input.part()?, depth + 1)?;
            format!("{}({lengths})", if kind == tag::TEXT { "text" } else { "text_zstd" })
        }
        tag::TEMPLATES => templates::describe(input, |input| node(input, depth + 1))?,
        tag::SHAPED => shaped::describe(input, |input| node(input, depth + 1))?,
        _ => return Err(Malformed("unknown encoding")),
    })
}
