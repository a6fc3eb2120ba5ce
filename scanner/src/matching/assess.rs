//! What is made of one match of the database: the ids to show, the severity and its reason, the
//! recommended fix, what limits or weakens it. Findings, `db query` and `db why` share it, so that
//! they cannot say different things of one vulnerability.

use std::sync::Arc;

use db_sync::{Choice, Exploitation, Match, ReadError};

use crate::model::finding::{Uncertain, Vulnerability};
use crate::model::package::{Package, PackageType};
use crate::model::rating::Rater;
use crate::prefer::{Preference, Shown};

/// A vulnerability of a package, under the id to show.
#[derive(Clone, Debug)]
pub struct Assessment {
    /// Its ids.
    pub shown: Shown,
    /// All else.
    pub vulnerability: Vulnerability,
}

/// How a package was looked up, as the database writes it.
#[derive(Clone, Copy, Debug)]
pub struct LookedUp<'a> {
    /// With its suffix.
    pub ecosystem: &'a str,
    /// As advisories name it.
    pub name: &'a str,
    /// As advisories compare it; without one, no fix is recommended above another.
    pub version: Option<&'a str>,
}

impl LookedUp<'_> {
    /// A package of which nothing more is known.
    pub fn package(&self) -> Package {
        let mut kinds = PackageType::ALL.iter();
        // The ecosystem of a distribution is that of no type.
        let kind = kinds.find(|kind| kind.ecosystem() == Some(self.ecosystem));
        Package::new(
            kind.copied().unwrap_or_else(|| PackageType::of("")),
            self.name,
            self.version.unwrap_or_default(),
        )
    }
}

/// Assesses matches, and remembers what it rated.
#[derive(Debug)]
pub struct Assessor<'a> {
    prefer: &'a Preference,
    rater: Rater,
}

impl<'a> Assessor<'a> {
    /// Vulnerabilities will have the ids that `prefer` says.
    pub fn new(prefer: &'a Preference) -> Self {
        Self {
            prefer,
            rater: Rater::default(),
        }
    }

    /// Assesses a match. Errors are those of the database.
    pub fn assess(
        &mut self,
        found: &Match<'_>,
        looked_up: LookedUp<'_>,
        package: &Arc<Package>,
        exploitation: Exploitation,
    ) -> Result<Assessment, ReadError> {
        let LookedUp {
            ecosystem,
            name,
            version,
        } = looked_up;
        let choice =
            version.and_then(|version| db_sync::choose(ecosystem, name, version, &found.fixed));
        let merged = found.merged();
        let shown = self.prefer.show(found.id, &merged, found.aliases()?);
        let vulnerability = Vulnerability {
            fixed: chosen_first(choice, &found.fixed),
            fix: found.state,
            step: choice.and_then(|choice| choice.step),
            rated: self.rater.rate(found.id, found.ratings()?),
            merged: merged.into_iter().map(str::to_owned).collect(),
            informational: found.informational()?.map(str::to_owned),
            scope: found.scope()?,
            exploitation,
            doubt: Uncertain::of(found).map(Box::new),
            ..Vulnerability::new(Arc::clone(package), found.id)
        };
        Ok(Assessment {
            shown,
            vulnerability,
        })
    }
}

/// Puts the chosen one of a list in front; the others keep their order.
fn chosen_first(choice: Option<Choice>, fixed: &[&str]) -> Vec<String> {
    let mut list: Vec<String> = fixed.iter().map(|text| (*text).to_owned()).collect();
    if let Some(first) = choice.and_then(|choice| list.get_mut(..=choice.place)) {
        first.rotate_right(1);
    }
    list
}
