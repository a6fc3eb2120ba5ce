//! `go.work` (go.dev/ref/mod, "Workspaces"): the modules that are built together, the toolchain that does
//! it, and what stands in the place of other modules in all of them. It lists no modules with versions;
//! each `go.mod` that a workspace uses asks here what becomes of what it requires.
//!
//! The go command takes the first `go.work` in a directory or above it. A line that it refuses leaves the
//! file unjudged.

use std::sync::Arc;

use super::Read;
use crate::inventory::{Beside, Facts, Input, ParseError, Parser, Want, limits};
use crate::model::gap::GapKind;

/// `go.work`.
pub(crate) static PARSER: Parser = Parser {
    id: "go-work",
    wants: &[Want::Name("go.work")],
    parse,
    ..Parser::LOCKFILE
};

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let path: Arc<str> = input.path.into();
    let read = of(input.content.utf8()?, &path, facts);
    read.standard_library(&path, facts);
    Ok(())
}

fn of<'a>(text: &'a str, path: &str, facts: &mut Facts) -> Read<'a> {
    let mut read = Read {
        is_workspace: true,
        ..Read::default()
    };
    read.lines(text, path, facts);
    read
}

/// A workspace that uses the module of a `go.mod`.
pub(super) struct Workspace {
    text: String,
}

/// The workspace that a `go.mod` belongs to, if there is one.
pub(super) fn above(beside: &dyn Beside, path: &str, facts: &mut Facts) -> Option<Workspace> {
    let mut directories: Vec<&str> = path.split('/').collect();
    directories.pop();
    for up in 0..=directories.len() {
        let name = format!("{}go.work", "../".repeat(up));
        let bytes = match beside.read(&name, limits::METADATA_BYTES) {
            Ok(None) => continue,
            Ok(Some(bytes)) => bytes,
            Err(error) => {
                let cause = format!("{name} cannot be read: {error}");
                facts.unjudged(path, None, GapKind::Unreadable, cause);
                return None;
            }
        };
        // What is wrong with the file is told where it is read for itself.
        let text = String::from_utf8(bytes).ok()?;
        let read = of(&text, path, &mut Facts::default());
        let below = directories.get(directories.len().saturating_sub(up)..)?;
        let uses = |used: &&str| parts(used).eq(below.iter().copied());
        // The first one counts, even where it does not use the module.
        let is_used = read.used.iter().any(uses);
        return is_used.then_some(Workspace { text });
    }
    None
}

/// The directories that a path leads through.
fn parts(path: &str) -> impl Iterator<Item = &str> {
    let parts = path.split(['/', '\\']);
    parts.filter(|part| !part.is_empty() && *part != ".")
}

impl Workspace {
    /// Puts what the workspace says over what the module says.
    pub(super) fn apply<'a>(&'a self, module: &mut Read<'a>) {
        let work = of(&self.text, "", &mut Facts::default());
        if work.toolchain.is_some() {
            // It stands in the workspace, and is told there.
            module.toolchain = None;
        }
        for ((name, version), mut replacement) in work.replaced {
            // A module that the workspace replaces is replaced in no other way.
            module
                .replaced
                .retain(|(old, _), _| *old != name || version.is_some());
            replacement.line = None;
            module.replaced.insert((name, version), replacement);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::super::PARSER as MODULE;
    use super::*;
    use crate::inventory::Content;

    struct Files<'f>(&'f [(&'f str, &'f str)]);

    impl Beside for Files<'_> {
        fn read(&self, name: &str, _: u64) -> io::Result<Option<Vec<u8>>> {
            let found = self.0.iter().find(|(have, _)| *have == name);
            Ok(found.map(|(_, text)| text.as_bytes().to_vec()))
        }
    }

    const TEXT: &str = "module example.com/a\ngo 1.21\ntoolchain go1.21.0\nrequire example.com/b v1.0.0\nreplace example.com/b v1.0.0 => example.com/c v1.1.0\n";

    fn told(path: &str, files: &[(&str, &str)]) -> Vec<String> {
        let mut facts = Facts::default();
        let input = Input {
            path,
            content: Content::Whole(TEXT.as_bytes()),
            beside: &Files(files),
        };
        (MODULE.parse)(input, &mut facts).unwrap();
        let packages = facts.packages.iter();
        packages
            .map(|one| format!("{}@{}", one.name, one.version))
            .collect()
    }

    #[test]
    fn a_workspace_counts_before_the_module() {
        let own = ["stdlib@1.21.0", "example.com/c@v1.1.0"];
        assert_eq!(told("x/a/go.mod", &[]), own);
        let work = "go 1.22\ntoolchain go1.22.1\nuse (\n\t./a\n\t./b/\n)\nreplace example.com/b => example.com/d v2.0.0\n";
        assert_eq!(
            told("x/a/go.mod", &[("../go.work", work)]),
            ["example.com/d@v2.0.0"]
        );
        // Another directory, or one whose workspace is further up and does not use it.
        assert_eq!(told("x/c/go.mod", &[("../go.work", work)]), own);
        assert_eq!(told("x/a/go.mod", &[("../../go.work", work)]), own);
        let dot = "use .\nreplace example.com/b => ../b\n";
        assert_eq!(told("go.mod", &[("go.work", dot)]), ["stdlib@1.21.0"]);
    }
}
