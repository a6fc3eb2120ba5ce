//! Files of values for variables: those that a root module loads by itself, those that the user
//! names, and the others, of which it is said that nobody loads them.
//!
//! Such files exist to hold secrets: nothing of what they say is repeated in a message.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use hcl_edit::expr::Expression;

use super::loader::{Loader, join};
use super::names::is_loaded;
use super::source::{Attribute, Source, parse_json_variables, parse_native};
use crate::files::Files;
use crate::input::VariableFile;
use crate::{Problem, ProblemKind};

impl VariableFile {
    /// Takes the file called `shown`; what does not parse is refused, as Terraform does, with a
    /// reason that repeats nothing of it. `real` is its path without links, where there is one.
    pub fn new(shown: &str, bytes: Vec<u8>, real: Option<&Path>) -> Result<Self, String> {
        let text = String::from_utf8(bytes).map_err(|_| format!("{shown} is not UTF-8"))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned();
        if text.len() > super::MAX_FILE_BYTES {
            let limit = super::MAX_FILE_BYTES;
            return Err(format!("{shown} is larger than {limit} bytes"));
        }
        let source = parse(shown, shown, &text, 0);
        match source.problems.first() {
            Some(problem) => Err(match problem.line {
                Some(line) => format!("{shown} line {line}: {}", problem.cause),
                None => format!("{shown}: {}", problem.cause),
            }),
            None => Ok(Self {
                shown: shown.to_owned(),
                text,
                real: real.map(Path::to_path_buf),
            }),
        }
    }
}

/// The values for the variables of one root module.
#[derive(Debug, Default)]
pub(super) struct Given {
    values: BTreeMap<Arc<str>, Attribute>,
    hoisted: BTreeMap<String, Expression>,
}

impl Given {
    pub(super) fn value(&self, name: &str) -> Option<&Attribute> {
        self.values.get(name)
    }

    pub(super) fn hoisted(&self, name: &str) -> Option<&Expression> {
        self.hoisted.get(name)
    }

    fn add(&mut self, source: Source) {
        self.hoisted.extend(source.hoisted);
        for attribute in source.body.attributes {
            self.values.insert(attribute.name.clone(), attribute);
        }
    }
}

/// Reads a file of values. Faults do not say what stands there.
fn parse(path: &str, name: &str, text: &str, number: usize) -> Source {
    let mut source = if name.to_ascii_lowercase().ends_with(".json") {
        parse_json_variables(path, text)
    } else {
        parse_native(path, text, number, &[])
    };
    for problem in &mut source.problems {
        if problem.kind == ProblemKind::Syntax {
            "the file of values does not parse here".clone_into(&mut problem.cause);
        }
    }
    let blocks = source.body.blocks.iter().map(|block| {
        let cause = "a file of values holds no blocks";
        let (file, line) = (block.span.file.clone(), Some(block.span.start_line));
        Problem::error(ProblemKind::Syntax, file, line, cause).whole()
    });
    source.problems.extend(blocks);
    source
}

impl Loader<'_> {
    /// The values that files give to the variables of a root module, the first overruled by the
    /// last: `terraform.tfvars`, `terraform.tfvars.json`, `*.auto.tfvars` and
    /// `*.auto.tfvars.json` in the order of their names, then those that the user names.
    pub(super) fn given(&self, directory: &str, named: &[VariableFile]) -> Given {
        let names = self.names(directory);
        let fixed = ["terraform.tfvars", "terraform.tfvars.json"];
        let is_auto = |name: &&String| is_loaded(name) && !fixed.contains(&name.as_str());
        let fixed = fixed
            .into_iter()
            .filter(|fixed| names.iter().any(|name| name == fixed));
        let automatic = names.iter().filter(is_auto).map(String::as_str);
        let mut given = Given::default();
        for (number, name) in fixed.chain(automatic).enumerate() {
            let path = join(directory, name);
            self.loaded(&path);
            if let Some(text) = self.text(&path) {
                let source = parse(&path, name, &text, number);
                self.problems.extend(source.problems.iter().cloned());
                given.add(source);
            }
        }
        for (number, file) in named.iter().enumerate() {
            let inside = file
                .real
                .as_deref()
                .and_then(|real| self.files.place_of(real));
            if let Some(inside) = &inside {
                self.loaded(inside);
                self.mark_read(inside);
            }
            let path = inside.as_deref().unwrap_or(&file.shown);
            // Names of deep values must not collide with those of the files before.
            let number = names.len().saturating_add(number);
            given.add(parse(path, &file.shown, &file.text, number));
        }
        given
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_file_must_parse_and_is_not_repeated() {
        let file = |name: &str, text: &str| VariableFile::new(name, text.into(), None);
        assert!(file("a.tfvars", "x = 1\n").is_ok());
        assert!(file("a.tfvars.json", "{\"x\": 1}").is_ok());
        for (name, text) in [
            ("a.tfvars", "pw = = hunter2\n"),
            ("a.tfvars", "pw = \"hunter2\n"),
            ("a.tfvars", "hunter2 {\n}\n"),
            ("a.tfvars.json", "{\"pw\": hunter2}"),
            ("a.tfvars.json", "[\"hunter2\"]"),
        ] {
            let error = file(name, text).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
            assert!(error.contains("line 1"), "{error}");
        }
        assert!(VariableFile::new("a", vec![0xff], None).is_err());
    }
}
