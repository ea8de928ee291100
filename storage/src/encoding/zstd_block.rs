//! One zstd frame with a known content size, with contexts kept per thread.

use std::cell::RefCell;

use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe;

use super::input::{Decoded, Malformed};

thread_local! {
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Text this long is tried at the lowest level first, on a sample of [`SAMPLE_BYTES`].
const SAMPLED_BYTES_MIN: usize = 4 * SAMPLE_BYTES;
const SAMPLE_BYTES: usize = 128 << 10;

/// The frame of the bytes, or `None` where zstd has no memory or saves less than a sixteenth.
pub(crate) fn compress(bytes: &[u8], level: i32) -> Option<Vec<u8>> {
    let frame = compress_at(bytes, worthwhile_level(bytes, level)?)?;
    (frame.len() < bytes.len() - bytes.len() / 16).then_some(frame)
}

/// The level, or 1 where a sample of the bytes gains nothing from a higher one: random digits and short
/// templates pack best without long searches.
pub(crate) fn worthwhile_level(bytes: &[u8], level: i32) -> Option<i32> {
    if bytes.len() < SAMPLED_BYTES_MIN || level <= 1 {
        return Some(level);
    }
    let middle = bytes.len() / 2;
    let sample = &bytes[middle..middle + SAMPLE_BYTES];
    let (low, high) = (compress_at(sample, 1)?.len(), compress_at(sample, level)?.len());
    Some(if high + high / 50 < low { level } else { 1 })
}

/// The frame of the bytes, however long it is.
pub(crate) fn compress_at(bytes: &[u8], level: i32) -> Option<Vec<u8>> {
    COMPRESSOR.with_borrow_mut(|slot| {
        let compressor = match slot {
            Some(compressor) => compressor,
            None => slot.insert(Compressor::new(level).ok()?),
        };
        compressor.set_compression_level(level).ok()?;
        compressor.compress(bytes).ok()
    })
}

/// Checks that a frame declares the content size expected: before any allocation of that size.
pub(crate) fn check_content_size(frame: &[u8], length: usize) -> Decoded<()> {
    match zstd_safe::get_frame_content_size(frame) {
        Ok(Some(size)) if size == length as u64 => Ok(()),
        _ => Err(Malformed("a zstd frame has another content size than declared")),
    }
}

/// The bytes of a frame, which must be `length` long.
pub(crate) fn decompress(frame: &[u8], length: usize) -> Decoded<Vec<u8>> {
    check_content_size(frame, length)?;
    let mut out = vec![0; length];
    decompress_into(frame, &mut out)?;
    Ok(out)
}

/// Unpacks a frame into exactly the bytes given.
pub(crate) fn decompress_into(frame: &[u8], out: &mut [u8]) -> Decoded<()> {
    let length = DECOMPRESSOR.with_borrow_mut(|slot| {
        let decompressor = match slot {
            Some(decompressor) => decompressor,
            None => slot.insert(Decompressor::new().map_err(|_| Malformed("zstd has no memory left"))?),
        };
        decompressor
            .decompress_to_buffer(frame, out)
            .map_err(|_| Malformed("a zstd frame does not decompress"))
    })?;
    if length != out.len() {
        return Err(Malformed("a zstd frame is shorter than declared"));
    }
    Ok(())
}
