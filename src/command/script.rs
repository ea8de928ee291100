//! `.execute database script <| commands`: several commands, one after another.

use conshelf_kql::Type;
use uuid::Uuid;

use crate::command::reader::Reader;
use crate::command::result::RowsBuilder;
use crate::command::{CommandContext, CommandOutput, Result, command_type, execute};

/// A command of a script, with its offset in the script.
fn split(script: &str) -> Vec<&str> {
    let mut starts = Vec::new();
    let mut offset = 0;
    let mut fence = false;
    for line in script.split_inclusive('\n') {
        // A command begins with a dot at the start of a line, unless the line is inside a multi-line string.
        if !fence && line.starts_with('.') && line[1..].starts_with(|c: char| c.is_ascii_alphabetic()) {
            starts.push(offset);
        }
        if line.matches("```").count() % 2 == 1 {
            fence = !fence;
        }
        offset += line.len();
    }
    let ends = starts.iter().skip(1).copied().chain([script.len()]);
    starts.iter().zip(ends).map(|(start, end)| without_trailing_comments(&script[*start..end])).collect()
}

/// Comments that stand before the next command belong to it, not to this one.
fn without_trailing_comments(command: &str) -> &str {
    let mut kept = command.trim_end();
    while let Some(last) = kept.rfind('\n') {
        if !kept[last + 1..].trim_start().starts_with("//") {
            break;
        }
        kept = kept[..last].trim_end();
    }
    kept
}

pub fn execute_script(context: &CommandContext<'_>, reader: &mut Reader<'_>) -> Result<CommandOutput> {
    let _ = reader.eat("async");
    if !reader.eat("cluster") {
        reader.expect("database")?;
    }
    reader.expect("script")?;
    let properties = reader.properties()?;
    let (script, _) = reader.payload()?;
    let is_set = |name: &str| {
        properties.iter().any(|(known, value)| known == name && value.eq_ignore_ascii_case("true"))
    };
    let (go_on, throw) = (is_set("continueonerrors"), is_set("throwonerrors"));
    let mut rows = RowsBuilder::new(&[
        ("OperationId", Type::Guid),
        ("CommandType", Type::String),
        ("CommandText", Type::String),
        ("Result", Type::String),
        ("Reason", Type::String),
    ]);
    let mut failed = false;
    for command in split(script) {
        rows.guid(Uuid::new_v4()).text(command_type(command)).text(command);
        if failed && !go_on {
            rows.text("Skipped").text("an earlier command failed").end_row();
            continue;
        }
        let is_show = command.get(..5).is_some_and(|start| start.eq_ignore_ascii_case(".show"));
        if is_show || command.get(..8).is_some_and(|start| start.eq_ignore_ascii_case(".execute")) {
            rows.text("Skipped").text("only commands that change something are run by a script").end_row();
            continue;
        }
        match execute(context, command) {
            Ok(_) => rows.text("Completed").text("").end_row(),
            Err(error) if throw => return Err(error),
            Err(error) => {
                failed = true;
                rows.text("Failed").text(error.to_string()).end_row()
            }
        };
    }
    Ok(rows.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_split_at_lines_that_begin_with_a_dot() {
        let script = "// first\n.create table T (a:int)\n\n// second\n// more\n.create function f() {\n T\n| take 1 }\n.ingest inline into table T <|\n1\n2\n";
        let commands = split(script);
        assert_eq!(
            commands,
            [
                ".create table T (a:int)",
                ".create function f() {\n T\n| take 1 }",
                ".ingest inline into table T <|\n1\n2"
            ]
        );
        assert!(split("").is_empty());
    }
}
