//! Tables of cases, and properties against slow models.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, Float64Array, Int32Array, Int64Array};
use conshelf_kql::Type;
use conshelf_kql::function::{FunctionId, MathFunction};
use proptest::prelude::*;

use super::kernel;
use crate::engine::context::{QueryContext, QueryLimits};
use crate::engine::kernel::{Datum, KernelCall};

fn run(function: MathFunction, types: &[Type], returns: Type, arguments: &[Datum], rows: usize) -> ArrayRef {
    let query = QueryContext::new(QueryLimits::default(), 0);
    let call = KernelCall { rows, argument_types: types, return_type: returns, query: &query };
    kernel(function)(&call, arguments).unwrap()
}

fn real(function: MathFunction, values: &[f64]) -> f64 {
    let arguments: Vec<Datum> =
        values.iter().map(|v| Datum::Constant(Arc::new(Float64Array::from(vec![*v])) as ArrayRef)).collect();
    let types = vec![Type::Real; values.len()];
    let result = run(function, &types, Type::Real, &arguments, 3);
    assert_eq!(result.len(), 3);
    let result = result.as_primitive::<arrow_array::types::Float64Type>();
    if result.is_null(2) { f64::MIN } else { result.value(2) }
}

#[test]
fn functions_of_reals() {
    use MathFunction::*;
    let null = f64::MIN;
    for (function, arguments, expected) in [
        (Abs, vec![-1.5], 1.5),
        (Ceiling, vec![-1.1], -1.0),
        (Round, vec![2.5], 3.0),
        (Round, vec![-2.5], -3.0),
        (Sign, vec![f64::NAN], 0.0),
        (Sign, vec![-3.0], -1.0),
        (Sqrt, vec![-1.0], f64::NAN),
        (Log2, vec![5.0], 2.321_928_094_887_362),
        (Exp, vec![100_000.5], f64::INFINITY),
        (Cot, vec![1.0], 0.642_092_615_934_330_6),
        (Gamma, vec![5.0], 24.0),
        (Gamma, vec![0.5], 1.772_453_850_905_516),
        (LogGamma, vec![5.0], 3.178_053_830_347_945_8),
        (Erf, vec![1.0], 0.842_700_792_949_714_9),
        (Erf, vec![-3.0], -0.999_977_909_503_001_4),
        (Erfc, vec![4.0], 1.541_725_790_028_002e-8),
        (Degrees, vec![std::f64::consts::FRAC_PI_4], 45.0),
        (Pow, vec![2.0, 63.0], 9.223_372_036_854_776e18),
        (Bin, vec![-5.5, 1.0], -6.0),
        (Bin, vec![4.5, -1.0], null),
        (BinAt, vec![6.5, 2.5, 7.0], 4.5),
        (BetaCdf, vec![0.9, 10.0, 20.0], 0.999_999_999_999_959_3),
        (BetaCdf, vec![1.5, 10.0, 20.0], f64::NAN),
        (BetaCdf, vec![0.1, -1.0, 20.0], 1.0),
        (BetaInv, vec![0.1, 10.0, 20.0], 0.226_415_022_388_748_97),
        (BetaInv, vec![1.5, 10.0, 20.0], null),
        (BetaInv, vec![0.1, -1.0, 20.0], f64::NAN),
        (BetaPdf, vec![0.5, 10.0, 20.0], 0.746_176_019_310_951),
    ] {
        let found = real(function, &arguments);
        let close = (found - expected).abs() <= 1e-12 * expected.abs().max(1e-9);
        assert!(
            close || found == expected || (found.is_nan() && expected.is_nan()),
            "{function:?}{arguments:?}: {found}, not {expected}"
        );
    }
}

#[test]
fn units_are_converted() {
    use super::units::{Measure, converted};
    for (measure, value, from, to, expected) in [
        (Measure::Energy, 1.2, "Joule", "BritishThermalUnit", 0.001_137_380_544_375_980_6),
        (Measure::Mass, 1.2, "Kilogram", "Pound", 2.645_547_146_218_530_7),
        (Measure::Temperature, 1.2, "Kelvin", "DegreeCelsius", -271.95),
        (Measure::Temperature, 100.0, "DegreeCelsius", "DegreeFahrenheit", 212.0),
        (Measure::Temperature, 100.0, "DegreeCelsius", "DegreeReaumur", 80.0),
        (Measure::Temperature, 100.0, "DegreeCelsius", "DegreeNewton", 33.0),
        (Measure::Temperature, 100.0, "DegreeCelsius", "DegreeRoemer", 60.0),
        (Measure::Temperature, 100.0, "DegreeCelsius", "DegreeDelisle", 0.0),
        (Measure::Volume, 1.2, "CubicMeter", "AcreFoot", 0.000_972_856_8),
        (Measure::Angle, 0.5, "Tilt", "Degree", 30.0),
        (Measure::Speed, 1.2, "MeterPerSecond", "CentimeterPerHour", 432_000.0),
    ] {
        let found = converted(measure, value, from, to).unwrap();
        assert!((found - expected).abs() < 1e-9 * expected.abs().max(1.0), "{from} to {to}: {found}");
    }
    assert_eq!(converted(Measure::Length, 1.0, "Meter", "Cubit"), None);
}

#[test]
fn welch_test_of_the_reference() {
    let p = super::welch_test([20.82, 15.97, 15.0, 22.986, 4.552, 15.0]);
    assert!((0.0..0.2).contains(&p), "{p}");
}

fn longs(function: MathFunction, values: &[i64]) -> Option<i64> {
    let arguments: Vec<Datum> =
        values.iter().map(|v| Datum::Array(Arc::new(Int64Array::from(vec![*v])) as ArrayRef)).collect();
    let result = run(function, &vec![Type::Long; values.len()], Type::Long, &arguments, 1);
    let result = result.as_primitive::<Int64Type>();
    result.is_valid(0).then(|| result.value(0))
}

#[test]
fn functions_of_longs() {
    use MathFunction::*;
    for (function, arguments, expected) in [
        (Abs, vec![i64::MIN], Some(i64::MIN)),
        (Bin, vec![-7, 4], Some(-8)),
        (Bin, vec![7, 0], None),
        (BinAt, vec![17, 5, 1], Some(16)),
        (BinaryAnd, vec![6, 3], Some(2)),
        (BinaryNot, vec![1], Some(-2)),
        (BinaryShiftLeft, vec![1, 65], Some(2)),
        (BinaryShiftRight, vec![16, -1], None),
        (BitsetCountOnes, vec![-1], Some(64)),
    ] {
        assert_eq!(longs(function, &arguments), expected, "{function:?}{arguments:?}");
    }
}

#[test]
fn nulls_constants_slices_and_nothing() {
    let column = Int64Array::from(vec![Some(9), Some(17), None, Some(-1)]);
    let slice = Arc::new(column.slice(1, 3)) as ArrayRef;
    let size = Datum::Constant(Arc::new(Int64Array::from(vec![5])));
    let types = [Type::Long, Type::Long];
    let binned = run(MathFunction::Bin, &types, Type::Long, &[Datum::Array(slice), size.clone()], 3);
    assert_eq!(binned.as_primitive::<Int64Type>(), &Int64Array::from(vec![Some(15), None, Some(-5)]));
    let nothing = Datum::Array(Arc::new(Int64Array::from(Vec::<i64>::new())) as ArrayRef);
    assert_eq!(run(MathFunction::Bin, &types, Type::Long, &[nothing, size], 0).len(), 0);
    let ints = Datum::Array(Arc::new(Int32Array::from(vec![i32::MIN])) as ArrayRef);
    let absolute = run(MathFunction::Abs, &[Type::Int], Type::Long, &[ints], 1);
    assert_eq!(absolute.as_primitive::<Int64Type>().value(0), 2_147_483_648);
}

#[test]
fn every_function_of_the_family_is_found_by_name() {
    for function in MathFunction::ALL {
        let name = function.spec().name;
        assert_eq!(FunctionId::by_name(name), Some(FunctionId::Math(*function)), "{name}");
    }
}

proptest! {
    #[test]
    fn a_bin_holds_its_value(value in -1_000_000i64..1_000_000, size in 1i64..5000, start in -5000i64..5000) {
        let bin = longs(MathFunction::BinAt, &[value, size, start]).unwrap();
        prop_assert!(bin <= value && value < bin + size);
        prop_assert_eq!((bin - start).rem_euclid(size), 0);
    }

    #[test]
    fn rand_stays_below_its_limit(limit in 2i64..1000) {
        let limits = Datum::Constant(Arc::new(Int64Array::from(vec![limit])));
        let values = run(MathFunction::Rand, &[Type::Long], Type::Real, &[limits], 50);
        for value in values.as_primitive::<arrow_array::types::Float64Type>().values() {
            prop_assert!(*value >= 0.0 && *value < limit as f64 && value.fract() == 0.0);
        }
    }
}
