//! Which parsers want a file, and running one of them so that nothing it does loses more than
//! that file. The tables are built once from [`ALL`]; a path costs a few look-ups, however many
//! parsers there are.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use super::checksum::{self, Hashed};
use super::executable;
use super::graph;
use super::parsers::ALL;
use super::recognised::member::Unread;
use super::{Beside, Content, Evidence, Facts, Input, Need, ParseError, Parser, Want};
use crate::analyzer::{Alone, Analyzers, Reader};
use crate::model::gap::GapKind;

type Table<T> = BTreeMap<&'static str, Vec<T>>;

#[derive(Default)]
struct Tables {
    names: Table<&'static Parser>,
    /// By file name: the directory it must lie in.
    paths: Table<(&'static str, &'static Parser)>,
    directories: Table<&'static Parser>,
    extensions: Table<&'static Parser>,
    /// By file name: what must come before it, the ends of directory names.
    suffixes: Table<(&'static str, &'static Parser)>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| Tables::new(ALL));

impl Tables {
    fn new(parsers: &[&'static Parser]) -> Self {
        let mut tables = Self::default();
        for &parser in parsers {
            for want in parser.wants {
                match *want {
                    Want::Name(name) => tables.names.entry(name).or_default().push(parser),
                    Want::Path(path) => {
                        let (directory, name) = split(path);
                        let places = tables.paths.entry(name).or_default();
                        places.push((directory, parser));
                    }
                    Want::In(directory) => {
                        let directory = directory.trim_end_matches('/');
                        tables
                            .directories
                            .entry(directory)
                            .or_default()
                            .push(parser);
                    }
                    Want::Extension(extension) => {
                        tables.extensions.entry(extension).or_default().push(parser);
                    }
                    Want::Suffix(suffix) => {
                        let (before, name) = split(suffix);
                        tables
                            .suffixes
                            .entry(name)
                            .or_default()
                            .push((before, parser));
                    }
                }
            }
        }
        tables
    }

    /// Calls `found` for every parser that wants the file. The path is put together only where
    /// a parser wants to look at it: file lists ask for millions of names.
    fn each(
        &self,
        directory: &str,
        name: &str,
        evidence: Evidence,
        mut found: impl FnMut(&'static Parser),
    ) {
        let mut take = |parser: &'static Parser| {
            let path = || {
                if directory.is_empty() {
                    name.to_owned()
                } else {
                    format!("{directory}/{name}")
                }
            };
            if parser.evidence == evidence && parser.accepts.is_none_or(|accepts| accepts(&path()))
            {
                found(parser);
            }
        };
        for (table, key) in [(&self.names, name), (&self.directories, directory)] {
            for parser in table.get(key).into_iter().flatten() {
                take(parser);
            }
        }
        for (place, parser) in self.paths.get(name).into_iter().flatten() {
            if directory == *place {
                take(parser);
            }
        }
        if let Some(at) = name.rfind('.') {
            let extension = name.get(at..).unwrap_or_default();
            // Whoever loads files by their extension takes `.JAR`, too.
            let is_upper = extension.bytes().any(|byte| byte.is_ascii_uppercase());
            let lower = is_upper.then(|| extension.to_ascii_lowercase());
            let extension = lower.as_deref().unwrap_or(extension);
            for parser in self.extensions.get(extension).into_iter().flatten() {
                take(parser);
            }
        }
        for (before, parser) in self.suffixes.get(name).into_iter().flatten() {
            if directory.ends_with(before) {
                take(parser);
            }
        }
    }
}

fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// The parsers of this kind of evidence that want a path, without looking at its content.
pub fn by_path(path: &str, evidence: Evidence) -> Vec<&'static Parser> {
    let mut parsers: Vec<&'static Parser> = Vec::new();
    let (directory, name) = split(path);
    TABLES.each(directory, name, evidence, |parser| {
        if !parsers.iter().any(|have| have.id == parser.id) {
            parsers.push(parser);
        }
    });
    parsers
}

/// The parser of an id.
pub fn by_id(id: &str) -> Option<&'static Parser> {
    ALL.iter().copied().find(|parser| parser.id == id)
}

/// Whether a file is one of an installed language package, or may be a program, so that its owner
/// matters.
pub fn is_package_file(directory: &str, name: &str) -> bool {
    let mut any = executable::may_be(directory, name);
    TABLES.each(directory, name, Evidence::Installed, |parser| {
        any |= !parser.database;
    });
    any
}

/// The analyzers of packages as an image has them.
pub const fn in_images() -> Analyzers<'static> {
    Analyzers {
        by_path: |path| readers(path, Evidence::Installed),
        readers: || readers_of(Evidence::Installed),
        unclaimed: || Box::<Unread>::default(),
        watchers: &[],
    }
}

/// The analyzers of packages as a source tree has them.
pub const fn in_trees() -> Analyzers<'static> {
    Analyzers {
        by_path: |path| readers(path, Evidence::Locked),
        readers: || readers_of(Evidence::Locked),
        unclaimed: || Box::<Unread>::default(),
        watchers: &[],
    }
}

fn readers(path: &str, evidence: Evidence) -> Vec<&'static dyn Reader> {
    let parsers = by_path(path, evidence).into_iter();
    parsers.map(|parser| parser as _).collect()
}

fn readers_of(evidence: Evidence) -> Vec<(&'static dyn Reader, &'static [Want])> {
    let all = ALL.iter().copied();
    let counting = all.filter(|parser| parser.evidence == evidence);
    counting.map(|parser| (parser as _, parser.wants)).collect()
}

impl Reader for Parser {
    fn id(&self) -> &'static str {
        self.id
    }

    fn version(&self) -> u32 {
        self.version
    }

    fn need(&self) -> Need {
        self.need
    }

    fn is_database(&self) -> bool {
        self.database
    }

    fn read<'a>(&self, path: &'a str, content: Content<'a>, beside: &'a dyn Beside) -> Facts {
        run_beside(self, path, content, beside)
    }
}

/// Runs a parser, and computes the checksums of what it reads, if that told anything.
fn summed<'a>(
    parser: &Parser,
    path: &'a str,
    content: Content<'a>,
    beside: &'a dyn Beside,
    facts: &mut Facts,
) -> Result<(), ParseError> {
    let (outcome, digests) = match content {
        Content::Whole(bytes) => {
            let outcome = (parser.parse)(
                Input {
                    path,
                    content,
                    beside,
                },
                facts,
            );
            (outcome, Some(checksum::of(bytes)))
        }
        Content::Stream(stream) => {
            let mut hashed = Hashed::new(stream);
            let content = Content::Stream(&mut hashed);
            let outcome = (parser.parse)(
                Input {
                    path,
                    content,
                    beside,
                },
                facts,
            );
            (outcome, hashed.finish())
        }
    };
    if !facts.packages.is_empty() {
        facts.digests = digests;
    }
    outcome
}

/// Runs one parser on one file that stands alone.
pub fn run<'a>(parser: &Parser, path: &'a str, content: Content<'a>) -> Facts {
    run_beside(parser, path, content, &Alone)
}

/// Runs one parser on one file. Its error, and its panic, become a gap; what it found before
/// stays.
pub fn run_beside<'a>(
    parser: &Parser,
    path: &'a str,
    content: Content<'a>,
    beside: &'a dyn Beside,
) -> Facts {
    let mut facts = Facts::default();
    // What an interrupted write leaves behind; only a list of requirements may be empty.
    if parser.evidence == Evidence::Locked
        && !parser.id.starts_with("requirements")
        && let Content::Whole(bytes) = &content
        && bytes.iter().all(u8::is_ascii_whitespace)
    {
        facts.unjudged(path, None, GapKind::Malformed, "the file is empty");
        facts.close(path);
        return facts;
    }
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        if parser.evidence == Evidence::Installed && !parser.database && checksum::is_wanted(path) {
            return summed(parser, path, content, beside, &mut facts);
        }
        (parser.parse)(
            Input {
                path,
                content,
                beside,
            },
            &mut facts,
        )
    }));
    // A lockfile or a database lists many packages; the file of one installed package is one entry.
    let note = if parser.evidence == Evidence::Locked || parser.database {
        Facts::unjudged
    } else {
        Facts::gap
    };
    match outcome {
        Ok(Ok(())) => {}
        Ok(Err(error)) => note(&mut facts, path, error.line, error.kind, error.cause),
        Err(_) => {
            let cause = format!("the parser {} failed on this file", parser.id);
            note(&mut facts, path, None, GapKind::Internal, cause);
        }
    }
    if parser.evidence == Evidence::Locked {
        graph::settle(&mut facts);
    }
    facts.close(path);
    facts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::Need;
    use crate::model::location::Location;
    use crate::model::package::{Package, PackageType};

    const fn parser(
        wants: &'static [Want],
        parse: fn(Input<'_>, &mut Facts) -> Result<(), ParseError>,
    ) -> Parser {
        Parser {
            id: "test",
            version: 1,
            wants,
            accepts: None,
            need: Need::Whole(10),
            evidence: Evidence::Installed,
            database: false,
            parse,
        }
    }

    fn wanted(tables: &Tables, path: &str) -> bool {
        let mut any = false;
        let (directory, name) = split(path);
        tables.each(directory, name, Evidence::Installed, |_| any = true);
        any
    }

    #[test]
    fn every_kind_of_want_finds_its_files() {
        static ONE: Parser = parser(
            &[
                Want::Name("a.lock"),
                Want::Path("var/b"),
                Want::In("var/c/"),
                Want::Extension(".d"),
                Want::Suffix("dist-info/E"),
            ],
            |_, _| Ok(()),
        );
        let tables = Tables::new(&[&ONE]);
        for path in [
            "a.lock",
            "x/a.lock",
            "var/b",
            "var/c/any",
            "x/y.d",
            "x/n-1.dist-info/E",
        ] {
            assert!(wanted(&tables, path), "{path}");
        }
        for path in [
            "",
            "xa.lock",
            "x/var/b",
            "var/c/d/any",
            "x/yd",
            "x/other/E",
            "E",
            "var/c",
        ] {
            assert!(!wanted(&tables, path), "{path}");
        }
    }

    #[test]
    fn ids_are_unique_and_kebab_case() {
        let mut ids: Vec<_> = ALL.iter().map(|parser| parser.id).collect();
        let kebab = |id: &str| {
            id.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        assert!(ids.iter().all(|id| kebab(id)));
        ids.sort_unstable();
        let count = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), count);
    }

    #[test]
    fn errors_and_panics_become_gaps_and_keep_what_was_found() {
        fn add(facts: &mut Facts) {
            facts.add(Package::new(PackageType::NPM, "a", "1").at(Location::file("f")));
        }
        let failing = parser(&[], |_, facts| {
            add(facts);
            Err(ParseError::at(7, "broken"))
        });
        let facts = run(&failing, "f", Content::Whole(b""));
        assert_eq!(facts.packages.len(), 1);
        assert_eq!(facts.gaps[0].kind, GapKind::Malformed);
        assert_eq!(facts.gaps[0].location.start_line(), Some(7));

        let panicking = parser(&[], |_, facts| {
            add(facts);
            panic!("on purpose")
        });
        let facts = run(&panicking, "f", Content::Whole(b""));
        assert_eq!(facts.packages.len(), 1);
        assert_eq!(facts.gaps[0].kind, GapKind::Internal);
    }
}
