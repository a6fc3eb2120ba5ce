//! `uses:` in workflows of GitHub Actions and in actions that are made of steps (docs.github.com,
//! "Workflow syntax" and "Metadata syntax"): a repository, perhaps a folder of it, and a git reference. A
//! full version tag is a version. A commit is one where the comment behind it names one, as the tools
//! that pin actions write it; that is what the comment says, and no more. A tag such as `v4` moves, a
//! branch too: they are one gap of the file each. A folder of the same repository is the project.
//!
//! Expressions in `uses` are not allowed, and what is not YAML or has no jobs and no steps is no workflow.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::inventory::collect::shown;
use crate::inventory::parsers::foreign::Foreign;
use crate::inventory::parsers::shared::{entry, is_commit, note_repeated};
use crate::inventory::{Facts, Input, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use crate::model::package::{PackageType, Scope};
use document::Node;

/// `.github/workflows/*.yml`, and `action.yml` anywhere.
pub(crate) static PARSER: Parser = Parser {
    id: "github-workflow",
    wants: &[Want::Extension(".yml"), Want::Extension(".yaml")],
    accepts: Some(|path| {
        let mut parts = path.rsplit('/');
        let name = parts.next().unwrap_or_default();
        let is_action = matches!(name, "action.yml" | "action.yaml");
        let in_workflows = parts.next() == Some("workflows") && parts.next() == Some(".github");
        is_action || in_workflows
    }),
    parse,
    ..Parser::LOCKFILE
};

/// What several references are, so that they are one gap.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Loose {
    /// `v4`, `v4.1`.
    Range,
    /// A commit without a comment that names its version.
    Commit,
    /// Anything else, such as `main`.
    Branch,
}

#[derive(Default)]
struct Found {
    /// The first of each kind, its line, and how many.
    loose: BTreeMap<Loose, (String, u32, usize)>,
    foreign: Foreign,
}

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let text = input.content.utf8()?;
    let documents = document::yaml(text)?;
    let path: Arc<str> = input.path.into();
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Found::default();
    for document in &documents {
        let runs = document.get("runs");
        note_repeated(&[Some(document), runs, document.get("jobs")], &path, facts);
        let mut uses = Vec::new();
        let jobs = document.get("jobs").map_or(&[][..], Node::entries);
        if let Some(runs) = runs.filter(|_| jobs.is_empty()) {
            match runs.text_at("using") {
                Some("composite") => steps(runs, &mut uses, &path, facts),
                // A program or an image, which uses no other actions.
                Some(_) if runs.get("steps").is_none() => {}
                _ => {
                    let cause = "an action that does not say how it runs";
                    facts.malformed(&path, Some(runs.line), cause);
                    steps(runs, &mut uses, &path, facts);
                }
            }
        } else if jobs.is_empty() {
            let cause = "neither jobs nor what an action runs: not a workflow";
            facts.malformed(&path, Some(document.line), cause);
        }
        for job in jobs {
            note_repeated(&[Some(&job.node)], &path, facts);
            let workflow = job.node.get("uses");
            uses.extend(workflow);
            if workflow.is_some() && job.node.get("steps").is_some() {
                let cause = "a job that has steps and uses a workflow";
                facts.malformed(&path, Some(job.line), cause);
            }
            if workflow.is_none() || job.node.get("steps").is_some() {
                steps(&job.node, &mut uses, &path, facts);
            }
        }
        let outside = document.entries().iter().filter(|item| {
            let has = |key| item.node.get(key).is_some();
            !matches!(&*item.key, "jobs" | "runs") && (has("steps") || has("uses"))
        });
        for item in outside {
            let cause = format!("the steps under {} are not read", shown(&item.key));
            facts.malformed(&path, Some(item.line), cause);
        }
        for node in uses {
            read(node, &lines, &path, facts, &mut found);
        }
    }
    found.close(&path, facts);
    Ok(())
}

/// What the steps of a job or of an action use.
fn steps<'n>(node: &'n Node<'n>, uses: &mut Vec<&'n Node<'n>>, path: &str, facts: &mut Facts) {
    let steps = node.get("steps").map_or(&[][..], Node::items);
    if steps.is_empty() {
        facts.malformed(path, Some(node.line), "there is no list of steps");
    }
    for step in steps {
        note_repeated(&[Some(step)], path, facts);
        match step.get("uses") {
            Some(node) => uses.push(node),
            None if step.get("run").is_some() => {}
            None => {
                let cause = "a step that neither uses nor runs anything";
                facts.malformed(path, Some(step.line), cause);
            }
        }
    }
}

fn read(node: &Node<'_>, lines: &[&str], path: &Arc<str>, facts: &mut Facts, found: &mut Found) {
    let line = node.line;
    let Some(text) = node.text() else {
        return facts.malformed(path, Some(line), "a step uses something that is not a text");
    };
    if text.starts_with("./") || text.starts_with(".\\") {
        return;
    }
    if let Some(image) = text.strip_prefix("docker://") {
        return found.foreign.note(image, line, "a container image");
    }
    let parts = text
        .split_once('@')
        .filter(|(_, reference)| !reference.is_empty());
    let Some((name, reference)) = parts.and_then(|(place, to)| Some((repository(place)?, to)))
    else {
        let cause = format!("{} is not an action and a git reference", shown(text));
        return facts.malformed(path, Some(line), cause);
    };
    let comment = is_commit(reference)
        .then(|| of_comment(line, text, lines))
        .flatten();
    let version = comment.as_deref().or_else(|| full(reference));
    let Some(version) = version else {
        let kind = if is_commit(reference) {
            Loose::Commit
        } else if is_number(reference.strip_prefix('v').unwrap_or(reference)) {
            Loose::Range
        } else {
            Loose::Branch
        };
        let first = || (format!("{name}@{reference}"), line, 0);
        let (_, _, count) = found.loose.entry(kind).or_insert_with(first);
        *count = count.saturating_add(1);
        return;
    };
    let mut package = entry(PackageType::GITHUB, path, line, &name, version);
    package.scope = Some(Scope::Build);
    package.direct = Some(true);
    facts.add(package);
}

impl Found {
    fn close(self, path: &str, facts: &mut Facts) {
        for (kind, (first, line, count)) in self.loose {
            let what = match kind {
                Loose::Range => "tags that move, which are no versions",
                Loose::Commit => "commits whose versions no comment names",
                Loose::Branch => "branches or tags that are no versions",
            };
            let cause = format!("{count} actions, {} first, are at {what}", shown(&first));
            facts.gap(path, Some(line), GapKind::UnknownVersion, cause);
        }
        self.foreign.close(path, facts);
    }
}

/// `owner/name` of `owner/name/folder`.
fn repository(place: &str) -> Option<String> {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let fine = |part: &&str| !part.is_empty() && part.bytes().all(known);
    let mut parts = place.split('/');
    let (owner, name) = (parts.next().filter(fine)?, parts.next().filter(fine)?);
    parts
        .all(|part| !part.is_empty())
        .then(|| format!("{owner}/{name}"))
}

/// A version of three numbers, with or without its `v`.
fn full(text: &str) -> Option<&str> {
    let version = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b".-+".contains(&byte);
    let core = version.split(['-', '+']).next().unwrap_or(version);
    let fits = is_number(core) && core.split('.').count() == 3 && version.bytes().all(known);
    fits.then_some(version)
}

/// Numbers with dots between.
fn is_number(text: &str) -> bool {
    text.split('.')
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The version in the comment behind a pinned action: `# v4.1.2`, `# tag=v4.1.2`, `# ratchet:a/b@v4.1.2`.
fn of_comment(line: u32, text: &str, lines: &[&str]) -> Option<String> {
    let at = usize::try_from(line).ok()?.checked_sub(1)?;
    let (_, comment) = lines.get(at)?.split_once(text)?;
    let comment = comment
        .trim_start_matches(['"', '\''])
        .trim_start()
        .strip_prefix('#')?;
    let words = comment.split([' ', '=', '@', ',', '(', ')', ':', '\t']);
    let mut versions = words.filter_map(full);
    let version = versions.next()?;
    // Two versions are a sentence about something else.
    versions.next().is_none().then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_name_versions() {
        let sha = "a/b@0123456789abcdef0123456789abcdef01234567";
        for (comment, expected) in [
            (" # v4.1.2", Some("4.1.2")),
            (" #v5.1.0", Some("5.1.0")),
            ("\" # tag=v1.0.0-rc.1", Some("1.0.0-rc.1")),
            (" # ratchet:a/b@v2.3.4", Some("2.3.4")),
            (" # v4", None),
            (" # v 11", None),
            (" # from v1.0.0 to v2.0.0", None),
            ("", None),
        ] {
            let line = format!("- uses: \"{sha}{comment}");
            assert_eq!(
                of_comment(1, sha, &[&line]).as_deref(),
                expected,
                "{comment}"
            );
        }
    }

    #[test]
    fn repositories_and_versions() {
        assert_eq!(repository("Acme/x.y/sub/dir").as_deref(), Some("Acme/x.y"));
        for bad in ["acme", "/x", "a/", "a b/c", "${{ x }}/y", "a/b//c"] {
            assert_eq!(repository(bad), None, "{bad}");
        }
        assert_eq!(full("v1.2.3"), Some("1.2.3"));
        for loose in ["v4", "4.1", "main", "v1.2.3.4", "v1.x.3", "1.2.3 "] {
            assert_eq!(full(loose), None, "{loose}");
        }
    }
}
