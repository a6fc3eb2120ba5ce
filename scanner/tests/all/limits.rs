//! Limits that the user changes: each is reached, and what it cuts off is a gap or an error.

use portcullis::inventory::dispatch::in_images;
use portcullis::model::gap::{GapClass, GapKind};
use portcullis::source::limits::{Budget, Limits, Name, ROWS};
use portcullis::source::{Access, Contents, ImageKind, SourceError, open_image};

use crate::cli;
use crate::support::image::{Layout, dpkg_status, tar};

/// A layer of many files, the database the last one.
fn image() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let layout = Layout(root.path());
    layout.create();
    let names: Vec<String> = (0..50).map(|number| format!("srv/{number}")).collect();
    let mut files: Vec<(&str, &[u8])> = names
        .iter()
        .map(|name| (name.as_str(), &b"x"[..]))
        .collect();
    let package = br#"{"name":"first","version":"1.0.0"}"#;
    files.insert(0, ("srv/node_modules/first/package.json", package));
    let status = dpkg_status(&[("one", "1-1")]);
    files.push(("var/lib/dpkg/status", &status));
    layout.index(&[layout.image("linux", "amd64", &[tar(&files)])]);
    root
}

fn read(name: Name, value: u64) -> Result<Contents, SourceError> {
    let root = image();
    let budget = Budget::default().limited(Limits::default().with(name, value));
    let (kind, access) = (ImageKind::OciLayout, Access::default());
    let mut all = open_image(kind, root.path(), &access, None, budget, None, &in_images())?;
    Ok(all.remove(0))
}

fn packages(contents: &Contents) -> usize {
    let files = contents.files.iter();
    files.map(|(_, facts)| facts.packages.len()).sum()
}

#[test]
fn what_a_limit_cuts_off_is_a_gap() {
    let whole = read(Name::LayerBytes, 1 << 30).unwrap();
    assert_eq!((packages(&whole), whole.gaps.len()), (2, 0));
    for (name, value, kept) in [
        (Name::LayerBytes, 4096, 1),
        (Name::LayerMembers, 10, 1),
        (Name::LayerPaths, 10, 1),
    ] {
        let read = read(name, value).unwrap();
        assert!(packages(&read) <= kept, "{name:?}");
        let gap = read.gaps.iter().find(|gap| gap.kind == GapKind::Limit);
        let gap = gap.unwrap_or_else(|| panic!("{name:?}: {:?}", read.gaps));
        assert_eq!(gap.class, GapClass::Unjudged, "{name:?}");
        assert!(
            gap.cause.contains(&value.to_string()),
            "{name:?}: {}",
            gap.cause
        );
    }
    // One package is more than none, so that the file after it is not read.
    let read_some = read(Name::LayerPackages, 0).unwrap();
    assert_eq!(packages(&read_some), 1);
    assert!(
        read_some.gaps[0].cause.contains("too many packages"),
        "{:?}",
        read_some.gaps
    );
    let short = read(Name::FileBytes, 40).unwrap();
    let gaps = short.files.iter().flat_map(|(_, facts)| &facts.gaps);
    let causes: Vec<&str> = gaps.map(|gap| &*gap.cause).collect();
    // The database is read as it comes, and the limit is not for it; package.json is held.
    assert_eq!((packages(&short), causes.len()), (2, 0), "{causes:?}");
    let shorter = read(Name::FileBytes, 10).unwrap();
    assert_eq!(packages(&shorter), 1);
    let gaps = shorter.files.iter().flat_map(|(_, facts)| &facts.gaps);
    assert!(
        gaps.clone()
            .any(|gap| gap.cause.contains("more than the 10"))
    );
    let error = read(Name::ImageBytes, 4096).unwrap_err().to_string();
    assert!(error.contains("more than 4096 bytes"), "{error}");
}

#[test]
fn limits_are_named_on_the_command_line() {
    let root = image();
    let scan = |limit: &str| {
        let only = [
            "scan", "oci:.", "--only", "vuln", "--format", "json", "--limit", limit,
        ];
        cli::run(root.path(), &only)
    };
    let run = scan("layer-members=10");
    assert_eq!(run.code, 2);
    let gaps = run.json()["gaps"].to_string();
    assert!(gaps.contains("more than 10 members"), "{gaps}");
    let run = scan("layer-memberz=10");
    assert_eq!(run.code, 2);
    assert!(
        run.err.contains("did you mean layer-members?"),
        "{}",
        run.err
    );
    assert!(
        ROWS.iter().all(|row| run.err.contains(row.word)),
        "{}",
        run.err
    );
    let run = scan("layer-members=many");
    assert!(run.err.contains("such as 1000"), "{}", run.err);
}
