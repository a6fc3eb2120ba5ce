//! `vcpkg/status` of an installation (vcpkg's `statusparagraph.cpp`): blocks of fields, as dpkg has them,
//! one for a port and one more for each of its features. Only what is installed counts. How often a
//! port was changed since is no part of its version.

use std::sync::Arc;

use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::entry;
use crate::inventory::{Evidence, Facts, Input, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use crate::model::package::PackageType;

/// `installed/vcpkg/status`, and the same below `vcpkg_installed`.
pub(crate) static PARSER: Parser = Parser {
    id: "vcpkg-status",
    wants: &[Want::Suffix("vcpkg/status")],
    accepts: Some(|path| {
        let mut folders = path.rsplit('/').skip(1);
        folders.next() == Some("vcpkg")
            && matches!(folders.next(), Some("installed" | "vcpkg_installed"))
    }),
    evidence: Evidence::Installed,
    database: true,
    parse,
    ..Parser::LOCKFILE
};

#[derive(Default)]
struct Port<'a> {
    line: u32,
    name: Option<&'a str>,
    version: Option<&'a str>,
    architecture: Option<&'a str>,
    status: Option<&'a str>,
    depends: Vec<&'a str>,
    is_feature: bool,
}

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let path: Arc<str> = input.path.into();
    let mut port: Option<Port<'_>> = None;
    for (text, line) in input.content.utf8()?.lines().zip(1_u32..) {
        if text.trim().is_empty() {
            if let Some(port) = port.take() {
                add(port, &path, facts);
            }
            continue;
        }
        if text.starts_with([' ', '\t']) {
            continue; // more of a description
        }
        let Some((key, value)) = text.split_once(':') else {
            let cause = "a line that is not a field";
            facts.unjudged(&path, Some(line), GapKind::Malformed, cause);
            continue;
        };
        let value = value.trim();
        let port = port.get_or_insert_with(|| Port {
            line,
            ..Port::default()
        });
        let place = match key {
            "Package" => {
                port.line = line;
                &mut port.name
            }
            "Version" => &mut port.version,
            "Architecture" => &mut port.architecture,
            "Status" => &mut port.status,
            "Feature" => {
                port.is_feature = true;
                continue;
            }
            "Depends" => {
                let names = value
                    .split(',')
                    .map(|one| one.trim().split([':', '[']).next());
                port.depends
                    .extend(names.flatten().filter(|name| !name.is_empty()));
                continue;
            }
            "Port-Version" | "Multi-Arch" | "Abi" | "Description" | "Maintainer" | "Type"
            | "Default-Features" | "Homepage" | "Source" | "License" | "Recommends" => continue,
            other => {
                let cause = format!("{} is not a field that vcpkg writes", shown(other));
                facts.malformed(&path, Some(line), cause);
                continue;
            }
        };
        if place.replace(value).is_some() {
            let cause = format!("the field {key} comes twice in one port");
            facts.unjudged(&path, Some(line), GapKind::Ambiguous, cause);
        }
    }
    if let Some(port) = port {
        add(port, &path, facts);
    }
    Ok(())
}

fn add(port: Port<'_>, path: &Arc<str>, facts: &mut Facts) {
    let line = Some(port.line);
    let Some(name) = port
        .name
        .filter(|name| super::vcpkg_manifest::is_name(name))
    else {
        return facts.malformed(path, line, "a port without a name");
    };
    match port.status {
        Some("install ok installed" | "install ok half-installed") => {}
        Some("purge ok not-installed" | "deinstall ok config-files") => return,
        _ => {
            let cause = format!("port {name} does not say whether it is installed");
            return facts.malformed(path, line, cause);
        }
    }
    if port.is_feature {
        return; // a part of the port before it
    }
    let Some(version) = port.version else {
        let cause = format!("port {name} has no version");
        return facts.malformed(path, line, cause);
    };
    let mut package = entry(PackageType::VCPKG, path, port.line, name, version);
    package.arch = port.architecture.map(Arc::from);
    package.dependencies = port.depends.into_iter().map(Arc::from).collect();
    facts.add(package);
}
