//! Tables of cases from the reference and the recorded engine.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{
    Array, ArrayRef, BinaryViewArray, BooleanArray, Float64Array, Int64Array, StringViewArray,
};
use arrow_schema::DataType;
use conshelf_kql::Type;
use conshelf_kql::function::{DynamicFunction, FunctionId};
use conshelf_storage::DynamicRef;
use conshelf_storage::dynamic::from_json;
use proptest::prelude::*;

use super::kernel;
use crate::engine::context::{QueryContext, QueryLimits};
use crate::engine::kernel::{Datum, KernelCall};

/// An argument: `=text` is a text, `#1` a long, `?true` a bool, `.5` a real, else JSON.
fn parse(text: &str) -> (Type, ArrayRef) {
    match text.split_at(1) {
        ("=", text) => (Type::String, Arc::new(StringViewArray::from_iter_values([text]))),
        ("#", text) => (Type::Long, Arc::new(Int64Array::from(vec![text.parse::<i64>().ok()]))),
        ("?", text) => (Type::Bool, Arc::new(BooleanArray::from(vec![text == "true"]))),
        ("~", text) => (Type::Real, Arc::new(Float64Array::from(vec![text.parse::<f64>().ok()]))),
        _ => {
            let bytes = from_json(text).unwrap();
            (Type::Dynamic, Arc::new(BinaryViewArray::from_iter_values([bytes])))
        }
    }
}

fn show(array: &ArrayRef) -> String {
    assert_eq!(array.len(), 1);
    if array.is_null(0) {
        return String::from("null");
    }
    match array.data_type() {
        DataType::Int64 => array.as_primitive::<Int64Type>().value(0).to_string(),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(0).to_string(),
        DataType::Boolean => array.as_boolean().value(0).to_string(),
        DataType::Utf8View => array.as_string_view().value(0).to_string(),
        _ => DynamicRef::new(array.as_binary_view().value(0)).to_json_string(),
    }
}

fn run(function: DynamicFunction, arguments: &[&str]) -> String {
    let (types, values): (Vec<Type>, Vec<ArrayRef>) = arguments.iter().map(|text| parse(text)).unzip();
    let query = QueryContext::new(QueryLimits::default(), 0);
    let call = KernelCall { rows: 1, argument_types: &types, return_type: Type::Dynamic, query: &query };
    let arguments: Vec<Datum> = values.into_iter().map(Datum::Constant).collect();
    show(&kernel(function)(&call, &arguments).unwrap())
}

#[test]
fn functions_follow_the_reference() {
    use DynamicFunction::*;
    for (function, arguments, expected) in [
        (ParseJson, vec!["={\"a\":[1,2.5]}"], "{\"a\":[1,2.5]}"),
        (ParseJson, vec!["="], "null"),
        (ParseJson, vec!["=not json"], "\"not json\""),
        (ParseJson, vec!["=[\n1,\t\"a\"]"], "[1,\"a\"]"),
        (ParseJson, vec!["=[\"a\tb\"]"], "\"[\\\"a\\tb\\\"]\""),
        (ParseJson, vec!["#5"], "5"),
        (DynamicToJson, vec!["{\"b\":2,\"a\":{\"d\":1,\"c\":null}}"], "{\"a\":{\"c\":null,\"d\":1},\"b\":2}"),
        (ExtractJson, vec!["=$.a[1]", "={\"a\":[1,{\"b\":2}]}"], "{\"b\":2}"),
        (ExtractJson, vec!["=$['a b']", "={\"a b\":\"x\"}"], "x"),
        (ExtractJson, vec!["=$.z", "={}"], ""),
        (ArrayLength, vec!["{}"], "null"),
        (ArrayLength, vec!["[null,null]"], "2"),
        (ArrayConcat, vec!["{\"a\":1}", "[99]", "null"], "[99]"),
        (ArraySlice, vec!["[1,2,3,4,5]", "#2", "#-1"], "[3,4,5]"),
        (ArraySlice, vec!["[1,2,3,4,5]", "#-3", "#-2"], "[3,4]"),
        (ArraySlice, vec!["[1,2]", "#5", "#9"], "[]"),
        (ArraySplit, vec!["[1,2,3,4,5]", "#2"], "[[1,2],[3,4,5]]"),
        (ArraySplit, vec!["[1,2,3,4,5]", "[1,3]"], "[[1],[2,3],[4,5]]"),
        (ArraySplit, vec!["[1,2,3,4,5]", "#-2"], "[[1,2,3],[4,5]]"),
        (ArrayIndexOf, vec!["[\"this\",\"is\",\"an\",\"example\",\"an\",\"example\"]", "=an"], "2"),
        (
            ArrayIndexOf,
            vec!["[\"this\",\"is\",\"an\",\"example\",\"an\",\"example\"]", "=example", "#1", "#2", "#1"],
            "-1",
        ),
        (
            ArrayIndexOf,
            vec!["[\"this\",\"is\",\"an\",\"example\",\"an\",\"example\"]", "=an", "#1", "#-1", "#2"],
            "4",
        ),
        (
            ArrayIndexOf,
            vec!["[\"this\",\"is\",\"an\",\"example\",\"an\",\"example\"]", "=an", "#-3", "#-1", "#1"],
            "4",
        ),
        (ArrayIndexOf, vec!["[5,15]", "~15.0"], "1"),
        (ArraySum, vec!["[1,2.5,null]"], "3.5"),
        (ArraySum, vec!["[1,\"a\"]"], "null"),
        (ArrayReverse, vec!["[1,2,3]"], "[3,2,1]"),
        (ArrayRotateLeft, vec!["[1,2,3,4,5]", "#-2"], "[4,5,1,2,3]"),
        (ArrayRotateRight, vec!["[1,2,3,4,5]", "#-2"], "[3,4,5,1,2]"),
        (ArrayShiftLeft, vec!["[1,2,3,4,5]", "#2"], "[3,4,5,null,null]"),
        (ArrayShiftLeft, vec!["[1,2,3,4,5]", "#-2", "#-1"], "[-1,-1,1,2,3]"),
        (ArrayShiftRight, vec!["[1,2,3,4,5]", "#-2", "#-1"], "[3,4,5,-1,-1]"),
        (ArraySortAsc, vec!["[1,3,2,\"a\",\"c\",\"b\"]"], "[1,2,3,\"a\",\"b\",\"c\"]"),
        (ArraySortDesc, vec!["[1,3,2,\"a\",\"c\",\"b\"]"], "[3,2,1,\"c\",\"b\",\"a\"]"),
        (ArraySortDesc, vec!["[null,\"blue\",\"yellow\",null]"], "[\"yellow\",\"blue\",null,null]"),
        (ArraySortDesc, vec!["[null,\"blue\",\"yellow\",null]", "?false"], "[null,null,\"yellow\",\"blue\"]"),
        (
            ArraySortAsc,
            vec!["[1,3,4,5,2]", "[\"a\",\"b\",\"c\",\"d\",\"e\"]"],
            "[[1,2,3,4,5],[\"a\",\"e\",\"b\",\"c\",\"d\"]]",
        ),
        (ArraySortAsc, vec!["[2,1]", "[1]"], "[[1,2],null]"),
        (ArrayIff, vec!["[1,0,50]", "=yes", "=no"], "[\"yes\",\"no\",\"yes\"]"),
        (ArrayIff, vec!["[true,true,\"x\"]", "[1]", "[3,4]"], "[1,null,null]"),
        (StrcatArray, vec!["[1,null,3]", "=-"], "1--3"),
        (StrcatArray, vec!["[\"a\",null,\"\",\"b\"]", "=|"], "a|||b"),
        (PackArray, vec!["#1", "=a", "?true"], "[1,\"a\",true]"),
        (Repeat, vec!["#1", "#3"], "[1,1,1]"),
        (Repeat, vec!["#1", "#-1"], "null"),
        (Range, vec!["#1", "#8", "#3"], "[1,4,7]"),
        (Range, vec!["#3", "#1", "#-1"], "[3,2,1]"),
        (Range, vec!["#3", "#1", "#0"], "null"),
        (Range, vec!["~0", "~1", "~0.5"], "[0.0,0.5,1.0]"),
        (Zip, vec!["[\"A\",1,1.5]", "[{},\"B\"]"], "[[\"A\",{}],[1,\"B\"],[1.5,null]]"),
        (BagKeys, vec!["[]"], "null"),
        (BagKeys, vec!["{\"a\":1,\"b\":{}}"], "[\"a\",\"b\"]"),
        (BagHasKey, vec!["{\"key2\":{\"prop1\":1}}", "=$.key2.prop1"], "true"),
        (BagHasKey, vec!["{\"key2\":{\"prop1\":1}}", "=prop1"], "false"),
        (BagMerge, vec!["{\"a\":1,\"b\":2}", "null", "{\"b\":3,\"c\":4}"], "{\"a\":1,\"b\":2,\"c\":4}"),
        (
            BagRemoveKeys,
            vec![
                "{\"key1\":123,\"key2\":{\"prop1\":\"abc\",\"prop2\":\"xyz\"},\"key3\":[100]}",
                "[\"$.key2.prop1\",\"key3\"]",
            ],
            "{\"key1\":123,\"key2\":{\"prop2\":\"xyz\"}}",
        ),
        (BagRemoveNulls, vec!["{\"a\":null,\"b\":\"\",\"c\":0}"], "{\"c\":0}"),
        (BagSetKey, vec!["{\"key1\":1,\"key3\":\"abc\"}", "=key3", "#3"], "{\"key1\":1,\"key3\":3}"),
        (
            BagSetKey,
            vec!["{\"key1\":123}", "=$.key2.prop1", "=abc"],
            "{\"key1\":123,\"key2\":{\"prop1\":\"abc\"}}",
        ),
        (BagZip, vec!["[\"a\",8,\"b\"]", "[1,\"2\",2.5]"], "{\"a\":1,\"b\":2.5}"),
        (BagZip, vec!["[\"a\",8,\"b\"]", "1"], "{\"a\":null,\"b\":null}"),
        (BagPack, vec!["=a", "#1", "=b", "#x"], "{\"a\":1,\"b\":null}"),
        (SetUnion, vec!["[1,2,3]", "[3,4.0,4]", "[5]"], "[1,2,3,4.0,5]"),
        (SetIntersect, vec!["[1,2,1,4]", "[1,2]", "[8,1]"], "[1]"),
        (SetDifference, vec!["[1,2,3]", "[1,2,3]"], "[]"),
        (SetEquals, vec!["[1,2,1]", "[2,1.0]"], "true"),
        (SetHasElement, vec!["[1,2,3]", "=2"], "false"),
        (JaccardIndex, vec!["[1,2,3]", "[1,2,3,4]"], "0.75"),
        (TreePath, vec!["{\"a\":\"b\",\"c\":123}"], "[\"['a']\",\"['c']\"]"),
        (TreePath, vec!["{\"p\":[100,\"x\",{\"y\":1}]}"], "[\"['p']\",\"['p'][0]\",\"['p'][0]['y']\"]"),
        (
            ParseCsv,
            vec!["=aa,\"b,b,b\",cc,\"Escaping quotes: \"\"Title\"\"\"\nrest,x"],
            "[\"aa\",\"b,b,b\",\"cc\",\"Escaping quotes: \\\"Title\\\"\"]",
        ),
        (
            ParseXml,
            vec!["=<?xml version=\"1.0\"?><e n=\"v\"> t <a>1</a><a>2 &lt;</a><b/></e>"],
            "{\"e\":{\"@n\":\"v\",\"#text\":\"t\",\"a\":[\"1\",\"2 <\"],\"b\":null}}",
        ),
        (ParseXml, vec!["=<e>"], "null"),
        (
            ParseCommandLine,
            vec!["=echo \"hello world!\" a\\\"b", "=windows"],
            "[\"echo\",\"hello world!\",\"a\\\"b\"]",
        ),
        (SeriesAdd, vec!["[1,2,4]", "[4,2,1]"], "[5,4,5]"),
        (SeriesAdd, vec!["[1,2,\"x\"]", "#1"], "[2,3,null]"),
        (SeriesDivide, vec!["[1,2]", "[4]"], "[0.25,null]"),
        (SeriesGreaterEquals, vec!["[1,2,4]", "[4,2,1]"], "[false,true,true]"),
        (SeriesSign, vec!["[-6,0,8]"], "[-1,0,1]"),
        (SeriesFloor, vec!["[-1.5,1,2.5]"], "[-2.0,1.0,2.0]"),
        (SeriesProduct, vec!["[1,2,3,4]"], "24"),
        (SeriesDotProduct, vec!["[1,2,4]", "[4,2,1]"], "12"),
        (SeriesPearsonCorrelation, vec!["[1,2,3]", "[2,4]"], "null"),
        (SeriesFillConst, vec!["[1,null]", "#7"], "[1,7]"),
        (SeriesFillForward, vec!["[null,36,null,16,null]"], "[null,36,36,16,16]"),
        (SeriesFillBackward, vec!["[null,36,null,16,null]"], "[36,36,16,16,null]"),
        (SeriesFillLinear, vec!["[null,111,null,36,41,null,null,16]"], "[111,111,73,36,41,32,24,16]"),
        (SeriesFillLinear, vec!["[null,111.0,null,36.0]", "~", "?false"], "[null,111.0,73.5,36.0]"),
        (SeriesFillLinear, vec!["[null,null]"], "[0.0,0.0]"),
        (SeriesFir, vec!["[5,15,10,20]", "[1,-1]", "?false", "?false"], "[5.0,10.0,-5.0,10.0]"),
        (SeriesFir, vec!["[0,3,0]", "[1,1,1]", "?true", "?true"], "[1.0,1.0,1.0]"),
        (SeriesIir, vec!["[10,30,0]", "[1]", "[1,-1]"], "[10.0,40.0,40.0]"),
        (SeriesStats, vec!["[23,46,2,87]"], "[2.0,2,87.0,3,39.5,36.40970566575164,1325.6666666666667]"),
        (SeriesStats, vec!["[1,null]"], "null"),
        (SeriesSeasonal, vec!["[1,3,5,1,3,5,2,4,6]", "#3"], "[1.0,3.0,5.0,1.0,3.0,5.0,1.0,3.0,5.0]"),
        (
            SeriesSeasonal,
            vec!["[2,5,3,4,3,2,1,2,3,4,3,2,1,2,3,4,3,2,1,2,3,4,3,2,1]"],
            "[1.0,2.0,3.0,4.0,3.0,2.0,1.0,2.0,3.0,4.0,3.0,2.0,1.0,2.0,3.0,4.0,3.0,2.0,1.0,2.0,3.0,4.0,3.0,2.0,1.0]",
        ),
        (
            SeriesSeasonal,
            vec!["[8,12,14,12,10,10,12,14,12,10,10,12,14,12,10,10,12,14,12,10]"],
            "[10.0,12.0,14.0,12.0,10.0,10.0,12.0,14.0,12.0,10.0,10.0,12.0,14.0,12.0,10.0,10.0,12.0,14.0,12.0,10.0]",
        ),
        (
            SeriesSeasonal,
            vec!["[1,3,5,2,4,6,1,3,5,2,4,6]"],
            "[0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0]",
        ),
        (
            SeriesDecompose,
            vec!["[1,2,1,2]", "#2"],
            "[[1.0,2.0,1.0,2.0],[1.0,2.0,1.0,2.0],[0.0,0.0,0.0,0.0],[0.0,0.0,0.0,0.0]]",
        ),
        (
            SeriesDecomposeForecast,
            vec!["[1,2,3,null]", "#1", "#0"],
            "[[1.0,2.0,3.0,4.0],[0.0,0.0,0.0,0.0],[1.0,2.0,3.0,4.0],[0.0,0.0,0.0,null]]",
        ),
        (
            SeriesDecomposeAnomalies,
            vec!["[1,2,1,2,1,2,1,2,1,2,50,2]", "~1.5", "#0"],
            "[[0,0,0,0,0,0,0,0,0,0,1,0],[0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,48.0,0.0],[5.583333333333333,5.583333333333333,5.583333333333333,5.583333333333333,5.583333333333333,5.583333333333333,5.583333333333333,5.583333333333333,5.583333333333333,5.583333333333333,5.583333333333333,5.583333333333333]]",
        ),
        (SeriesFft, vec!["[1,1,1,1]"], "[[4.0,0.0,0.0,0.0],[0.0,0.0,0.0,0.0]]"),
        (SeriesIfft, vec!["[4,0,0,0]", "[0,0,0,0]"], "[[1.0,1.0,1.0,1.0],[0.0,0.0,0.0,0.0]]"),
    ] {
        assert_eq!(run(function, &arguments), expected, "{function:?}{arguments:?}");
    }
}

#[test]
fn a_line_is_fitted_as_in_the_reference() {
    let fit = run(DynamicFunction::SeriesFitLine, &["[2,5,6,8,11,15,17,18,25,26,30,30]"]);
    assert!(fit.starts_with("[0.982"), "{fit}");
    assert!(fit.contains(",2.730") && fit.contains(",98.62") && fit.contains(",-1.66"), "{fit}");
    let fit = run(DynamicFunction::SeriesFit2LinesDynamic, &["[0,1,2,3,10,9,8,7]"]);
    assert!(fit.contains("\"split_idx\":4"), "{fit}");
}

#[test]
fn states_of_sketches_are_values() {
    let hll = |values: std::ops::Range<u64>| {
        let mut sketch = crate::engine::aggregate::Sketch::new(1);
        values.for_each(|value| {
            sketch.add(value.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        });
        let mut builder = conshelf_storage::DynamicBuilder::new();
        sketch.write(&mut builder);
        DynamicRef::new(&builder.finish()).to_json_string()
    };
    let merged = run(DynamicFunction::HllMerge, &[&hll(0..10), &hll(5..20)]);
    assert_eq!(run(DynamicFunction::DcountHll, &[&merged]), "20");
    let merged = run(DynamicFunction::TdigestMerge, &["[[7],[1,2],[1,1]]", "[[7],[3],[2]]"]);
    assert_eq!(run(DynamicFunction::PercentileTdigest, &[&merged, "~50"]), "2");
    assert_eq!(run(DynamicFunction::PercentileTdigest, &["[[7],[1.0,2.0],[1,2]]", "~50"]), "2");
    assert_eq!(run(DynamicFunction::DcountHll, &["[1]"]), "null");
}

#[test]
fn every_function_of_the_family_is_found_by_name() {
    for function in DynamicFunction::ALL {
        let name = function.spec().name;
        assert_eq!(FunctionId::by_name(name), Some(FunctionId::Dynamic(*function)), "{name}");
    }
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just(String::from("null")),
        Just(String::from("true")),
        (-9i64..9).prop_map(|value| value.to_string()),
        (-9i64..9).prop_map(|value| format!("{value}.5")),
        "[a-c]{0,2}".prop_map(|text| format!("\"{text}\"")),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|values| format!("[{}]", values.join(","))),
            prop::collection::btree_map("[a-c]", inner, 0..3).prop_map(|values| {
                let properties = values.iter().map(|(key, value)| format!("\"{key}\":{value}"));
                format!("{{{}}}", properties.collect::<Vec<_>>().join(","))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is given, nothing panics and every row is answered.
    #[test]
    fn any_value_is_answered(first in json(), second in json(), count in -9i64..9, text in "[<>/a\\\\\" ,=$.\\[\\]]{0,12}") {
        let count = format!("#{count}");
        let text = format!("={text}");
        for function in DynamicFunction::ALL {
            for arguments in [
                vec![first.as_str()],
                vec![&first, &second],
                vec![&first, &count],
                vec![&first, &text],
                vec![&text, &text],
                vec![&first, &count, &count],
                vec![&text],
            ] {
                let (types, values): (Vec<Type>, Vec<ArrayRef>) = arguments.iter().map(|text| parse(text)).unzip();
                let query = QueryContext::new(QueryLimits::default(), 0);
                let call = KernelCall { rows: 1, argument_types: &types, return_type: Type::Dynamic, query: &query };
                let arguments: Vec<Datum> = values.into_iter().map(Datum::Array).collect();
                if let Ok(answer) = kernel(*function)(&call, &arguments) {
                    prop_assert_eq!(answer.len(), 1);
                }
            }
        }
    }

    #[test]
    fn sets_follow_their_model(left in prop::collection::vec(0i64..6, 0..8), right in prop::collection::vec(0i64..6, 0..8)) {
        use std::collections::BTreeSet;
        let text = |values: &[i64]| format!("{values:?}");
        let found = |function| {
            let answer = run(function, &[&text(&left), &text(&right)]);
            let inner = answer.trim_matches(['[', ']']).to_string();
            inner.split(',').filter(|part| !part.is_empty()).map(|part| part.parse::<i64>().unwrap()).collect::<Vec<_>>()
        };
        let (a, b): (BTreeSet<i64>, BTreeSet<i64>) = (left.iter().copied().collect(), right.iter().copied().collect());
        for (function, model) in [
            (DynamicFunction::SetUnion, a.union(&b).copied().collect::<Vec<_>>()),
            (DynamicFunction::SetIntersect, a.intersection(&b).copied().collect()),
            (DynamicFunction::SetDifference, a.difference(&b).copied().collect()),
        ] {
            let mut answer = found(function);
            answer.sort_unstable();
            prop_assert_eq!(answer, model);
        }
    }
}
