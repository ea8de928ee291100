//! Kernels of arrays, property bags, sets, JSON and series.
//!
//! `value` turns arguments of any type into dynamic values, `path` reads JSON paths, `set` tells values
//! apart; the rest are the functions: `array`, `bag`, `text`, `xml`, `sketch`, `series`.

mod array;
mod bag;
mod path;
mod series;
mod set;
mod sketch;
mod text;
pub mod value;
mod xml;

#[cfg(test)]
mod tests;

use conshelf_kql::function::DynamicFunction;

use crate::engine::kernel::Kernel;

/// The kernel of a function of the family.
pub fn kernel(function: DynamicFunction) -> Kernel {
    use DynamicFunction::*;
    match function {
        ParseJson => text::parse_json,
        DynamicToJson => text::dynamic_to_json,
        ExtractJson => text::extract_json,
        StrcatArray => text::strcat_array,
        ParseCsv => text::parse_csv,
        ParseCommandLine => text::parse_command_line,
        ParseXml => xml::parse_xml,
        ArrayLength => array::length,
        ArrayConcat => array::concat,
        ArraySlice => array::slice,
        ArraySplit => array::split,
        ArrayIndexOf => array::index_of,
        ArraySum => array::sum,
        ArrayReverse => array::reverse,
        ArrayRotateLeft => array::rotate_left,
        ArrayRotateRight => array::rotate_right,
        ArrayShiftLeft => array::shift_left,
        ArrayShiftRight => array::shift_right,
        ArraySortAsc => array::sort_ascending,
        ArraySortDesc => array::sort_descending,
        ArrayIff => array::iff,
        PackArray => array::pack,
        Repeat => array::repeat,
        Range => array::range,
        Zip => array::zip,
        BagKeys => bag::keys,
        BagHasKey => bag::has_key,
        BagMerge => bag::merge,
        BagRemoveKeys => bag::remove_keys,
        BagRemoveNulls => bag::remove_nulls,
        BagSetKey => bag::set_key,
        BagZip => bag::zip,
        BagPack => bag::pack,
        TreePath => bag::tree_path,
        SetUnion => set::union,
        SetIntersect => set::intersect,
        SetDifference => set::difference,
        SetEquals => set::equals,
        SetHasElement => set::has_element,
        JaccardIndex => set::jaccard_index,
        DcountHll => sketch::dcount_hll,
        HllMerge => sketch::hll_merge,
        PercentileTdigest => sketch::percentile,
        PercentilesArrayTdigest => sketch::percentiles_array,
        TdigestMerge => sketch::tdigest_merge,
        SeriesAdd => series::add,
        SeriesSubtract => series::subtract,
        SeriesMultiply => series::multiply,
        SeriesDivide => series::divide,
        SeriesPow => series::pow,
        SeriesGreater => |call, arguments| series::compare(call, arguments, |left, right| left > right),
        SeriesGreaterEquals => {
            |call, arguments| series::compare(call, arguments, |left, right| left >= right)
        }
        SeriesLess => |call, arguments| series::compare(call, arguments, |left, right| left < right),
        SeriesLessEquals => |call, arguments| series::compare(call, arguments, |left, right| left <= right),
        SeriesEquals => |call, arguments| series::compare(call, arguments, |left, right| left == right),
        SeriesNotEquals => |call, arguments| series::compare(call, arguments, |left, right| left != right),
        SeriesAbs => series::absolute,
        SeriesSign => series::sign,
        SeriesExp => |call, arguments| series::map(call, arguments, f64::exp),
        SeriesLog => |call, arguments| series::map(call, arguments, f64::ln),
        SeriesFloor => |call, arguments| series::map(call, arguments, f64::floor),
        SeriesCeiling => |call, arguments| series::map(call, arguments, f64::ceil),
        SeriesSin => |call, arguments| series::map(call, arguments, f64::sin),
        SeriesCos => |call, arguments| series::map(call, arguments, f64::cos),
        SeriesTan => |call, arguments| series::map(call, arguments, f64::tan),
        SeriesAsin => |call, arguments| series::map(call, arguments, f64::asin),
        SeriesAcos => |call, arguments| series::map(call, arguments, f64::acos),
        SeriesAtan => |call, arguments| series::map(call, arguments, f64::atan),
        SeriesProduct => |call, arguments| series::reduce(call, arguments, |values| values.iter().product()),
        SeriesMagnitude => |call, arguments| {
            series::reduce(call, arguments, |values| {
                values.iter().map(|value| value * value).sum::<f64>().sqrt()
            })
        },
        SeriesDotProduct => series::dot_product,
        SeriesCosineSimilarity => series::cosine_similarity,
        SeriesPearsonCorrelation => series::pearson_correlation,
        SeriesFillConst => series::fill::constant,
        SeriesFillForward => series::fill::forward,
        SeriesFillBackward => series::fill::backward,
        SeriesFillLinear => series::fill::linear,
        SeriesFir => series::filter::fir,
        SeriesIir => series::filter::iir,
        SeriesStats => series::stats::tuple,
        SeriesStatsDynamic => series::stats::bag,
        SeriesFitLine => series::fit::line_tuple,
        SeriesFitLineDynamic => series::fit::line_bag,
        SeriesFit2Lines => series::fit::two_lines_tuple,
        SeriesFit2LinesDynamic => series::fit::two_lines_bag,
        SeriesFitPoly => series::polynomial::tuple,
        SeriesPeriodsDetect => series::periods::detected,
        SeriesPeriodsValidate => series::periods::validated,
        SeriesSeasonal => series::decompose::seasonal,
        SeriesDecompose => series::decompose::parts,
        SeriesDecomposeForecast => series::decompose::forecast,
        SeriesDecomposeAnomalies => series::decompose::anomalies,
        SeriesFft => series::fourier::fft,
        SeriesIfft => series::fourier::ifft,
        SeriesOutliers => series::stats::outliers,
    }
}
