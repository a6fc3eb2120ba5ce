//! Why a run could not finish, and the only place that renders it: `error:`, `caused by:`,
//! `hint:`.

use std::error::Error;
use std::io::{self, Write};

use portcullis::output::escape;
use portcullis::output::inert::Inert;

/// What went wrong, its causes from the outside in, and what the user can do.
#[derive(Debug)]
pub(super) struct Failure {
    message: String,
    causes: Vec<String>,
    hints: Vec<String>,
}

impl Failure {
    /// A failure with a message alone.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            causes: Vec::new(),
            hints: Vec::new(),
        }
    }

    /// From an error and its sources.
    pub(super) fn from_error(error: &dyn Error) -> Self {
        let mut failure = Self::new(error.to_string());
        let mut source = error.source();
        while let Some(cause) = source {
            failure.causes.push(cause.to_string());
            source = cause.source();
        }
        failure
    }

    /// From an input or output error.
    pub(super) fn io(message: impl Into<String>, error: &io::Error) -> Self {
        let mut failure = Self::new(message);
        failure.causes.push(error.to_string());
        failure
    }

    /// Adds what the user can do.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Writes it. Text of the input is escaped.
    pub(super) fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut out = Inert::new(out);
        writeln!(out, "error: {}", escape::line(&self.message))?;
        for cause in &self.causes {
            writeln!(out, "  caused by: {}", escape::line(cause))?;
        }
        for hint in &self.hints {
            writeln!(out, "hint: {}", escape::line(hint))?;
        }
        Ok(())
    }
}
