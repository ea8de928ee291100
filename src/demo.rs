//! A made-up fleet whose metrics and logs keep flowing, so that a newcomer has live data to look at.
//!
//! Deterministic for a seed and a time: services with their hosts, a daily rhythm, latencies with a long
//! tail, and now and then an incident in which one service slows down and fails. Writes NDJSON and knows
//! nothing of where it goes.

use std::fmt::Write;

use conshelf_storage::ticks::{TICKS_PER_DAY, TICKS_PER_SECOND, format_datetime};

/// Database and tables of the demo.
pub const DATABASE: &str = "Demo";
pub const METRICS_TABLE: &str = "Metrics";
pub const LOGS_TABLE: &str = "Logs";

/// Seconds between two metric rows of a host.
pub const METRICS_INTERVAL_SECONDS: i64 = 10;
/// Log events of the fleet in a second, at noon.
const LOGS_PER_SECOND: f64 = 40.0;
/// An incident begins this often and lasts that long.
const INCIDENT_EVERY_SECONDS: i64 = 20 * 60;
const INCIDENT_SECONDS: i64 = 3 * 60;

const SERVICES: [&str; 6] = ["gateway", "checkout", "catalog", "payments", "search", "accounts"];
const REGIONS: [&str; 3] = ["eu-west", "us-east", "ap-south"];
const HOSTS_PER_SERVICE: usize = 4;
const AGENTS: [&str; 4] =
    ["curl/8.5.0", "Mozilla/5.0 (X11; Linux x86_64)", "okhttp/4.12", "python-requests/2.32"];

/// A small, fast, seedable generator of random numbers (splitmix64).
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in 0..1.
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform in 0..bound.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.unit() * bound as f64) as usize
    }

    /// Roughly normal, mean 0, deviation 1.
    pub fn normal(&mut self) -> f64 {
        (0..6).map(|_| self.unit()).sum::<f64>() * 1.414 - 4.242
    }
}

/// The fleet. Times are ticks.
#[derive(Clone, Debug)]
pub struct Fleet {
    seed: u64,
}

impl Fleet {
    pub fn new(seed: u64) -> Fleet {
        Fleet { seed }
    }

    fn random(&self, second: i64, stream: u64) -> Random {
        let mut random =
            Random::new(self.seed ^ (second as u64).wrapping_mul(0x2545_f491_4f6c_dd1d) ^ stream);
        random.next_u64();
        random
    }

    /// 0.4 at night to 1 at noon.
    fn rhythm(ticks: i64) -> f64 {
        let day = (ticks.rem_euclid(TICKS_PER_DAY)) as f64 / TICKS_PER_DAY as f64;
        0.7 - 0.3 * (day * std::f64::consts::TAU).cos()
    }

    /// The service that is in trouble at that second, if any.
    fn incident(&self, second: i64) -> Option<usize> {
        let number = second.div_euclid(INCIDENT_EVERY_SECONDS);
        let within = second.rem_euclid(INCIDENT_EVERY_SECONDS);
        let start = INCIDENT_EVERY_SECONDS - 2 * INCIDENT_SECONDS;
        (start..start + INCIDENT_SECONDS)
            .contains(&within)
            .then(|| self.random(number, 7).below(SERVICES.len()))
    }

    /// Appends the metric rows of every host for the interval that begins at a second.
    pub fn metrics(&self, second: i64, out: &mut String) {
        let ticks = second * TICKS_PER_SECOND;
        let rhythm = Fleet::rhythm(ticks);
        let troubled = self.incident(second);
        let mut random = self.random(second, 1);
        for (index, service) in SERVICES.iter().enumerate() {
            for host in 0..HOSTS_PER_SERVICE {
                let load = if troubled == Some(index) { 1.9 } else { 1.0 };
                let wave = ((second / 60 + (index * 7 + host * 3) as i64) as f64 / 9.0).sin() * 6.0;
                let cpu = (35.0 * rhythm * load + wave + random.normal() * 3.0).clamp(0.5, 100.0);
                let memory = 40.0 + index as f64 * 5.0 + ((second / 30) % 400) as f64 * 0.05 + random.unit();
                let network_in = (2e6 * rhythm * load * (0.8 + 0.4 * random.unit())) as i64;
                out.push_str("{\"Timestamp\":\"");
                format_datetime(ticks, out);
                // Writing to a String cannot fail.
                let _ = writeln!(
                    out,
                    "\",\"Host\":\"{service}-{host}\",\"Service\":\"{service}\",\"Region\":\"{}\",\"Cpu\":{cpu:.2},\
                     \"Memory\":{memory:.2},\"DiskBusy\":{:.2},\"NetworkIn\":{network_in},\"NetworkOut\":{}}}",
                    REGIONS[host % REGIONS.len()],
                    (5.0 * rhythm + random.normal().abs() * 2.0).clamp(0.0, 100.0),
                    network_in / 3 + random.below(100_000) as i64,
                );
            }
        }
    }

    /// Appends the log events of one second.
    pub fn logs(&self, second: i64, out: &mut String) {
        let mut random = self.random(second, 2);
        let start = second * TICKS_PER_SECOND;
        let count = (LOGS_PER_SECOND * Fleet::rhythm(start) * (0.8 + 0.4 * random.unit())) as usize;
        let troubled = self.incident(second);
        for event in 0..count {
            let ticks = start + TICKS_PER_SECOND * event as i64 / count as i64 + random.below(1000) as i64;
            // The first services get most of the requests.
            let service = (random.unit() * random.unit() * SERVICES.len() as f64) as usize;
            let failing = troubled == Some(service);
            self.log(ticks, service, failing, &mut random, out);
        }
    }

    fn log(&self, ticks: i64, service: usize, failing: bool, random: &mut Random, out: &mut String) {
        let name = SERVICES[service];
        let host = random.below(HOSTS_PER_SERVICE);
        let user = 1000 + random.below(5000);
        let order = random.next_u64() % 1_000_000;
        let mut duration = (2.5 + random.normal() * 0.8).exp();
        if failing {
            duration *= 12.0;
        }
        let chance = random.unit();
        let (level, status) = match (failing, chance) {
            (true, chance) if chance < 0.35 => ("Error", if chance < 0.2 { 503 } else { 504 }),
            (false, chance) if chance < 0.008 => ("Error", 500),
            (_, chance) if chance < 0.05 => ("Warning", if chance < 0.03 { 404 } else { 429 }),
            (_, chance) if chance > 0.9 => ("Debug", 200),
            _ => ("Info", if chance > 0.8 { 201 } else { 200 }),
        };
        let method = ["GET", "GET", "GET", "POST", "PUT"][random.below(5)];
        let path = match random.below(4) {
            0 => format!("/api/{name}/items/{}", random.below(2000)),
            1 => format!("/api/{name}/users/{user}"),
            2 => format!("/api/{name}/search"),
            _ => format!("/api/{name}/orders/{order}"),
        };
        let message = match level {
            "Error" if failing => format!(
                "upstream {} timed out after {duration:.0} ms while handling order {order}, giving up",
                SERVICES[(service + 1) % SERVICES.len()]
            ),
            "Error" => format!("unhandled exception in {name}: connection reset by peer (user={user})"),
            "Warning" if status == 404 => format!("no such item for user {user} at {path}"),
            "Warning" => format!("rate limit reached for user {user}: retry in {} s", 1 + random.below(30)),
            "Debug" => format!("cache hit for key {name}:{user} in {:.3} ms", duration / 100.0),
            _ => format!("{method} {path} completed in {duration:.1} ms for user {user}"),
        };
        out.push_str("{\"Timestamp\":\"");
        format_datetime(ticks, out);
        let _ = writeln!(
            out,
            "\",\"Level\":\"{level}\",\"Service\":\"{name}\",\"Host\":\"{name}-{host}\",\"TraceId\":\"{:016x}{:016x}\",\
             \"Method\":\"{method}\",\"Path\":\"{path}\",\"Status\":{status},\"DurationMs\":{duration:.3},\
             \"BytesSent\":{},\"ClientIp\":\"10.{}.{}.{}\",\"UserAgent\":\"{}\",\"Message\":\"{message}\",\
             \"Properties\":{{\"region\":\"{}\",\"user\":{user},\"retry\":{},\"cart\":{{\"items\":{},\"total\":{:.2}}}}}}}",
            random.next_u64(),
            random.next_u64(),
            (random.normal().abs() * 4000.0) as i64 + 120,
            random.below(4),
            random.below(256),
            random.below(256),
            AGENTS[random.below(AGENTS.len())],
            REGIONS[host % REGIONS.len()],
            failing,
            1 + random.below(9),
            random.unit() * 300.0,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_json_and_the_same_for_the_same_seed() {
        let fleet = Fleet::new(1);
        let (mut first, mut second) = (String::new(), String::new());
        let at = 63_800_000_000;
        for offset in 0..20 {
            fleet.logs(at + offset, &mut first);
            Fleet::new(1).logs(at + offset, &mut second);
        }
        fleet.metrics(at, &mut first);
        fleet.metrics(at, &mut second);
        assert_eq!(first, second);
        assert!(first.lines().count() > 200);
        for line in first.lines() {
            let row: serde_json::Value = serde_json::from_str(line).expect("JSON");
            assert!(row["Timestamp"].is_string());
        }
    }

    #[test]
    fn incidents_show_in_the_logs() {
        let fleet = Fleet::new(1);
        let errors = |from: i64| {
            let mut text = String::new();
            (from..from + 60).for_each(|second| fleet.logs(second, &mut text));
            text.matches("\"Error\"").count() * 1000 / text.lines().count()
        };
        let start = 53_000_000 * INCIDENT_EVERY_SECONDS;
        let quiet = errors(start);
        let loud = errors(start + INCIDENT_EVERY_SECONDS - 2 * INCIDENT_SECONDS);
        assert!(loud > quiet * 2, "{quiet} {loud}");
    }
}
