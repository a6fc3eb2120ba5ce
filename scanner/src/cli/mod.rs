//! The command line: reads arguments, environment and clock, runs one subcommand, and is the
//! only part that writes to the terminal.

use std::ffi::OsString;
use std::io::{self, Write};

use clap::Parser as _;

mod args;
mod cache;
mod db;
mod examples;
mod failure;
mod paths;
mod progress;
#[cfg(test)]
mod reference;
mod rules;
mod scan;
mod values;
mod write;

use args::{Arguments, Command};
use failure::Failure;

use portcullis::output::escape;
use portcullis::output::inert::Inert;

/// Exit code of a run that could not finish.
const COULD_NOT_FINISH: u8 = 2;

/// Runs the program with these arguments (the first is its own name); returns the exit code:
/// 0 within policy, 1 policy violated, 2 could not finish.
pub(crate) fn run(arguments: Vec<OsString>) -> u8 {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // `--help` and `--version` are no errors, and go to stdout.
            let wrong_usage = error.use_stderr();
            // The text holds what was typed, which may be names out of a pull request.
            let text = escape::lines(&error.render().to_string()) + "\n";
            if wrong_usage {
                let _ = Inert::new(io::stderr().lock()).write_all(text.as_bytes());
                return COULD_NOT_FINISH;
            }
            return match print(&text) {
                Ok(()) => 0,
                Err(_) => COULD_NOT_FINISH,
            };
        }
    };
    let outcome = match arguments.command {
        Command::Scan(arguments) => scan::run(&arguments),
        Command::Db(command) => db::run(&command),
        Command::Rules(command) => rules::run(&command),
    };
    match outcome {
        Ok(code) => code,
        Err(failure) => {
            let _ = failure.render(&mut io::stderr().lock());
            COULD_NOT_FINISH
        }
    }
}

/// Prints text to stdout. A reader that went away is a quiet end.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = Inert::new(io::stdout().lock());
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .or_else(ignore_broken_pipe)
        .map_err(|error| Failure::io("cannot write to stdout", &error))
}

/// A pipe that its reader closed is the reader's choice (`| head`), and never changes the exit
/// code. Everything else that keeps the output from being written is a failure: a full disk, a
/// stdout that was closed from the start.
fn ignore_broken_pipe(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::BrokenPipe {
        Ok(())
    } else {
        Err(error)
    }
}
