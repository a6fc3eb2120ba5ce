//! The rules compiled in by the build script: plain static data, nothing to do at start.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Metadata, Rule, RuleError, syntax};
use crate::Severity;

/// One rule as the build script writes it.
pub(super) struct Embedded {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) severity: &'static str,
    pub(super) since: &'static str,
    pub(super) category: &'static str,
    pub(super) aliases: &'static [&'static str],
    pub(super) controls: &'static [(&'static str, &'static [&'static str])],
    /// Resource types, `data.T` for data sources, `stack` for whole stacks.
    pub(super) subjects: &'static [&'static str],
    /// The classes that it asks for, see [`super::asked`].
    pub(super) classes: &'static [&'static str],
    pub(super) help: &'static str,
    /// The rule block.
    pub(super) source: &'static str,
    /// Its first line in the file.
    pub(super) line: u32,
}

include!(concat!(env!("OUT_DIR"), "/rules.rs"));

impl Embedded {
    pub(super) fn metadata(&self) -> Metadata {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let controls = self.controls.iter();
        let controls = controls.map(|(name, ids)| ((*name).to_owned(), owned(ids)));
        Metadata {
            id: self.id.into(),
            title: self.title.to_owned(),
            severity: Severity::from_word(self.severity).unwrap_or(Severity::Unknown),
            aliases: owned(self.aliases),
            since: self.since.to_owned(),
            category: self.category.to_owned(),
            help: self.help.to_owned(),
            controls: controls.collect::<BTreeMap<_, _>>(),
        }
    }

    pub(super) fn parse(&self) -> Result<Rule, RuleError> {
        let block = syntax::parse(self.source, self.line).map_err(|(line, message)| RuleError {
            path: PathBuf::from(format!("{}/{}.md", self.category, self.id)),
            line,
            message,
        })?;
        Ok(Rule {
            metadata: self.metadata(),
            block,
            line: self.line,
        })
    }
}
