//! The members of one layer as they come: which are files that parsers want, which are links,
//! what hides lower layers. Every member that is no directory is counted by what became of it.

mod file;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, Read};
use std::ops::Bound;
use std::sync::Arc;

use super::counts::{Counts, count};
use super::limits::{self, Name};
use super::names::{self, BadName, PathHash, Walker};
use super::scanned::{LayerScan, Link, ScannedFile};
use super::stop::Stop;
use super::stream::{LayerStream, Shared};
use super::tar::{Member, MemberKind, Tar};
use super::totals::Totals;
use super::wanted::Selection;
use crate::analyzer::{Analyzers, Look};
use crate::model::gap::{Gap, GapKind, Stage};
use crate::model::location::Location;

/// The content of a member, as it comes.
pub(super) trait Content: BufRead {
    /// Whether it can be read at all. Where it was left out, the member counts, and its content is a
    /// gap of whoever left it out.
    fn is_here(&self) -> bool;
}

impl<R: Read> Content for Tar<LayerStream<R>> {
    fn is_here(&self) -> bool {
        true
    }
}

/// What is at a path, within the layer.
enum Present {
    File(Vec<ScannedFile>),
    Link { target: String, hard: bool },
}

/// See the module: the layer as read so far.
pub(super) struct Members {
    present: BTreeMap<String, Present>,
    replaced: Vec<ScannedFile>,
    links: usize,
    whiteouts: Vec<Arc<str>>,
    opaque: Vec<Arc<str>>,
    name_bytes: usize,
    non_directories: Vec<PathHash>,
    directories: Vec<PathHash>,
    implied: Vec<PathHash>,
    walker: Walker,
    met: u64,
    /// Whether names may be those of whiteouts.
    is_layer: bool,
    packages: usize,
    gaps: Vec<Gap>,
    gaps_left_out: usize,
    names_full: bool,
    packages_full: bool,
    buffer: Vec<u8>,
    probe: String,
    /// Bytes of facts and gaps that are kept, estimated; and what of all was counted in the totals.
    fact_bytes: u64,
    charged: u64,
    counts: Counts,
    unclaimed: Box<dyn Look>,
    /// Directories that have the gap of all of their files.
    subjects: BTreeSet<Arc<str>>,
}

/// Bytes of the totals that are counted at once.
const CHARGE: u64 = 1 << 20;

/// What a gap takes besides its texts.
const GAP_BYTES: u64 = 256;

impl Members {
    pub(super) fn new(analyzers: &Analyzers<'_>) -> Self {
        Self {
            present: BTreeMap::new(),
            replaced: Vec::new(),
            links: 0,
            whiteouts: Vec::new(),
            opaque: Vec::new(),
            name_bytes: 0,
            non_directories: Vec::new(),
            directories: Vec::new(),
            implied: Vec::new(),
            walker: Walker::default(),
            met: 0,
            is_layer: true,
            packages: 0,
            gaps: Vec::new(),
            gaps_left_out: 0,
            names_full: false,
            packages_full: false,
            buffer: Vec::new(),
            probe: String::new(),
            fact_bytes: 0,
            charged: 0,
            counts: Counts::default(),
            unclaimed: (analyzers.unclaimed)(),
            subjects: BTreeSet::new(),
        }
    }

    /// The same for files that lie unpacked: a name that begins like that of a whiteout is a name.
    pub(super) fn unpacked(analyzers: &Analyzers<'_>) -> Self {
        Self {
            is_layer: false,
            ..Self::new(analyzers)
        }
    }

    pub(super) fn gap(&mut self, kind: GapKind, path: &str, cause: impl Into<Arc<str>>) {
        let location = Location::file(super::digest::shorten_to(path, 1024));
        self.note(Gap::warning(Stage::Source, kind, location, cause));
    }

    pub(super) fn note(&mut self, gap: Gap) {
        if self.gaps.len() < limits::LAYER_GAPS {
            let texts = gap.location.path.len().saturating_add(gap.cause.len());
            self.kept(GAP_BYTES.saturating_add(texts as u64));
            self.gaps.push(gap);
        } else {
            self.gaps_left_out = self.gaps_left_out.saturating_add(1);
        }
    }

    /// The rest of the layer's files, links or whiteouts is left out.
    fn full(&mut self, path: &str, cause: &str) {
        let location = Location::file(super::digest::shorten_to(path, 1024));
        let gap = Gap::warning(Stage::Source, GapKind::Limit, location, cause);
        self.note(gap.unjudged());
    }

    const fn kept(&mut self, bytes: u64) {
        self.fact_bytes = self.fact_bytes.saturating_add(bytes);
    }

    /// Counts in the totals what is kept since the last time.
    fn charge(&mut self, totals: &Totals, least: u64) -> Result<(), Stop> {
        let names = self.links + self.whiteouts.len() + self.opaque.len();
        let bytes = (self.paths() as u64)
            .saturating_mul(16)
            .saturating_add(self.name_bytes as u64)
            .saturating_add((names as u64).saturating_mul(64))
            .saturating_add(self.fact_bytes);
        let fresh = bytes.saturating_sub(self.charged);
        if fresh < least {
            return Ok(());
        }
        self.charged = bytes;
        totals.keep(fresh)
    }

    fn paths(&self) -> usize {
        let paths = [&self.non_directories, &self.directories, &self.implied];
        paths.iter().map(|set| set.len()).sum()
    }

    /// The limit that the layer, or all of them, have reached, if any.
    pub(super) fn limit(&mut self, totals: &Totals) -> Option<Stop> {
        if let Err(stop) = self.charge(totals, CHARGE) {
            return Some(stop);
        }
        let paths = totals.budget.limit(Name::LayerPaths);
        let members = totals.budget.limit(Name::LayerMembers);
        let limit = if self.paths() as u64 > paths {
            format!("the layer has more than {paths} paths")
        } else if self.met > members {
            format!("the layer has more than {members} members")
        } else {
            return None;
        };
        Some(Stop::Limit(limit))
    }

    /// Takes back that a file was read: its content could not be.
    pub(super) fn unread(&mut self) {
        self.counts.read = self.counts.read.saturating_sub(1);
        count(&mut self.counts.unreadable);
    }

    /// Takes a member with its content.
    pub(super) fn take<C: Content>(
        &mut self,
        content: &mut C,
        member: &Member,
        shared: &Shared,
        analyzers: &Analyzers<'_>,
        selection: &Selection,
    ) {
        self.met = self.met.saturating_add(1);
        let path = match names::normalise(&member.path) {
            Ok(path) if path.is_empty() => {
                if member.kind != MemberKind::Directory {
                    count(&mut self.counts.not_recognised);
                }
                return;
            }
            Ok(path) => path,
            Err(bad) => {
                let (kind, cause) = bad_name(bad);
                self.gap(kind, &names::text(&member.path), cause);
                if member.kind != MemberKind::Directory {
                    count(&mut self.counts.unreadable);
                }
                return;
            }
        };
        let (directory, name) = names::split(&path);
        if let Some(hidden) = name.strip_prefix(".wh.").filter(|_| self.is_layer) {
            self.whiteout(&path, directory, hidden);
            return;
        }
        let hash = {
            let implied = &mut self.implied;
            self.walker.visit(&path, |parent| implied.push(parent))
        };
        self.forget(&path, member.kind);
        if member.kind == MemberKind::Directory {
            self.directories.push(hash);
            return;
        }
        self.non_directories.push(hash);
        match member.kind {
            MemberKind::File => self.file(content, path, member, shared, analyzers, selection),
            MemberKind::Unknown(kind) => {
                if member.executable || !selection.runs(analyzers, &path).is_empty() {
                    let cause = format!(
                        "a member of the unknown type `{}`; read as a regular file",
                        kind.escape_ascii()
                    );
                    self.gap(GapKind::UnknownFormat, &path, cause);
                }
                self.file(content, path, member, shared, analyzers, selection);
            }
            MemberKind::Sparse => {
                if member.executable || !selection.runs(analyzers, &path).is_empty() {
                    let cause = "a file stored with holes, which are not filled here";
                    self.gap(GapKind::UnknownFormat, &path, cause);
                    count(&mut self.counts.unreadable);
                } else {
                    count(&mut self.counts.not_recognised);
                }
            }
            MemberKind::Symlink | MemberKind::HardLink => {
                count(&mut self.counts.link);
                self.link_member(path, member);
            }
            // Devices and pipes. Headers of headers do not come here.
            _ => {
                count(&mut self.counts.special);
                if !selection.runs(analyzers, &path).is_empty() {
                    let cause = "neither a file nor a link: a device or a pipe";
                    self.gap(GapKind::Unreadable, &path, cause);
                }
            }
        }
    }

    fn link_member(&mut self, path: String, member: &Member) {
        if member.kind == MemberKind::HardLink {
            match names::normalise(&member.link) {
                Ok(target) => self.link(path, target, true),
                Err(bad) => {
                    let (kind, cause) = bad_name(bad);
                    self.gap(kind, &path, format!("hard link: {cause}"));
                }
            }
        } else if member.link.len() > limits::PATH_BYTES {
            let (kind, cause) = bad_name(BadName::TooLong);
            self.gap(kind, &path, cause);
        } else {
            let target = names::text(&member.link).into_owned();
            self.link(path, target, false);
        }
    }

    /// A member takes the place of what the layer had at its path before: engines remove that,
    /// with everything below, unless both are directories.
    fn forget(&mut self, path: &str, kind: MemberKind) {
        if self.present.is_empty() {
            return;
        }
        let before = self.present.remove(path);
        self.replace(before);
        if kind != MemberKind::Directory {
            self.probe.clear();
            self.probe.push_str(path);
            self.probe.push('/');
            while let Some((below, _)) = self
                .present
                .range::<str, _>((Bound::Included(self.probe.as_str()), Bound::Unbounded))
                .next()
                && below.starts_with(&self.probe)
            {
                let below = below.clone();
                let before = self.present.remove(&below);
                self.replace(before);
            }
        }
    }

    /// Keeps of what is no longer there what counts all the same.
    fn replace(&mut self, before: Option<Present>) {
        let Some(Present::File(files)) = before else {
            return;
        };
        for mut file in files {
            file.readings.retain(|reading| reading.also_hidden);
            if !file.readings.is_empty() {
                self.replaced.push(file);
            }
        }
    }

    /// Counts a name that is kept; false where too many are.
    fn keep_name(&mut self, path: &str, other: &str) -> bool {
        let bytes = path.len().saturating_add(other.len());
        let kept = self.links + self.whiteouts.len() + self.opaque.len();
        if self.name_bytes.saturating_add(bytes) > limits::NAME_BYTES
            || self.links > limits::LINKS
            || kept > limits::WHITEOUTS
        {
            if !self.names_full {
                self.names_full = true;
                self.full(
                    path,
                    "the layer has too many links or whiteouts; this one and those after it were not read",
                );
            }
            return false;
        }
        self.name_bytes = self.name_bytes.saturating_add(bytes);
        true
    }

    fn link(&mut self, path: String, target: String, hard: bool) {
        if self.keep_name(&path, &target) {
            self.links += 1;
            self.present.insert(path, Present::Link { target, hard });
        }
    }

    /// OCI image-spec, layer.md, "Whiteouts"; names that begin with `.wh..wh.` belong to aufs.
    fn whiteout(&mut self, path: &str, directory: &str, hidden: &str) {
        match hidden {
            "" | "." | ".." => {
                self.gap(GapKind::Whiteout, path, "a whiteout that names no file");
                return;
            }
            ".wh..opq" => {
                if self.keep_name(directory, "") {
                    self.opaque.push(directory.into());
                }
            }
            _ if hidden.starts_with(".wh.") => return,
            _ => {
                let hidden = names::join(directory, hidden);
                if self.keep_name(&hidden, "") {
                    self.whiteouts.push(hidden.into());
                }
            }
        }
        if !directory.is_empty() {
            let implied = &mut self.implied;
            let hash = self.walker.visit(directory, |parent| implied.push(parent));
            implied.push(hash);
        }
    }

    /// Gives back what was counted in the totals: the layer is read in another way.
    pub(super) fn abandon(self, totals: &Totals) {
        totals.release(self.charged);
    }

    /// What the layer holds.
    pub(super) fn finish(mut self, totals: &Totals) -> Result<LayerScan, Stop> {
        self.charge(totals, 0)?;
        if self.gaps_left_out > 0 {
            let cause = format!("{} more gaps of this layer", self.gaps_left_out);
            self.gaps.push(Gap::warning(
                Stage::Source,
                GapKind::Limit,
                Location::file("."),
                cause,
            ));
        }
        let mut scan = LayerScan {
            whiteouts: sorted(self.whiteouts),
            opaque: sorted(self.opaque),
            non_directories: sorted(self.non_directories),
            directories: sorted(self.directories),
            implied: sorted(self.implied),
            gaps: self.gaps,
            coverage: self.counts.files(),
            kept: self.charged,
            ..LayerScan::default()
        };
        scan.implied
            .retain(|hash| scan.directories.binary_search(hash).is_err());
        for (path, present) in self.present {
            match present {
                Present::File(files) => scan.files.extend(files),
                Present::Link { target, hard } => scan.links.push(Link {
                    path: path.into(),
                    target: target.into(),
                    hard,
                }),
            }
        }
        scan.files.sort_by(|left, right| left.path.cmp(&right.path));
        scan.replaced = self.replaced;
        scan.replaced
            .sort_by(|left, right| left.path.cmp(&right.path));
        Ok(scan)
    }
}

fn sorted<T: Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort_unstable();
    values.dedup();
    values.shrink_to_fit();
    values
}

fn bad_name(bad: BadName) -> (GapKind, String) {
    match bad {
        BadName::Escapes => (
            GapKind::EscapingPath,
            "the name leaves the root of the image".into(),
        ),
        BadName::TooLong => (
            GapKind::Limit,
            format!("a name of more than {} bytes", limits::PATH_BYTES),
        ),
    }
}
