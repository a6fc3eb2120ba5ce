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
mod attributes;
mod embedded;
mod examples;
mod load;
mod markdown;
mod names;
mod selector;
mod syntax;

use load::RuleFile;
pub use load::{MAX_DEPTH, MAX_FILES};
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

    /// Adds the rules of a directory tree (`--rules DIR`): every `.md` file but README.md. What is
    /// wrong with any of them is what [`test`](Self::test) finds, of all files, sorted; nothing is
    /// added if there is anything.
    pub fn add_directory(&mut self, directory: &Path) -> Result<(), Vec<RuleError>> {
        let (files, errors) = self.checked(directory);
        if !errors.is_empty() {
            return Err(errors);
        }
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
        Ok(())
    }

    /// Tests the rule files of a directory tree (`rules test DIR`) as an addition to this set, and
    /// returns the number of rules with everything that is wrong, sorted.
    pub fn test(&self, directory: &Path) -> (usize, Vec<RuleError>) {
        let (files, errors) = self.checked(directory);
        (files.len(), errors)
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

    /// The rules of a directory tree, and everything that is wrong with its files: those that are no
    /// rules, names that are taken, types and attributes that nobody knows, examples that do not
    /// behave. One bad file hides nothing of the others.
    fn checked(&self, directory: &Path) -> (Vec<RuleFile>, Vec<RuleError>) {
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
        let known = |key: &str| {
            embedded::RULES
                .iter()
                .any(|rule| rule.subjects.contains(&key))
        };
        errors.extend(files.iter().flat_map(|file| examples::test(file, &known)));
        errors.sort();
        errors.dedup();
        (files, errors)
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

/// A rule made of subject blocks alone, and a stack made of one file, for tests.
#[cfg(test)]
pub(crate) fn sample(subjects: &str, configuration: &str) -> (Rule, crate::Stack) {
    let text = format!(
        "# T\nWhy.\n```hcl rule\nrule \"t-t-t\" {{\nseverity = \"LOW\"\nsince = \"1\"\n{subjects}\n}}\n```\n"
    );
    let rule = load::file(Path::new("t.md"), "t/t", &text).unwrap().rule;
    let kind = crate::input::KINDS[0];
    let evaluation = examples::evaluate_one(kind, configuration, Class::ON_DEMAND.to_vec());
    (rule, evaluation.stacks.into_iter().next().unwrap())
}

#[cfg(test)]
mod tests {
    use super::{Class, Ruleset, names};
    use crate::functions::{lookup, lookup_rule};

    #[test]
    fn examples_are_of_any_kind_of_input() {
        let plan = |on: &str| {
            format!(
                "```json plan\n{{\"format_version\": \"1.2\", \"planned_values\": {{\"root_module\": {{\"resources\": [{{\"address\": \"t.x\", \"mode\": \"managed\", \"type\": \"t\", \"name\": \"x\", \"values\": {{\"on\": {on}}}}}]}}}}}}\n```\n"
            )
        };
        let (head, _) = RULE.split_once("## Fails").unwrap();
        let run = |fails: &str, passes: &str| {
            let text = format!("{head}## Fails\n{fails}## Passes\n{passes}");
            let folder = directory("x-y-z.md", &text);
            let (_, errors) = Ruleset::embedded().test(folder.path());
            errors
                .into_iter()
                .map(|error| (error.line, error.message))
                .collect::<Vec<_>>()
        };
        assert_eq!(run(&plan("false"), &plan("true")), []);
        let wrong = run(&plan("true"), &plan("false"));
        assert!(
            wrong.iter().any(|(_, one)| one.contains("should fail")),
            "{wrong:?}"
        );
        assert!(
            wrong.iter().any(|(_, one)| one.contains("should pass")),
            "{wrong:?}"
        );
        let wrong = run(&plan("false"), "```yaml\na: 1\n```\n");
        assert!(wrong[0].1.contains("`hcl` or `json plan`"), "{wrong:?}");
    }

    #[test]
    fn a_class_is_asked_for_by_subjects_and_by_functions() {
        let classes = |subjects: &str| super::sample(subjects, "").0.block.classes();
        let check =
            |text: &str| format!("{{\ncheck {{\ncondition = {text}\nmessage = \"m\"\n}}\n}}");
        let resource = |text: &str| format!("resource \"t\" {}", check(text));
        assert_eq!(classes(&resource("self.a")), []);
        assert_eq!(classes(&resource("all(\"module_x\") == [\"module\"]")), []);
        assert_eq!(classes(&resource("all(\"module\") == []")), [Class::Module]);
        let nested = "[for x in all(\"output.a\") : related(self, \"provider.aws\", \"b\")] == []";
        assert_eq!(classes(&resource(nested)), [Class::Provider, Class::Output]);
        let subject = format!("variable {}", check("self.type == null"));
        assert_eq!(classes(&subject), [Class::Variable]);
        let local = format!("locals {{\nx = all(\"terraform\")\n}}\n{subject}");
        assert_eq!(classes(&local), [Class::Terraform, Class::Variable]);
    }

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

    const RULE: &str = "# T\nWhy.\n```hcl rule\nrule \"x-y-z\" {\n severity = \"LOW\"\n since = \"1\"\n aliases = [\"A-1\"]\n resource \"t\" {\n check {\n condition = coalesce(self.on, false)\n message = \"m\"\n}\n}\n}\n```\n## Fails\n```hcl\nresource \"t\" \"x\" {\n on = false\n}\n```\n## Passes\n```hcl\nresource \"t\" \"x\" {\n on = true\n}\n```\n";

    fn directory(name: &str, text: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(name), text).unwrap();
        folder
    }

    #[test]
    fn rules_of_users_are_added_unless_a_name_is_taken() {
        let mut ruleset = Ruleset::embedded();
        let folder = directory("mine.md", RULE);
        ruleset.add_directory(folder.path()).unwrap();
        assert_eq!(&*ruleset.find("A-1").unwrap().id, "x-y-z");
        let errors = ruleset.add_directory(folder.path()).unwrap_err();
        assert!(errors[0].message.contains("already known"), "{errors:?}");
        let folder = directory("other.md", &RULE.replace("A-1", "AWS-0092"));
        assert!(Ruleset::embedded().add_directory(folder.path()).is_err());
        assert!(Ruleset::default().add_directory(folder.path()).is_ok());
        // What a test finds is what keeps a scan from using the rules.
        let folder = tempfile::tempdir().unwrap();
        let errors = |expected: &[&str]| {
            let (_, tested) = Ruleset::embedded().test(folder.path());
            let added = Ruleset::embedded()
                .add_directory(folder.path())
                .unwrap_err();
            assert_eq!(tested, added);
            let all: Vec<String> = tested.iter().map(ToString::to_string).collect();
            assert_eq!(all.len(), expected.len(), "{all:?}");
            for (error, part) in all.iter().zip(expected) {
                assert!(error.contains(part), "{error}");
            }
        };
        errors(&["there is no rule in this folder"]);
        std::fs::write(folder.path().join("a.md"), RULE).unwrap();
        std::fs::write(folder.path().join("b.md"), "# no rule").unwrap();
        std::fs::write(folder.path().join("c.md"), RULE.replace("A-1", "A-2")).unwrap();
        let slip = RULE.replace("x-y-z", "x-y-w").replace("A-1", "A-3");
        let slip = slip.replacen("resource \"t\" {", "resource \"t\" \"tt\" {", 1);
        std::fs::write(folder.path().join("d.md"), slip).unwrap();
        errors(&[
            "b.md:",
            "c.md:4: another rule is already known as x-y-z",
            "`tt`",
        ]);
    }

    #[test]
    fn examples_that_do_not_behave_are_told_with_their_line() {
        let test = |text: &str| Ruleset::embedded().test(directory("r.md", text).path());
        assert_eq!(test(RULE), (1, Vec::new()));
        let first = |text: &str| {
            let (_, errors) = test(text);
            let error = errors.into_iter().next().unwrap();
            (error.line, error.message)
        };
        let (line, message) = first(&RULE.replace("on = false", "on = true"));
        assert_eq!(line, 18);
        assert!(message.contains("should fail"), "{message}");
        let (_, errors) = test(&RULE.replace("on = true", "on = var.x"));
        let lines: Vec<u32> = errors.iter().map(|error| error.line).collect();
        assert_eq!(
            lines,
            [24, 25],
            "an undeclared name is the example's own fault"
        );
        let (_, message) = first(&RULE.replace("self.on", "self.onn"));
        assert!(message.contains("onn"), "{message}");
        let (_, message) = first(&RULE.replace("coalesce(self.on, false)", "self.on + 1"));
        assert!(message.contains("the condition fails"), "{message}");
        let (_, message) = first(&RULE.replace("## Passes", "## Fails"));
        assert!(message.contains("`## Passes`"), "{message}");
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
