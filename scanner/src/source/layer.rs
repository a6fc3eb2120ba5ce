//! One layer, read once: the facts of the files that parsers want, and what the layer does to the
//! layers below it. Nothing else of the layer is held.
//!
//! The result is a value of its own, independent of the image and of the other layers, so that
//! layers are read in parallel and can be cached by their verified digest; [`super::merge`] puts
//! them together. Within a layer the last member of a name wins, as when it is unpacked.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};

use super::hashing::Cores;
use super::limits;
use super::names::{self, BadName, PathHash, Walker};
use super::stream::{LayerStream, Promise, Stop};
use super::tar::{Kind, Member, Tar, TarError};
use super::wanted::{Registry, Run, Selection, read_member};
use crate::gap::{Gap, GapKind, Stage};
use crate::inventory::Facts;
use crate::location::Location;

/// What one parser read from one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Its id.
    pub parser: Arc<str>,
    /// Whether the file is a database that later layers rewrite as a whole.
    pub database: bool,
    /// What it told.
    pub facts: Facts,
}

/// A file that parsers wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScannedFile {
    /// Its path in the layer.
    pub path: Arc<str>,
    /// One for each parser.
    pub readings: Vec<Reading>,
}

/// A link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Its path in the layer.
    pub path: Arc<str>,
    /// As written, for a symbolic link; the path in the image, for a hard link.
    pub target: Arc<str>,
    /// Whether it is a hard link.
    pub hard: bool,
}

/// All that is kept of one layer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerScan {
    /// Digest of the blob, verified.
    pub digest: Arc<str>,
    /// Digest of the tar, computed; absent where a limit stopped the reading.
    pub diff_id: Option<Arc<str>>,
    /// Sorted by path.
    pub files: Vec<ScannedFile>,
    /// Sorted by path.
    pub links: Vec<Link>,
    /// Paths of lower layers that are deleted; sorted.
    pub whiteouts: Vec<Arc<str>>,
    /// Directories whose content in lower layers is deleted; sorted.
    pub opaque: Vec<Arc<str>>,
    /// Paths that were, at any time in this layer, something else than a directory; sorted.
    pub non_directories: Vec<PathHash>,
    /// Paths with a directory entry; sorted.
    pub directories: Vec<PathHash>,
    /// Directories above other members, without an entry of their own; sorted.
    pub implied: Vec<PathHash>,
    /// What could not be read, by path in the layer.
    pub gaps: Vec<Gap>,
}

/// What all layers of an image share while they are read: totals above which it is refused.
#[derive(Default)]
pub(crate) struct Totals {
    paths: AtomicUsize,
    packages: AtomicUsize,
}

impl Totals {
    fn add(counter: &AtomicUsize, count: usize, limit: usize, what: &str) -> Result<(), Stop> {
        let before = counter.fetch_add(count, Ordering::Relaxed);
        if before.saturating_add(count) > limit {
            return Err(Stop::Broken(format!(
                "the layers of the image have more than {limit} {what}"
            )));
        }
        Ok(())
    }
}

/// Reads one layer.
pub(crate) fn scan(
    blob: impl Read,
    promise: Promise,
    cores: &Arc<Cores>,
    registry: &Registry,
    selection: &Selection,
    totals: &Totals,
) -> Result<LayerScan, Stop> {
    let stream = LayerStream::open(blob, promise, cores)?;
    let mut tar = Tar::new(stream);
    let mut state = State::default();
    let fault = loop {
        match tar.next() {
            Ok(None) => break None,
            Ok(Some((member, troubles))) => {
                for (kind, cause) in troubles {
                    state.gap(kind, &names::text(&member.path), cause);
                }
                state.member(&mut tar, &member, registry, selection);
            }
            Err(TarError::Io(_)) if tar.inner_mut().stop().is_some() => break None,
            Err(error) => break Some(error),
        }
        if let Some(limit) = state.limit() {
            tar.inner_mut().stop_at(limit);
        }
    };
    // A blob that is not the one promised explains a broken tar better than the tar does.
    let verified = tar.into_inner().finish()?;
    if let Some(error) = fault {
        return Err(Stop::Broken(error.to_string()));
    }
    let mut scan = state.finish();
    if let Selection::Installed = selection {
        let paths = [&scan.non_directories, &scan.directories, &scan.implied];
        let paths = paths.iter().map(|set| set.len()).sum();
        Totals::add(&totals.paths, paths, limits::IMAGE_PATHS, "paths")?;
    }
    let readings = scan.files.iter().flat_map(|file| &file.readings);
    let packages = readings.map(|reading| reading.facts.packages.len()).sum();
    Totals::add(
        &totals.packages,
        packages,
        limits::IMAGE_PACKAGES,
        "packages",
    )?;
    if let Some(limit) = &verified.stopped {
        scan.gaps.insert(
            0,
            Gap::warning(
                Stage::Source,
                GapKind::Limit,
                Location::file("."),
                format!("{limit}; the rest of the layer was not read"),
            ),
        );
    }
    scan.digest = verified.digest;
    scan.diff_id = verified.diff_id;
    Ok(scan)
}

/// What is at a path, within the layer.
enum Present {
    File(Vec<ScannedFile>),
    Link { target: String, hard: bool },
}

/// The layer as read so far.
#[derive(Default)]
struct State {
    present: BTreeMap<String, Present>,
    links: usize,
    whiteouts: Vec<Arc<str>>,
    opaque: Vec<Arc<str>>,
    name_bytes: usize,
    non_directories: Vec<PathHash>,
    directories: Vec<PathHash>,
    implied: Vec<PathHash>,
    walker: Walker,
    members: u64,
    packages: usize,
    gaps: Vec<Gap>,
    gaps_left_out: usize,
    names_full: bool,
    packages_full: bool,
    buffer: Vec<u8>,
    probe: String,
}

impl State {
    fn gap(&mut self, kind: GapKind, path: &str, cause: impl Into<Arc<str>>) {
        if self.gaps.len() < limits::LAYER_GAPS {
            let location = Location::file(super::digest::shorten_to(path, 1024));
            self.gaps
                .push(Gap::warning(Stage::Source, kind, location, cause));
        } else {
            self.gaps_left_out = self.gaps_left_out.saturating_add(1);
        }
    }

    /// The limit that the layer has reached, if any.
    fn limit(&self) -> Option<String> {
        let paths = [&self.non_directories, &self.directories, &self.implied];
        if paths.iter().map(|set| set.len()).sum::<usize>() > limits::LAYER_PATHS {
            return Some(format!(
                "the layer has more than {} paths",
                limits::LAYER_PATHS
            ));
        }
        (self.members > limits::TAR_MEMBERS)
            .then(|| format!("the layer has more than {} members", limits::TAR_MEMBERS))
    }

    fn member<R: Read>(
        &mut self,
        tar: &mut Tar<LayerStream<R>>,
        member: &Member,
        registry: &Registry,
        selection: &Selection,
    ) {
        self.members = self.members.saturating_add(1);
        let path = match names::normalise(&member.path) {
            Ok(path) if path.is_empty() => return,
            Ok(path) => path,
            Err(bad) => {
                let (kind, cause) = bad_name(bad);
                self.gap(kind, &names::text(&member.path), cause);
                return;
            }
        };
        let (directory, name) = names::split(&path);
        if let Some(hidden) = name.strip_prefix(".wh.") {
            self.whiteout(&path, directory, hidden);
            return;
        }
        if member.kind == Kind::Other {
            return;
        }
        let hash = {
            let implied = &mut self.implied;
            self.walker.visit(&path, |parent| implied.push(parent))
        };
        self.forget(&path, member.kind);
        if member.kind == Kind::Directory {
            self.directories.push(hash);
            return;
        }
        self.non_directories.push(hash);
        match member.kind {
            Kind::File => self.file(tar, path, member, registry, selection),
            Kind::Sparse if !selection.runs(registry, &path).is_empty() => self.gap(
                GapKind::UnknownFormat,
                &path,
                "a file stored with holes, which are not filled here",
            ),
            Kind::Symlink if member.link.len() > limits::PATH_BYTES => {
                let (kind, cause) = bad_name(BadName::TooLong);
                self.gap(kind, &path, cause);
            }
            Kind::Symlink => {
                let target = names::text(&member.link).into_owned();
                self.link(path, target, false);
            }
            Kind::HardLink => match names::normalise(&member.link) {
                Ok(target) => self.link(path, target, true),
                Err(bad) => {
                    let (kind, cause) = bad_name(bad);
                    self.gap(kind, &path, format!("hard link: {cause}"));
                }
            },
            _ => {}
        }
    }

    /// A member takes the place of what the layer had at its path before: engines remove that,
    /// with everything below, unless both are directories.
    fn forget(&mut self, path: &str, kind: Kind) {
        if self.present.is_empty() {
            return;
        }
        self.present.remove(path);
        if kind != Kind::Directory {
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
                self.present.remove(&below);
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
                self.gap(
                    GapKind::Limit,
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

    fn file<R: Read>(
        &mut self,
        tar: &mut Tar<LayerStream<R>>,
        path: String,
        member: &Member,
        registry: &Registry,
        selection: &Selection,
    ) {
        let mut runs = selection.runs(registry, &path);
        let mut first = Vec::new();
        if runs.is_empty() && member.executable {
            match selection.runs_by_magic(registry, &path, tar, &mut first) {
                Ok(found) => runs = found,
                // The stream remembers its fault.
                Err(_) => return,
            }
        }
        if runs.is_empty() {
            return;
        }
        if self.packages > limits::LAYER_PACKAGES {
            if !self.packages_full {
                self.packages_full = true;
                self.gap(
                    GapKind::Limit,
                    &path,
                    "the layer has too many packages; this file and those after it were not read",
                );
            }
            return;
        }
        let files = self.read(tar, member.size, &first, &runs);
        for reading in files.iter().flat_map(|file| &file.readings) {
            let kept = reading.facts.packages.len() + reading.facts.owned.len() / 16;
            self.packages = self.packages.saturating_add(kept);
        }
        if !files.is_empty() {
            self.present.insert(path, Present::File(files));
        }
    }

    fn read<R: Read>(
        &mut self,
        tar: &mut Tar<LayerStream<R>>,
        size: u64,
        first: &[u8],
        runs: &[Run],
    ) -> Vec<ScannedFile> {
        let mut content = io::Cursor::new(first).chain(tar);
        let mut files: Vec<ScannedFile> = Vec::new();
        for (path, reading) in read_member(&mut content, size, runs, &mut self.buffer) {
            match files.iter_mut().find(|file| file.path == path) {
                Some(file) => file.readings.push(reading),
                None => files.push(ScannedFile {
                    path,
                    readings: vec![reading],
                }),
            }
        }
        files
    }

    fn finish(mut self) -> LayerScan {
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
        scan
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
