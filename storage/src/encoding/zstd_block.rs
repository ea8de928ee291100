//! One zstd frame with a known content size, with contexts kept per thread.

use std::cell::RefCell;

use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe;

use super::input::{Decoded, Malformed};

thread_local! {
    static COMPRESSOR: RefCell<Option<(i32, Compressor<'static>)>> = const { RefCell::new(None) };
    static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// The frame of the bytes, or `None` where zstd has no memory or saves less than a sixteenth.
pub(crate) fn compress(bytes: &[u8], level: i32) -> Option<Vec<u8>> {
    let frame = COMPRESSOR.with_borrow_mut(|slot| {
        let compressor = match slot {
            Some((known, compressor)) if *known == level => compressor,
            _ => &mut slot.insert((level, Compressor::new(level).ok()?)).1,
        };
        compressor.compress(bytes).ok()
    })?;
    (frame.len() < bytes.len() - bytes.len() / 16).then_some(frame)
}

/// The bytes of a frame, which must be `length` long: checked against the frame before any allocation.
pub(crate) fn decompress(frame: &[u8], length: usize) -> Decoded<Vec<u8>> {
    match zstd_safe::get_frame_content_size(frame) {
        Ok(Some(size)) if size == length as u64 => {}
        _ => return Err(Malformed("a zstd frame has another content size than declared")),
    }
    let mut out: Vec<u8> = Vec::new();
    out.try_reserve_exact(length).map_err(|_| Malformed("a zstd frame is too large for the memory left"))?;
    DECOMPRESSOR.with_borrow_mut(|slot| {
        let decompressor = match slot {
            Some(decompressor) => decompressor,
            None => slot.insert(Decompressor::new().map_err(|_| Malformed("zstd has no memory left"))?),
        };
        decompressor
            .decompress_to_buffer(frame, &mut out)
            .map_err(|_| Malformed("a zstd frame does not decompress"))
    })?;
    if out.len() != length {
        return Err(Malformed("a zstd frame is shorter than declared"));
    }
    Ok(out)
}
