//! What the user may name as a source: an http(s) address of an exported file,
//! or a reference into a registry.

use super::RemoteError;
use super::reference::Reference;
use std::net::IpAddr;
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
    pub(crate) fn parse(text: &str, insecure: bool) -> Result<Self, RemoteError> {
        let refused = |cause: String| RemoteError::Source {
            text: crate::problem::printable(text),
            cause,
        };
        if !(text.starts_with("https://") || text.starts_with("http://")) {
            return reference(text.strip_prefix("oci://").unwrap_or(text)).map(Self::Registry);
        }
        let url = Url::parse(text).map_err(|error| refused(error.to_string()))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(RemoteError::Source {
                text: shown(&url),
                cause: "a password does not belong into an address, use --username and --password-stdin".to_owned(),
            });
        }
        may_speak(&url, insecure)?;
        Ok(Self::File(url))
    }
}

/// Parses a reference into a registry.
pub(crate) fn reference(text: &str) -> Result<Reference, RemoteError> {
    Reference::parse(text).map_err(|cause| RemoteError::Source {
        text: crate::problem::printable(text),
        cause: cause.to_owned(),
    })
}

/// The address of a registry: plain http only where that is allowed.
pub(crate) fn base(reference: &Reference, insecure: bool) -> Result<Url, RemoteError> {
    let registry = reference.host();
    let plain = insecure || is_loopback(host_of(registry));
    let text = format!("{}://{registry}/", if plain { "http" } else { "https" });
    Url::parse(&text).map_err(|error| RemoteError::Source {
        text: crate::problem::printable(registry),
        cause: error.to_string(),
    })
}

/// Whether an address may be asked: https, or http to this machine, or the
/// user insists on http.
pub(crate) fn may_speak(url: &Url, insecure: bool) -> Result<(), RemoteError> {
    let allowed = match url.scheme() {
        "https" => true,
        "http" => insecure || url.host_str().is_some_and(is_loopback),
        _ => false,
    };
    if allowed {
        Ok(())
    } else {
        Err(RemoteError::PlainHttp { name: shown(url) })
    }
}

/// An address without password and query, which may hold secrets.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    crate::problem::printable(url.as_str())
}

/// Whether a host name means this machine.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost")
        || bare
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// `host` of `host:port`.
fn host_of(registry: &str) -> &str {
    match registry.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => registry,
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

    #[test]
    fn registries_on_other_machines_are_asked_over_tls() {
        let scheme = |text: &str, insecure| {
            let url = base(&reference(text).expect(text), insecure).expect(text);
            url.scheme().to_owned()
        };
        assert_eq!(scheme("registry.example.org:5000/db", false), "https");
        assert_eq!(scheme("registry.example.org:5000/db", true), "http");
        assert_eq!(scheme("localhost:5000/db", false), "http");
    }

    #[test]
    fn shown_addresses_hold_no_secrets() {
        let url = Url::parse("https://u:p@example.org/a?sig=s#f").expect("url");
        assert_eq!(shown(&url), "https://example.org/a");
    }
}
