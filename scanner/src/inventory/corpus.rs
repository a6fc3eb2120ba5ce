//! The corpus of `testdata/inventory`: every folder `<parser>/<case>/` holds files at the paths
//! they have in a target, and `expected.json` with what they tell. `PORTCULLIS_BLESS=1` writes
//! the expectation anew; read the difference before committing it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Content, Evidence, Facts, Need, Parser, dispatch, parsers};
use crate::model::gap::{Gap, GapKind};
use crate::model::package::{Package, PackageType};

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../testdata/inventory");

pub(super) struct Case {
    pub(super) name: String,
    directory: PathBuf,
    /// Path in the target, bytes.
    pub(super) files: BTreeMap<String, Vec<u8>>,
}

fn folders(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = paths.filter(|path| path.is_dir()).collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

fn collect(root: &Path, directory: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else if name(&path) != "expected.json" {
            let inside = path.strip_prefix(root).unwrap().to_str().unwrap();
            files.insert(inside.to_owned(), std::fs::read(&path).unwrap());
        }
    }
}

pub(super) fn cases() -> Vec<(&'static Parser, Case)> {
    let mut cases = Vec::new();
    for folder in folders(Path::new(CORPUS)) {
        let id = name(&folder);
        let parser = parsers::ALL.iter().find(|parser| parser.id == id);
        let parser = parser.unwrap_or_else(|| panic!("{id} is not a parser"));
        for directory in folders(&folder) {
            let mut files = BTreeMap::new();
            collect(&directory, &directory, &mut files);
            let name = format!("{id}/{}", name(&directory));
            let case = Case {
                name,
                directory,
                files,
            };
            cases.push((*parser, case));
        }
    }
    cases
}

pub(super) fn run(parser: &Parser, path: &str, mut bytes: &[u8]) -> Facts {
    match parser.need {
        Need::Stream => dispatch::run(parser, path, Content::Stream(&mut bytes)),
        Need::Whole(_) => dispatch::run(parser, path, Content::Whole(bytes)),
    }
}

fn package(package: &Package) -> Value {
    let mut value = json!({"name": package.name, "version": package.version});
    let mut put = |key: &str, part: Value| {
        let empty = part.is_null() || part == json!([]) || part == json!(false);
        if !empty {
            value[key] = part;
        }
    };
    let place = package.locations.first().unwrap();
    let source = package.source.as_ref();
    put("line", json!(place.start_line()));
    put("epoch", json!(package.epoch));
    put("arch", json!(package.arch));
    put(
        "source",
        json!(source.map(|s| format!("{} {}", s.name, s.version))),
    );
    put("module", json!(package.module));
    put("scope", json!(package.scope));
    put(
        "direct",
        json!(
            package
                .direct
                .map(|direct| if direct { "yes" } else { "no" })
        ),
    );
    put("dependencies", json!(package.dependencies));
    value
}

fn told(facts: &Facts) -> Value {
    let packages: Vec<_> = facts.packages.iter().map(package).collect();
    let mut value = json!({ "packages": packages });
    if !facts.owned.is_empty() {
        let owned = facts.owned.iter();
        value["owned"] = owned.map(|o| format!("{} {}", o.package, o.path)).collect();
    }
    if let Some(distribution) = &facts.distribution {
        value["distribution"] = json!(distribution);
    }
    if !facts.includes.is_empty() {
        let includes = facts.includes.iter();
        value["includes"] = includes
            .map(|include| format!("{} {} {}", include.line, include.parser, include.path))
            .collect();
    }
    if facts.is_guess {
        value["is_guess"] = json!(true);
    }
    if !facts.runtimes.is_empty() {
        let runtimes = facts.runtimes.iter().map(|runtime| {
            let line = runtime.location.start_line();
            json!({"name": runtime.name, "maker": runtime.maker, "version": runtime.version, "line": line})
        });
        value["runtimes"] = runtimes.collect();
    }
    if !facts.products.is_empty() {
        value["products"] = json!(facts.products);
    }
    if !facts.gaps.is_empty() {
        let gaps = facts.gaps.iter().map(|gap| {
            let line = gap.location.start_line();
            json!({"kind": gap.kind, "severity": gap.severity, "line": line, "cause": gap.cause})
        });
        value["gaps"] = gaps.collect();
    }
    value
}

#[test]
fn every_case_tells_what_it_should() {
    let bless = std::env::var_os("PORTCULLIS_BLESS").is_some();
    let mut failures = Vec::new();
    for (parser, case) in cases() {
        let mut all = serde_json::Map::new();
        for (path, bytes) in &case.files {
            let wanted = dispatch::by_path(path, parser.evidence);
            // Some are only run on files that others include.
            let mine = parser.wants.is_empty() || wanted.iter().any(|one| one.id == parser.id);
            let value = if mine {
                told(&run(parser, path, bytes))
            } else {
                json!("not wanted")
            };
            all.insert(path.clone(), value);
        }
        let file = case.directory.join("expected.json");
        let all = Value::Object(all);
        let text = serde_json::to_string_pretty(&all).unwrap() + "\n";
        if bless {
            std::fs::write(&file, &text).unwrap();
        }
        let expected = std::fs::read(&file).unwrap_or_else(|_| b"null".to_vec());
        if serde_json::from_slice::<Value>(&expected).unwrap() != all {
            failures.push(format!("{}:\n{text}", case.name));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_parser_has_a_case() {
    let have: Vec<_> = cases().iter().map(|(parser, _)| parser.id).collect();
    for parser in parsers::ALL {
        assert!(have.contains(&parser.id), "no case for {}", parser.id);
    }
}

/// The line of a package names it: that is what a reader of a report looks for.
#[test]
fn every_line_names_its_package() {
    let plain = |text: &str| text.to_lowercase().replace('_', "-");
    for (parser, case) in cases() {
        if parser.evidence != Evidence::Locked {
            continue;
        }
        for (path, bytes) in &case.files {
            let text = String::from_utf8_lossy(bytes);
            let lines: Vec<_> = text.lines().map(plain).collect();
            for package in run(parser, path, bytes).packages {
                let Some(number) = package.locations[0].start_line() else {
                    assert_eq!(
                        parser.id, "java-archive-in-tree",
                        "only archives have no lines"
                    );
                    continue;
                };
                let line = &lines[number as usize - 1];
                // Go's standard library has no name where the toolchain stands; the group of an
                // artifact may have a line of its own.
                let name = plain(&package.name).replace("stdlib", "toolchain");
                let is_maven = package.kind == PackageType::MAVEN;
                let name = name
                    .split(':')
                    .next_back()
                    .filter(|_| is_maven)
                    .unwrap_or(&name);
                // Carthage leaves GitHub's host out.
                let name = name.trim_start_matches("github.com/");
                let case = &case.name;
                assert!(
                    line.contains(name),
                    "{case}: {name} in line {number}: {line}"
                );
            }
        }
    }
}

const PIECES: [&[u8]; 12] = [
    b"",
    b"\n",
    b"\"",
    b"{",
    b"[",
    b"}",
    b"\xff\xff\xff\xff",
    b"\0\0\0\0",
    b": ",
    b"@",
    b"\n\n",
    b"\x7f",
];

/// Cut and changed files never make a parser panic; it would show as an internal gap.
#[test]
fn damaged_files_make_no_parser_fail() {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut below = |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % (limit.max(1) as u64)).unwrap()
    };
    for (parser, case) in cases() {
        for (path, bytes) in &case.files {
            for _ in 0..200 {
                let mut damaged = bytes.clone();
                for _ in 0..=below(3) {
                    let at = below(damaged.len() + 1);
                    match below(4) {
                        0 => damaged.truncate(at),
                        1 if at < damaged.len() => damaged[at] = u8::try_from(below(256)).unwrap(),
                        2 => {
                            let end = (at + below(9)).min(damaged.len());
                            let piece = PIECES[below(PIECES.len())];
                            damaged.splice(at..end, piece.iter().copied());
                        }
                        _ => {
                            let end = (at + below(40)).min(damaged.len());
                            let part = damaged[at..end].to_vec();
                            damaged.splice(at..at, part);
                        }
                    }
                }
                let facts = run(parser, path, &damaged);
                let failed = facts.gaps.iter().find(|gap| gap.kind == GapKind::Internal);
                assert!(failed.is_none(), "{} {path}: {failed:?}", case.name);
            }
        }
    }
}

/// The databases of operating-system packages.
const DATABASES: [&str; 13] = [
    "apk-installed",
    "chisel-manifest",
    "dpkg-journal",
    "dpkg-status",
    "dpkg-status-d",
    "opkg-control",
    "opkg-status",
    "pacman-desc",
    "portage",
    "rpm-bdb",
    "rpm-manifest",
    "rpm-ndb",
    "rpm-sqlite",
];

/// One byte that is changed or removed loses no package of a database in silence: there are as
/// many packages as before, or a gap says that something is wrong. (The one exception: a schema of
/// `SQLite` that names another page of the same table as its root; rows carry no count.)
#[test]
fn a_damaged_byte_loses_no_package_in_silence() {
    let mut survivors = Vec::new();
    for (parser, case) in cases() {
        if !DATABASES.contains(&parser.id) {
            continue;
        }
        for (path, bytes) in &case.files {
            let whole = run(parser, path, bytes);
            // What is damaged already would need two gaps.
            let is_text = !parser.id.starts_with("rpm-");
            if !whole.gaps.is_empty() && is_text && parser.id != "dpkg-journal" {
                continue;
            }
            // Large files are sampled; PORTCULLIS_DAMAGE=1 looks at every byte.
            let every = std::env::var_os("PORTCULLIS_DAMAGE").is_some();
            let step = if every { 1 } else { (bytes.len() / 400).max(1) };
            for at in (0..bytes.len()).step_by(step) {
                for change in 0..5_u8 {
                    let mut damaged = bytes.clone();
                    match change {
                        0 => drop(damaged.remove(at)),
                        1 => damaged[at] ^= 1,
                        2 => damaged[at] = 0,
                        3 => damaged[at] = 0xFF,
                        _ => damaged[at] = b'\n',
                    }
                    let facts = run(parser, path, &damaged);
                    let known = |gap: &Gap| whole.gaps.iter().any(|had| had.cause == gap.cause);
                    let is_silent =
                        facts.gaps.len() <= whole.gaps.len() && facts.gaps.iter().all(known);
                    let is_root = parser.id == "rpm-sqlite" && (at, change) == (430, 4);
                    if is_silent && !is_root && facts.packages.len() < whole.packages.len() {
                        survivors.push(format!("{} {path} {at} {change}", case.name));
                    }
                }
            }
        }
    }
    assert!(
        survivors.is_empty(),
        "{}: {:#?}",
        survivors.len(),
        survivors.iter().take(40).collect::<Vec<_>>()
    );
}
