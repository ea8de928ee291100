//! Kernels of string functions.

use conshelf_kql::function::StringFunction;

use crate::engine::error::EngineError;
use crate::engine::kernel::Kernel;

/// The kernel of a function of the family.
pub fn kernel(function: StringFunction) -> Kernel {
    match function {
        StringFunction::Strlen => |_, _| Err(EngineError::NotSupported(String::from("Strlen"))),
        StringFunction::StringSize => |_, _| Err(EngineError::NotSupported(String::from("StringSize"))),
        StringFunction::Substring => |_, _| Err(EngineError::NotSupported(String::from("Substring"))),
        StringFunction::Strcat => |_, _| Err(EngineError::NotSupported(String::from("Strcat"))),
        StringFunction::StrcatDelim => |_, _| Err(EngineError::NotSupported(String::from("StrcatDelim"))),
        StringFunction::ToUpper => |_, _| Err(EngineError::NotSupported(String::from("ToUpper"))),
        StringFunction::ToLower => |_, _| Err(EngineError::NotSupported(String::from("ToLower"))),
        StringFunction::Trim => |_, _| Err(EngineError::NotSupported(String::from("Trim"))),
        StringFunction::TrimStart => |_, _| Err(EngineError::NotSupported(String::from("TrimStart"))),
        StringFunction::TrimEnd => |_, _| Err(EngineError::NotSupported(String::from("TrimEnd"))),
        StringFunction::Split => |_, _| Err(EngineError::NotSupported(String::from("Split"))),
        StringFunction::ReplaceString => |_, _| Err(EngineError::NotSupported(String::from("ReplaceString"))),
        StringFunction::ReplaceStrings => {
            |_, _| Err(EngineError::NotSupported(String::from("ReplaceStrings")))
        }
        StringFunction::ReplaceRegex => |_, _| Err(EngineError::NotSupported(String::from("ReplaceRegex"))),
        StringFunction::Extract => |_, _| Err(EngineError::NotSupported(String::from("Extract"))),
        StringFunction::ExtractAll => |_, _| Err(EngineError::NotSupported(String::from("ExtractAll"))),
        StringFunction::IndexOf => |_, _| Err(EngineError::NotSupported(String::from("IndexOf"))),
        StringFunction::IndexOfRegex => |_, _| Err(EngineError::NotSupported(String::from("IndexOfRegex"))),
        StringFunction::CountOf => |_, _| Err(EngineError::NotSupported(String::from("CountOf"))),
        StringFunction::Reverse => |_, _| Err(EngineError::NotSupported(String::from("Reverse"))),
        StringFunction::Strrep => |_, _| Err(EngineError::NotSupported(String::from("Strrep"))),
        StringFunction::Strcmp => |_, _| Err(EngineError::NotSupported(String::from("Strcmp"))),
        StringFunction::Translate => |_, _| Err(EngineError::NotSupported(String::from("Translate"))),
        StringFunction::HasAnyIndex => |_, _| Err(EngineError::NotSupported(String::from("HasAnyIndex"))),
        StringFunction::IsAscii => |_, _| Err(EngineError::NotSupported(String::from("IsAscii"))),
        StringFunction::IsUtf8 => |_, _| Err(EngineError::NotSupported(String::from("IsUtf8"))),
        StringFunction::UnicodeCodepointsFromString => {
            |_, _| Err(EngineError::NotSupported(String::from("UnicodeCodepointsFromString")))
        }
        StringFunction::UnicodeCodepointsToString => {
            |_, _| Err(EngineError::NotSupported(String::from("UnicodeCodepointsToString")))
        }
        StringFunction::RegexQuote => |_, _| Err(EngineError::NotSupported(String::from("RegexQuote"))),
        StringFunction::ToHex => |_, _| Err(EngineError::NotSupported(String::from("ToHex"))),
        StringFunction::FormatBytes => |_, _| Err(EngineError::NotSupported(String::from("FormatBytes"))),
        StringFunction::UrlEncode => |_, _| Err(EngineError::NotSupported(String::from("UrlEncode"))),
        StringFunction::UrlEncodeComponent => {
            |_, _| Err(EngineError::NotSupported(String::from("UrlEncodeComponent")))
        }
        StringFunction::UrlDecode => |_, _| Err(EngineError::NotSupported(String::from("UrlDecode"))),
        StringFunction::ParseUrl => |_, _| Err(EngineError::NotSupported(String::from("ParseUrl"))),
        StringFunction::ParseUrlQuery => |_, _| Err(EngineError::NotSupported(String::from("ParseUrlQuery"))),
        StringFunction::ParsePath => |_, _| Err(EngineError::NotSupported(String::from("ParsePath"))),
        StringFunction::ParseVersion => |_, _| Err(EngineError::NotSupported(String::from("ParseVersion"))),
        StringFunction::ParseIpv4 => |_, _| Err(EngineError::NotSupported(String::from("ParseIpv4"))),
        StringFunction::ParseIpv4Mask => |_, _| Err(EngineError::NotSupported(String::from("ParseIpv4Mask"))),
        StringFunction::ParseIpv6 => |_, _| Err(EngineError::NotSupported(String::from("ParseIpv6"))),
        StringFunction::ParseIpv6Mask => |_, _| Err(EngineError::NotSupported(String::from("ParseIpv6Mask"))),
        StringFunction::FormatIpv4 => |_, _| Err(EngineError::NotSupported(String::from("FormatIpv4"))),
        StringFunction::FormatIpv4Mask => {
            |_, _| Err(EngineError::NotSupported(String::from("FormatIpv4Mask")))
        }
        StringFunction::Ipv4IsMatch => |_, _| Err(EngineError::NotSupported(String::from("Ipv4IsMatch"))),
        StringFunction::Ipv4Compare => |_, _| Err(EngineError::NotSupported(String::from("Ipv4Compare"))),
        StringFunction::Ipv4IsInRange => |_, _| Err(EngineError::NotSupported(String::from("Ipv4IsInRange"))),
        StringFunction::Ipv4IsInAnyRange => {
            |_, _| Err(EngineError::NotSupported(String::from("Ipv4IsInAnyRange")))
        }
        StringFunction::Ipv4IsPrivate => |_, _| Err(EngineError::NotSupported(String::from("Ipv4IsPrivate"))),
        StringFunction::Ipv4NetmaskSuffix => {
            |_, _| Err(EngineError::NotSupported(String::from("Ipv4NetmaskSuffix")))
        }
        StringFunction::Ipv4RangeToCidrList => {
            |_, _| Err(EngineError::NotSupported(String::from("Ipv4RangeToCidrList")))
        }
        StringFunction::Ipv6IsMatch => |_, _| Err(EngineError::NotSupported(String::from("Ipv6IsMatch"))),
        StringFunction::Ipv6Compare => |_, _| Err(EngineError::NotSupported(String::from("Ipv6Compare"))),
        StringFunction::Ipv6IsInRange => |_, _| Err(EngineError::NotSupported(String::from("Ipv6IsInRange"))),
        StringFunction::Ipv6IsInAnyRange => {
            |_, _| Err(EngineError::NotSupported(String::from("Ipv6IsInAnyRange")))
        }
        StringFunction::HasIpv4 => |_, _| Err(EngineError::NotSupported(String::from("HasIpv4"))),
        StringFunction::HasAnyIpv4 => |_, _| Err(EngineError::NotSupported(String::from("HasAnyIpv4"))),
        StringFunction::HasIpv4Prefix => |_, _| Err(EngineError::NotSupported(String::from("HasIpv4Prefix"))),
        StringFunction::HasAnyIpv4Prefix => {
            |_, _| Err(EngineError::NotSupported(String::from("HasAnyIpv4Prefix")))
        }
        StringFunction::PunycodeFromString => {
            |_, _| Err(EngineError::NotSupported(String::from("PunycodeFromString")))
        }
        StringFunction::PunycodeToString => {
            |_, _| Err(EngineError::NotSupported(String::from("PunycodeToString")))
        }
        StringFunction::PunycodeDomainFromString => {
            |_, _| Err(EngineError::NotSupported(String::from("PunycodeDomainFromString")))
        }
        StringFunction::PunycodeDomainToString => {
            |_, _| Err(EngineError::NotSupported(String::from("PunycodeDomainToString")))
        }
    }
}
