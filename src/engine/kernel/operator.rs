//! Kernels of expression operators.

use conshelf_kql::function::OperatorFunction;

use crate::engine::error::EngineError;
use crate::engine::kernel::Kernel;

/// The kernel of a function of the family.
pub fn kernel(function: OperatorFunction) -> Kernel {
    match function {
        OperatorFunction::Add => |_, _| Err(EngineError::NotSupported(String::from("Add"))),
        OperatorFunction::Subtract => |_, _| Err(EngineError::NotSupported(String::from("Subtract"))),
        OperatorFunction::Multiply => |_, _| Err(EngineError::NotSupported(String::from("Multiply"))),
        OperatorFunction::Divide => |_, _| Err(EngineError::NotSupported(String::from("Divide"))),
        OperatorFunction::Modulo => |_, _| Err(EngineError::NotSupported(String::from("Modulo"))),
        OperatorFunction::Negate => |_, _| Err(EngineError::NotSupported(String::from("Negate"))),
        OperatorFunction::Equal => |_, _| Err(EngineError::NotSupported(String::from("Equal"))),
        OperatorFunction::NotEqual => |_, _| Err(EngineError::NotSupported(String::from("NotEqual"))),
        OperatorFunction::Less => |_, _| Err(EngineError::NotSupported(String::from("Less"))),
        OperatorFunction::LessOrEqual => |_, _| Err(EngineError::NotSupported(String::from("LessOrEqual"))),
        OperatorFunction::Greater => |_, _| Err(EngineError::NotSupported(String::from("Greater"))),
        OperatorFunction::GreaterOrEqual => {
            |_, _| Err(EngineError::NotSupported(String::from("GreaterOrEqual")))
        }
        OperatorFunction::And => |_, _| Err(EngineError::NotSupported(String::from("And"))),
        OperatorFunction::Or => |_, _| Err(EngineError::NotSupported(String::from("Or"))),
        OperatorFunction::Not => |_, _| Err(EngineError::NotSupported(String::from("Not"))),
        OperatorFunction::EqualIgnoreCase => {
            |_, _| Err(EngineError::NotSupported(String::from("EqualIgnoreCase")))
        }
        OperatorFunction::NotEqualIgnoreCase => {
            |_, _| Err(EngineError::NotSupported(String::from("NotEqualIgnoreCase")))
        }
        OperatorFunction::Has => |_, _| Err(EngineError::NotSupported(String::from("Has"))),
        OperatorFunction::HasCs => |_, _| Err(EngineError::NotSupported(String::from("HasCs"))),
        OperatorFunction::NotHas => |_, _| Err(EngineError::NotSupported(String::from("NotHas"))),
        OperatorFunction::NotHasCs => |_, _| Err(EngineError::NotSupported(String::from("NotHasCs"))),
        OperatorFunction::HasPrefix => |_, _| Err(EngineError::NotSupported(String::from("HasPrefix"))),
        OperatorFunction::HasPrefixCs => |_, _| Err(EngineError::NotSupported(String::from("HasPrefixCs"))),
        OperatorFunction::NotHasPrefix => |_, _| Err(EngineError::NotSupported(String::from("NotHasPrefix"))),
        OperatorFunction::NotHasPrefixCs => {
            |_, _| Err(EngineError::NotSupported(String::from("NotHasPrefixCs")))
        }
        OperatorFunction::HasSuffix => |_, _| Err(EngineError::NotSupported(String::from("HasSuffix"))),
        OperatorFunction::HasSuffixCs => |_, _| Err(EngineError::NotSupported(String::from("HasSuffixCs"))),
        OperatorFunction::NotHasSuffix => |_, _| Err(EngineError::NotSupported(String::from("NotHasSuffix"))),
        OperatorFunction::NotHasSuffixCs => {
            |_, _| Err(EngineError::NotSupported(String::from("NotHasSuffixCs")))
        }
        OperatorFunction::Contains => |_, _| Err(EngineError::NotSupported(String::from("Contains"))),
        OperatorFunction::ContainsCs => |_, _| Err(EngineError::NotSupported(String::from("ContainsCs"))),
        OperatorFunction::NotContains => |_, _| Err(EngineError::NotSupported(String::from("NotContains"))),
        OperatorFunction::NotContainsCs => {
            |_, _| Err(EngineError::NotSupported(String::from("NotContainsCs")))
        }
        OperatorFunction::StartsWith => |_, _| Err(EngineError::NotSupported(String::from("StartsWith"))),
        OperatorFunction::StartsWithCs => |_, _| Err(EngineError::NotSupported(String::from("StartsWithCs"))),
        OperatorFunction::NotStartsWith => {
            |_, _| Err(EngineError::NotSupported(String::from("NotStartsWith")))
        }
        OperatorFunction::NotStartsWithCs => {
            |_, _| Err(EngineError::NotSupported(String::from("NotStartsWithCs")))
        }
        OperatorFunction::EndsWith => |_, _| Err(EngineError::NotSupported(String::from("EndsWith"))),
        OperatorFunction::EndsWithCs => |_, _| Err(EngineError::NotSupported(String::from("EndsWithCs"))),
        OperatorFunction::NotEndsWith => |_, _| Err(EngineError::NotSupported(String::from("NotEndsWith"))),
        OperatorFunction::NotEndsWithCs => {
            |_, _| Err(EngineError::NotSupported(String::from("NotEndsWithCs")))
        }
        OperatorFunction::MatchesRegex => |_, _| Err(EngineError::NotSupported(String::from("MatchesRegex"))),
        OperatorFunction::In => |_, _| Err(EngineError::NotSupported(String::from("In"))),
        OperatorFunction::NotIn => |_, _| Err(EngineError::NotSupported(String::from("NotIn"))),
        OperatorFunction::InIgnoreCase => |_, _| Err(EngineError::NotSupported(String::from("InIgnoreCase"))),
        OperatorFunction::NotInIgnoreCase => {
            |_, _| Err(EngineError::NotSupported(String::from("NotInIgnoreCase")))
        }
        OperatorFunction::HasAny => |_, _| Err(EngineError::NotSupported(String::from("HasAny"))),
        OperatorFunction::HasAll => |_, _| Err(EngineError::NotSupported(String::from("HasAll"))),
        OperatorFunction::Between => |_, _| Err(EngineError::NotSupported(String::from("Between"))),
        OperatorFunction::NotBetween => |_, _| Err(EngineError::NotSupported(String::from("NotBetween"))),
        OperatorFunction::Member => |_, _| Err(EngineError::NotSupported(String::from("Member"))),
        OperatorFunction::Element => |_, _| Err(EngineError::NotSupported(String::from("Element"))),
    }
}
