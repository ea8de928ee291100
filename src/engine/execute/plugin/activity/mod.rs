//! The plugins over who did something when: `active_users_count`, the `activity_*` metrics, `session_count`,
//! `sliding_window_counts`, `sequence_detect` and the funnels.
//!
//! `timeline` knows instants and periods, `events` the rows by group and user; the other files are a plugin each.
//! Groups are the combinations of the dimensions. Users are numbered; a row without an id or a time is left out.

pub mod active_users;
pub mod counts;
pub mod engagement;
mod events;
pub mod funnel;
pub mod metrics;
pub mod new_users;
pub mod sequence;
pub mod sessions;
pub mod sliding;
mod timeline;

#[cfg(test)]
mod tests;
