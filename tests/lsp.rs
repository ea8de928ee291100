//! `conshelf lsp` as editors run it: the real process, spoken to over its standard input and output.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use conshelf::server::{RunningServer, Settings};
use conshelf::storage::{Store, StoreOptions};
use serde_json::{Value, json};

/// An editor with its language server.
struct Editor {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    requests: i64,
    /// Of the last `publishDiagnostics`.
    diagnostics: Value,
}

const URI: &str = "file:///query.kql";

impl Editor {
    fn start(flags: &[&str]) -> Editor {
        let mut process = Command::new(env!("CARGO_BIN_EXE_conshelf"))
            .arg("lsp")
            .args(flags)
            .env_remove("CONSHELF_URL")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let input = process.stdin.take().expect("piped");
        let output = BufReader::new(process.stdout.take().expect("piped"));
        let mut editor = Editor { process, input, output, requests: 0, diagnostics: Value::Null };
        let answer =
            editor.request("initialize", json!({"capabilities": {}, "processId": null, "rootUri": null}));
        assert_eq!(answer["serverInfo"]["name"], "conshelf");
        assert_eq!(answer["capabilities"]["hoverProvider"], true);
        editor.notify("initialized", json!({}));
        editor
    }

    fn send(&mut self, message: &Value) {
        let text = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{text}", text.len()).expect("the server listens");
        self.input.flush().expect("the server listens");
    }

    fn receive(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            assert!(self.output.read_line(&mut line).expect("a line") > 0, "the server ended");
            match line.trim().split_once(": ") {
                Some(("Content-Length", number)) => length = number.parse().expect("a number"),
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        self.output.read_exact(&mut body).expect("a whole message");
        serde_json::from_slice(&body).expect("JSON")
    }

    fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    fn request(&mut self, method: &str, params: Value) -> Value {
        self.requests += 1;
        let id = self.requests;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        loop {
            let message = self.receive();
            if message["method"] == "textDocument/publishDiagnostics" {
                self.diagnostics = message["params"]["diagnostics"].clone();
            } else if message["id"] == id {
                assert_eq!(message["error"], Value::Null, "{method}");
                return message["result"].clone();
            }
        }
    }

    fn open(&mut self, text: &str) {
        let document = json!({"uri": URI, "languageId": "kusto", "version": 1, "text": text});
        self.notify("textDocument/didOpen", json!({"textDocument": document}));
    }

    fn at(&mut self, method: &str, line: u32, character: u32) -> Value {
        let place = json!({"line": line, "character": character});
        self.request(
            &format!("textDocument/{method}"),
            json!({"textDocument": {"uri": URI}, "position": place}),
        )
    }

    fn document(&mut self, method: &str, options: Value) -> Value {
        let mut params = json!({"textDocument": {"uri": URI}});
        for (name, value) in options.as_object().expect("options") {
            params[name] = value.clone();
        }
        self.request(&format!("textDocument/{method}"), params)
    }

    fn finish(mut self) {
        assert_eq!(self.request("shutdown", Value::Null), Value::Null);
        self.notify("exit", Value::Null);
        assert!(self.process.wait().expect("it ends").success());
    }
}

#[test]
fn an_editor_is_served() {
    let directory = tempfile::tempdir().expect("a directory");
    let options = StoreOptions { background: false, ..StoreOptions::default() };
    let store = Store::open(directory.path(), options).expect("a store");
    let settings = Settings { telemetry: false, ..Settings::default() };
    let server = RunningServer::start(store, settings, "127.0.0.1:0").expect("a server");
    let client = conshelf::cli::client::Client::new(&server.url(), None);
    for command in [
        ".create table Logs (Level: string, ['a b']: long)",
        ".create function errors(least: long) { Logs | where ['a b'] >= least }",
    ] {
        let answer = client.post("/query", &[], &[], command.as_bytes()).expect("an answer");
        assert_eq!(answer.status().as_u16(), 200, "{command}");
    }

    let mut editor = Editor::start(&["--url", &server.url(), "--stdio"]);
    editor.open("let n = 1;\nLogs | where Level == '😀' and Lev");
    let items = editor.at("completion", 1, 34);
    let find = |items: &Value, label: &str| {
        let items = items.as_array().expect("items");
        items.iter().find(|item| item["label"] == label).unwrap_or_else(|| panic!("{label}")).clone()
    };
    let level = find(&items, "Level");
    assert_eq!(level["detail"], "string");
    let range = json!({"start": {"line": 1, "character": 31}, "end": {"line": 1, "character": 34}});
    assert_eq!(level["textEdit"]["range"], range);
    assert_eq!(find(&items, "a b")["textEdit"]["newText"], "['a b']");
    assert_eq!(find(&items, "strlen")["textEdit"]["newText"], "strlen($0)");
    find(&items, "n");
    // The name is unknown so far.
    assert_eq!(editor.diagnostics[0]["code"], "KS142");

    let insert = json!({"range": range, "text": "strlen(Level) > n"});
    editor.notify(
        "textDocument/didChange",
        json!({"textDocument": {"uri": URI, "version": 2}, "contentChanges": [insert]}),
    );
    let hover = editor.at("hover", 1, 33);
    assert!(hover["contents"]["value"].as_str().expect("text").contains("strlen("), "{hover}");
    assert_eq!(editor.diagnostics, json!([]));
    assert!(editor.at("hover", 1, 1)["contents"]["value"].as_str().expect("text").contains("['a b']: long"));
    let help = editor.at("signatureHelp", 1, 39);
    assert_eq!(help["activeParameter"], 0);
    let defined = editor.at("definition", 1, 48);
    assert_eq!(defined["range"]["start"], json!({"line": 0, "character": 4}));
    let places = editor.document(
        "references",
        json!({"position": {"line": 0, "character": 4}, "context": {"includeDeclaration": true}}),
    );
    assert_eq!(places.as_array().map(Vec::len), Some(2));
    let renamed =
        editor.document("rename", json!({"position": {"line": 0, "character": 4}, "newName": "least"}));
    assert_eq!(renamed["changes"][URI].as_array().map(Vec::len), Some(2));
    let symbols = editor.document("documentSymbol", json!({}));
    assert_eq!(symbols[0]["name"], "n");
    let tokens = editor.document("semanticTokens/full", json!({}));
    assert_eq!(tokens["data"].as_array().map(|data| data.len() % 5), Some(0));
    let edits = editor.document("formatting", json!({"options": {"tabSize": 4, "insertSpaces": true}}));
    assert_eq!(edits[0]["newText"], "let n = 1;\nLogs\n| where Level == '😀' and strlen(Level) > n\n");

    editor.open("errors(1) | wher Level == 'x'");
    let actions = editor.document(
        "codeAction",
        json!({
            "range": {"start": {"line": 0, "character": 13}, "end": {"line": 0, "character": 13}},
            "context": {"diagnostics": []},
        }),
    );
    assert_eq!(actions[0]["edit"]["changes"][URI][0]["newText"], "where", "{actions}");
    // Whatever is asked of whichever place.
    for place in [0, 5, 8, 29, 1000] {
        editor.at("completion", 0, place);
        editor.at("hover", 7, place);
    }
    editor.finish();
}

#[test]
fn without_a_server_the_language_is_there() {
    let mut editor = Editor::start(&["--url", "http://127.0.0.1:1"]);
    editor.open("print x = 1 | ");
    let items = editor.at("completion", 0, 14);
    assert!(items.as_array().expect("items").iter().any(|item| item["label"] == "where"));
    editor.finish();
}
