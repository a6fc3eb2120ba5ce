//! References into registries, as docker reads them: `[host[:port]/]path[:tag][@digest]`.
//! A first part without a dot, a port or an upper-case letter that is not `localhost` belongs to
//! the path: the host is Docker Hub's then. Where there are tag and digest, the digest decides.

#[cfg(test)]
mod tests;

use super::digest::Digest;
use std::fmt;
use std::net::Ipv6Addr;

/// Longest path.
const MAX_PATH: usize = 255;
/// Longest tag.
const MAX_TAG: usize = 128;
const DOCKER_HUB: &str = "docker.io";
/// The name of its index, which older references use.
const DOCKER_HUB_INDEX: &str = "index.docker.io";
/// The host that serves its content.
const DOCKER_HUB_HOST: &str = "registry-1.docker.io";
/// The tag of a reference that has neither tag nor digest.
const DEFAULT_TAG: &str = "latest";

/// A reference, completed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

impl Reference {
    /// Reads one. The error is one clause.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err("it is empty");
        }
        if text.contains("://") {
            return Err("it is a URL, and a reference starts with the host, without a scheme");
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse()?)),
            None => (text, None),
        };
        let (name, tag) = split_tag(rest);
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(
                "a tag has 1 to 128 letters, digits, `_`, `.` and `-`, and does not begin with `.` or `-`",
            );
        }
        let (registry, repository) = match name.split_once('/') {
            Some((host, path)) if is_named_host(host) => (host, path),
            _ => (DOCKER_HUB, name),
        };
        if !is_host(registry) {
            return Err("the host is not a valid host name or IP address with an optional port");
        }
        check_path(repository)?;
        let registry = match registry {
            DOCKER_HUB_INDEX => DOCKER_HUB,
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
            tag: match (tag, &digest) {
                (None, None) => Some(DEFAULT_TAG.to_owned()),
                (tag, _) => tag.map(str::to_owned),
            },
            digest,
        })
    }

    /// The registry as users name it, such as `docker.io`.
    pub fn registry(&self) -> &str {
        &self.registry
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
        self.digest.as_ref().map(Digest::as_str)
    }

    /// The digest, if it has one, as what it is.
    pub fn pinned(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The same repository at a digest.
    pub fn at(&self, digest: &Digest) -> Self {
        Self {
            tag: None,
            digest: Some(digest.clone()),
            ..self.clone()
        }
    }

    /// What the registry is asked for: the digest, else the tag.
    pub fn wanted(&self) -> &str {
        self.digest().or(self.tag()).unwrap_or(DEFAULT_TAG)
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

/// The name, and the tag behind the last colon of its last part.
fn split_tag(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag)),
        _ => (text, None),
    }
}

/// Whether a first part names a host.
fn is_named_host(part: &str) -> bool {
    part.contains(['.', ':'])
        || part == "localhost"
        || part.bytes().any(|byte| byte.is_ascii_uppercase())
}

fn is_tag(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    (1..=MAX_TAG).contains(&text.len()) && !text.starts_with(['.', '-']) && text.bytes().all(inner)
}

fn is_host(text: &str) -> bool {
    if let Some((address, port)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let is_free = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        return is_free && address.parse::<Ipv6Addr>().is_ok();
    }
    let (host, port) = text.split_once(':').unwrap_or((text, "0"));
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    host.split('.').all(label) && is_port(port)
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

fn check_path(path: &str) -> Result<(), &'static str> {
    if path.is_empty() {
        return Err("the repository is missing");
    }
    if path.len() > MAX_PATH {
        return Err("the repository name is longer than 255 characters");
    }
    if path.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err("a repository name must be lower case");
    }
    if !path.split('/').all(is_part) {
        return Err(
            "each part of a repository name begins and ends with a letter or digit, with `.`, `_`, `__` or dashes in between",
        );
    }
    let is_id = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if path.len() == 64 && path.bytes().all(is_id) {
        return Err("64 hexadecimal digits are an image id, which a registry cannot look up");
    }
    Ok(())
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
