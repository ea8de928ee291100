//! Regular expressions that are a row of literals and runs of characters, matched without an automaton.
//!
//! Such a pattern has one way to match from a given start: each run ends where its characters end, and what
//! follows it begins with none of them. One run may be followed by a literal of its own characters (`.*` and the
//! like). Characters outside ASCII are known only where a set has all or none of them; elsewhere the answer is
//! that the pattern must be asked another way. Knows nothing of columns.

use conshelf_storage::terms::{IgnoreCaseFinder, is_term_character};
use memchr::memmem::Finder;
use regex_syntax::hir::{Class, Hir, HirKind, Look};

use crate::engine::kernel::regular::rows::Literal;

/// The text has characters, or would take effort, that the steps are not made for.
#[derive(Debug)]
pub struct Unknown;

/// Places of groups that have none.
pub const NOWHERE: usize = usize::MAX;

/// Bytes that may be looked at again and again, in texts of that many bytes, before it is too much.
const WORK_PER_BYTE: usize = 8;
const WORK_AT_LEAST: usize = 4096;

/// Most steps of a pattern.
const STEPS_MAX: usize = 64;

/// A pattern as steps.
#[derive(Debug)]
pub struct Direct {
    steps: Vec<Step>,
    first: First,
    /// What must stand somewhere in a match, if a match does not begin with a literal.
    needed: Option<Finder<'static>>,
    /// Whether texts with other than ASCII characters must be asked another way.
    ascii_only: bool,
    /// The step that decides where a start may next succeed, and the bytes that come before it.
    pivot: Option<(usize, usize)>,
}

#[derive(Debug)]
enum Step {
    Literal(Vec<u8>),
    Run(Box<Run>),
    /// A run, slots that end with it, and a literal of which each place in the run is tried.
    Gap(Box<Run>, Vec<usize>, Box<Finder<'static>>),
    /// Notes the place in a slot.
    Mark(usize),
    Start,
    End,
    /// Between a character of a word and another; `false`: not there.
    Boundary(bool),
}

/// As many characters of a set as there are.
#[derive(Debug)]
struct Run {
    set: Set,
    min: usize,
    max: usize,
    greedy: bool,
}

impl Run {
    fn is_fixed(&self) -> bool {
        self.min == self.max
    }
}

/// Whether a byte is (part of) a character of the set.
#[derive(Debug)]
struct Set([u8; 256]);

const NO: u8 = 0;
const YES: u8 = 1;
const PERHAPS: u8 = 2;

impl Set {
    fn new(class: &Class, any_length: bool) -> Set {
        let mut set = [NO; 256];
        let mut foreign = 0u32;
        let ranges: Vec<(u32, u32)> = match class {
            Class::Unicode(class) => {
                class.ranges().iter().map(|range| (range.start() as u32, range.end() as u32)).collect()
            }
            Class::Bytes(class) => {
                class.ranges().iter().map(|range| (range.start().into(), range.end().into())).collect()
            }
        };
        for (start, end) in ranges {
            for byte in start..=end.min(0x7f) {
                set[byte as usize] = YES;
            }
            if end >= 0x80 {
                foreign += end - start.max(0x80) + 1;
            }
        }
        // All scalar values but ASCII; ranges may go over the surrogates.
        let is_all = foreign >= 0x11_0000 - 0x800 - 0x80;
        let other = match foreign {
            0 => NO,
            _ if is_all && any_length => YES,
            _ => PERHAPS,
        };
        set[0x80..].fill(other);
        Set(set)
    }

    /// Whether a byte may go on with the one set or begin the other.
    fn meets(&self, other: &Set) -> bool {
        let mut pairs = self.0.iter().zip(&other.0).enumerate();
        pairs.any(|(byte, (a, b))| *a != NO && *b != NO && (byte < 0x80 || *a == YES || *b == YES))
    }

    fn may_be(&self, byte: u8) -> bool {
        match self.0[usize::from(byte)] {
            NO => false,
            YES => true,
            _ => byte < 0x80,
        }
    }

    /// Whether all or none of its characters belong to words.
    fn is_even(&self) -> bool {
        let mut words = (0..0x80u8).filter(|byte| self.0[usize::from(*byte)] == YES).map(is_word);
        let first = words.next();
        self.0[0x80] != YES && words.all(|word| Some(word) == first)
    }

    /// The letter, if the set has nothing of ASCII but its two cases or is that other character alone.
    fn folded(&self) -> Option<u8> {
        let mut members = (0..0x80u8).filter(|byte| self.0[usize::from(*byte)] == YES);
        match (members.next(), members.next(), members.next()) {
            (Some(upper), Some(lower), None) if upper.is_ascii_uppercase() => {
                (upper.to_ascii_lowercase() == lower).then_some(lower)
            }
            (Some(only), None, None) if !only.is_ascii_alphabetic() => Some(only),
            _ => None,
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte == b'_' || is_term_character(char::from(byte))
}

/// How places where a match may start are found.
#[derive(Debug)]
enum First {
    /// Only the start of the text is one.
    Anchor,
    Literal(Box<Finder<'static>>),
    IgnoringCase(Box<IgnoreCaseFinder>),
    /// A character of the run at this step.
    Member(usize),
    Anywhere,
}

/// Why a start failed: the next one to try.
struct Failed(usize);

impl Direct {
    /// The steps of a pattern; `None`: it takes more than steps.
    pub fn new(hir: &Hir) -> Option<Direct> {
        let mut steps = Vec::new();
        flatten(hir, &mut steps)?;
        if steps.len() > STEPS_MAX || hir.properties().minimum_len().unwrap_or(0) == 0 {
            return None;
        }
        let mut prefix = Some(0);
        let mut has_gap = false;
        let mut pivot = None;
        let mut index = 0;
        while index < steps.len() {
            match &steps[index] {
                Step::Literal(literal) => prefix = prefix.map(|prefix| prefix + literal.len()),
                Step::Run(run) if run.is_fixed() => prefix = prefix.map(|prefix| prefix + run.min),
                Step::Run(_) => {
                    let endless = matches!(&steps[index], Step::Run(run) if run.max == usize::MAX);
                    match follow(&steps, index)? {
                        Follow::Other => {}
                        Follow::Nothing => {
                            if let Step::Run(run) = &mut steps[index]
                                && !run.greedy
                            {
                                run.max = run.min;
                                // Characters of several bytes are not counted.
                                if run.set.0[0x80] == YES {
                                    run.set.0[0x80..].fill(PERHAPS);
                                }
                            }
                        }
                        Follow::Own if endless && !has_gap => {
                            has_gap = true;
                            make_gap(&mut steps, index)?;
                        }
                        Follow::Own => return None,
                    }
                    if let Some(before) = prefix.take()
                        && endless
                    {
                        pivot = Some((index, before));
                    }
                }
                _ => {}
            }
            index += 1;
        }
        let (first, ascii_only) = first(&steps);
        let needed = match first {
            First::Literal(_) | First::IgnoringCase(_) => None,
            _ => steps
                .iter()
                .filter_map(|step| match step {
                    Step::Literal(literal) => Some(&literal[..]),
                    Step::Gap(_, _, finder) => Some(finder.needle()),
                    _ => None,
                })
                .max_by_key(|literal| literal.len())
                .map(|literal| Finder::new(literal).into_owned()),
        };
        Some(Direct { steps, first, needed, ascii_only, pivot })
    }

    /// What every match has.
    pub fn literal(&self) -> Option<Literal<'_>> {
        match &self.first {
            First::Literal(finder) => Some(Literal::Exact(finder)),
            // Other characters may stand for the letters.
            First::IgnoringCase(finder) => (!self.ascii_only).then_some(Literal::IgnoringCase(finder)),
            _ => self.needed.as_ref().map(Literal::Exact),
        }
    }

    /// The leftmost match that starts at `from` or later; `slots` gets the places of its groups, two each.
    pub fn find_at(
        &self,
        text: &str,
        from: usize,
        slots: &mut [usize],
    ) -> Result<Option<(usize, usize)>, Unknown> {
        let bytes = text.as_bytes();
        let Some(rest) = bytes.get(from..) else { return Ok(None) };
        if self.ascii_only && !bytes.is_ascii() {
            return Err(Unknown);
        }
        if let Some(needed) = &self.needed
            && needed.find(rest).is_none()
        {
            return Ok(None);
        }
        let mut work = (bytes.len() * WORK_PER_BYTE).max(WORK_AT_LEAST);
        let mut start = from;
        loop {
            let next = match &self.first {
                First::Anchor => (start == 0).then_some(0),
                First::Literal(finder) => {
                    bytes.get(start..).and_then(|rest| finder.find(rest)).map(|at| start + at)
                }
                First::IgnoringCase(finder) => finder.find(bytes, start),
                First::Member(step) => self.member(*step, bytes, start)?,
                First::Anywhere => (start <= bytes.len()).then_some(start),
            };
            let Some(found) = next else { return Ok(None) };
            match self.attempt(bytes, found, slots, &mut work)? {
                Ok(end) => return Ok(Some((found, end))),
                Err(Failed(next)) => start = next.max(found + 1),
            }
            work = work.checked_sub(1).ok_or(Unknown)?;
        }
    }

    fn member(&self, step: usize, bytes: &[u8], start: usize) -> Result<Option<usize>, Unknown> {
        let Some(Step::Run(run)) = self.steps.get(step) else { return Err(Unknown) };
        let rest = bytes.get(start..).unwrap_or_default();
        match rest.iter().position(|byte| run.set.0[usize::from(*byte)] != NO) {
            Some(at) if run.set.0[usize::from(rest[at])] == PERHAPS => Err(Unknown),
            Some(at) => Ok(Some(start + at)),
            None => Ok(None),
        }
    }

    fn attempt(
        &self,
        bytes: &[u8],
        start: usize,
        slots: &mut [usize],
        work: &mut usize,
    ) -> Result<Result<usize, Failed>, Unknown> {
        let mut failed = Failed(start + 1);
        let mut at = start;
        for (index, step) in self.steps.iter().enumerate() {
            if let Step::Gap(run, ends, finder) = step {
                let limit = run_end(run, bytes, at, work)?;
                let tried =
                    self.gap((at + run.min, limit, run.greedy), ends, finder, index, bytes, slots, work)?;
                return Ok(tried.ok_or_else(|| Failed(failed.0.max(self.failed_at(index, start, limit).0))));
            }
            match take(step, bytes, at, slots, work)? {
                Some(next) => at = next,
                None => return Ok(Err(failed)),
            }
            if matches!(self.pivot, Some((pivot, _)) if pivot == index) {
                failed = self.failed_at(index, start, at);
            }
        }
        Ok(Ok(at))
    }

    /// Whoever starts so that the pivot begins within the same run comes to the same end.
    fn failed_at(&self, index: usize, start: usize, run_end: usize) -> Failed {
        match self.pivot {
            Some((pivot, before)) if pivot == index => Failed((run_end + 1).saturating_sub(before)),
            _ => Failed(start + 1),
        }
    }

    /// Tries the places of the literal that begins within `low..=high`.
    #[allow(clippy::too_many_arguments)]
    fn gap(
        &self,
        (low, high, greedy): (usize, usize, bool),
        ends: &[usize],
        finder: &Finder<'_>,
        index: usize,
        bytes: &[u8],
        slots: &mut [usize],
        work: &mut usize,
    ) -> Result<Option<usize>, Unknown> {
        let needle = finder.needle();
        let (mut low, mut high) = (low, (high + needle.len()).min(bytes.len()));
        while let Some(window) = bytes.get(low..high) {
            let found = if greedy { memchr::memmem::rfind(window, needle) } else { finder.find(window) };
            let Some(place) = found.map(|found| low + found) else { return Ok(None) };
            *work = work.checked_sub(needle.len()).ok_or(Unknown)?;
            for slot in ends {
                if let Some(slot) = slots.get_mut(*slot) {
                    *slot = place;
                }
            }
            let mut at = Some(place + needle.len());
            for step in &self.steps[index + 1..] {
                let Some(here) = at else { break };
                at = take(step, bytes, here, slots, work)?;
            }
            if at.is_some() {
                return Ok(at);
            }
            if greedy {
                high = place + needle.len() - 1;
            } else {
                low = place + 1;
            }
        }
        Ok(None)
    }
}

/// Takes a step from a place, to the place after it.
#[inline]
fn take(
    step: &Step,
    bytes: &[u8],
    at: usize,
    slots: &mut [usize],
    work: &mut usize,
) -> Result<Option<usize>, Unknown> {
    Ok(match step {
        Step::Literal(literal) => {
            bytes.get(at..).is_some_and(|rest| rest.starts_with(literal)).then(|| at + literal.len())
        }
        Step::Run(run) => {
            let end = run_end(run, bytes, at, work)?;
            (end - at >= run.min).then_some(end)
        }
        Step::Mark(slot) => {
            if let Some(slot) = slots.get_mut(*slot) {
                *slot = at;
            }
            Some(at)
        }
        Step::Start => (at == 0).then_some(at),
        Step::End => (at == bytes.len()).then_some(at),
        Step::Boundary(wanted) => {
            let word = |byte: Option<&u8>| match byte {
                Some(0x80..) => Err(Unknown),
                Some(byte) => Ok(is_word(*byte)),
                None => Ok(false),
            };
            let before = word(at.checked_sub(1).and_then(|before| bytes.get(before)))?;
            ((before != word(bytes.get(at))?) == *wanted).then_some(at)
        }
        // Gaps are tried by their own function; there is one at most.
        Step::Gap(..) => return Err(Unknown),
    })
}

/// Where a run that begins at a place ends.
#[inline]
fn run_end(run: &Run, bytes: &[u8], at: usize, work: &mut usize) -> Result<usize, Unknown> {
    let rest = bytes.get(at..).unwrap_or_default();
    let within = &rest[..rest.len().min(run.max)];
    let length = within.iter().position(|byte| run.set.0[usize::from(*byte)] != YES).unwrap_or(within.len());
    if within.get(length).is_some_and(|byte| run.set.0[usize::from(*byte)] == PERHAPS) {
        return Err(Unknown);
    }
    *work = work.checked_sub(length).ok_or(Unknown)?;
    Ok(at + length)
}

/// What comes after a run.
enum Follow {
    /// Something that begins with none of its characters, always.
    Other,
    /// A literal that begins with one of them.
    Own,
    Nothing,
}

/// `None`: something else that may begin with one of them.
fn follow(steps: &[Step], index: usize) -> Option<Follow> {
    let Step::Run(run) = steps.get(index)? else { return None };
    for step in &steps[index + 1..] {
        match step {
            Step::Mark(_) => {}
            Step::Literal(literal) => {
                return Some(if run.set.may_be(*literal.first()?) { Follow::Own } else { Follow::Other });
            }
            Step::Run(next) if run.set.meets(&next.set) => return None,
            Step::Run(next) if next.min > 0 => return Some(Follow::Other),
            Step::Run(_) if run.greedy => {}
            Step::Boundary(true) if run.min > 0 && run.set.is_even() => return Some(Follow::Other),
            Step::End => return Some(Follow::Other),
            _ => return None,
        }
    }
    Some(Follow::Nothing)
}

/// Joins a run, what closes behind it and the literal after that.
fn make_gap(steps: &mut Vec<Step>, index: usize) -> Option<()> {
    let literal = (index..steps.len()).find(|at| matches!(steps[*at], Step::Literal(_)))?;
    let mut joined = steps.drain(index..=literal);
    let Some(Step::Run(run)) = joined.next() else { return None };
    let (mut slots, mut finder) = (Vec::new(), None);
    for step in joined {
        match step {
            Step::Mark(slot) => slots.push(slot),
            Step::Literal(literal) => finder = Some(Box::new(Finder::new(&literal).into_owned())),
            _ => return None,
        }
    }
    steps.insert(index, Step::Gap(run, slots, finder?));
    Some(())
}

/// How matches are found, and whether only in texts of ASCII.
fn first(steps: &[Step]) -> (First, bool) {
    let mut folded = Vec::new();
    let mut ascii_only = false;
    for (index, step) in steps.iter().enumerate() {
        let others = match step {
            Step::Mark(_) | Step::Boundary(_) => continue,
            Step::Start if folded.is_empty() => return (First::Anchor, false),
            Step::Literal(literal) if folded.is_empty() => {
                return (First::Literal(Box::new(Finder::new(literal).into_owned())), false);
            }
            Step::Literal(literal) if !literal.iter().any(u8::is_ascii_alphabetic) && literal.is_ascii() => {
                folded.extend_from_slice(literal);
                continue;
            }
            Step::Run(run) if run.is_fixed() && run.max == 1 => match run.set.folded() {
                Some(byte) => {
                    ascii_only |= run.set.0[0x80] != NO;
                    folded.push(byte);
                    continue;
                }
                None => First::Member(index),
            },
            Step::Run(run) if run.min > 0 => First::Member(index),
            _ => First::Anywhere,
        };
        if folded.is_empty() {
            return (others, false);
        }
        break;
    }
    match IgnoreCaseFinder::new(&folded) {
        Some(finder) => (First::IgnoringCase(Box::new(finder)), ascii_only),
        None => (First::Anywhere, false),
    }
}

fn flatten(hir: &Hir, steps: &mut Vec<Step>) -> Option<()> {
    match hir.kind() {
        HirKind::Empty => {}
        HirKind::Literal(literal) => steps.push(Step::Literal(literal.0.to_vec())),
        HirKind::Class(class) => steps.push(run(Set::new(class, false), 1, Some(1), true)),
        HirKind::Look(look) => steps.push(match look {
            Look::Start => Step::Start,
            Look::End => Step::End,
            Look::WordAscii | Look::WordUnicode => Step::Boundary(true),
            Look::WordAsciiNegate | Look::WordUnicodeNegate => Step::Boundary(false),
            _ => return None,
        }),
        HirKind::Repetition(repetition) => {
            let any_length = repetition.min <= 1 && repetition.max.is_none();
            let set = match repetition.sub.kind() {
                HirKind::Class(class) => Set::new(class, any_length),
                HirKind::Literal(literal) if literal.0.len() == 1 => {
                    let mut set = [NO; 256];
                    set[usize::from(*literal.0.first()?)] = YES;
                    Set(set)
                }
                _ => return None,
            };
            steps.push(run(set, repetition.min, repetition.max, repetition.greedy));
        }
        HirKind::Capture(capture) => {
            let slot = capture.index as usize * 2;
            steps.push(Step::Mark(slot));
            flatten(&capture.sub, steps)?;
            steps.push(Step::Mark(slot + 1));
        }
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| flatten(part, steps))?,
        HirKind::Alternation(_) => return None,
    }
    Some(())
}

fn run(set: Set, min: u32, max: Option<u32>, greedy: bool) -> Step {
    let max = max.map_or(usize::MAX, |max| max as usize);
    Step::Run(Box::new(Run { set, min: min as usize, max, greedy }))
}
