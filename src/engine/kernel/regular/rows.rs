//! Which texts of a column have a literal, by one search through the bytes of all of them.

use arrow_array::{Array, StringViewArray};
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder};
use arrow_data::ByteView;
use conshelf_storage::terms::IgnoreCaseFinder;
use memchr::memmem::Finder;

/// Fewer texts are looked at one by one.
const ROWS_MIN: usize = 64;
/// Texts up to this long stand in their views.
const INLINE_BYTES: u32 = 12;

/// A literal that is searched for.
#[derive(Clone, Copy, Debug)]
pub enum Literal<'a> {
    Exact(&'a Finder<'a>),
    IgnoringCase(&'a IgnoreCaseFinder),
}

impl Literal<'_> {
    fn len(&self) -> usize {
        match self {
            Literal::Exact(finder) => finder.needle().len(),
            Literal::IgnoringCase(finder) => finder.len(),
        }
    }

    fn find(&self, bytes: &[u8], from: usize) -> Option<usize> {
        match self {
            Literal::Exact(finder) => finder.find(bytes.get(from..)?).map(|at| from + at),
            Literal::IgnoringCase(finder) => finder.find(bytes, from),
        }
    }
}

/// The texts that have the literal. `None`: they do not stand side by side in one buffer.
pub fn rows_with(texts: &StringViewArray, literal: Literal<'_>) -> Option<BooleanBuffer> {
    let [buffer] = &texts.data_buffers()[..] else { return None };
    if texts.len() < ROWS_MIN || texts.null_count() > 0 || literal.len() == 0 {
        return None;
    }
    let mut found = BooleanBufferBuilder::new(texts.len());
    found.append_n(texts.len(), false);
    let (mut first, mut last, mut bytes) = (None, 0, 0);
    for (row, view) in texts.views().iter().enumerate() {
        let length = *view as u32;
        if length <= INLINE_BYTES {
            if length as usize >= literal.len() && literal.find(texts.value(row).as_bytes(), 0).is_some() {
                found.set_bit(row, true);
            }
            continue;
        }
        let view = ByteView::from(*view);
        let start = view.offset as usize;
        if start < last {
            return None;
        }
        first.get_or_insert(start);
        last = start + length as usize;
        bytes += length as usize;
    }
    let Some(first) = first else { return Some(found.finish()) };
    if bytes * 2 < last - first {
        return None;
    }
    let all = buffer.as_slice().get(..last)?;
    let mut views = texts.views().iter().enumerate().filter(|(_, view)| **view as u32 > INLINE_BYTES);
    let place = |view: &u128| {
        let view = ByteView::from(*view);
        (view.offset as usize, (view.offset + view.length) as usize)
    };
    let mut current = views.next().map(|(row, view)| (row, place(view)));
    let mut from = first;
    while let Some(at) = literal.find(all, from) {
        while let Some((_, (_, end))) = current
            && end <= at
        {
            current = views.next().map(|(row, view)| (row, place(view)));
        }
        let Some((row, (start, end))) = current else { break };
        if at >= start && at + literal.len() <= end {
            found.set_bit(row, true);
            from = end;
        } else {
            from = start.max(at + 1);
        }
    }
    Some(found.finish())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_search_through_all_texts_is_one_of_each(
            texts in proptest::collection::vec("[abAB é]{0,30}", 64..90),
            needle in "[ab]{1,3}",
            dropped in 0usize..5,
        ) {
            let whole = texts.concat();
            let mut builder = arrow_array::builder::StringViewBuilder::new();
            let block = builder.append_block(whole.clone().into_bytes().into());
            let mut at = 0;
            for text in &texts {
                builder.try_append_view(block, at, text.len() as u32).expect("within the block");
                at += text.len() as u32;
            }
            let array = builder.finish().slice(dropped, texts.len() - dropped);
            let finder = Finder::new(&needle);
            let folded = IgnoreCaseFinder::new(needle.as_bytes()).expect("ASCII");
            for literal in [Literal::Exact(&finder), Literal::IgnoringCase(&folded)] {
                let expected = |text: &String| match literal {
                    Literal::Exact(_) => text.contains(&needle),
                    Literal::IgnoringCase(_) => text.to_ascii_lowercase().contains(&needle),
                };
                if let Some(found) = rows_with(&array, literal) {
                    let found: Vec<bool> = found.iter().collect();
                    prop_assert_eq!(found, texts[dropped..].iter().map(expected).collect::<Vec<_>>());
                } else {
                    prop_assert!(texts.len() - dropped < 64 || array.data_buffers().len() != 1);
                }
            }
        }
    }
}
