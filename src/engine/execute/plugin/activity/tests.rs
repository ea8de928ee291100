//! Windows, sessions and sequences against models that look at every row for every answer.

use conshelf_kql::{Type, Value};
use proptest::prelude::*;

use super::active_users::seen_periods;
use super::events::Event;
use super::funnel::reached;
use super::sequence::sequences;
use super::timeline::{Axis, Periods};

fn periods(start: i64, end: i64, step: i64) -> Periods {
    let (start, end, step) = (Value::Long(start), Value::Long(end), Value::Long(step));
    Periods::new(Axis::of(Type::Long), &start, &end, &step, 0).expect("a step above zero")
}

fn history(instants: &[i64]) -> Vec<Event> {
    let mut sorted: Vec<Event> =
        instants.iter().map(|instant| Event { group: 0, user: 0, instant: i128::from(*instant) }).collect();
    sorted.sort();
    sorted
}

#[test]
fn calendar_periods_begin_with_the_calendar() {
    let day = |text: &str| conshelf_kql::time::parse_datetime(text).expect("a datetime");
    let (start, end) = (Value::DateTime(day("2024-01-15")), Value::DateTime(day("2024-04-02")));
    let step = Value::String(String::from("month"));
    let periods = Periods::new(Axis::of(Type::DateTime), &start, &end, &step, 0).expect("a month");
    assert_eq!(periods.last(), 3);
    assert_eq!(periods.of(i128::from(day("2024-02-29"))), 1);
    assert_eq!(periods.of(i128::from(day("2024-03-01"))), 2);
    // Ten days back from the end of a period: into itself alone.
    assert_eq!(periods.reach(1, 1), 1);
    let forty_days = 40 * 864_000_000_000;
    assert_eq!(periods.reach(0, forty_days), 1);
}

proptest! {
    #[test]
    fn a_reach_is_the_last_window_that_holds_the_period(
        period in -20i64..20, lookback in 1i128..50, step in 1i64..9,
    ) {
        let periods = periods(0, 1_000, step);
        let windows = (i64::try_from(lookback).unwrap_or(0) / step).max(1);
        prop_assert_eq!(periods.reach(period, lookback), period + windows - 1);
    }

    #[test]
    fn seen_periods_are_those_of_the_look_back(
        instants in prop::collection::vec(-30i64..60, 0..40), lookback in 1i64..20, short in 1i64..6,
    ) {
        let (history, short) = (history(&instants), periods(0, 60, short));
        let seen: Vec<usize> = seen_periods(&history, &short, i128::from(lookback)).collect();
        for (place, event) in history.iter().enumerate() {
            let mut model: Vec<i64> = history[..=place]
                .iter()
                .filter(|other| other.instant > event.instant - i128::from(lookback))
                .map(|other| short.of(other.instant))
                .collect();
            model.dedup();
            prop_assert_eq!(seen[place], model.len());
        }
    }

    #[test]
    fn sequences_are_all_chains(
        times in prop::collection::vec(prop::collection::btree_set(0i128..12, 0..5), 1..4),
        step in 0i128..6,
        span in 0i128..9,
    ) {
        let times: Vec<Vec<i128>> = times.into_iter().map(|times| times.into_iter().collect()).collect();
        let mut found = Vec::new();
        sequences(&times, step, span, |sequence| {
            found.push(sequence.to_vec());
            Ok(())
        })
        .expect("nothing fails");
        let mut model: Vec<Vec<i128>> = vec![Vec::new()];
        for times in &times {
            model = model
                .into_iter()
                .flat_map(|before| times.iter().map(move |time| [before.as_slice(), &[*time]].concat()))
                .collect();
        }
        model.retain(|chain| {
            chain.windows(2).all(|pair| pair[0] < pair[1] && pair[1] - pair[0] <= step)
                && chain[chain.len() - 1] - chain[0] <= span
        });
        found.sort();
        model.sort();
        prop_assert_eq!(found, model);
    }

    #[test]
    fn a_funnel_reaches_as_far_as_the_best_start(
        states in prop::collection::vec((0u32..3, 0i128..30), 0..12), length in 0i128..12,
    ) {
        let mut rows: Vec<Event> =
            states.iter().map(|(group, instant)| Event { group: *group, user: 0, instant: *instant }).collect();
        rows.sort_by_key(|event| event.instant);
        let sequence = [Some(0), Some(1), Some(2)];
        // From every first state, take the earliest of each next one.
        let from = |first: usize| {
            let mut depth = 0;
            for event in &rows[first..] {
                if depth < 3
                    && sequence[depth] == Some(event.group)
                    && event.instant - rows[first].instant <= length
                {
                    depth += 1;
                }
            }
            if rows[first].group == 0 { depth } else { 0 }
        };
        let model = (0..rows.len()).map(from).max().unwrap_or(0);
        prop_assert_eq!(reached(&rows, &sequence, length), model);
    }
}
