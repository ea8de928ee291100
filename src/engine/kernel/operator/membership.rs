//! `in`, `in~`, `has_any`, `has_all` and their negations.
//!
//! Constant alternatives become a set once per query. An argument that is an array stands for its elements.
//! As a chain of `==` joined by `or`, a null equals no value, and is null only against a null alternative.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray};
use conshelf_kql::{Decimal, Type, time};
use conshelf_storage::dynamic;
use conshelf_storage::terms::{TermFinder, TermMatch, fold, is_term_character, terms};
use conshelf_storage::{DynamicKind, DynamicRef};
use hashbrown::{HashSet, HashTable};

use crate::engine::error::{EngineError, Result};
use crate::engine::kernel::access::{
    Bools, Bytes16, Dynamics, Ints, Longs, Reals, Texts, argument, bools, nullable_bools,
};
use crate::engine::kernel::operator::comparison::{Relation, compare};
use crate::engine::kernel::operator::logic;
use crate::engine::kernel::operator::text::equals_folded;
use crate::engine::kernel::{Datum, Prepared};
use crate::engine::literal::flatten;

type Fast = foldhash::fast::RandomState;

/// The alternatives of an `in`, of the type of the value that is looked for.
#[derive(Debug)]
struct ValueSet {
    values: Values,
    has_null: bool,
}

#[derive(Debug)]
enum Values {
    /// Also datetimes, timespans, ints.
    Longs(LongSet),
    /// Bits of doubles, zero without its sign; NaN is in no set.
    Reals(HashSet<u64, Fast>),
    Bools([bool; 2]),
    Bytes16(HashSet<[u8; 16], Fast>),
    Texts(HashSet<Box<str>, Fast>),
    /// Folded.
    TextsIgnoringCase(HashSet<Box<str>, Fast>),
    Dynamics(HashTable<Box<[u8]>>, Fast),
}

/// Few integers are compared one after the other, many are hashed.
#[derive(Debug, Default)]
struct LongSet {
    few: Vec<i64>,
    many: HashSet<i64, Fast>,
}

impl LongSet {
    const FEW: usize = 8;

    fn insert(&mut self, value: i64) {
        if !self.many.insert(value) {
            return;
        }
        if self.many.len() <= Self::FEW {
            self.few.push(value);
        }
    }

    #[inline]
    fn contains(&self, value: i64) -> bool {
        if self.many.len() <= Self::FEW { self.few.contains(&value) } else { self.many.contains(&value) }
    }
}

fn real_bits(value: f64) -> u64 {
    if value == 0.0 { 0 } else { value.to_bits() }
}

fn dynamic_hash(state: &Fast, value: DynamicRef<'_>) -> u64 {
    let mut hasher = state.build_hasher();
    dynamic::hash(value, &mut hasher);
    hasher.finish()
}

impl ValueSet {
    fn new(ty: Type, ignore_case: bool) -> ValueSet {
        let values = match ty {
            Type::Int | Type::Long | Type::DateTime | Type::TimeSpan => Values::Longs(LongSet::default()),
            Type::Real => Values::Reals(HashSet::default()),
            Type::Bool => Values::Bools([false; 2]),
            Type::Decimal | Type::Guid => Values::Bytes16(HashSet::default()),
            Type::String if ignore_case => Values::TextsIgnoringCase(HashSet::default()),
            Type::String => Values::Texts(HashSet::default()),
            Type::Dynamic => Values::Dynamics(HashTable::new(), Fast::default()),
        };
        ValueSet { values, has_null: false }
    }

    fn insert_text(&mut self, text: &str) {
        match &mut self.values {
            Values::Texts(set) => {
                set.get_or_insert_with(text, |text| text.into());
            }
            Values::TextsIgnoringCase(set) => {
                set.insert(fold(text).into());
            }
            _ => {}
        }
    }

    /// Adds the values of a column of the set's type, or of dynamic values.
    fn insert_column(&mut self, ty: Type, array: &ArrayRef, array_type: Type) -> Result<()> {
        let datum = Datum::Array(flatten(array)?);
        let rows = array.len();
        if array_type == Type::Dynamic {
            let values = Dynamics::new(&datum)?;
            for row in 0..rows {
                let value = values.get(row);
                match value.kind() {
                    DynamicKind::Array => {
                        value.iter_array().for_each(|element| self.insert_dynamic(ty, element))
                    }
                    _ => self.insert_dynamic(ty, value),
                }
            }
            return Ok(());
        }
        if ty != array_type && !(ty.is_integer() && array_type.is_integer()) {
            return Err(EngineError::Internal(format!("a set of {ty} is given {array_type}")));
        }
        match &mut self.values {
            Values::Longs(set) if array_type == Type::Int => {
                let values = Ints::new(&datum)?;
                for row in 0..rows {
                    values
                        .get(row)
                        .map_or_else(|| self.has_null = true, |value| set.insert(i64::from(value)));
                }
            }
            Values::Longs(set) => {
                let values = Longs::new(&datum)?;
                for row in 0..rows {
                    values.get(row).map_or_else(|| self.has_null = true, |value| set.insert(value));
                }
            }
            Values::Reals(set) => {
                let values = Reals::new(&datum)?;
                for row in 0..rows {
                    match values.get(row) {
                        Some(value) if value.is_nan() => {}
                        Some(value) => {
                            set.insert(real_bits(value));
                        }
                        None => self.has_null = true,
                    }
                }
            }
            Values::Bools(seen) => {
                let values = Bools::new(&datum)?;
                for row in 0..rows {
                    values.get(row).map_or_else(|| self.has_null = true, |v| seen[usize::from(v)] = true);
                }
            }
            Values::Bytes16(set) => {
                let values = Bytes16::new(&datum)?;
                for row in 0..rows {
                    match values.get(row) {
                        Some(value) => {
                            set.insert(value);
                        }
                        None => self.has_null = true,
                    }
                }
            }
            Values::Texts(_) | Values::TextsIgnoringCase(_) => {
                let values = Texts::new(&datum)?;
                for row in 0..rows {
                    self.insert_text(values.get(row));
                }
            }
            Values::Dynamics(..) => {}
        }
        Ok(())
    }

    /// Adds an element, if it has a meaning in the set's type.
    fn insert_dynamic(&mut self, ty: Type, value: DynamicRef<'_>) {
        if value.is_null() {
            self.has_null = true;
            return;
        }
        let text = value.as_str();
        match &mut self.values {
            Values::Longs(set) => {
                let long = match ty {
                    Type::DateTime => value.as_datetime().or_else(|| time::parse_datetime(text?)),
                    Type::TimeSpan => value.as_timespan().or_else(|| time::parse_timespan(text?)),
                    _ => value.as_long().or_else(|| {
                        let real = value.as_real()?;
                        (real.trunc() == real && real.abs() < 9e18).then_some(real as i64)
                    }),
                };
                long.into_iter().for_each(|long| set.insert(long));
            }
            Values::Reals(set) => {
                if let Some(real) = value.as_number().filter(|real| !real.is_nan()) {
                    set.insert(real_bits(real));
                }
            }
            Values::Bools(seen) => {
                value.as_bool().into_iter().for_each(|value| seen[usize::from(value)] = true);
            }
            Values::Bytes16(set) => {
                let bytes = match ty {
                    Type::Guid => value.as_guid().or_else(|| crate::engine::kernel::text::parse_guid(text?)),
                    _ => {
                        let decimal = value
                            .as_long()
                            .map(Decimal::from)
                            .or_else(|| Decimal::from_f64(value.as_real()?))
                            .map(Decimal::to_bytes);
                        decimal.or_else(|| value.as_decimal().map(|decimal| decimal.0))
                    }
                };
                set.extend(bytes);
            }
            Values::Texts(_) | Values::TextsIgnoringCase(_) => {
                let mut printed = String::new();
                match text {
                    Some(text) => self.insert_text(text),
                    None => {
                        crate::engine::kernel::text::print_dynamic(value, &mut printed);
                        self.insert_text(&printed);
                    }
                }
            }
            Values::Dynamics(table, state) => {
                let hash = dynamic_hash(state, value);
                if table.find(hash, |known| dynamic::equal(DynamicRef::new(known), value)).is_none() {
                    table.insert_unique(hash, value.bytes().into(), |known| {
                        dynamic_hash(state, DynamicRef::new(known))
                    });
                }
            }
        }
    }

    fn test(&self, ty: Type, value: &Datum, rows: usize, negated: bool) -> Result<ArrayRef> {
        if let Values::Texts(_) | Values::TextsIgnoringCase(_) = &self.values {
            let texts = Texts::new(value)?;
            let array = match &self.values {
                Values::Texts(set) if set.len() == 1 => {
                    let only = set.iter().next().map_or("", |text| &**text);
                    bools(rows, |row| (texts.get(row) == only) != negated)
                }
                Values::Texts(set) => bools(rows, |row| set.contains(texts.get(row)) != negated),
                Values::TextsIgnoringCase(set) if set.len() == 1 => {
                    let only = set.iter().next().map_or("", |text| &**text);
                    bools(rows, |row| equals_folded(texts.get(row), only) != negated)
                }
                Values::TextsIgnoringCase(set) => {
                    bools(rows, |row| set.contains(&*fold(texts.get(row))) != negated)
                }
                _ => bools(rows, |_| negated),
            };
            return Ok(array);
        }
        let (array, _) = value.parts();
        if array.null_count() == 0
            && let Values::Longs(set) = &self.values
            && ty != Type::Int
        {
            let longs = Longs::new(value)?;
            return Ok(bools(rows, |row| set.contains(longs.raw(row)) != negated));
        }
        let found: Box<dyn Fn(usize) -> Option<bool> + '_> = match &self.values {
            Values::Longs(set) if ty == Type::Int => {
                let ints = Ints::new(value)?;
                Box::new(move |row| ints.get(row).map(|int| set.contains(i64::from(int))))
            }
            Values::Longs(set) => {
                let longs = Longs::new(value)?;
                Box::new(move |row| longs.get(row).map(|long| set.contains(long)))
            }
            Values::Reals(set) => {
                let reals = Reals::new(value)?;
                Box::new(move |row| reals.get(row).map(|real| set.contains(&real_bits(real))))
            }
            Values::Bools(seen) => {
                let truths = Bools::new(value)?;
                Box::new(move |row| truths.get(row).map(|truth| seen[usize::from(truth)]))
            }
            Values::Bytes16(set) => {
                let bytes = Bytes16::new(value)?;
                Box::new(move |row| bytes.get(row).map(|bytes| set.contains(&bytes)))
            }
            Values::Dynamics(table, state) => {
                let values = Dynamics::new(value)?;
                Box::new(move |row| {
                    let value = values.get(row);
                    (!value.is_null()).then(|| {
                        let hash = dynamic_hash(state, value);
                        table.find(hash, |known| dynamic::equal(DynamicRef::new(known), value)).is_some()
                    })
                })
            }
            Values::Texts(_) | Values::TextsIgnoringCase(_) => Box::new(|_| Some(false)),
        };
        Ok(nullable_bools(rows, |row| match found(row) {
            Some(found) => Some(found != negated),
            None if self.has_null => None,
            None => Some(negated),
        }))
    }
}

/// Whether a value is in a column that a subquery yielded.
pub fn prepare_membership(
    ty: Type,
    column_type: Type,
    pieces: &[ArrayRef],
    negated: bool,
    ignore_case: bool,
) -> Result<Prepared> {
    let mut set = ValueSet::new(ty, ignore_case);
    for piece in pieces {
        set.insert_column(ty, piece, column_type)?;
    }
    Ok(Box::new(move |call, arguments| set.test(ty, argument(arguments, 0)?, call.rows, negated)))
}

/// The set of constant alternatives; `None` when some are not constant.
pub fn prepare_in(
    argument_types: &[Type],
    constants: &[Option<&ArrayRef>],
    negated: bool,
    ignore_case: bool,
) -> Result<Option<Prepared>> {
    let ([ty, other_types @ ..], [_, others @ ..]) = (argument_types, constants) else { return Ok(None) };
    let Some(others) = others.iter().copied().collect::<Option<Vec<_>>>() else { return Ok(None) };
    let ty = *ty;
    let mut set = ValueSet::new(ty, ignore_case);
    for (other, other_type) in others.into_iter().zip(other_types) {
        set.insert_column(ty, other, *other_type)?;
    }
    Ok(Some(Box::new(move |call, arguments| set.test(ty, argument(arguments, 0)?, call.rows, negated))))
}

/// Alternatives that differ from row to row.
pub fn is_in(
    call: &crate::engine::kernel::KernelCall<'_>,
    arguments: &[Datum],
    negated: bool,
    ignore_case: bool,
) -> Result<ArrayRef> {
    let value = argument(arguments, 0)?;
    let ty = call.argument_types.first().copied().unwrap_or(Type::Dynamic);
    let mut any = BooleanArray::from(vec![false; call.rows]);
    for (other, other_type) in arguments.iter().zip(call.argument_types).skip(1) {
        let equal = if *other_type == Type::Dynamic || ty == Type::Dynamic {
            in_arrays(ty, value, other, call.rows, ignore_case)?
        } else if ignore_case {
            let (texts, others) = (Texts::new(value)?, Texts::new(other)?);
            let equal = |row| equals_folded(texts.get(row), &fold(others.get(row)));
            (0..call.rows).map(|row| Some(equal(row))).collect()
        } else {
            compare(Relation::Equal, ty, value, other, call.rows)?
        };
        any = logic::either(&any, &equal);
    }
    Ok(Arc::new(if negated { logic::opposite(&any) } else { any }))
}

/// Whether a value is an element of the array of its row.
fn in_arrays(
    ty: Type,
    value: &Datum,
    arrays: &Datum,
    rows: usize,
    ignore_case: bool,
) -> Result<BooleanArray> {
    let arrays = Dynamics::new(arrays)?;
    let (array, constant) = value.parts();
    let mut found = Vec::with_capacity(rows);
    for row in 0..rows {
        let mut set = ValueSet::new(ty, ignore_case);
        let alternatives = arrays.get(row);
        match alternatives.kind() {
            DynamicKind::Array => {
                alternatives.iter_array().for_each(|element| set.insert_dynamic(ty, element))
            }
            _ => set.insert_dynamic(ty, alternatives),
        }
        let one = Datum::Constant(array.slice(if constant { 0 } else { row }, 1));
        let answer = set.test(ty, &one, 1, false)?;
        found.push(answer.as_boolean_opt().and_then(|answer| answer.iter().next().flatten()));
    }
    Ok(BooleanArray::from(found))
}

/// A search for any or all of several terms.
#[derive(Debug)]
struct TermSearch {
    finders: Vec<TermFinder>,
    /// The terms, folded, where each is a whole term: one pass over the text finds all.
    whole: Option<HashSet<Box<str>, Fast>>,
    all: bool,
}

impl TermSearch {
    /// From so many terms on a text is split once instead of searched for each.
    const MANY: usize = 6;

    fn new(patterns: &[String], all: bool) -> TermSearch {
        let single = |pattern: &String| !pattern.is_empty() && pattern.chars().all(is_term_character);
        let whole = (patterns.len() >= Self::MANY && patterns.iter().all(single))
            .then(|| patterns.iter().map(|pattern| fold(pattern).into()).collect());
        let finders =
            patterns.iter().map(|pattern| TermFinder::new(pattern, false, TermMatch::Whole)).collect();
        TermSearch { finders, whole, all }
    }

    fn holds(&self, text: &str) -> bool {
        match &self.whole {
            Some(whole) if !self.all => terms(text).any(|term| whole.contains(&*fold(term))),
            _ if self.all => self.finders.iter().all(|finder| finder.is_match(text)),
            _ => self.finders.iter().any(|finder| finder.is_match(text)),
        }
    }
}

/// The texts an argument stands for in one row.
fn push_patterns(datum: &Datum, ty: Type, row: usize, patterns: &mut Vec<String>) -> Result<()> {
    if ty != Type::Dynamic {
        patterns.push(Texts::new(datum)?.get(row).to_owned());
        return Ok(());
    }
    let value = Dynamics::new(datum)?.get(row);
    let mut push = |value: DynamicRef<'_>| {
        let mut text = String::new();
        crate::engine::kernel::text::print_dynamic(value, &mut text);
        patterns.push(text);
    };
    match value.kind() {
        DynamicKind::Array => value.iter_array().for_each(push),
        DynamicKind::Null => {}
        _ => push(value),
    }
    Ok(())
}

pub fn prepare_terms(
    argument_types: &[Type],
    constants: &[Option<&ArrayRef>],
    all: bool,
) -> Result<Option<Prepared>> {
    let ([_, types @ ..], [_, others @ ..]) = (argument_types, constants) else { return Ok(None) };
    let Some(others) = others.iter().copied().collect::<Option<Vec<_>>>() else { return Ok(None) };
    let mut patterns = Vec::new();
    for (other, ty) in others.into_iter().zip(types) {
        push_patterns(&Datum::Constant(other.clone()), *ty, 0, &mut patterns)?;
    }
    let search = TermSearch::new(&patterns, all);
    Ok(Some(Box::new(move |call, arguments| {
        let texts = Texts::new(argument(arguments, 0)?)?;
        Ok(bools(call.rows, |row| search.holds(texts.get(row))))
    })))
}

/// Terms that differ from row to row.
pub fn has_terms(
    call: &crate::engine::kernel::KernelCall<'_>,
    arguments: &[Datum],
    all: bool,
) -> Result<ArrayRef> {
    let texts = Texts::new(argument(arguments, 0)?)?;
    let mut holds = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        let mut patterns = Vec::new();
        for (other, ty) in arguments.iter().zip(call.argument_types).skip(1) {
            push_patterns(other, *ty, row, &mut patterns)?;
        }
        holds.push(TermSearch::new(&patterns, all).holds(texts.get(row)));
    }
    Ok(Arc::new(BooleanArray::from(holds)))
}
