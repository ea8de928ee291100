//! Conversions between types.
//!
//! A value that has no meaning in the target type gives null (for texts: the empty string), never an error.
//! The binder uses the same functions for implicit conversions.

use crate::function::{Example, FunctionSpec, function_family};

const UNITS: &[&str] = &["(value: real, from: string, to: string) -> real"];

const fn conversion(
    name: &'static str,
    signatures: &'static [&'static str],
    summary: &'static str,
) -> FunctionSpec {
    FunctionSpec::scalar(name, signatures, summary).handles_nulls()
}

function_family! {
    /// Conversions between types.
    ConversionFunction {
        ToBool => conversion("tobool", &["(value: any) -> bool"], "Converts to bool: numbers by being non-zero, texts by saying true or false.")
            .aliases(&["toboolean"])
            .examples(&[Example { query: "print tobool('true'), tobool(0)", answer: "true,false" }]),
        ToInt => conversion("toint", &["(value: any) -> int"], "Converts to a 32-bit integer.")
            .examples(&[Example { query: "print toint('123'), toint(2.9)", answer: "123,2" }]),
        ToLong => conversion("tolong", &["(value: any) -> long"], "Converts to a 64-bit integer.")
            .examples(&[Example { query: "print tolong('123'), tolong(2.9)", answer: "123,2" }]),
        ToReal => conversion("toreal", &["(value: any) -> real"], "Converts to a floating-point number.")
            .aliases(&["todouble"])
            .examples(&[Example { query: "print toreal('1.5')", answer: "1.5" }]),
        ToDecimal => conversion("todecimal", &["(value: any) -> decimal"], "Converts to a decimal number.")
            .examples(&[Example { query: "print todecimal('1.25')", answer: "1.25" }]),
        ToDateTime => conversion("todatetime", &["(value: any) -> datetime"], "Converts to a point in time.")
            .examples(&[Example { query: "print todatetime('2015-12-31') == datetime(2015-12-31)", answer: "true" }]),
        ToTimeSpan => conversion("totimespan", &["(value: any) -> timespan"], "Converts to a length of time.")
            .aliases(&["totime"])
            .examples(&[Example { query: "print totimespan('0.00:01:00') == time(1min)", answer: "true" }]),
        ToString => conversion("tostring", &["(value: any) -> string"], "Converts to text; null gives the empty text.")
            .examples(&[Example { query: "print tostring(123)", answer: "123" }]),
        ToGuid => conversion("toguid", &["(value: any) -> guid"], "Converts to a unique identifier.")
            .examples(&[Example {
                query: "print toguid('70fc66f7-8279-44fc-9092-d364d70fce44')",
                answer: "70fc66f7-8279-44fc-9092-d364d70fce44",
            }]),
        ToDynamic => conversion("(dynamic)", &["(value: any) -> dynamic"], "Wraps a scalar; texts are not parsed."),
        ConvertAngle => FunctionSpec::scalar("convert_angle", UNITS, "From one unit of angles to another.")
            .examples(&[Example { query: "print convert_angle(1.5, 'Degree', 'Arcminute')", answer: "90" }]),
        ConvertEnergy => FunctionSpec::scalar("convert_energy", UNITS, "From one unit of energy to another.")
            .examples(&[Example { query: "print convert_energy(1.5, 'Kilojoule', 'Joule')", answer: "1500" }]),
        ConvertForce => FunctionSpec::scalar("convert_force", UNITS, "From one unit of force to another.")
            .examples(&[Example { query: "print convert_force(15, 'Newton', 'Decanewton')", answer: "1.5" }]),
        ConvertLength => FunctionSpec::scalar("convert_length", UNITS, "From one unit of length to another.")
            .examples(&[Example { query: "print convert_length(1.5, 'Kilometer', 'Meter')", answer: "1500" }]),
        ConvertMass => FunctionSpec::scalar("convert_mass", UNITS, "From one unit of mass to another.")
            .examples(&[Example { query: "print convert_mass(1500, 'Kilogram', 'Tonne')", answer: "1.5" }]),
        ConvertSpeed => FunctionSpec::scalar("convert_speed", UNITS, "From one unit of speed to another.")
            .examples(&[Example { query: "print convert_speed(1.5, 'KilometerPerSecond', 'MeterPerSecond')", answer: "1500" }]),
        ConvertTemperature => FunctionSpec::scalar("convert_temperature", UNITS, "From one unit of temperature to another.")
            .examples(&[Example { query: "print convert_temperature(0, 'DegreeCelsius', 'Kelvin')", answer: "273.15" }]),
        ConvertVolume => FunctionSpec::scalar("convert_volume", UNITS, "From one unit of volume to another.")
            .examples(&[Example { query: "print convert_volume(1.5, 'CubicMeter', 'Kiloliter')", answer: "1.5" }]),
    }
}
