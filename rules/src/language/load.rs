//! Reads rule files from a directory at run time. Refuses trees that are too deep or too large
//! instead of reading on.

use std::fs;
use std::path::{Path, PathBuf};

use super::markdown::{self, Example, MAX_RULE_FILE};
use super::{Metadata, Rule, RuleError, Selector, syntax};
use crate::input::InputKind;
use crate::kinds;
use crate::{Class, Severity};

/// Most rule files in one directory tree.
pub const MAX_FILES: usize = 10_000;

/// Deepest folder below the given directory. It also ends loops of symbolic links.
pub const MAX_DEPTH: usize = 8;

/// An example and its kind of input.
type OfKind = (&'static dyn InputKind, Example);

/// A rule with its file and examples.
pub(crate) struct RuleFile {
    pub(crate) path: PathBuf,
    pub(crate) rule: Rule,
    /// The rule block as it is written.
    pub(super) source: String,
    pub(crate) examples: Vec<OfKind>,
}

/// All rules of a directory tree, sorted by path, and what is wrong with the files that are none. A
/// tree without a rule is a mistake, too: whoever names it wants some.
pub(super) fn directory(root: &Path) -> (Vec<RuleFile>, Vec<RuleError>) {
    let mut paths = Vec::new();
    let mut errors = Vec::new();
    if let Err(error) = collect(root, 0, &mut paths) {
        errors.push(error);
    } else if paths.is_empty() {
        errors.push(RuleError {
            path: root.to_owned(),
            line: 1,
            message: "there is no rule in this folder: rules are files ending in .md".to_owned(),
        });
    }
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        let category = path
            .strip_prefix(root)
            .ok()
            .and_then(Path::parent)
            .map(|folder| folder.to_string_lossy().replace('\\', "/"))
            .unwrap_or_default();
        match read(&path).and_then(|text| file(&path, &category, &text)) {
            Ok(file) => files.push(file),
            Err(error) => errors.push(error),
        }
    }
    (files, errors)
}

fn collect(folder: &Path, depth: usize, paths: &mut Vec<PathBuf>) -> Result<(), RuleError> {
    let failed = |message: String| RuleError {
        path: folder.to_owned(),
        line: 1,
        message,
    };
    if depth > MAX_DEPTH {
        return Err(failed(format!(
            "folders are nested more than {MAX_DEPTH} deep"
        )));
    }
    for entry in fs::read_dir(folder).map_err(|error| failed(error.to_string()))? {
        let path = entry.map_err(|error| failed(error.to_string()))?.path();
        if path.is_dir() {
            collect(&path, depth.saturating_add(1), paths)?;
        } else if path.extension().is_some_and(|extension| extension == "md")
            && path.file_name().is_some_and(|name| name != "README.md")
        {
            if paths.len() >= MAX_FILES {
                return Err(failed(format!("more than {MAX_FILES} rule files")));
            }
            paths.push(path);
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, RuleError> {
    let failed = |message: String| RuleError {
        path: path.to_owned(),
        line: 1,
        message,
    };
    let metadata = fs::metadata(path).map_err(|error| failed(error.to_string()))?;
    if !metadata.is_file() {
        // Reading a FIFO would wait for whoever writes to it.
        return Err(failed("it is not a regular file".to_owned()));
    }
    let length = metadata.len();
    if length > u64::try_from(MAX_RULE_FILE).unwrap_or(u64::MAX) {
        return Err(failed(format!(
            "a rule file has at most {MAX_RULE_FILE} bytes"
        )));
    }
    fs::read_to_string(path).map_err(|error| failed(error.to_string()))
}

/// Reads one rule file.
pub(crate) fn file(path: &Path, category: &str, text: &str) -> Result<RuleFile, RuleError> {
    let failed = |(line, message): (u32, String)| RuleError {
        path: path.to_owned(),
        line,
        message,
    };
    let document = markdown::split(text).map_err(failed)?;
    let block = syntax::parse(&document.rule, document.rule_line).map_err(failed)?;
    let metadata = Metadata {
        id: block.id.as_str().into(),
        title: document.title,
        severity: Severity::from_word(&block.severity).unwrap_or(Severity::Unknown),
        aliases: block.aliases.clone(),
        since: block.since.clone(),
        category: category.to_owned(),
        help: document.help,
        controls: block.controls.iter().cloned().collect(),
    };
    Ok(RuleFile {
        path: path.to_owned(),
        rule: Rule {
            metadata,
            block,
            line: document.rule_line,
        },
        source: document.rule,
        examples: examples(document.examples).map_err(failed)?,
    })
}

/// The examples with their kinds of input; code in the text that is none of these is for the reader.
fn examples(found: Vec<Example>) -> Result<Vec<OfKind>, (u32, String)> {
    let mut all = Vec::new();
    for example in found {
        match kinds::by_fence(&example.fence) {
            Some(kind) => all.push((kind, example)),
            None if example.is_required => {
                let fences = kinds::KINDS.map(|kind| format!("`{}`", kind.fence()));
                let message = format!(
                    "an example is marked {}, with `undecided` behind it where that is what is expected",
                    fences.join(" or ")
                );
                return Err((example.line.saturating_sub(1), message));
            }
            None => {}
        }
    }
    Ok(all)
}

impl super::RuleBlock {
    /// The classes beyond resources and data sources that it speaks of.
    pub(crate) fn classes(&self) -> Vec<Class> {
        let words = super::asked::classes(self);
        let asked = |class: &Class| words.contains(class.as_str());
        Class::ON_DEMAND.into_iter().filter(asked).collect()
    }

    /// What the rule speaks of, as keys of the index.
    pub(super) fn keys(&self) -> impl Iterator<Item = String> {
        let selectors = self.subjects.iter().flat_map(|subject| &subject.selectors);
        selectors.map(Selector::key)
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_DEPTH, directory};

    const RULE: &str = "# T\nWhy.\n```hcl rule\nrule \"a-b-c\" {\n severity = \"LOW\"\n since = \"1\"\n resource \"t\" {\n check {\n condition = self.a\n message = \"m\"\n}\n}\n}\n```\n";

    #[test]
    fn a_tree_is_read_with_categories_and_errors_name_file_and_line() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("aws/x");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("a-b-c.md"), RULE).unwrap();
        std::fs::write(root.path().join("README.md"), "no rule").unwrap();
        let (files, errors) = directory(root.path());
        assert_eq!(errors, []);
        assert_eq!(files.len(), 1);
        assert_eq!(files[0].rule.metadata.category, "aws/x");

        let broken = RULE.replace("self.a", "nosuch(self.a)");
        std::fs::write(root.path().join("broken.md"), broken).unwrap();
        let (files, errors) = directory(root.path());
        assert_eq!(files.len(), 1, "one bad file hides no other");
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].line, 9);
        assert!(
            errors[0]
                .to_string()
                .contains("broken.md:9: rules have no function")
        );
    }

    #[test]
    fn a_tree_that_is_too_deep_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let deep = root.path().join(["d"; MAX_DEPTH + 1].join("/"));
        std::fs::create_dir_all(deep).unwrap();
        assert!(directory(root.path()).1[0].message.contains("deep"));
    }
}
