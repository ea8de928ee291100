//! Aggregates against slow models, and merge-of-parts against one pass.

use std::sync::Arc;

use arrow_array::builder::BinaryViewBuilder;
use arrow_array::{
    Array, ArrayRef, BinaryViewArray, BooleanArray, Float64Array, Int32Array, Int64Array, StringViewArray,
};
use conshelf_kql::function::{AggregateFunction, ArgumentInfo};
use conshelf_kql::{Decimal, Type};
use conshelf_storage::dynamic::{DynamicRef, from_json};
use proptest::prelude::*;

use super::*;
use crate::engine::aggregate::states::fixed_array;

/// Values as text: what a failing test shows.
fn show(array: &ArrayRef) -> Vec<String> {
    let any = array.as_any();
    (0..array.len())
        .map(|row| {
            if array.is_null(row) {
                return String::from("null");
            }
            if let Some(array) = any.downcast_ref::<Int64Array>() {
                array.value(row).to_string()
            } else if let Some(array) = any.downcast_ref::<Int32Array>() {
                array.value(row).to_string()
            } else if let Some(array) = any.downcast_ref::<Float64Array>() {
                format!("{:?}", array.value(row))
            } else if let Some(array) = any.downcast_ref::<BooleanArray>() {
                array.value(row).to_string()
            } else if let Some(array) = any.downcast_ref::<StringViewArray>() {
                format!("{:?}", array.value(row))
            } else if let Some(array) = any.downcast_ref::<BinaryViewArray>() {
                DynamicRef::new(array.value(row)).to_json_string()
            } else if let Some(array) = any.downcast_ref::<arrow_array::FixedSizeBinaryArray>() {
                Decimal::from_bytes(array.value(row).try_into().unwrap()).to_string()
            } else {
                format!("{}", array.data_type())
            }
        })
        .collect()
}

fn longs(values: &[Option<i64>]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn ints(values: &[Option<i32>]) -> ArrayRef {
    Arc::new(Int32Array::from(values.to_vec()))
}

fn reals(values: &[Option<f64>]) -> ArrayRef {
    Arc::new(Float64Array::from(values.to_vec()))
}

fn strings(values: &[&str]) -> ArrayRef {
    Arc::new(StringViewArray::from_iter_values(values))
}

fn decimals(values: &[Option<&str>]) -> ArrayRef {
    fixed_array(values.iter().map(|value| value.map(|text| Decimal::parse(text).unwrap().to_bytes())))
}

fn dynamics(values: &[&str]) -> ArrayRef {
    let mut builder = BinaryViewBuilder::new();
    for value in values {
        match *value {
            "null" => builder.append_null(),
            text => builder.append_value(from_json(text).unwrap()),
        }
    }
    Arc::new(builder.finish())
}

struct Case {
    call: AggregateCall,
    arguments: Vec<ArrayRef>,
}

/// A call whose arguments after the first `varying` are constants of one row.
fn case(function: AggregateFunction, types: &[Type], arguments: Vec<ArrayRef>, varying: usize) -> Case {
    let rows = arguments.first().map_or(0, |array| array.len());
    let infos: Vec<ArgumentInfo<'_>> = types.iter().map(|ty| ArgumentInfo::of(*ty)).collect();
    let constants =
        arguments.iter().enumerate().map(|(i, array)| (i >= varying).then(|| array.clone())).collect();
    let repeated = arguments
        .iter()
        .enumerate()
        .map(|(i, array)| {
            if i < varying {
                return array.clone();
            }
            let rows = arrow_array::UInt32Array::from(vec![0u32; rows]);
            arrow_select::take::take(array, &rows, None).unwrap()
        })
        .collect();
    let call = AggregateCall {
        function,
        argument_types: types.to_vec(),
        constants,
        outputs: function.output_types(&infos),
    };
    Case { call, arguments: repeated }
}

fn run(case: &Case, groups: &[u32], count: usize, condition: Option<&BooleanArray>) -> Vec<Vec<String>> {
    let mut accumulator = create(&case.call).unwrap();
    accumulator.resize(count);
    accumulator.update(groups, &case.arguments, condition).unwrap();
    accumulator.finish().unwrap().iter().map(show).collect()
}

/// All rows in one group, by both ways of updating.
fn single(case: &Case) -> Vec<String> {
    let rows = case.arguments.first().map_or(0, |array| array.len());
    let each = run(case, &vec![0; rows], 1, None);
    let mut accumulator = create(&case.call).unwrap();
    accumulator.resize(1);
    accumulator.update_one(0, &case.arguments, None).unwrap();
    let one: Vec<Vec<String>> = accumulator.finish().unwrap().iter().map(show).collect();
    assert_eq!(each, one);
    each.into_iter().map(|column| column[0].clone()).collect()
}

#[test]
fn aggregates_of_one_group() {
    use AggregateFunction::*;
    let nan = f64::NAN;
    let some = |values: &[i64]| longs(&values.iter().map(|value| Some(*value)).collect::<Vec<_>>());
    let five = || longs(&[Some(5), None, Some(10), Some(15), None]);
    for (function, types, arguments, varying, expected) in [
        (Count, vec![Type::Long], vec![five()], 1, vec!["5"]),
        (Sum, vec![Type::Long], vec![five()], 1, vec!["30"]),
        (Sum, vec![Type::Int], vec![ints(&[Some(i32::MAX), Some(1)])], 1, vec!["2147483648"]),
        (Sum, vec![Type::Int], vec![ints(&[None, None])], 1, vec!["0"]),
        (Sum, vec![Type::Real], vec![reals(&[Some(1.5), Some(nan)])], 1, vec!["NaN"]),
        (Sum, vec![Type::Decimal], vec![decimals(&[Some("1.5"), None, Some("2.5")])], 1, vec!["4"]),
        (Avg, vec![Type::Long], vec![five()], 1, vec!["10.0"]),
        (Avg, vec![Type::Int], vec![ints(&[None])], 1, vec!["NaN"]),
        (Avg, vec![Type::TimeSpan], vec![longs(&[None])], 1, vec!["null"]),
        (Avg, vec![Type::DateTime], vec![some(&[10, 20])], 1, vec!["15"]),
        (Avg, vec![Type::Decimal], vec![decimals(&[Some("1.5"), Some("2.5")])], 1, vec!["2"]),
        (Min, vec![Type::Long], vec![five()], 1, vec!["5"]),
        (Max, vec![Type::Long], vec![five()], 1, vec!["15"]),
        (Max, vec![Type::Int], vec![ints(&[None])], 1, vec!["null"]),
        (Max, vec![Type::Real], vec![reals(&[Some(1.5), Some(nan), Some(2.5)])], 1, vec!["NaN"]),
        (Min, vec![Type::Real], vec![reals(&[Some(1.5), Some(nan), Some(2.5)])], 1, vec!["NaN"]),
        (Max, vec![Type::Decimal], vec![decimals(&[Some("9.5"), Some("10")])], 1, vec!["10"]),
        (Max, vec![Type::String], vec![strings(&["b", "abc", ""])], 1, vec!["\"b\""]),
        (Stdev, vec![Type::Real], vec![reals(&[Some(1.0), Some(2.0), Some(3.0)])], 1, vec!["1.0"]),
        (Stdev, vec![Type::Long], vec![some(&[5])], 1, vec!["0.0"]),
        (Variance, vec![Type::Long], vec![some(&[1, 2, 3, 4, 5])], 1, vec!["2.5"]),
        (Variancep, vec![Type::Long], vec![some(&[1, 2, 3, 4, 5])], 1, vec!["2.0"]),
        (
            Covariancep,
            vec![Type::Real, Type::Real],
            vec![
                reals(&[Some(1.0), Some(2.0), Some(3.0), Some(4.0), Some(5.0)]),
                reals(&[Some(14.0), Some(10.0), Some(17.0), Some(20.0), Some(50.0)]),
            ],
            2,
            vec!["16.4"],
        ),
        (BinaryAllAnd, vec![Type::Long], vec![some(&[0xFFFF_F00F, 0xCFFF_FFFD])], 1, vec!["3489656845"]),
        (BinaryAllXor, vec![Type::Int], vec![ints(&[None])], 1, vec!["null"]),
        (
            Dcount,
            vec![Type::Int, Type::Long],
            vec![ints(&[None, Some(1), Some(2), Some(1)]), some(&[1])],
            1,
            vec!["2"],
        ),
        (
            Dcount,
            vec![Type::String, Type::Long],
            vec![strings(&["", "a", "b", "a"]), some(&[4])],
            1,
            vec!["3"],
        ),
        (
            CountDistinct,
            vec![Type::Real],
            vec![reals(&[Some(0.0), Some(-0.0), Some(nan), Some(nan)])],
            1,
            vec!["2"],
        ),
        (
            Percentile,
            vec![Type::Long, Type::Real],
            vec![some(&[20, 10]), reals(&[Some(50.0)])],
            1,
            vec!["10"],
        ),
        (
            Percentiles,
            vec![Type::Long, Type::Real, Type::Real],
            vec![some(&[3, 1, 2]), reals(&[Some(0.0)]), reals(&[Some(100.0)])],
            1,
            vec!["1", "3"],
        ),
        (
            PercentileswArray,
            vec![Type::Long, Type::Long, Type::Dynamic],
            vec![some(&[10, 20, 30, 40]), some(&[8, 6, 3, 1]), dynamics(&["[50,75,99.9]"])],
            2,
            vec!["[20,20,40]"],
        ),
        (
            Percentile,
            vec![Type::String, Type::Real],
            vec![strings(&["c", "a", "b"]), reals(&[Some(50.0)])],
            1,
            vec!["\"b\""],
        ),
        (MakeList, vec![Type::Long, Type::Long], vec![five(), some(&[1 << 20])], 1, vec!["[5,10,15]"]),
        (MakeList, vec![Type::Long, Type::Long], vec![five(), some(&[2])], 1, vec!["[5,10]"]),
        (MakeListWithNulls, vec![Type::Long], vec![five()], 1, vec!["[5,null,10,15,null]"]),
        (MakeList, vec![Type::String], vec![strings(&["", "a"])], 1, vec!["[\"\",\"a\"]"]),
        (MakeList, vec![Type::TimeSpan], vec![some(&[864_000_000_000])], 1, vec!["[\"1.00:00:00\"]"]),
        (MakeList, vec![Type::Decimal], vec![decimals(&[Some("1.5")])], 1, vec!["[\"1.5\"]"]),
        (MakeList, vec![Type::Dynamic], vec![dynamics(&["{\"x\":1}", "null"])], 1, vec!["[{\"x\":1},null]"]),
        (MakeList, vec![Type::Dynamic], vec![dynamics(&["[1,2]", "[[3]]", "[]"])], 1, vec!["[1,2,[3]]"]),
        (Avg, vec![Type::Long], vec![some(&[i64::MAX, 1, 2])], 1, vec!["-3.0744573456182584e18"]),
        (MakeSet, vec![Type::Long], vec![some(&[1, 5, 1, 7])], 1, vec!["[1,5,7]"]),
        (
            MakeSet,
            vec![Type::Dynamic],
            vec![dynamics(&["[\"A1\",\"A2\"]", "[\"A2\",\"C1\"]"])],
            1,
            vec!["[\"A1\",\"A2\",\"C1\"]"],
        ),
        (
            MakeBag,
            vec![Type::Dynamic],
            vec![dynamics(&["{\"a\":1}", "3", "{\"b\":2}", "{\"a\":3,\"c\":4}"])],
            1,
            vec!["{\"a\":1,\"b\":2,\"c\":4}"],
        ),
        (
            ArgMax,
            vec![Type::Long, Type::String],
            vec![longs(&[None, Some(20), Some(20)]), strings(&["a", "b", "c"])],
            2,
            vec!["20", "\"b\""],
        ),
        (
            ArgMin,
            vec![Type::Long, Type::String],
            vec![longs(&[None, None]), strings(&["c", "d"])],
            2,
            vec!["null", "\"c\""],
        ),
        (
            ArgMin,
            vec![Type::Real, Type::Long],
            vec![reals(&[Some(f64::INFINITY), Some(3.0), Some(nan)]), some(&[1, 2, 3])],
            2,
            vec!["NaN", "3"],
        ),
        (TakeAny, vec![Type::String], vec![strings(&["", "x", "y"])], 1, vec!["\"x\""]),
        (
            TakeAny,
            vec![Type::Long, Type::Long],
            vec![longs(&[None, Some(2)]), some(&[1, 2])],
            2,
            vec!["null", "1"],
        ),
        (
            BuildSchema,
            vec![Type::Dynamic],
            vec![dynamics(&[
                r#"{"x":1, "y":3.5}"#,
                r#"{"x":"somevalue", "z":[1, 2, 3]}"#,
                r#"{"y":{"w":"zzz"}, "t":["aa", "bb"], "z":["foo"]}"#,
            ])],
            1,
            vec![
                r#"{"x":["long","string"],"y":["double",{"w":"string"}],"z":{"`indexer`":["long","string"]},"t":{"`indexer`":"string"}}"#,
            ],
        ),
    ] {
        let case = case(function, &types, arguments, varying);
        assert_eq!(single(&case), expected, "{function:?} of {types:?}");
    }
}

#[test]
fn dictionaries_count_as_their_texts() {
    use arrow_array::DictionaryArray;
    let texts = strings(&["a", "b", "", "a", "b", "a"]);
    let keys = arrow_array::UInt32Array::from(vec![0, 1, 2, 0, 1, 0]);
    let values = strings(&["a", "b", "", "never used"]);
    let dictionary: ArrayRef = Arc::new(DictionaryArray::try_new(keys, values).unwrap());
    let condition =
        BooleanArray::from(vec![Some(true), None, Some(true), Some(false), Some(true), Some(true)]);
    use AggregateFunction::*;
    for function in [Count, Dcount, CountDistinct, Hll, Min, Max, MakeList, MakeSet, TakeAny, ArgMax] {
        let flat = case(function, &[Type::String], vec![texts.clone()], 1);
        let mut coded = case(function, &[Type::String], vec![texts.clone()], 1);
        coded.arguments = vec![dictionary.clone()];
        let groups = [0, 1, 0, 1, 0, 1];
        for condition in [None, Some(&condition)] {
            let answer = run(&coded, &groups, 2, condition);
            assert_eq!(answer, run(&flat, &groups, 2, condition), "{function:?}");
        }
    }
}

#[test]
fn aggregates_of_nothing() {
    use AggregateFunction::*;
    for (function, ty, expected) in [
        (Count, Type::Long, "0"),
        (Sum, Type::Real, "0.0"),
        (Avg, Type::Real, "NaN"),
        (Avg, Type::Decimal, "null"),
        (Min, Type::DateTime, "null"),
        (Max, Type::String, "\"\""),
        (Stdev, Type::Real, "0.0"),
        (Variancep, Type::Real, "0.0"),
        (Dcount, Type::String, "0"),
        (Hll, Type::String, "null"),
        (CountDistinct, Type::String, "0"),
        (Tdigest, Type::Long, "null"),
        (MakeList, Type::Long, "[]"),
        (MakeSet, Type::Long, "[]"),
        (MakeBag, Type::Dynamic, "{}"),
        (ArgMax, Type::Guid, "null"),
        (TakeAny, Type::String, "\"\""),
        (BuildSchema, Type::Dynamic, "null"),
    ] {
        let empty = arrow_array::new_empty_array(&crate::engine::batch::arrow_type(ty));
        let case = case(function, &[ty], vec![empty], 1);
        assert_eq!(single(&case), [expected], "{function:?} of {ty}");
    }
}

#[test]
fn sketches_estimate_within_their_error_and_survive_merging() {
    let mut errors = Vec::new();
    for (accuracy, bound) in [(0, 0.05), (1, 0.025), (2, 0.0125), (3, 0.009), (4, 0.006)] {
        let values: Vec<i64> = (0..120_000).collect();
        let slice_case = |range: std::ops::Range<usize>| {
            let slice = Arc::new(Int64Array::from(values[range].to_vec())) as ArrayRef;
            case(
                AggregateFunction::Dcount,
                &[Type::Long, Type::Long],
                vec![slice, longs(&[Some(accuracy)])],
                1,
            )
        };
        let mut parts = create(&slice_case(0..1).call).unwrap();
        parts.resize(1);
        for range in [0..70_000, 50_000..120_000, 0..500] {
            let case = slice_case(range);
            let mut part = create(&case.call).unwrap();
            part.resize(1);
            part.update_one(0, &case.arguments, None).unwrap();
            parts.merge(part, &[0]).unwrap();
        }
        let estimate: f64 = show(&parts.finish().unwrap()[0])[0].parse().unwrap();
        errors.push((estimate / 120_000.0 - 1.0).abs());
        assert!(errors[errors.len() - 1] < bound, "accuracy {accuracy}: {errors:?}");
    }
}

#[test]
fn coarsening_a_sketch_is_like_building_it_coarse() {
    let hashes = (0..5000u64).map(|i| i.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (i << 40));
    let (mut fine, mut coarse) = (Sketch::new(4), Sketch::new(0));
    for hash in hashes {
        fine.add(hash);
        coarse.add(hash);
    }
    let mut empty = Sketch::new(0);
    empty.merge(&fine);
    assert_eq!(empty.estimate(), coarse.estimate());
}

#[test]
fn large_percentiles_stay_close() {
    let values: Vec<i64> = (0..300_000i64).map(|i| i * 7919 % 300_000).collect();
    let array = Arc::new(Int64Array::from(values)) as ArrayRef;
    let percentiles = [0.0, 1.0, 50.0, 99.0, 99.9, 100.0];
    let mut arguments = vec![array];
    arguments.extend(percentiles.iter().map(|percent| reals(&[Some(*percent)])));
    let mut types = vec![Type::Long];
    types.extend(percentiles.iter().map(|_| Type::Real));
    let case = case(AggregateFunction::Percentiles, &types, arguments, 1);
    for (found, percent) in single(&case).iter().zip(percentiles) {
        let error = (found.parse::<f64>().unwrap() - percent / 100.0 * 300_000.0).abs();
        assert!(error < 300.0, "p{percent}: {found}");
    }
}

#[test]
fn several_percentiles_are_those_of_the_sorted_values() {
    for rows in [1usize, 2, 3, 10, 1000] {
        let values: Vec<i64> = (0..rows as i64).map(|i| i * 7919 % 613).collect();
        let mut sorted = values.clone();
        sorted.sort_unstable();
        let percentiles = [99.0, 0.0, 50.0, 50.0, 100.0, 5.0, 95.0];
        let mut arguments = vec![Arc::new(Int64Array::from(values)) as ArrayRef];
        arguments.extend(percentiles.iter().map(|percent| reals(&[Some(*percent)])));
        let mut types = vec![Type::Long];
        types.extend(percentiles.iter().map(|_| Type::Real));
        let case = case(AggregateFunction::Percentiles, &types, arguments, 1);
        let expected: Vec<String> = percentiles
            .iter()
            .map(|percent| sorted[((percent * rows as f64 / 100.0).ceil() as usize).max(1) - 1].to_string())
            .collect();
        assert_eq!(single(&case), expected, "{rows} rows");
    }
}

/// Every aggregate over a long argument, with what else it needs.
fn all_over_longs(values: &ArrayRef, texts: &ArrayRef) -> Vec<Case> {
    use AggregateFunction::*;
    let real = |value: f64| reals(&[Some(value)]);
    let mut cases: Vec<Case> = [
        Count,
        Sum,
        Avg,
        Min,
        Max,
        Stdev,
        Stdevp,
        Variance,
        Variancep,
        Dcount,
        CountDistinct,
        Hll,
        Tdigest,
        MakeList,
        MakeListWithNulls,
        MakeSet,
        TakeAny,
        BinaryAllAnd,
        BinaryAllOr,
        BinaryAllXor,
    ]
    .into_iter()
    .map(|function| case(function, &[Type::Long], vec![values.clone()], 1))
    .collect();
    let pair = [Type::Long, Type::String];
    for function in [ArgMax, ArgMin, TakeAny] {
        cases.push(case(function, &pair, vec![values.clone(), texts.clone()], 2));
    }
    for function in [Min, Max, CountDistinct, Dcount, MakeSet, TakeAny] {
        cases.push(case(function, &[Type::String], vec![texts.clone()], 1));
    }
    let percentile = [Type::Long, Type::Real];
    cases.push(case(Percentile, &percentile, vec![values.clone(), real(37.0)], 1));
    cases.push(case(Percentile, &[Type::String, Type::Real], vec![texts.clone(), real(37.0)], 1));
    cases.push(case(PercentilesArray, &percentile, vec![values.clone(), real(37.0)], 1));
    cases.push(case(Covariance, &[Type::Long, Type::Long], vec![values.clone(), values.clone()], 2));
    cases
}

fn rounded(columns: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let round = |text: String| match text.parse::<f64>() {
        Ok(value) if text.contains('.') => format!("{value:.6}"),
        _ => text,
    };
    columns.into_iter().map(|column| column.into_iter().map(round).collect()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn parts_merged_are_one_pass(
        rows in prop::collection::vec((0u32..4, prop::option::weighted(0.8, -50i64..50), "[a-c]{0,2}", prop::option::of(any::<bool>())), 0..40),
        cut in 0usize..40,
        by_condition in any::<bool>(),
    ) {
        let cut = cut.min(rows.len());
        let groups: Vec<u32> = rows.iter().map(|row| row.0).collect();
        let values = longs(&rows.iter().map(|row| row.1).collect::<Vec<_>>());
        let texts: ArrayRef = Arc::new(StringViewArray::from_iter_values(rows.iter().map(|row| &row.2)));
        let condition = by_condition.then(|| BooleanArray::from(rows.iter().map(|row| row.3).collect::<Vec<_>>()));
        for case in all_over_longs(&values, &texts) {
            let whole = rounded(run(&case, &groups, 4, condition.as_ref()));

            // In two parts, slices of the arrays, each with its own numbering of groups; the state of the
            // second goes through its bytes.
            let part = |from: usize, length: usize| {
                let mut part = create(&case.call).unwrap();
                part.resize(4);
                let arguments: Vec<ArrayRef> = case.arguments.iter().map(|array| array.slice(from, length)).collect();
                let reversed: Vec<u32> = groups[from..from + length].iter().map(|group| 3 - group).collect();
                let condition = condition.as_ref().map(|condition| condition.slice(from, length));
                part.update(&reversed, &arguments, condition.as_ref()).unwrap();
                part
            };
            let mut bytes = Vec::new();
            part(cut, rows.len() - cut).encode(&mut bytes);
            let mut merged = create(&case.call).unwrap();
            merged.resize(4);
            merged.merge(part(0, cut), &[3, 2, 1, 0]).unwrap();
            merged.merge(decode(&case.call, &bytes).unwrap(), &[3, 2, 1, 0]).unwrap();
            let merged = rounded(merged.finish().unwrap().iter().map(show).collect());
            prop_assert_eq!(&merged, &whole, "{:?}", case.call.function);

            // Damaged states are errors, not panics.
            let _ = decode(&case.call, &bytes[..bytes.len() / 2]);
        }
    }

    #[test]
    fn distinct_counts_of_many_groups_are_those_of_each(
        batches in prop::collection::vec(prop::collection::vec((0u32..300, 0i64..4_000), 0..400), 1..12),
        many in 0usize..6_000,
    ) {
        // One group with more values than are kept exactly.
        let mut batches = batches;
        batches.push((0..many as i64).map(|value| (7, value)).collect());
        let dcount = case(AggregateFunction::Dcount, &[Type::Long], vec![longs(&[])], 1);
        let (mut whole, mut other) = (create(&dcount.call).unwrap(), create(&dcount.call).unwrap());
        let mut single: Vec<_> = (0..300).map(|_| create(&dcount.call).unwrap()).collect();
        whole.resize(300);
        other.resize(300);
        single.iter_mut().for_each(|single| single.resize(1));
        for (index, batch) in batches.iter().enumerate() {
            let groups: Vec<u32> = batch.iter().map(|row| row.0).collect();
            let values = longs(&batch.iter().map(|row| Some(row.1)).collect::<Vec<_>>());
            let part = if index % 2 == 0 { &mut whole } else { &mut other };
            part.update(&groups, &[values], None).unwrap();
            for (group, value) in batch {
                single[*group as usize].update_one(0, &[longs(&[Some(*value)])], None).unwrap();
            }
        }
        let mut bytes = Vec::new();
        other.encode(&mut bytes);
        let all: Vec<u32> = (0..300).collect();
        whole.merge(decode(&dcount.call, &bytes).unwrap(), &all).unwrap();
        let found = show(&whole.finish().unwrap()[0]);
        let expected: Vec<String> =
            single.iter_mut().flat_map(|single| show(&single.finish().unwrap()[0])).collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn simple_aggregates_follow_the_model(
        rows in prop::collection::vec((0u32..3, prop::option::weighted(0.8, -50i64..50)), 0..40),
    ) {
        use AggregateFunction::*;
        let groups: Vec<u32> = rows.iter().map(|row| row.0).collect();
        let values = longs(&rows.iter().map(|row| row.1).collect::<Vec<_>>());
        for group in 0..3u32 {
            let mut model: Vec<i64> = rows.iter().filter(|row| row.0 == group).filter_map(|row| row.1).collect();
            let text = |value: Option<i64>| value.map_or(String::from("null"), |value| value.to_string());
            let of = |function, extra: Option<f64>| {
                let mut arguments = vec![values.clone()];
                let mut types = vec![Type::Long];
                if let Some(percent) = extra {
                    arguments.push(reals(&[Some(percent)]));
                    types.push(Type::Real);
                }
                run(&case(function, &types, arguments, 1), &groups, 3, None)[0][group as usize].clone()
            };
            prop_assert_eq!(of(Sum, None), model.iter().sum::<i64>().to_string());
            prop_assert_eq!(of(Min, None), text(model.iter().min().copied()));
            prop_assert_eq!(of(Max, None), text(model.iter().max().copied()));
            let list = model.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
            prop_assert_eq!(of(MakeList, None), format!("[{list}]"));
            model.sort_unstable();
            let rank = (model.len() as f64 * 0.3).ceil() as usize;
            prop_assert_eq!(of(Percentile, Some(30.0)), text(model.get(rank.saturating_sub(1)).copied()));
            model.dedup();
            prop_assert_eq!(of(CountDistinct, None), model.len().to_string());
            prop_assert_eq!(of(Dcount, None), model.len().to_string());
        }
    }
}
