//! Typing of the operators: which types may meet, what they are brought to, what comes out.

use crate::ast::{BinaryOperator, MembershipOperator};
use crate::function::{ArgumentInfo, ConversionFunction, FunctionId, OperatorFunction, signature};
use crate::plan::Expr;
use crate::span::Span;
use crate::types::Type;

use super::{Bind, Binder, Reported, literal};

/// The expression in another type; itself if it has the type already.
pub(super) fn cast(expression: Expr, ty: Type) -> Expr {
    if expression.ty == ty {
        return expression;
    }
    if let crate::plan::ExprKind::Constant(value) = &expression.kind
        && let Some(value) = literal::converted(value, ty)
    {
        return Expr::constant(value);
    }
    let function = match ty {
        Type::Bool => ConversionFunction::ToBool,
        Type::Int => ConversionFunction::ToInt,
        Type::Long => ConversionFunction::ToLong,
        Type::Real => ConversionFunction::ToReal,
        Type::Decimal => ConversionFunction::ToDecimal,
        Type::DateTime => ConversionFunction::ToDateTime,
        Type::TimeSpan => ConversionFunction::ToTimeSpan,
        Type::String => ConversionFunction::ToString,
        Type::Guid => ConversionFunction::ToGuid,
        Type::Dynamic => ConversionFunction::ToDynamic,
    };
    Expr::call(FunctionId::Conversion(function), vec![expression], ty)
}

pub(super) fn operator(function: OperatorFunction, arguments: Vec<Expr>, ty: Type) -> Expr {
    Expr::call(FunctionId::Operator(function), arguments, ty)
}

fn function_of(operator: BinaryOperator) -> Option<OperatorFunction> {
    use BinaryOperator as B;
    use OperatorFunction as O;
    Some(match operator {
        B::Or => O::Or,
        B::And => O::And,
        B::Equal => O::Equal,
        B::NotEqual => O::NotEqual,
        B::EqualIgnoreCase => O::EqualIgnoreCase,
        B::NotEqualIgnoreCase => O::NotEqualIgnoreCase,
        B::Less => O::Less,
        B::LessOrEqual => O::LessOrEqual,
        B::Greater => O::Greater,
        B::GreaterOrEqual => O::GreaterOrEqual,
        B::Add => O::Add,
        B::Subtract => O::Subtract,
        B::Multiply => O::Multiply,
        B::Divide => O::Divide,
        B::Modulo => O::Modulo,
        B::Contains => O::Contains,
        B::NotContains => O::NotContains,
        B::ContainsCs => O::ContainsCs,
        B::NotContainsCs => O::NotContainsCs,
        B::Has => O::Has,
        B::NotHas => O::NotHas,
        B::HasCs => O::HasCs,
        B::NotHasCs => O::NotHasCs,
        B::HasPrefix => O::HasPrefix,
        B::NotHasPrefix => O::NotHasPrefix,
        B::HasPrefixCs => O::HasPrefixCs,
        B::NotHasPrefixCs => O::NotHasPrefixCs,
        B::HasSuffix => O::HasSuffix,
        B::NotHasSuffix => O::NotHasSuffix,
        B::HasSuffixCs => O::HasSuffixCs,
        B::NotHasSuffixCs => O::NotHasSuffixCs,
        B::StartsWith => O::StartsWith,
        B::NotStartsWith => O::NotStartsWith,
        B::StartsWithCs => O::StartsWithCs,
        B::NotStartsWithCs => O::NotStartsWithCs,
        B::EndsWith => O::EndsWith,
        B::NotEndsWith => O::NotEndsWith,
        B::EndsWithCs => O::EndsWithCs,
        B::NotEndsWithCs => O::NotEndsWithCs,
        B::MatchesRegex => O::MatchesRegex,
        B::SearchTerm => O::Has,
        B::Like | B::NotLike | B::LikeCs | B::NotLikeCs => return None,
    })
}

impl Binder<'_> {
    fn not_defined(&mut self, operator: BinaryOperator, left: Type, right: Type, span: Span) -> Reported {
        let name = operator.as_str();
        if is_comparison(operator) {
            let message =
                format!("Cannot compare values of types {left} and {right}. Try adding explicit casts");
            return self.error("SEM0064", message, span);
        }
        let message =
            format!("The operator '{name}' is not defined for the operand types {left} and {right}");
        self.error("SEM0064", message, span)
    }

    /// The call for a binary operator over bound operands.
    pub(super) fn binary(
        &mut self,
        operator: BinaryOperator,
        left: Expr,
        right: Expr,
        span: Span,
    ) -> Bind<Expr> {
        let Some(function) = function_of(operator) else {
            return Err(self.unsupported(&format!("The operator '{}'", operator.as_str()), span));
        };
        match operator {
            BinaryOperator::And | BinaryOperator::Or => {
                let takes = |ty| matches!(ty, Type::Bool | Type::Dynamic);
                if !takes(left.ty) || !takes(right.ty) {
                    return Err(self.not_defined(operator, left.ty, right.ty, span));
                }
                Ok(self::operator(
                    function,
                    vec![cast(left, Type::Bool), cast(right, Type::Bool)],
                    Type::Bool,
                ))
            }
            BinaryOperator::Add
            | BinaryOperator::Subtract
            | BinaryOperator::Multiply
            | BinaryOperator::Divide
            | BinaryOperator::Modulo => self.arithmetic(operator, function, left, right, span),
            _ if is_comparison(operator) => self.comparison(operator, function, left, right, span),
            _ => {
                let takes = |ty| matches!(ty, Type::String | Type::Dynamic);
                if !takes(left.ty) || !takes(right.ty) {
                    return Err(self.not_defined(operator, left.ty, right.ty, span));
                }
                let operands = vec![cast(left, Type::String), cast(right, Type::String)];
                Ok(self::operator(function, operands, Type::Bool))
            }
        }
    }

    fn comparison(
        &mut self,
        operator: BinaryOperator,
        function: OperatorFunction,
        left: Expr,
        right: Expr,
        span: Span,
    ) -> Bind<Expr> {
        let equality = matches!(operator, BinaryOperator::Equal | BinaryOperator::NotEqual);
        // A small constant takes the type of the column beside it, which then needs no conversion.
        let (left, right) = match (left.ty, right.ty) {
            (Type::Int, Type::Long) => (left, narrowed(right)),
            (Type::Long, Type::Int) => (narrowed(left), right),
            _ => (left, right),
        };
        let Some(ty) = comparable(left.ty, right.ty, equality) else {
            return Err(self.not_defined(operator, left.ty, right.ty, span));
        };
        Ok(self::operator(function, vec![cast(left, ty), cast(right, ty)], Type::Bool))
    }

    fn arithmetic(
        &mut self,
        operator: BinaryOperator,
        function: OperatorFunction,
        left: Expr,
        right: Expr,
        span: Span,
    ) -> Bind<Expr> {
        let (mut left, mut right) = (left, right);
        // A dynamic operand is taken for what the other one is; two of them for real numbers.
        let mut boxed = false;
        match (left.ty, right.ty) {
            (Type::Dynamic, Type::Dynamic) => {
                left = cast(left, Type::Real);
                right = cast(right, Type::Real);
                boxed = true;
            }
            (Type::Dynamic, other) if other.is_number() => {
                left = cast(left, other.max(Type::Long));
            }
            (other, Type::Dynamic) if other.is_number() => {
                right = cast(right, other.max(Type::Long));
            }
            (Type::Dynamic, other @ (Type::DateTime | Type::TimeSpan))
                if matches!(operator, BinaryOperator::Add | BinaryOperator::Subtract) =>
            {
                left = cast(left, other);
            }
            (other @ (Type::DateTime | Type::TimeSpan), Type::Dynamic)
                if matches!(operator, BinaryOperator::Add | BinaryOperator::Subtract) =>
            {
                right = cast(right, other);
            }
            _ => {}
        }
        if left.ty.is_number() && right.ty.is_number() {
            let ty = left.ty.max(right.ty).max(Type::Long);
            let call = self::operator(function, vec![cast(left, ty), cast(right, ty)], ty);
            return Ok(if boxed { cast(call, Type::Dynamic) } else { call });
        }
        // A moment in time times or by a number counts as the ticks since the beginning of time.
        let id = FunctionId::Operator(function);
        let arguments = [ArgumentInfo::of(left.ty), ArgumentInfo::of(right.ty)];
        match signature::resolve(id.spec(), signature::signatures(id), &arguments) {
            Ok(found) if left.ty != Type::Dynamic && right.ty != Type::Dynamic => {
                let operands =
                    vec![cast(left, found.argument_types[0]), cast(right, found.argument_types[1])];
                Ok(Expr::call(id, operands, found.result))
            }
            _ => {
                let decimal = |ty| ty == Type::Decimal;
                if left.ty == Type::TimeSpan && decimal(right.ty)
                    || decimal(left.ty) && right.ty == Type::TimeSpan
                {
                    let left = if decimal(left.ty) { cast(left, Type::Real) } else { left };
                    let right = if decimal(right.ty) { cast(right, Type::Real) } else { right };
                    return self.arithmetic(operator, function, left, right, span);
                }
                if left.ty == Type::DateTime
                    && matches!(right.ty, Type::DateTime | Type::TimeSpan)
                    && matches!(operator, BinaryOperator::Divide | BinaryOperator::Modulo)
                {
                    let since_start = |expression: Expr| match expression.ty {
                        Type::DateTime => self::operator(
                            OperatorFunction::Subtract,
                            vec![expression, Expr::constant(crate::value::Value::DateTime(0))],
                            Type::TimeSpan,
                        ),
                        _ => expression,
                    };
                    return self.arithmetic(operator, function, since_start(left), since_start(right), span);
                }
                if left.ty == Type::TimeSpan
                    && right.ty == Type::DateTime
                    && operator == BinaryOperator::Subtract
                {
                    return Err(self.not_defined(operator, left.ty, right.ty, span));
                }
                Err(self.not_defined(operator, left.ty, right.ty, span))
            }
        }
    }

    /// `-x`: constants keep their type, columns of int become long.
    pub(super) fn negated(&mut self, operand: Expr, span: Span) -> Bind<Expr> {
        use crate::plan::ExprKind;
        use crate::value::Value;
        if let ExprKind::Constant(value) = &operand.kind {
            let negated = match value {
                Value::Int(number) => number.checked_neg().map(Value::Int),
                Value::Long(number) => number.checked_neg().map(Value::Long),
                Value::Real(number) => Some(Value::Real(-number)),
                Value::TimeSpan(ticks) => ticks.checked_neg().map(Value::TimeSpan),
                Value::Null(ty) if ty.is_number() || *ty == Type::TimeSpan => Some(value.clone()),
                _ => None,
            };
            if let Some(value) = negated {
                return Ok(Expr::constant(value));
            }
        }
        match operand.ty {
            Type::Int => {
                let operand = cast(operand, Type::Long);
                Ok(operator(OperatorFunction::Negate, vec![operand], Type::Long))
            }
            ty @ (Type::Long | Type::Real | Type::Decimal | Type::TimeSpan) => {
                Ok(operator(OperatorFunction::Negate, vec![operand], ty))
            }
            Type::Dynamic => {
                let operand = cast(operand, Type::Real);
                let negated = operator(OperatorFunction::Negate, vec![operand], Type::Real);
                Ok(cast(negated, Type::Dynamic))
            }
            ty => Err(self.error(
                "SEM0064",
                format!("The operator '-' is not defined for the operand type {ty}"),
                span,
            )),
        }
    }

    /// `value in (a, b, …)`, `value has_any (…)` and their kin over bound lists.
    pub(super) fn membership(
        &mut self,
        operator: MembershipOperator,
        value: Expr,
        list: Vec<Expr>,
        span: Span,
    ) -> Bind<Expr> {
        use MembershipOperator as M;
        let function = match operator {
            M::In => OperatorFunction::In,
            M::NotIn => OperatorFunction::NotIn,
            M::InIgnoreCase => OperatorFunction::InIgnoreCase,
            M::NotInIgnoreCase => OperatorFunction::NotInIgnoreCase,
            M::HasAny => OperatorFunction::HasAny,
            M::HasAll => OperatorFunction::HasAll,
        };
        let dynamic_list = list.iter().any(|item| item.ty == Type::Dynamic);
        let mut arguments;
        if matches!(operator, M::In | M::NotIn) {
            if dynamic_list {
                arguments = vec![value];
                arguments.extend(list.into_iter().map(|item| cast(item, Type::Dynamic)));
            } else {
                // The value decides the type, unless it is dynamic or a narrower number.
                let list_type = list.iter().map(|item| item.ty).try_fold(None, |common, ty| match common {
                    None => Some(Some(ty)),
                    Some(before) => signature::common_type(before, ty).map(Some),
                });
                let list: Vec<Expr> =
                    if value.ty == Type::Int { list.into_iter().map(narrowed).collect() } else { list };
                let list_type = if list.iter().all(|item| item.ty == Type::Int) {
                    Some(Some(Type::Int))
                } else {
                    list_type
                };
                let ty = match (value.ty, list_type.flatten()) {
                    (Type::Dynamic, Some(ty)) => ty,
                    (ty, Some(other)) if ty.is_number() && other.is_number() => ty.max(other),
                    (ty, _) => ty,
                };
                arguments = vec![cast(value, ty)];
                arguments.extend(list.into_iter().map(|item| cast(item, ty)));
            }
        } else {
            if !matches!(value.ty, Type::String | Type::Dynamic) {
                let message = format!(
                    "The operator '{}' is not defined for the operand type {}",
                    operator.as_str(),
                    value.ty
                );
                return Err(self.error("SEM0064", message, span));
            }
            let ty = if dynamic_list { Type::Dynamic } else { Type::String };
            arguments = vec![cast(value, Type::String)];
            arguments.extend(list.into_iter().map(|item| cast(item, ty)));
        }
        Ok(self::operator(function, arguments, Type::Bool))
    }

    /// `value between (low .. high)`; of a datetime the end may be a length.
    pub(super) fn between(
        &mut self,
        negated: bool,
        value: Expr,
        low: Expr,
        high: Expr,
        span: Span,
    ) -> Bind<Expr> {
        let function = if negated { OperatorFunction::NotBetween } else { OperatorFunction::Between };
        if value.ty == Type::DateTime && low.ty == Type::DateTime && high.ty == Type::TimeSpan {
            return Ok(operator(function, vec![value, low, high], Type::Bool));
        }
        let mut concrete = [value.ty, low.ty, high.ty].into_iter().filter(|ty| *ty != Type::Dynamic);
        let ty = concrete.try_fold(None, |common, ty| match common {
            None => Some(Some(ty)),
            Some(before) => signature::common_type(before, ty).map(Some),
        });
        let summable = |ty: Type| ty.is_number() || matches!(ty, Type::DateTime | Type::TimeSpan);
        match ty.flatten() {
            Some(ty) if summable(ty) => {
                Ok(operator(function, vec![cast(value, ty), cast(low, ty), cast(high, ty)], Type::Bool))
            }
            _ => {
                let message = format!(
                    "The operator 'between' is not defined for the operand types {}, {} and {}",
                    value.ty, low.ty, high.ty
                );
                Err(self.error("SEM0064", message, span))
            }
        }
    }
}

/// A constant of type long as an int, if it fits.
fn narrowed(expression: Expr) -> Expr {
    if let crate::plan::ExprKind::Constant(value) = &expression.kind
        && let Some(value) = literal::converted(value, Type::Int)
    {
        return Expr::constant(value);
    }
    expression
}

fn is_comparison(operator: BinaryOperator) -> bool {
    matches!(
        operator,
        BinaryOperator::Equal
            | BinaryOperator::NotEqual
            | BinaryOperator::Less
            | BinaryOperator::LessOrEqual
            | BinaryOperator::Greater
            | BinaryOperator::GreaterOrEqual
    )
}

/// The type in which two values are compared; `None` where the engine refuses.
fn comparable(left: Type, right: Type, equality: bool) -> Option<Type> {
    let ordered = |ty: Type| ty.is_number() || matches!(ty, Type::Bool | Type::DateTime | Type::TimeSpan);
    let ty = match (left, right) {
        (Type::Dynamic, Type::Dynamic) => return Some(Type::Dynamic),
        (Type::Dynamic, other) | (other, Type::Dynamic) => {
            if !equality && !other.is_number() && !matches!(other, Type::DateTime | Type::TimeSpan) {
                return None;
            }
            if other == Type::Int { Type::Long } else { other }
        }
        (left, right) if left == right => left,
        (left, right) if left.is_number() && right.is_number() => left.max(right),
        (Type::Bool, other) | (other, Type::Bool) if other.is_number() => other,
        (Type::Guid, Type::String) | (Type::String, Type::Guid) if equality => Type::Guid,
        _ => return None,
    };
    (equality || ordered(ty)).then_some(ty)
}
