//! Kernels of string functions. Positions and lengths count Unicode characters.

pub mod address;
mod edit;
mod encode;
mod part;
pub mod piece;
mod punycode;
mod search;
mod user_agent;

use conshelf_kql::function::StringFunction;

use crate::engine::kernel::Kernel;

/// The kernel of a function of the family.
pub fn kernel(function: StringFunction) -> Kernel {
    use StringFunction as F;
    match function {
        F::Strlen => edit::strlen,
        F::StringSize => edit::string_size,
        F::Substring => edit::substring,
        F::Strcat => edit::strcat,
        F::StrcatDelim => edit::strcat_delim,
        F::ToUpper => edit::toupper,
        F::ToLower => edit::tolower,
        F::Trim => |call, arguments| edit::trim(call, arguments, true, true),
        F::TrimStart => |call, arguments| edit::trim(call, arguments, true, false),
        F::TrimEnd => |call, arguments| edit::trim(call, arguments, false, true),
        F::Split => edit::split,
        F::ReplaceString => edit::replace_string,
        F::ReplaceStrings => edit::replace_strings,
        F::ReplaceRegex => edit::replace_regex,
        F::Reverse => edit::reverse,
        F::Strrep => edit::strrep,
        F::Translate => edit::translate,
        F::Extract => search::extract,
        F::ExtractAll => search::extract_all,
        F::IndexOf => search::indexof,
        F::IndexOfRegex => search::indexof_regex,
        F::CountOf => search::countof,
        F::Strcmp => search::strcmp,
        F::HasAnyIndex => search::has_any_index,
        F::IsAscii => encode::isascii,
        F::IsUtf8 => encode::isutf8,
        F::UnicodeCodepointsFromString => encode::codepoints_of_text,
        F::UnicodeCodepointsToString => encode::text_of_codepoints,
        F::RegexQuote => encode::regex_quote,
        F::ToHex => encode::tohex,
        F::FormatBytes => encode::format_bytes,
        F::UrlEncode => encode::url_encode,
        F::UrlEncodeComponent => encode::url_encode_component,
        F::UrlDecode => encode::url_decode,
        F::ParseUrl => part::parse_url,
        F::ParseUrlQuery => part::parse_urlquery,
        F::ParsePath => part::parse_path,
        F::ParseUserAgent => user_agent::parse_user_agent,
        F::ParseVersion => part::parse_version,
        F::ParseIpv4 => address::parse_ipv4,
        F::ParseIpv4Mask => address::parse_ipv4_mask,
        F::ParseIpv6 => address::parse_ipv6,
        F::ParseIpv6Mask => address::parse_ipv6_mask,
        F::FormatIpv4 => |call, arguments| address::format_ipv4(call, arguments, false),
        F::FormatIpv4Mask => |call, arguments| address::format_ipv4(call, arguments, true),
        F::Ipv4IsMatch => |call, arguments| address::is_match(call, arguments, address::parse4),
        F::Ipv4Compare => |call, arguments| address::compare(call, arguments, address::parse4),
        F::Ipv4IsInRange | F::Ipv4IsInAnyRange => {
            |call, arguments| address::is_in_ranges(call, arguments, address::parse4)
        }
        F::Ipv4IsPrivate => address::ipv4_is_private,
        F::Ipv4NetmaskSuffix => address::ipv4_netmask_suffix,
        F::Ipv4RangeToCidrList => address::ipv4_range_to_cidr_list,
        F::Ipv6IsMatch => |call, arguments| address::is_match(call, arguments, address::parse6),
        F::Ipv6Compare => |call, arguments| address::compare(call, arguments, address::parse6),
        F::Ipv6IsInRange | F::Ipv6IsInAnyRange => {
            |call, arguments| address::is_in_ranges(call, arguments, address::parse6)
        }
        F::HasIpv4 | F::HasAnyIpv4 => |call, arguments| address::has_ipv4(call, arguments, false),
        F::HasIpv4Prefix | F::HasAnyIpv4Prefix => |call, arguments| address::has_ipv4(call, arguments, true),
        F::PunycodeFromString => punycode::from_string,
        F::PunycodeToString => punycode::to_string,
        F::PunycodeDomainFromString => punycode::domain_from_string,
        F::PunycodeDomainToString => punycode::domain_to_string,
    }
}
