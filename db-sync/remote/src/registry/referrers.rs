//! What refers to a manifest (distribution specification, "Listing Referrers"): by the API, else
//! by the tag that clients keep where a registry has none.

use super::RegistryError;
use super::address::shown;
use super::digest::Digest;
use super::manifest::{self, INDEX_TYPE, MAX_IMAGE_MANIFEST};
use super::session::{Session, Short};
use crate::http::text;
use serde::Deserialize;
use std::collections::BTreeMap;
use ureq::http::header::{HeaderMap, LINK};
use url::Url;

/// How many descriptors are listed at most.
pub const MAX_REFERRERS: usize = 1000;
/// How many pages of them are read.
const MAX_PAGES: u32 = 20;

/// Something that refers to a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// The type of the manifest.
    pub media_type: String,
    /// Its digest.
    pub digest: Digest,
    /// Its bytes.
    pub size: u64,
    /// What it is, such as the type of a signature.
    pub artifact_type: Option<String>,
    /// What its author says about it.
    pub annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Page {
    manifests: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    media_type: String,
    digest: String,
    size: u64,
    artifact_type: Option<String>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

pub(super) fn list(session: &Session, digest: &Digest) -> Result<Vec<Descriptor>, RegistryError> {
    let mut url = session.address("referrers", digest.as_str())?;
    let mut all = Vec::new();
    for page in 0..MAX_PAGES {
        let name = shown(&url);
        let Short { headers, bytes } = match session.short(&url, INDEX_TYPE, MAX_IMAGE_MANIFEST) {
            Ok(short) => short,
            // No such API, or, of the second page, a page that has gone.
            Err(RegistryError::Status { status: 404, .. }) if page == 0 => {
                return tagged(session, digest);
            }
            Err(error) => return Err(error),
        };
        add(&mut all, &bytes, &name)?;
        match next(&headers, &url) {
            None => return Ok(all),
            Some(Ok(next)) => url = next,
            Some(Err(cause)) => return Err(malformed(&name, cause)),
        }
    }
    Err(malformed(&shown(&url), "it has more than 20 pages"))
}

/// The index behind the tag `sha256-…`.
fn tagged(session: &Session, digest: &Digest) -> Result<Vec<Descriptor>, RegistryError> {
    let tag = format!("sha256-{}", digest.hex());
    let manifest = match manifest::wanted(session, &tag, None) {
        Err(RegistryError::Status { status: 404, .. }) => return Ok(Vec::new()),
        other => other?,
    };
    let name = shown(&session.address("manifests", &tag)?);
    if manifest.media_type != INDEX_TYPE {
        return Err(malformed(&name, "it is not an index"));
    }
    let mut all = Vec::new();
    add(&mut all, &manifest.bytes, &name)?;
    Ok(all)
}

fn add(all: &mut Vec<Descriptor>, bytes: &[u8], name: &str) -> Result<(), RegistryError> {
    let page: Page = serde_json::from_slice(bytes)
        .map_err(|_| malformed(name, "it is not an index of descriptors"))?;
    for entry in page.manifests {
        if all.len() >= MAX_REFERRERS {
            return Err(RegistryError::TooMany {
                name: name.to_owned(),
                limit: MAX_REFERRERS,
            });
        }
        all.push(Descriptor {
            digest: entry
                .digest
                .parse()
                .map_err(|cause| malformed(name, cause))?,
            media_type: entry.media_type,
            size: entry.size,
            artifact_type: entry.artifact_type.filter(|kind| !kind.is_empty()),
            annotations: entry.annotations,
        });
    }
    Ok(())
}

/// The address of the next page: `Link: </v2/…>; rel="next"`, on the same server.
fn next(headers: &HeaderMap, url: &Url) -> Option<Result<Url, &'static str>> {
    let link = text(headers, &LINK)?;
    let (target, parameters) = link.strip_prefix('<')?.split_once('>')?;
    let is_next = parameters
        .split(';')
        .any(|parameter| matches!(parameter.trim(), "rel=next" | "rel=\"next\""));
    if !is_next {
        return None;
    }
    Some(match url.join(target) {
        Ok(next) if next.origin() == url.origin() => Ok(next),
        Ok(_) => Err("its next page is on another server"),
        Err(_) => Err("the address of its next page is invalid"),
    })
}

fn malformed(name: &str, cause: &str) -> RegistryError {
    RegistryError::Malformed {
        name: name.to_owned(),
        cause: cause.to_owned(),
    }
}
