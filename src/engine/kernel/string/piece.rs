//! One piece of a split text, without the others: `split(text, delimiter)[index]`, as it is or as text.

use conshelf_kql::function::{ConversionFunction, FunctionId, OperatorFunction, StringFunction};
use conshelf_kql::plan::{Expr, ExprKind};
use conshelf_kql::{Type, Value};
use memchr::memmem::Finder;

use crate::engine::kernel::Prepared;
use crate::engine::kernel::access::{Texts, argument, borrowed_texts, dynamics};

/// The text of which an expression is a piece, and how it is cut out.
pub fn piece_of(expr: &Expr) -> Option<(&Expr, Prepared)> {
    let (function, arguments) = call(expr)?;
    let as_text = function == FunctionId::Conversion(ConversionFunction::ToString);
    let (element, arguments) = if as_text { call(arguments.first()?)? } else { (function, arguments) };
    if element != FunctionId::Operator(OperatorFunction::Element) {
        return None;
    }
    let [pieces, index] = arguments else { return None };
    let ExprKind::Constant(Value::Long(index)) = index.kind else { return None };
    let index = usize::try_from(index).ok()?;
    let (FunctionId::String(StringFunction::Split), [text, delimiter, wanted @ ..]) = call(pieces)? else {
        return None;
    };
    // A null for the wanted piece is as none: all pieces.
    if !wanted.iter().all(|wanted| matches!(wanted.kind, ExprKind::Constant(Value::Null(_)))) {
        return None;
    }
    let ExprKind::Constant(Value::String(delimiter)) = &delimiter.kind else { return None };
    if text.ty != Type::String {
        return None;
    }
    let cut = Cut { finder: Finder::new(delimiter).into_owned(), index };
    let prepared: Prepared = Box::new(move |call, arguments| {
        let texts = Texts::new(argument(arguments, 0)?)?;
        Ok(match as_text {
            true => borrowed_texts(call.rows, |row| cut.of(texts.get(row)).unwrap_or_default()),
            false => dynamics(call.rows, |row, builder| {
                let piece = cut.of(texts.get(row));
                piece.inspect(|piece| builder.string(piece)).is_some()
            }),
        })
    });
    Some((text, prepared))
}

fn call(expr: &Expr) -> Option<(FunctionId, &[Expr])> {
    match &expr.kind {
        ExprKind::Call { function, arguments } => Some((*function, arguments)),
        _ => None,
    }
}

struct Cut {
    finder: Finder<'static>,
    index: usize,
}

impl Cut {
    /// The piece, if there are so many.
    fn of<'t>(&self, text: &'t str) -> Option<&'t str> {
        let delimiter = self.finder.needle();
        if delimiter.is_empty() {
            return (self.index == 0).then_some(text);
        }
        let next = |from: usize| {
            let rest = text.as_bytes().get(from..)?;
            match delimiter {
                [byte] => memchr::memchr(*byte, rest),
                _ => self.finder.find(rest),
            }
            .map(|at| from + at)
        };
        let mut start = 0;
        for _ in 0..self.index {
            start = next(start)? + delimiter.len();
        }
        text.get(start..next(start).unwrap_or(text.len()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_piece_is_that_of_all(text in "[ab/é]{0,20}", delimiter in "[ab/é]{1,2}", index in 0usize..6) {
            let cut = Cut { finder: Finder::new(&delimiter).into_owned(), index };
            prop_assert_eq!(cut.of(&text), text.split(delimiter.as_str()).nth(index));
        }
    }
}
