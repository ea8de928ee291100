//! A real server process for tests: started on a free port, killed or stopped at will.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use conshelf::cli::client::{self, Answer, Client};

/// A running `conshelf serve`. Killed when dropped.
pub struct Server {
    process: Child,
    pub url: String,
    pub client: Client,
}

impl Server {
    /// Starts a server over a directory; panics when it does not come up.
    pub fn start(directory: &Path, flags: &[&str]) -> Server {
        let mut process = Command::new(env!("CARGO_BIN_EXE_conshelf"))
            .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(directory)
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server binary starts");
        let out = process.stdout.take().expect("its output is piped");
        let mut url = None;
        for line in BufReader::new(out).lines() {
            let line = line.expect("the server's output is text");
            if let Some(found) = line.strip_prefix("listening on ") {
                url = Some(found.trim().to_string());
                break;
            }
        }
        let Some(url) = url else {
            let output = process.wait_with_output().expect("the server ended");
            panic!("the server did not start: {}", String::from_utf8_lossy(&output.stderr));
        };
        // Nobody reads it further: a full pipe must not stop the server.
        let errors = process.stderr.take().expect("its errors are piped");
        std::thread::spawn(move || BufReader::new(errors).lines().for_each(drop));
        let client = Client::new(&url, None);
        Server { process, url, client }
    }

    /// Ends the process at once, as a power failure would for all it knows.
    pub fn kill(mut self) {
        self.process.kill().expect("the server is running");
        self.process.wait().expect("the server ended");
    }

    /// Asks the process to end and waits; yields whether it ended well.
    pub fn stop(mut self) -> bool {
        let pid = self.process.id().to_string();
        Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs");
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(30) {
            if let Some(status) = self.process.try_wait().expect("the server can be waited for") {
                return status.success();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Runs a query or command; the answer in a format of `/query`.
    pub fn query(&self, text: &str, format: &str) -> Answer {
        let response = self.client.post("/query", &[("format", format)], &[], text.as_bytes());
        client::read(response.expect("the server answers")).expect("a whole answer")
    }

    /// Rows of a query as JSON objects.
    pub fn rows(&self, text: &str) -> Vec<serde_json::Value> {
        let answer = self.query(text, "json");
        assert!(answer.is_success(), "{text}: {} {}", answer.status, answer.body);
        serde_json::from_str(&answer.body).expect("an array of objects")
    }

    /// Sends rows to the friendly door.
    pub fn ingest(&self, table: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Answer, String> {
        let path = format!("/ingest/NetDefaultDB/{table}");
        client::read(self.client.post(&path, &[("format", "json")], headers, body)?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
