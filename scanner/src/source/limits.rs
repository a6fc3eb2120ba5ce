//! Every limit of image reading, in one place. A target that reaches one is either refused
//! ([`super::SourceError`]: its structure cannot be trusted) or scanned as far as the limit, with
//! a gap that names it. None of them is reached by an image that a registry would serve. Those that a
//! user may change are in a table of their own ([`ROWS`]).

use std::time::Instant;

pub use self::chosen::{Limits, Name, ROWS, Row, Unit, parse, shown};

mod chosen;

/// Bytes of `index.json`, of a manifest, of a config and of `manifest.json`. Registries refuse
/// manifests above 4 MiB (OCI distribution-spec, "Pushing manifests").
pub const DOCUMENT_BYTES: u64 = 4 << 20;

/// Bytes of all JSON documents that are read from one target, and of those that are kept from a
/// compressed archive, which cannot be read at a position.
pub const DOCUMENTS_BYTES: usize = 64 << 20;

/// Bytes below which a member of a compressed archive is kept even if it does not begin as JSON.
pub const SMALL_BYTES: u64 = 4096;

/// Indexes inside indexes.
pub const INDEX_DEPTH: u32 = 8;

/// Manifests and indexes read from one target.
pub const MANIFESTS: usize = 1_000;

/// Images of one target that are scanned; the rest is a gap.
pub const IMAGES: usize = 16;

/// Layers of one image. Engines stop at 127 (overlayfs) or 500.
pub const LAYERS: usize = 2_000;

/// Names of one image that are shown; an archive may give it any number.
pub const IMAGE_NAMES: usize = 16;

/// Bytes of a name that is shown: a reference has at most 255 and a tag or digest.
pub const IMAGE_NAME_BYTES: usize = 400;

/// Characters of the instruction that made a layer, as it is shown.
pub const INSTRUCTION_CHARS: usize = 500;

/// Documents that are read of those attached to one image.
pub const ATTACHED: usize = 64;

/// Bytes of the documents that are attached to one image, all together; a bill of materials of a large
/// image has 10 MB.
pub const ATTACHED_BYTES: u64 = 64 << 20;

/// Wrappings around one attached document: a bundle, an envelope and a statement are three.
pub const WRAPPINGS: u32 = 4;

/// Bytes of one layer, uncompressed. The rest of the layer is a gap.
pub const LAYER_BYTES: u64 = 64 << 30;

/// How often the uncompressed layer may exceed the compressed one, once it has passed
/// [`RATIO_FLOOR`]. Deflate reaches 1,032; real layers rarely reach 10.
pub const RATIO: u64 = 200;

/// Uncompressed bytes below which the ratio does not matter.
pub const RATIO_FLOOR: u64 = 1 << 30;

/// Bytes of all layers of a target together, uncompressed: twice the longest layer. A target above
/// is refused.
pub const IMAGE_BYTES: u64 = 128 << 30;

/// How often all layers together may exceed what is stored, once they have passed
/// [`IMAGE_RATIO_FLOOR`]: many layers that are small enough alone make a bomb together. A target
/// above is refused.
pub const IMAGE_RATIO: u64 = 200;

/// Uncompressed bytes of all layers below which the ratio does not matter: read in a few seconds.
pub const IMAGE_RATIO_FLOOR: u64 = 4 << 30;

/// Window of a zstd frame as a power of two: what `zstd` itself accepts without a flag.
pub const ZSTD_WINDOW_LOG: u32 = 27;

/// Memory that decompressing one xz stream may take, in KiB: the dictionary of 64 MiB that `xz -9` uses,
/// and what the decoder needs besides.
pub const XZ_MEMORY_KIB: u32 = 66 << 10;

/// Paths that one layer defines, directories above them included. The rest of the layer is a gap.
pub const LAYER_PATHS: usize = 4_000_000;

/// Members of one tar, whatever they are. The rest of the layer is a gap.
pub const TAR_MEMBERS: u64 = 8_000_000;

/// Bytes of a PAX header or a GNU long name. A longer one is skipped, with a gap. Go's
/// `archive/tar`, which engines use, stops at 1 MiB.
pub const META_BYTES: u64 = 1 << 20;

/// Troubles noted of one member; it has a gap in any case.
pub const MEMBER_TROUBLES: usize = 8;

/// Bytes behind the end of an archive that are searched for further members.
pub const TRAILING_BYTES: u64 = 64 << 20;

/// Bytes of a path inside a layer. Linux refuses paths above 4,096 at once, but deeper trees can
/// be made.
pub const PATH_BYTES: usize = 32 << 10;

/// Links kept of one layer.
pub const LINKS: usize = 1 << 18;

/// Whiteouts and opaque directories kept of one layer.
pub const WHITEOUTS: usize = 1 << 20;

/// Bytes of paths and link targets kept of one layer, for links and whiteouts together.
pub const NAME_BYTES: usize = 32 << 20;

/// Symbolic links followed for one path; Linux stops at 40 too.
pub const SYMLINK_HOPS: u32 = 40;

/// Directories, links and wanted files in the merged tree of an image.
pub const TREE_NODES: usize = 1 << 20;

/// Path components walked to resolve symbolic links, for a whole image.
pub const RESOLVE_STEPS: u64 = 50_000_000;

/// Files that are read a second time because a wanted path is a link to them.
pub const SECOND_READS: usize = 1 << 16;

/// Directories that are read under a second name, because a link leads to them.
pub const SECOND_NAMES: usize = 1 << 14;

/// Directories into which one layer writes through links.
pub const WRITTEN_NAMES: usize = 1 << 10;

/// Bytes of one file held in memory, whatever its parser allows.
pub const FILE_BYTES: u64 = 128 << 20;

/// Packages kept of one layer. The rest of the layer's files is a gap.
pub const LAYER_PACKAGES: usize = 500_000;

/// Gaps reported of one layer; one more says how many were left out.
pub const LAYER_GAPS: usize = 1_000;

/// Gaps reported of the layers of one image; one more says how many were left out.
pub const IMAGE_GAPS: usize = 10_000;

/// Layers read at once, whatever the machine has.
pub const WORKERS: usize = 16;

/// Members of an archive looked at to see whether it is an image, as many as one may have. A tar has
/// no order: what says so may come last.
pub const RECOGNISE_MEMBERS: usize = ARCHIVE_MEMBERS;

/// Members that do not look like parts of an image, and nothing else, in front of the place where an
/// archive breaks off, that make it one of other things.
pub const RECOGNISE_STRANGERS: usize = 16;

/// Uncompressed bytes of a compressed archive looked at without a sign of an image. Whether a longer
/// one is one, is left open.
pub const RECOGNISE_BYTES: u64 = 256 << 20;

/// Members of a target that is an archive.
pub const ARCHIVE_MEMBERS: usize = 100_000;

/// Bytes of the names of these members.
pub const ARCHIVE_NAME_BYTES: usize = 32 << 20;

/// Links followed between the members of a docker-archive.
pub const ARCHIVE_LINK_HOPS: u32 = 8;

/// Bytes of a layer's table of contents, as stored and unpacked: some 200,000 files. A layer with a
/// longer one is read whole.
pub const TABLE_BYTES: u64 = 64 << 20;

/// Memory that reading a layer by its table takes besides the files that are held.
pub const PARTIAL_BYTES: u64 = 128 << 20;

/// The part of a layer, as its divisor, above which it is read whole: most of it is wanted.
pub const PARTIAL_SHARE: u64 = 2;

/// Requests for the files of one layer. A layer that needs more is read whole.
pub const PARTIAL_REQUESTS: usize = 4096;

/// Bytes of files that lie close together and are requested at once.
pub const PARTIAL_GROUP: u64 = 4 << 20;

/// Bytes of the requests in flight for a layer, and of one chunk. A layer with a longer chunk that is
/// wanted is read whole.
pub const PARTIAL_GROUP_MOST: u64 = 16 << 20;

/// Unwanted bytes between two files that are requested at once: they cost less than a request.
pub const PARTIAL_DISTANCE: u64 = 16 << 10;

/// Requests in flight for a layer.
pub const PARTIAL_IN_FLIGHT: usize = 4;

/// Window of a chunk in zstd. A layer with a longer one is read whole.
pub const PARTIAL_WINDOW: u64 = 16 << 20;

/// Memory that reading images may take, in shares. What does not fit into a share waits, where it
/// is only held while a file is read, or is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    memory: u64,
    limits: Limits,
    /// When the time for an image is over.
    until: Option<Instant>,
}

impl Default for Budget {
    /// 1 GiB, which the smallest usual runners have.
    fn default() -> Self {
        Self::of(1 << 30)
    }
}

impl Budget {
    /// Bytes kept of a package until the layers are merged.
    pub const PACKAGE_BYTES: u64 = 1024;

    /// Bytes kept of a file with facts, and of its place in the merged tree, besides its packages.
    pub const KEPT_FILE_BYTES: u64 = 2048;

    /// So many bytes of memory for the process.
    pub const fn of(memory: u64) -> Self {
        Self {
            memory,
            limits: Limits::USUAL,
            until: None,
        }
    }

    /// With the limits of the user, for an image whose reading begins now.
    #[must_use]
    pub fn limited(self, limits: Limits) -> Self {
        let seconds = limits.of(Name::ImageTime);
        let time = std::time::Duration::from_secs(seconds);
        Self {
            limits,
            until: (seconds > 0)
                .then(|| Instant::now().checked_add(time))
                .flatten(),
            ..self
        }
    }

    /// For an image whose time is over.
    #[cfg(test)]
    pub(super) fn over(self) -> Self {
        Self {
            until: Some(Instant::now()),
            ..self
        }
    }

    /// A limit that the user may change.
    pub fn limit(self, name: Name) -> u64 {
        self.limits.of(name)
    }

    /// Whether the time for the image is over.
    pub fn is_late(self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }

    /// All of it.
    pub const fn memory(self) -> u64 {
        self.memory
    }

    /// What is kept of all layers until they are merged.
    pub const fn kept(self) -> u64 {
        self.memory / 2
    }

    /// Packages that the images of a target may show: from the merge to the report each takes
    /// some 4 KiB, and half of the memory is still taken by the layers.
    pub const fn packages(self) -> u64 {
        self.memory / 8192
    }

    /// Files that are held whole while a parser reads them, all together.
    pub const fn files(self) -> u64 {
        self.memory / 4
    }

    /// One file held in memory, whatever its parser allows.
    pub fn file(self) -> u64 {
        self.files().min(self.limit(Name::FileBytes))
    }

    /// Windows of decompressors, all together.
    pub const fn windows(self) -> u64 {
        self.memory / 4
    }

    /// Layers read at once on a machine with so many cores: each takes a few buffers and stacks.
    pub fn workers(self, cores: usize) -> usize {
        let fitting = usize::try_from(self.memory >> 25).unwrap_or(WORKERS);
        cores.min(WORKERS).min(fitting).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_the_budget_fit_into_it() {
        let usual = Budget::default();
        assert!(usual.kept() + usual.files() + usual.windows() <= usual.memory());
        assert_eq!((usual.file(), usual.workers(64)), (FILE_BYTES, WORKERS));
        assert_eq!((usual.workers(2), usual.packages()), (2, 131_072));
        let small = Budget::of(64 << 20);
        assert_eq!((small.file(), small.workers(64)), (16 << 20, 2));
        assert_eq!(Budget::of(1).workers(0), 1);
    }
}
