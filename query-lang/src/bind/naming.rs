//! Names of result columns: what an expression is called when nobody named it, and how names are kept unique.
//! The rules are those of the engine's own analyser.

use std::collections::{HashMap, HashSet};

use crate::ast::{Expr, ExprKind, LiteralValue};

/// Names in use, and the next free number for each.
#[derive(Debug, Default)]
pub(super) struct UniqueNames(HashMap<String, u32>);

impl UniqueNames {
    pub fn reserve(&mut self, name: &str) {
        self.0.entry(name.to_string()).or_insert(0);
    }

    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The name itself if it is free, else the name with the lowest free number behind it.
    pub fn take(&mut self, name: &str) -> String {
        let Some(last) = self.0.get(name).copied() else {
            self.0.insert(name.to_string(), 0);
            return name.to_string();
        };
        let mut number = last + 1;
        loop {
            let candidate = format!("{name}{number}");
            if !self.0.contains_key(&candidate) {
                self.0.insert(name.to_string(), number);
                self.0.insert(candidate.clone(), 0);
                return candidate;
            }
            number += 1;
        }
    }
}

/// Makes the names of joined columns unique: the first bearer of a name keeps it, later ones get numbers that
/// no other column has.
pub(super) fn unique_join_names<'a>(names: impl Iterator<Item = &'a str> + Clone) -> Vec<String> {
    let mut unique = UniqueNames::default();
    for name in names.clone() {
        unique.reserve(name);
    }
    let mut seen = HashSet::new();
    names.map(|name| if seen.insert(name) { name.to_string() } else { unique.take(name) }).collect()
}

/// Functions whose result is called like their first argument.
const FIRST_ARGUMENT: &[&str] = &[
    "binary_all_and",
    "binary_all_or",
    "binary_all_xor",
    "passthrough",
    "take_anyif",
    "array_split_first",
    "split",
    "tohex",
    "todynamic",
    "toobject",
    "tolong",
    "toint",
    "toreal",
    "todouble",
    "todatetime",
    "totimespan",
    "totime",
    "tobool",
    "toboolean",
    "todecimal",
    "toguid",
    "tostring",
    "parse_csv",
    "parsejson",
    "parse_json",
    "parse_xml",
    "format_datetime",
    "format_timespan",
    "startofday",
    "bin",
    "floor",
    "bin_at",
    "bin_auto",
    "binary_and",
    "binary_or",
    "binary_xor",
    "binary_not",
    "binary_shift_right",
    "binary_shift_left",
    "bitset_count_ones",
    "series_fir",
    "series_outliers",
    "series_iir",
    "series_fill_backward",
    "series_fill_forward",
    "series_fill_const",
    "series_fill_linear",
    "round",
    "ceiling",
    "pow",
    "sqrt",
    "log",
    "log2",
    "log10",
    "exp",
    "exp2",
    "exp10",
    "cos",
    "sin",
    "tan",
    "acos",
    "asin",
    "atan",
    "atan2",
    "abs",
    "rand",
    "gamma",
    "loggamma",
    "erf",
    "erfc",
    "format_bytes",
    "next_first",
];

/// What a call is called: the prefix, if its name is `prefix_argument`.
fn prefix(function: &str) -> Option<&'static str> {
    Some(match function {
        "strlen" => "strlen",
        "string_size" => "string_size",
        "percentile_tdigest" => "percentile_tdigest",
        "percentiles_array_tdigest" => "percentile_tdigest",
        "dcount_hll" => "dcount_hll",
        "gettype" => "type",
        "treepath" => "tree",
        "repeat" => "repeat",
        "sum" => "sum",
        "sumif" => "sumif",
        "cnt" => "cnt",
        "count" => "count",
        "countif" => "countif",
        "dcount" => "dcount",
        "dcountif" => "dcountif",
        "tdigest" => "tdigest",
        "tdigest_merge" | "merge_tdigest" => "merge_tdigests",
        "hll" => "hll",
        "hll_if" => "hll_if",
        "hll_merge" => "hll_merge",
        "min" => "min",
        "minif" => "minif",
        "max" => "max",
        "maxif" => "maxif",
        "avg" => "avg",
        "avgif" => "avgif",
        "makelist" | "make_list" | "make_list_if" | "make_list_with_nulls" => "list",
        "makeset" | "make_set" | "make_set_if" => "set",
        "make_dictionary" => "dictionary",
        "make_bag" | "make_bag_if" => "bag",
        "buildschema" => "schema",
        "count_distinct" => "count_distinct",
        "count_distinctif" => "count_distinctif",
        "stdev" => "stdev",
        "stdevif" => "stdevif",
        "stdevp" => "stdevp",
        "variance" => "variance",
        "varianceif" => "varianceif",
        "variancep" => "variancep",
        "variancepif" => "variancepif",
        "covariance" => "covariance",
        "covarianceif" => "covarianceif",
        "covariancep" => "covariancep",
        "covariancepif" => "covariancepif",
        "anyif" => "anyif",
        _ => return None,
    })
}

/// The name of an expression that has none given; `None` where the operator makes one up (`Column1`).
pub(super) fn result_name(expression: &Expr) -> Option<String> {
    result_name_without(expression, &is_side)
}

/// As `result_name`; names that are `hidden` give no name to what is taken from them.
pub(super) fn result_name_without(expression: &Expr, hidden: &dyn Fn(&str) -> bool) -> Option<String> {
    let result_name = |expression: &Expr| result_name_without(expression, hidden);
    match &expression.kind {
        ExprKind::Name(name) => Some(name.text.clone()),
        ExprKind::Named { name, .. } => Some(name.text.clone()),
        ExprKind::Parenthesized(inner) => result_name(inner),
        ExprKind::Member { object, name } => {
            Some(joined(result_name(object).filter(|left| !hidden(left)), Some(name.text.clone())))
        }
        ExprKind::Element { object, index } => {
            Some(joined(result_name(object).filter(|left| !hidden(left)), literal_text(index)))
        }
        ExprKind::Call(call) => {
            let first = call.arguments.first();
            let function = call.name.text.as_str();
            if let Some(prefix) = prefix(function) {
                let argument = first.and_then(result_name).unwrap_or_default();
                return Some(format!("{prefix}_{argument}"));
            }
            match function {
                "make_datetime" | "make_timespan" if call.arguments.len() == 1 => first.and_then(result_name),
                "column_ifexists" | "columnifexists" => match first.map(|first| &first.kind) {
                    Some(ExprKind::Literal(LiteralValue::String(text))) => Some(text.value.clone()),
                    _ => None,
                },
                "ingestion_time" => Some("$IngestionTime".to_string()),
                _ if FIRST_ARGUMENT.contains(&function) => first.and_then(result_name),
                _ => None,
            }
        }
        _ => None,
    }
}

/// `$left` and `$right` give no name to what is taken from them.
fn is_side(name: &str) -> bool {
    name == "$left" || name == "$right"
}

fn joined(left: Option<String>, right: Option<String>) -> String {
    let right = right.unwrap_or_default();
    match left {
        Some(left) if !left.trim().is_empty() => format!("{left}_{right}"),
        _ => right,
    }
}

fn literal_text(expression: &Expr) -> Option<String> {
    match &expression.kind {
        ExprKind::Literal(LiteralValue::String(text)) => Some(text.value.clone()),
        ExprKind::Literal(LiteralValue::Long(number)) => Some(number.to_string()),
        ExprKind::Literal(LiteralValue::Int(number)) => Some(number.to_string()),
        _ => None,
    }
}
