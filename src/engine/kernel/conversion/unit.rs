//! `convert_length` and its kin: numbers from one unit of measurement to another. Unknown units give null.

use arrow_array::ArrayRef;
use arrow_array::types::Float64Type;

use crate::engine::error::Result;
use crate::engine::kernel::access::{Reals, Texts, argument, numbers};
use crate::engine::kernel::{Datum, KernelCall};

/// A unit: the base unit is `value × factor + offset`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    name: &'static str,
    factor: f64,
    offset: f64,
}

const fn unit(name: &'static str, factor: f64) -> Unit {
    Unit { name, factor, offset: 0.0 }
}

const fn shifted(name: &'static str, factor: f64, offset: f64) -> Unit {
    Unit { name, factor, offset }
}

const TURN: f64 = 2.0 * std::f64::consts::PI;

/// Degrees.
pub const ANGLES: &[Unit] = &[
    unit("Arcminute", 1.0 / 60.0),
    unit("Arcsecond", 1.0 / 3600.0),
    unit("Centiradian", 360.0 / TURN * 1e-2),
    unit("Deciradian", 360.0 / TURN * 1e-1),
    unit("Degree", 1.0),
    unit("Gradian", 0.9),
    unit("Microdegree", 1e-6),
    unit("Microradian", 360.0 / TURN * 1e-6),
    unit("Millidegree", 1e-3),
    unit("Milliradian", 360.0 / TURN * 1e-3),
    unit("Nanodegree", 1e-9),
    unit("Nanoradian", 360.0 / TURN * 1e-9),
    unit("NatoMil", 360.0 / 6400.0),
    unit("Radian", 360.0 / TURN),
    unit("Revolution", 360.0),
];

const BTU: f64 = 1_055.055_852_62;
const CALORIE: f64 = 4.184;
const ELECTRON_VOLT: f64 = 1.602_176_565e-19;
const THERM_EC: f64 = 105_505_585.262;
const THERM_IMPERIAL: f64 = 1.055_055_852_573_48e8;
const THERM_US: f64 = 1.054_804e8;
const WATT_HOUR: f64 = 3600.0;

/// Joules.
pub const ENERGIES: &[Unit] = &[
    unit("BritishThermalUnit", BTU),
    unit("Calorie", CALORIE),
    unit("DecathermEc", THERM_EC * 10.0),
    unit("DecathermImperial", THERM_IMPERIAL * 10.0),
    unit("DecathermUs", THERM_US * 10.0),
    unit("ElectronVolt", ELECTRON_VOLT),
    unit("Erg", 1e-7),
    unit("FootPound", 1.355_817_948),
    unit("GigabritishThermalUnit", BTU * 1e9),
    unit("GigaelectronVolt", ELECTRON_VOLT * 1e9),
    unit("Gigajoule", 1e9),
    unit("GigawattDay", WATT_HOUR * 24e9),
    unit("GigawattHour", WATT_HOUR * 1e9),
    unit("HorsepowerHour", 2.684_519_537_696_173e6),
    unit("Joule", 1.0),
    unit("KilobritishThermalUnit", BTU * 1e3),
    unit("Kilocalorie", CALORIE * 1e3),
    unit("KiloelectronVolt", ELECTRON_VOLT * 1e3),
    unit("Kilojoule", 1e3),
    unit("KilowattDay", WATT_HOUR * 24e3),
    unit("KilowattHour", WATT_HOUR * 1e3),
    unit("MegabritishThermalUnit", BTU * 1e6),
    unit("Megacalorie", CALORIE * 1e6),
    unit("MegaelectronVolt", ELECTRON_VOLT * 1e6),
    unit("Megajoule", 1e6),
    unit("MegawattDay", WATT_HOUR * 24e6),
    unit("MegawattHour", WATT_HOUR * 1e6),
    unit("Millijoule", 1e-3),
    unit("TeraelectronVolt", ELECTRON_VOLT * 1e12),
    unit("TerawattDay", WATT_HOUR * 24e12),
    unit("TerawattHour", WATT_HOUR * 1e12),
    unit("ThermEc", THERM_EC),
    unit("ThermImperial", THERM_IMPERIAL),
    unit("ThermUs", THERM_US),
    unit("WattDay", WATT_HOUR * 24.0),
    unit("WattHour", WATT_HOUR),
];

const KILOGRAM_FORCE: f64 = 9.806_65;
const POUND_FORCE: f64 = 4.448_221_615_260_5;

/// Newtons.
pub const FORCES: &[Unit] = &[
    unit("Decanewton", 10.0),
    unit("Dyn", 1e-5),
    unit("KilogramForce", KILOGRAM_FORCE),
    unit("Kilonewton", 1e3),
    unit("KiloPond", KILOGRAM_FORCE),
    unit("KilopoundForce", POUND_FORCE * 1e3),
    unit("Meganewton", 1e6),
    unit("Micronewton", 1e-6),
    unit("Millinewton", 1e-3),
    unit("Newton", 1.0),
    unit("OunceForce", POUND_FORCE / 16.0),
    unit("Poundal", 0.138_254_954_376),
    unit("PoundForce", POUND_FORCE),
    unit("ShortTonForce", POUND_FORCE * 2000.0),
    unit("TonneForce", KILOGRAM_FORCE * 1e3),
];

const INCH: f64 = 0.0254;
const FOOT: f64 = 0.3048;
const MILE: f64 = 1609.344;
const SURVEY_FOOT: f64 = 1200.0 / 3937.0;
const PARSEC: f64 = 3.085_678_128e16;
const LIGHT_YEAR: f64 = 9.460_730_472_580_8e15;

/// Meters.
pub const LENGTHS: &[Unit] = &[
    unit("Angstrom", 1e-10),
    unit("AstronomicalUnit", 1.495_978_707e11),
    unit("Centimeter", 1e-2),
    unit("Chain", 20.1168),
    unit("DataMile", 1828.8),
    unit("Decameter", 10.0),
    unit("Decimeter", 0.1),
    unit("DtpPica", INCH / 6.0),
    unit("DtpPoint", INCH / 72.0),
    unit("Fathom", 1.8288),
    unit("Foot", FOOT),
    unit("Hand", 0.1016),
    unit("Hectometer", 100.0),
    unit("Inch", INCH),
    unit("KilolightYear", LIGHT_YEAR * 1e3),
    unit("Kilometer", 1e3),
    unit("Kiloparsec", PARSEC * 1e3),
    unit("LightYear", LIGHT_YEAR),
    unit("MegalightYear", LIGHT_YEAR * 1e6),
    unit("Megaparsec", PARSEC * 1e6),
    unit("Meter", 1.0),
    unit("Microinch", INCH * 1e-6),
    unit("Micrometer", 1e-6),
    unit("Mil", INCH * 1e-3),
    unit("Mile", MILE),
    unit("Millimeter", 1e-3),
    unit("Nanometer", 1e-9),
    unit("NauticalMile", 1852.0),
    unit("Parsec", PARSEC),
    unit("PrinterPica", INCH / 6.022_5),
    unit("PrinterPoint", INCH / 72.27),
    unit("Shackle", 27.432),
    unit("SolarRadius", 6.955_1e8),
    unit("Twip", INCH / 1440.0),
    unit("UsSurveyFoot", SURVEY_FOOT),
    unit("Yard", 0.9144),
];

const POUND: f64 = 0.453_592_37;

/// Kilograms.
pub const MASSES: &[Unit] = &[
    unit("Centigram", 1e-5),
    unit("Decagram", 1e-2),
    unit("Decigram", 1e-4),
    unit("EarthMass", 5.972_2e24),
    unit("Grain", 6.479_891e-5),
    unit("Gram", 1e-3),
    unit("Hectogram", 0.1),
    unit("Kilogram", 1.0),
    unit("Kilopound", POUND * 1e3),
    unit("Kilotonne", 1e6),
    unit("LongHundredweight", 50.802_345_44),
    unit("LongTon", 1_016.046_908_8),
    unit("Megapound", POUND * 1e6),
    unit("Megatonne", 1e9),
    unit("Microgram", 1e-9),
    unit("Milligram", 1e-6),
    unit("Nanogram", 1e-12),
    unit("Ounce", POUND / 16.0),
    unit("Pound", POUND),
    unit("ShortHundredweight", 45.359_237),
    unit("ShortTon", 907.184_74),
    unit("Slug", 14.593_903),
    unit("SolarMass", 1.988_47e30),
    unit("Stone", 6.350_293_18),
    unit("Tonne", 1e3),
];

/// Meters per second.
pub const SPEEDS: &[Unit] = &[
    unit("CentimeterPerHour", 1e-2 / 3600.0),
    unit("CentimeterPerMinute", 1e-2 / 60.0),
    unit("CentimeterPerSecond", 1e-2),
    unit("DecimeterPerMinute", 0.1 / 60.0),
    unit("DecimeterPerSecond", 0.1),
    unit("FootPerHour", FOOT / 3600.0),
    unit("FootPerMinute", FOOT / 60.0),
    unit("FootPerSecond", FOOT),
    unit("InchPerHour", INCH / 3600.0),
    unit("InchPerMinute", INCH / 60.0),
    unit("InchPerSecond", INCH),
    unit("KilometerPerHour", 1e3 / 3600.0),
    unit("KilometerPerMinute", 1e3 / 60.0),
    unit("KilometerPerSecond", 1e3),
    unit("Knot", 1852.0 / 3600.0),
    unit("MeterPerHour", 1.0 / 3600.0),
    unit("MeterPerMinute", 1.0 / 60.0),
    unit("MeterPerSecond", 1.0),
    unit("MicrometerPerMinute", 1e-6 / 60.0),
    unit("MicrometerPerSecond", 1e-6),
    unit("MilePerHour", MILE / 3600.0),
    unit("MillimeterPerHour", 1e-3 / 3600.0),
    unit("MillimeterPerMinute", 1e-3 / 60.0),
    unit("MillimeterPerSecond", 1e-3),
    unit("NanometerPerMinute", 1e-9 / 60.0),
    unit("NanometerPerSecond", 1e-9),
    unit("UsSurveyFootPerHour", SURVEY_FOOT / 3600.0),
    unit("UsSurveyFootPerMinute", SURVEY_FOOT / 60.0),
    unit("UsSurveyFootPerSecond", SURVEY_FOOT),
    unit("YardPerHour", 0.9144 / 3600.0),
    unit("YardPerMinute", 0.9144 / 60.0),
    unit("YardPerSecond", 0.9144),
];

/// Kelvins.
pub const TEMPERATURES: &[Unit] = &[
    shifted("DegreeCelsius", 1.0, 273.15),
    shifted("DegreeDelisle", -2.0 / 3.0, 373.15),
    shifted("DegreeFahrenheit", 5.0 / 9.0, 459.67 * 5.0 / 9.0),
    shifted("DegreeNewton", 100.0 / 33.0, 273.15),
    shifted("DegreeRankine", 5.0 / 9.0, 0.0),
    shifted("DegreeReaumur", 1.25, 273.15),
    shifted("DegreeRoemer", 40.0 / 21.0, 273.15 - 7.5 * 40.0 / 21.0),
    shifted("Kelvin", 1.0, 0.0),
    shifted("MillidegreeCelsius", 1e-3, 273.15),
    shifted("SolarTemperature", 5778.0, 0.0),
];

const CUBIC_FOOT: f64 = 0.028_316_846_592;
const US_GALLON: f64 = 0.003_785_411_784;
const IMPERIAL_GALLON: f64 = 0.004_546_09;

/// Cubic meters.
pub const VOLUMES: &[Unit] = &[
    unit("AcreFoot", 1.0 / 0.000_810_714),
    unit("AuTablespoon", 2e-5),
    unit("BoardFoot", 2.359_737_216e-3),
    unit("Centiliter", 1e-5),
    unit("CubicCentimeter", 1e-6),
    unit("CubicDecimeter", 1e-3),
    unit("CubicFoot", CUBIC_FOOT),
    unit("CubicHectometer", 1e6),
    unit("CubicInch", 1.638_706_4e-5),
    unit("CubicKilometer", 1e9),
    unit("CubicMeter", 1.0),
    unit("CubicMicrometer", 1e-18),
    unit("CubicMile", 4.168_181_825_440_58e9),
    unit("CubicMillimeter", 1e-9),
    unit("CubicYard", 0.764_554_857_984),
    unit("Decaliter", 1e-2),
    unit("DecausGallon", US_GALLON * 10.0),
    unit("Deciliter", 1e-4),
    unit("DeciusGallon", US_GALLON * 0.1),
    unit("HectocubicFoot", CUBIC_FOOT * 100.0),
    unit("HectocubicMeter", 100.0),
    unit("Hectoliter", 0.1),
    unit("HectousGallon", US_GALLON * 100.0),
    unit("ImperialBeerBarrel", 0.163_659_24),
    unit("ImperialGallon", IMPERIAL_GALLON),
    unit("ImperialOunce", IMPERIAL_GALLON / 160.0),
    unit("ImperialPint", IMPERIAL_GALLON / 8.0),
    unit("KilocubicFoot", CUBIC_FOOT * 1e3),
    unit("KilocubicMeter", 1e3),
    unit("KiloimperialGallon", IMPERIAL_GALLON * 1e3),
    unit("Kiloliter", 1.0),
    unit("KilousGallon", US_GALLON * 1e3),
    unit("Liter", 1e-3),
    unit("MegacubicFoot", CUBIC_FOOT * 1e6),
    unit("MegaimperialGallon", IMPERIAL_GALLON * 1e6),
    unit("Megaliter", 1e3),
    unit("MegausGallon", US_GALLON * 1e6),
    unit("MetricCup", 2.5e-4),
    unit("MetricTeaspoon", 5e-6),
    unit("Microliter", 1e-9),
    unit("Milliliter", 1e-6),
    unit("OilBarrel", 0.158_987_294_928),
    unit("UkTablespoon", 1.5e-5),
    unit("UsBeerBarrel", 0.117_347_765_304),
    unit("UsCustomaryCup", US_GALLON / 16.0),
    unit("UsGallon", US_GALLON),
    unit("UsLegalCup", 2.4e-4),
    unit("UsOunce", US_GALLON / 128.0),
    unit("UsPint", US_GALLON / 8.0),
    unit("UsQuart", US_GALLON / 4.0),
    unit("UsTablespoon", US_GALLON / 256.0),
    unit("UsTeaspoon", US_GALLON / 768.0),
];

fn find(units: &[Unit], name: &str) -> Option<Unit> {
    units.iter().copied().find(|unit| unit.name == name)
}

/// Converts between units of one table.
pub fn convert(call: &KernelCall<'_>, arguments: &[Datum], units: &[Unit]) -> Result<ArrayRef> {
    let values = Reals::new(argument(arguments, 0)?)?;
    let (from, to) = (Texts::new(argument(arguments, 1)?)?, Texts::new(argument(arguments, 2)?)?);
    let constant = match (from.constant(), to.constant()) {
        (Some(from), Some(to)) => Some(find(units, from).zip(find(units, to))),
        _ => None,
    };
    Ok(numbers::<Float64Type>(call.rows, |row| {
        let (from, to) = match constant {
            Some(pair) => pair?,
            None => (find(units, from.get(row))?, find(units, to.get(row))?),
        };
        let value = values.get(row)?;
        if from == to {
            return Some(value);
        }
        Some((value * from.factor + from.offset - to.offset) / to.factor)
    }))
}
