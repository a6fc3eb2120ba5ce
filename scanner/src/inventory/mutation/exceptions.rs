//! Changes of single formats that no reader can tell from a good file, each with its reason.

use super::items::{Item, Known, line_at, text_of};
use super::{Edit, Mutant};

struct Exception {
    parsers: &'static [&'static str],
    holds: fn(&Known<'_>, &Item, &Mutant) -> bool,
    reason: &'static str,
}

const ALL: &[Exception] = &[
    Exception {
        parsers: &["cargo-lock"],
        holds: |known, _, mutant| {
            let cut = matches!(mutant.edit, Edit::Cut(_)) && touches(known, mutant, "version");
            cut || touches(known, mutant, "source")
        },
        reason: "a package without a source is a member of the workspace; a checksum that it has \
                 tells otherwise, and git has none",
    },
    Exception {
        parsers: &["go-mod"],
        holds: |known, item, mutant| {
            item.name == "stdlib"
                && touches(known, mutant, "toolchain")
                && matches!(mutant.edit, Edit::Line(_))
        },
        reason: "without a toolchain line nothing says which standard library is built in",
    },
    Exception {
        parsers: &["pnpm-lock"],
        holds: |_, _, mutant| match &mutant.edit {
            Edit::Emptied(path) => path == "packages",
            _ => {
                mutant.note.starts_with("packages: left out")
                    || mutant.note.starts_with("packages: is Null")
            }
        },
        reason: "pnpm writes no packages where there are none; what depends on one tells otherwise",
    },
    Exception {
        parsers: &["package-lock", "yarn-lock"],
        holds: |known, _, mutant| {
            touches(known, mutant, "resolved") || touches(known, mutant, "\"resolved")
        },
        reason: "an address that names no package leaves the name that the entry has",
    },
    Exception {
        parsers: &["yarn-lock"],
        holds: |known, _, mutant| match &mutant.edit {
            Edit::Bytes(range) => {
                text_of(known.source, line_at(known.source, range.start)).contains("@npm:")
            }
            _ => false,
        },
        reason: "an alias whose colon or second at sign is gone is a name with an odd range",
    },
    Exception {
        parsers: &["requirements", "requirements-included"],
        holds: |known, _, mutant| match &mutant.edit {
            Edit::Bytes(range) => {
                let line = line_at(known.source, range.start);
                let text = text_of(known.source, line);
                let archive = [".whl", ".tar.gz", ".zip"]
                    .iter()
                    .any(|end| text.contains(end));
                let at = range.start;
                archive || mutant.bytes.get(at) == Some(&b'-') && text.contains("==")
            }
            _ => false,
        },
        reason: "a path without the extension of an archive is the project itself, and what begins \
                 with a hyphen is an option",
    },
    Exception {
        parsers: &[
            "composer-installed",
            "composer-lock",
            "conan-lock",
            "conda-lock",
            "helm-chart",
            "package-lock",
            "pipfile-lock",
            "pixi-lock",
            "poetry-lock",
            "pubspec-lock",
            "pylock",
            "renv-lock",
            "stack-lock",
            "swift-resolved",
            "uv-lock",
            "vcpkg-manifest",
        ],
        holds: |_, _, mutant| {
            let lists = [
                "packages",
                "packages-dev",
                "dependencies",
                "default",
                "develop",
                "package",
                "pins",
                "Packages",
                "requires",
            ];
            let (path, what) = mutant.note.rsplit_once(": ").unwrap_or_default();
            // In version 1 of npm's, there is no key then; in version 1 of Swift's, the list is not
            // at the top.
            let absent = path.ends_with("dependencies") && ["left out", "is Null"].contains(&what)
                || path == "build_requires" && ["left out", "is List([])"].contains(&what)
                || path == "object/pins" && what == "is List([])";
            absent || matches!(&mutant.edit, Edit::Emptied(path) if lists.contains(&path.as_str()))
        },
        reason: "a project without dependencies has an empty list",
    },
    Exception {
        parsers: &["go-work"],
        holds: |known, item, mutant| {
            let is_line = touches(known, mutant, "toolchain") || touches(known, mutant, "go ");
            item.name == "stdlib" && is_line
        },
        reason: "without a toolchain line, or with one older than the go line, nothing says which \
                 standard library is built in",
    },
    Exception {
        parsers: &["julia-manifest"],
        holds: |_, _, mutant| {
            let left_out = mutant.note.strip_suffix(": left out");
            left_out.is_some_and(|key| !key.contains('/') && key != "deps")
        },
        reason: "in the first format every key at the top is a package, and a shorter list is a good one",
    },
    Exception {
        parsers: &["podfile-lock"],
        holds: |known, item, mutant| item.is_gap && touches(known, mutant, ":podspec"),
        reason: "an address without its scheme is a path in the project",
    },
    Exception {
        parsers: &["wordpress-plugin"],
        holds: |known, _, mutant| {
            let head = |line| text_of(known.source, line).contains("Plugin Name:");
            match &mutant.edit {
                Edit::Bytes(range) => head(line_at(known.source, range.start)),
                Edit::Line(line) => head(Some(*line)),
                _ => false,
            }
        },
        reason: "a PHP file whose first comment names no plug-in is one of its other files",
    },
    Exception {
        parsers: &["cartfile-resolved"],
        holds: |_, _, mutant| matches!(mutant.edit, Edit::Line(_)),
        reason: "a line is a whole entry, and has no host where that is GitHub",
    },
    Exception {
        parsers: &["deno-lock", "pdm-lock"],
        holds: |_, _, mutant| {
            let lists = [
                "jsr",
                "npm",
                "npm/packages",
                "package",
                "packages",
                "packages/jsr",
                "packages/npm",
                "remote",
            ];
            if let Edit::Emptied(path) = &mutant.edit {
                return lists.contains(&path.as_str());
            }
            let (path, what) = mutant.note.rsplit_once(": ").unwrap_or_default();
            let is_entry = |list: &str| {
                let below = path.strip_prefix(list);
                below.is_some_and(|below| below.starts_with('/') && below.contains(['@', ':']))
            };
            let is_list = lists.contains(&path);
            what == "left out" && (is_list || lists.iter().any(|list| is_entry(list)))
                || what == "is Null" && is_list
        },
        reason: "these tools leave out a list of nothing; what the project asks for tells otherwise",
    },
    Exception {
        parsers: &["package-lock"],
        holds: |_, _, mutant| matches!(mutant.edit, Edit::Entry),
        reason: "in version 1 a package holds those below it, which are left out with it",
    },
    Exception {
        parsers: &["package-lock"],
        holds: |known, _, mutant| match &mutant.edit {
            Edit::Bytes(range) => {
                text_of(known.source, line_at(known.source, range.start)).contains("\"name\":")
            }
            Edit::Line(line) => text_of(known.source, Some(*line)).contains("\"name\":"),
            Edit::Key(key) => key == "name",
            Edit::Entry | Edit::Value => mutant.note.contains("/name: "),
            Edit::Cut(_) | Edit::Emptied(_) => false,
        },
        reason: "npm writes a name only where the directory has another; without it, that is the name",
    },
    Exception {
        parsers: &["dotnet-deps"],
        holds: |_, _, mutant| {
            let (path, what) = mutant.note.rsplit_once(": ").unwrap_or_default();
            let is_entry = path.starts_with("targets/") && path.matches('/').count() >= 4;
            is_entry && ["left out", "is Table([])"].contains(&what)
        },
        reason: "a package that brings no files is there for the compiler only, and nothing says how \
                 many files there were",
    },
    Exception {
        parsers: &[
            "dotnet-deps",
            "maven-install",
            "nuget-assets",
            "nuget-lock",
            "sbt-lock",
        ],
        holds: |_, _, mutant| {
            let lists = ["libraries", "dependency_tree", "dependencies"];
            let (path, what) = mutant.note.rsplit_once(": ").unwrap_or_default();
            let is_entry = path.starts_with("dependencies/") && what == "left out";
            is_entry
                || matches!(&mutant.edit, Edit::Emptied(path)
                    if lists.iter().any(|list| path.starts_with(list)))
        },
        reason: "what nothing else depends on may have been removed, and an empty list is that of a \
                 project without dependencies; what depends on one tells otherwise",
    },
    Exception {
        parsers: &["maven-pom", "nuget-central-versions"],
        holds: |known, item, mutant| match &mutant.edit {
            Edit::Line(line) => {
                item.line == Some(*line) && text_of(known.source, item.line).contains("$(")
            }
            _ => false,
        },
        reason: "a line that has a property for the version is the whole entry",
    },
    Exception {
        parsers: &["rpm-manifest"],
        holds: |_, _, mutant| matches!(mutant.edit, Edit::Line(_)),
        reason: "a list without an end has as many packages as lines",
    },
    Exception {
        parsers: &["go-mod"],
        holds: |known, item, mutant| {
            let line = match &mutant.edit {
                Edit::Bytes(range) => line_at(known.source, range.start),
                Edit::Line(line) => Some(*line),
                _ => None,
            };
            let replacement = text_of(known.source, item.line);
            let touched = text_of(known.source, line);
            replacement.split_once("=>").is_some_and(|(old, _)| {
                let old = old.trim_start().trim_start_matches("replace").trim_start();
                let name = old.split_whitespace().next().unwrap_or(old);
                touched.contains(name)
            })
        },
        reason: "a replace line for another module, or a requirement of another, replaces nothing",
    },
];

/// Whether the change is in a line that begins with this word, or in the value of this key.
fn touches(known: &Known<'_>, mutant: &Mutant, word: &str) -> bool {
    let begins = |line| text_of(known.source, line).trim_start().starts_with(word);
    match &mutant.edit {
        Edit::Bytes(range) => begins(line_at(known.source, range.start)),
        Edit::Line(line) => begins(Some(*line)),
        Edit::Cut(at) => begins(line_at(known.source, *at)),
        Edit::Key(key) => key == word,
        Edit::Value | Edit::Entry | Edit::Emptied(_) => mutant.note.contains(&format!("/{word}: ")),
    }
}

pub(super) fn hold(known: &Known<'_>, item: &Item, mutant: &Mutant) -> bool {
    ALL.iter()
        .filter(|exception| exception.parsers.contains(&known.parser))
        .any(|exception| (exception.holds)(known, item, mutant))
}

#[test]
fn every_exception_is_of_a_parser_and_has_a_reason() {
    for exception in ALL {
        assert!(exception.reason.len() > 20);
        let mut all = crate::inventory::parsers::ALL.iter();
        let exists = all.any(|parser| exception.parsers.contains(&parser.id));
        assert!(exists, "{}", exception.reason);
    }
}
