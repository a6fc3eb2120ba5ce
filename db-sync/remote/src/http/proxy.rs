//! Which proxy a request goes through: `HTTPS_PROXY` or `HTTP_PROXY` by the
//! scheme of its address, else `ALL_PROXY`, each in lower case, too; none for
//! the hosts of `NO_PROXY`. One that cannot be used is an error: going without
//! it is not what was asked for.

use super::Unanswered;
use std::net::IpAddr;
use ureq::{Proxy, ProxyProtocol};
use url::{Host, Url};

/// What the environment says.
#[derive(Clone, Default)]
pub(super) struct Proxies {
    https: Option<String>,
    http: Option<String>,
    all: Option<String>,
    exempt: Vec<Exempt>,
}

/// Hosts that are asked directly.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Exempt {
    All,
    /// An address, and how many of its bits count.
    Network(IpAddr, u32),
    /// A host and what lies under it.
    Domain(String),
    /// Hosts that begin so.
    Start(String),
}

impl Proxies {
    pub(super) fn from_env() -> Self {
        Self::from(|name| std::env::var(name).ok())
    }

    fn from(variable: impl Fn(&str) -> Option<String>) -> Self {
        let first = |names: [&str; 2]| {
            let mut values = names.into_iter().filter_map(&variable);
            values.find(|value| !value.trim().is_empty())
        };
        // In a CGI program, `HTTP_PROXY` is a header of somebody's request.
        let is_cgi = variable("REQUEST_METHOD").is_some();
        Self {
            https: first(["HTTPS_PROXY", "https_proxy"]),
            http: first(["HTTP_PROXY", "http_proxy"]).filter(|_| !is_cgi),
            all: first(["ALL_PROXY", "all_proxy"]),
            exempt: first(["NO_PROXY", "no_proxy"])
                .map(|list| list.split(',').filter_map(Exempt::parse).collect())
                .unwrap_or_default(),
        }
    }

    /// The proxy for an address.
    pub(super) fn of(&self, url: &Url) -> Result<Option<Proxy>, Unanswered> {
        let own = match url.scheme() {
            "https" => &self.https,
            _ => &self.http,
        };
        let Some(text) = own.as_ref().or(self.all.as_ref()) else {
            return Ok(None);
        };
        if let Some(host) = url.host()
            && self.exempt.iter().any(|exempt| exempt.holds(&host))
        {
            return Ok(None);
        }
        // Not shown: it may hold a password.
        let proxy = Proxy::new(text.trim())
            .map_err(|_| Unanswered::hopeless("the environment names an unusable proxy"))?;
        match proxy.protocol() {
            ProxyProtocol::Http | ProxyProtocol::Https => Ok(Some(proxy)),
            _ => Err(Unanswered::hopeless(
                "the environment names a SOCKS proxy, and only http proxies can be used",
            )),
        }
    }
}

impl Exempt {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        if text == "*" {
            return Some(Self::All);
        }
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().ok()?)),
            None => (text.as_str(), None),
        };
        let bare = address.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = bare.parse::<IpAddr>() {
            let all = if address.is_ipv4() { 32 } else { 128 };
            return Some(Self::Network(address, bits.unwrap_or(all).min(all)));
        }
        if let Some(start) = text.strip_suffix('*') {
            return Some(Self::Start(start.to_owned()));
        }
        if text.ends_with('.') {
            return Some(Self::Start(text));
        }
        let domain = text.trim_start_matches('*').trim_start_matches('.');
        (!domain.is_empty()).then(|| Self::Domain(domain.to_owned()))
    }

    fn holds(&self, host: &Host<&str>) -> bool {
        let name = match host {
            Host::Domain(name) => name.to_ascii_lowercase(),
            Host::Ipv4(address) => address.to_string(),
            Host::Ipv6(address) => address.to_string(),
        };
        match (self, host) {
            (Self::All, _) => true,
            (Self::Network(IpAddr::V4(network), bits), Host::Ipv4(address)) => {
                let differ = network.to_bits() ^ address.to_bits();
                differ.leading_zeros() >= *bits
            }
            (Self::Network(IpAddr::V6(network), bits), Host::Ipv6(address)) => {
                let differ = network.to_bits() ^ address.to_bits();
                differ.leading_zeros() >= *bits
            }
            (Self::Network(..), _) => false,
            (Self::Domain(domain), _) => name
                .strip_suffix(domain.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.')),
            (Self::Start(start), _) => name.starts_with(start.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Proxies;
    use url::Url;

    fn of(variables: &[(&str, &str)], url: &str) -> Result<Option<String>, String> {
        let proxies = Proxies::from(|name| {
            let mut found = variables.iter().filter(|(known, _)| *known == name);
            found.next().map(|(_, value)| (*value).to_owned())
        });
        let proxy = proxies.of(&Url::parse(url).expect(url));
        match proxy {
            Ok(proxy) => Ok(proxy.map(|proxy| format!("{}:{}", proxy.host(), proxy.port()))),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn the_scheme_chooses_the_proxy() {
        let set = [
            ("HTTPS_PROXY", "http://a:1"),
            ("http_proxy", "b:2"),
            ("ALL_PROXY", "http://c:3"),
        ];
        let some = |text: &str| Ok(Some(text.to_owned()));
        assert_eq!(of(&set, "https://x.example/"), some("a:1"));
        assert_eq!(of(&set, "http://x.example/"), some("b:2"));
        assert_eq!(of(&set[..1], "http://localhost:5000/"), Ok(None));
        assert_eq!(of(&set[2..], "http://x.example/"), some("c:3"));
        assert_eq!(of(&[("HTTPS_PROXY", " ")], "https://x.example/"), Ok(None));
        let cgi = [("HTTP_PROXY", "http://a:1"), ("REQUEST_METHOD", "GET")];
        assert_eq!(of(&cgi, "http://x.example/"), Ok(None));
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_not_left_out() {
        for bad in ["socks5://user:secret@a:1", "http://", "ftp://secret@x"] {
            let error = of(&[("ALL_PROXY", bad)], "https://x.example/").expect_err(bad);
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn exempt_hosts_are_asked_directly() {
        let list =
            "one.example, .two.example,*.three.example,10.1.0.0/16,::1,fd00::/8,192.168.*,x/y";
        let set = [("ALL_PROXY", "http://a:1"), ("NO_PROXY", list)];
        for exempt in [
            "one.example",
            "sub.ONE.example",
            "two.example",
            "a.two.example",
            "a.three.example",
            "10.1.2.3",
            "[::1]",
            "[fd12::1]",
            "192.168.7.7",
        ] {
            assert_eq!(
                of(&set, &format!("https://{exempt}/")),
                Ok(None),
                "{exempt}"
            );
        }
        for other in ["notone.example", "10.2.0.1", "[fe00::1]", "example", "y"] {
            assert!(
                of(&set, &format!("https://{other}/"))
                    .expect(other)
                    .is_some()
            );
        }
        let all = [("ALL_PROXY", "http://a:1"), ("NO_PROXY", "*")];
        assert_eq!(of(&all, "https://x.example/"), Ok(None));
    }
}
