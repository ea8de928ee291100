//! The README's tour, run as it is printed: every command, every line of output.
//!
//! A block fenced as `console` holds commands (`$ …`, continued by lines until the quote closes) and their
//! output; `…` stands for whatever differs from machine to machine. The data file of the tour comes from the
//! shared data where that exists; the commands that need it are left out otherwise.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use support::Server;

const SERIES: &str = "machine_temperature_system_failure.csv";
const PACKAGE_LOG: &str = "/var/log/dpkg.log";

struct Step {
    line: usize,
    command: String,
    output: String,
}

fn steps(readme: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut in_block = false;
    let mut in_command = false;
    for (index, line) in readme.lines().enumerate() {
        if line.starts_with("```") {
            in_block = line == "```console";
            in_command = false;
            continue;
        }
        if !in_block {
            continue;
        }
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { line: index + 1, command: command.to_string(), output: String::new() });
            in_command = true;
        } else if let Some(step) = steps.last_mut() {
            let target = if in_command { &mut step.command } else { &mut step.output };
            if in_command {
                target.push('\n');
            }
            target.push_str(line);
            if !in_command {
                target.push('\n');
            }
        }
        if let Some(step) = steps.last() {
            // A command goes on while a quote is open or its line ends with a backslash.
            in_command =
                in_command && (step.command.matches('\'').count() % 2 == 1 || step.command.ends_with('\\'));
        }
    }
    steps
}

/// Whether a text is the expected one, where `…` matches anything within a line, and a line of it alone any
/// number of lines.
fn matches(expected: &str, got: &str) -> bool {
    let lines = expected.trim_end().lines().map(|line| match line {
        "…" => String::from("(?s:.*)"),
        line => line.split('…').map(regex::escape).collect::<Vec<_>>().join("[^\n]*"),
    });
    let pattern = format!("^{}$", lines.collect::<Vec<_>>().join("\n"));
    regex::Regex::new(&pattern).expect("an escaped text is a pattern").is_match(got.trim_end())
}

fn series() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared = std::env::var_os("CONSHELF_DATA_FILES").map_or(root.join("../shared/data"), PathBuf::from);
    let file = shared.join("nab/realKnownCause").join(SERIES);
    file.is_file().then_some(file)
}

#[test]
fn the_tour_of_the_readme_works_as_printed() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md"))
        .expect("the README is there");
    let steps = steps(&readme);
    assert!(steps.len() >= 12, "the tour has its commands");
    let directory = tempfile::tempdir().expect("a directory");
    let series = series();
    if let Some(series) = &series {
        std::fs::copy(series, directory.path().join(SERIES)).expect("the series can be copied");
    }
    let server = Server::start(&directory.path().join("data"), &[]);
    let binary = Path::new(env!("CARGO_BIN_EXE_conshelf")).parent().expect("a folder").to_path_buf();
    let mut run = 0;
    let mut failures = Vec::new();
    for step in steps {
        let needs = |what: &str| step.command.contains(what);
        if (series.is_none() && (needs(SERIES) || needs("MachineTemperature")))
            || (!Path::new(PACKAGE_LOG).is_file() && (needs(PACKAGE_LOG) || needs("Packages")))
        {
            continue;
        }
        let command =
            step.command.replace("http://127.0.0.1:8080", &server.url).replace("localhost:8080", &server.url);
        let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap_or_default());
        let output = Command::new("bash")
            .args(["-c", &command])
            .current_dir(directory.path())
            .env("PATH", path)
            .env("CONSHELF_URL", &server.url)
            .output()
            .expect("bash runs");
        let got =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        if !matches(&step.output, &got) {
            failures.push(format!(
                "README.md line {}:\n$ {}\n--- printed there:\n{}\n--- came:\n{got}",
                step.line, step.command, step.output
            ));
        }
        run += 1;
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(run >= 6, "most of the tour was run");
}
