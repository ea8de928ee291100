//! Aggregates: their declarations, the columns they yield and the names these columns get by default.
//!
//! An `-if` variant is the plain aggregate over the rows for which its condition is true: `base_of_conditional`
//! and `condition_argument` tell the binder how to lower it, so that the executor only knows plain ones.
//! How a state is held and merged is the engine's.

use crate::function::{ArgumentInfo, Example, FunctionSpec, function_family};
use crate::types::Type;
use crate::value::Value;

const AVERAGE: &[&str] = &[
    "(value: int|long|real) -> real",
    "(value: decimal) -> decimal",
    "(value: timespan) -> timespan",
    "(value: datetime) -> datetime",
];
const AVERAGE_IF: &[&str] = &[
    "(value: int|long|real, condition: bool) -> real",
    "(value: decimal, condition: bool) -> decimal",
    "(value: timespan, condition: bool) -> timespan",
    "(value: datetime, condition: bool) -> datetime",
];
const SPREAD: &[&str] = &["(value: int|long|real|decimal|timespan|datetime) -> real"];
const SPREAD_IF: &[&str] = &["(value: int|long|real|decimal|timespan|datetime, condition: bool) -> real"];
const PAIR: &[&str] = &["(first: number, second: number) -> real"];
const PAIR_IF: &[&str] = &["(first: number, second: number, condition: bool) -> real"];
const SUMMABLE: &[&str] = &["(value: int|long|real|decimal|timespan|datetime) -> rule"];
const SUMMABLE_IF: &[&str] = &["(value: int|long|real|decimal|timespan|datetime, condition: bool) -> rule"];
const EXTREME: &[&str] = &["(value: orderable) -> first"];
const EXTREME_IF: &[&str] = &["(value: orderable, condition: bool) -> first"];
const ROW_EXTREME: &[&str] =
    &["(extreme: orderable) -> first", "(extreme: orderable, returned: any...) -> first"];
const BITS: &[&str] = &["(value: int) -> int", "(value: long) -> long"];

function_family! {
    /// Aggregates.
    AggregateFunction {
        Count => FunctionSpec::aggregate("count", &["() -> long", "(ignored: any) -> long"], "Number of rows.").aliases(&["cnt"])
            .examples(&[Example { query: "range x from 1 to 3 step 1 | summarize count()", answer: "3" }]),
        CountIf => FunctionSpec::aggregate("countif", &["(condition: bool) -> long"], "Number of rows for which a condition is true.")
            .examples(&[Example { query: "range x from 1 to 5 step 1 | summarize countif(x > 3)", answer: "2" }]),
        Sum => FunctionSpec::aggregate("sum", SUMMABLE, "Sum of the values; 0 if there is none.").returns(sum_type)
            .examples(&[Example { query: "range x from 1 to 4 step 1 | summarize sum(x)", answer: "10" }]),
        SumIf => FunctionSpec::aggregate("sumif", SUMMABLE_IF, "Sum of the values of rows for which a condition is true.").returns(sum_type)
            .examples(&[Example { query: "range x from 1 to 4 step 1 | summarize sumif(x, x % 2 == 0)", answer: "6" }]),
        Avg => FunctionSpec::aggregate("avg", AVERAGE, "Arithmetic mean of the values that are not null.")
            .examples(&[Example { query: "range x from 1 to 4 step 1 | summarize avg(x)", answer: "2.5" }]),
        AvgIf => FunctionSpec::aggregate("avgif", AVERAGE_IF, "Arithmetic mean over rows for which a condition is true.")
            .examples(&[Example { query: "range x from 1 to 4 step 1 | summarize avgif(x, x > 2)", answer: "3.5" }]),
        Min => FunctionSpec::aggregate("min", EXTREME, "Least value.")
            .examples(&[Example { query: "range x from 3 to 5 step 1 | summarize min(x)", answer: "3" }]),
        MinIf => FunctionSpec::aggregate("minif", EXTREME_IF, "Least value of rows for which a condition is true.")
            .examples(&[Example { query: "range x from 3 to 5 step 1 | summarize minif(x, x > 3)", answer: "4" }]),
        Max => FunctionSpec::aggregate("max", EXTREME, "Greatest value.")
            .examples(&[Example { query: "range x from 3 to 5 step 1 | summarize max(x)", answer: "5" }]),
        MaxIf => FunctionSpec::aggregate("maxif", EXTREME_IF, "Greatest value of rows for which a condition is true.")
            .examples(&[Example { query: "range x from 3 to 5 step 1 | summarize maxif(x, x < 5)", answer: "4" }]),
        Stdev => FunctionSpec::aggregate("stdev", SPREAD, "Standard deviation of a sample.")
            .examples(&[Example { query: "range x from 1 to 3 step 1 | summarize stdev(x)", answer: "1.0" }]),
        StdevIf => FunctionSpec::aggregate("stdevif", SPREAD_IF, "Standard deviation of a sample, over rows for which a condition is true.")
            .examples(&[Example { query: "range x from 1 to 5 step 1 | summarize stdevif(x, x <= 3)", answer: "1.0" }]),
        Stdevp => FunctionSpec::aggregate("stdevp", SPREAD, "Standard deviation of a whole population.")
            .examples(&[Example { query: "range x from 1 to 2 step 1 | summarize stdevp(x)", answer: "0.5" }]),
        Variance => FunctionSpec::aggregate("variance", SPREAD, "Variance of a sample.")
            .examples(&[Example { query: "range x from 1 to 5 step 1 | summarize variance(x)", answer: "2.5" }]),
        VarianceIf => FunctionSpec::aggregate("varianceif", SPREAD_IF, "Variance of a sample, over rows for which a condition is true.")
            .examples(&[Example { query: "range x from 1 to 9 step 1 | summarize varianceif(x, x <= 5)", answer: "2.5" }]),
        Variancep => FunctionSpec::aggregate("variancep", SPREAD, "Variance of a whole population.")
            .examples(&[Example { query: "range x from 1 to 5 step 1 | summarize variancep(x)", answer: "2.0" }]),
        VariancepIf => FunctionSpec::aggregate("variancepif", SPREAD_IF, "Variance of a whole population, over rows for which a condition is true.")
            .examples(&[Example { query: "range x from 1 to 9 step 1 | summarize variancepif(x, x <= 5)", answer: "2.0" }]),
        Covariance => FunctionSpec::aggregate("covariance", PAIR, "Covariance of a sample of pairs.")
            .examples(&[Example { query: "range x from 1 to 3 step 1 | summarize covariance(x, 2 * x)", answer: "2.0" }]),
        CovarianceIf => FunctionSpec::aggregate("covarianceif", PAIR_IF, "Covariance of a sample of pairs, over rows for which a condition is true.")
            .examples(&[Example { query: "range x from 1 to 9 step 1 | summarize covarianceif(x, 2 * x, x <= 3)", answer: "2.0" }]),
        Covariancep => FunctionSpec::aggregate("covariancep", PAIR, "Covariance of a whole population of pairs.")
            .examples(&[Example { query: "range x from 1 to 5 step 1 | summarize covariancep(x, x)", answer: "2.0" }]),
        CovariancepIf => FunctionSpec::aggregate("covariancepif", PAIR_IF, "Covariance of a whole population of pairs, over rows for which a condition is true.")
            .examples(&[Example { query: "range x from 1 to 9 step 1 | summarize covariancepif(x, x, x <= 5)", answer: "2.0" }]),
        Dcount => FunctionSpec::aggregate("dcount", &["(value: any, accuracy: const long = 1) -> long"], "Estimated number of distinct values; exact while they are few.")
            .examples(&[Example { query: "range x from 1 to 9 step 1 | summarize dcount(x % 3)", answer: "3" }]),
        DcountIf => FunctionSpec::aggregate("dcountif", &["(value: any, condition: bool, accuracy: const long = 1) -> long"], "Estimated number of distinct values of rows for which a condition is true.")
            .examples(&[Example { query: "range x from 1 to 9 step 1 | summarize dcountif(x, x > 5)", answer: "4" }]),
        CountDistinct => FunctionSpec::aggregate("count_distinct", &["(value: plain) -> long"], "Exact number of distinct values.")
            .examples(&[Example { query: "range x from 1 to 9 step 1 | summarize count_distinct(x % 3)", answer: "3" }]),
        CountDistinctIf => FunctionSpec::aggregate("count_distinctif", &["(value: plain, condition: bool) -> long"], "Exact number of distinct values of rows for which a condition is true.")
            .examples(&[Example { query: "range x from 1 to 9 step 1 | summarize count_distinctif(x, x > 5)", answer: "4" }]),
        Hll => FunctionSpec::aggregate("hll", &["(value: any, accuracy: const integer = 1) -> dynamic"], "State of a distinct count, to be kept and merged.")
            .examples(&[Example { query: "range x from 1 to 10 step 1 | summarize h = hll(x) | project dcount_hll(h)", answer: "10" }]),
        HllIf => FunctionSpec::aggregate("hll_if", &["(value: any, condition: bool, accuracy: const integer = 1) -> dynamic"], "State of a distinct count over rows for which a condition is true.")
            .examples(&[Example { query: "range x from 1 to 10 step 1 | summarize h = hll_if(x, x > 5) | project dcount_hll(h)", answer: "5" }]),
        HllMerge => FunctionSpec::aggregate("hll_merge", &["(hll: array) -> array"], "Merges states of distinct counts.")
            .examples(&[Example { query: "datatable(k:long, x:long)[1,1, 1,2, 2,3] | summarize h = hll(x) by k | summarize m = hll_merge(h) | project dcount_hll(m)", answer: "3" }]),
        Percentile => FunctionSpec::aggregate("percentile", &["(value: any, percentile: const floating) -> rule"], "Estimated nearest-rank percentile; exact for small groups.").returns(percentile_type)
            .examples(&[Example { query: "range x from 1 to 10 step 1 | summarize percentile(x, 50)", answer: "5" }]),
        Percentiles => FunctionSpec::aggregate("percentiles", &["(value: any, percentiles: const floating...) -> rule"], "Several percentiles, a column each.").returns(percentile_type)
            .examples(&[Example { query: "range x from 1 to 10 step 1 | summarize percentiles(x, 10, 90)", answer: "1,9" }]),
        PercentilesArray => FunctionSpec::aggregate("percentiles_array", &["(value: any, percentiles: const real...) -> dynamic", "(value: any, percentiles: const dynamic) -> dynamic"], "Several percentiles in one array.")
            .examples(&[Example { query: "range x from 1 to 10 step 1 | summarize percentiles_array(x, 10, 90)", answer: "\"[1,9]\"" }]),
        Percentilew => FunctionSpec::aggregate("percentilew", &["(value: any, weight: integer, percentile: const floating) -> rule"], "Percentile of weighted values.").returns(percentile_type)
            .examples(&[Example { query: "datatable(v:long, w:long)[1,8, 2,1, 3,1] | summarize percentilew(v, w, 50)", answer: "1" }]),
        Percentilesw => FunctionSpec::aggregate("percentilesw", &["(value: any, weight: integer, percentiles: const floating...) -> rule"], "Several percentiles of weighted values, a column each.").returns(percentile_type)
            .examples(&[Example { query: "datatable(v:long, w:long)[1,8, 2,1, 3,1] | summarize percentilesw(v, w, 50, 100)", answer: "1,3" }]),
        PercentileswArray => FunctionSpec::aggregate("percentilesw_array", &["(value: any, weight: integer, percentiles: const real...) -> dynamic", "(value: any, weight: integer, percentiles: const dynamic) -> dynamic"], "Several percentiles of weighted values in one array.")
            .examples(&[Example { query: "datatable(v:long, w:long)[1,8, 2,1, 3,1] | summarize percentilesw_array(v, w, 50, 100)", answer: "\"[1,3]\"" }]),
        Tdigest => FunctionSpec::aggregate("tdigest", &["(value: any) -> dynamic", "(value: any, weight: integer) -> dynamic"], "State of a percentile estimate, to be kept and merged.")
            .examples(&[Example { query: "range x from 1 to 9 step 1 | summarize t = tdigest(x) | project percentile_tdigest(t, 50)", answer: "5" }]),
        TdigestMerge => FunctionSpec::aggregate("tdigest_merge", &["(tdigest: array) -> array"], "Merges states of percentile estimates.").aliases(&["merge_tdigest"])
            .examples(&[Example { query: "datatable(k:long, x:long)[1,1, 1,2, 2,3] | summarize t = tdigest(x) by k | summarize m = tdigest_merge(t) | project percentile_tdigest(m, 100)", answer: "3" }]),
        MakeList => FunctionSpec::aggregate("make_list", &["(value: any, max_size: const integer = 1048576) -> dynamic"], "Array of the values that are not null, in the order of the rows.").aliases(&["makelist"])
            .examples(&[Example { query: "range x from 1 to 3 step 1 | summarize make_list(x)", answer: "\"[1,2,3]\"" }]),
        MakeListIf => FunctionSpec::aggregate("make_list_if", &["(value: any, condition: bool, max_size: const integer = 1048576) -> dynamic"], "Array of the values of rows for which a condition is true.")
            .examples(&[Example { query: "range x from 1 to 3 step 1 | summarize make_list_if(x, x > 1)", answer: "\"[2,3]\"" }]),
        MakeListWithNulls => FunctionSpec::aggregate("make_list_with_nulls", &["(value: any) -> dynamic"], "Array of all values, nulls among them.")
            .examples(&[Example { query: "datatable(x:long)[1, long(null), 3] | summarize array_length(make_list_with_nulls(x))", answer: "3" }]),
        MakeSet => FunctionSpec::aggregate("make_set", &["(value: any, max_size: const integer = 1048576) -> dynamic"], "Array of the distinct values.").aliases(&["makeset"])
            .examples(&[Example { query: "range x from 1 to 4 step 1 | summarize make_set(x % 2)", answer: "\"[1,0]\"" }]),
        MakeSetIf => FunctionSpec::aggregate("make_set_if", &["(value: any, condition: bool, max_size: const integer = 1048576) -> dynamic"], "Array of the distinct values of rows for which a condition is true.")
            .examples(&[Example { query: "range x from 1 to 4 step 1 | summarize s = make_set_if(x, x > 2) | project array_sort_asc(s)", answer: "\"[3,4]\"" }]),
        MakeBag => FunctionSpec::aggregate("make_bag", &["(bag: bag, max_size: const integer = 1048576) -> dynamic"], "One property bag of the properties of all.").aliases(&["make_dictionary"])
            .examples(&[Example { query: "datatable(d:dynamic)[dynamic({'a':1}), dynamic({'b':2})] | summarize b = make_bag(d) | project b.a, b.b", answer: "1,2" }]),
        MakeBagIf => FunctionSpec::aggregate("make_bag_if", &["(bag: bag, condition: bool, max_size: const integer = 1048576) -> dynamic"], "One property bag of the properties of rows for which a condition is true.")
            .examples(&[Example { query: "datatable(d:dynamic, keep:bool)[dynamic({'a':1}),true, dynamic({'b':2}),false] | summarize b = make_bag_if(d, keep) | project array_length(bag_keys(b))", answer: "1" }]),
        ArgMax => FunctionSpec::aggregate("arg_max", ROW_EXTREME, "The row with the greatest value: that value and others of the row.").aliases(&["argmax"])
            .examples(&[Example { query: "range x from 1 to 3 step 1 | extend y = -x | summarize arg_max(y, x)", answer: "-1,1" }]),
        ArgMin => FunctionSpec::aggregate("arg_min", ROW_EXTREME, "The row with the least value: that value and others of the row.").aliases(&["argmin"])
            .examples(&[Example { query: "range x from 1 to 3 step 1 | extend y = -x | summarize arg_min(y, x)", answer: "-3,3" }]),
        TakeAny => FunctionSpec::aggregate("take_any", &["(values: any...) -> first"], "Values of some row.").aliases(&["any"])
            .examples(&[Example { query: "datatable(x:long)[7, 7] | summarize take_any(x)", answer: "7" }]),
        TakeAnyIf => FunctionSpec::aggregate("take_anyif", &["(value: any, condition: bool) -> first"], "A value of some row for which a condition is true.").aliases(&["anyif"])
            .examples(&[Example { query: "datatable(x:long)[1, 7] | summarize take_anyif(x, x > 5)", answer: "7" }]),
        BinaryAllAnd => FunctionSpec::aggregate("binary_all_and", BITS, "Bitwise and of the values.")
            .examples(&[Example { query: "datatable(n:long)[15, 7, 5] | summarize binary_all_and(n)", answer: "5" }]),
        BinaryAllOr => FunctionSpec::aggregate("binary_all_or", BITS, "Bitwise or of the values.")
            .examples(&[Example { query: "datatable(n:long)[1, 4] | summarize binary_all_or(n)", answer: "5" }]),
        BinaryAllXor => FunctionSpec::aggregate("binary_all_xor", BITS, "Bitwise exclusive or of the values.")
            .examples(&[Example { query: "datatable(n:long)[1, 3] | summarize binary_all_xor(n)", answer: "2" }]),
        BuildSchema => FunctionSpec::aggregate("buildschema", &["(value: bag) -> dynamic"], "The least schema that admits all the values.")
            .examples(&[Example { query: "datatable(d:dynamic)[dynamic({'x':1}), dynamic({'x':2})] | summarize buildschema(d)", answer: "\"{\"\"x\"\":\"\"long\"\"}\"" }]),
    }
}

fn sum_type(arguments: &[ArgumentInfo<'_>]) -> Type {
    match arguments.first().map_or(Type::Long, |argument| argument.ty) {
        Type::Int => Type::Long,
        other => other,
    }
}

fn percentile_type(arguments: &[ArgumentInfo<'_>]) -> Type {
    match arguments.first().map_or(Type::Long, |argument| argument.ty) {
        Type::Int | Type::Bool => Type::Long,
        Type::Decimal => Type::Real,
        other => other,
    }
}

impl AggregateFunction {
    /// The aggregate that this one is with a condition (`countif` → `count`), or `None` for a plain one.
    pub fn base_of_conditional(self) -> Option<AggregateFunction> {
        use AggregateFunction::*;
        Some(match self {
            CountIf => Count,
            SumIf => Sum,
            AvgIf => Avg,
            MinIf => Min,
            MaxIf => Max,
            StdevIf => Stdev,
            VarianceIf => Variance,
            VariancepIf => Variancep,
            CovarianceIf => Covariance,
            CovariancepIf => Covariancep,
            DcountIf => Dcount,
            CountDistinctIf => CountDistinct,
            HllIf => Hll,
            MakeListIf => MakeList,
            MakeSetIf => MakeSet,
            MakeBagIf => MakeBag,
            TakeAnyIf => TakeAny,
            _ => return None,
        })
    }

    /// Which argument of a conditional aggregate is the condition; the others are the base's arguments.
    pub fn condition_argument(self) -> Option<usize> {
        use AggregateFunction::*;
        match self {
            CountIf => Some(0),
            CovarianceIf | CovariancepIf => Some(2),
            _ => self.base_of_conditional().map(|_| 1),
        }
    }

    /// Whether `*` may stand for columns: all those of the input that are neither keys nor named before.
    pub fn allows_star(self) -> bool {
        matches!(self, Self::ArgMax | Self::ArgMin | Self::TakeAny)
    }

    /// Types of the columns it yields, given its arguments (`*` already expanded).
    pub fn output_types(self, arguments: &[ArgumentInfo<'_>]) -> Vec<Type> {
        use AggregateFunction::*;
        let first = arguments.first().map_or(Type::Long, |argument| argument.ty);
        match self {
            Count | CountIf | Dcount | DcountIf | CountDistinct | CountDistinctIf => vec![Type::Long],
            Sum | SumIf => vec![sum_type(arguments)],
            Avg | AvgIf => vec![match first {
                Type::Int | Type::Long => Type::Real,
                other => other,
            }],
            Stdev | StdevIf | Stdevp | Variance | VarianceIf | Variancep | VariancepIf | Covariance
            | CovarianceIf | Covariancep | CovariancepIf => vec![Type::Real],
            Min | MinIf | Max | MaxIf | TakeAnyIf | BinaryAllAnd | BinaryAllOr | BinaryAllXor => vec![first],
            Hll | HllIf | HllMerge | PercentilesArray | PercentileswArray | Tdigest | TdigestMerge
            | MakeList | MakeListIf | MakeListWithNulls | MakeSet | MakeSetIf | MakeBag | MakeBagIf
            | BuildSchema => vec![Type::Dynamic],
            Percentile | Percentilew => vec![percentile_type(arguments)],
            Percentiles => vec![percentile_type(arguments); arguments.len().saturating_sub(1)],
            Percentilesw => vec![percentile_type(arguments); arguments.len().saturating_sub(2)],
            ArgMax | ArgMin | TakeAny => arguments.iter().map(|argument| argument.ty).collect(),
        }
    }

    /// Names of the columns it yields when the query gives none; `None` where the column counts as nameless
    /// (`Column1` …). `called_as` is the name in the query text: `argmax` and `any` name their columns
    /// otherwise than `arg_max` and `take_any`. `argument_names` holds, for each argument as written (the
    /// condition of an `-if` included), the name that expression gives to a column, `None` if it gives none.
    /// Names may repeat: making them unique is the caller's.
    pub fn default_names(
        self,
        called_as: &str,
        argument_names: &[Option<&str>],
        arguments: &[ArgumentInfo<'_>],
    ) -> Vec<Option<String>> {
        use AggregateFunction::*;
        let name_of = |position: usize| argument_names.get(position).copied().flatten();
        let first = name_of(0).unwrap_or("");
        let prefixed = |prefix: &str| vec![Some(format!("{prefix}_{first}"))];
        match self {
            // `count(x)` counts all rows but is named by its argument.
            Count => prefixed("count"),
            MakeList | MakeListIf | MakeListWithNulls => prefixed("list"),
            MakeSet | MakeSetIf => prefixed("set"),
            MakeBag | MakeBagIf if called_as == "make_dictionary" => prefixed("dictionary"),
            MakeBag | MakeBagIf => prefixed("bag"),
            BuildSchema => prefixed("schema"),
            TdigestMerge => prefixed("merge_tdigests"),
            Covariance | CovarianceIf | Covariancep | CovariancepIf => {
                vec![Some(match name_of(1) {
                    Some(second) => format!("{}_{first}_{second}", self.spec().name),
                    None => format!("{}_{first}", self.spec().name),
                })]
            }
            Percentile | Percentiles => percentile_names(first, arguments.get(1..)),
            Percentilew | Percentilesw => percentile_names(first, arguments.get(2..)),
            PercentilesArray | PercentileswArray => prefixed("percentiles"),
            BinaryAllAnd | BinaryAllOr | BinaryAllXor => vec![name_of(0).map(str::to_string)],
            TakeAnyIf if called_as == "anyif" => prefixed("anyif"),
            TakeAnyIf => vec![name_of(0).map(str::to_string)],
            TakeAny => (0..argument_names.len())
                .map(|position| {
                    Some(match name_of(position) {
                        Some(name) if called_as == "any" => format!("any_{name}"),
                        Some(name) => name.to_string(),
                        None if called_as == "any" => String::from("any_"),
                        None => format!("any_arg{position}"),
                    })
                })
                .collect(),
            ArgMax | ArgMin => {
                let prefix = if self == ArgMax { "max" } else { "min" };
                let old = called_as == "argmax" || called_as == "argmin";
                (0..argument_names.len())
                    .map(|position| {
                        Some(match (position, name_of(position)) {
                            (0, Some(name)) if !old => name.to_string(),
                            (0, _) => format!("{prefix}_{first}"),
                            (_, Some(name)) if old => format!("{prefix}_{first}_{name}"),
                            (_, Some(name)) => name.to_string(),
                            (_, None) => format!("{prefix}_{first}_arg{position}"),
                        })
                    })
                    .collect()
            }
            _ => prefixed(self.spec().name),
        }
    }
}

fn percentile_names(of: &str, percentiles: Option<&[ArgumentInfo<'_>]>) -> Vec<Option<String>> {
    let text = |argument: &ArgumentInfo<'_>| match argument.constant {
        Some(Value::Int(value)) => value.to_string(),
        Some(Value::Long(value)) => value.to_string(),
        Some(Value::Real(value)) => value.to_string(),
        Some(Value::Decimal(value)) => value.to_string(),
        _ => String::new(),
    };
    let percentiles = percentiles.unwrap_or_default();
    percentiles
        .iter()
        .map(|argument| Some(format!("percentile_{of}_{}", text(argument).replace(['.', '-'], "_"))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(function: AggregateFunction, called_as: &str, arguments: &[Option<&str>]) -> String {
        let names = function.default_names(called_as, arguments, &[]);
        names.into_iter().map(|name| name.unwrap_or_else(|| String::from("-"))).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn default_names_follow_the_engine() {
        use AggregateFunction::*;
        let (x, y) = (Some("x"), Some("y"));
        for (function, called_as, arguments, expected) in [
            (Count, "count", &[][..], "count_"),
            (CountIf, "countif", &[None][..], "countif_"),
            (CountIf, "countif", &[x][..], "countif_x"),
            (SumIf, "sumif", &[x, None][..], "sumif_x"),
            (Avg, "avg", &[None][..], "avg_"),
            (MakeListIf, "make_list_if", &[x, None][..], "list_x"),
            (MakeSet, "makeset", &[x][..], "set_x"),
            (CovarianceIf, "covarianceif", &[x, y, None][..], "covarianceif_x_y"),
            (ArgMax, "arg_max", &[x, y][..], "x y"),
            (ArgMax, "arg_max", &[None, y, None][..], "max_ y max__arg2"),
            (ArgMax, "argmax", &[x, y][..], "max_x max_x_y"),
            (ArgMin, "argmin", &[x, y][..], "min_x min_x_y"),
            (TakeAny, "take_any", &[x, y][..], "x y"),
            (TakeAny, "any", &[x, y][..], "any_x any_y"),
            (TakeAnyIf, "take_anyif", &[None, None][..], "-"),
            (TdigestMerge, "tdigest_merge", &[x][..], "merge_tdigests_x"),
        ] {
            assert_eq!(names(function, called_as, arguments), expected, "{called_as}{arguments:?}");
        }
    }

    #[test]
    fn percentile_names_spell_the_percentile() {
        let (long, real) = (Value::Long(5), Value::Real(99.9));
        let arguments = [
            ArgumentInfo::of(Type::Int),
            ArgumentInfo { constant: Some(&long), ..ArgumentInfo::of(Type::Long) },
            ArgumentInfo { constant: Some(&real), ..ArgumentInfo::of(Type::Real) },
        ];
        let function = AggregateFunction::Percentiles;
        let names = function.default_names("percentiles", &[Some("x"), None, None], &arguments);
        assert_eq!(names, [Some(String::from("percentile_x_5")), Some(String::from("percentile_x_99_9"))]);
        assert_eq!(function.output_types(&arguments), [Type::Long, Type::Long]);
    }

    #[test]
    fn every_conditional_names_its_condition() {
        for function in AggregateFunction::ALL {
            assert_eq!(function.base_of_conditional().is_some(), function.condition_argument().is_some());
        }
    }
}
