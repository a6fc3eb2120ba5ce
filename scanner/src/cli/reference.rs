//! The reference of all commands and options, made of the parser's own definition:
//! `docs/options.md`. A test holds the two together; `PORTCULLIS_BLESS=1` writes the file.

use std::fmt::Write as _;
use std::path::Path;

use clap::{Arg, Command, CommandFactory as _};

use super::args::Arguments;
use portcullis::source::limits::{ROWS, shown};

const HEAD: &str = "# Commands and options

This page is generated from the program's own definition, the same that `--help` prints.
";

/// One command with its options, and those below it.
fn command(text: &mut String, path: &str, command: &Command) {
    let name = if path.is_empty() {
        command.get_name().to_owned()
    } else {
        format!("{path} {}", command.get_name())
    };
    let about = command.get_long_about().or(command.get_about());
    let _ = write!(text, "\n## `{name}`\n\n");
    if let Some(about) = about {
        let _ = writeln!(text, "{}", about.to_string().trim());
    }
    let shown = |argument: &&Arg| !argument.is_hide_set() && argument.get_id() != "help";
    let arguments: Vec<&Arg> = command.get_arguments().filter(shown).collect();
    if !arguments.is_empty() {
        text.push_str("\n| argument | meaning | default |\n|---|---|---|\n");
    }
    for argument in arguments {
        let help = argument.get_long_help().or(argument.get_help());
        let help = help.map(ToString::to_string).unwrap_or_default();
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        let defaults = argument.get_default_values().iter();
        let defaults: Vec<String> = defaults
            .map(|value| format!("`{}`", value.to_string_lossy()))
            .collect();
        let _ = writeln!(
            text,
            "| {} | {} | {} |",
            spelled(argument),
            help.replace('|', "\\|"),
            defaults.join(", ")
        );
    }
    for below in command.get_subcommands().filter(|one| !one.is_hide_set()) {
        if below.get_name() != "help" {
            self::command(text, &name, below);
        }
    }
}

/// The limits that `--limit` changes.
fn limits(text: &mut String) {
    text.push_str("\n## Limits\n\nWhat `--limit NAME=VALUE` changes. Layers are neither taken from the cache nor stored in it if a limit other than `image-time`\nis changed.\n\n| limit | default | what is limited |\n|---|---|---|\n");
    for row in &ROWS {
        let _ = writeln!(
            text,
            "| `{}` | {} | {} |",
            row.word,
            shown(row),
            row.meaning
        );
    }
}

/// An argument as somebody types it.
fn spelled(argument: &Arg) -> String {
    let takes_value = argument.get_action().takes_values();
    let names = argument.get_value_names().unwrap_or_default();
    let values: Vec<String> = names.iter().map(|name| name.replace('|', "\\|")).collect();
    let values = if takes_value {
        values.join(" ")
    } else {
        String::new()
    };
    match argument.get_long() {
        Some(long) => format!("`{}`", format!("--{long} {values}").trim_end()),
        None => format!("`{values}`"),
    }
}

#[test]
fn the_reference_is_that_of_the_parser() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/options.md");
    let mut fresh = HEAD.to_owned();
    command(&mut fresh, "", &Arguments::command());
    limits(&mut fresh);
    if std::env::var_os("PORTCULLIS_BLESS").is_some() {
        std::fs::write(&path, &fresh).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == fresh,
        "docs/options.md is stale: run this test with PORTCULLIS_BLESS=1"
    );
}
