//! Under which ecosystems, names and versions a package is looked up, and which of the answers
//! count. Records of one release stand under several names (Red Hat's variants, SUSE's modules,
//! Ubuntu's Pro), they name installed packages or source packages, and they write epochs or do
//! not. Where several answers speak of one vulnerability, the closest counts: that of the release
//! before those of others, that about the installed package before that about its source.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use db_sync::{Db, Match, ModuleStream, Moment, Query, ReadError, Response, Undecided};

use crate::inventory::ecosystem::{self, Names};
use crate::model::package::{Doubt, Package, PackageType, Release};

/// An ecosystem to ask; a lower rank counts before a higher one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Scope {
    rank: u8,
    ecosystem: Arc<str>,
}

/// The ecosystems of a release that the database knows.
#[derive(Clone, Debug, Default)]
struct Scopes {
    all: Vec<Scope>,
    /// Whether the database has the advisories for the release.
    covered: bool,
}

/// One look-up.
#[derive(Clone, Debug)]
struct Question {
    rank: u8,
    ecosystem: Arc<str>,
    name: Arc<str>,
    version: Version,
}

/// The version to compare.
#[derive(Clone, Debug)]
enum Version {
    /// As it is.
    Exact(String),
    /// Without its epoch, which a source rpm's file name does not have. The records' own epoch is
    /// the source's; the installed package may have another.
    Source { version: Arc<str>, epoch: u32 },
}

/// A vulnerability of a package, and how it was looked up.
pub(super) struct Hit<'db> {
    pub(super) ecosystem: Arc<str>,
    pub(super) name: Arc<str>,
    pub(super) version: String,
    pub(super) vulnerability: Match<'db>,
}

/// All that is known about one package.
#[derive(Default)]
pub(super) struct Answer<'db> {
    /// Whether the database has the advisories for its release.
    pub(super) covered: bool,
    pub(super) found: Vec<Hit<'db>>,
    pub(super) undecided: Vec<Undecided>,
}

/// Asks about the packages of one target.
pub(super) struct Asker<'db> {
    db: &'db Db,
    as_of: Option<Moment>,
    /// By release, of which there are a handful.
    scopes: BTreeMap<Arc<Release>, Arc<Scopes>>,
    /// By ecosystem, for packages that no release belongs to.
    plain: BTreeMap<Arc<str>, Arc<Scopes>>,
    /// What became of owners in doubt.
    known: BTreeMap<Arc<Doubt>, bool>,
}

impl<'db> Asker<'db> {
    pub(super) fn new(db: &'db Db, as_of: Option<Moment>) -> Self {
        Self {
            db,
            as_of,
            scopes: BTreeMap::new(),
            plain: BTreeMap::new(),
            known: BTreeMap::new(),
        }
    }

    /// Whether the advisories of a distribution know an owner that may not be the distribution's.
    pub(super) fn knows(&mut self, doubt: &Arc<Doubt>) -> Result<bool, ReadError> {
        if let Some(known) = self.known.get(doubt) {
            return Ok(*known);
        }
        let mut known = false;
        for name in &doubt.names {
            let question = Question {
                rank: 0,
                ecosystem: Arc::clone(&doubt.ecosystem),
                name: Arc::clone(name),
                version: Version::Exact(String::new()),
            };
            known = known || !self.named(&question)?.is_empty();
        }
        self.known.insert(Arc::clone(doubt), known);
        Ok(known)
    }

    /// The ecosystems that are asked about a package and that the database has advisories for.
    pub(super) fn ecosystems(&mut self, package: &Package) -> Vec<Arc<str>> {
        let scopes = self.scopes(package);
        let names = scopes.all.iter().map(|scope| &scope.ecosystem);
        names
            .filter(|name| self.db.has_ecosystem(name))
            .cloned()
            .collect()
    }

    /// Whether the database has the advisories for a package.
    pub(super) fn covers(&mut self, package: &Package) -> bool {
        self.scopes(package).covered
    }

    /// The ecosystems of a release, itself first.
    pub(super) fn parts(&self, release: &Release) -> Vec<Arc<str>> {
        let scopes = self.expand(release).all.into_iter();
        scopes.map(|scope| scope.ecosystem).collect()
    }

    /// Looks a package up; its ecosystem must be known.
    pub(super) fn ask(&mut self, package: &Package) -> Result<Answer<'db>, ReadError> {
        let scopes = self.scopes(package);
        let mut answer = Answer {
            covered: scopes.covered,
            ..Answer::default()
        };
        let questions = questions(package, &scopes.all);
        let module = stream(package);
        if let [question] = questions.as_slice() {
            (answer.found, answer.undecided) = self.answer(question, module)?;
            return Ok(answer);
        }
        let mut named: Vec<Option<BTreeSet<String>>> = vec![None; questions.len()];
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for (index, question) in questions.iter().enumerate() {
            let (found, undecided) = self.answer(question, module)?;
            for one in undecided {
                if !answer.undecided.iter().any(|have| have.id == one.id) {
                    answer.undecided.push(one);
                }
            }
            for one in found {
                let ids = ids(&one.vulnerability);
                if ids.iter().any(|id| seen.contains(id)) {
                    continue;
                }
                let mut decided = false;
                let earlier = questions.iter().zip(&mut named).take(index);
                for (other, known) in earlier.filter(|(other, _)| other.rank < question.rank) {
                    let known = match known {
                        Some(known) => known,
                        None => known.insert(self.named(other)?),
                    };
                    decided = decided || ids.iter().any(|id| known.contains(id));
                }
                if !decided {
                    seen.extend(ids);
                    answer.found.push(one);
                }
            }
        }
        Ok(answer)
    }

    fn query(
        &self,
        question: &Question,
        version: Option<&str>,
        module: Option<ModuleStream<'_>>,
    ) -> Result<Response<'db>, ReadError> {
        self.db.query(&Query {
            ecosystem: &question.ecosystem,
            name: &question.name,
            version,
            as_of: self.as_of,
            module,
        })
    }

    /// The ids of all vulnerabilities that speak of a package, whatever its version.
    fn named(&self, question: &Question) -> Result<BTreeSet<String>, ReadError> {
        let outcome = self.query(question, None, None)?;
        Ok(outcome.matches.iter().flat_map(ids).collect())
    }

    fn answer(
        &self,
        question: &Question,
        module: Option<ModuleStream<'_>>,
    ) -> Result<(Vec<Hit<'db>>, Vec<Undecided>), ReadError> {
        let made = |version: &str, found: Match<'db>| Hit {
            ecosystem: Arc::clone(&question.ecosystem),
            name: Arc::clone(&question.name),
            version: version.to_owned(),
            vulnerability: found,
        };
        let (source, epoch) = match &question.version {
            Version::Exact(version) => {
                let outcome = self.query(question, Some(version), module)?;
                let found = outcome.matches.into_iter();
                let found = found.map(|found| made(version, found));
                return Ok((found.collect(), outcome.undecided));
            }
            Version::Source { version, epoch } => (version, *epoch),
        };
        let mut answers: BTreeMap<u32, Vec<Match<'db>>> = BTreeMap::new();
        let mut undecided = Vec::new();
        for epoch in BTreeSet::from([0, epoch]) {
            let outcome = self.query(question, Some(&with_epoch(source, epoch)), module)?;
            answers.insert(epoch, outcome.matches);
            undecided = outcome.undecided;
        }
        let candidates: Vec<(String, BTreeSet<u32>)> = answers
            .values()
            .flatten()
            .map(|found| {
                let epochs = found.fixed.iter().map(|fixed| epoch_of(fixed));
                (found.id.to_owned(), epochs.collect())
            })
            .collect();
        let mut all = Vec::new();
        let mut taken: BTreeSet<String> = BTreeSet::new();
        for (id, mut epochs) in candidates {
            if epochs.is_empty() {
                // Without a fix, no record tells: whatever was found counts.
                epochs = answers.keys().copied().collect();
            }
            for epoch in epochs {
                let matches = match answers.entry(epoch) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(place) => {
                        let version = with_epoch(source, epoch);
                        place.insert(self.query(question, Some(&version), module)?.matches)
                    }
                };
                let found = matches.iter().find(|found| found.id == id);
                if let Some(found) = found.filter(|_| !taken.contains(&id)) {
                    all.push(made(&with_epoch(source, epoch), found.clone()));
                    taken.insert(id.clone());
                }
            }
        }
        Ok((all, undecided))
    }

    fn scopes(&mut self, package: &Package) -> Arc<Scopes> {
        let Some(ecosystem) = &package.ecosystem else {
            return Arc::default();
        };
        let Some(release) = package.release.as_ref() else {
            if let Some(known) = self.plain.get(ecosystem) {
                return Arc::clone(known);
            }
            let made = Arc::new(Scopes {
                all: vec![Scope {
                    rank: 1,
                    ecosystem: Arc::clone(ecosystem),
                }],
                covered: self.db.has_ecosystem(ecosystem),
            });
            self.plain.insert(Arc::clone(ecosystem), Arc::clone(&made));
            return made;
        };
        let scopes = if let Some(known) = self.scopes.get(release) {
            Arc::clone(known)
        } else {
            let made = Arc::new(self.expand(release));
            self.scopes.insert(Arc::clone(release), Arc::clone(&made));
            made
        };
        match self.special(package, &scopes) {
            Some(special) => Arc::new(special),
            None => scopes,
        }
    }

    fn expand(&self, release: &Release) -> Scopes {
        let mut scopes = Scopes {
            all: vec![Scope {
                rank: 1,
                ecosystem: Arc::clone(&release.ecosystem),
            }],
            covered: self.db.has_ecosystem(&release.ecosystem),
        };
        let lists = [(1, &release.parts), (2, &release.more)];
        for (rank, pattern) in lists
            .iter()
            .flat_map(|(rank, list)| list.iter().map(move |pattern| (*rank, pattern)))
        {
            for name in known(self.db, pattern) {
                if scopes.all.iter().any(|scope| *scope.ecosystem == *name) {
                    continue;
                }
                scopes.covered |= rank == 1 && self.db.has_ecosystem(name);
                scopes.all.push(Scope {
                    rank,
                    ecosystem: name.into(),
                });
            }
        }
        scopes
    }

    /// Ubuntu's builds for subscribers: what their own records say counts before what is said of
    /// the free release.
    fn special(&self, package: &Package, scopes: &Scopes) -> Option<Scopes> {
        let ecosystem = package.ecosystem.as_deref()?;
        let mut parts = ecosystem.split(':');
        let (name, number) = (parts.next()?, parts.next()?);
        if name != "Ubuntu" || package.kind != PackageType::DEB {
            return None;
        }
        let version = package.version.to_ascii_lowercase();
        let mut scopes = scopes.clone();
        if version.contains("fips") {
            let pattern = format!("Ubuntu:Pro:FIPS*:{number}:LTS");
            scopes
                .all
                .extend(known(self.db, &pattern).map(|name| Scope {
                    rank: 0,
                    ecosystem: name.into(),
                }));
        } else if version.contains("esm") {
            for scope in &mut scopes.all {
                if scope.ecosystem.starts_with("Ubuntu:Pro:") {
                    scope.rank = 0;
                }
            }
        } else {
            return None;
        }
        scopes.all.sort_by_key(|scope| scope.rank);
        Some(scopes)
    }
}

/// The ecosystems of the database that a name stands for; an asterisk in it stands for any text.
fn known<'db>(db: &'db Db, pattern: &str) -> impl Iterator<Item = &'db str> {
    let (start, end) = match pattern.split_once('*') {
        Some((start, end)) => (start.to_owned(), Some(end.to_owned())),
        None => (pattern.to_owned(), None),
    };
    // Sorted by name.
    let all = &db.info().ecosystems;
    let from = all.partition_point(|known| known.name.as_str() < start.as_str());
    let all = all.get(from..).unwrap_or_default().iter();
    let prefix = start.clone();
    all.map(|known| known.name.as_str())
        .take_while(move |name| name.starts_with(&prefix))
        .filter(move |name| match &end {
            None => *name == start,
            Some(end) => {
                let rest = name.get(start.len()..).unwrap_or_default();
                rest.ends_with(end.as_str())
            }
        })
}

fn ids(found: &Match<'_>) -> Vec<String> {
    let merged = found.merged().into_iter().map(str::to_owned);
    std::iter::once(found.id.to_owned()).chain(merged).collect()
}

/// Which names and versions of a package each ecosystem is asked for, in the order of their ranks.
fn questions(package: &Package, scopes: &[Scope]) -> Vec<Question> {
    let mut questions: Vec<Question> = Vec::with_capacity(scopes.len());
    for scope in scopes {
        let question = |rank: u8, name: &Arc<str>, version: Version| Question {
            rank: scope.rank.saturating_mul(2).saturating_add(rank),
            ecosystem: Arc::clone(&scope.ecosystem),
            name: Arc::clone(name),
            version,
        };
        let installed = || Version::Exact(package.full_version());
        let names = ecosystem::names(&scope.ecosystem);
        let of_source = match &package.source {
            Some(source) if names != Names::Binary => {
                let version = source_version(package, &scope.ecosystem, &source.version);
                Some((Arc::clone(&source.name), version))
            }
            None if package.kind == PackageType::RPM && names == Names::Source => {
                let version = source_version(package, &scope.ecosystem, &package.version);
                Some((Arc::clone(&package.name), version))
            }
            _ => None,
        };
        let start = questions.len();
        match (names, of_source) {
            (Names::Source, Some((name, version))) => questions.push(question(0, &name, version)),
            (Names::Both, Some((name, version))) => {
                questions.push(question(0, &package.name, installed()));
                if name != package.name {
                    questions.push(question(1, &name, version));
                }
            }
            _ if !package.candidates.is_empty() => {
                let names = package.candidates.iter();
                questions.extend(names.map(|name| question(0, name, installed())));
            }
            _ => questions.push(question(0, &package.name, installed())),
        }
        if scope.ecosystem.starts_with("Root:") {
            let own = questions.split_off(start);
            let prefixed = own.iter().map(|question| Question {
                name: root_name(package.kind, &question.name),
                ..question.clone()
            });
            questions.extend(prefixed);
        }
    }
    questions.sort_by_key(|question| question.rank);
    questions
}

/// The version of the source rpm, or of another kind of source package.
fn source_version(package: &Package, ecosystem: &str, version: &Arc<str>) -> Version {
    if package.kind != PackageType::RPM {
        return Version::Exact(version.to_string());
    }
    let is_main = package
        .source
        .as_ref()
        .is_none_or(|source| source.name == package.name);
    let epoch = package.epoch.unwrap_or_default();
    // Rocky's records always write the epoch, and the package that has the source's name has its
    // epoch; the others' records leave it out.
    if is_main && db_sync::ecosystem::base(ecosystem) == "Rocky Linux" {
        return Version::Exact(with_epoch(version, epoch));
    }
    Version::Source {
        version: Arc::clone(version),
        epoch,
    }
}

fn with_epoch(version: &str, epoch: u32) -> String {
    match epoch {
        0 => version.to_owned(),
        epoch => format!("{epoch}:{version}"),
    }
}

fn epoch_of(version: &str) -> u32 {
    let epoch = version.split_once(':').map(|(epoch, _)| epoch.parse());
    epoch.and_then(Result::ok).unwrap_or_default()
}

/// How Root's records name a package: `rootio-x`, `@rootio/x`.
fn root_name(kind: PackageType, name: &Arc<str>) -> Arc<str> {
    let prefix = if kind == PackageType::NPM {
        "@rootio/"
    } else {
        "rootio-"
    };
    let has = |start: &str| name.replace('_', "-").starts_with(start);
    if has(prefix) || has("io.root.") {
        return Arc::clone(name);
    }
    format!("{prefix}{name}").into()
}

/// The module stream of an rpm: from its label, else from what name and version allow.
fn stream(package: &Package) -> Option<ModuleStream<'_>> {
    match &package.module {
        Some(label) => ModuleStream::of_label(label),
        None if package.kind == PackageType::RPM => {
            db_sync::ecosystem::module_build(&package.version)?;
            ModuleStream::guess(&package.name, &package.version)
        }
        None => None,
    }
}

#[cfg(test)]
mod tests;
