//! What the user may name as a source: an http(s) address of an exported file,
//! or a reference into a registry.

use remote::registry::{Reference, RegistryError, may_speak, reference, shown};
use url::Url;

/// A source, parsed.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// An exported file on a static server.
    File(Url),
    /// An artifact in a registry.
    Registry(Reference),
}

impl Source {
    pub(crate) fn parse(text: &str, insecure: bool) -> Result<Self, RegistryError> {
        let refused = |cause: String| RegistryError::Source {
            text: crate::problem::printable(text),
            cause,
        };
        if !(text.starts_with("https://") || text.starts_with("http://")) {
            return reference(text.strip_prefix("oci://").unwrap_or(text)).map(Self::Registry);
        }
        let url = Url::parse(text).map_err(|error| refused(error.to_string()))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(RegistryError::Source {
                text: shown(&url),
                cause: "a password does not belong into an address, use --username and --password-stdin".to_owned(),
            });
        }
        may_speak(&url, insecure)?;
        Ok(Self::File(url))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine() {
        for good in [
            "http://127.0.0.1:8080/a.pcdb",
            "http://localhost/a",
            "http://[::1]:1/a",
            "https://example.org/a?token=x",
            "127.0.0.1:5000/db:1",
            "oci://registry.example.org/team/db@sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
        ] {
            assert!(Source::parse(good, false).is_ok(), "{good}");
        }
        for bad in [
            "http://example.org/a",
            "http://127.0.0.1.example.org/a",
            "http://localhost.example.org/a",
            "ftp://example.org/a",
            "https://user:secret@example.org/a",
            "https://",
            "UPPER/../case",
            "",
        ] {
            let error = Source::parse(bad, false).expect_err(bad).to_string();
            assert!(!error.contains("secret"), "{error}");
        }
        assert!(Source::parse("http://example.org/a", true).is_ok());
    }
}
