//! Kernels of expression operators.

mod arithmetic;
mod comparison;
mod logic;
mod membership;
pub mod part;
pub mod text;

use arrow_array::ArrayRef;
use conshelf_kql::Type;
use conshelf_kql::function::OperatorFunction;

use crate::engine::error::Result;
use crate::engine::kernel::{Kernel, Prepared};

pub use comparison::{Relation, compare};
pub use membership::prepare_membership;

/// The kernel of a function of the family.
pub fn kernel(function: OperatorFunction) -> Kernel {
    use OperatorFunction as F;
    match function {
        F::Add => arithmetic::add,
        F::Subtract => arithmetic::subtract,
        F::Multiply => arithmetic::multiply,
        F::Divide => arithmetic::divide,
        F::Modulo => arithmetic::modulo,
        F::Negate => arithmetic::negate,
        F::Equal => |call, arguments| comparison::kernel(Relation::Equal, call, arguments),
        F::NotEqual => |call, arguments| comparison::kernel(Relation::NotEqual, call, arguments),
        F::Less => |call, arguments| comparison::kernel(Relation::Less, call, arguments),
        F::LessOrEqual => |call, arguments| comparison::kernel(Relation::LessOrEqual, call, arguments),
        F::Greater => |call, arguments| comparison::kernel(Relation::Greater, call, arguments),
        F::GreaterOrEqual => |call, arguments| comparison::kernel(Relation::GreaterOrEqual, call, arguments),
        F::And => logic::and,
        F::Or => logic::or,
        F::Not => logic::not,
        F::In => |call, arguments| membership::is_in(call, arguments, false, false),
        F::NotIn => |call, arguments| membership::is_in(call, arguments, true, false),
        F::InIgnoreCase => |call, arguments| membership::is_in(call, arguments, false, true),
        F::NotInIgnoreCase => |call, arguments| membership::is_in(call, arguments, true, true),
        F::HasAny => |call, arguments| membership::has_terms(call, arguments, false),
        F::HasAll => |call, arguments| membership::has_terms(call, arguments, true),
        F::Between => |call, arguments| comparison::between(call, arguments, false),
        F::NotBetween => |call, arguments| comparison::between(call, arguments, true),
        F::Member => part::member,
        F::Element => part::element,
        F::EqualIgnoreCase => |_, arguments| text::rows(F::EqualIgnoreCase, arguments),
        F::NotEqualIgnoreCase => |_, arguments| text::rows(F::NotEqualIgnoreCase, arguments),
        F::Has => |_, arguments| text::rows(F::Has, arguments),
        F::HasCs => |_, arguments| text::rows(F::HasCs, arguments),
        F::NotHas => |_, arguments| text::rows(F::NotHas, arguments),
        F::NotHasCs => |_, arguments| text::rows(F::NotHasCs, arguments),
        F::HasPrefix => |_, arguments| text::rows(F::HasPrefix, arguments),
        F::HasPrefixCs => |_, arguments| text::rows(F::HasPrefixCs, arguments),
        F::NotHasPrefix => |_, arguments| text::rows(F::NotHasPrefix, arguments),
        F::NotHasPrefixCs => |_, arguments| text::rows(F::NotHasPrefixCs, arguments),
        F::HasSuffix => |_, arguments| text::rows(F::HasSuffix, arguments),
        F::HasSuffixCs => |_, arguments| text::rows(F::HasSuffixCs, arguments),
        F::NotHasSuffix => |_, arguments| text::rows(F::NotHasSuffix, arguments),
        F::NotHasSuffixCs => |_, arguments| text::rows(F::NotHasSuffixCs, arguments),
        F::Contains => |_, arguments| text::rows(F::Contains, arguments),
        F::ContainsCs => |_, arguments| text::rows(F::ContainsCs, arguments),
        F::NotContains => |_, arguments| text::rows(F::NotContains, arguments),
        F::NotContainsCs => |_, arguments| text::rows(F::NotContainsCs, arguments),
        F::StartsWith => |_, arguments| text::rows(F::StartsWith, arguments),
        F::StartsWithCs => |_, arguments| text::rows(F::StartsWithCs, arguments),
        F::NotStartsWith => |_, arguments| text::rows(F::NotStartsWith, arguments),
        F::NotStartsWithCs => |_, arguments| text::rows(F::NotStartsWithCs, arguments),
        F::EndsWith => |_, arguments| text::rows(F::EndsWith, arguments),
        F::EndsWithCs => |_, arguments| text::rows(F::EndsWithCs, arguments),
        F::NotEndsWith => |_, arguments| text::rows(F::NotEndsWith, arguments),
        F::NotEndsWithCs => |_, arguments| text::rows(F::NotEndsWithCs, arguments),
        F::MatchesRegex => |_, arguments| text::rows(F::MatchesRegex, arguments),
    }
}

/// Gets searches and sets of values ready for constant arguments.
pub fn prepare(
    function: OperatorFunction,
    argument_types: &[Type],
    constants: &[Option<&ArrayRef>],
) -> Result<Option<Prepared>> {
    use OperatorFunction as F;
    match function {
        F::In => membership::prepare_in(argument_types, constants, false, false),
        F::NotIn => membership::prepare_in(argument_types, constants, true, false),
        F::InIgnoreCase => membership::prepare_in(argument_types, constants, false, true),
        F::NotInIgnoreCase => membership::prepare_in(argument_types, constants, true, true),
        F::HasAny => membership::prepare_terms(argument_types, constants, false),
        F::HasAll => membership::prepare_terms(argument_types, constants, true),
        _ => text::prepare(function, constants),
    }
}
