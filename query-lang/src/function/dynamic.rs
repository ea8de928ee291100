//! Arrays, property bags, sets, JSON, series, and the states of `hll` and `tdigest` as values.

use crate::function::{ArgumentInfo, Example, FunctionSpec, function_family};
use crate::types::Type;
use crate::value::Value;

/// A function that sees nulls itself: a dynamic null is a value.
const fn of(
    name: &'static str,
    signatures: &'static [&'static str],
    summary: &'static str,
    examples: &'static [Example],
) -> FunctionSpec {
    FunctionSpec::scalar(name, signatures, summary).handles_nulls().examples(examples)
}

/// A function of one series that gives a series.
const fn series(name: &'static str, summary: &'static str, examples: &'static [Example]) -> FunctionSpec {
    of(name, &["(series: array) -> array"], summary, examples)
}

/// A function of two series, or of a series and a number, element by element.
const fn pairwise(name: &'static str, summary: &'static str, examples: &'static [Example]) -> FunctionSpec {
    of(name, PAIRWISE, summary, examples)
}

const PAIRWISE: &[&str] = &[
    "(left: array, right: array) -> array",
    "(left: array, right: number) -> array",
    "(left: number, right: array) -> array",
];

macro_rules! example {
    ($query:literal, $answer:literal) => {
        &[Example { query: $query, answer: $answer }]
    };
}

function_family! {
    /// Arrays, property bags and JSON.
    DynamicFunction {
        ParseJson => of("parse_json", &["(text: textual) -> dynamic", "(value: string|dynamic) -> dynamic"], "The value of a JSON text; a text that is not JSON stays a string.", example!("print parse_json('{\"a\":[1,2]}').a[1]", "2"))
            .aliases(&["parsejson", "todynamic", "toobject"]),
        DynamicToJson => of("dynamic_to_json", &["(value: any) -> string"], "A value as canonical JSON text: keys sorted, no blanks.", example!("print dynamic_to_json(dynamic({\"b\":2,\"a\":1})) == '{\"a\":1,\"b\":2}'", "true")),
        ExtractJson => of("extract_json", &["(path: const string, text: string) -> string"], "The element of a JSON text at a path, as text.", example!("print extract_json('$.a[1]', '{\"a\":[1,2]}')", "2"))
            .aliases(&["extractjson"]),
        ArrayLength => of("array_length", &["(array: array) -> long"], "Number of elements of an array.", example!("print array_length(dynamic([1,2,3]))", "3"))
            .aliases(&["arraylength"]),
        ArrayConcat => of("array_concat", &["(arrays: array...) -> dynamic"], "The elements of several arrays in one.", example!("print array_concat(dynamic([1,2]), dynamic([3]))", "\"[1,2,3]\"")),
        ArraySlice => of("array_slice", &["(array: array, start: integer, end: integer) -> dynamic"], "The elements from a first to a last position; negative ones count from the end.", example!("print array_slice(dynamic([1,2,3,4,5]), 2, -1)", "\"[3,4,5]\"")),
        ArraySplit => of("array_split", &["(array: array, index: long) -> dynamic", "(array: array, indices: dynamic) -> dynamic"], "Cuts an array at positions.", example!("print array_split(dynamic([1,2,3,4,5]), 2)", "\"[[1,2],[3,4,5]]\"")),
        ArrayIndexOf => of("array_index_of", &["(array: array, value: any, start: integer = 0, length: integer = -1, occurrence: const integer = 1) -> long"], "Position of a value in an array, or -1.", example!("print array_index_of(dynamic(['a','b','a']), 'b')", "1")),
        ArraySum => of("array_sum", &["(array: array) -> real"], "Sum of the elements.", example!("print array_sum(dynamic([1,2.5]))", "3.5"))
            .aliases(&["series_sum"]),
        ArrayReverse => of("array_reverse", &["(array: array) -> dynamic"], "The elements in reverse order.", example!("print array_reverse(dynamic([1,2,3]))", "\"[3,2,1]\"")),
        ArrayRotateLeft => of("array_rotate_left", &["(array: array, count: integer) -> dynamic"], "Rotates the elements towards the start.", example!("print array_rotate_left(dynamic([1,2,3,4,5]), 2)", "\"[3,4,5,1,2]\"")),
        ArrayRotateRight => of("array_rotate_right", &["(array: array, count: integer) -> dynamic"], "Rotates the elements towards the end.", example!("print array_rotate_right(dynamic([1,2,3,4,5]), 2)", "\"[4,5,1,2,3]\"")),
        ArrayShiftLeft => of("array_shift_left", &["(array: array, count: integer) -> dynamic", "(array: array, count: integer, default: any) -> dynamic"], "Moves the elements towards the start and fills up with a default.", example!("print array_shift_left(dynamic([1,2,3]), 1, 0)", "\"[2,3,0]\"")),
        ArrayShiftRight => of("array_shift_right", &["(array: array, count: integer) -> dynamic", "(array: array, count: integer, default: any) -> dynamic"], "Moves the elements towards the end and fills up with a default.", example!("print array_shift_right(dynamic([1,2,3]), 1, 0)", "\"[0,1,2]\"")),
        ArraySortAsc => of("array_sort_asc", &["(array: array) -> dynamic", "(array: array, nulls_last: const bool) -> dynamic", "(array: array, others: dynamic|bool...) -> dynamic"], "Sorts an array; further arrays are put in the same order.", example!("print array_sort_asc(dynamic([3,1,2]))", "\"[1,2,3]\"")),
        ArraySortDesc => of("array_sort_desc", &["(array: array) -> dynamic", "(array: array, nulls_last: const bool) -> dynamic", "(array: array, others: dynamic|bool...) -> dynamic"], "Sorts an array from its greatest element on; further arrays are put in the same order.", example!("print array_sort_desc(dynamic([3,1,2]))", "\"[3,2,1]\"")),
        ArrayIff => of("array_iff", &["(condition: array, when_true: any, when_false: any) -> array"], "For each element of a condition the element of one of two arrays.", example!("print array_iff(dynamic([true,false]), dynamic([1,2]), 0)", "\"[1,0]\""))
            .aliases(&["array_iif"]),
        StrcatArray => of("strcat_array", &["(array: array, delimiter: text) -> string"], "The elements of an array as one text.", example!("print strcat_array(dynamic([1,2,3]), '->')", "1->2->3"))
            .aliases(&["array_strcat"]),
        PackArray => of("pack_array", &["() -> array", "(values: any...) -> array"], "An array of the arguments.", example!("print pack_array(1, 'a')[1]", "a")),
        Repeat => of("repeat", &["(value: any, count: long) -> array"], "An array of one value many times.", example!("print repeat(1, 3)", "\"[1,1,1]\"")),
        Range => of("range", &["(start: long, stop: long, step: long = 1) -> array", "(start: real, stop: real, step: real = 1) -> array", "(start: datetime, stop: datetime, step: timespan = 1h) -> array", "(start: timespan, stop: timespan, step: timespan = 1h) -> array"], "An array of equally spaced values.", example!("print range(1, 8, 3)", "\"[1,4,7]\"")),
        Zip => of("zip", &["(first: array, others: array...) -> array"], "An array of arrays of the elements at one position.", example!("print zip(dynamic([1,3]), dynamic([2,4]))", "\"[[1,2],[3,4]]\"")),
        BagKeys => of("bag_keys", &["(bag: bag) -> array"], "The keys of a property bag.", example!("print array_length(bag_keys(dynamic({'a':1,'b':2})))", "2")),
        BagHasKey => of("bag_has_key", &["(bag: bag, key: string) -> bool"], "Whether a property bag has a key, or a path `$.a.b` of keys.", example!("print bag_has_key(dynamic({'a':{'b':1}}), '$.a.b')", "true")),
        BagMerge => of("bag_merge", &["(bags: bag...) -> bag"], "One property bag of several; the first value of a key stays.", example!("print bag_merge(dynamic({'a':1}), dynamic({'a':2,'b':3})).a", "1")),
        BagRemoveKeys => of("bag_remove_keys", &["(bag: bag, keys: array) -> bag"], "A property bag without some keys or paths.", example!("print array_length(bag_keys(bag_remove_keys(dynamic({'a':1,'b':2}), dynamic(['a']))))", "1")),
        BagRemoveNulls => of("bag_remove_nulls", &["(bag: dynamic) -> dynamic"], "A property bag without the properties that are null or an empty text.", example!("print array_length(bag_keys(bag_remove_nulls(dynamic({'a':null,'b':2}))))", "1")),
        BagSetKey => of("bag_set_key", &["(bag: bag, key: const string, value: any) -> bag"], "A property bag with a key or path set to a value.", example!("print bag_set_key(dynamic({'a':1}), 'b', 2).b", "2")),
        BagZip => of("bag_zip", &["(keys: array, values: array) -> bag"], "A property bag of an array of keys and one of values.", example!("print bag_zip(dynamic(['a','b']), dynamic([1,2])).b", "2")),
        BagPack => of("bag_pack", &["(pairs: any...) -> bag"], "A property bag of keys and values in turn.", example!("print bag_pack('a', 1, 'b', 2).b", "2"))
            .aliases(&["pack", "pack_dictionary"]),
        SetUnion => of("set_union", &["(first: array, others: array...) -> array"], "The distinct elements of all arrays.", example!("print set_union(dynamic([1,2]), dynamic([2,3]))", "\"[1,2,3]\"")),
        SetIntersect => of("set_intersect", &["(first: array, others: array...) -> array"], "The distinct elements that all arrays have.", example!("print set_intersect(dynamic([1,2,3]), dynamic([2,3]))", "\"[2,3]\"")),
        SetDifference => of("set_difference", &["(first: array, others: array...) -> array"], "The distinct elements of the first array that no other has.", example!("print set_difference(dynamic([1,2,3]), dynamic([2]))", "\"[1,3]\"")),
        SetEquals => of("set_equals", &["(first: array, second: array) -> bool"], "Whether two arrays have the same distinct elements.", example!("print set_equals(dynamic([1,2,1]), dynamic([2,1]))", "true")),
        SetHasElement => of("set_has_element", &["(set: array, value: any) -> bool"], "Whether an array has an element.", example!("print set_has_element(dynamic([1,2]), 2)", "true")),
        JaccardIndex => of("jaccard_index", &["(first: array, second: array) -> real"], "Size of the intersection of two sets over that of their union.", example!("print jaccard_index(dynamic([1,2,3]), dynamic([1,2,3,4]))", "0.75")),
        TreePath => of("treepath", &["(value: bag) -> array"], "The paths of a dynamic value.", example!("print array_length(treepath(dynamic({'a':'b','c':123})))", "2")),
        ParseCsv => of("parse_csv", &["(text: textual) -> array"], "The fields of the first record of a CSV text.", example!("print parse_csv('aa,\"b,b\"')[1]", "\"b,b\"")),
        ParseXml => of("parse_xml", &["(text: textual) -> bag"], "An XML text as a property bag.", example!("print parse_xml('<e a=\"1\">t</e>').e['@a']", "1")),
        ParseCommandLine => of("parse_command_line", &["(text: text, parser: string) -> array"], "The arguments of a command line.", example!("print parse_command_line('echo \"hello world\"', 'windows')[1]", "hello world")),
        DcountHll => of("dcount_hll", &["(hll: array) -> long"], "The distinct count of an hll state.", &[])
            .examples(&[Example { query: "range x from 1 to 10 step 1 | summarize h = hll(x) | project dcount_hll(h)", answer: "10" }]),
        HllMerge => of("hll_merge", &["(hlls: array...) -> array"], "Merges hll states.", &[])
            .examples(&[Example { query: "datatable(x:long)[1, 2, 3] | summarize a = hll(x), b = hll(x + 2) | project dcount_hll(hll_merge(a, b))", answer: "5" }]),
        PercentileTdigest => of("percentile_tdigest", &["(tdigest: array, percentile: real) -> dynamic", "(tdigest: array, percentile: real, type: type string) -> rule"], "A percentile of a tdigest state.", &[]).returns(named_type)
            .examples(&[Example { query: "range x from 1 to 9 step 1 | summarize t = tdigest(x) | project percentile_tdigest(t, 50)", answer: "5" }]),
        PercentilesArrayTdigest => of("percentiles_array_tdigest", &["(tdigest: array, percentiles: real...) -> array", "(tdigest: array, percentiles: dynamic) -> array"], "Percentiles of a tdigest state.", &[])
            .examples(&[Example { query: "range x from 1 to 9 step 1 | summarize t = tdigest(x) | project percentiles_array_tdigest(t, 50, 100)", answer: "\"[5,9]\"" }]),
        TdigestMerge => of("tdigest_merge", &["(tdigests: array...) -> array"], "Merges tdigest states.", &[]).aliases(&["merge_tdigest"])
            .examples(&[Example { query: "range x from 1 to 9 step 1 | summarize t = tdigest(x) | project percentile_tdigest(tdigest_merge(t, t), 100)", answer: "9" }]),
        SeriesAdd => pairwise("series_add", "Element-wise sum.", example!("print series_add(dynamic([1,2]), dynamic([3,4]))[1] == 6", "true")),
        SeriesSubtract => pairwise("series_subtract", "Element-wise difference.", example!("print series_subtract(dynamic([1,2]), dynamic([3,4]))[1] == -2", "true")),
        SeriesMultiply => pairwise("series_multiply", "Element-wise product.", example!("print series_multiply(dynamic([1,2]), dynamic([3,4]))[1] == 8", "true")),
        SeriesDivide => pairwise("series_divide", "Element-wise quotient.", example!("print series_divide(dynamic([1,2]), dynamic([4,4]))[1] == 0.5", "true")),
        SeriesPow => pairwise("series_pow", "Element-wise power.", example!("print series_pow(dynamic([1,2]), 3)[1] == 8", "true")),
        SeriesGreater => pairwise("series_greater", "Element-wise `>`.", example!("print series_greater(dynamic([1,2]), dynamic([3,1]))[1] == true", "true")),
        SeriesGreaterEquals => pairwise("series_greater_equals", "Element-wise `>=`.", &[])
            .examples(&[Example { query: "print series_greater_equals(dynamic([1, 2]), dynamic([2, 2]))", answer: "\"[false,true]\"" }]),
        SeriesLess => pairwise("series_less", "Element-wise `<`.", &[])
            .examples(&[Example { query: "print series_less(dynamic([1, 2]), dynamic([2, 2]))", answer: "\"[true,false]\"" }]),
        SeriesLessEquals => pairwise("series_less_equals", "Element-wise `<=`.", &[])
            .examples(&[Example { query: "print series_less_equals(dynamic([1, 3]), dynamic([2, 2]))", answer: "\"[true,false]\"" }]),
        SeriesEquals => pairwise("series_equals", "Element-wise `==`.", &[])
            .examples(&[Example { query: "print series_equals(dynamic([1, 2]), dynamic([1, 3]))", answer: "\"[true,false]\"" }]),
        SeriesNotEquals => pairwise("series_not_equals", "Element-wise `!=`.", &[])
            .examples(&[Example { query: "print series_not_equals(dynamic([1, 2]), dynamic([2, 2]))", answer: "\"[true,false]\"" }]),
        SeriesAbs => series("series_abs", "Element-wise absolute value.", &[])
            .examples(&[Example { query: "print series_abs(dynamic([-6.5, 0, 8.2]))", answer: "\"[6.5,0,8.2]\"" }]),
        SeriesSign => series("series_sign", "Element-wise sign.", &[])
            .examples(&[Example { query: "print series_sign(dynamic([-6, 0, 8]))", answer: "\"[-1,0,1]\"" }]),
        SeriesExp => series("series_exp", "Element-wise exponential.", &[])
            .examples(&[Example { query: "print series_exp(dynamic([0]))", answer: "[1.0]" }]),
        SeriesLog => series("series_log", "Element-wise natural logarithm.", &[])
            .examples(&[Example { query: "print series_log(dynamic([1]))", answer: "[0.0]" }]),
        SeriesFloor => series("series_floor", "Element-wise rounding down.", &[])
            .examples(&[Example { query: "print series_floor(dynamic([-1.5, 1, 2.5]))", answer: "\"[-2.0,1.0,2.0]\"" }]),
        SeriesCeiling => series("series_ceiling", "Element-wise rounding up.", &[])
            .examples(&[Example { query: "print series_ceiling(dynamic([-1.5, 1, 2.5]))", answer: "\"[-1.0,1.0,3.0]\"" }]),
        SeriesSin => series("series_sin", "Element-wise sine.", &[])
            .examples(&[Example { query: "print series_sin(dynamic([0]))", answer: "[0.0]" }]),
        SeriesCos => series("series_cos", "Element-wise cosine.", &[])
            .examples(&[Example { query: "print series_cos(dynamic([0]))", answer: "[1.0]" }]),
        SeriesTan => series("series_tan", "Element-wise tangent.", &[])
            .examples(&[Example { query: "print series_tan(dynamic([0]))", answer: "[0.0]" }]),
        SeriesAsin => series("series_asin", "Element-wise arc sine.", &[])
            .examples(&[Example { query: "print series_asin(dynamic([0]))", answer: "[0.0]" }]),
        SeriesAcos => series("series_acos", "Element-wise arc cosine.", &[])
            .examples(&[Example { query: "print series_acos(dynamic([1]))", answer: "[0.0]" }]),
        SeriesAtan => series("series_atan", "Element-wise arc tangent.", &[])
            .examples(&[Example { query: "print series_atan(dynamic([0]))", answer: "[0.0]" }]),
        SeriesProduct => of("series_product", &["(series: array) -> real"], "Product of the elements.", example!("print series_product(dynamic([2,3])) == 6", "true")),
        SeriesMagnitude => of("series_magnitude", &["(series: array) -> real"], "Length of the series as a vector.", example!("print series_magnitude(dynamic([3,4])) == 5", "true")),
        SeriesDotProduct => of("series_dot_product", &["(left: dynamic|number, right: dynamic|number) -> real"], "Sum of the element-wise products.", example!("print series_dot_product(dynamic([1,2]), dynamic([3,4])) == 11", "true")),
        SeriesCosineSimilarity => of("series_cosine_similarity", &["(left: array, right: array) -> real", "(left: array, right: array, left_magnitude: real, right_magnitude: real) -> real"], "Cosine of the angle between two series as vectors.", &[])
            .examples(&[Example { query: "print series_cosine_similarity(dynamic([0, 1]), dynamic([0, 2]))", answer: "1.0" }]),
        SeriesPearsonCorrelation => of("series_pearson_correlation", &["(left: array, right: array) -> real"], "Pearson's correlation of two series.", &[])
            .examples(&[Example { query: "print round(series_pearson_correlation(dynamic([1, 2, 3]), dynamic([2, 4, 6])), 3)", answer: "1.0" }]),
        SeriesFillConst => of("series_fill_const", &["(series: array) -> dynamic", "(series: array, constant: number) -> dynamic", "(series: array, constant: number, placeholder: number) -> dynamic"], "Replaces missing values by a constant.", example!("print series_fill_const(dynamic([1,null]), 0)", "\"[1,0]\"")),
        SeriesFillForward => of("series_fill_forward", &["(series: array) -> dynamic", "(series: array, placeholder: number) -> dynamic"], "Replaces missing values by the last one before.", example!("print series_fill_forward(dynamic([1,null]))", "\"[1,1]\"")),
        SeriesFillBackward => of("series_fill_backward", &["(series: array) -> dynamic", "(series: array, placeholder: number) -> dynamic"], "Replaces missing values by the first one after.", example!("print series_fill_backward(dynamic([null,1]))", "\"[1,1]\"")),
        SeriesFillLinear => of("series_fill_linear", &["(series: array) -> dynamic", "(series: array, placeholder: number) -> dynamic", "(series: array, placeholder: number, fill_edges: bool) -> dynamic", "(series: array, placeholder: number, fill_edges: bool, constant: number) -> dynamic"], "Replaces missing values by linear interpolation.", example!("print series_fill_linear(dynamic([1,null,3]))", "\"[1,2,3]\"")),
        SeriesFir => of("series_fir", &["(series: array, filter: array) -> array", "(series: array, filter: array, normalize: bool) -> array", "(series: array, filter: array, normalize: bool, center: bool) -> array"], "Applies a finite impulse response filter.", &[])
            .examples(&[Example { query: "print series_fir(dynamic([1, 2, 3, 4]), dynamic([1, 1]), false, false)", answer: "\"[1.0,3.0,5.0,7.0]\"" }]),
        SeriesIir => of("series_iir", &["(series: array, numerators: array, denominators: array) -> array"], "Applies an infinite impulse response filter.", &[])
            .examples(&[Example { query: "print series_iir(dynamic([1, 2, 3, 4]), dynamic([1]), dynamic([1, -1]))", answer: "\"[1.0,3.0,6.0,10.0]\"" }]),
        SeriesStats => of("series_stats", &["(series: array, ignore_nonfinite: const bool = false) -> dynamic"], "Minimum, its position, maximum, its position, mean, standard deviation, variance.", &[])
            .examples(&[Example { query: "print y = dynamic([1, 2, 3]) | extend (least, least_at, greatest) = series_stats(y) | project least, greatest", answer: "1.0,3.0" }]),
        SeriesStatsDynamic => of("series_stats_dynamic", &["(series: array, ignore_nonfinite: const bool = false) -> bag"], "Statistics of a series as a property bag.", &[])
            .examples(&[Example { query: "print series_stats_dynamic(dynamic([1, 2, 3])).max", answer: "3.0" }]),
        SeriesFitLine => of("series_fit_line", &["(series: array) -> dynamic"], "The line that fits a series best.", &[])
            .examples(&[Example { query: "print y = dynamic([1, 2, 3]) | extend (r, slope) = series_fit_line(y) | project round(slope, 3)", answer: "1.0" }]),
        SeriesFitLineDynamic => of("series_fit_line_dynamic", &["(series: array) -> bag"], "The line that fits a series best, as a property bag.", &[])
            .examples(&[Example { query: "print round(todouble(series_fit_line_dynamic(dynamic([1, 2, 3])).slope), 3)", answer: "1.0" }]),
        SeriesFit2Lines => of("series_fit_2lines", &["(series: array) -> dynamic"], "The two lines that fit the parts of a series best.", &[])
            .examples(&[Example { query: "print y = dynamic([1, 2, 3, 3, 2, 1]) | extend (r, split) = series_fit_2lines(y) | project split", answer: "3" }]),
        SeriesFit2LinesDynamic => of("series_fit_2lines_dynamic", &["(series: array) -> bag"], "The two lines that fit the parts of a series best, as a property bag.", &[])
            .examples(&[Example { query: "print series_fit_2lines_dynamic(dynamic([1, 2, 3, 3, 2, 1])).split_idx", answer: "3" }]),
        SeriesFitPoly => of("series_fit_poly", &["(y_series: array) -> dynamic", "(y_series: array, x_series: array) -> dynamic", "(y_series: array, x_series: array, degree: long) -> dynamic"], "The polynomial that fits a series best.", example!("print y=dynamic([1,4,9,16]), x=dynamic([1,2,3,4]) | project (r, c)=series_fit_poly(y, x, 2) | project round(r, 6) == 1 and round(toreal(c[0]), 6) == 1", "true")),
        SeriesPeriodsDetect => of("series_periods_detect", &["(series: array, min_period: real, max_period: real, num_periods: long) -> dynamic"], "The periods of a series, the most significant first, and how significant they are.", example!("print y=dynamic([1,2,3,4,5,1,2,3,4,5,1,2,3,4,5]) | project (p, s)=series_periods_detect(y, 4, 8, 1) | project p[0] == 5", "true")),
        SeriesPeriodsValidate => of("series_periods_validate", &["(series: array, periods: real...) -> dynamic"], "How significant given periods of a series are.", example!("print y=dynamic([1,2,3,4,5,1,2,3,4,5,1,2,3,4,5]) | project (p, s)=series_periods_validate(y, 5, 7) | project s[0] > 0.9 and s[1] == 0", "true")),
        SeriesSeasonal => of("series_seasonal", &["(series: array, period: integer = -1, test_points: integer = 0) -> array"], "The season of a series: medians of the values at one phase.", example!("print series_seasonal(dynamic([1,3,5,1,3,5,2,4,6]), 3)[8] == 5", "true")),
        SeriesDecompose => of("series_decompose", &["(series: array, seasonality: integer = -1, trend: string = 'avg', test_points: integer = 0, threshold: floating = 0.6) -> array"], "Baseline, season, trend and rest of a series.", &[])
            .examples(&[Example { query: "print y = dynamic([1, 2, 1, 2, 1, 2, 1, 2]) | extend (baseline, seasonal, trend, residual) = series_decompose(y, 2) | project array_length(seasonal)", answer: "8" }]),
        SeriesDecomposeForecast => of("series_decompose_forecast", &["(series: array, points: integer, seasonality: integer = -1, trend: string = 'linefit', threshold: floating = 0.6) -> array"], "Baseline of a series continued over its last points, with season, trend and rest.", &[])
            .examples(&[Example { query: "print y = dynamic([1, 2, 1, 2, 1, 2, 1, 2, 0, 0]) | extend (forecast, seasonal) = series_decompose_forecast(y, 2) | project array_length(forecast)", answer: "10" }]),
        SeriesDecomposeAnomalies => of("series_decompose_anomalies", &["(series: array, threshold: floating = 1.5, seasonality: integer = -1, trend: string = 'avg', test_points: integer = 0, method: string = 'ctukey', seasonality_threshold: floating = 0.6) -> array"], "Flags, scores and baseline of the anomalies of a series.", &[])
            .examples(&[Example { query: "print y = dynamic([1, 2, 1, 2, 1, 2, 1, 2, 100, 2, 1, 2, 1, 2]) | extend (flag, score, baseline) = series_decompose_anomalies(y, 1.5, 2) | project array_length(flag)", answer: "14" }]),
        SeriesFft => of("series_fft", &["(real: array) -> array", "(real: array, imaginary: array) -> array"], "Discrete Fourier transform: real and imaginary part.", &[])
            .examples(&[Example { query: "print y = dynamic([1, 1, 1, 1]) | extend (re, im) = series_fft(y) | project re", answer: "\"[4.0,0.0,0.0,0.0]\"" }]),
        SeriesIfft => of("series_ifft", &["(real: array) -> array", "(real: array, imaginary: array) -> array"], "Inverse discrete Fourier transform: real and imaginary part.", &[])
            .examples(&[Example { query: "print re = dynamic([4, 0, 0, 0]), im = dynamic([0, 0, 0, 0]) | extend (y, z) = series_ifft(re, im) | project y", answer: "\"[1.0,1.0,1.0,1.0]\"" }]),
        SeriesOutliers => of("series_outliers", &["(series: array) -> dynamic", "(series: array, kind: string) -> dynamic", "(series: array, kind: string, ignored: any) -> dynamic", "(series: array, kind: string, ignored: any, low: real, high: real) -> dynamic"], "How far each element is an outlier.", &[])
            .examples(&[Example { query: "print array_length(series_outliers(dynamic([1, 2, 1, 2, 100])))", answer: "5" }]),
    }
}

/// The type that a constant last argument names (`typeof(long)`).
fn named_type(arguments: &[ArgumentInfo<'_>]) -> Type {
    match arguments.last().and_then(|argument| argument.constant) {
        Some(Value::String(name)) => Type::from_name(name).unwrap_or(Type::Dynamic),
        _ => Type::Dynamic,
    }
}

/// One column of a function that gives several: the end of its name (after the function's and the
/// argument's), and its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TupleColumn {
    pub suffix: &'static str,
    pub ty: Type,
}

const fn column(suffix: &'static str, ty: Type) -> TupleColumn {
    TupleColumn { suffix, ty }
}

impl DynamicFunction {
    /// The columns of a function that gives several at once (`series_stats(x)` → `series_stats_x_min`, …).
    /// Its value is an array of them in this order, which is also what it is inside an expression.
    /// `array_sort_asc` and `array_sort_desc` of more than one array are the other such case: they give one
    /// array per argument.
    pub fn tuple_columns(self) -> Option<&'static [TupleColumn]> {
        use Type::{Dynamic, Long, Real};
        Some(match self {
            DynamicFunction::SeriesStats => {
                const {
                    &[
                        column("min", Real),
                        column("min_idx", Long),
                        column("max", Real),
                        column("max_idx", Long),
                        column("avg", Real),
                        column("stdev", Real),
                        column("variance", Real),
                    ]
                }
            }
            DynamicFunction::SeriesFitLine => {
                const {
                    &[
                        column("rsquare", Real),
                        column("slope", Real),
                        column("variance", Real),
                        column("rvariance", Real),
                        column("interception", Real),
                        column("line_fit", Dynamic),
                    ]
                }
            }
            DynamicFunction::SeriesFitPoly => {
                const {
                    &[
                        column("rsquare", Real),
                        column("coefficients", Dynamic),
                        column("variance", Real),
                        column("rvariance", Real),
                        column("poly_fit", Dynamic),
                    ]
                }
            }
            DynamicFunction::SeriesPeriodsDetect | DynamicFunction::SeriesPeriodsValidate => {
                const { &[column("periods", Dynamic), column("scores", Dynamic)] }
            }
            DynamicFunction::SeriesDecompose | DynamicFunction::SeriesDecomposeForecast => {
                const {
                    &[
                        column("baseline", Dynamic),
                        column("seasonal", Dynamic),
                        column("trend", Dynamic),
                        column("residual", Dynamic),
                    ]
                }
            }
            DynamicFunction::SeriesDecomposeAnomalies => {
                const { &[column("ad_flag", Dynamic), column("ad_score", Dynamic), column("baseline", Dynamic)] }
            }
            DynamicFunction::SeriesFft | DynamicFunction::SeriesIfft => {
                const { &[column("real", Dynamic), column("imag", Dynamic)] }
            }
            DynamicFunction::SeriesFit2Lines => {
                const {
                    &[
                        column("rsquare", Real),
                        column("split_idx", Long),
                        column("variance", Real),
                        column("rvariance", Real),
                        column("line_fit", Dynamic),
                        column("right_rsquare", Real),
                        column("right_slope", Real),
                        column("right_interception", Real),
                        column("right_variance", Real),
                        column("right_rvariance", Real),
                        column("left_rsquare", Real),
                        column("left_slope", Real),
                        column("left_interception", Real),
                        column("left_variance", Real),
                        column("left_rvariance", Real),
                    ]
                }
            }
            _ => return None,
        })
    }
}
