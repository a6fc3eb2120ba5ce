//! Operating system and architecture, as image indexes and configs name them (Go's `GOOS` and
//! `GOARCH`), and the choice of the user: one of them, or all.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

/// The word for every platform.
const ALL: &str = "all";

/// `os/architecture[/variant]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Platform {
    /// `linux`, `windows`, …
    #[serde(default)]
    pub os: String,
    /// `amd64`, `arm64`, …
    #[serde(default)]
    pub architecture: String,
    /// `v7`, `v8`, … where the architecture has variants.
    #[serde(default)]
    pub variant: Option<String>,
}

impl Platform {
    /// What is scanned where nothing else is asked for.
    pub fn default_choice() -> Self {
        Self {
            os: "linux".into(),
            architecture: "amd64".into(),
            variant: None,
        }
    }

    /// The choice of every platform that there is, which the user writes as `all`. No image is of it,
    /// since it names no architecture.
    pub fn all() -> Self {
        Self {
            os: ALL.into(),
            architecture: String::new(),
            variant: None,
        }
    }

    /// Whether every platform was asked for.
    pub fn is_all(&self) -> bool {
        *self == Self::all()
    }

    /// Whether an image of platform `other` is what this choice means. A choice without variant
    /// takes any; `arm64` and `arm64/v8` are the same.
    pub fn takes(&self, other: &Self) -> bool {
        let variant = |platform: &Self| match (&platform.variant, platform.architecture.as_str()) {
            (None, "arm64") => Some("v8".to_owned()),
            (variant, _) => variant.clone().filter(|text| !text.is_empty()),
        };
        self.os == other.os
            && self.architecture == other.architecture
            && (self.variant.is_none() || variant(self) == variant(other))
    }

    /// Whether anything is known about it; attestations and artifacts say `unknown/unknown`.
    pub fn is_known(&self) -> bool {
        let known = |text: &str| !text.is_empty() && text != "unknown";
        known(&self.os) && known(&self.architecture)
    }
}

impl FromStr for Platform {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == ALL {
            return Ok(Self::all());
        }
        let mut parts = text.split('/').map(str::to_ascii_lowercase);
        let (os, architecture, variant) = (parts.next(), parts.next(), parts.next());
        match (os, architecture, parts.next()) {
            (Some(os), Some(architecture), None)
                if !os.is_empty() && !architecture.is_empty() && variant.as_deref() != Some("") =>
            {
                Ok(Self {
                    os,
                    architecture,
                    variant,
                })
            }
            _ => Err(format!(
                "`{text}` is not a platform: write `os/architecture`, `os/architecture/variant` or `all`"
            )),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.os, self.architecture)?;
        match self.variant.as_deref() {
            None | Some("") => Ok(()),
            Some(variant) => write!(formatter, "/{variant}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_compares() {
        let arm: Platform = "linux/arm".parse().unwrap();
        let seven: Platform = "linux/ARM/v7".parse().unwrap();
        assert!(arm.takes(&seven) && !seven.takes(&arm));
        let eight: Platform = "linux/arm64/v8".parse().unwrap();
        assert!(eight.takes(&"linux/arm64".parse().unwrap()));
        assert_eq!(seven.to_string(), "linux/arm/v7");
        let all: Platform = "all".parse().unwrap();
        assert!(all.is_all() && !all.is_known() && !arm.is_all());
        for bad in ["", "linux", "linux/", "/amd64", "a/b/", "a/b/c/d"] {
            assert!(bad.parse::<Platform>().is_err(), "{bad}");
        }
    }
}
