//! The one table of functions.
//!
//! Every scalar function, operator, aggregate, window function and plugin is declared once in a family file
//! of this folder: name, aliases, signatures, null rule, properties, documentation, examples. The binder,
//! the optimiser, completion, hover help, the generated reference and the example tests read this table;
//! the executor binds each `FunctionId` to a kernel by one exhaustive match per family, so that a
//! declaration without a kernel does not compile. Nothing here knows Arrow or how a function is computed.
//!
//! # Signatures
//!
//! A signature is written as text, read by `signature.rs`:
//!
//! ```text
//! (text: string, start: long, length: long = null) -> string
//! (value: T, others: T...) -> T
//! (array: dynamic, index: const long) -> dynamic
//! (left: number, right: number) -> promoted
//! ```
//!
//! A parameter is `name: class`, optionally `const class` (must fold to a constant) or `literal class` (must be
//! written as one), `column class` (a column's name), `type string` (`typeof(…)`), `class in a|b|c` (one of these texts), `= default` (may be left out; the binder fills the
//! default in), or `class...` for one or more repetitions (only last). A class is a type name, several joined by
//! `|`, `any`, `number` (int long real decimal), `summable` (number or timespan), `plain` (anything but
//! dynamic), `orderable` (nor guid), `array` or `bag` (dynamic, refused where it is known to be something else), `text` (anything, comes as
//! string), `textual` (string or dynamic, comes as string), `integer` (int or long, comes as long), `floating` and `whole` (any number, comes as real or long), or
//! `T`: all parameters of class `T` are brought to one common type. The return is a type name, `array` or `bag`, `T`,
//! `promoted` (the wider of the number arguments), `first` (type of the first argument), or `rule` (see
//! `FunctionSpec::return_rule`).
//!
//! Overloads are tried in order: first one that takes the argument types exactly, then one that takes them
//! after Kusto's implicit conversions (int→long→real→decimal, dynamic→string). The binder wraps a converted
//! argument in a `Call` of the cast function, so kernels get exactly the parameter types.

pub mod aggregate;
pub mod conditional;
pub mod context;
pub mod conversion;
pub mod datetime;
pub mod dynamic;
pub mod geo;
pub mod hash;
pub mod math;
pub mod operator;
pub mod signature;
pub mod string;
pub mod window;

use serde::{Deserialize, Serialize};

use crate::types::Type;
use crate::value::Value;

pub use aggregate::AggregateFunction;
pub use conditional::ConditionalFunction;
pub use context::ContextFunction;
pub use conversion::ConversionFunction;
pub use datetime::DateTimeFunction;
pub use dynamic::DynamicFunction;
pub use geo::GeoFunction;
pub use hash::HashFunction;
pub use math::MathFunction;
pub use operator::OperatorFunction;
pub use string::StringFunction;
pub use window::WindowFunction;

/// A function of the table, by family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FunctionId {
    Operator(OperatorFunction),
    Conditional(ConditionalFunction),
    Context(ContextFunction),
    Conversion(ConversionFunction),
    DateTime(DateTimeFunction),
    Dynamic(DynamicFunction),
    Geo(GeoFunction),
    Hash(HashFunction),
    Math(MathFunction),
    String(StringFunction),
    Window(WindowFunction),
    Aggregate(AggregateFunction),
}

/// Where a function may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionKind {
    Scalar,
    /// Needs rows in a meaningful order; computed over the whole input in sequence.
    Window,
    /// Only in `summarize`, `make-series` and their kin.
    Aggregate,
}

/// What a null argument does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NullRule {
    /// Any null argument gives null (for string results: the empty string). The evaluator sees to it for
    /// rows; kernels may assume that nulls are masked afterwards.
    NullGivesNull,
    /// The kernel decides.
    Handled,
}

/// The arguments as a return rule sees them: types, and values where they are constants.
#[derive(Clone, Copy, Debug)]
pub struct ArgumentInfo<'a> {
    pub ty: Type,
    pub constant: Option<&'a Value>,
    pub written: Written,
    /// Of a dynamic argument, where it is known.
    pub shape: Option<Shape>,
}

impl ArgumentInfo<'_> {
    /// An argument of which only the type is known.
    pub fn of(ty: Type) -> ArgumentInfo<'static> {
        ArgumentInfo { ty, constant: None, written: Written::Unknown, shape: None }
    }
}

/// How an argument stands in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    Literal,
    /// `typeof(…)`
    Type,
    /// A name.
    Name,
    Other,
    /// It does not stand in a text.
    Unknown,
}

impl Written {
    pub fn is_literal(self) -> bool {
        !matches!(self, Written::Name | Written::Other)
    }
}

/// What a dynamic value is known to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Array,
    Bag,
    /// A number, a text …
    Scalar,
}

/// A documented call with its answer.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    /// A whole query.
    pub query: &'static str,
    /// The rows, as the `csv` response format prints them without the header.
    pub answer: &'static str,
}

/// One entry of the table.
#[derive(Clone, Copy, Debug)]
pub struct FunctionSpec {
    pub name: &'static str,
    pub aliases: &'static [&'static str],
    pub kind: FunctionKind,
    pub signatures: &'static [&'static str],
    /// For signatures that return `rule`.
    pub return_rule: Option<fn(&[ArgumentInfo<'_>]) -> Type>,
    /// Aggregates that yield several columns or name their columns specially: see `aggregate.rs`.
    pub nulls: NullRule,
    /// Differs from call to call (`rand`, `new_guid`): never folded, never cached.
    pub volatile: bool,
    pub summary: &'static str,
    pub examples: &'static [Example],
}

impl FunctionSpec {
    /// A scalar function whose null arguments give null.
    pub const fn scalar(
        name: &'static str,
        signatures: &'static [&'static str],
        summary: &'static str,
    ) -> Self {
        FunctionSpec {
            name,
            aliases: &[],
            kind: FunctionKind::Scalar,
            signatures,
            return_rule: None,
            nulls: NullRule::NullGivesNull,
            volatile: false,
            summary,
            examples: &[],
        }
    }

    pub const fn aggregate(
        name: &'static str,
        signatures: &'static [&'static str],
        summary: &'static str,
    ) -> Self {
        let mut spec = Self::scalar(name, signatures, summary);
        spec.kind = FunctionKind::Aggregate;
        spec.nulls = NullRule::Handled;
        spec
    }

    pub const fn window(
        name: &'static str,
        signatures: &'static [&'static str],
        summary: &'static str,
    ) -> Self {
        let mut spec = Self::scalar(name, signatures, summary);
        spec.kind = FunctionKind::Window;
        spec.nulls = NullRule::Handled;
        spec
    }

    pub const fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    /// The kernel sees nulls and decides.
    pub const fn handles_nulls(mut self) -> Self {
        self.nulls = NullRule::Handled;
        self
    }

    pub const fn volatile(mut self) -> Self {
        self.volatile = true;
        self
    }

    pub const fn returns(mut self, rule: fn(&[ArgumentInfo<'_>]) -> Type) -> Self {
        self.return_rule = Some(rule);
        self
    }

    pub const fn examples(mut self, examples: &'static [Example]) -> Self {
        self.examples = examples;
        self
    }
}

/// Declares a family: an enum with one variant per function and the table of their specifications.
macro_rules! function_family {
    ($(#[$meta:meta])* $family:ident { $($variant:ident => $spec:expr,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $family { $($variant,)* }

        impl $family {
            /// Every function of the family.
            pub const ALL: &'static [$family] = &[$($family::$variant,)*];

            const SPECS: &'static [$crate::function::FunctionSpec] = &[$($spec,)*];

            /// The specification of the function.
            pub fn spec(self) -> &'static $crate::function::FunctionSpec {
                &Self::SPECS[self as usize]
            }
        }
    };
}
pub(crate) use function_family;

impl FunctionId {
    /// The specification of the function.
    pub fn spec(self) -> &'static FunctionSpec {
        match self {
            FunctionId::Operator(f) => f.spec(),
            FunctionId::Conditional(f) => f.spec(),
            FunctionId::Context(f) => f.spec(),
            FunctionId::Conversion(f) => f.spec(),
            FunctionId::DateTime(f) => f.spec(),
            FunctionId::Dynamic(f) => f.spec(),
            FunctionId::Geo(f) => f.spec(),
            FunctionId::Hash(f) => f.spec(),
            FunctionId::Math(f) => f.spec(),
            FunctionId::String(f) => f.spec(),
            FunctionId::Window(f) => f.spec(),
            FunctionId::Aggregate(f) => f.spec(),
        }
    }

    /// Every function of every family.
    pub fn all() -> impl Iterator<Item = FunctionId> {
        let operators = OperatorFunction::ALL.iter().copied().map(FunctionId::Operator);
        operators
            .chain(ConditionalFunction::ALL.iter().copied().map(FunctionId::Conditional))
            .chain(ContextFunction::ALL.iter().copied().map(FunctionId::Context))
            .chain(ConversionFunction::ALL.iter().copied().map(FunctionId::Conversion))
            .chain(DateTimeFunction::ALL.iter().copied().map(FunctionId::DateTime))
            .chain(DynamicFunction::ALL.iter().copied().map(FunctionId::Dynamic))
            .chain(GeoFunction::ALL.iter().copied().map(FunctionId::Geo))
            .chain(HashFunction::ALL.iter().copied().map(FunctionId::Hash))
            .chain(MathFunction::ALL.iter().copied().map(FunctionId::Math))
            .chain(StringFunction::ALL.iter().copied().map(FunctionId::String))
            .chain(WindowFunction::ALL.iter().copied().map(FunctionId::Window))
            .chain(AggregateFunction::ALL.iter().copied().map(FunctionId::Aggregate))
    }

    /// The function of that name or alias (case-sensitive, as in Kusto). Operators have no callable name.
    /// Where an aggregate and a scalar function share a name (`hll_merge`), this is the scalar one.
    pub fn by_name(name: &str) -> Option<FunctionId> {
        let (functions, aggregates) = Self::names();
        functions.get(name).or_else(|| aggregates.get(name)).copied()
    }

    /// As `by_name`, but an aggregate comes first: for calls inside `summarize` and its kin that are not
    /// themselves within an aggregate.
    pub fn by_name_in_aggregation(name: &str) -> Option<FunctionId> {
        let (functions, aggregates) = Self::names();
        aggregates.get(name).or_else(|| functions.get(name)).copied()
    }

    fn names() -> &'static (Names, Names) {
        use std::sync::LazyLock;
        static NAMES: LazyLock<(Names, Names)> = LazyLock::new(|| {
            let (mut functions, mut aggregates) = (Names::new(), Names::new());
            for function in FunctionId::all().filter(|f| !matches!(f, FunctionId::Operator(_))) {
                let spec = function.spec();
                let names = match spec.kind {
                    FunctionKind::Aggregate => &mut aggregates,
                    FunctionKind::Scalar | FunctionKind::Window => &mut functions,
                };
                names.insert(spec.name, function);
                names.extend(spec.aliases.iter().map(|alias| (*alias, function)));
            }
            (functions, aggregates)
        });
        &NAMES
    }
}

type Names = std::collections::HashMap<&'static str, FunctionId>;
