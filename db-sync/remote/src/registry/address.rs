//! Addresses that may be asked, and how they are shown.

use super::RegistryError;
use super::reference::Reference;
use std::net::IpAddr;
use url::Url;

/// Who may be asked over plain http, besides this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PlainHttp {
    /// Nobody.
    #[default]
    Loopback,
    /// These hosts, as `host` (on every port) or `host:port`.
    Hosts(Vec<String>),
    /// Everybody.
    All,
}

impl From<bool> for PlainHttp {
    /// `true` is everybody.
    fn from(insecure: bool) -> Self {
        if insecure { Self::All } else { Self::Loopback }
    }
}

impl PlainHttp {
    /// Refuses an address that may not be asked.
    pub fn may_speak(&self, url: &Url) -> Result<(), RegistryError> {
        let allowed = match (url.scheme(), url.host_str()) {
            ("https", _) => true,
            ("http", Some(host)) => {
                let port = url.port_or_known_default().map(|port| port.to_string());
                self.includes(host, port.as_deref())
            }
            _ => false,
        };
        if allowed {
            Ok(())
        } else {
            Err(RegistryError::PlainHttp { name: shown(url) })
        }
    }

    fn includes(&self, host: &str, port: Option<&str>) -> bool {
        is_loopback(host)
            || match self {
                Self::Loopback => false,
                Self::All => true,
                Self::Hosts(hosts) => hosts.iter().any(|one| {
                    let (listed, wanted) = split(one);
                    listed.eq_ignore_ascii_case(host)
                        && wanted.is_none_or(|wanted| Some(wanted) == port)
                }),
            }
    }
}

/// Parses a reference into a registry.
pub fn reference(text: &str) -> Result<Reference, RegistryError> {
    Reference::parse(text).map_err(|cause| RegistryError::Source {
        text: crate::printable(text),
        cause: cause.to_owned(),
    })
}

/// The address of a registry: plain http only where that is allowed.
pub(crate) fn base(reference: &Reference, plain: &PlainHttp) -> Result<Url, RegistryError> {
    let registry = reference.host();
    let (host, port) = split(registry);
    let scheme = if plain.includes(host, port.or(Some("80"))) {
        "http"
    } else {
        "https"
    };
    Url::parse(&format!("{scheme}://{registry}/")).map_err(|error| RegistryError::Source {
        text: crate::printable(registry),
        cause: error.to_string(),
    })
}

/// Whether an address may be asked: https, or http to this machine, or the
/// user insists on http.
pub fn may_speak(url: &Url, insecure: bool) -> Result<(), RegistryError> {
    PlainHttp::from(insecure).may_speak(url)
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

/// Host and port of `host:port`; the host keeps the brackets of an IPv6 address.
fn split(registry: &str) -> (&str, Option<&str>) {
    match registry.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, Some(port)),
        _ => (registry, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_on_other_machines_are_asked_over_tls() {
        let listed = PlainHttp::Hosts(vec![
            "One.example".to_owned(),
            "two.example:5000".to_owned(),
            "three.example:80".to_owned(),
        ]);
        for (text, plain, scheme) in [
            (
                "registry.example.org:5000/db",
                &PlainHttp::Loopback,
                "https",
            ),
            ("registry.example.org:5000/db", &PlainHttp::All, "http"),
            ("localhost:5000/db", &PlainHttp::Loopback, "http"),
            ("127.0.0.1/db", &PlainHttp::Loopback, "http"),
            ("one.example/db", &listed, "http"),
            ("one.example:1/db", &listed, "http"),
            ("sub.one.example/db", &listed, "https"),
            ("two.example:5000/db", &listed, "http"),
            ("two.example/db", &listed, "https"),
            ("three.example/db", &listed, "http"),
        ] {
            let url = base(&reference(text).expect(text), plain).expect(text);
            assert_eq!(url.scheme(), scheme, "{text}");
            assert!(plain.may_speak(&url).is_ok(), "{text}");
        }
        let listed_elsewhere = Url::parse("http://two.example:5001/").expect("url");
        assert!(listed.may_speak(&listed_elsewhere).is_err());
    }

    #[test]
    fn shown_addresses_hold_no_secrets() {
        let url = Url::parse("https://u:p@example.org/a?sig=s#f").expect("url");
        assert_eq!(shown(&url), "https://example.org/a");
    }
}
