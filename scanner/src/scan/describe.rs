//! Adds what the violated rules say of themselves, once for each.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::matched::Advised;
use super::{Error, Rules};
use crate::eol;
use crate::model::finding::{Finding, FindingKind, RuleInfo};
use crate::model::report::Report;

/// Adds them; those of advisories were found with the matches.
pub(super) fn rules(
    report: &mut Report,
    rules: &dyn Rules,
    mut infos: Advised,
) -> Result<(), Error> {
    let violated: BTreeSet<Arc<str>> = report
        .findings
        .iter()
        .filter(|finding| matches!(finding.kind, FindingKind::Misconfiguration(_)))
        .map(|finding| finding.rule.clone())
        .collect();
    if !violated.is_empty() {
        let ruleset = rules.load()?;
        for id in violated {
            if let Some(info) = super::ignores::info(&id) {
                infos.insert(id, info);
            } else if let Some(rule) = ruleset.find(&id) {
                let tags = vec![
                    "security".to_owned(),
                    "misconfiguration".to_owned(),
                    rule.category.clone(),
                ];
                infos.insert(
                    id.clone(),
                    RuleInfo {
                        record: id.clone(),
                        id,
                        title: rule.title,
                        help: rule.help,
                        url: None,
                        tags,
                    },
                );
            }
        }
    }
    let ended = |finding: &Finding| matches!(finding.kind, FindingKind::EndOfLife(_));
    if report.findings.iter().any(ended) {
        infos.insert(eol::RULE.into(), eol::rule());
    }
    report.rules = infos.into_values().collect();
    Ok(())
}
