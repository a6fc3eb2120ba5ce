//! Where the reports of a run go, and how a file gets there: whole, or not at all.
//!
//! A file is written beside its place and renamed. A link at that place is replaced and not followed,
//! since the report is what the job wants there; a folder on the way that is a link, and that the
//! scanned tree may have laid, is refused when the file is written: the tree must not keep the other
//! reports from being written. Before the scan a run is refused that would write onto something that
//! it reads, or two reports to one place: such slips should cost nothing.

use std::fs::{self, File, Metadata};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Component, Path, PathBuf};

use super::failure::Failure;

/// How much of a file is looked at to tell whether it is a report, at its start and its end.
const LOOK_BYTES: u64 = 8 << 10;

/// Devices and open files have no folder to rename in: `/dev/stdout`, `/dev/fd/3`, `/dev/null`.
const DEVICES: [&str; 2] = ["/dev", "/proc"];

/// What a run reads.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    /// Scanned paths and folders of rules.
    folders: Vec<PathBuf>,
    /// The database, VEX statements, image archives.
    files: Vec<PathBuf>,
}

impl Inputs {
    /// Those of these paths that are there, by their real names.
    pub(super) fn new<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Self {
        let mut inputs = Self::default();
        for path in paths {
            let Ok(real) = path.canonicalize() else {
                continue;
            };
            if real.is_dir() {
                inputs.folders.push(real);
            } else {
                inputs.files.push(real);
            }
        }
        inputs
    }

    fn holds(&self, real: &Path) -> bool {
        self.folders.iter().any(|folder| real.starts_with(folder))
    }
}

/// Refuses places that a report must not go to.
pub(super) fn check<'a>(
    places: impl IntoIterator<Item = &'a Path>,
    inputs: &Inputs,
) -> Result<(), Failure> {
    let mut taken: Vec<(PathBuf, &Path)> = Vec::new();
    for place in places.into_iter().filter(|place| !is_device(place)) {
        let refuse = |why: &str| Failure::new(format!("{} {why}", place.display()));
        let real = real(place).ok_or_else(|| refuse("is not the path of a file"))?;
        if taken.iter().any(|(other, _)| *other == real) {
            return Err(refuse("is named for two reports"));
        }
        if inputs.files.contains(&real) {
            return Err(refuse("is read by this run, and cannot be a report of it"));
        }
        match fs::symlink_metadata(&real) {
            Ok(found) if found.is_dir() => return Err(refuse("is a directory")),
            // A link is replaced, and not what it leads to.
            Ok(found) if found.is_symlink() => {}
            Ok(found) if inputs.holds(&real) && !is_replaceable(&real, &found) => {
                return Err(refuse("lies in what is scanned, and is not a report").hint(
                    "in a scanned folder only earlier reports are replaced: name a new file",
                ));
            }
            _ => {}
        }
        taken.push((real, place));
    }
    Ok(())
}

fn is_device(place: &Path) -> bool {
    DEVICES.iter().any(|device| place.starts_with(device))
}

/// The first folder on the way to a place that is a symbolic link, and that the scanned tree, or
/// whoever made the working directory, may have laid: any of a relative path, and any that lies in
/// a scanned folder. The links of the system (`/tmp` of macOS) are none of these.
fn link(place: &Path, inputs: &Inputs) -> Option<PathBuf> {
    let mut path = PathBuf::new();
    for component in place.parent()?.components() {
        path.push(component);
        let is_link = matches!(component, Component::Normal(_))
            && fs::symlink_metadata(&path).is_ok_and(|found| found.is_symlink());
        let foreign = || {
            let parent = path
                .parent()
                .filter(|parent| !parent.as_os_str().is_empty());
            let parent = parent.unwrap_or(Path::new(".")).canonicalize();
            parent.is_ok_and(|parent| inputs.holds(&parent))
        };
        if is_link && (place.is_relative() || foreign()) {
            return Some(path);
        }
    }
    None
}

/// The path without links and dots; folders that are not there yet come as they are named.
fn real(place: &Path) -> Option<PathBuf> {
    let name = place.file_name()?;
    let mut missing = vec![name];
    let mut folder = place.parent()?;
    loop {
        let here = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        if let Ok(real) = here.canonicalize() {
            let mut real = real;
            real.extend(missing.iter().rev());
            return Some(real);
        }
        missing.push(folder.file_name()?);
        folder = folder.parent()?;
    }
}

/// Whether a file of a scanned folder may be replaced: an empty one, or a report, ours or another
/// tool's. It is not enough that no analyzer reads it today.
fn is_replaceable(path: &Path, found: &Metadata) -> bool {
    found.is_file() && (found.len() == 0 || looks_like_a_report(path).unwrap_or(false))
}

fn looks_like_a_report(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let mut start = Vec::new();
    Read::by_ref(&mut file)
        .take(LOOK_BYTES)
        .read_to_end(&mut start)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LOOK_BYTES)))?;
    let mut end = Vec::new();
    file.take(LOOK_BYTES).read_to_end(&mut end)?;
    let start = String::from_utf8_lossy(&start);
    let end = String::from_utf8_lossy(&end);
    let all = |words: &[&str]| words.iter().all(|word| start.contains(word));
    let document = start.trim_start().starts_with('{')
        && (all(&["\"schema_version\"", "\"tool\"", "\"portcullis\""])
            || all(&["\"version\"", "\"2.1.0\"", "sarif"])
            || all(&["openvex.dev/ns", "\"tooling\"", "\"portcullis\""]));
    let last = end.trim_end().lines().next_back().unwrap_or_default();
    let table = ["PASS: ", "FAIL: ", "ERROR: "]
        .iter()
        .any(|word| last.starts_with(word));
    Ok(document || table)
}

/// Writes a file whole: beside its place, then renamed, which replaces whatever is there.
pub(super) fn replace(
    place: &Path,
    inputs: &Inputs,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    let failed =
        |error: io::Error| Failure::io(format!("cannot write {}", place.display()), &error);
    if is_device(place) {
        let file = fs::OpenOptions::new().write(true).open(place);
        return file.and_then(|file| into(&file, write)).map_err(failed);
    }
    if let Some(link) = link(place, inputs) {
        let what = format!("{} is not written", place.display());
        return Err(
            Failure::new(format!("{what}: {} is a symbolic link", link.display()))
                .hint("reports are not written through links: name the folder itself"),
        );
    }
    let folder = place
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let renamed = || -> io::Result<()> {
        fs::create_dir_all(folder)?;
        // The permissions that any new file gets, not those of a secret.
        let file = tempfile::Builder::new()
            .prefix(".portcullis-")
            .suffix(".tmp")
            .make_in(folder, |path| File::create_new(path))?;
        into(file.as_file(), write)?;
        file.persist(place).map_err(|error| error.error)?;
        Ok(())
    };
    renamed().map_err(failed)
}

fn into(file: &File, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    write(&mut out)?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn refused(places: &[&Path], inputs: &Inputs) -> Option<String> {
        let mut out = Vec::new();
        let failure = check(places.iter().copied(), inputs).err()?;
        failure.render(&mut out).unwrap();
        Some(String::from_utf8(out).unwrap())
    }

    fn put(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn only_reports_are_replaced_in_what_is_scanned() {
        let directory = TempDir::new().unwrap();
        let root = directory.path().canonicalize().unwrap();
        let tree = root.join("tree");
        let inputs = Inputs {
            folders: vec![tree.clone()],
            files: vec![root.join("a.db")],
        };
        for (name, text, free) in [
            ("new.json", None, true),
            ("sub/dir/new.json", None, true),
            ("empty", Some(""), true),
            (
                "r.json",
                Some("{\"schema_version\":\"1.2\",\"tool\":{\"name\":\"portcullis\"}}"),
                true,
            ),
            (
                "s.sarif",
                Some("{\"$schema\":\"x/sarif-2.1.0\",\"version\":\"2.1.0\",\"runs\":[]}"),
                true,
            ),
            ("t.txt", Some(". (dir)\n\nPASS: no finding\n"), true),
            (
                "v.json",
                Some(
                    "{\"@context\": \"https://openvex.dev/ns/v0.2.0\",\n\"tooling\": \"portcullis\"}",
                ),
                true,
            ),
            (
                "vex.json",
                Some("{\"@context\": \"https://openvex.dev/ns/v0.2.0\"}"),
                false,
            ),
            ("requirements.txt", Some("a==1\n"), false),
            ("notes.md", Some("PASS: \nelse\n"), false),
            ("package-lock.json", Some("{}"), false),
        ] {
            let path = tree.join(name);
            if let Some(text) = text {
                put(&path, text);
            }
            let why = refused(&[&path], &inputs);
            assert_eq!(why.is_none(), free, "{name}: {why:?}");
        }
        put(&root.join("outside.txt"), "mine to lose");
        assert_eq!(refused(&[&root.join("outside.txt")], &inputs), None);
        for place in [
            root.join("a.db"),
            tree.join("../a.db"),
            tree.clone(),
            tree.join(".."),
        ] {
            assert!(refused(&[&place], &inputs).is_some(), "{}", place.display());
        }
        let twice = [tree.join("x/../x.json"), tree.join("x.json")];
        fs::create_dir_all(tree.join("x")).unwrap();
        assert!(
            refused(&[&twice[0], &twice[1]], &inputs)
                .unwrap()
                .contains("two reports")
        );
        assert_eq!(
            refused(&[Path::new("/dev/null"), Path::new("/dev/null")], &inputs),
            None
        );
    }

    #[cfg(unix)]
    #[test]
    fn no_report_goes_through_a_link() {
        use std::os::unix::fs::symlink;

        let directory = TempDir::new().unwrap();
        let root = directory.path().canonicalize().unwrap();
        let (tree, outside) = (root.join("tree"), root.join("outside"));
        put(&tree.join("a"), "");
        put(&outside.join("victim"), "kept");
        symlink("../outside/victim", tree.join("file.sarif")).unwrap();
        symlink("nowhere", tree.join("dangling.sarif")).unwrap();
        symlink("../outside", tree.join("folder")).unwrap();
        symlink("tree", root.join("alias")).unwrap();
        let inputs = Inputs::new([tree.as_path()]);
        let place = |name: &str| root.join(name);
        let write = |name: &str| replace(&place(name), &inputs, |out| out.write_all(b"report"));
        for name in [
            "tree/folder/x.sarif",
            "tree/folder/sub/x.sarif",
            "alias/folder/x",
        ] {
            assert_eq!(refused(&[&place(name)], &inputs), None);
            let mut told = Vec::new();
            write(name).unwrap_err().render(&mut told).unwrap();
            let told = String::from_utf8(told).unwrap();
            assert!(told.contains("folder is a symbolic link"), "{told}");
        }
        assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
        for name in ["tree/file.sarif", "tree/dangling.sarif", "alias/new.sarif"] {
            assert_eq!(refused(&[&place(name)], &inputs), None);
            write(name).unwrap();
            assert!(fs::symlink_metadata(place(name)).unwrap().is_file());
            assert_eq!(fs::read(place(name)).unwrap(), b"report");
        }
        assert_eq!(fs::read(outside.join("victim")).unwrap(), b"kept");
        assert!(!tree.join("nowhere").exists());
    }

    #[test]
    fn a_file_is_written_whole_or_not_at_all() {
        let directory = TempDir::new().unwrap();
        let place = directory.path().join("a/b/report.json");
        replace(&place, &Inputs::default(), |out| out.write_all(b"first")).unwrap();
        let failed = replace(&place, &Inputs::default(), |out| {
            out.write_all(b"half")?;
            Err(io::Error::other("broken"))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read(&place).unwrap(), b"first");
        let entries = fs::read_dir(place.parent().unwrap()).unwrap();
        assert_eq!(entries.count(), 1, "nothing is left beside it");
    }
}
