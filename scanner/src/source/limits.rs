//! Every limit of image reading, in one place. A target that reaches one is either refused
//! ([`super::SourceError`]: its structure cannot be trusted) or scanned as far as the limit, with
//! a gap that names it. None of them is reached by an image that a registry would serve.

/// Bytes of `index.json`, of a manifest, of a config and of `manifest.json`. Registries refuse
/// manifests above 4 MiB (OCI distribution-spec, "Pushing manifests").
pub const DOCUMENT_BYTES: u64 = 4 << 20;

/// Bytes of all JSON documents that are kept from a compressed archive, which cannot be read at
/// a position.
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

/// Bytes of one layer, uncompressed. The rest of the layer is a gap.
pub const LAYER_BYTES: u64 = 64 << 30;

/// How often the uncompressed layer may exceed the compressed one, once it has passed
/// [`RATIO_FLOOR`]. Deflate reaches 1,032; real layers rarely reach 10.
pub const RATIO: u64 = 200;

/// Uncompressed bytes below which the ratio does not matter.
pub const RATIO_FLOOR: u64 = 1 << 30;

/// Window of a zstd frame as a power of two: what `zstd` itself accepts without a flag. Each
/// worker may allocate that much.
pub const ZSTD_WINDOW_LOG: u32 = 27;

/// Paths that one layer defines, directories above them included. The rest of the layer is a gap.
pub const LAYER_PATHS: usize = 4_000_000;

/// The same for all layers together: 16 bytes are kept of each. An image above is refused.
pub const IMAGE_PATHS: usize = 16_000_000;

/// Packages that all layers together may name, those of hidden files included. An image above is
/// refused.
pub const IMAGE_PACKAGES: usize = 5_000_000;

/// Members of one tar, whatever they are. The rest of the layer is a gap.
pub const TAR_MEMBERS: u64 = 8_000_000;

/// Bytes of a PAX header or a GNU long name. A longer one is skipped, with a gap. Go's
/// `archive/tar`, which engines use, stops at 1 MiB.
pub const META_BYTES: u64 = 1 << 20;

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

/// Bytes of one file held in memory, whatever its parser allows.
pub const FILE_BYTES: u64 = 128 << 20;

/// Packages kept of one layer. The rest of the layer's files is a gap.
pub const LAYER_PACKAGES: usize = 500_000;

/// Gaps reported of one layer; one more says how many were left out.
pub const LAYER_GAPS: usize = 1_000;

/// Layers read at once, whatever the machine has.
pub const WORKERS: usize = 16;

/// Members of an archive looked at before it is called no image archive.
pub const RECOGNISE_MEMBERS: usize = 20_000;

/// Members that do not look like parts of an image before an archive is called none.
pub const RECOGNISE_STRANGERS: usize = 16;

/// Members of a target that is an archive.
pub const ARCHIVE_MEMBERS: usize = 100_000;

/// Links followed between the members of a docker-archive.
pub const ARCHIVE_LINK_HOPS: u32 = 8;
