//! Deterministic rows in the shapes people store: metrics of hosts, application logs, clicks.
//!
//! Tables and columns are those of `compare/shapes.py`; the same name, number of rows and seed give the same bytes.

use std::fmt::Write as _;

use conshelf::demo::Random;
use conshelf_storage::ticks::{TICKS_PER_DAY, TICKS_PER_SECOND, days_from_civil, format_datetime};

/// Where every workload's day begins.
pub fn start_ticks() -> i64 {
    days_from_civil(2024, 5, 1) * TICKS_PER_DAY
}

/// Appends rows one after another.
pub trait Workload {
    fn row(&mut self, out: &mut String);
}

/// The workload of a name.
pub fn workload(name: &str, rows: u64, seed: u64) -> Option<Box<dyn Workload>> {
    match name {
        "cpu" | "metrics" => Some(Box::new(Metrics::new(rows, seed))),
        "logs" => Some(Box::new(Logs::new(rows, seed))),
        "hits" | "clicks" => Some(Box::new(Clicks::new(rows, seed))),
        _ => None,
    }
}

/// An index of `count`, the lower the likelier (about 1/i).
fn zipf(random: &mut Random, count: usize) -> usize {
    let exponent = random.unit() * (count as f64).ln();
    (exponent.exp() as usize).min(count) - 1
}

/// Metrics of about 1,000 hosts every 10 s.
pub struct Metrics {
    hosts: u64,
    at: u64,
    random: Random,
    walks: Vec<[f64; 10]>,
    tags: Vec<String>,
}

const USAGES: [&str; 10] =
    ["user", "system", "idle", "nice", "iowait", "irq", "softirq", "steal", "guest", "guest_nice"];

impl Metrics {
    fn new(rows: u64, seed: u64) -> Metrics {
        // A day has 8,640 intervals.
        let hosts = rows.div_ceil(8640).clamp(10, 4000);
        let mut random = Random::new(seed);
        let walks = (0..hosts).map(|_| std::array::from_fn(|_| random.unit() * 100.0)).collect();
        let tags = (0..hosts)
            .map(|host| {
                let region = random.below(9);
                format!(
                    "\"hostname\":\"host_{host}\",\"region\":\"region-{region}\",\"datacenter\":\"region-{region}{}\",\
                     \"rack\":\"{}\",\"os\":\"{}\",\"arch\":\"{}\",\"team\":\"{}\",\"service\":\"{}\",\
                     \"service_version\":\"{}\",\"service_environment\":\"{}\"",
                    ["a", "b", "c"][random.below(3)],
                    random.below(100),
                    ["Ubuntu16.10", "Ubuntu16.04LTS", "Ubuntu15.10"][random.below(3)],
                    ["x86", "x64"][random.below(2)],
                    ["SF", "NYC", "LON", "CHI"][random.below(4)],
                    random.below(20),
                    random.below(2),
                    ["production", "staging", "test"][random.below(3)],
                )
            })
            .collect();
        Metrics { hosts, at: 0, random, walks, tags }
    }
}

impl Workload for Metrics {
    fn row(&mut self, out: &mut String) {
        let (interval, host) = (self.at / self.hosts, (self.at % self.hosts) as usize);
        self.at += 1;
        out.push_str("{\"Timestamp\":\"");
        format_datetime(start_ticks() + interval as i64 * 10 * TICKS_PER_SECOND, out);
        let _ = write!(out, "\",{}", self.tags[host]);
        for (name, value) in USAGES.iter().zip(&mut self.walks[host]) {
            *value = (*value + self.random.normal()).clamp(0.0, 100.0);
            let _ = write!(out, ",\"usage_{name}\":{value:.2}");
        }
        out.push_str("}\n");
    }
}

/// Application and HTTP logs of one day.
pub struct Logs {
    step: f64,
    at_ticks: f64,
    random: Random,
    agents: Vec<String>,
}

impl Logs {
    fn new(rows: u64, seed: u64) -> Logs {
        let mut random = Random::new(seed);
        let agents = (0..200)
            .map(|agent| {
                format!(
                    "Mozilla/5.0 (X11; Linux x86_64; rv:{}.0) Engine/{agent} Browser/{}.{}",
                    60 + random.below(60),
                    random.below(130),
                    random.below(10)
                )
            })
            .collect();
        Logs { step: TICKS_PER_DAY as f64 / rows.max(1) as f64, at_ticks: 0.0, random, agents }
    }
}

impl Workload for Logs {
    fn row(&mut self, out: &mut String) {
        let random = &mut self.random;
        // Four times as many events at the busiest hour as at the quietest.
        let part = self.at_ticks / TICKS_PER_DAY as f64;
        let rate = 1.0 + 0.6 * (std::f64::consts::TAU * (part - 0.4)).sin();
        let step = self.step / rate;
        let mut ticks = start_ticks() + (self.at_ticks + random.unit() * step) as i64;
        self.at_ticks = (self.at_ticks + step).min((TICKS_PER_DAY - TICKS_PER_SECOND) as f64);
        if random.unit() < 0.03 {
            ticks -= random.below(2 * TICKS_PER_SECOND as usize) as i64;
        }
        let service = zipf(random, 50);
        let host = service * 40 + random.below(40);
        let level = match random.unit() {
            p if p < 0.80 => "Info",
            p if p < 0.90 => "Debug",
            p if p < 0.96 => "Warning",
            p if p < 0.995 => "Error",
            _ => "Critical",
        };
        let status = match level {
            "Error" | "Critical" => [500, 502, 503, 504][random.below(4)],
            "Warning" => [400, 401, 403, 404, 409, 429][random.below(6)],
            _ => [200, 200, 200, 201, 204, 304][random.below(6)],
        };
        let path = zipf(random, 10_000);
        let duration = (3.0 + random.normal()).exp();
        let bytes = (7.0 + random.normal() * 1.5).exp() as i64;
        let (user, order) = (random.below(100_000), random.below(10_000_000));
        let (trace, trace_low) = (random.next_u64(), random.next_u64());
        let client = zipf(random, 200_000);
        let agent = zipf(random, self.agents.len());
        out.push_str("{\"Timestamp\":\"");
        format_datetime(ticks, out);
        let _ = write!(
            out,
            "\",\"Level\":\"{level}\",\"Service\":\"service-{service:02}\",\"Host\":\"host-{host:04}\",\
             \"TraceId\":\"{trace:016x}{trace_low:016x}\",\"Method\":\"{}\",\"Path\":\"/api/v1/resource/{path}/items\",\
             \"Status\":{status},\"DurationMs\":{duration:.3},\"BytesSent\":{bytes},\"ClientIp\":\"10.{}.{}.{}\",\
             \"UserAgent\":\"{}\",\"Message\":\"",
            ["GET", "GET", "POST", "PUT", "DELETE"][random.below(5)],
            client >> 16,
            (client >> 8) & 255,
            client & 255,
            self.agents[agent],
        );
        // Once in fifty thousand events: what a search for a rare term is after.
        let template = if random.below(50_000) == 0 { usize::MAX } else { random.below(12) };
        let _ = match template {
            usize::MAX => write!(
                out,
                "Volume data-{} reported an uncorrectable parity error at block {order}, switching to its replica",
                random.below(64)
            ),
            0 => write!(
                out,
                "Request completed: GET /api/v1/resource/{path}/items returned {status} in {duration:.1} ms for user {user}"
            ),
            1 => write!(
                out,
                "Cache miss for key user:{user}:profile, loading from database shard {}",
                random.below(32)
            ),
            2 => write!(
                out,
                "Connection to upstream service-{:02} established after {} attempts, pool size is now {}",
                random.below(50),
                1 + random.below(5),
                random.below(200)
            ),
            3 => write!(
                out,
                "Order {order} was created by user {user} with {} items, total {:.2} EUR",
                1 + random.below(20),
                random.unit() * 500.0
            ),
            4 => write!(
                out,
                "Slow query detected: SELECT id, state, total, created FROM orders WHERE user_id = {user} ORDER BY created DESC took {duration:.0} ms, rows examined {}",
                random.below(1_000_000)
            ),
            5 => write!(
                out,
                "Token for session {trace:016x} of user {user} refreshed, expires in {} seconds",
                60 * random.below(120)
            ),
            6 => write!(
                out,
                "Payment for order {order} authorized by provider \\\"acme-pay\\\" with reference {trace_low:x}"
            ),
            7 => write!(
                out,
                "Retrying message {order} from queue events-{} after timeout, attempt {}",
                random.below(16),
                1 + random.below(8)
            ),
            8 => {
                let _ = write!(
                    out,
                    "Exception in handler /api/v1/resource/{path}: connection reset by peer while reading response header from upstream"
                );
                for _ in 0..random.below(5) {
                    let (class, line) = (random.below(60), 1 + random.below(900));
                    let _ = write!(out, " at org.example.shop.Stage{class}.run(Stage{class}.java:{line})");
                }
                Ok(())
            }
            9 => write!(
                out,
                "Health check passed for host-{host:04}: cpu {:.1}%, memory {:.1}%, disk {:.1}%",
                random.unit() * 100.0,
                random.unit() * 100.0,
                random.unit() * 100.0
            ),
            10 => write!(
                out,
                "User {user} logged in from 10.{}.{}.{} using method password, challenge {trace_low:08x} accepted",
                client >> 16,
                (client >> 8) & 255,
                client & 255
            ),
            _ => write!(
                out,
                "Background job cleanup-{} finished: {} records processed, {} failed",
                random.below(10),
                random.below(100_000),
                random.below(10)
            ),
        };
        let _ = write!(
            out,
            "\",\"Properties\":{{\"region\":\"region-{}\",\"user\":{user},\"retry\":{}",
            random.below(9),
            random.below(2) == 0
        );
        if random.below(2) == 0 {
            let _ = write!(
                out,
                ",\"cart\":{{\"items\":{},\"total\":{:.2},\"currency\":\"{}\"}}",
                1 + random.below(9),
                random.unit() * 300.0,
                ["EUR", "USD", "GBP"][random.below(3)]
            );
        }
        if random.below(3) == 0 {
            let _ =
                write!(out, ",\"experiment\":\"variant-{}\",\"score\":{:.4}", random.below(5), random.unit());
        }
        if random.below(2) == 0 {
            let (cache, database) = (random.below(40), random.below(400));
            let _ = write!(out, ",\"spent\":{{\"cacheMs\":{cache},\"databaseMs\":{database}}}");
        }
        if random.below(2) == 0 {
            let _ = write!(out, ",\"build\":\"2024.{}.{}\"", 1 + random.below(5), random.below(40));
        }
        out.push_str("}}\n");
    }
}

/// A wide clickstream of one month.
pub struct Clicks {
    rows: u64,
    at: u64,
    random: Random,
}

impl Clicks {
    fn new(rows: u64, seed: u64) -> Clicks {
        Clicks { rows, at: 0, random: Random::new(seed) }
    }
}

impl Workload for Clicks {
    fn row(&mut self, out: &mut String) {
        let random = &mut self.random;
        let ticks = start_ticks() + (self.at as i64 * 30 * 86_400 / self.rows as i64) * TICKS_PER_SECOND;
        self.at += 1;
        let (user, page, referer) = (zipf(random, 1_000_000), zipf(random, 400_000), zipf(random, 300_000));
        let phrase = if random.unit() < 0.87 {
            String::new()
        } else {
            format!("how to {} {}", zipf(random, 5000), zipf(random, 900))
        };
        let model = if random.unit() < 0.95 { "" } else { ["iPad", "Pixel", "Galaxy"][random.below(3)] };
        out.push_str("{\"WatchID\":");
        let _ = write!(out, "{},\"EventTime\":\"", (random.next_u64() >> 1) as i64);
        format_datetime(ticks, out);
        out.push_str("\",\"EventDate\":\"");
        format_datetime(ticks - ticks.rem_euclid(TICKS_PER_DAY), out);
        let _ = write!(
            out,
            "\",\"CounterID\":{},\"ClientIP\":{},\"RegionID\":{},\"UserID\":{},\"OS\":{},\"UserAgent\":{},\
             \"URL\":\"https://site-{}.example.com/section/{}/page-{page}.html?ref={}\",\"Referer\":\"https://r{}.example.org/{referer}\",\
             \"Title\":\"Page {page} of section {} - Example\",\"IsRefresh\":{},\"ResolutionWidth\":{},\"ResolutionHeight\":{},\
             \"MobilePhone\":{},\"MobilePhoneModel\":\"{model}\",\"TraficSourceID\":{},\"SearchEngineID\":{},\"SearchPhrase\":\"{phrase}\",\
             \"AdvEngineID\":{},\"WindowClientWidth\":{},\"WindowClientHeight\":{},\"IsLink\":{},\"IsDownload\":{},\"DontCountHits\":{},\
             \"URLHash\":{}}}",
            zipf(random, 5000),
            random.next_u64() >> 33,
            zipf(random, 5000),
            (user as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 1,
            random.below(90),
            random.below(80),
            page % 300,
            page % 40,
            random.below(1000),
            referer % 500,
            page % 40,
            u8::from(random.unit() < 0.1),
            [1024, 1280, 1366, 1440, 1600, 1920][random.below(6)],
            [768, 800, 900, 1050, 1080][random.below(5)],
            u8::from(!model.is_empty()),
            random.below(10),
            zipf(random, 90),
            if random.unit() < 0.97 { 0 } else { random.below(30) },
            800 + random.below(1200),
            500 + random.below(600),
            u8::from(random.unit() < 0.05),
            u8::from(random.unit() < 0.01),
            u8::from(random.unit() < 0.05),
            (page as u64).wrapping_mul(0x2545_f491_4f6c_dd1d) >> 1,
        );
        out.push('\n');
    }
}
