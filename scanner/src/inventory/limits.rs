//! Every limit of the inventory, with its reason. What reaches one becomes a gap of kind
//! `limit`; a package is never silently dropped.

/// Packages from one file. The largest lockfiles seen in the wild hold about 50,000.
pub const PACKAGES_PER_FILE: usize = 200_000;

/// Owned paths from one file; only paths that some parser wants are kept.
pub const OWNED_PER_FILE: usize = 200_000;

/// Bytes of an owned path: `PATH_MAX` of Linux.
pub const PATH_BYTES: usize = 4096;

/// Files that one file includes; real ones name a handful.
pub const INCLUDES_PER_FILE: usize = 1000;

/// Gaps from one file; the rest is counted in one more.
pub const GAPS_PER_FILE: usize = 100;

/// Bytes of a package name. npm allows 214, Go module paths are the longest.
pub const NAME_BYTES: usize = 512;

/// Bytes of a version, source version or module label.
pub const VERSION_BYTES: usize = 256;

/// Dependency edges kept of one package.
pub const DEPENDENCIES_PER_PACKAGE: usize = 10_000;

/// Checksums kept of one package. Those with the most archives on PyPI have some hundreds.
pub const CHECKSUMS_PER_PACKAGE: usize = 2_000;

/// Bytes of one line of a text database; a longer line is skipped up to its end.
pub const LINE_BYTES: usize = 1 << 20;

/// Bytes of a lockfile that is read as a whole.
pub const LOCKFILE_BYTES: u64 = 64 << 20;

/// Bytes of the metadata file of one installed package.
pub const METADATA_BYTES: u64 = 4 << 20;

/// Bytes of conda's record of one installed package, which lists its files with their digests.
pub const CONDA_RECORD_BYTES: u64 = 32 << 20;

/// Bytes of an rpm database. 2,000 packages take about 150 MB.
pub const RPM_DATABASE_BYTES: u64 = 256 << 20;

/// Bytes of a zipped Python egg; its directory costs memory before we see an entry.
pub const EGG_BYTES: u64 = 16 << 20;

/// What a zipped egg may cost beyond that: metadata is small.
pub const ARCHIVE: archive::Limits = archive::Limits {
    entries: 100_000,
    member_bytes: METADATA_BYTES,
    ratio: 1000,
    ratio_from: 1 << 20,
};

/// Bytes of a Java archive that is held while it is read.
pub const JAVA_ARCHIVE_BYTES: u64 = 256 << 20;

/// Bytes of one in a source tree: no host of repositories takes a larger file.
pub const JAVA_ARCHIVE_IN_TREE_BYTES: u64 = 100 << 20;

/// What a Java archive may cost beyond that.
pub const JAVA_ARCHIVE: archive::Limits = archive::Limits {
    entries: 500_000,
    member_bytes: 128 << 20,
    // An archive within an archive hardly grows.
    ratio: 50,
    ratio_from: 1 << 20,
};

/// Levels of a b-tree of `SQLite`. With at least two children per page, 32-bit page numbers end here.
pub const SQLITE_DEPTH: usize = 32;

/// Tags of an rpm header; rpm itself refuses more.
pub const RPM_TAGS: usize = 0xFFFF;

/// Bytes of a Chisel manifest once it is unpacked; one of a hundred packages takes about 5 MB.
pub const CHISEL_BYTES: u64 = 128 << 20;

/// The window of its compression, as a power of two; Chisel's own is at most 8 MiB.
pub const CHISEL_WINDOW_LOG: u32 = 24;

/// Bytes of the description of a snap.
pub const SNAP_BYTES: u64 = 1 << 20;
