//! A merging t-digest (Dunning, "Computing extremely accurate quantiles using t-digests"): weighted values
//! clustered finely near the ends and coarsely in the middle, for percentiles of large groups.

use conshelf_storage::dynamic::{DynamicBuilder, DynamicRef};

/// Clusters kept at most (about): with 1000 the error in rank is below 0.1 % in the middle and far below
/// at the ends.
const COMPRESSION: f64 = 1000.0;
const BUFFER: usize = 8192;

/// With fewer clusters than this each is a value as it was given.
const UNMERGED: usize = 500;

/// A value and its weight.
pub type Centroid = (f64, f64);

/// Percentiles of a stream of weighted values.
#[derive(Clone, Debug, Default)]
pub struct Digest {
    /// Sorted by value.
    centroids: Vec<Centroid>,
    buffer: Vec<Centroid>,
}

impl Digest {
    pub fn add(&mut self, value: f64, weight: f64) {
        if weight > 0.0 && !value.is_nan() {
            self.buffer.push((value, weight));
            if self.buffer.len() >= BUFFER {
                self.compress();
            }
        }
    }

    pub fn merge(&mut self, other: &Digest) {
        for (value, weight) in other.centroids.iter().chain(&other.buffer) {
            self.add(*value, *weight);
        }
    }

    /// Merges the buffer into the centroids.
    pub fn compress(&mut self) {
        if self.buffer.is_empty() {
            return;
        }
        let mut all = std::mem::take(&mut self.centroids);
        all.append(&mut self.buffer);
        all.sort_by(|left, right| left.0.total_cmp(&right.0));
        let total: f64 = all.iter().map(|centroid| centroid.1).sum();
        // Scale function k1: the k-distance between the ends of a cluster is at most 1.
        let scale = |quantile: f64| {
            COMPRESSION / std::f64::consts::TAU * (2.0 * quantile.clamp(0.0, 1.0) - 1.0).asin()
        };
        let mut merged: Vec<Centroid> = Vec::with_capacity(COMPRESSION as usize);
        let mut before = 0.0;
        for (value, weight) in all {
            match merged.last_mut() {
                Some(last)
                    if value == last.0
                        || scale((before + last.1 + weight) / total) - scale(before / total) <= 1.0 =>
                {
                    last.1 += weight;
                    if value != last.0 {
                        last.0 += (value - last.0) * (weight / last.1);
                    }
                }
                last => {
                    before += last.map_or(0.0, |last| last.1);
                    merged.push((value, weight));
                }
            }
        }
        self.centroids = merged;
    }

    /// The nearest-rank percentile; `None` of nothing. Between clusters of many values it is estimated.
    pub fn percentile(&mut self, percent: f64) -> Option<f64> {
        self.compress();
        let total: f64 = self.centroids.iter().map(|centroid| centroid.1).sum();
        if self.centroids.len() < UNMERGED {
            let rank = (percent / 100.0 * total).ceil().max(1.0);
            let mut sum = 0.0;
            let reached = self.centroids.iter().find(|centroid| {
                sum += centroid.1;
                sum >= rank
            });
            return reached.or(self.centroids.last()).map(|centroid| centroid.0);
        }
        let rank = (percent / 100.0 * total).clamp(0.0, total);
        let mut before = 0.0;
        let mut previous: Option<(f64, f64)> = None;
        for (value, weight) in &self.centroids {
            let middle = before + weight / 2.0;
            if rank <= middle || (*weight <= 1.0 && rank <= before + weight) {
                return Some(match previous {
                    // Between two clusters of many values: on the line between their middles.
                    Some((at, left)) if *weight > 1.0 && middle > at && rank > at => {
                        left + (value - left) * ((rank - at) / (middle - at)).clamp(0.0, 1.0)
                    }
                    _ => *value,
                });
            }
            previous = Some((if *weight > 1.0 { middle } else { before + weight }, *value));
            before += weight;
        }
        self.centroids.last().map(|centroid| centroid.0)
    }

    /// The clusters, compressed and sorted by value.
    pub fn centroids(&mut self) -> &[Centroid] {
        self.compress();
        &self.centroids
    }

    /// Takes clusters that `centroids` gave.
    pub fn from_centroids(centroids: impl IntoIterator<Item = Centroid>) -> Digest {
        let mut digest = Digest { centroids: Vec::new(), buffer: centroids.into_iter().collect() };
        digest.buffer.retain(|(value, weight)| !value.is_nan() && *weight > 0.0);
        digest
    }

    /// All that is in it, uncompressed parts included.
    pub fn parts(&self) -> impl Iterator<Item = Centroid> + '_ {
        self.centroids.iter().chain(&self.buffer).copied()
    }

    pub fn is_empty(&self) -> bool {
        self.centroids.is_empty() && self.buffer.is_empty()
    }

    pub fn memory_bytes(&self) -> usize {
        (self.centroids.capacity() + self.buffer.capacity()) * size_of::<Centroid>()
    }
}

/// Writes weighted values as `[[7], [values…], [weights…]]`, each value by `put`.
pub fn write_digest<T>(
    builder: &mut DynamicBuilder,
    centroids: &[(T, f64)],
    put: impl Fn(&mut DynamicBuilder, &T),
) {
    builder.begin_array();
    builder.begin_array();
    builder.long(7);
    builder.end_array();
    builder.begin_array();
    for (value, _) in centroids {
        put(builder, value);
    }
    builder.end_array();
    builder.begin_array();
    for (_, weight) in centroids {
        builder.long(weight.round() as i64);
    }
    builder.end_array();
    builder.end_array();
}

/// A number, datetime or timespan as a real.
pub fn number_of(value: DynamicRef<'_>) -> Option<f64> {
    value
        .as_number()
        .or_else(|| value.as_datetime().map(|ticks| ticks as f64))
        .or_else(|| value.as_timespan().map(|ticks| ticks as f64))
        .or_else(|| value.as_str().and_then(|text| text.parse().ok()))
}

/// Reads what `write_digest` wrote; `None` for anything else.
pub fn read_digest(value: DynamicRef<'_>) -> Option<Digest> {
    let (values, weights) = (value.at(1)?, value.at(2)?);
    let centroids = values.iter_array().zip(weights.iter_array());
    let centroids = centroids.map(|(value, weight)| Some((number_of(value)?, weight.as_number()?)));
    Some(Digest::from_centroids(centroids.collect::<Option<Vec<_>>>()?))
}

/// A whole number as a long, others as reals.
pub fn put_number(builder: &mut DynamicBuilder, value: f64) {
    if value.fract() == 0.0 && value.abs() < 9.0e15 {
        builder.long(value as i64);
    } else {
        builder.real(value);
    }
}
