//! Applies statements to a report: of those that speak of a finding the newest decides, and
//! each that speaks of none is kept with the closest reason. Refuses to suppress anything when
//! the comparisons reach their limit, since a statement not compared could be the newer one.

use super::identity::{self, Mismatch};
use super::index::{Index, Indexed};
use super::limits::MAX_COMPARISONS;
use super::{Component, Product, Statement, product};
use crate::model::finding::{Finding, FindingKind};
use crate::model::package::Package;
use crate::model::report::Report;
use crate::model::suppression::{Origin, Suppression, UnmatchedSuppression};

/// Suppresses the findings that the statements speak of, and lists the statements that speak of
/// none. Statements of all documents are given at once: the newest counts, then the last. A
/// finding that something else suppressed keeps its reason.
pub fn apply(report: &mut Report, statements: &[Statement]) {
    // The index holds each name of each finding; most runs have no use for it.
    if statements.is_empty() {
        return;
    }
    apply_within(report, statements, MAX_COMPARISONS);
}

/// The same with a limit of its own.
pub(super) fn apply_within(report: &mut Report, statements: &[Statement], limit: usize) {
    let index = Index::of(report);
    let mut run = Run {
        index: &index,
        budget: limit,
        winners: vec![None; report.findings.len()],
    };
    let mut unmatched = Vec::new();
    for (number, statement) in statements.iter().enumerate() {
        if let Err(reason) = run.place(number, statements, statement) {
            unmatched.push(told(statement, reason));
        }
    }
    if run.budget == 0 {
        let reason =
            format!("not applied: more than {limit} comparisons of products with findings");
        unmatched = statements
            .iter()
            .map(|statement| told(statement, reason.clone()))
            .collect();
        run.winners.fill(None);
    }
    let winners = run.winners;
    for (finding, winner) in report.findings.iter_mut().zip(winners) {
        let said = winner.and_then(|number| statements.get(number));
        if let Some(said) = said.filter(|said| said.status.suppresses())
            && finding.suppressed.is_none()
        {
            let suppression = Suppression::new(Origin::Vex, said.source.clone(), said.status);
            let (label, impact) = (said.justification.as_deref(), said.impact.as_deref());
            finding.suppressed = Some(suppression.because(label, impact));
        }
    }
    report.unmatched_suppressions.extend(unmatched);
    report.unmatched_suppressions.sort();
    report.unmatched_suppressions.dedup();
}

struct Run<'a> {
    index: &'a Index<'a>,
    /// Comparisons left; at 0 nothing is compared.
    budget: usize,
    /// For each finding the statement that counts.
    winners: Vec<Option<usize>>,
}

impl Run<'_> {
    /// Finds what a statement speaks of, or why it speaks of nothing.
    fn place(
        &mut self,
        number: usize,
        statements: &[Statement],
        statement: &Statement,
    ) -> Result<(), String> {
        if statement.ids.is_empty() {
            return Err("its vulnerability has no id".to_owned());
        }
        if statement.products.is_empty() {
            return Err("it names no product".to_owned());
        }
        let founds: Vec<&Indexed> = statement
            .ids
            .iter()
            .filter_map(|id| self.index.found(id))
            .collect();
        if founds.is_empty() {
            return Err(self.not_found(statement));
        }
        let mut matched = false;
        let mut closest: Option<Mismatch> = None;
        for found in founds {
            for (product, part) in statement.products.iter().flat_map(parts) {
                for candidate in candidates(found, product, part) {
                    self.budget = self.budget.saturating_sub(1);
                    if self.budget == 0 {
                        return Ok(());
                    }
                    match self.compare(statement, product, part, *candidate) {
                        Ok(()) => {
                            matched = true;
                            self.win(*candidate, number, statements);
                        }
                        Err(miss) => closest = closest.max(Some(miss)),
                    }
                }
            }
        }
        if matched {
            return Ok(());
        }
        Err(closest.map_or_else(|| self.not_in_package(statement), |miss| miss.to_string()))
    }

    fn compare(
        &self,
        statement: &Statement,
        product: &Product,
        part: Option<&Component>,
        candidate: usize,
    ) -> Result<(), Mismatch> {
        let found = self.index.report.findings.get(candidate);
        let Some((finding, package)) = found.and_then(|finding| Some((finding, package(finding)?)))
        else {
            return Err(Mismatch::Name);
        };
        if statement.target.is_some_and(|only| only != finding.target) {
            return Err(Mismatch::Name);
        }
        if let Some(part) = part {
            identity::component_speaks_of(part, package)?;
        } else if !product::is_whole_image(product) {
            return identity::component_speaks_of(&product.component, package);
        }
        product::holds(
            self.index,
            statement,
            product,
            part,
            finding.target,
            package,
        )
    }

    /// A statement counts from now on, unless a newer one was there, or one that the user gave instead of
    /// one that is attached.
    fn win(&mut self, candidate: usize, number: usize, statements: &[Statement]) {
        let rank = |number: usize| {
            let statement = statements.get(number);
            let is_given = statement.is_some_and(|statement| statement.target.is_none());
            (
                is_given,
                statement.and_then(|statement| statement.timestamp),
            )
        };
        if let Some(winner) = self.winners.get_mut(candidate)
            && winner.is_none_or(|other| (rank(other), other) <= (rank(number), number))
        {
            *winner = Some(number);
        }
    }

    fn not_found(&self, statement: &Statement) -> String {
        let id = statement.ids.first().map_or("", String::as_str);
        let known = statement
            .products
            .iter()
            .flat_map(parts)
            .find_map(|(product, part)| self.installed(part.unwrap_or(&product.component)));
        match known {
            Some(package) => format!(
                "no finding of {id}; {} {} is in the report",
                package.name,
                package.full_version()
            ),
            None => format!("no finding of {id}"),
        }
    }

    fn not_in_package(&self, statement: &Statement) -> String {
        let named: Vec<&Component> = statement
            .products
            .iter()
            .flat_map(parts)
            .map(|(product, part)| part.unwrap_or(&product.component))
            .collect();
        let id = statement.ids.first().map_or("", String::as_str);
        if let Some(package) = named.iter().find_map(|component| self.installed(component)) {
            format!(
                "{} {} has no finding of {id}",
                package.name,
                package.full_version()
            )
        } else if named.iter().all(|component| component.purls.is_empty()) {
            "none of its products has a package URL".to_owned()
        } else {
            Mismatch::Name.to_string()
        }
    }

    /// A package of the report with the component's name.
    fn installed(&self, component: &Component) -> Option<&Package> {
        let keys = component.purls.iter().filter_map(identity::purl_key);
        keys.flat_map(|key| self.index.packages(&key))
            .map(|(_, package)| *package)
            .next()
    }
}

/// What a product speaks of: each of its parts, or itself.
fn parts(product: &Product) -> impl Iterator<Item = (&Product, Option<&Component>)> {
    let itself = product.parts.is_empty().then_some((product, None));
    let parts = product.parts.iter().map(move |part| (product, Some(part)));
    itself.into_iter().chain(parts)
}

/// The findings that a product or a part can speak of.
fn candidates<'a>(
    found: &'a Indexed,
    product: &'a Product,
    part: Option<&'a Component>,
) -> impl Iterator<Item = &'a usize> {
    let whole = product::is_whole_image(product);
    let by_name = part
        .unwrap_or(&product.component)
        .purls
        .iter()
        .filter_map(identity::purl_key)
        .filter_map(|key| found.by_package.get(&key))
        .flatten();
    let all = found.all.iter().filter(move |_| whole);
    all.chain(by_name.filter(move |_| !whole))
}

fn package(finding: &Finding) -> Option<&Package> {
    match &finding.kind {
        FindingKind::Vulnerability(vulnerability) => Some(&vulnerability.package),
        FindingKind::Misconfiguration(_) | FindingKind::EndOfLife(_) => None,
    }
}

fn told(statement: &Statement, reason: String) -> UnmatchedSuppression {
    let mut labels = statement
        .products
        .iter()
        .flat_map(parts)
        .map(|(product, part)| part.unwrap_or(&product.component).label.as_str());
    let first = labels.next().unwrap_or("no product");
    let more = match labels.count() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    UnmatchedSuppression {
        source: statement.source.clone(),
        statement: format!(
            "{} {} for {first}{more} ({})",
            statement.ids.first().map_or("no id", String::as_str),
            statement.status,
            statement.pointer
        ),
        reason,
    }
}
