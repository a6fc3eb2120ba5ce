//! Why no database came from a server, or went to one.

use super::super::TransferError;
use remote::registry::RegistryError;
use std::fmt;

/// Why a server was of no use.
#[derive(Debug, thiserror::Error)]
pub enum RemoteError {
    /// The way to it, or what it answered.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The manifest describes something else.
    #[error("{name} is not an advisory database: {cause}")]
    Artifact {
        /// The reference.
        name: String,
        /// What is wrong with it.
        cause: String,
    },
    /// No source gave a database.
    #[error("none of the sources gave a database: {}", Listed(.refused))]
    All {
        /// What each of them came to, in order.
        refused: Vec<Refused>,
    },
}

/// A source that gave no database.
#[derive(Debug)]
pub struct Refused {
    /// As the user knows it.
    pub source: String,
    /// Why.
    pub error: TransferError,
}

impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.error)?;
        let mut source = std::error::Error::source(&self.error);
        while let Some(cause) = source {
            write!(out, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}

struct Listed<'a>(&'a [Refused]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, one) in self.0.iter().enumerate() {
            if number > 0 {
                out.write_str("; ")?;
            }
            write!(out, "{one}")?;
        }
        Ok(())
    }
}
