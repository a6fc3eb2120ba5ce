//! What was scanned: a source tree or an image. How a user names it is not known here.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::coverage::Coverage;
use super::facts::Distribution;
use super::location::Location;

/// What holds an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ImageKind {
    /// A directory laid out by the OCI image-spec.
    OciLayout,
    /// The same as a tar: plain, gzip or zstd.
    OciArchive,
    /// What `docker save` writes, compressed or not.
    DockerArchive,
    /// A root file system that lies unpacked in a directory.
    RootFileSystem,
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
            Self::Image(ImageKind::RootFileSystem) => "rootfs",
            Self::Image(ImageKind::SkopeoDirectory) => "skopeo-dir",
            Self::Image(ImageKind::Registry) => "image",
            Self::Image(ImageKind::Engine(engine)) => engine.as_str(),
            Self::Image(ImageKind::Input) => "stdin",
        }
    }

    /// Every kind.
    pub const ALL: [Self; 14] = [
        Self::Directory,
        Self::Commit,
        Self::Document(Document::Plan),
        Self::Document(Document::State),
        Self::Bill,
        Self::File,
        Self::Image(ImageKind::OciLayout),
        Self::Image(ImageKind::OciArchive),
        Self::Image(ImageKind::DockerArchive),
        Self::Image(ImageKind::RootFileSystem),
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

/// Whose a layer is, and what lies in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// It came with the image that this one was built on.
    Base,
    /// It was added on top of that.
    Own,
}

impl Origin {
    /// The word for it in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Own => "own",
        }
    }
}

/// One layer of an image, as reports describe it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LayerInfo {
    /// Digest of the blob as stored.
    pub digest: Arc<str>,
    /// Digest of the uncompressed tar.
    pub diff_id: Arc<str>,
    /// The instruction that made it, where the history of the image tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<Arc<str>>,
    /// Whose it is, where the base is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

/// How the base of an image was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BaseFrom {
    /// The user named it.
    Option,
    /// Another target of the run, or another image of the same target, is the beginning of this one.
    Target,
    /// The image names it; its layers are not known.
    Annotation,
}

/// The image that another one was built on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BaseImage {
    /// Its reference, or the id of the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Digest of its manifest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// How it was found.
    pub found_by: BaseFrom,
    /// How many layers it has, where they are known: they are the lowest ones of this image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layers: Option<usize>,
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
    /// For images: the names under which the target holds it, sorted.
    pub names: Vec<String>,
    /// For images: its layers, the lowest first.
    pub layers: Vec<LayerInfo>,
    /// For images: what it was built on, where that is known.
    pub base_image: Option<BaseImage>,
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
    /// Whose a package of an image is, where its base is known: its own as soon as one of the places
    /// where it lies is.
    pub fn origin(&self, places: &[Location]) -> Option<Origin> {
        let origins = places.iter().map(|place| {
            let layer = place.layer.as_ref()?;
            let index = usize::try_from(layer.index).ok()?;
            self.layers.get(index)?.origin
        });
        origins.max().flatten()
    }

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
            names: Vec::new(),
            layers: Vec::new(),
            base_image: None,
            other_platforms: Vec::new(),
            distribution: None,
            products: Vec::new(),
            coverage: Coverage::default(),
        }
    }
}
