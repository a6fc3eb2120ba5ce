//! Installed Flatpaks: `<app|runtime>/<id>/<arch>/<branch>/<commit>/metadata` below
//! `var/lib/flatpak` (flatpak-metadata(5)), a key file with the name of the application or runtime.
//! What Flatpak itself tells versions apart by is the branch, so that it is the version here; the
//! release that a vendor writes into `AppStream` data is a text for people.

use crate::inventory::collect::shown;
use crate::inventory::text::with_lines;
use crate::inventory::{Evidence, Facts, Input, Need, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use crate::model::location::Location;
use crate::model::package::{Package, PackageType};

/// `metadata` of a deployed commit.
pub(crate) static PARSER: Parser = Parser {
    id: "flatpak-metadata",
    version: 1,
    wants: &[Want::Name("metadata")],
    accepts: Some(|path| reference(path).is_some()),
    need: Need::Stream,
    evidence: Evidence::Installed,
    database: false,
    parse,
};

/// Where a deployed commit lies.
#[derive(Debug, PartialEq, Eq)]
struct Reference<'a> {
    id: &'a str,
    arch: &'a str,
    branch: &'a str,
}

fn reference(path: &str) -> Option<Reference<'_>> {
    let rest = path.strip_prefix("var/lib/flatpak/")?;
    let mut parts = rest.split('/');
    let kind = parts.next()?;
    let found = Reference {
        id: parts.next()?,
        arch: parts.next()?,
        branch: parts.next()?,
    };
    let commit = parts.next()?;
    // `active` is a link to the commit that runs.
    let is_deployed = matches!(kind, "app" | "runtime") && commit != "active";
    (is_deployed && parts.next() == Some("metadata") && parts.next().is_none()).then_some(found)
}

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let path = input.path;
    let Some(Reference { id, arch, branch }) = reference(path) else {
        return Ok(()); // `accepts` takes no other
    };
    let named = with_lines(input.content, |mut lines| {
        let mut group = String::new();
        let mut named = None;
        while let Some(line) = lines.next()? {
            if line.cut {
                let cause = "a line longer than the limit was skipped";
                facts.gap(path, Some(line.number), GapKind::Limit, cause);
                continue;
            }
            // Texts for people may be anything; the name is ASCII.
            let text = String::from_utf8_lossy(line.bytes);
            let text = text.trim();
            if text.starts_with('[') {
                text.clone_into(&mut group);
            } else if matches!(&*group, "[Application]" | "[Runtime]")
                && let Some((key, value)) = text.split_once('=')
                && key.trim() == "name"
            {
                named = Some((line.number, value.trim().to_owned()));
            }
        }
        Ok(named)
    })?;
    if named.as_ref().is_none_or(|(_, name)| name != id) {
        let cause = format!("{}: its metadata do not have this name", shown(id));
        facts.malformed(path, named.as_ref().map(|(line, _)| *line), cause);
    }
    let line = named.map(|(line, _)| line);
    let place = line.map_or_else(|| Location::file(path), |line| Location::line(path, line));
    let mut package = Package::new(PackageType::FLATPAK, id, branch).at(place);
    package.arch = Some(arch.into());
    facts.add(package);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_deployed_commits_are_wanted() {
        let path = "var/lib/flatpak/runtime/org.x.Platform/x86_64/24.08/ab12/metadata";
        let found = reference(path).unwrap();
        assert_eq!((found.id, found.branch), ("org.x.Platform", "24.08"));
        for other in [
            "var/lib/flatpak/app/org.x.App/x86_64/stable/active/metadata",
            "var/lib/flatpak/app/org.x.App/x86_64/stable/ab/files/metadata",
            "var/lib/flatpak/repo/a/b/c/d/metadata",
            "metadata",
        ] {
            assert_eq!(reference(other), None, "{other}");
        }
    }
}
