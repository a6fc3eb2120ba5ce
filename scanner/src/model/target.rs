//! What was scanned: a source tree or an image. How a user names it is not known here.

use std::fmt;
use std::sync::Arc;

use super::coverage::Coverage;
use super::facts::Distribution;

/// What holds an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ImageKind {
    /// A directory laid out by the OCI image-spec.
    OciLayout,
    /// The same as a tar: plain, gzip or zstd.
    OciArchive,
    /// What `docker save` writes, compressed or not.
    DockerArchive,
    /// A directory as `skopeo copy … dir:` writes it: manifest and blobs side by side.
    SkopeoDirectory,
    /// What a registry has under a reference.
    Registry,
    /// What a container engine on this machine has.
    Engine(Engine),
    /// An archive that comes in by the standard input.
    Input,
}

impl ImageKind {
    /// Whether it is named by a path.
    pub const fn is_path(self) -> bool {
        !matches!(self, Self::Registry | Self::Engine(_) | Self::Input)
    }
}

/// A container engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Engine {
    /// Docker, and what answers in its place.
    Docker,
    /// Podman.
    Podman,
}

impl Engine {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Docker, Self::Podman];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
        }
    }
}

/// What Terraform writes into one file of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Document {
    /// A plan.
    Plan,
    /// A state.
    State,
}

impl Document {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::Plan, Self::State];

    /// The word for it, which is the id of its kind of input, too.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::State => "state",
        }
    }
}

/// The kinds that can be named with `kind:path`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// A source tree.
    Directory,
    /// The tree of a commit.
    Commit,
    /// One plan or state of Terraform, as JSON.
    Document(Document),
    /// A bill of materials.
    Bill,
    /// One file of a source tree: a lockfile, or infrastructure code.
    File,
    /// A container image.
    Image(ImageKind),
}

impl TargetKind {
    /// The word used before the colon and in every report.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Directory => "dir",
            Self::Commit => "git",
            Self::Document(document) => document.as_str(),
            Self::Bill => "sbom",
            Self::File => "file",
            Self::Image(ImageKind::OciLayout) => "oci",
            Self::Image(ImageKind::OciArchive) => "oci-archive",
            Self::Image(ImageKind::DockerArchive) => "docker-archive",
            Self::Image(ImageKind::SkopeoDirectory) => "skopeo-dir",
            Self::Image(ImageKind::Registry) => "image",
            Self::Image(ImageKind::Engine(engine)) => engine.as_str(),
            Self::Image(ImageKind::Input) => "stdin",
        }
    }

    /// Every kind.
    pub const ALL: [Self; 13] = [
        Self::Directory,
        Self::Commit,
        Self::Document(Document::Plan),
        Self::Document(Document::State),
        Self::Bill,
        Self::File,
        Self::Image(ImageKind::OciLayout),
        Self::Image(ImageKind::OciArchive),
        Self::Image(ImageKind::DockerArchive),
        Self::Image(ImageKind::SkopeoDirectory),
        Self::Image(ImageKind::Registry),
        Self::Image(ImageKind::Engine(Engine::Docker)),
        Self::Image(ImageKind::Engine(Engine::Podman)),
    ];
}

impl TargetKind {
    /// Whether it is an image. What is not one lies in a repository, and its paths are those of files
    /// there.
    pub const fn is_image(self) -> bool {
        matches!(self, Self::Image(_))
    }
}

impl fmt::Display for TargetKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// What was scanned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Stable id within the report: the path as given, never absolute (`.`, `images/app`).
    pub id: String,
    /// What it is.
    pub kind: TargetKind,
    /// Path relative to the working directory, or the file name of an absolute one.
    pub path: String,
    /// Prefix that turns the target's own paths into repository-relative ones: the directory
    /// for `dir` targets below the working directory, else empty.
    pub prefix: String,
    /// Path from the root of its repository, where it lies in one: fingerprints are made of paths from
    /// there, however the target was named.
    pub base: String,
    /// For images: `os/arch`, where the config tells.
    pub platform: Option<String>,
    /// For images: digest of the manifest.
    pub digest: Option<String>,
    /// For images: the other platforms that the same index holds, sorted; they were not asked for.
    pub other_platforms: Vec<String>,
    /// For images and root file systems: the distribution, where a file tells.
    pub distribution: Option<Distribution>,
    /// Installed products of the distribution, as ecosystems.
    pub products: Vec<Arc<str>>,
    /// What was seen, and what became of it.
    pub coverage: Coverage,
}

impl Target {
    /// A target of which nothing is known yet but its kind and path.
    pub fn new(kind: TargetKind, path: impl Into<String>) -> Self {
        let path = path.into();
        Self {
            id: path.clone(),
            kind,
            path,
            prefix: String::new(),
            base: String::new(),
            platform: None,
            digest: None,
            other_platforms: Vec::new(),
            distribution: None,
            products: Vec::new(),
            coverage: Coverage::default(),
        }
    }
}
