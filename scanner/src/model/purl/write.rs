//! Package URLs as text, encoded as the specification demands.

use std::fmt;

use super::Purl;

impl fmt::Display for Purl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "pkg:{}", self.kind)?;
        for segment in self
            .namespace
            .iter()
            .flat_map(|namespace| namespace.split('/'))
        {
            write!(out, "/{}", Encoded(segment))?;
        }
        write!(out, "/{}", Encoded(&self.name))?;
        if let Some(version) = &self.version {
            write!(out, "@{}", Encoded(version))?;
        }
        for (index, (key, value)) in self.qualifiers.iter().enumerate() {
            let separator = if index == 0 { '?' } else { '&' };
            write!(out, "{separator}{key}={}", Encoded(value))?;
        }
        for (index, segment) in self
            .subpath
            .iter()
            .flat_map(|path| path.split('/'))
            .enumerate()
        {
            let separator = if index == 0 { '#' } else { '/' };
            write!(out, "{separator}{}", Encoded(segment))?;
        }
        Ok(())
    }
}

/// Percent-encodes all but letters, digits, `.-_~` and the colon.
struct Encoded<'a>(&'a str);

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.bytes() {
            if byte.is_ascii_alphanumeric() || b".-_~:".contains(&byte) {
                write!(out, "{}", char::from(byte))?;
            } else {
                write!(out, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}
