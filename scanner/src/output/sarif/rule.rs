//! The rules of a run: one reporting descriptor per advisory or check that a result names, with
//! help as text and Markdown. A check's Markdown is ours or the user's own; an advisory's is
//! foreign and passes through `escape`.

use std::collections::BTreeMap;

use super::level::{self, level, security_severity};
use super::model::{
    MultiformatMessageString, PropertyBag, ReportingConfiguration, ReportingDescriptor,
};
use super::row::Row;
use super::uri;
use crate::model::finding::{FindingKind, RuleInfo, Severity};
use crate::model::report::Report;
use crate::output::escape::{foreign_markdown, line, lines, markdown, truncate};

/// Most characters of a description (code scanning's limit).
const DESCRIPTION_LIMIT: usize = 1_024;
/// Most characters of a name (code scanning's limit).
const NAME_LIMIT: usize = 255;
/// Most tags of a rule (code scanning's limit).
const TAG_LIMIT: usize = 20;
/// Most characters of a tag.
const TAG_LENGTH_LIMIT: usize = 100;
/// Most characters of help: an advisory's whole story fits, a flood does not.
const HELP_LIMIT: usize = 16_384;

/// What the results say about their rule, taken together.
pub(crate) struct Rule<'a> {
    /// As SARIF names it.
    pub(crate) id: &'a str,
    info: Option<&'a RuleInfo>,
    title: &'a str,
    vulnerability: bool,
    class: &'static str,
    severity: Severity,
    score: Option<f64>,
}

/// The rules of these rows, sorted by id; the worst result decides about each rule's severity.
pub(crate) fn rules<'a>(report: &'a Report, rows: &[&'a Row<'a>]) -> Vec<Rule<'a>> {
    let infos: BTreeMap<&str, &RuleInfo> =
        report.rules.iter().map(|info| (&*info.id, info)).collect();
    let mut rules: BTreeMap<&str, Rule<'a>> = BTreeMap::new();
    for row in rows {
        let finding = row.finding;
        let (severity, score) = level::severity(finding);
        let rule = rules.entry(&row.rule).or_insert_with(|| Rule {
            id: &row.rule,
            info: infos.get(&*finding.rule).copied(),
            title: &finding.title,
            vulnerability: matches!(finding.kind, FindingKind::Vulnerability(_)),
            class: finding.kind.as_str(),
            severity,
            score,
        });
        if severity > rule.severity {
            rule.severity = severity;
            rule.score = score;
        } else if severity == rule.severity && score > rule.score {
            rule.score = score;
        }
    }
    rules.into_values().collect()
}

impl Rule<'_> {
    /// The reporting descriptor.
    pub(crate) fn descriptor(&self) -> ReportingDescriptor {
        let title = self.title();
        let (text, marked) = self.help(&title);
        ReportingDescriptor {
            default_configuration: ReportingConfiguration {
                level: level(self.severity),
            },
            full_description: plain(&self.description(&title)),
            help: MultiformatMessageString {
                markdown: Some(marked),
                text,
            },
            help_uri: self.address(),
            id: self.id.to_owned(),
            name: self.name(),
            properties: self.properties(),
            short_description: plain(&truncate(&title, DESCRIPTION_LIMIT)),
        }
    }

    fn title(&self) -> String {
        let title = self.info.map_or(self.title, |info| &info.title);
        let title = line(title.trim()).into_owned();
        if title.is_empty() {
            self.id.to_owned()
        } else {
            title
        }
    }

    /// A name other than the id: a check's in Pascal case, for advisories the class.
    fn name(&self) -> String {
        if self.vulnerability {
            return "VulnerablePackage".to_owned();
        }
        let mut name = String::new();
        for word in self.id.split(|c: char| !c.is_alphanumeric()) {
            let mut letters = word.chars();
            name.extend(letters.next().into_iter().flat_map(char::to_uppercase));
            name.push_str(letters.as_str());
        }
        truncate(&name, NAME_LIMIT).into_owned()
    }

    /// The title, and the first paragraph of the help as far as it fits.
    fn description(&self, title: &str) -> String {
        let help = self.info.map_or("", |info| info.help.as_str());
        let first: Vec<&str> = help
            .lines()
            .map(str::trim)
            .skip_while(|line| line.is_empty() || line.starts_with('#'))
            .take_while(|line| !line.is_empty())
            .collect();
        let paragraph = line(&first.join(" ")).into_owned();
        let title = title.trim_end_matches('.');
        let text = if paragraph.is_empty() || paragraph.starts_with(title) {
            if paragraph.is_empty() {
                format!("{title}.")
            } else {
                paragraph
            }
        } else {
            format!("{title}. {paragraph}")
        };
        truncate(&text, DESCRIPTION_LIMIT).into_owned()
    }

    /// Help as plain text and as Markdown; never empty.
    fn help(&self, title: &str) -> (String, String) {
        let help = self.info.map_or("", |info| info.help.trim());
        let help = truncate(help, HELP_LIMIT);
        let text = lines(&help);
        let marked = if self.vulnerability {
            foreign_markdown(&help)
        } else {
            format!("{text}\n")
        };
        let heading = markdown(&truncate(title, DESCRIPTION_LIMIT));
        let more = self.address();
        if text.is_empty() {
            (
                format!("{title}\n\n{more}"),
                format!("**{heading}**\n\n<{more}>\n"),
            )
        } else {
            (
                format!("{title}\n\n{text}\n\n{more}"),
                format!("**{heading}**\n\n{marked}\n<{more}>\n"),
            )
        }
    }

    /// Where to read more; for an advisory without an address of its own, its page at the
    /// database that every id has one in.
    fn address(&self) -> String {
        let own = self.info.and_then(|info| info.url.as_deref());
        own.and_then(uri::address).unwrap_or_else(|| {
            let id = uri::encode_path(self.id);
            if self.vulnerability {
                format!("https://osv.dev/vulnerability/{id}")
            } else {
                format!("{}#{id}", super::INFORMATION_URI)
            }
        })
    }

    fn properties(&self) -> PropertyBag {
        let mut tags = vec!["security".to_owned(), self.class.to_owned()];
        if self.severity == Severity::Unknown {
            tags.push("severity-unknown".to_owned());
        }
        for tag in self.info.map_or(&[] as &[String], |info| &info.tags) {
            let tag = truncate(&line(tag), TAG_LENGTH_LIMIT).into_owned();
            let tag = weakness(&tag).unwrap_or(tag);
            if !tag.is_empty() && !tags.contains(&tag) && tags.len() < TAG_LIMIT {
                tags.push(tag);
            }
        }
        let precision = if self.vulnerability {
            "very-high"
        } else {
            "high"
        };
        let additional = BTreeMap::from([
            ("precision".to_owned(), precision.into()),
            (
                "security-severity".to_owned(),
                security_severity(self.severity, self.score).into(),
            ),
        ]);
        PropertyBag { tags, additional }
    }
}

/// `CWE-79` as code scanning groups it.
fn weakness(tag: &str) -> Option<String> {
    let number = tag.strip_prefix("CWE-")?;
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| format!("external/cwe/cwe-{number:0>3}"))
}

fn plain(text: &str) -> MultiformatMessageString {
    MultiformatMessageString {
        markdown: None,
        text: text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(info: &RuleInfo, vulnerability: bool) -> Rule<'_> {
        Rule {
            id: &info.id,
            info: Some(info),
            title: "",
            vulnerability,
            class: "misconfiguration",
            severity: Severity::Unknown,
            score: None,
        }
    }

    #[test]
    fn limits_of_code_scanning_hold() {
        let info = RuleInfo {
            id: "aws-s3-public".into(),
            record: "aws-s3-public".into(),
            title: "t".repeat(3_000),
            help: format!("# What\n\n{}", "h".repeat(20_000)),
            url: Some("javascript:x".to_owned()),
            tags: (0..30).map(|n| format!("CWE-{n}")).collect(),
        };
        let made = rule(&info, false).descriptor();
        let count = |text: MultiformatMessageString| text.text.chars().count();
        assert_eq!(count(made.short_description), DESCRIPTION_LIMIT);
        assert_eq!(count(made.full_description), DESCRIPTION_LIMIT);
        assert_eq!(made.name, "AwsS3Public");
        assert!(made.help_uri.ends_with("#aws-s3-public"));
        assert!(made.help.text.chars().count() < HELP_LIMIT + 4_000);
        let properties = made.properties;
        let tags = properties.tags;
        assert_eq!(tags.len(), TAG_LIMIT);
        assert!(tags.contains(&"severity-unknown".to_owned()));
        assert!(tags.contains(&"external/cwe/cwe-007".to_owned()));
        assert_eq!(
            properties.additional.get("security-severity"),
            Some(&"0.1".into())
        );
    }

    #[test]
    fn foreign_help_is_defused_and_ours_is_not() {
        let info = RuleInfo {
            id: "GHSA-1".into(),
            record: "GHSA-1".into(),
            title: "[x](http://evil)".to_owned(),
            help: "Read [this](http://evil).".to_owned(),
            url: None,
            tags: Vec::new(),
        };
        let foreign = rule(&info, true).descriptor().help.markdown.unwrap();
        assert_eq!(
            foreign,
            "**\\[x\\]\\(http\\://evil\\)**\n\nRead \\[this\\](http\\://evil).\n\n<https://osv.dev/vulnerability/GHSA-1>\n"
        );
        let own = rule(&info, false).descriptor().help.markdown.unwrap();
        assert!(own.contains("Read [this](http://evil)."));
    }
}
