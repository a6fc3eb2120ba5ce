//! The list of rpms in an image from which rpm and its database were removed, as Azure Linux and
//! its predecessor make them: `var/lib/rpmmanifest/container-manifest-2`, one package a line, with
//! tabs between name, version-release, times of installation and build, vendor, epoch, size,
//! architecture, epoch as a number, and source rpm. The first list beside it says less of the same.

use std::sync::Arc;

use super::header;
use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::is_plain;
use crate::inventory::text::with_lines;
use crate::inventory::{Evidence, Facts, Input, Need, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use crate::model::location::Location;
use crate::model::package::{Package, PackageType};

/// The second list.
pub(crate) static PARSER: Parser = Parser {
    id: "rpm-manifest",
    version: 1,
    wants: &[Want::Path("var/lib/rpmmanifest/container-manifest-2")],
    accepts: None,
    need: Need::Stream,
    evidence: Evidence::Installed,
    database: true,
    parse,
};

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let path: Arc<str> = input.path.into();
    with_lines(input.content, |mut lines| {
        while let Some(line) = lines.next()? {
            if line.cut {
                let cause = "a line longer than the limit was skipped";
                facts.gap(&path, Some(line.number), GapKind::Limit, cause);
                continue;
            }
            if line.bytes.trim_ascii().is_empty() {
                continue;
            }
            let place = Location::line(Arc::clone(&path), line.number);
            match line.text().map(|text| package(text, place)) {
                Some(Ok(package)) => facts.add(package),
                Some(Err(cause)) => facts.malformed(&path, Some(line.number), cause),
                None => facts.malformed(&path, Some(line.number), "a line that is not UTF-8"),
            }
        }
        Ok(())
    })
}

fn package(line: &str, place: Location) -> Result<Package, String> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [name, version, _, _, vendor, _, _, arch, epoch, source] = fields.as_slice() else {
        return Err("a line without the ten fields of a package".to_owned());
    };
    if name.is_empty() || !is_plain(name) || !is_plain(version) || !version.contains('-') {
        return Err(format!(
            "package {}: an invalid name or version",
            shown(name)
        ));
    }
    let mut package = Package::new(PackageType::RPM, *name, *version).at(place);
    package.arch = Some(*arch).filter(|arch| *arch != "(none)").map(Arc::from);
    package.vendor = Some(*vendor)
        .filter(|vendor| *vendor != "(none)")
        .map(Arc::from);
    package.epoch = epoch.parse().ok().filter(|&epoch| epoch != 0);
    header::set_source(&mut package, Some(source));
    Ok(package)
}
