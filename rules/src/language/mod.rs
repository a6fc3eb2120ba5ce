//! The rule language: one Markdown file is one rule. `rules/README.md` describes it.
//!
//! Owns the set of rules: those that ship with the binary (compiled in by the build script,
//! parsed when a stack first has a resource of their type) and those of the user.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::{Class, Severity};

mod asked;
mod embedded;
mod load;
mod markdown;
mod names;
mod selector;
mod syntax;

pub(crate) use load::RuleFile;
#[cfg(test)]
pub(crate) use load::file;
pub use load::{MAX_DEPTH, MAX_FILES};
pub(crate) use markdown::{Example, Expectation};
pub(crate) use selector::Selector;
pub(crate) use syntax::{Check, Local, RuleBlock, Subject};

/// What the report needs to know of a rule.
#[derive(Clone, Debug)]
pub struct Metadata {
    /// Kebab-case id, `provider-service-problem`.
    pub id: Arc<str>,
    /// The heading of the Markdown file.
    pub title: String,
    /// Severity of its findings.
    pub severity: Severity,
    /// Ids by which other tools know it.
    pub aliases: Vec<String>,
    /// Version that brought it.
    pub since: String,
    /// Provider and service, from the folder (`aws/s3`).
    pub category: String,
    /// The prose (why, how to fix) as Markdown, without the rule block and the examples.
    pub help: String,
    /// Controls of frameworks, `name → ids`.
    pub controls: BTreeMap<String, Vec<String>>,
}

/// A file that is no rule, or a rule that does not behave.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{}:{line}: {message}", path.display())]
pub struct RuleError {
    /// The rule's file.
    pub path: PathBuf,
    /// 1-based line.
    pub line: u32,
    /// What is wrong.
    pub message: String,
}

/// A rule ready to run.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) metadata: Metadata,
    pub(crate) block: RuleBlock,
    /// Line of the rule block in its file.
    pub(crate) line: u32,
}

/// Rules ready to run.
#[derive(Default)]
pub struct Ruleset {
    entries: Vec<Entry>,
    by_name: BTreeMap<String, usize>,
    by_subject: BTreeMap<String, Vec<usize>>,
    /// Those that speak of several types.
    patterns: Vec<(Selector, usize)>,
    /// The words of the classes that some rule asks for.
    classes: BTreeSet<&'static str>,
}

struct Entry {
    source: Source,
    rule: OnceLock<Result<Arc<Rule>, RuleError>>,
}

enum Source {
    Embedded(&'static embedded::Embedded),
    Loaded(Arc<Rule>),
}

/// The key of rules about whole stacks.
const STACK: &str = "stack";

impl Ruleset {
    /// The rules that ship with the binary.
    pub fn embedded() -> Self {
        let mut ruleset = Self::default();
        for rule in embedded::RULES {
            let names = rule.aliases.iter().chain([&rule.id]);
            ruleset.classes.extend(rule.classes);
            // The build script refuses rules that share a name.
            ruleset.insert(
                Source::Embedded(rule),
                names.copied().map(str::to_owned),
                rule.subjects.iter().copied().map(str::to_owned),
            );
        }
        ruleset
    }

    /// Reads the rule files of a directory tree, and finds what is wrong with those that are no rules
    /// and with names that are taken.
    pub(crate) fn read(&self, directory: &Path) -> (Vec<RuleFile>, Vec<RuleError>) {
        let (files, mut errors) = load::directory(directory);
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        for file in files.iter().filter(|file| !self.has(file)) {
            for name in file.rule.names() {
                if !seen.insert(name) || self.by_name.contains_key(name) {
                    errors.push(RuleError {
                        path: file.path.clone(),
                        line: file.rule.line,
                        message: format!("another rule is already known as {name}"),
                    });
                }
            }
        }
        (files, errors)
    }

    /// Adds rules that were read, except copies of shipped ones.
    pub(crate) fn add(&mut self, files: Vec<RuleFile>) {
        for file in files {
            if self.has(&file) {
                continue;
            }
            let rule = Arc::new(file.rule);
            let names: Vec<String> = rule.names().map(str::to_owned).collect();
            let subjects: Vec<String> = rule.block.keys().collect();
            self.classes.extend(asked::classes(&rule.block));
            self.insert(Source::Loaded(rule), names, subjects);
        }
    }

    /// Whether a rule is a copy of a shipped one, which is no mistake.
    fn has(&self, file: &RuleFile) -> bool {
        let known = self.by_name.get(&*file.rule.metadata.id);
        match known
            .and_then(|index| self.entries.get(*index))
            .map(|entry| &entry.source)
        {
            Some(Source::Embedded(shipped)) => shipped.source == file.source,
            _ => false,
        }
    }

    /// Metadata of all rules, sorted by id.
    pub fn metadata(&self) -> Vec<Metadata> {
        let mut all: Vec<Metadata> = self.entries.iter().map(|e| e.source.metadata()).collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        all
    }

    /// Metadata of the rule with this id or alias.
    pub fn find(&self, id: &str) -> Option<Metadata> {
        let entry = self.entries.get(*self.by_name.get(id)?)?;
        Some(entry.source.metadata())
    }

    fn insert(
        &mut self,
        source: Source,
        names: impl IntoIterator<Item = String>,
        subjects: impl IntoIterator<Item = String>,
    ) {
        let index = self.entries.len();
        self.entries.push(Entry {
            source,
            rule: OnceLock::new(),
        });
        self.by_name
            .extend(names.into_iter().map(|name| (name, index)));
        for subject in subjects {
            if subject.contains('*') {
                self.patterns.push((Selector::of_key(&subject), index));
            } else {
                self.by_subject.entry(subject).or_default().push(index);
            }
        }
    }

    /// Rules that speak of a type of a class.
    pub(crate) fn speaking_of(&self, class: Class, kind: &str) -> impl Iterator<Item = usize> {
        let key = match class {
            Class::Managed => Cow::Borrowed(kind),
            class => format!("{}.{kind}", class.as_str()).into(),
        };
        let exact = self.by_subject.get(&*key).into_iter().flatten().copied();
        let patterns = self.patterns.iter();
        let fitting = patterns
            .filter(move |(selector, _)| selector.class == class.as_str() && selector.fits(kind));
        let fitting: Vec<usize> = fitting.map(|(_, index)| *index).collect();
        exact.chain(fitting)
    }

    /// The classes beyond resources and data sources that some rule asks for.
    pub fn classes(&self) -> Vec<Class> {
        let asked = |class: &Class| self.classes.contains(class.as_str());
        Class::ON_DEMAND.into_iter().filter(asked).collect()
    }

    /// Rules that speak of a stack as a whole.
    pub(crate) fn speaking_of_stacks(&self) -> impl Iterator<Item = usize> {
        self.by_subject.get(STACK).into_iter().flatten().copied()
    }

    /// A rule, parsed on first use.
    pub(crate) fn rule(&self, index: usize) -> Option<Result<Arc<Rule>, RuleError>> {
        let entry = self.entries.get(index)?;
        let parse = || match &entry.source {
            Source::Loaded(rule) => Ok(rule.clone()),
            Source::Embedded(embedded) => embedded.parse().map(Arc::new),
        };
        Some(entry.rule.get_or_init(parse).clone())
    }
}

/// Whether a shipped rule speaks of a key of the index.
pub(crate) fn is_subject(key: &str) -> bool {
    let mut rules = embedded::RULES.iter();
    rules.any(|rule| rule.subjects.contains(&key))
}

impl Source {
    fn metadata(&self) -> Metadata {
        match self {
            Self::Embedded(embedded) => embedded.metadata(),
            Self::Loaded(rule) => rule.metadata.clone(),
        }
    }
}

impl Rule {
    fn names(&self) -> impl Iterator<Item = &str> {
        let aliases = self.metadata.aliases.iter().map(String::as_str);
        aliases.chain([&*self.metadata.id])
    }
}

#[cfg(test)]
mod tests {
    use super::{Ruleset, names};
    use crate::functions::{lookup, lookup_rule};

    #[test]
    fn every_embedded_rule_parses_and_is_found_by_each_of_its_names() {
        let ruleset = Ruleset::embedded();
        for (index, entry) in ruleset.entries.iter().enumerate() {
            let rule = ruleset.rule(index).unwrap().unwrap();
            assert_eq!(rule.metadata.id, entry.source.metadata().id);
            for name in rule.names() {
                assert_eq!(ruleset.find(name).unwrap().id, rule.metadata.id);
            }
        }
        assert!(ruleset.find("no-such-rule").is_none());
    }

    #[test]
    fn every_function_that_rules_may_name_exists() {
        for name in names::TERRAFORM {
            // `try` and `can` are forms of the evaluator.
            let form = ["try", "can"].contains(name);
            assert!(form || lookup(name).is_some(), "{name}");
        }
        for name in names::VALUES {
            assert!(lookup_rule(name).is_some(), "{name}");
        }
    }
}
