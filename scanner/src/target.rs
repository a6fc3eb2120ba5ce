//! What the user names on the command line: a path, with or without a `kind:` in front. Kinds
//! are recognised by looking at the content, never by guessing from a name.

use std::fs::File;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use rules::kinds;

use crate::inventory::recognised::CONTENT_BYTES;
use crate::inventory::{bill, dispatch};
pub use crate::model::target::TargetKind;
use crate::model::target::{Document, ImageKind};
use crate::source::{self, elsewhere};

/// A target as the user named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetSpec {
    /// The kind, if it was forced.
    pub kind: Option<TargetKind>,
    /// The path.
    pub path: PathBuf,
}

impl TargetSpec {
    /// Splits `kind:path`. A prefix that is no kind belongs to the path.
    pub fn parse(text: &str) -> Self {
        if text == "-" {
            return Self {
                kind: Some(TargetKind::Image(ImageKind::Input)),
                path: text.into(),
            };
        }
        let forced = text.split_once(':').and_then(|(word, path)| {
            let kind = TargetKind::ALL
                .into_iter()
                .find(|kind| kind.as_str() == word)?;
            Some((kind, path))
        });
        match forced {
            Some((kind, path)) => Self {
                kind: Some(kind),
                path: path.into(),
            },
            None => Self {
                kind: None,
                path: text.into(),
            },
        }
    }

    /// The kind: forced, or found by looking. `None`: it is there, but is nothing we scan.
    pub fn resolve(&self) -> std::io::Result<Option<TargetKind>> {
        if self.kind.is_some() {
            return Ok(self.kind);
        }
        // A directory is a directory, whatever somebody put into it; images that it holds are found
        // in it. Only `oci:` makes it an image, and the files of a distribution make it a root file
        // system where nothing speaks for a source tree.
        let data = match std::fs::metadata(&self.path) {
            Ok(data) => data,
            Err(error) => {
                let is_reference = self.path.to_str().is_some_and(elsewhere::is_reference);
                return if is_reference {
                    Ok(Some(TargetKind::Image(ImageKind::Registry)))
                } else {
                    Err(error)
                };
            }
        };
        if data.is_dir() {
            let is_root = source::is_root_file_system(&self.path, &dispatch::in_images())
                && !is_source(&self.path);
            return Ok(Some(if is_root {
                TargetKind::Image(ImageKind::RootFileSystem)
            } else {
                TargetKind::Directory
            }));
        }
        let image = source::recognise(&self.path).map(TargetKind::Image);
        let found = image.or_else(|| document(&self.path));
        Ok(found.or_else(|| data.is_file().then_some(TargetKind::File)))
    }
}

/// Whether something speaks for a source tree: a repository in or around it, or a file at its top that is
/// read in one. Whoever can add files to a tree could else make its lockfiles those of an installed
/// system, where nobody reads them.
fn is_source(path: &Path) -> bool {
    let Ok(real) = path.canonicalize() else {
        return true;
    };
    let mut around = real.ancestors();
    if around.any(|directory| directory.join(".git").exists()) {
        return true;
    }
    let readers = dispatch::in_trees();
    let is_read =
        |name: &str| !(readers.by_path)(name).is_empty() || kinds::by_name(name).is_some();
    let Ok(mut entries) = std::fs::read_dir(path) else {
        return true;
    };
    entries.any(|entry| entry.is_ok_and(|entry| is_read(&entry.file_name().to_string_lossy())))
}

/// The word before the colon of what looks like the reference of an image, and the kind that it almost
/// is: one letter is wrong, missing or too many, or two have changed places. A mistyped kind must not
/// pull the image of somebody who has registered it.
pub fn mistyped(path: &Path) -> Option<(&str, &'static str)> {
    let (word, _) = path.to_str()?.split_once(':')?;
    let mut kinds = TargetKind::ALL.into_iter().map(TargetKind::as_str);
    let kind = kinds.find(|kind| is_slip(word, kind))?;
    Some((word, kind))
}

/// Whether a word is another one with one slip in it.
fn is_slip(word: &str, right: &str) -> bool {
    if word == right {
        return false;
    }
    let (word, right) = (word.as_bytes(), right.as_bytes());
    let same = word.iter().zip(right).take_while(|(a, b)| a == b).count();
    let (word, right) = (&word.get(same..).unwrap_or_default(), right.get(same..));
    match (*word, right.unwrap_or_default()) {
        ([a, b, rest @ ..], [c, d, end @ ..]) if a == d && b == c && rest == end => true,
        ([_, rest @ ..], [_, end @ ..]) if rest == end => true,
        ([_, rest @ ..], end) if rest == end => true,
        (rest, [_, end @ ..]) => rest == end,
        _ => false,
    }
}

/// The directory and the commit of a target of the kind `git`: `DIR@REF`, where the commit is `HEAD` if
/// none is named.
pub fn of_commit(path: &Path) -> (&Path, &str) {
    let named = path.to_str().and_then(|text| text.rsplit_once('@'));
    let (directory, reference) = match named {
        Some((directory, reference)) if !path.exists() => (Path::new(directory), reference),
        _ => (path, ""),
    };
    let here = directory == Path::new("");
    let directory = if here { Path::new(".") } else { directory };
    (
        directory,
        if reference.is_empty() {
            "HEAD"
        } else {
            reference
        },
    )
}

/// What a file is that is a target of its own: what Terraform wrote, or a bill of materials.
fn document(path: &Path) -> Option<TargetKind> {
    let mut first = Vec::new();
    let most = CONTENT_BYTES as u64;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let read = File::open(path).and_then(|file| file.take(most).read_to_end(&mut first));
    read.ok()?;
    if bill::is_bill(&first) {
        return Some(TargetKind::Bill);
    }
    let kind = kinds::by_content(&name, &first).or_else(|| kinds::by_name(&name))?;
    let mut all = Document::ALL.into_iter();
    let found = all.find(|document| document.as_str() == kind.id());
    found.map(TargetKind::Document)
}

/// The path shown in reports: relative to the working directory where it lies below it, else
/// only its last component, so that no absolute path reaches an output.
pub fn shown(path: &Path, working_directory: &Path) -> String {
    let relative = if path.is_absolute() {
        match path.strip_prefix(working_directory) {
            Ok(below) => below.to_path_buf(),
            Err(_) => path.file_name().map(PathBuf::from).unwrap_or_default(),
        }
    } else {
        path.to_path_buf()
    };
    let parts: Vec<String> = relative
        .components()
        .filter_map(|component| match component {
            Component::Normal(part) => Some(part.to_string_lossy().into_owned()),
            Component::ParentDir => Some("..".to_owned()),
            _ => None,
        })
        .collect();
    if parts.is_empty() {
        ".".to_owned()
    } else {
        parts.join("/")
    }
}

/// The prefix that turns paths below `path` into paths below the working directory: empty for
/// the working directory itself and for everything outside it.
pub fn prefix(path: &Path, working_directory: &Path) -> String {
    let outside = path.is_absolute() && path.strip_prefix(working_directory).is_err();
    let shown = shown(path, working_directory);
    if outside || shown == "." || shown.starts_with("..") {
        String::new()
    } else {
        shown
    }
}

/// The path of a directory below the root of its repository, the closest directory around it with a
/// `.git`; below the working directory where there is none.
pub fn base(path: &Path, working_directory: &Path) -> String {
    let real = path.canonicalize().ok();
    let root = real.as_deref().and_then(|real| {
        let mut around = real.ancestors();
        around.find(|directory| directory.join(".git").exists())
    });
    match (&real, root) {
        (Some(real), Some(root)) => shown(real, root).trim_start_matches('.').to_owned(),
        _ => prefix(path, working_directory),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::target::ImageKind;

    #[test]
    fn a_kind_in_front_forces_it_and_other_colons_are_part_of_the_path() {
        let spec = TargetSpec::parse("docker-archive:a:b.tar");
        assert_eq!(spec.kind, Some(TargetKind::Image(ImageKind::DockerArchive)));
        assert_eq!(spec.path, PathBuf::from("a:b.tar"));
        assert_eq!(TargetSpec::parse("c:/x").kind, None);
    }

    #[test]
    fn a_slip_in_a_kind_is_seen() {
        let kind = |text: &str| mistyped(Path::new(text)).map(|(_, kind)| kind);
        for (text, right) in [
            ("ocii:layout", "oci"),
            ("oic:layout", "oci"),
            ("oc:layout", "oci"),
            ("docker-archiv:x.tar", "docker-archive"),
            ("dokcer:app", "docker"),
            ("rootfd:root", "rootfs"),
            ("imag:x", "image"),
        ] {
            assert_eq!(kind(text), Some(right), "{text}");
        }
        for text in [
            "nginx:1.27",
            "golang:1",
            "localhost:5000/x",
            "oci:x",
            "x",
            ":x",
            "ocixy:x",
        ] {
            assert_eq!(kind(text), None, "{text}");
        }
    }

    #[test]
    fn no_absolute_path_is_shown() {
        let cwd = Path::new("/home/me/repo");
        assert_eq!(shown(Path::new("/home/me/repo/a/./b"), cwd), "a/b");
        assert_eq!(shown(Path::new("/srv/images/app"), cwd), "app");
        assert_eq!(shown(Path::new("."), cwd), ".");
        assert_eq!(prefix(Path::new("sub"), cwd), "sub");
        assert_eq!(prefix(Path::new("/srv/images"), cwd), "");
        assert_eq!(prefix(Path::new("../x"), cwd), "");
    }
}
