//! Changes of single formats that no reader can tell from a good file, each with its reason.

use super::judge::{Item, Known, line_at, text_of};
use super::{Edit, Mutant};

struct Exception {
    parsers: &'static [&'static str],
    holds: fn(&Known<'_>, &Item, &Mutant) -> bool,
    reason: &'static str,
}

const ALL: &[Exception] = &[
    Exception {
        parsers: &[
            "composer-lock",
            "package-lock",
            "pipfile-lock",
            "poetry-lock",
        ],
        holds: |_, _, mutant| {
            let lists = [
                "packages",
                "packages-dev",
                "dependencies",
                "default",
                "develop",
                "package",
            ];
            matches!(&mutant.edit, Edit::Emptied(path) if lists.contains(&path.as_str()))
        },
        reason: "a project without dependencies has an empty list",
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

pub(super) fn hold(known: &Known<'_>, item: &Item, mutant: &Mutant) -> bool {
    ALL.iter()
        .filter(|exception| exception.parsers.contains(&known.parser))
        .any(|exception| (exception.holds)(known, item, mutant))
}

#[test]
fn every_exception_is_of_a_parser_and_has_a_reason() {
    for exception in ALL {
        assert!(exception.reason.len() > 20);
        for id in exception.parsers {
            let mut all = crate::inventory::parsers::ALL.iter();
            assert!(all.any(|parser| parser.id == *id), "{id}");
        }
    }
}
