//! What conda packages have in common, whichever file lists them: names, versions and the file names
//! of archives, `name-version-build.conda` (docs.conda.io, "Package naming conventions").
//!
//! No public source has advisories for conda packages: they are listed, and matching tells how many
//! were not judged. What they hold of Python or R has its own metadata beside them.

use std::sync::Arc;

use crate::inventory::Facts;
use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::entry;
use crate::model::package::{Package, PackageType};

pub(in super::super) mod explicit;
pub(in super::super) mod lock;
pub(in super::super) mod meta;
pub(in super::super) mod pixi;

/// Where matching counts them.
const ECOSYSTEM: &str = "conda";

/// The kinds of archives.
const ARCHIVES: [&str; 2] = [".conda", ".tar.bz2"];

/// Whether conda may have a package of this name.
fn is_name(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !text.is_empty() && text.bytes().all(known)
}

/// Whether conda's grammar has this version: an epoch, numbers and letters, a local part.
fn is_version(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._+!".contains(&byte);
    !text.is_empty() && text.bytes().all(known)
}

/// An entry of a list; a gap where its name or version is none.
fn package(
    facts: &mut Facts,
    path: &Arc<str>,
    line: u32,
    name: &str,
    version: &str,
) -> Option<Package> {
    if !is_name(name) || !is_version(version) {
        let cause = format!(
            "{:?} {:?} is not a conda package and its version",
            shown(name),
            shown(version)
        );
        facts.malformed(path, Some(line), cause);
        return None;
    }
    let mut package = entry(PackageType::CONDA, path, line, name, version);
    package.ecosystem = Some(ECOSYSTEM.into());
    Some(package)
}

/// The file name at an address: what comes before it may hold a token of a private channel.
fn file(address: &str) -> &str {
    let address = address.split(['#', '?']).next().unwrap_or(address);
    address.rsplit(['/', '\\']).next().unwrap_or(address)
}

/// Name and version in the file name of an archive, at whatever address.
fn archive(address: &str) -> Option<(&str, &str)> {
    let file = file(address);
    let stem = ARCHIVES.iter().find_map(|end| file.strip_suffix(end))?;
    let (rest, build) = stem.rsplit_once('-')?;
    let (name, version) = rest.rsplit_once('-')?;
    (is_name(name) && is_version(version) && !build.is_empty()).then_some((name, version))
}

/// The name that a dependency begins with: `python >=3.9,<4`, `conda-forge::numpy 1.*`.
fn dependency(text: &str) -> Option<Arc<str>> {
    let text = text.rsplit("::").next().unwrap_or(text).trim_start();
    let end = text.find([' ', '=', '<', '>', '!', '~', '[', ',']);
    let name = text.get(..end.unwrap_or(text.len()))?;
    // What begins with two underscores is a property of the machine.
    (is_name(name) && !name.starts_with("__")).then(|| name.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_and_dependencies_tell_names() {
        for (address, expected) in [
            (
                "https://conda.anaconda.org/conda-forge/linux-64/bzip2-1.0.8-h5eee18b_6.conda#00",
                Some(("bzip2", "1.0.8")),
            ),
            (
                "_libgcc_mutex-0.1-main.tar.bz2",
                Some(("_libgcc_mutex", "0.1")),
            ),
            ("x/a-b-1!2.0+c-0.conda", Some(("a-b", "1!2.0+c"))),
            ("a-1.0.conda", None),
            ("a-1.0-0.zip", None),
        ] {
            assert_eq!(archive(address), expected, "{address}");
        }
        for (text, expected) in [
            ("python >=3.9", Some("python")),
            ("conda-forge::numpy=1.2", Some("numpy")),
            ("blas", Some("blas")),
            ("__glibc >=2.17", None),
        ] {
            assert_eq!(dependency(text).as_deref(), expected, "{text}");
        }
    }
}
