//! Closes the ledger of a target: which packages were compared with advisories, and whether
//! anything was judged at all.

use std::sync::Arc;

use db_sync::Db;

use crate::matching;
use crate::model::coverage::{Coverage, Judged};
use crate::model::gap::{Gap, GapKind, Stage};
use crate::model::location::Location;
use crate::model::package::Package;
use crate::model::target::{Document, TargetKind};

/// Counts the packages of a target by ecosystem. What belongs to an operating-system package is
/// judged with its owner.
pub(super) fn count(packages: &[Arc<Package>], db: Option<&Db>, coverage: &mut Coverage) {
    let judged = db.map(|db| matching::judged(packages, db));
    let judged = judged.unwrap_or_default().into_iter();
    let judged = judged.chain(std::iter::repeat(false));
    let mut all = packages.iter().zip(judged).peekable();
    // Packages are sorted by type, so that neighbours mostly share their ecosystem.
    while let Some((package, first)) = all.next() {
        let mut run = Judged::default();
        run.count(first);
        while let Some((_, judged)) = all
            .next_if(|(next, _)| next.ecosystem == package.ecosystem && next.kind == package.kind)
        {
            run.count(judged);
        }
        let name = package
            .ecosystem
            .clone()
            .unwrap_or_else(|| Arc::from(package.kind.as_str()));
        coverage.packages.entry(name).or_default().add(run);
    }
}

/// Whether nothing that a target holds was judged, or looked through for what could be.
pub(super) fn nothing_judged(coverage: &Coverage) -> bool {
    coverage.files.read == 0 && coverage.packages.is_empty() && coverage.terraform.roots == 0
}

/// The gap of a target in which nothing was judged.
pub(super) fn nothing(kind: TargetKind) -> Gap {
    let cause = match kind {
        TargetKind::Directory | TargetKind::Commit => {
            "no lockfile, infrastructure code or image that this run reads was found"
        }
        TargetKind::Document(Document::Plan) => {
            "the plan was not judged: infrastructure code was not asked for"
        }
        TargetKind::Document(Document::State) => {
            "the state was not judged: infrastructure code was not asked for"
        }
        TargetKind::File => "the file is not one that this run reads",
        TargetKind::Bill => "the bill of materials lists no package that this run judges",
        TargetKind::Image(_) => "nothing that this run judges was found in the image",
    };
    let place = Location::file("");
    Gap::warning(Stage::Source, GapKind::NothingJudged, place, cause)
}

/// The gap of packages that nobody could compare with anything.
pub(super) fn no_database(packages: &[Arc<Package>]) -> Gap {
    let places = packages.iter().flat_map(|package| &package.locations);
    let place = places.min().cloned();
    let place = Location {
        region: None,
        ..place.unwrap_or_else(|| Location::file(""))
    };
    let cause = match packages.len() {
        1 => "there is no advisory database; 1 package was not judged".to_owned(),
        count => format!("there is no advisory database; {count} packages were not judged"),
    };
    Gap::warning(Stage::Matching, GapKind::NoDatabase, place, cause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::package::PackageType;

    #[test]
    fn without_a_database_nothing_is_judged() {
        let at = |path: &str| {
            Arc::new(Package::new(PackageType::NPM, "a", "1").at(Location::line(path, 2)))
        };
        let packages = [at("b"), at("a")];
        let mut coverage = Coverage::default();
        assert!(nothing_judged(&coverage));
        count(&packages, None, &mut coverage);
        assert_eq!(
            coverage.packages.get("npm").map(|one| one.not_judged),
            Some(2)
        );
        assert!(!nothing_judged(&coverage));
        let gap = no_database(&packages);
        assert_eq!((&*gap.location.path, gap.location.region), ("a", None));
        assert!(gap.cause.contains("2 packages"));
    }
}
