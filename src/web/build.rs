//! Builds the web page with Node and npm where they are there, and writes down what the server embeds:
//! `OUT_DIR/web_assets.rs`, a list of files. Without Node, or when npm fails, the list is empty, a warning says so, and
//! the server shows the plain page. `CONSHELF_WEB=plain` asks for that, `CONSHELF_WEB=required` fails in its stead.
//!
//! The sources are copied into `OUT_DIR` first: a build writes nothing into the source tree. Needs no crate.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const SOURCES: [&str; 9] = [
    ".npmrc",
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "vite.config.ts",
    "index.html",
    "embed.html",
    "src",
    "public",
];
const LEAST_NODE: u32 = 20;

fn main() -> Result<()> {
    let source = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("src/web");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    for name in SOURCES.iter().chain(&["build.rs"]) {
        println!("cargo::rerun-if-changed={}", source.join(name).display());
    }
    println!("cargo::rerun-if-env-changed=CONSHELF_WEB");
    let wish = env::var("CONSHELF_WEB").unwrap_or_default();
    let list = if wish == "plain" {
        Vec::new()
    } else {
        match build(&source, &out) {
            Ok(list) => list,
            Err(error) if wish == "required" => return Err(error),
            Err(error) => {
                println!(
                    "cargo::warning=the web page is not built, the server will show the plain one: {error}"
                );
                Vec::new()
            }
        }
    };
    fs::write(out.join("web_assets.rs"), list_as_rust(&list)?)?;
    Ok(())
}

/// Runs npm in a copy of the sources; gives the files made, relative names with their paths.
fn build(source: &Path, out: &Path) -> Result<Vec<(String, PathBuf)>> {
    check_node()?;
    let work = out.join("web-source");
    fs::create_dir_all(&work)?;
    for name in SOURCES {
        let target = work.join(name);
        if target.is_dir() {
            fs::remove_dir_all(&target)?;
        }
        copy(&source.join(name), &target)?;
    }
    install(&work)?;
    run(npm().args(["run", "--silent", "build"]).current_dir(&work))?;
    let made = work.join("dist");
    let mut list = Vec::new();
    collect(&made, "", &mut list)?;
    list.sort();
    if !list.iter().any(|(name, _)| name == "index.html.gz") {
        return Err("the build made no index.html".into());
    }
    Ok(list)
}

fn check_node() -> Result<()> {
    let answer = Command::new("node").arg("--version").output().map_err(|error| format!("node: {error}"))?;
    let text = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
    let major =
        text.trim_start_matches('v').split('.').next().and_then(|number| number.parse().ok()).unwrap_or(0);
    if major < LEAST_NODE {
        return Err(format!("Node {LEAST_NODE} or newer is needed, found {text:?}").into());
    }
    Ok(())
}

/// `npm ci`, unless what is installed is of the same lock file.
fn install(work: &Path) -> Result<()> {
    let lock = fs::read(work.join("package-lock.json"))?;
    let stamp = work.join("installed-lock");
    if fs::read(&stamp).is_ok_and(|known| known == lock) && work.join("node_modules").is_dir() {
        return Ok(());
    }
    run(npm().args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(work))?;
    fs::write(stamp, lock)?;
    Ok(())
}

fn npm() -> Command {
    Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" })
}

fn run(command: &mut Command) -> Result<()> {
    let done = command.output().map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if done.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&done.stderr).into_owned() + &String::from_utf8_lossy(&done.stdout);
    let lines: Vec<&str> = said.lines().filter(|line| !line.contains("npm warn")).take(12).collect();
    Err(format!("{command:?} failed: {}", lines.join(" | ")).into())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
    } else {
        fs::copy(from, to)?;
    }
    Ok(())
}

/// All compressed files below a folder, with their names relative to it.
fn collect(folder: &Path, prefix: &str, list: &mut Vec<(String, PathBuf)>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{name}/"), list)?;
        } else if name.ends_with(".gz") {
            list.push((name, entry.path()));
        }
    }
    Ok(())
}

fn list_as_rust(list: &[(String, PathBuf)]) -> Result<String> {
    let mut text = String::from("&[\n");
    for (name, path) in list {
        let name = name.trim_end_matches(".gz");
        let path = path.to_str().ok_or("the path of the build is not UTF-8")?;
        writeln!(text, "    ({name:?}, include_bytes!({path:?}).as_slice()),")?;
    }
    text.push_str("]\n");
    Ok(text)
}
