//! `go.mod` (go.dev/ref/mod). Since Go 1.17 it lists all modules of the build, indirect ones too.
//! A replacement by another module counts instead of what it replaces; one by a directory is
//! part of the project. The standard library is a package at the version of the `toolchain`
//! line; the `go` line is a lower bound, not the version that builds, and gives none. Before Go 1.17
//! the list of a `vendor` folder is read as well, or else `go.sum`. What a workspace says of the module
//! (`go.work`) counts before what its own file says.
//!
//! A line that the go command refuses leaves the file unjudged: it builds nothing from it.

use std::collections::BTreeMap;
use std::sync::Arc;

use self::version::GoVersion;
use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::{entry, file_name};
use crate::inventory::{
    Beside, Evidence, Facts, Include, Input, Need, ParseError, Parser, Want, limits,
};
use crate::model::gap::GapKind;
use crate::model::package::PackageType;

pub(super) mod line;
mod version;
pub(in crate::inventory::parsers) mod work;

/// `go.mod`.
pub(crate) static PARSER: Parser = Parser {
    id: "go-mod",
    version: 2,
    wants: &[Want::Name("go.mod"), Want::Extension(".mod")],
    accepts: Some(is_module),
    need: Need::Whole(limits::METADATA_BYTES),
    evidence: Evidence::Locked,
    database: false,
    parse,
};

/// Whether a file is `go.mod`, or one that people give to `-modfile`, mostly for tools. Other
/// programs have files of this extension, too.
fn is_module(path: &str) -> bool {
    let directory = path.rsplit('/').nth(1).unwrap_or_default();
    let Some(stem) = file_name(path).strip_suffix(".mod") else {
        return false;
    };
    directory == ".bingo"
        || stem == "go"
        || stem.starts_with("go.")
        || ["tool", "tools"].iter().any(|word| {
            stem.strip_suffix(word)
                .is_some_and(|before| before.is_empty() || before.ends_with(['.', '-', '_']))
        })
}

/// The first version whose `go.mod` lists indirect modules.
const LISTS_ALL: GoVersion = GoVersion::language(1, 17);

/// The first version that builds from `vendor` where there is one.
const USES_VENDOR: GoVersion = GoVersion::language(1, 14);

struct Module<'a> {
    line: u32,
    name: &'a str,
    version: &'a str,
    /// Nothing of the project itself imports it.
    is_indirect: bool,
}

/// What stands for a module: another at a version, or a directory.
struct Replacement<'a> {
    /// `None` where another file says it.
    line: Option<u32>,
    name: &'a str,
    version: Option<&'a str>,
}

/// What a file has said so far.
#[derive(Default)]
struct Read<'a> {
    /// It is a `go.work`.
    is_workspace: bool,
    named: bool,
    /// The directories of a workspace.
    used: Vec<&'a str>,
    /// The `go` line, and where it stands.
    go: Option<(u32, GoVersion)>,
    toolchain: Option<(u32, &'a str)>,
    required: Vec<Module<'a>>,
    /// By name, and by the version that is replaced; `None` replaces every version.
    replaced: BTreeMap<(&'a str, Option<&'a str>), Replacement<'a>>,
}

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let path: Arc<str> = input.path.into();
    let mut read = Read::default();
    read.lines(input.content.utf8()?, &path, facts);
    if !read.named {
        return Err(ParseError::new(
            "no module directive, which every go.mod has",
        ));
    }
    let workspace = work::above(input.beside, &path, facts);
    if let Some(workspace) = &workspace {
        workspace.apply(&mut read);
    }
    read.standard_library(&path, facts);
    read.modules(&path, input.beside, facts);
    Ok(())
}

impl<'a> Read<'a> {
    /// Takes all directives, or notes those that the go command refuses.
    fn lines(&mut self, text: &'a str, path: &str, facts: &mut Facts) {
        let mut block: Option<&str> = None;
        for (text, line) in text.split('\n').zip(1_u32..) {
            let refuse = |facts: &mut Facts, cause: String| {
                facts.unjudged(path, Some(line), GapKind::Malformed, cause);
            };
            let words = match line::words(text) {
                Ok(words) => words,
                Err(cause) => {
                    refuse(facts, cause.to_owned());
                    continue;
                }
            };
            let (verb, words) = match (block, words.as_slice()) {
                (_, []) | (None, [_, "(", ")"]) => continue,
                (Some(_), [")"]) => {
                    block = None;
                    continue;
                }
                (None, [verb, "("]) => {
                    block = Some(verb);
                    continue;
                }
                (Some(verb), words) => (verb, words),
                (None, [verb, words @ ..]) => (*verb, words),
            };
            if words.iter().any(|word| matches!(*word, "(" | ")")) {
                refuse(facts, "a parenthesis inside of a line".to_owned());
            } else if let Err(cause) = self.directive(verb, words, (line, line::is_indirect(text)))
            {
                refuse(facts, cause);
            }
        }
        if let Some(verb) = block {
            let cause = format!("the block {} has no end", shown(verb));
            facts.unjudged(path, None, GapKind::Malformed, cause);
        }
    }

    /// Takes one directive, or says why the go command would not.
    fn directive(
        &mut self,
        verb: &str,
        words: &[&'a str],
        (line, is_indirect): (u32, bool),
    ) -> Result<(), String> {
        match (verb, words) {
            ("use", [directory]) if self.is_workspace => self.used.push(directory),
            ("module" | "require" | "exclude" | "retract" | "tool" | "ignore", _)
                if self.is_workspace =>
            {
                return Err(format!("{verb} is not a directive of a go.work"));
            }
            ("module", [_]) if !self.named => self.named = true,
            ("go", [text]) => {
                let version = GoVersion::of(text);
                let version = version.ok_or_else(|| format!("{} is not a version", shown(text)))?;
                self.go = Some((line, version));
            }
            ("toolchain", [text]) => self.toolchain = Some((line, text)),
            ("require", &[name, version]) => self.required.push(Module {
                line,
                name,
                version,
                is_indirect,
            }),
            ("replace", &[old, "=>", ref new @ ..]) => self.replace((old, None), new, line)?,
            ("replace", &[old, version, "=>", ref new @ ..]) => {
                self.replace((old, Some(version)), new, line)?;
            }
            ("godebug" | "exclude" | "retract" | "tool" | "ignore", _) => {}
            ("module" | "go" | "toolchain" | "require" | "replace", _) => {
                return Err(format!("a {verb} line with missing or surplus parts"));
            }
            _ => return Err(format!("{} is not a directive of a go.mod", shown(verb))),
        }
        Ok(())
    }

    fn replace(
        &mut self,
        old: (&'a str, Option<&'a str>),
        new: &[&'a str],
        line: u32,
    ) -> Result<(), String> {
        let (name, version) = match *new {
            [name] if line::is_directory(name) => (name, None),
            [name, version] if !line::is_directory(name) => (name, Some(version)),
            _ => return Err("a replacement is a directory, or a module and a version".to_owned()),
        };
        self.replaced.insert(
            old,
            Replacement {
                line: Some(line),
                name,
                version,
            },
        );
        Ok(())
    }

    /// The toolchain builds, unless it is older than what the module needs: then a newer one
    /// does, and which is not said.
    fn standard_library(&self, path: &Arc<str>, facts: &mut Facts) {
        let Some((line, text)) = self.toolchain else {
            return;
        };
        if text == "default" {
            return;
        }
        let number = text
            .strip_prefix("go")
            .and_then(|text| text.split('-').next());
        let known = number.and_then(GoVersion::of);
        let (Some(number), Some(version)) = (number, known) else {
            let cause = format!("{} is not a toolchain", shown(text));
            return facts.unjudged(path, Some(line), GapKind::Malformed, cause);
        };
        if self.go.is_none_or(|(_, least)| version >= least) {
            facts.add(entry(PackageType::GOLANG, path, line, "stdlib", number));
        }
    }

    fn modules(self, path: &Arc<str>, beside: &dyn Beside, facts: &mut Facts) {
        let lists_all = self.go.is_some_and(|(_, version)| version >= LISTS_ALL);
        let mut first = None;
        for module in self.required {
            let replacement = self
                .replaced
                .get(&(module.name, Some(module.version)))
                .or_else(|| self.replaced.get(&(module.name, None)));
            let (line, name, version) = match replacement {
                None => (module.line, module.name, module.version),
                Some(Replacement {
                    line,
                    name,
                    version: Some(version),
                }) => (line.unwrap_or(module.line), *name, *version),
                Some(_) => continue,
            };
            first = first.or(Some(line));
            if !line::is_path(name) {
                let cause = format!("{} is not a path that a module can have", shown(name));
                facts.malformed(path, Some(line), cause);
            } else if !line::is_version(version) {
                let cause = format!(
                    "module {} has {} for a version",
                    shown(name),
                    shown(version)
                );
                facts.gap(path, Some(line), GapKind::UnknownVersion, cause);
            } else {
                let mut package = entry(PackageType::GOLANG, path, line, name, version);
                package.direct = Some(!module.is_indirect);
                facts.add(package);
            }
        }
        if let (false, Some(line)) = (lists_all, first) {
            let (line, go) = self.go.map_or((line, None), |(line, go)| (line, Some(go)));
            let list = "vendor/modules.txt";
            let vendored = go.is_some_and(|go| go >= USES_VENDOR)
                && matches!(
                    beside.read(list, limits::METADATA_BYTES),
                    Ok(Some(_)) | Err(_)
                );
            // Indirect modules stand there alone.
            let (file, parser) = if vendored {
                (list, "go-vendor-included")
            } else {
                ("go.sum", "go-sum")
            };
            facts.include(Include {
                path: file.into(),
                line,
                parser,
                family: parser,
                is_certain: true,
            });
        }
    }
}
