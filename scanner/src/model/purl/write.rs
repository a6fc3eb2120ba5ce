//! Package URLs as text, encoded as the specification demands.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

use super::Purl;

impl fmt::Display for Purl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "pkg:{}", self.kind)?;
        for segment in self
            .namespace
            .iter()
            .flat_map(|namespace| namespace.split('/'))
        {
            write!(out, "/{}", encoded(segment))?;
        }
        write!(out, "/{}", encoded(&self.name))?;
        if let Some(version) = &self.version {
            write!(out, "@{}", encoded(version))?;
        }
        for (index, (key, value)) in self.qualifiers.iter().enumerate() {
            let separator = if index == 0 { '?' } else { '&' };
            write!(out, "{separator}{key}={}", encoded(value))?;
        }
        for (index, segment) in self
            .subpath
            .iter()
            .flat_map(|path| path.split('/'))
            .enumerate()
        {
            let separator = if index == 0 { '#' } else { '/' };
            write!(out, "{separator}{}", encoded(segment))?;
        }
        Ok(())
    }
}

/// All that is percent-encoded: what is no letter, no digit, none of `.-_~` and no colon.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'.')
    .remove(b'-')
    .remove(b'_')
    .remove(b'~')
    .remove(b':');

fn encoded(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, ENCODED)
}
