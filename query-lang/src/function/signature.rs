//! Signatures as data: reads the signature texts of the function table and finds the overload that takes given
//! arguments. The language of the texts is described in `mod.rs`. Knows nothing of scopes or of the syntax tree.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::function::{ArgumentInfo, FunctionId, FunctionSpec, Shape, Written};
use crate::types::Type;
use crate::value::Value;

/// A set of types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypeSet(u16);

impl TypeSet {
    pub const ANY: TypeSet = TypeSet(0b11_1111_1111);

    pub fn of(types: &[Type]) -> TypeSet {
        TypeSet(types.iter().fold(0, |set, ty| set | 1 << (*ty as u16)))
    }

    pub fn contains(self, ty: Type) -> bool {
        self.0 & (1 << (ty as u16)) != 0
    }

    pub fn types(self) -> impl Iterator<Item = Type> {
        Type::ALL.into_iter().filter(move |ty| self.contains(*ty))
    }
}

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Types(TypeSet),
    /// `T`: all parameters of this class are brought to one type.
    Common,
    /// Any of the set, brought to one type: `text`, `integer`, `floating`, `whole`.
    Converted(TypeSet, Type),
    /// A dynamic value; where it is known to be of another form it is refused.
    Shaped(Shape),
}

/// How the argument must be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Expression,
    /// Comes to a constant.
    Constant,
    /// A literal itself.
    Literal,
    /// The name of a column.
    Column,
    /// `typeof(…)`.
    Type,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    pub name: String,
    pub class: Class,
    pub form: Form,
    /// The texts that are taken, without regard to case; empty: any.
    pub allowed: Vec<String>,
    pub default: Option<Value>,
    /// Takes one or more arguments; only last.
    pub repeated: bool,
}

/// How the type of the result follows from the arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Return {
    Type(Type),
    Common,
    /// The widest of the number arguments, at least long.
    Promoted,
    First,
    Rule,
    /// A dynamic value of that form.
    Shaped(Shape),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Signature {
    pub parameters: Vec<Parameter>,
    pub result: Return,
}

impl Signature {
    /// The fewest arguments it takes.
    pub fn least(&self) -> usize {
        self.parameters.iter().filter(|parameter| parameter.default.is_none()).count()
    }

    /// The most arguments it takes; `None`: any number.
    pub fn most(&self) -> Option<usize> {
        let repeated = self.parameters.last().is_some_and(|parameter| parameter.repeated);
        (!repeated).then_some(self.parameters.len())
    }

    fn takes_count(&self, count: usize) -> bool {
        count >= self.least() && self.most().is_none_or(|most| count <= most)
    }

    /// The parameter that the n-th argument goes to.
    fn parameter(&self, position: usize) -> Option<&Parameter> {
        self.parameters.get(position).or_else(|| self.parameters.last().filter(|last| last.repeated))
    }
}

/// Reads one signature text.
pub fn parse(text: &str) -> Result<Signature, String> {
    let (head, result) = text.rsplit_once("->").ok_or_else(|| format!("no result in '{text}'"))?;
    let result = match result.trim() {
        "T" => Return::Common,
        "promoted" => Return::Promoted,
        "first" => Return::First,
        "rule" => Return::Rule,
        "array" => Return::Shaped(Shape::Array),
        "bag" => Return::Shaped(Shape::Bag),
        name => Return::Type(Type::from_name(name).ok_or_else(|| format!("unknown result '{name}'"))?),
    };
    let head = head.trim();
    let inner = head
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
        .ok_or_else(|| format!("no parentheses in '{text}'"))?;
    let mut parameters = Vec::new();
    for part in split_parameters(inner) {
        parameters.push(parse_parameter(part)?);
    }
    Ok(Signature { parameters, result })
}

/// Splits at commas outside of quotes.
fn split_parameters(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut quote) = (0, None);
    for (offset, character) in text.char_indices() {
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(character),
            (None, ',') => {
                parts.push(text[start..offset].trim());
                start = offset + 1;
            }
            (None, _) => {}
        }
    }
    parts.push(text[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

fn parse_parameter(text: &str) -> Result<Parameter, String> {
    let (name, rest) = text.split_once(':').ok_or_else(|| format!("no class in '{text}'"))?;
    let (class, default) = match rest.split_once('=') {
        Some((class, default)) => (class.trim(), Some(default.trim())),
        None => (rest.trim(), None),
    };
    let (class, form) = match class.split_once(' ') {
        Some(("const", class)) => (class.trim(), Form::Constant),
        Some(("literal", class)) => (class.trim(), Form::Literal),
        Some(("column", class)) => (class.trim(), Form::Column),
        Some(("type", class)) => (class.trim(), Form::Type),
        _ => (class, Form::Expression),
    };
    let (class, allowed) = match class.split_once(" in ") {
        Some((class, words)) => {
            (class.trim(), words.split('|').map(|word| word.trim().to_string()).collect())
        }
        None => (class, Vec::new()),
    };
    let (class, repeated) = match class.strip_suffix("...") {
        Some(class) => (class.trim(), true),
        None => (class, false),
    };
    let class = parse_class(class)?;
    let default = default.map(|default| parse_default(default, class)).transpose()?;
    Ok(Parameter { name: name.trim().to_string(), class, form, allowed, default, repeated })
}

const NUMBER: [Type; 4] = [Type::Int, Type::Long, Type::Real, Type::Decimal];

fn parse_class(text: &str) -> Result<Class, String> {
    let number = TypeSet::of(&NUMBER);
    match text {
        "array" => return Ok(Class::Shaped(Shape::Array)),
        "bag" => return Ok(Class::Shaped(Shape::Bag)),
        "text" => return Ok(Class::Converted(TypeSet::ANY, Type::String)),
        "textual" => {
            return Ok(Class::Converted(TypeSet::of(&[Type::String, Type::Dynamic]), Type::String));
        }
        "integer" => return Ok(Class::Converted(TypeSet::of(&[Type::Int, Type::Long]), Type::Long)),
        "floating" => return Ok(Class::Converted(number, Type::Real)),
        "whole" => return Ok(Class::Converted(number, Type::Long)),
        _ => {}
    }
    let mut set = 0;
    for part in text.split('|').map(str::trim) {
        set |= match part {
            "T" => return Ok(Class::Common),
            "any" => TypeSet::ANY.0,
            "number" => TypeSet::of(&NUMBER).0,
            "summable" => TypeSet::of(&NUMBER).0 | TypeSet::of(&[Type::TimeSpan]).0,
            "orderable" => ORDERABLE.0,
            "plain" => PLAIN.0,
            name => TypeSet::of(&[Type::from_name(name).ok_or_else(|| format!("unknown class '{name}'"))?]).0,
        };
    }
    Ok(Class::Types(TypeSet(set)))
}

fn parse_default(text: &str, class: Class) -> Result<Value, String> {
    let ty = match class {
        Class::Types(set) => set.types().next().unwrap_or(Type::Dynamic),
        Class::Converted(_, ty) => ty,
        Class::Common | Class::Shaped(_) => Type::Dynamic,
    };
    let ty = match class {
        Class::Types(set) if set == TypeSet::ANY => Type::Dynamic,
        _ => ty,
    };
    let quoted = text
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''))
        .or_else(|| text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')));
    if let Some(inner) = quoted {
        return Ok(Value::String(inner.to_string()));
    }
    if text == "null" {
        return Ok(match ty {
            Type::String => Value::String(String::new()),
            Type::Dynamic => Value::Dynamic(crate::value::Dynamic::Null),
            ty => Value::Null(ty),
        });
    }
    if let Ok(flag) = text.parse::<bool>() {
        return Ok(Value::Bool(flag));
    }
    if let Ok(number) = text.parse::<i64>() {
        return Ok(match ty {
            Type::Int => i32::try_from(number).map_or(Value::Long(number), Value::Int),
            Type::Real => Value::Real(number as f64),
            Type::TimeSpan => Value::TimeSpan(number),
            Type::Decimal => Value::Decimal(crate::decimal::Decimal::new(i128::from(number), 0)),
            _ => Value::Long(number),
        });
    }
    if let Ok(number) = text.parse::<f64>() {
        return Ok(Value::Real(number));
    }
    let units = [("d", 864_000_000_000), ("h", 36_000_000_000), ("m", 600_000_000), ("s", 10_000_000)];
    for (unit, ticks) in units {
        if let Some(Ok(count)) = text.strip_suffix(unit).map(str::parse::<i64>) {
            return Ok(Value::TimeSpan(count * ticks));
        }
    }
    Err(format!("unknown default '{text}'"))
}

/// The signatures of a function. Texts that cannot be read are left out (a test says there are none).
pub fn signatures(function: FunctionId) -> &'static [Signature] {
    static TABLE: LazyLock<HashMap<FunctionId, Vec<Signature>>> = LazyLock::new(|| {
        FunctionId::all()
            .map(|function| {
                let texts = function.spec().signatures;
                (function, texts.iter().filter_map(|text| parse(text).ok()).collect())
            })
            .collect()
    });
    TABLE.get(&function).map_or(&[], Vec::as_slice)
}

/// The overload that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolution {
    /// The type that each argument, given or filled in, is to have.
    pub argument_types: Vec<Type>,
    /// Values for parameters that were left out.
    pub defaults: Vec<Value>,
    pub result: Type,
}

/// Why no overload takes the arguments.
#[derive(Clone, Debug, PartialEq)]
pub enum Mismatch {
    /// `most` is `None` for any number.
    Count { least: usize, most: Option<usize> },
    /// The n-th argument should have been of another type; `code` is Kusto's for what was asked for.
    Type { position: usize, expected: String, code: &'static str },
    /// The n-th argument must be a constant.
    Constant { position: usize },
    /// The n-th argument must be a literal.
    Literal { position: usize },
    /// The n-th argument must be the name of a column.
    Column { position: usize },
    /// The n-th argument must be one of some texts.
    Value { position: usize, allowed: Vec<String> },
    /// The arguments have no type in common.
    Common,
}

/// Anything but dynamic.
const PLAIN: TypeSet = TypeSet(TypeSet::ANY.0 & !(1 << (Type::Dynamic as u16)));
/// Anything but dynamic and guid.
const ORDERABLE: TypeSet = TypeSet(PLAIN.0 & !(1 << (Type::Guid as u16)));

/// The wider of two numbers; equal types; dynamic with anything.
pub fn common_type(left: Type, right: Type) -> Option<Type> {
    if left == right {
        return Some(left);
    }
    if left == Type::Dynamic || right == Type::Dynamic {
        return Some(Type::Dynamic);
    }
    (left.is_number() && right.is_number()).then(|| left.max(right))
}

/// Whether a value of one type is taken where another is asked for, and how dear that is.
fn conversion_cost(from: Type, to: Type) -> Option<u32> {
    if from == to {
        return Some(0);
    }
    if from.is_number() && to.is_number() && from < to {
        return Some(to as u32 - from as u32);
    }
    (from == Type::Dynamic).then_some(10)
}

/// The type of the class that the argument is brought to.
fn target(class: Class, info: &ArgumentInfo<'_>) -> Option<(Type, u32)> {
    let argument = info.ty;
    let set = match class {
        Class::Common => return Some((argument, 0)),
        Class::Types(set) => set,
        Class::Converted(set, ty) => {
            return set.contains(argument).then_some((ty, u32::from(argument != ty)));
        }
        Class::Shaped(shape) => {
            let fits = argument == Type::Dynamic && info.shape.is_none_or(|known| known == shape);
            return fits.then_some((Type::Dynamic, 0));
        }
    };
    if set.contains(argument) {
        return Some((argument, 0));
    }
    if argument == Type::Dynamic {
        // What is not known to be an array or a number may be a text; nothing else is guessed.
        let may_be_text =
            set.contains(Type::String) && set != PLAIN && set != ORDERABLE && info.shape.is_none();
        return may_be_text.then_some((Type::String, 11));
    }
    set.types()
        .filter_map(|ty| conversion_cost(argument, ty).map(|cost| (ty, cost)))
        .min_by_key(|(_, cost)| *cost)
}

/// Finds the overload of a function that takes the arguments at the least cost; of equal ones the first.
pub fn resolve(
    spec: &FunctionSpec,
    overloads: &[Signature],
    arguments: &[ArgumentInfo<'_>],
) -> Result<Resolution, Mismatch> {
    if let Some(position) =
        (0..arguments.len()).find(|position| is_ambiguous(overloads, arguments, *position))
    {
        let classes = overloads
            .iter()
            .filter(|signature| signature.takes_count(arguments.len()))
            .filter_map(|signature| signature.parameter(position))
            .fold(TypeSet(0), |set, parameter| match parameter.class {
                Class::Types(types) | Class::Converted(types, _) => TypeSet(set.0 | types.0),
                Class::Common | Class::Shaped(_) => set,
            });
        return Err(wrong_type(position, Class::Types(classes)));
    }
    let mut best: Option<(u32, Resolution)> = None;
    let mut failure: Option<(usize, Mismatch)> = None;
    for signature in overloads.iter().filter(|signature| signature.takes_count(arguments.len())) {
        match attempt(spec, signature, arguments) {
            Ok((cost, resolution)) => {
                if best.as_ref().is_none_or(|(least, _)| cost < *least) {
                    best = Some((cost, resolution));
                }
            }
            Err((progress, mismatch)) => {
                if failure.as_ref().is_none_or(|(furthest, _)| progress > *furthest) {
                    failure = Some((progress, mismatch));
                }
            }
        }
    }
    if let Some((_, resolution)) = best {
        return Ok(resolution);
    }
    Err(failure.map_or_else(
        || Mismatch::Count {
            least: overloads.iter().map(Signature::least).min().unwrap_or(0),
            most: overloads
                .iter()
                .map(Signature::most)
                .try_fold(0, |most, next| next.map(|next| most.max(next))),
        },
        |(_, mismatch)| mismatch,
    ))
}

/// Whether a dynamic argument could be taken for several types, by overloads that differ there: which one was
/// meant cannot be told.
fn is_ambiguous(overloads: &[Signature], arguments: &[ArgumentInfo<'_>], position: usize) -> bool {
    if arguments[position].ty != Type::Dynamic {
        return false;
    }
    let mut types = 0;
    for signature in overloads.iter().filter(|signature| signature.takes_count(arguments.len())) {
        match signature.parameter(position).map(|parameter| parameter.class) {
            Some(Class::Types(set) | Class::Converted(set, _))
                if !set.contains(Type::Dynamic) && !set.contains(Type::String) =>
            {
                types |= set.0;
            }
            _ => return false,
        }
    }
    types.count_ones() > 1
}

fn attempt(
    spec: &FunctionSpec,
    signature: &Signature,
    arguments: &[ArgumentInfo<'_>],
) -> Result<(u32, Resolution), (usize, Mismatch)> {
    let mut total = 0;
    let mut argument_types = Vec::with_capacity(signature.parameters.len());
    let mut common: Option<Type> = None;
    let mut common_positions = Vec::new();
    for (position, argument) in arguments.iter().enumerate() {
        let Some(parameter) = signature.parameter(position) else {
            return Err((position, Mismatch::Count { least: signature.least(), most: signature.most() }));
        };
        let Some((ty, cost)) = target(parameter.class, argument) else {
            return Err((position, wrong_type(position, parameter.class)));
        };
        match parameter.form {
            // A parameter of a function that is given a literal will do: the reference's own library does so.
            Form::Literal
                if !argument.written.is_literal()
                    && (argument.written != Written::Name || argument.constant.is_none()) =>
            {
                return Err((position, Mismatch::Literal { position }));
            }
            Form::Column if argument.written == Written::Other => {
                return Err((position, Mismatch::Column { position }));
            }
            Form::Type if argument.written != Written::Type => {
                let (expected, code) = ("typeof(…)".to_string(), "SEM0107");
                return Err((position, Mismatch::Type { position, expected, code }));
            }
            Form::Constant if argument.constant.is_none() => {
                return Err((position, Mismatch::Constant { position }));
            }
            _ => {}
        }
        if let Some(Value::String(text)) = argument.constant
            && !parameter.allowed.is_empty()
            && !parameter.allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(text))
        {
            return Err((position, Mismatch::Value { position, allowed: parameter.allowed.clone() }));
        }
        total += cost;
        if parameter.class == Class::Common {
            common_positions.push(position);
            common = Some(match common {
                None => ty,
                Some(before) => common_type(before, ty).ok_or((position, Mismatch::Common))?,
            });
        }
        argument_types.push(ty);
    }
    if let Some(common) = common {
        for position in common_positions {
            argument_types[position] = common;
        }
    }
    let mut defaults = Vec::new();
    for parameter in signature.parameters.iter().skip(arguments.len()) {
        if let Some(default) = &parameter.default {
            let default = match (default, parameter.class, common) {
                (value, Class::Common, Some(ty)) if value.is_null() => match ty {
                    Type::String => Value::String(String::new()),
                    Type::Dynamic => Value::Dynamic(crate::value::Dynamic::Null),
                    ty => Value::Null(ty),
                },
                (value, _, _) => value.clone(),
            };
            argument_types.push(default.ty());
            defaults.push(default);
        }
    }
    let widest = || {
        let numbers = argument_types.iter().copied().filter(|ty| ty.is_number());
        numbers.max().unwrap_or(Type::Long).max(Type::Long)
    };
    let result = match signature.result {
        Return::Type(ty) => ty,
        Return::Shaped(_) => Type::Dynamic,
        Return::Common => common.unwrap_or(Type::Dynamic),
        Return::Promoted => widest(),
        Return::First => argument_types.first().copied().unwrap_or(Type::Dynamic),
        Return::Rule => match spec.return_rule {
            Some(rule) => {
                let arguments: Vec<ArgumentInfo<'_>> = arguments
                    .iter()
                    .zip(&argument_types)
                    .map(|(argument, ty)| ArgumentInfo { ty: *ty, ..*argument })
                    .collect();
                rule(&arguments)
            }
            None => argument_types.first().copied().unwrap_or(Type::Dynamic),
        },
    };
    if signature.result == Return::Promoted {
        for ty in argument_types.iter_mut().filter(|ty| ty.is_number()) {
            *ty = result;
        }
    }
    Ok((total, Resolution { argument_types, defaults, result }))
}

fn wrong_type(position: usize, class: Class) -> Mismatch {
    let (expected, code) = describe(class);
    Mismatch::Type { position, expected, code }
}

/// A class in words (`long`, `string or dynamic`, `a number`), and the code of the error of missing it.
fn describe(class: Class) -> (String, &'static str) {
    let number = TypeSet::of(&NUMBER);
    let summable = TypeSet(number.0 | TypeSet::of(&[Type::TimeSpan]).0);
    let with_time = TypeSet(summable.0 | TypeSet::of(&[Type::DateTime]).0);
    let integer = TypeSet::of(&[Type::Int, Type::Long]);
    let text = TypeSet::of(&[Type::String, Type::Dynamic]);
    let (words, code) = match class {
        Class::Common => ("any type", "SEM0107"),
        Class::Shaped(Shape::Array) => ("an array", "SEM0234"),
        Class::Shaped(Shape::Bag) => ("a property bag", "SEM0235"),
        Class::Shaped(Shape::Scalar) => ("dynamic", "SEM0107"),
        Class::Types(set) | Class::Converted(set, _) if set == number => ("a number", "SEM0137"),
        Class::Types(set) | Class::Converted(set, _) if set == integer => ("an integer", "SEM0134"),
        Class::Types(set) if set == summable => ("a number or timespan", "SEM0138"),
        Class::Types(set) if set == with_time => ("a number, datetime or timespan", "SEM0138"),
        Class::Types(set) if set == PLAIN => ("any type but dynamic", "SEM0116"),
        Class::Types(set) if set == ORDERABLE => ("a number, datetime, timespan, bool or string", "SEM0206"),
        Class::Types(set) | Class::Converted(set, _) => {
            let names: Vec<&str> = set.types().map(Type::name).collect();
            return (names.join(" or "), if set == text { "SEM0141" } else { "SEM0107" });
        }
    };
    (words.to_string(), code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(ty: Type) -> ArgumentInfo<'static> {
        ArgumentInfo::of(ty)
    }

    fn resolve_texts(texts: &[&str], types: &[Type]) -> Result<Resolution, Mismatch> {
        let overloads: Vec<Signature> = texts.iter().map(|text| parse(text).unwrap()).collect();
        let spec = FunctionSpec::scalar("f", &[], "");
        let arguments: Vec<ArgumentInfo<'_>> = types.iter().map(|ty| info(*ty)).collect();
        resolve(&spec, &overloads, &arguments)
    }

    #[test]
    fn every_signature_of_the_table_can_be_read() {
        for function in FunctionId::all() {
            for text in function.spec().signatures {
                assert!(parse(text).is_ok(), "{}: {text}: {:?}", function.spec().name, parse(text));
            }
        }
    }

    #[test]
    fn the_cheapest_overload_wins() {
        let texts = ["(a: long, b: long) -> long", "(a: real, b: real) -> real"];
        let found = resolve_texts(&texts, &[Type::Int, Type::Real]).unwrap();
        assert_eq!(found.argument_types, [Type::Real, Type::Real]);
        assert_eq!(found.result, Type::Real);
        assert_eq!(resolve_texts(&texts, &[Type::Int, Type::Int]).unwrap().result, Type::Long);
    }

    #[test]
    fn defaults_are_filled_in() {
        let found = resolve_texts(&["(s: string, n: long = -1) -> string"], &[Type::String]).unwrap();
        assert_eq!(found.defaults, [Value::Long(-1)]);
        assert_eq!(found.argument_types, [Type::String, Type::Long]);
    }

    #[test]
    fn common_types_and_repetition() {
        let texts = ["(a: T, b: T...) -> T"];
        let found = resolve_texts(&texts, &[Type::Int, Type::Long, Type::Real]).unwrap();
        assert_eq!(found.argument_types, [Type::Real; 3]);
        assert_eq!(resolve_texts(&texts, &[Type::Int, Type::String]), Err(Mismatch::Common));
        assert_eq!(resolve_texts(&texts, &[Type::Int]), Err(Mismatch::Count { least: 2, most: None }));
    }

    #[test]
    fn dynamic_becomes_the_one_type_asked_for() {
        let found = resolve_texts(&["(s: string) -> long"], &[Type::Dynamic]).unwrap();
        assert_eq!(found.argument_types, [Type::String]);
        let failed = resolve_texts(&["(s: number) -> real"], &[Type::Dynamic]);
        assert_eq!(failed, Err(Mismatch::Type { position: 0, expected: "a number".into(), code: "SEM0137" }));
    }
}
