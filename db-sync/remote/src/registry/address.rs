//! Addresses that may be asked, and how they are shown.

use super::RegistryError;
use super::reference::Reference;
use std::net::IpAddr;
use url::Url;

/// Parses a reference into a registry.
pub fn reference(text: &str) -> Result<Reference, RegistryError> {
    Reference::parse(text).map_err(|cause| RegistryError::Source {
        text: crate::printable(text),
        cause: cause.to_owned(),
    })
}

/// The address of a registry: plain http only where that is allowed.
pub(crate) fn base(reference: &Reference, insecure: bool) -> Result<Url, RegistryError> {
    let registry = reference.host();
    let plain = insecure || is_loopback(host_of(registry));
    let text = format!("{}://{registry}/", if plain { "http" } else { "https" });
    Url::parse(&text).map_err(|error| RegistryError::Source {
        text: crate::printable(registry),
        cause: error.to_string(),
    })
}

/// Whether an address may be asked: https, or http to this machine, or the
/// user insists on http.
pub fn may_speak(url: &Url, insecure: bool) -> Result<(), RegistryError> {
    let allowed = match url.scheme() {
        "https" => true,
        "http" => insecure || url.host_str().is_some_and(is_loopback),
        _ => false,
    };
    if allowed {
        Ok(())
    } else {
        Err(RegistryError::PlainHttp { name: shown(url) })
    }
}

/// An address without password and query, which may hold secrets.
pub fn shown(url: &Url) -> String {
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    crate::printable(url.as_str())
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
