//! Where IP addresses are.

use std::net::{IpAddr, Ipv6Addr};

use arrow_array::ArrayRef;
use conshelf_storage::DynamicBuilder;

use crate::engine::error::Result;
use crate::engine::kernel::access::{Texts, argument, dynamics};
use crate::engine::kernel::{Datum, KernelCall};
use crate::engine::locations::Location;

fn write(builder: &mut DynamicBuilder, found: &Location) {
    builder.begin_object();
    for (key, value) in [("country", &found.country), ("state", &found.state), ("city", &found.city)] {
        builder.key(key);
        builder.string(value.as_deref().unwrap_or_default());
    }
    for (key, value) in [("latitude", found.latitude), ("longitude", found.longitude)] {
        builder.key(key);
        match value {
            Some(value) => builder.real(value),
            None => builder.null(),
        }
    }
    builder.end_object();
}

/// An IPv4 address that is written as an IPv6 one as such.
fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(address) => Ipv6Addr::to_ipv4_mapped(&address).map_or(IpAddr::V6(address), IpAddr::V4),
        v4 => v4,
    }
}

pub fn info_from_ip_address(call: &KernelCall<'_>, arguments: &[Datum]) -> Result<ArrayRef> {
    let addresses = Texts::new(argument(arguments, 0)?)?;
    let locations = &call.query.locations;
    Ok(dynamics(call.rows, |row, builder| {
        let address = addresses.get(row).trim().parse().ok().map(plain);
        let found = address.and_then(|address| locations.find(address));
        found.iter().for_each(|found| write(builder, found));
        found.is_some()
    }))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{Array, StringViewArray};
    use conshelf_kql::Type;

    use super::*;
    use crate::engine::context::{QueryContext, QueryLimits};
    use crate::engine::locations::{Locations, tests::database};

    #[test]
    fn addresses_have_places() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("city.mmdb");
        std::fs::write(&path, database([20, 53, 0, 0], 16)).expect("written");
        let locations = Arc::new(Locations::open(&[path]).expect("opened"));
        let query = QueryContext::with_locations(QueryLimits::default(), 0, locations);
        let texts: ArrayRef =
            Arc::new(StringViewArray::from(vec!["20.53.203.50", "::ffff:20.53.0.1", "1.1.1.1", "x", ""]));
        let call = KernelCall {
            rows: 5,
            argument_types: &[Type::String],
            return_type: Type::Dynamic,
            query: &query,
        };
        let found = info_from_ip_address(&call, &[Datum::Array(texts)]).expect("found");
        let valid: Vec<bool> = (0..5).map(|row| found.is_valid(row)).collect();
        assert_eq!(valid, [true, true, false, false, false]);
    }
}
