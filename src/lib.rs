//! Conshelf: a KQL time-series database in one binary.
