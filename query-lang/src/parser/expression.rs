//! Scalar expressions, paths and calls, by precedence climbing. From loose to tight: `or`, `and`, equality and
//! membership, order, sums, products, string operators, sign, path. Equality, order and string operators do not
//! chain. Knows no operator of a pipeline.

use crate::ast::{
    BinaryOperator, Expr, ExprKind, LiteralValue, MembershipOperator, Name, NameStyle, UnaryOperator,
};
use crate::span::Span;
use crate::token::TokenKind;

use super::parameter::Parameters;
use super::recover::Follow;
use super::{ListRule, MAX_CHAIN, Parser, Slot};

const OR: u8 = 1;
const AND: u8 = 2;
const EQUALITY: u8 = 3;
const ORDER: u8 = 4;
const SUM: u8 = 5;
const PRODUCT: u8 = 6;
const TEXT: u8 = 7;
const TIGHTEST: u8 = 8;

/// What the next token does between two operands.
#[derive(Clone, Copy)]
enum Infix {
    Binary(BinaryOperator),
    Membership(MembershipOperator),
    Between { negated: bool },
}

impl Parser<'_> {
    /// An expression without a pipe outside of brackets and without a name of its own.
    pub(super) fn scalar(&mut self) -> Option<Expr> {
        if !self.enter() {
            return Some(self.missing());
        }
        let found = self.climb(OR);
        self.leave();
        found
    }

    pub(super) fn required_scalar(&mut self) -> Expr {
        self.scalar().unwrap_or_else(|| self.missing_expression())
    }

    fn required_operand(&mut self, level: u8) -> Expr {
        self.climb(level).unwrap_or_else(|| self.missing_expression())
    }

    /// Operands joined by operators at least as tight as `least`.
    fn climb(&mut self, least: u8) -> Option<Expr> {
        let start = self.start();
        let mut left =
            if self.kind() == TokenKind::Star { self.leading_star(least)? } else { self.signed()? };
        // Operators looser than what has been built may follow; of the same level only if they chain.
        let mut tightest = TIGHTEST;
        let mut chain = 0;
        self.seek(Slot::Infix);
        while let Some((level, infix)) = self.infix() {
            if level < least || level > tightest {
                break;
            }
            let operator_span = self.bump().span;
            left = match infix {
                Infix::Binary(operator @ (BinaryOperator::Or | BinaryOperator::And)) => {
                    self.logical_chain(operator, level, left, operator_span)
                }
                Infix::Binary(operator) => {
                    let right = self.required_operand(level + 1);
                    binary(operator, operator_span, left, right, self.span_from(start))
                }
                Infix::Membership(operator) => {
                    let list = self.membership_list();
                    let value = Box::new(left);
                    let kind = ExprKind::Membership { operator, operator_span, value, list };
                    Expr { kind, span: self.span_from(start) }
                }
                Infix::Between { negated } => {
                    let (low, high) = self.between_bounds();
                    let value = Box::new(left);
                    Expr {
                        kind: ExprKind::Between { negated, value, low, high },
                        span: self.span_from(start),
                    }
                }
            };
            tightest = if matches!(level, EQUALITY | ORDER | TEXT) { level - 1 } else { level };
            self.seek(Slot::Infix);
            chain += 1;
            if chain > MAX_CHAIN {
                self.give_up(format!("More than {MAX_CHAIN} operands in one expression."));
                break;
            }
        }
        Some(left)
    }

    /// `(low .. high)`
    fn between_bounds(&mut self) -> (Box<Expr>, Box<Expr>) {
        if self.kind() != TokenKind::OpenParen {
            self.report_expected(&["("]);
            if let Some(last) = self.diagnostics.last_mut() {
                last.hints = vec!["a range is written (low .. high)".to_owned()];
            }
            // The bounds as other languages write them.
            let low = Box::new(self.climb(ORDER).unwrap_or_else(|| self.missing()));
            let has_high = self.eat_word("and") || self.eat(TokenKind::DotDot);
            let high = if has_high { self.climb(ORDER) } else { None };
            return (low, Box::new(high.unwrap_or_else(|| self.missing())));
        }
        self.bump();
        let low = Box::new(self.required_scalar());
        self.expect(TokenKind::DotDot, "..");
        let high = Box::new(self.required_scalar());
        self.expect(TokenKind::CloseParen, ")");
        (low, high)
    }

    /// `*` as the left operand of a string operator or of `==`.
    fn leading_star(&mut self, least: u8) -> Option<Expr> {
        self.position += 1;
        let fits = match self.infix() {
            Some((TEXT, _)) => true,
            Some((_, Infix::Binary(BinaryOperator::Equal))) => least <= EQUALITY,
            _ => false,
        };
        if !fits {
            self.position -= 1;
            return None;
        }
        let span = self.tokens[self.position - 1].span;
        Some(Expr { kind: ExprKind::Star, span })
    }

    /// The operands of a chain of `and` or `or`, as a balanced tree.
    fn logical_chain(
        &mut self,
        operator: BinaryOperator,
        level: u8,
        first: Expr,
        operator_span: Span,
    ) -> Expr {
        let mut operands = vec![first, self.required_operand(level + 1)];
        let mut operator_spans = vec![operator_span];
        while let Some((_, Infix::Binary(next))) = self.infix() {
            if next != operator {
                break;
            }
            operator_spans.push(self.bump().span);
            operands.push(self.required_operand(level + 1));
        }
        let mut operands: Vec<Option<Expr>> = operands.into_iter().map(Some).collect();
        balanced(operator, &mut operands, &operator_spans).unwrap_or_else(|| self.missing())
    }

    fn infix(&self) -> Option<(u8, Infix)> {
        use BinaryOperator::*;
        let token = self.peek(0);
        let (level, operator) = match token.kind {
            TokenKind::Plus => (SUM, Add),
            TokenKind::Minus => (SUM, Subtract),
            TokenKind::Star => (PRODUCT, Multiply),
            TokenKind::Slash => (PRODUCT, Divide),
            TokenKind::Percent => (PRODUCT, Modulo),
            TokenKind::Less => (ORDER, Less),
            TokenKind::LessEqual => (ORDER, LessOrEqual),
            TokenKind::Greater => (ORDER, Greater),
            TokenKind::GreaterEqual => (ORDER, GreaterOrEqual),
            TokenKind::Equal => (EQUALITY, Equal),
            TokenKind::NotEqual => (EQUALITY, NotEqual),
            TokenKind::EqualTilde => (TEXT, EqualIgnoreCase),
            TokenKind::BangTilde => (TEXT, NotEqualIgnoreCase),
            TokenKind::Colon => (TEXT, SearchTerm),
            TokenKind::Keyword(_) => return self.infix_word(token.span.text(self.text)),
            _ => return None,
        };
        Some((level, Infix::Binary(operator)))
    }

    fn infix_word(&self, word: &str) -> Option<(u8, Infix)> {
        use BinaryOperator::*;
        let operator = match word {
            "or" => return Some((OR, Infix::Binary(Or))),
            "and" => return Some((AND, Infix::Binary(And))),
            // `on x in range(…)` belongs to make-series.
            "in" if self.is_word(1, "range") => return None,
            "in" => return Some((EQUALITY, Infix::Membership(MembershipOperator::In))),
            "in~" => return Some((EQUALITY, Infix::Membership(MembershipOperator::InIgnoreCase))),
            "!in" => return Some((EQUALITY, Infix::Membership(MembershipOperator::NotIn))),
            "!in~" => return Some((EQUALITY, Infix::Membership(MembershipOperator::NotInIgnoreCase))),
            "has_any" => return Some((EQUALITY, Infix::Membership(MembershipOperator::HasAny))),
            "has_all" => return Some((EQUALITY, Infix::Membership(MembershipOperator::HasAll))),
            "between" => return Some((EQUALITY, Infix::Between { negated: false })),
            "!between" => return Some((EQUALITY, Infix::Between { negated: true })),
            "has" => Has,
            "!has" => NotHas,
            "has_cs" => HasCs,
            "!has_cs" => NotHasCs,
            "hasprefix" => HasPrefix,
            "!hasprefix" => NotHasPrefix,
            "hasprefix_cs" => HasPrefixCs,
            "!hasprefix_cs" => NotHasPrefixCs,
            "hassuffix" => HasSuffix,
            "!hassuffix" => NotHasSuffix,
            "hassuffix_cs" => HasSuffixCs,
            "!hassuffix_cs" => NotHasSuffixCs,
            "like" => Like,
            "notlike" => NotLike,
            "likecs" => LikeCs,
            "notlikecs" => NotLikeCs,
            "contains" => Contains,
            "notcontains" | "!contains" => NotContains,
            "containscs" | "contains_cs" => ContainsCs,
            "notcontainscs" | "!contains_cs" => NotContainsCs,
            "startswith" => StartsWith,
            "!startswith" => NotStartsWith,
            "startswith_cs" => StartsWithCs,
            "!startswith_cs" => NotStartsWithCs,
            "endswith" => EndsWith,
            "!endswith" => NotEndsWith,
            "endswith_cs" => EndsWithCs,
            "!endswith_cs" => NotEndsWithCs,
            "matches regex" => MatchesRegex,
            _ => return None,
        };
        Some((TEXT, Infix::Binary(operator)))
    }

    /// `(a, b)` or `(query)` after `in`, `has_any` and their kin.
    fn membership_list(&mut self) -> Vec<Expr> {
        self.expect(TokenKind::OpenParen, "(");
        self.seek(Slot::Source);
        let list = if self.starts_query() {
            vec![self.required_expression(Follow::Nested)]
        } else {
            self.list(ListRule::ONE_OR_MORE, Self::at_list_end, Self::scalar, Self::missing_expression)
        };
        self.expect(TokenKind::CloseParen, ")");
        list
    }

    pub(super) fn signed(&mut self) -> Option<Expr> {
        let operator = match self.kind() {
            TokenKind::Minus => UnaryOperator::Minus,
            TokenKind::Plus => UnaryOperator::Plus,
            _ => return self.path(),
        };
        let start = self.start();
        self.bump();
        if operator == UnaryOperator::Minus && self.text_at(0) == "9223372036854775808" {
            // The digits of the least long are no long without their sign.
            self.bump();
            let kind = ExprKind::Literal(LiteralValue::Long(i64::MIN));
            return Some(Expr { kind, span: self.span_from(start) });
        }
        let operand = match self.path() {
            Some(operand) => Box::new(operand),
            None => Box::new(self.missing_expression()),
        };
        Some(Expr { kind: ExprKind::Unary { operator, operand }, span: self.span_from(start) })
    }

    pub(super) fn primary(&mut self) -> Option<Expr> {
        self.seek(Slot::Operand);
        let start = self.start();
        match self.kind() {
            kind if kind.is_literal() => return self.literal_token(),
            TokenKind::OpenParen => return self.parenthesized(),
            TokenKind::Keyword(_) => match self.text_at(0) {
                "dynamic" => return self.dynamic_literal(),
                "datatable" => return self.data_table(),
                "__contextual_datatable" => return self.contextual_data_table(),
                "externaldata" | "external_data" => return self.external_data(),
                "materialized-view-combine" => return self.materialized_view_combine(),
                "toscalar" => {
                    let wrapped = self.wrapped()?;
                    return Some(Expr { kind: ExprKind::ToScalar(wrapped), span: self.span_from(start) });
                }
                "typeof" if self.kind_at(1) == TokenKind::OpenParen => return self.type_of(),
                _ => {}
            },
            _ => {}
        }
        if self.at_call() {
            return Some(self.call());
        }
        let selector = self.selector();
        if selector.is_some() {
            return selector.map(|source| self.with_data_scope(source));
        }
        self.keyword_for_name()
    }

    /// A keyword where only a name makes sense: taken as one and reported.
    fn keyword_for_name(&mut self) -> Option<Expr> {
        use TokenKind::*;
        if !self.kind().is_keyword() {
            return None;
        }
        let after_name = match self.kind_at(1) {
            Equal | NotEqual | EqualTilde | BangTilde | Greater | GreaterEqual | Less | LessEqual | Star
            | Slash | Percent | CloseParen | CloseBracket | CloseBrace | Dot | Comma | Colon | Pipe => {
                // `<>` is not a sign of a name before it, `!=` is.
                self.text_at(1) != "<>"
            }
            Keyword(_) => {
                self.text_at(1) == "in" || {
                    let word = self.text_at(1);
                    self.infix_word(word).is_some()
                }
            }
            _ => false,
        };
        if !after_name {
            return None;
        }
        let name = self.word_name();
        self.report_needs_brackets(&name);
        Some(Self::name_expression(name))
    }

    fn parenthesized(&mut self) -> Option<Expr> {
        let start = self.start();
        if !self.eat(TokenKind::OpenParen) {
            return None;
        }
        let inside = Box::new(self.required_expression(Follow::Nested));
        if !self.expect(TokenKind::CloseParen, ")") && self.kind() == TokenKind::Comma {
            self.skip_inside(TokenKind::CloseParen);
            self.eat(TokenKind::CloseParen);
        }
        Some(Expr { kind: ExprKind::Parenthesized(inside), span: self.span_from(start) })
    }

    /// A parenthesised expression, if there is one.
    pub(super) fn optional_parenthesized(&mut self) -> Option<Expr> {
        if self.kind() == TokenKind::OpenParen { self.parenthesized() } else { None }
    }

    /// A lone `*`.
    pub(super) fn star(&mut self) -> Option<Expr> {
        if self.kind() != TokenKind::Star {
            return None;
        }
        let span = self.bump().span;
        Some(Expr { kind: ExprKind::Star, span })
    }

    /// `name = expression`, `(a, b) = expression` or an expression.
    pub(super) fn named(&mut self) -> Option<Expr> {
        let start = self.start();
        let count = self.scan_declared_name(0);
        if count > 0 && self.kind_at(count) == TokenKind::Assign {
            let name = self.declared_name()?;
            self.bump();
            return Some(self.named_value(name, start));
        }
        let dashed = self.scan_dashed_word();
        if dashed > 0 && self.kind_at(dashed) == TokenKind::Assign {
            self.position += dashed;
            let span = self.span_from(start);
            let name = Name { text: span.text(self.text).to_owned(), style: NameStyle::Bracketed, span };
            self.report_needs_brackets(&name);
            self.bump();
            return Some(self.named_value(name, start));
        }
        if self.at_name_tuple() {
            self.bump();
            let names =
                self.list(ListRule::ONE_OR_MORE, Self::at_list_end, Self::declared_name, Self::missing_name);
            self.expect(TokenKind::CloseParen, ")");
            self.expect(TokenKind::Assign, "=");
            let value = Box::new(self.required_scalar());
            return Some(Expr { kind: ExprKind::NamedTuple { names, value }, span: self.span_from(start) });
        }
        self.scalar()
    }

    fn named_value(&mut self, name: Name, start: u32) -> Expr {
        let value = Box::new(self.required_scalar());
        Expr { kind: ExprKind::Named { name, value }, span: self.span_from(start) }
    }

    pub(super) fn required_named(&mut self) -> Expr {
        self.named().unwrap_or_else(|| self.missing_expression())
    }

    /// `(a, b) =`
    fn at_name_tuple(&self) -> bool {
        if self.kind() != TokenKind::OpenParen {
            return false;
        }
        let mut at = 1;
        loop {
            match self.scan_declared_name(at) {
                0 => break,
                count => at += count,
            }
            if self.kind_at(at) != TokenKind::Comma {
                break;
            }
            at += 1;
        }
        self.kind_at(at) == TokenKind::CloseParen && self.kind_at(at + 1) == TokenKind::Assign
    }

    /// `toscalar kind=… (pipeline)` and its kin; the keyword is the next token.
    pub(super) fn wrapped(&mut self) -> Option<crate::ast::Wrapped> {
        self.bump();
        let parameters = self.parameter(&Parameters::WRAPPED).into_iter().collect();
        self.expect(TokenKind::OpenParen, "(");
        let pipeline = Box::new(self.required_expression(Follow::Nested));
        self.expect(TokenKind::CloseParen, ")");
        Some(crate::ast::Wrapped { parameters, pipeline })
    }
}

fn binary(operator: BinaryOperator, operator_span: Span, left: Expr, right: Expr, span: Span) -> Expr {
    let kind = ExprKind::Binary { operator, operator_span, left: Box::new(left), right: Box::new(right) };
    Expr { kind, span }
}

/// Halves the operands again and again; `operator_spans` are those between them.
fn balanced(
    operator: BinaryOperator,
    operands: &mut [Option<Expr>],
    operator_spans: &[Span],
) -> Option<Expr> {
    if let [only] = operands {
        return only.take();
    }
    let middle = operands.len() / 2;
    let (left, right) = operands.split_at_mut(middle);
    let left = balanced(operator, left, &operator_spans[..middle - 1])?;
    let right = balanced(operator, right, &operator_spans[middle..])?;
    let span = left.span.to(right.span);
    Some(binary(operator, operator_spans[middle - 1], left, right, span))
}
