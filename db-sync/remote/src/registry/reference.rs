//! References into registries, as docker reads them: `[host[:port]/]path[:tag][@digest]`.
//! A first part without a dot or a port that is not `localhost` belongs to the
//! path: the host is Docker Hub's then.

use std::fmt;

/// Longest path.
const MAX_PATH: usize = 255;
/// Longest tag.
const MAX_TAG: usize = 128;
const DOCKER_HUB: &str = "docker.io";
/// The host that answers for it.
const DOCKER_HUB_HOST: &str = "index.docker.io";
/// The tag of a reference that has neither tag nor digest.
const DEFAULT_TAG: &str = "latest";

/// A reference, completed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
}

impl Reference {
    /// Reads one. The error is one clause.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest)),
            None => (text, None),
        };
        if digest.is_some_and(|digest| !is_digest(digest)) {
            return Err("a digest is sha256: and 64 lower-case hexadecimal digits");
        }
        let path = rest.rfind('/').map_or(0, |slash| slash.saturating_add(1));
        let (name, tag) = match rest.rfind(':').filter(|colon| *colon >= path) {
            Some(colon) => (
                rest.get(..colon).unwrap_or_default(),
                rest.get(colon.saturating_add(1)..),
            ),
            None => (rest, None),
        };
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err("its tag is not one");
        }
        let (registry, repository) = match name.split_once('/') {
            Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => (host, path),
            _ => (DOCKER_HUB, name),
        };
        if !is_host(registry) {
            return Err("its host is not one");
        }
        if repository.len() > MAX_PATH || !repository.split('/').all(is_part) {
            return Err("its path is not one");
        }
        let registry = match registry {
            DOCKER_HUB_HOST => DOCKER_HUB,
            other => other,
        };
        let prefix = if registry == DOCKER_HUB && !repository.contains('/') {
            "library/"
        } else {
            ""
        };
        Ok(Self {
            registry: registry.to_owned(),
            repository: format!("{prefix}{repository}"),
            tag: match (tag, digest) {
                (None, None) => Some(DEFAULT_TAG.to_owned()),
                (tag, _) => tag.map(str::to_owned),
            },
            digest: digest.map(str::to_owned),
        })
    }

    /// The host to ask, with its port.
    pub fn host(&self) -> &str {
        match self.registry.as_str() {
            DOCKER_HUB => DOCKER_HUB_HOST,
            other => other,
        }
    }

    /// The path in the registry.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag, if it has one or neither.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, if it has one.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(out, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(out, "@{digest}"),
            None => Ok(()),
        }
    }
}

/// Whether a text is a SHA-256 digest; content has no other here.
pub fn is_digest(text: &str) -> bool {
    let digits = text.strip_prefix("sha256:").unwrap_or_default();
    let hex = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    digits.len() == 64 && digits.bytes().all(hex)
}

fn is_tag(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    (1..=MAX_TAG).contains(&text.len()) && !text.starts_with(['.', '-']) && text.bytes().all(inner)
}

fn is_host(text: &str) -> bool {
    let (host, port) = text.split_once(':').unwrap_or((text, "0"));
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    host.split('.').all(label) && !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
}

/// One part of a path: letters and digits with `.`, `_`, `__` or dashes between.
fn is_part(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = [text.bytes().next(), text.bytes().next_back()];
    ends.into_iter().all(|end| end.is_some_and(is_word))
        && text
            .split(|char: char| char.is_ascii_lowercase() || char.is_ascii_digit())
            .all(|between| {
                matches!(between, "" | "." | "_" | "__") || between.bytes().all(|byte| byte == b'-')
            })
}

#[cfg(test)]
mod tests {
    use super::Reference;

    #[test]
    fn references_are_completed_as_docker_does() {
        let digest = format!("sha256:{}", "0f".repeat(32));
        let pinned = format!("x.example/db@{digest}");
        let both = format!("x.example/db:1@{digest}");
        for (text, host, whole) in [
            ("db", "index.docker.io", "docker.io/library/db:latest"),
            (
                "x.example:1",
                "index.docker.io",
                "docker.io/library/x.example:1",
            ),
            ("team/db:1.2", "index.docker.io", "docker.io/team/db:1.2"),
            (
                "index.docker.io/db",
                "index.docker.io",
                "docker.io/library/db:latest",
            ),
            ("localhost/db", "localhost", "localhost/db:latest"),
            (
                "localhost:5000/a/b:C_d",
                "localhost:5000",
                "localhost:5000/a/b:C_d",
            ),
            (
                "X.example/a__b/c---d/e.f",
                "X.example",
                "X.example/a__b/c---d/e.f:latest",
            ),
            (&pinned, "x.example", &pinned),
            (&both, "x.example", &both),
        ] {
            let reference = Reference::parse(text).expect(text);
            assert_eq!(
                (reference.host(), reference.to_string().as_str()),
                (host, whole)
            );
        }
    }

    #[test]
    fn what_is_no_reference_is_refused() {
        let long = format!("x.example/{}", "a".repeat(256));
        let tag = format!("db:{}", "a".repeat(129));
        let upper = format!("db@sha256:{}", "0F".repeat(32));
        let other = format!("db@sha512:{}", "00".repeat(64));
        for bad in [
            "",
            ":1",
            "@",
            "db:",
            "db@",
            "db@sha256:00",
            "Db",
            "a/../b",
            "/db",
            "db/",
            "a//b",
            "x.example/",
            "x.example:/db",
            "x.example:5a/db",
            "-x.example/db",
            "x..example/db",
            "a___b",
            "a..b",
            "a._b",
            "_a",
            "a-",
            "db:.a",
            "db:a/b",
            "db:ä",
            "ä",
            "a b",
            "x.example/db?x=1",
            "user@x.example/db",
            &long,
            &tag,
            &upper,
            &other,
        ] {
            assert!(Reference::parse(bad).is_err(), "{bad}");
        }
    }
}
