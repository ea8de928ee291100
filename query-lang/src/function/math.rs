//! Numeric functions: arithmetic beyond the operators, rounding and binning, powers and logarithms,
//! trigonometry, bits, special functions of statistics.

use crate::function::{ArgumentInfo, Example, FunctionSpec, function_family};
use crate::types::Type;

const BIN: &[&str] = &[
    "(value: number, size: number) -> promoted",
    "(value: datetime, size: timespan) -> datetime",
    "(value: timespan, size: timespan) -> timespan",
];
const BIN_AT: &[&str] = &[
    "(value: number, size: number, fixed_point: number) -> promoted",
    "(value: datetime, size: timespan, fixed_point: datetime) -> datetime",
    "(value: timespan, size: timespan, fixed_point: timespan) -> timespan",
];

/// A function of one real.
const fn real(name: &'static str, summary: &'static str, examples: &'static [Example]) -> FunctionSpec {
    FunctionSpec::scalar(name, &["(value: floating) -> real"], summary).examples(examples)
}

/// A test of one real.
const fn test(name: &'static str, summary: &'static str, examples: &'static [Example]) -> FunctionSpec {
    FunctionSpec::scalar(name, &["(value: floating) -> bool"], summary).examples(examples)
}

/// A value in one unit of measure as a value in another.
const fn convert(name: &'static str, summary: &'static str, examples: &'static [Example]) -> FunctionSpec {
    FunctionSpec::scalar(name, &["(value: real, from: string, to: string) -> real"], summary)
        .examples(examples)
}

/// A function of two longs.
const fn bits(name: &'static str, summary: &'static str, examples: &'static [Example]) -> FunctionSpec {
    FunctionSpec::scalar(name, &["(left: long, right: long) -> long"], summary).examples(examples)
}

macro_rules! example {
    ($query:literal, $answer:literal) => {
        &[Example { query: $query, answer: $answer }]
    };
}

function_family! {
    /// Numeric functions.
    MathFunction {
        Abs => FunctionSpec::scalar("abs", &["(value: int|long|real|decimal|timespan) -> rule"], "Absolute value.").returns(absolute_type)
            .examples(example!("print abs(-5)", "5")),
        Bin => FunctionSpec::scalar("bin", BIN, "Rounds down to a multiple of a size; null for a size that is not positive.").aliases(&["floor"])
            .examples(example!("print bin(17, 5)", "15")),
        BinAt => FunctionSpec::scalar("bin_at", BIN_AT, "Rounds down to a multiple of a size, counted from a fixed point.")
            .examples(example!("print bin_at(17, 5, 1)", "16")),
        Ceiling => FunctionSpec::scalar("ceiling", &["(value: floating) -> real", "(value: decimal) -> decimal"], "Least whole number that is not below the value.")
            .examples(example!("print ceiling(0.9) == 1.0", "true")),
        Round => FunctionSpec::scalar("round", &["(value: floating, precision: const long = 0) -> real", "(value: decimal, precision: const long = 0) -> decimal"], "Rounds to a number of digits after the point, halves away from zero.")
            .examples(example!("print round(2.15, 1)", "2.2")),
        Sign => real("sign", "1, 0 or -1 as the value is above, at or below zero.", example!("print sign(-42) == -1.0", "true")),
        Sqrt => real("sqrt", "Square root.", example!("print sqrt(6.25)", "2.5")),
        Pow => FunctionSpec::scalar("pow", &["(base: floating, exponent: floating) -> real"], "Power.")
            .examples(example!("print pow(2, 0.5) == sqrt(2)", "true")),
        Exp => real("exp", "e to the power of the value.", example!("print exp(0) == 1.0", "true")),
        Exp2 => real("exp2", "2 to the power of the value.", example!("print exp2(-1)", "0.5")),
        Exp10 => real("exp10", "10 to the power of the value.", example!("print exp10(-1)", "0.1")),
        Log => real("log", "Natural logarithm.", example!("print log(1) == 0.0", "true")),
        Log2 => real("log2", "Logarithm to the base 2.", example!("print log2(8) == 3.0", "true")),
        Log10 => real("log10", "Logarithm to the base 10.", example!("print log10(1000) == 3.0", "true")),
        LogGamma => real("loggamma", "Logarithm of the absolute value of the gamma function.", example!("print round(loggamma(5), 5)", "3.17805")),
        Gamma => real("gamma", "The gamma function.", example!("print gamma(5) == 24.0", "true")),
        Erf => real("erf", "The error function.", example!("print round(erf(1), 5)", "0.8427")),
        Erfc => real("erfc", "The complementary error function.", example!("print round(erfc(1), 5)", "0.1573")),
        Sin => real("sin", "Sine of an angle in radians.", example!("print sin(0) == 0.0", "true")),
        Cos => real("cos", "Cosine of an angle in radians.", example!("print cos(0) == 1.0", "true")),
        Tan => real("tan", "Tangent of an angle in radians.", example!("print tan(0) == 0.0", "true")),
        Cot => real("cot", "Cotangent of an angle in radians.", example!("print round(cot(1), 5)", "0.64209")),
        Asin => real("asin", "The angle with that sine.", example!("print asin(0) == 0.0", "true")),
        Acos => real("acos", "The angle with that cosine.", example!("print acos(1) == 0.0", "true")),
        Atan => real("atan", "The angle with that tangent.", example!("print atan(0) == 0.0", "true")),
        Atan2 => FunctionSpec::scalar("atan2", &["(y: floating, x: floating) -> real"], "The angle between the x axis and the line to the point (x, y).")
            .examples(example!("print atan2(0, 1) == 0.0", "true")),
        Degrees => real("degrees", "Radians as degrees.", example!("print degrees(pi()) == 180.0", "true")),
        Radians => real("radians", "Degrees as radians.", example!("print radians(180) == pi()", "true")),
        Pi => FunctionSpec::scalar("pi", &["() -> real"], "The number π.")
            .examples(example!("print round(pi(), 4)", "3.1416")),
        IsNan => test("isnan", "Whether the value is not a number.", example!("print isnan(0.0 / 0.0)", "true")),
        IsInf => test("isinf", "Whether the value is infinite.", example!("print isinf(1.0 / 0.0)", "true")),
        IsFinite => test("isfinite", "Whether the value is neither infinite nor NaN.", example!("print isfinite(1.5)", "true")),
        Around => FunctionSpec::scalar("around", &[
                "(value: long, center: long, delta: long) -> bool",
                "(value: real, center: real, delta: real) -> bool",
                "(value: datetime, center: datetime, delta: timespan) -> bool",
                "(value: timespan, center: timespan, delta: timespan) -> bool",
            ], "Whether a value lies within a distance of a center.")
            .examples(example!("print around(5, 7, 2)", "true")),
        ConvertAngle => convert("convert_angle", "An angle in another unit.", example!("print round(convert_angle(1.2, 'Degree', 'Arcminute'), 6) == 72", "true")),
        ConvertEnergy => convert("convert_energy", "An energy in another unit.", example!("print convert_energy(1.5, 'Kilojoule', 'Joule') == 1500", "true")),
        ConvertForce => convert("convert_force", "A force in another unit.", example!("print convert_force(12, 'Newton', 'Decanewton')", "1.2")),
        ConvertLength => convert("convert_length", "A length in another unit.", example!("print round(convert_length(1.2, 'Meter', 'Foot'), 5)", "3.93701")),
        ConvertMass => convert("convert_mass", "A mass in another unit.", example!("print round(convert_mass(1.2, 'Kilogram', 'Pound'), 5)", "2.64555")),
        ConvertSpeed => convert("convert_speed", "A speed in another unit.", example!("print round(convert_speed(1.2, 'MeterPerSecond', 'CentimeterPerHour')) == 432000", "true")),
        ConvertTemperature => convert("convert_temperature", "A temperature in another unit.", example!("print round(convert_temperature(1.2, 'Kelvin', 'DegreeCelsius'), 2)", "-271.95")),
        ConvertVolume => convert("convert_volume", "A volume in another unit.", example!("print round(convert_volume(1.5, 'Liter', 'Milliliter')) == 1500", "true")),
        Rand => FunctionSpec::scalar("rand", &["() -> real", "(limit: integer) -> real"], "A random number in [0, 1), or a whole one below a limit.").volatile()
            .examples(example!("print rand() < 1", "true")),
        BinaryAnd => bits("binary_and", "Bitwise and.", example!("print binary_and(6, 3)", "2")),
        BinaryOr => bits("binary_or", "Bitwise or.", example!("print binary_or(5, 3)", "7")),
        BinaryXor => bits("binary_xor", "Bitwise exclusive or.", example!("print binary_xor(5, 3)", "6")),
        BinaryNot => FunctionSpec::scalar("binary_not", &["(value: integer) -> long"], "Bitwise negation.")
            .examples(example!("print binary_not(1)", "-2")),
        BinaryShiftLeft => bits("binary_shift_left", "Shifts bits to the left, modulo 64; null for a negative shift.", example!("print binary_shift_left(1, 4)", "16")),
        BinaryShiftRight => bits("binary_shift_right", "Shifts bits to the right, modulo 64; null for a negative shift.", example!("print binary_shift_right(16, 4)", "1")),
        BitsetCountOnes => FunctionSpec::scalar("bitset_count_ones", &["(value: integer) -> long"], "Number of bits that are set.")
            .examples(example!("print bitset_count_ones(42)", "3")),
        BetaCdf => FunctionSpec::scalar("beta_cdf", &["(x: floating, alpha: floating, beta: floating) -> real"], "Cumulative distribution function of the beta distribution.")
            .examples(example!("print round(beta_cdf(0.5, 2, 2), 6)", "0.5")),
        BetaInv => FunctionSpec::scalar("beta_inv", &["(probability: floating, alpha: floating, beta: floating) -> real"], "Inverse of the cumulative beta distribution.")
            .examples(example!("print round(beta_inv(0.5, 2, 2), 6)", "0.5")),
        BetaPdf => FunctionSpec::scalar("beta_pdf", &["(x: floating, alpha: floating, beta: floating) -> real"], "Density of the beta distribution.")
            .examples(example!("print round(beta_pdf(0.5, 2, 2), 6)", "1.5")),
        WelchTest => FunctionSpec::scalar("welch_test", &["(mean1: floating, variance1: floating, count1: floating, mean2: floating, variance2: floating, count2: floating) -> real"], "Probability of Welch's t-test that two samples come from populations of one mean.")
            .examples(example!("print welch_test(1, 1, 10, 1, 1, 10) == 1.0", "true")),
        PercentRankTdigest => FunctionSpec::scalar("percentrank_tdigest", &["(tdigest: array, value: any) -> real"], "Percentage of the values of a digest that are not above a value.")
            .examples(&[Example { query: "range x from 1 to 9 step 1 | summarize t = tdigest(x) | project percentrank_tdigest(t, 9)", answer: "100.0" }]),
        RankTdigest => FunctionSpec::scalar("rank_tdigest", &["(tdigest: array, value: any) -> real"], "Number of the values of a digest that are not above a value.")
            .examples(&[Example { query: "range x from 1 to 9 step 1 | summarize t = tdigest(x) | project rank_tdigest(t, 9)", answer: "9.0" }]),
    }
}

fn absolute_type(arguments: &[ArgumentInfo<'_>]) -> Type {
    match arguments.first().map_or(Type::Long, |argument| argument.ty) {
        Type::Int => Type::Long,
        other => other,
    }
}
