//! `cabal.project.freeze`, and `cabal.config` of older versions (cabal.readthedocs.io, "cabal freeze"):
//! fields, of which `constraints` has one package or flag after every comma. What is `installed` came
//! with the compiler, in a version that the file does not tell; a range is no version. Has no edges.

use std::sync::Arc;

use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::entry;
use crate::inventory::{Facts, Input, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use crate::model::package::PackageType;

/// `cabal.project.freeze`.
pub(crate) static PARSER: Parser = Parser {
    id: "cabal-freeze",
    wants: &[
        Want::Name("cabal.project.freeze"),
        Want::Name("cabal.config"),
    ],
    parse,
    ..Parser::LOCKFILE
};

/// Other fields that a freeze file has, and that name no version.
const OTHERS: [&str; 6] = [
    "active-repositories",
    "index-state",
    "with-compiler",
    "remote-repo",
    "remote-repo-cache",
    "world-file",
];

/// The public repository.
const PUBLIC: &str = "hackage.haskell.org";

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let path: Arc<str> = input.path.into();
    let mut field: Option<&str> = None;
    let mut is_open = false;
    let mut installed = Installed::default();
    let mut any = false;
    for (text, line) in input.content.utf8()?.lines().zip(1_u32..) {
        let trimmed = text.trim();
        if trimmed.is_empty() || trimmed.starts_with("--") {
            continue;
        }
        let mut rest = trimmed;
        if !text.starts_with([' ', '\t']) {
            let Some((key, value)) = trimmed.split_once(':') else {
                let cause = format!("{} is not a field", shown(trimmed));
                facts.unjudged(&path, Some(line), GapKind::Malformed, cause);
                field = None;
                continue;
            };
            if is_open {
                let cause = "a list of constraints that ends with a comma: the file may be cut";
                facts.malformed(&path, Some(line), cause);
            }
            (field, rest) = (Some(key.trim()), value.trim());
        }
        match field {
            Some("constraints") => {
                any = true;
                is_open = rest.ends_with(',');
                for one in rest.split(',').map(str::trim).filter(|one| !one.is_empty()) {
                    constraint(one, line, &path, facts, &mut installed);
                }
                continue;
            }
            Some("active-repositories") => repositories(rest, line, &path, facts),
            Some(other) if OTHERS.contains(&other) => {}
            Some(other) => {
                let cause = format!("{} is not a field of a freeze file", shown(other));
                facts.unjudged(&path, Some(line), GapKind::Malformed, cause);
            }
            None => {
                let cause = "a line that belongs to no field";
                facts.unjudged(&path, Some(line), GapKind::Malformed, cause);
            }
        }
        is_open = false;
    }
    if is_open {
        let cause = "the list of constraints ends with a comma: the file may be cut";
        facts.malformed(&path, None, cause);
    }
    if !any {
        return Err(ParseError::new("there are no constraints"));
    }
    installed.close(&path, facts);
    Ok(())
}

/// A repository beside Hackage: any of the packages may come from there.
fn repositories(text: &str, line: u32, path: &str, facts: &mut Facts) {
    for one in text.split(',') {
        let name = one.trim().split(':').next().unwrap_or_default();
        if !name.is_empty() && name != PUBLIC {
            let cause = format!(
                "packages may come from the repository {}, which public advisories do not cover",
                shown(name)
            );
            facts.gap(path, Some(line), GapKind::ForeignPackage, cause);
        }
    }
}

/// Packages that came with the compiler.
#[derive(Default)]
struct Installed {
    first: Option<(Arc<str>, u32)>,
    count: usize,
}

impl Installed {
    fn close(self, path: &str, facts: &mut Facts) {
        let Some((name, line)) = self.first else {
            return;
        };
        let cause = format!(
            "{} packages, {name} first, come with the compiler, in versions that the file does not have",
            self.count
        );
        facts.gap(path, Some(line), GapKind::UnknownVersion, cause);
    }
}

fn constraint(
    text: &str,
    line: u32,
    path: &Arc<str>,
    facts: &mut Facts,
    installed: &mut Installed,
) {
    let text = text.strip_prefix("any.").unwrap_or(text);
    let (name, rest) =
        text.split_once([' ', '=', '<', '>', '^', '+', '-'])
            .map_or((text, ""), |(before, _)| {
                // A hyphen may stand in the name.
                let end = text
                    .find([' ', '=', '<', '>', '^', '+'])
                    .unwrap_or(text.len());
                let name = text.get(..end).unwrap_or(before);
                (name, text.get(end..).unwrap_or_default().trim())
            });
    // `setup.x` and `y:setup.x` constrain what builds a package.
    let name = name.rsplit([':', '.']).next().unwrap_or(name);
    if !is_name(name) {
        let cause = format!("{} is not a constraint", shown(text));
        return facts.malformed(path, Some(line), cause);
    }
    if rest == "installed" {
        installed.count = installed.count.saturating_add(1);
        installed.first.get_or_insert_with(|| (name.into(), line));
        return;
    }
    let mut flags = rest.split_whitespace();
    if !rest.is_empty() && flags.all(|word| word.starts_with(['+', '-'])) {
        return; // flags of the package, which say nothing of its version
    }
    match rest.strip_prefix("==").map(str::trim) {
        Some(version) if is_version(version) => {
            facts.add(entry(PackageType::HACKAGE, path, line, name, version));
        }
        _ if rest.starts_with(['=', '<', '>', '^']) => {
            let cause = format!("package {} has {}, not a version", shown(name), shown(rest));
            facts.gap(path, Some(line), GapKind::Unpinned, cause);
        }
        _ => {
            let cause = format!("{} is not a constraint", shown(text));
            facts.malformed(path, Some(line), cause);
        }
    }
}

/// Words of letters and digits with hyphens between, one letter in each at least.
pub(super) fn is_name(text: &str) -> bool {
    text.split('-').all(|word| {
        !word.is_empty()
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && word.bytes().any(|byte| byte.is_ascii_alphabetic())
    })
}

/// Numbers with dots between.
pub(super) fn is_version(text: &str) -> bool {
    text.split('.')
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}
