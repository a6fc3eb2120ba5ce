//! Files that other files name for inclusion, such as `-r base.in` in a requirements file: read
//! wherever they lie below the root, also in folders that the walk does not enter, since the
//! package manager opens whatever is named. What is missing or lies outside is a gap.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::walk::Candidate;
use super::{SKIPPED_DIRECTORIES, Totals, Tree, entry, gap, read_file};
use crate::analyzer::{Analyzers, Run};
use crate::inventory::{Facts, Include, dispatch};
use crate::model::coverage::SkipRule;
use crate::model::gap::{Gap, GapKind};
use crate::model::location::Location;
use crate::source::root::{Astray, Root};

/// How many includes of a tree are followed. Each file is read at most twice more than it was, and
/// so no circle of includes needs a limit of its own.
const MAX_INCLUDES: usize = 10_000;

/// How a file was read, from the weakest reason to the strongest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    /// Its name made us guess.
    Guess,
    /// A file names it, in a way that leaves its own name the last word.
    Named,
    /// A file includes it, or its own name is clear.
    Certain,
}

/// The files that were read, by their real path and the family of their parser, with their place.
type Known = BTreeMap<(PathBuf, &'static str), (Reason, usize)>;

/// Reads what the files of a tree include. `unknown` are the files that the
/// walk met and nothing wanted, which loses those that are read now.
pub(super) fn follow(
    root: &dyn Root,
    analyzers: &Analyzers<'_>,
    tree: &mut Tree,
    unknown: &mut Vec<Candidate>,
    mut totals: Totals,
) {
    let mut open = VecDeque::new();
    for (path, facts) in &tree.files {
        enqueue(&mut open, path, facts);
    }
    if open.is_empty() {
        return;
    }
    let mut known = read_already(root, analyzers, &tree.files);
    let met: BTreeSet<PathBuf> = unknown.iter().map(|file| file.real.clone()).collect();
    let mut included = BTreeSet::new();
    let mut count = 0_usize;
    while let Some((from, include)) = open.pop_front() {
        count = count.saturating_add(1);
        if count > MAX_INCLUDES {
            let cause = format!("more than {MAX_INCLUDES} includes; the rest was not followed");
            tree.gaps
                .push(gap(GapKind::Limit, &from, &cause).unjudged());
            break;
        }
        let file = match resolve(root, &from, &include) {
            Ok(file) => file,
            Err((kind, cause)) => {
                note(tree, &from, &include, kind, &cause);
                continue;
            }
        };
        let key = (file.real.clone(), include.family);
        let before = known.get(&key).copied();
        let reason = if include.is_certain {
            Reason::Certain
        } else {
            Reason::Named
        };
        if before.is_some_and(|(had, _)| had >= reason) {
            continue;
        }
        let Some(parser) = dispatch::by_id(include.parser) else {
            continue;
        };
        totals.bytes = totals.bytes.saturating_add(file.length.unwrap_or_default());
        if totals.are_spent() {
            tree.gaps
                .push(gap(GapKind::Limit, &file.path, &Totals::cause()).unjudged());
            continue;
        }
        let runs = [Run {
            path: file.path.as_str().into(),
            reader: parser,
        }];
        // What was read before was seen then.
        let watching = match before {
            None => analyzers.watch(&entry(root, &file)),
            Some(_) => Vec::new(),
        };
        let facts = match read_file(root, &file, &runs, watching) {
            Ok(facts) => facts,
            Err(unread) => {
                let cause = format!("the included file {}: {}", file.path, unread.cause);
                note(tree, &from, &include, unread.kind, &cause);
                continue;
            }
        };
        totals.packages = totals.packages.saturating_add(facts.packages.len());
        let path: Arc<str> = file.path.as_str().into();
        let at = if let Some((_, at)) = before {
            // A file that was read before reported its includes then.
            at
        } else {
            enqueue(&mut open, &path, &facts);
            account(tree, &met, &file);
            included.insert(file.real.clone());
            tree.files.push((path, Facts::default()));
            tree.files.len().saturating_sub(1)
        };
        if let Some((_, place)) = tree.files.get_mut(at) {
            *place = facts;
        }
        known.insert(key, (reason, at));
    }
    unknown.retain(|file| !included.contains(&file.real));
}

/// Notes a gap where a file is named.
fn note(tree: &mut Tree, from: &Arc<str>, include: &Include, kind: GapKind, cause: &str) {
    tree.gaps.push(Gap {
        location: Location::line(Arc::clone(from), include.line),
        ..gap(kind, from, cause)
    });
}

/// Counts a file as read that the walk left out, or never met.
fn account(tree: &mut Tree, met: &BTreeSet<PathBuf>, file: &Candidate) {
    let is_entered = |part| !SKIPPED_DIRECTORIES.iter().any(|skipped| part == *skipped);
    if !met.contains(&file.real) && file.real.iter().all(is_entered) {
        tree.coverage.unskip(SkipRule::Vendored);
    }
    tree.coverage.read();
}

/// A queue that is longer than the limit will meet it, and need not grow further.
fn enqueue(open: &mut VecDeque<(Arc<str>, Include)>, path: &Arc<str>, facts: &Facts) {
    if open.len() <= MAX_INCLUDES {
        let includes = facts.includes.iter().cloned();
        open.extend(includes.map(|include| (Arc::clone(path), include)));
    }
}

fn read_already(root: &dyn Root, analyzers: &Analyzers<'_>, files: &[(Arc<str>, Facts)]) -> Known {
    let mut known = Known::new();
    for (at, (path, facts)) in files.iter().enumerate() {
        let Ok(real) = root.follow(Path::new(&**path)) else {
            continue;
        };
        let reason = if facts.is_guess {
            Reason::Guess
        } else {
            Reason::Certain
        };
        for reader in (analyzers.by_path)(path) {
            let here = known
                .entry((real.path.clone(), reader.id()))
                .or_insert((reason, at));
            *here = (*here).max((reason, at));
        }
    }
    known
}

/// The file that an include means, by its real path below the root.
fn resolve(root: &dyn Root, from: &str, include: &Include) -> Result<Candidate, (GapKind, String)> {
    let named = &include.path;
    let directory = from.rsplit_once('/').map_or("", |(directory, _)| directory);
    let real = match root.follow(&Path::new(directory).join(&**named)) {
        Ok(real) => real,
        Err(Astray::Io(error)) if error.kind() != io::ErrorKind::NotFound => {
            let cause = format!("the included file {named}: {}", error.kind());
            return Err((GapKind::Unreadable, cause));
        }
        Err(Astray::Io(_)) => {
            let cause = format!("the included file {named} is not there");
            return Err((GapKind::FileNotFound, cause));
        }
        Err(Astray::Outside(_) | Astray::NotAFile) => {
            let cause = format!("the included file {named} lies outside the scanned directory");
            return Err((GapKind::EscapingPath, cause));
        }
    };
    let parts: Vec<_> = real
        .path
        .iter()
        .map(|part| part.to_string_lossy())
        .collect();
    Ok(Candidate {
        path: parts.join("/"),
        real: real.path,
        length: Some(real.length),
        kind: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::dispatch::in_trees;
    use crate::model::coverage::SkipRule;
    use crate::source::root::Directory;
    use crate::source::tree::{Interest, read};

    fn tree(files: &[(&str, &str)]) -> Tree {
        let outer = tempfile::tempdir().unwrap();
        std::fs::write(outer.path().join("outside.txt"), "outside==1\n").unwrap();
        let root = outer.path().join("root");
        for (path, text) in files {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let interest = Interest {
            packages: true,
            code: false,
            vendored: false,
            memory: 1 << 30,
        };
        read(&Directory::new(&root).unwrap(), interest, &in_trees())
    }

    /// Names of packages with the files that list them.
    fn listed(tree: &Tree) -> Vec<String> {
        let packages = tree.files.iter().flat_map(|(_, facts)| &facts.packages);
        let mut names: Vec<_> = packages
            .map(|package| format!("{} {}", package.locations[0].path, package.name))
            .collect();
        names.sort();
        names
    }

    fn gaps(tree: &Tree) -> Vec<(GapKind, Option<u32>)> {
        let gaps = tree.gaps.iter();
        gaps.map(|gap| (gap.kind, gap.location.start_line()))
            .collect()
    }

    #[test]
    fn what_is_named_is_read_wherever_it_lies() {
        let tree = tree(&[
            (
                "app/requirements.txt",
                "-r base.in\n-r ../.hg/tool/deps\n--requirement\t./sub/../base.in\n",
            ),
            (
                "app/base.in",
                "base==1\n-r base.in\n-r requirements.txt\n-r sub/more.in\n",
            ),
            ("app/sub/more.in", "more==1\n-r ../last\n"),
            ("app/last", "last==1\n"),
            (".hg/tool/deps", "deps==1\n"),
        ]);
        assert_eq!(
            listed(&tree),
            [
                ".hg/tool/deps deps",
                "app/base.in base",
                "app/last last",
                "app/sub/more.in more"
            ]
        );
        assert_eq!(gaps(&tree), []);
        assert!(tree.files.is_sorted_by(|a, b| a.0 < b.0));
        // One of them lies where the walk met nothing.
        assert_eq!((tree.coverage.seen, tree.coverage.read), (5, 5));
    }

    #[test]
    fn what_cannot_be_read_is_a_gap_of_the_line_that_names_it() {
        let tree = tree(&[
            (
                "requirements.txt",
                "-r missing.in\n-r missing/base.txt\n-r ../outside.txt\n-r folder\n-c none.txt\na==1\n",
            ),
            ("folder/x", ""),
        ]);
        assert_eq!(listed(&tree), ["requirements.txt a"]);
        assert_eq!(
            gaps(&tree),
            [
                (GapKind::FileNotFound, Some(1)),
                (GapKind::FileNotFound, Some(2)),
                (GapKind::EscapingPath, Some(3)),
                (GapKind::Unreadable, Some(4)),
                (GapKind::FileNotFound, Some(5)),
            ]
        );
    }

    #[test]
    fn a_file_in_a_vendored_tree_is_counted_once() {
        let tree = tree(&[
            ("requirements.txt", "-r env/lib/deps.txt\n"),
            ("env/pyvenv.cfg", ""),
            ("env/lib/deps.txt", "a==1\n"),
            ("env/lib/other.txt", "b==1\n"),
        ]);
        assert_eq!(listed(&tree), ["env/lib/deps.txt a"]);
        let skipped = tree.coverage.skipped.get(&SkipRule::Vendored);
        assert_eq!((tree.coverage.seen, skipped), (4, Some(&1)));
        assert!(tree.coverage.adds_up());
    }

    #[test]
    fn constraints_install_nothing() {
        for (files, expected) in [
            // Only constrained by a file that its directory made us take for requirements.
            (
                vec![
                    ("requirements/base.txt", "-c pins.txt\na==1\n"),
                    ("requirements/pins.txt", "a==1\nb==1\n"),
                ],
                vec!["requirements/base.txt a"],
            ),
            // Constrains one and is included by another.
            (
                vec![
                    ("requirements/a.txt", "-c constraints.txt\na==1\n"),
                    ("requirements/b.txt", "-r constraints.txt\n"),
                    ("requirements/constraints.txt", "b==1\n"),
                ],
                vec!["requirements/a.txt a", "requirements/constraints.txt b"],
            ),
            // What a constraints file includes with -r is installed.
            (
                vec![
                    ("requirements.txt", "-c pins\n"),
                    ("pins", "a==1\n-r more\n"),
                    ("more", "b==1\n"),
                ],
                vec!["more b"],
            ),
            // A file whose own name says that it is installed stays so.
            (
                vec![
                    ("requirements-dev.txt", "-c requirements.txt\na==1\n"),
                    ("requirements.txt", "b==1\n"),
                ],
                vec!["requirements-dev.txt a", "requirements.txt b"],
            ),
            (
                vec![
                    ("requirements.txt", "-r x.in\n"),
                    ("x.in", "-c requirements/a.txt\n-r requirements/a.txt\n"),
                    ("requirements/a.txt", "a==1\n"),
                ],
                vec!["requirements/a.txt a"],
            ),
        ] {
            let tree = tree(&files);
            assert_eq!(listed(&tree), expected);
            assert_eq!(gaps(&tree), []);
        }
    }

    #[test]
    fn includes_are_limited() {
        let many = "-r x\n".repeat(1000);
        let files: Vec<_> = (0..11)
            .map(|index| format!("requirements-{index}.txt"))
            .collect();
        let files: Vec<_> = files
            .iter()
            .map(|name| (name.as_str(), many.as_str()))
            .collect();
        let tree = tree(&files);
        let limits = tree.gaps.iter().filter(|gap| gap.kind == GapKind::Limit);
        assert_eq!(limits.count(), 1);
        assert_eq!(tree.gaps.len(), MAX_INCLUDES + 1);
    }
}
