//! The Kusto Query Language: text to a typed logical plan.
