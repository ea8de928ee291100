//! Sample results for the tests of the formats.

use std::sync::Arc;

use arrow_array::builder::{BinaryViewBuilder, FixedSizeBinaryBuilder};
use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, StringViewArray};
use conshelf_kql::{Column, Decimal, Type};
use uuid::Uuid;

use crate::engine::Batch;
use crate::response::kusto::RequestIdentity;
use crate::response::{Completion, Failure, FailureKind, ResultHeader};

pub fn identity() -> RequestIdentity {
    RequestIdentity { client_request_id: "KPC.execute;1".to_owned(), activity_id: Uuid::from_u128(7) }
}

/// `n` rows of a long column.
pub fn numbers(n: i64) -> (ResultHeader, Batch) {
    let array: ArrayRef = Arc::new(Int64Array::from_iter_values(0..n));
    (ResultHeader::primary(vec![Column::new("n", Type::Long)]), Batch::new(vec![array], n as usize))
}

/// Two rows of every type, the second all null.
pub fn sample() -> (ResultHeader, Batch) {
    let mut guid = FixedSizeBinaryBuilder::new(16);
    guid.append_value([0xab; 16]).expect("16 bytes");
    guid.append_null();
    let mut decimal = FixedSizeBinaryBuilder::new(16);
    decimal.append_value(Decimal::parse("12.50").expect("decimal").to_bytes()).expect("16 bytes");
    decimal.append_null();
    let mut dynamic = BinaryViewBuilder::new();
    dynamic
        .append_value(conshelf_storage::dynamic::from_json(r#"{"a":[1,2.5,"x"],"b":null}"#).expect("json"));
    dynamic.append_null();
    let columns: Vec<(&str, Type, ArrayRef)> = vec![
        ("b", Type::Bool, Arc::new(BooleanArray::from(vec![Some(true), None]))),
        ("i", Type::Int, Arc::new(Int32Array::from(vec![Some(-1), None]))),
        ("l", Type::Long, Arc::new(Int64Array::from(vec![Some(i64::MAX), None]))),
        ("r", Type::Real, Arc::new(Float64Array::from(vec![Some(2.0), None]))),
        ("c", Type::Decimal, Arc::new(decimal.finish())),
        ("t", Type::DateTime, Arc::new(Int64Array::from(vec![Some(638_396_640_000_000_001), None]))),
        ("d", Type::TimeSpan, Arc::new(Int64Array::from(vec![Some(-864_000_000_001), None]))),
        ("s", Type::String, Arc::new(StringViewArray::from(vec![Some("a,\"b\"\n\té"), None]))),
        ("g", Type::Guid, Arc::new(guid.finish())),
        ("o", Type::Dynamic, Arc::new(dynamic.finish())),
    ];
    let schema = columns.iter().map(|(name, ty, _)| Column::new(*name, *ty)).collect();
    let arrays = columns.into_iter().map(|(_, _, array)| array).collect();
    (ResultHeader::primary(schema), Batch::new(arrays, 2))
}

pub fn completion() -> Completion {
    Completion { finished_ticks: 638_396_640_000_000_000, ..Completion::default() }
}

pub fn failed_completion() -> Completion {
    let failure = Failure {
        code: "LimitsExceeded".to_owned(),
        message: "Query execution has exceeded the allowed limits (80DA0003): too many rows".to_owned(),
        one_api: r#"{"error":{"code":"LimitsExceeded","message":"m"}}"#.to_owned(),
        kind: FailureKind::ResultTooLarge { record_limit: Some(5) },
    };
    Completion { failure: Some(Arc::new(failure)), ..completion() }
}
