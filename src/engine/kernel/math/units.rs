//! The `convert_…` functions: a value in one unit of measure as a value in another. Unknown units give null.
//!
//! A unit is its size in the base unit of its kind; temperatures have an origin as well.

use arrow_array::ArrayRef;
use arrow_array::types::Float64Type;

use crate::engine::error::Result;
use crate::engine::kernel::access::{Reals, Texts, argument, numbers};
use crate::engine::kernel::{Datum, KernelCall};

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub enum Measure {
    Angle,
    Energy,
    Force,
    Length,
    Mass,
    Speed,
    Temperature,
    Volume,
}

/// Radians of a unit.
const ANGLE: &[(&str, f64)] = &[
    ("Arcminute", std::f64::consts::PI / 10_800.0),
    ("Arcsecond", std::f64::consts::PI / 648_000.0),
    ("Centiradian", 1e-2),
    ("Deciradian", 1e-1),
    ("Degree", std::f64::consts::PI / 180.0),
    ("Gradian", std::f64::consts::PI / 200.0),
    ("Microdegree", std::f64::consts::PI / 180e6),
    ("Microradian", 1e-6),
    ("Millidegree", std::f64::consts::PI / 180e3),
    ("Milliradian", 1e-3),
    ("Nanodegree", std::f64::consts::PI / 180e9),
    ("Nanoradian", 1e-9),
    ("NatoMil", std::f64::consts::PI / 3200.0),
    ("Radian", 1.0),
    ("Revolution", std::f64::consts::PI * 2.0),
];

/// Joules of a unit.
const ENERGY: &[(&str, f64)] = &[
    ("BritishThermalUnit", 1055.05585262),
    ("Calorie", 4.184),
    ("DecathermEc", 1055055852.62),
    ("DecathermImperial", 1055055852.57348),
    ("DecathermUs", 1054804000.0),
    ("ElectronVolt", 1.602176565e-19),
    ("Erg", 1e-07),
    ("FootPound", 1.355817948),
    ("GigabritishThermalUnit", 1055055852620.0),
    ("GigaelectronVolt", 1.602176565e-10),
    ("Gigajoule", 1000000000.0),
    ("GigawattDay", 86400000000000.0),
    ("GigawattHour", 3600000000000.0),
    ("HorsepowerHour", 2684519.5377),
    ("Joule", 1.0),
    ("KilobritishThermalUnit", 1055055.85262),
    ("Kilocalorie", 4184.0),
    ("KiloelectronVolt", 1.602176565e-16),
    ("Kilojoule", 1000.0),
    ("KilowattDay", 86400000.0),
    ("KilowattHour", 3600000.0),
    ("MegabritishThermalUnit", 1055055852.62),
    ("Megacalorie", 4184000.0),
    ("MegaelectronVolt", 1.602176565e-13),
    ("Megajoule", 1000000.0),
    ("MegawattDay", 86400000000.0),
    ("MegawattHour", 3600000000.0),
    ("Millijoule", 0.001),
    ("TeraelectronVolt", 1.602176565e-07),
    ("TerawattDay", 8.64e+16),
    ("TerawattHour", 3600000000000000.0),
    ("ThermEc", 105505585.262),
    ("ThermImperial", 105505585.257348),
    ("ThermUs", 105480400.0),
    ("WattDay", 86400.0),
    ("WattHour", 3600.0),
];

/// Newtons of a unit.
const FORCE: &[(&str, f64)] = &[
    ("Decanewton", 10.0),
    ("Dyn", 1e-05),
    ("KiloPond", 9.80665),
    ("KilogramForce", 9.80665),
    ("Kilonewton", 1000.0),
    ("KilopoundForce", 4448.2216152605),
    ("Meganewton", 1000000.0),
    ("Micronewton", 1e-06),
    ("Millinewton", 0.001),
    ("Newton", 1.0),
    ("OunceForce", 0.2780138509537812),
    ("PoundForce", 4.4482216152605),
    ("Poundal", 0.138254954376),
    ("ShortTonForce", 8896.443230521),
    ("TonneForce", 9806.65),
];

/// Meters of a unit.
const LENGTH: &[(&str, f64)] = &[
    ("Angstrom", 1e-10),
    ("AstronomicalUnit", 149597870700.0),
    ("Centimeter", 0.01),
    ("Chain", 20.1168),
    ("DataMile", 1828.8),
    ("Decameter", 10.0),
    ("Decimeter", 0.1),
    ("DtpPica", 0.004233333333332346),
    ("DtpPoint", 0.00035277777777777776),
    ("Fathom", 1.8288),
    ("Foot", 0.3048),
    ("Hand", 0.1016),
    ("Hectometer", 100.0),
    ("Inch", 0.0254),
    ("KilolightYear", 9.46073047258e+18),
    ("Kilometer", 1000.0),
    ("Kiloparsec", 3.08567758128e+19),
    ("LightYear", 9460730472580000.0),
    ("MegalightYear", 9.46073047258e+21),
    ("Megaparsec", 3.08567758128e+22),
    ("Meter", 1.0),
    ("Microinch", 2.54e-08),
    ("Micrometer", 1e-06),
    ("Mil", 2.54e-05),
    ("Mile", 1609.344),
    ("Millimeter", 0.001),
    ("Nanometer", 1e-09),
    ("NauticalMile", 1852.0),
    ("Parsec", 3.08567758128e+16),
    ("PrinterPica", 0.004217517599993978),
    ("PrinterPoint", 0.00035145980351459805),
    ("Shackle", 27.432),
    ("SolarRadius", 695510000.0),
    ("Twip", 1.7638888888889126e-05),
    ("UsSurveyFoot", 0.3048006096012192),
    ("Yard", 0.9144),
];

/// Kilograms of a unit.
const MASS: &[(&str, f64)] = &[
    ("Centigram", 1e-05),
    ("Decagram", 0.01),
    ("Decigram", 0.0001),
    ("EarthMass", 5.9722e+24),
    ("Grain", 6.479891e-05),
    ("Gram", 0.001),
    ("Hectogram", 0.1),
    ("Kilogram", 1.0),
    ("Kilopound", 453.59237),
    ("Kilotonne", 1000000.0),
    ("LongHundredweight", 50.80234544),
    ("LongTon", 1016.0469088),
    ("Megapound", 453592.37),
    ("Megatonne", 1000000000.0),
    ("Microgram", 1e-09),
    ("Milligram", 1e-06),
    ("Nanogram", 1e-12),
    ("Ounce", 0.028349523125),
    ("Pound", 0.45359237),
    ("ShortHundredweight", 45.359237),
    ("ShortTon", 907.18474),
    ("Slug", 14.593903000000001),
    ("SolarMass", 1.98947e+30),
    ("Stone", 6.350288000000001),
    ("Tonne", 1000.0),
];

/// Meters per second of a unit.
const SPEED: &[(&str, f64)] = &[
    ("CentimeterPerHour", 0.01 / 3600.0),
    ("CentimeterPerMinute", 0.01 / 60.0),
    ("CentimeterPerSecond", 0.01 / 1.0),
    ("DecimeterPerMinute", 0.1 / 60.0),
    ("DecimeterPerSecond", 0.1 / 1.0),
    ("FootPerHour", 0.3048 / 3600.0),
    ("FootPerMinute", 0.3048 / 60.0),
    ("FootPerSecond", 0.3048 / 1.0),
    ("InchPerHour", 0.0254 / 3600.0),
    ("InchPerMinute", 0.0254 / 60.0),
    ("InchPerSecond", 0.0254 / 1.0),
    ("KilometerPerHour", 1000.0 / 3600.0),
    ("KilometerPerMinute", 1000.0 / 60.0),
    ("KilometerPerSecond", 1000.0 / 1.0),
    ("Knot", 1852.0 / 3600.0),
    ("MeterPerHour", 1.0 / 3600.0),
    ("MeterPerMinute", 1.0 / 60.0),
    ("MeterPerSecond", 1.0),
    ("MicrometerPerMinute", 1e-06 / 60.0),
    ("MicrometerPerSecond", 1e-06 / 1.0),
    ("MilePerHour", 1609.344 / 3600.0),
    ("MillimeterPerHour", 0.001 / 3600.0),
    ("MillimeterPerMinute", 0.001 / 60.0),
    ("MillimeterPerSecond", 0.001 / 1.0),
    ("NanometerPerMinute", 1e-09 / 60.0),
    ("NanometerPerSecond", 1e-09 / 1.0),
    ("UsSurveyFootPerHour", 1200.0 / 3937.0 / 3600.0),
    ("UsSurveyFootPerMinute", 1200.0 / 3937.0 / 60.0),
    ("UsSurveyFootPerSecond", 1200.0 / 3937.0 / 1.0),
    ("YardPerHour", 0.9144 / 3600.0),
    ("YardPerMinute", 0.9144 / 60.0),
    ("YardPerSecond", 0.9144 / 1.0),
];

/// Cubic meters of a unit.
const VOLUME: &[(&str, f64)] = &[
    ("AcreFoot", 1.0 / 0.000810714),
    ("AuTablespoon", 2e-05),
    ("BoardFoot", 0.0023597372158),
    ("Centiliter", 1e-05),
    ("CubicCentimeter", 1e-06),
    ("CubicDecimeter", 0.001),
    ("CubicFoot", 0.0283168466),
    ("CubicHectometer", 1000000.0),
    ("CubicInch", 1.6387e-05),
    ("CubicKilometer", 1000000000.0),
    ("CubicMeter", 1.0),
    ("CubicMicrometer", 1e-18),
    ("CubicMile", 4168181825.44058),
    ("CubicMillimeter", 1e-09),
    ("CubicYard", 0.764554858),
    ("Decaliter", 0.01),
    ("DecausGallon", 0.0378541),
    ("Deciliter", 0.0001),
    ("DeciusGallon", 0.000378541),
    ("HectocubicFoot", 2.83168466),
    ("HectocubicMeter", 100.0),
    ("Hectoliter", 0.1),
    ("HectousGallon", 0.378541),
    ("ImperialBeerBarrel", 0.16365924),
    ("ImperialGallon", 0.00454609),
    ("ImperialOunce", 2.84130624999629e-05),
    ("ImperialPint", 0.00056826125),
    ("KilocubicFoot", 28.3168466),
    ("KilocubicMeter", 1000.0),
    ("KiloimperialGallon", 4.54609),
    ("Kiloliter", 1.0),
    ("KilousGallon", 3.78541),
    ("Liter", 0.001),
    ("MegacubicFoot", 28316.8466),
    ("MegaimperialGallon", 4546.09),
    ("Megaliter", 1000.0),
    ("MegausGallon", 3785.41),
    ("MetricCup", 0.00025),
    ("MetricTeaspoon", 5e-06),
    ("Microliter", 1e-09),
    ("Milliliter", 1e-06),
    ("OilBarrel", 0.158987294928),
    ("UkTablespoon", 1.5e-05),
    ("UsBeerBarrel", 0.1173477658),
    ("UsCustomaryCup", 0.0002365882365),
    ("UsGallon", 0.00378541),
    ("UsLegalCup", 0.00024),
    ("UsOunce", 2.9573529562537606e-05),
    ("UsPint", 0.000473176473),
    ("UsQuart", 0.000946352946),
    ("UsTablespoon", 1.478676478125e-05),
    ("UsTeaspoon", 4.92892159375e-06),
];

/// Size in kelvins and origin: kelvins = (value + origin) × size.
const TEMPERATURE: &[(&str, (f64, f64))] = &[
    ("DegreeCelsius", (1.0, 273.15)),
    ("DegreeDelisle", (-2.0 / 3.0, -559.725)),
    ("DegreeFahrenheit", (5.0 / 9.0, 459.67)),
    ("DegreeNewton", (100.0 / 33.0, 90.139_5)),
    ("DegreeRankine", (5.0 / 9.0, 0.0)),
    ("DegreeReaumur", (5.0 / 4.0, 218.52)),
    ("DegreeRoemer", (40.0 / 21.0, 135.903_75)),
    ("Kelvin", (1.0, 0.0)),
    ("MillidegreeCelsius", (1e-3, 273_150.0)),
    ("SolarTemperature", (5778.0, 0.0)),
];

/// A unit: size in the base unit, and the value of that scale's zero to add first.
fn unit(measure: Measure, name: &str) -> Option<(f64, f64)> {
    let table = match measure {
        Measure::Angle => ANGLE,
        Measure::Energy => ENERGY,
        Measure::Force => FORCE,
        Measure::Length => LENGTH,
        Measure::Mass => MASS,
        Measure::Speed => SPEED,
        Measure::Volume => VOLUME,
        Measure::Temperature => {
            return TEMPERATURE.iter().find(|(unit, _)| *unit == name).map(|(_, scale)| *scale);
        }
    };
    table.iter().find(|(unit, _)| *unit == name).map(|(_, size)| (*size, 0.0))
}

/// A value in another unit; `None` if a unit is unknown. A tilt is the sine of an angle.
pub(super) fn converted(measure: Measure, value: f64, from: &str, to: &str) -> Option<f64> {
    if from == to {
        return (unit(measure, from).is_some() || from == "Tilt").then_some(value);
    }
    let base = match (measure, from) {
        (Measure::Angle, "Tilt") => value.asin(),
        _ => {
            let (size, origin) = unit(measure, from)?;
            (value + origin) * size
        }
    };
    Some(match (measure, to) {
        (Measure::Angle, "Tilt") => base.sin(),
        _ => {
            let (size, origin) = unit(measure, to)?;
            base / size - origin
        }
    })
}

/// `convert_…(value, from, to)`.
pub fn convert(call: &KernelCall<'_>, arguments: &[Datum], measure: Measure) -> Result<ArrayRef> {
    let values = Reals::new(argument(arguments, 0)?)?;
    let from = Texts::new(argument(arguments, 1)?)?;
    let to = Texts::new(argument(arguments, 2)?)?;
    Ok(numbers::<Float64Type>(call.rows, |row| {
        converted(measure, values.get(row)?, from.get(row), to.get(row))
    }))
}
