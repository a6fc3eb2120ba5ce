//! Layers read by their tables of contents, from a registry on loopback: the same inventory as whole, of
//! a part of the bytes; and whatever is wrong with a table or a server, never less than whole.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};

use portcullis::inventory::dispatch::in_images;
use portcullis::model::coverage::{Part, SkipRule};
use portcullis::model::gap::GapKind;
use portcullis::source::limits::{self, Budget};
use portcullis::source::{Access, Contents, ImageKind, open_image};
use serde_json::{Value, json};

use crate::cli;
use crate::support::chunked::{Layer, Member, stargz, zstd_chunked};
use crate::support::image::{Layout, dpkg_status};

/// What is done to a table before it is written.
type Change<'a> = &'a dyn Fn(&mut Value);

type WriteLayer = fn(&[Member], Change<'_>) -> Layer;

const FORMATS: [(&str, WriteLayer); 2] = [
    ("zstd:chunked", |members, change| {
        zstd_chunked(members, change)
    }),
    ("eStargz", |members, change| stargz(members, change)),
];

/// What the server does with ranges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ranges {
    Right,
    /// It answers with the whole.
    Ignored,
    /// It answers with another range.
    Other,
    /// A byte of every range is changed.
    Changed,
    /// It sends less than it was asked for.
    Short,
}

fn serve(root: &Path, ranges: Ranges) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let root = root.to_owned();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let root = root.clone();
            std::thread::spawn(move || answer(&stream.unwrap(), &root, ranges));
        }
    });
    address
}

fn answer(mut stream: &TcpStream, root: &Path, ranges: Ranges) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut request = String::new();
    reader.read_line(&mut request).unwrap();
    let mut range = None;
    let mut line = String::new();
    while reader.read_line(&mut line).unwrap_or_default() > 2 {
        if let Some(text) = line.to_ascii_lowercase().strip_prefix("range: bytes=") {
            let (first, last) = text.trim().split_once('-').unwrap();
            range = Some((first.parse::<usize>().unwrap(), last.parse::<usize>().ok()));
        }
        line.clear();
    }
    let path = request.split(' ').nth(1).unwrap_or_default();
    let mut send = |head: &str, body: &[u8]| {
        let length = body.len();
        let head = format!("HTTP/1.1 {head}Connection: close\r\nContent-Length: {length}\r\n\r\n");
        let _ = stream.write_all(head.as_bytes());
        let _ = stream.write_all(body);
    };
    let digest = path.rsplit('/').next().unwrap();
    let index: Value = serde_json::from_slice(&fs::read(root.join("index.json")).unwrap()).unwrap();
    let digest = if digest == "test" {
        index["manifests"][0]["digest"].as_str().unwrap()
    } else {
        digest
    };
    let Ok(body) = fs::read(root.join("blobs").join(digest.replace(':', "/"))) else {
        send("404 Not Found\r\n", b"");
        return;
    };
    if path.contains("/manifests/") {
        let kind = "Content-Type: application/vnd.oci.image.manifest.v1+json\r\n";
        send(&format!("200 OK\r\n{kind}"), &body);
        return;
    }
    let Some((first, last)) = range.filter(|_| ranges != Ranges::Ignored) else {
        send("200 OK\r\n", &body);
        return;
    };
    let end = last.map_or(body.len(), |last| (last + 1).min(body.len()));
    let mut part = body[first..end].to_vec();
    match ranges {
        Ranges::Changed => part[0] ^= 1,
        Ranges::Short => part.truncate(part.len() / 2),
        _ => {}
    }
    let said = if ranges == Ranges::Other { 0 } else { first };
    let range = format!("Content-Range: bytes {said}-{}/{}\r\n", end - 1, body.len());
    send(&format!("206 Partial Content\r\n{range}"), &part);
}

/// Bytes that no compression makes shorter.
fn noise(length: u32) -> Vec<u8> {
    let step = |state: &mut u32| {
        *state ^= *state << 13;
        *state ^= *state >> 17;
        *state ^= *state << 5;
        Some(state.to_le_bytes()[1])
    };
    let mut state = 0x9e37_79b9_u32;
    std::iter::from_fn(|| step(&mut state))
        .take(length as usize)
        .collect()
}

fn base() -> Vec<Member> {
    let mut status = dpkg_status(&[("one", "1-1"), ("two", "2-1")]);
    status.extend(b"Package: three\nStatus: install ok installed\nVersion: 3\nDescription: x\n ");
    status.extend(noise(4000).iter().map(|byte| b'a' + byte % 26));
    status.push(b'\n');
    // An empty file between others, and one that is long and has holes.
    vec![
        Member::link("etc/", "dir", ""),
        Member::file("usr/lib/os-release", "ID=debian\nVERSION_ID=\"12\"\n"),
        Member::link("etc/os-release", "symlink", "../usr/lib/os-release"),
        Member::file("usr/share/noise", noise(400_000)),
        Member::file("var/lib/dpkg/status", status),
        Member {
            mode: 0o755,
            ..Member::file("usr/bin/tool", noise(9000))
        },
        Member::file(
            "srv/a/node_modules/gone/package.json",
            r#"{"name":"gone","version":"1.0.0"}"#,
        ),
        Member::file(
            "srv/a/node_modules/kept/package.json",
            package_json("kept", 9000),
        ),
        Member::file("var/empty", ""),
        Member::link("dev/null", "char", ""),
    ]
}

/// A package.json with zeros in it, as a hole makes them.
fn package_json(name: &str, spaces: usize) -> String {
    let space = " ".repeat(spaces);
    format!("{{\"name\":\"{name}\",{space}\"version\":\"1.0.0\"}}")
}

fn top() -> Vec<Member> {
    vec![
        Member::file("srv/a/node_modules/.wh.gone", ""),
        Member::file("usr/share/more", noise(100_000)),
        Member::file("srv/b/real.json", package_json("linked", 10)),
        Member::link(
            "srv/b/node_modules/linked/package.json",
            "symlink",
            "../../real.json",
        ),
        Member::link(
            "srv/b/node_modules/hard/package.json",
            "hardlink",
            "srv/b/real.json",
        ),
    ]
}

fn image(layers: &[Layer]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let layout = Layout(root.path());
    layout.create();
    let kind = "application/vnd.oci.image.layer.v1.tar+gzip";
    let described = layers.iter().map(|layer| {
        let mut descriptor = layout.blob(kind, &layer.blob);
        descriptor["annotations"] = layer.annotations.clone();
        descriptor
    });
    let described: Vec<Value> = described.collect();
    let diff_ids: Vec<&str> = layers.iter().map(|layer| layer.diff_id.as_str()).collect();
    let config = json!({
        "os": "linux", "architecture": "amd64",
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    });
    let manifest = layout.manifest(&config, &described);
    layout.index(&[manifest]);
    root
}

fn read(root: &Path, ranges: Ranges, partial: bool) -> Contents {
    let path = PathBuf::from(format!("{}/app:test", serve(root, ranges)));
    let access = Access {
        partial,
        ..Access::default()
    };
    let (kind, budget) = (ImageKind::Registry, Budget::default());
    let mut all = open_image(kind, &path, &access, None, budget, None, &in_images()).unwrap();
    all.remove(0)
}

fn names(contents: &Contents) -> Vec<String> {
    let facts = contents.files.iter().map(|(_, facts)| facts);
    let packages = facts.flat_map(|facts| &facts.packages);
    packages.map(|package| package.name.to_string()).collect()
}

fn causes(contents: &Contents) -> Vec<&str> {
    contents.gaps.iter().map(|gap| &*gap.cause).collect()
}

#[test]
fn a_part_of_the_bytes_gives_the_whole_inventory() {
    for (format, write) in FORMATS {
        let root = image(&[write(&base(), &|_| {}), write(&top(), &|_| {})]);
        let whole = read(root.path(), Ranges::Right, false);
        let part = read(root.path(), Ranges::Right, true);
        let expected = ["kept", "linked", "one", "three", "two"];
        let mut found = names(&whole);
        found.sort();
        assert!(
            expected
                .iter()
                .all(|name| found.iter().any(|found| found == name)),
            "{format}: {found:?}"
        );
        assert!(!found.iter().any(|name| name == "gone"), "{format}");
        assert_eq!(part.files, whole.files, "{format}");
        let Part {
            layers,
            fetched,
            stored,
        } = part.coverage.layers.partial;
        assert_eq!((layers, part.coverage.layers.whole), (2, 0), "{format}");
        assert!(fetched * 10 < stored, "{format}: {fetched} of {stored}");
        assert!(whole.coverage.layers.partial.is_none());
        // The program is not looked at, and the report says so, once for its layer.
        assert_eq!(
            part.coverage.files.skipped[&SkipRule::LeftOut],
            1,
            "{format}"
        );
        assert!(part.coverage.files.adds_up());
        let gaps: Vec<_> = part
            .gaps
            .iter()
            .filter(|gap| gap.kind == GapKind::NotRead)
            .collect();
        assert_eq!(gaps.len(), 1, "{format}: {:?}", part.gaps);
        assert!(
            gaps[0].cause.contains("read partially: 1 executable file"),
            "{:?}",
            gaps[0]
        );
        assert_eq!(gaps[0].location.layer.as_ref().unwrap().index, 0);
        // The same bytes a second time.
        let again = read(root.path(), Ranges::Right, true);
        assert_eq!(
            (again.files, again.gaps),
            (part.files, part.gaps),
            "{format}"
        );
    }
}

#[test]
fn what_is_wrong_with_a_server_costs_bytes_and_no_package() {
    for (format, write) in FORMATS {
        let root = image(&[write(&base(), &|_| {})]);
        let whole = read(root.path(), Ranges::Right, false);
        for (ranges, cause) in [
            (Ranges::Ignored, None),
            (Ranges::Other, None),
            (Ranges::Changed, Some("cannot be used")),
            (Ranges::Short, Some("could not be fetched")),
        ] {
            let read = read(root.path(), ranges, true);
            assert_eq!(read.files, whole.files, "{format} {ranges:?}");
            assert_eq!(
                read.coverage.layers, whole.coverage.layers,
                "{format} {ranges:?}"
            );
            let told = causes(&read)
                .iter()
                .any(|told| cause.is_some_and(|cause| told.contains(cause)));
            assert_eq!(
                told,
                cause.is_some(),
                "{format} {ranges:?}: {:?}",
                causes(&read)
            );
        }
    }
}

/// The entry of a file, or of its first further chunk.
fn entry<'a>(table: &'a mut Value, kind: &str, name: &str) -> &'a mut Value {
    let entries = table["entries"].as_array_mut().unwrap().iter_mut();
    let mut found = entries.filter(|entry| entry["type"] == kind && entry["name"] == name);
    found.next().unwrap()
}

const STATUS: &str = "var/lib/dpkg/status";

#[test]
fn a_table_that_is_not_sound_is_not_used() {
    let changes: [(&str, Change<'_>); 12] = [
        ("digest mismatch", &|table| {
            entry(table, "reg", STATUS)["chunkDigest"] =
                json!(format!("sha256:{}", "0".repeat(64)));
        }),
        ("a file has no digest", &|table| {
            entry(table, "chunk", STATUS)["chunkDigest"] = json!("");
        }),
        ("a file has no digest", &|table| {
            entry(table, "chunk", STATUS)["chunkDigest"] = json!("md5:00");
        }),
        ("outside of the files", &|table| {
            entry(table, "reg", STATUS)["offset"] = json!(1_u64 << 60);
        }),
        ("the chunks of a file are not the file", &|table| {
            entry(table, "chunk", STATUS)["chunkOffset"] = json!(1);
        }),
        ("the chunks of a file are not the file", &|table| {
            entry(table, "reg", STATUS)["size"] = json!(1_u64 << 40);
        }),
        ("the chunks of a file are not the file", &|table| {
            entry(table, "chunk", STATUS)["chunkSize"] = json!(u64::MAX);
        }),
        ("of an unknown type", &|table| {
            entry(table, "chunk", STATUS)["chunkType"] = json!("other");
        }),
        ("does not follow its file", &|table| {
            entry(table, "chunk", STATUS)["name"] = json!("etc/passwd");
        }),
        ("of an unknown type", &|table| {
            entry(table, "reg", STATUS)["type"] = json!("door");
        }),
        ("version 2 is not known", &|table| {
            table["version"] = json!(2);
        }),
        ("not readable", &|table| table["entries"] = json!({})),
    ];
    for (format, write) in FORMATS {
        for (cause, change) in &changes {
            let root = image(&[write(&base(), change)]);
            let whole = read(root.path(), Ranges::Right, false);
            let part = read(root.path(), Ranges::Right, true);
            let told = causes(&part);
            assert!(
                told.iter()
                    .any(|told| told.contains("read whole") && told.contains(cause)),
                "{format} {cause}: {told:?}"
            );
            assert_eq!(part.files, whole.files, "{format} {cause}");
            assert_eq!(part.coverage, whole.coverage, "{format} {cause}");
        }
    }
}

#[test]
fn what_the_manifest_says_of_the_table_has_to_be_so() {
    const ZSTD: &str = "io.github.containers.zstd-chunked.manifest-";
    let other = format!("sha256:{}", "1".repeat(64));
    let long = limits::TABLE_BYTES + 1;
    let check = |write: WriteLayer, key: &str, value: Value, cause: &str| {
        let mut layer = write(&base(), &|_| {});
        layer.annotations[key] = value;
        let root = image(&[layer]);
        let whole = read(root.path(), Ranges::Right, false);
        let part = read(root.path(), Ranges::Right, true);
        assert_eq!(part.files, whole.files, "{cause}");
        let told = causes(&part);
        assert!(
            told.iter().any(|told| told.contains(cause)),
            "{cause}: {told:?}"
        );
    };
    let [(_, zstd), (_, stargz)] = FORMATS;
    let key = |name: &str| format!("{ZSTD}{name}");
    check(zstd, &key("checksum"), json!(other), "digest mismatch");
    check(
        zstd,
        &key("checksum"),
        json!("sha256:zz"),
        "is not a digest",
    );
    for (position, cause) in [
        (format!("0:{long}:1:1"), "are more than"),
        (format!("{}:10:10:1", u64::MAX - 5), "outside of the layer"),
        ("1:2:3:7".to_owned(), "not one of this format"),
        ("x".to_owned(), "not one of this format"),
    ] {
        check(zstd, &key("position"), json!(position), cause);
    }
    check(
        stargz,
        "containerd.io/snapshot/stargz/toc.digest",
        json!(other),
        "digest mismatch",
    );
    // Without the footer.
    let mut layer = stargz(&base(), &|_| {});
    layer.blob.extend(gzip_of_nothing());
    let root = image(&[layer]);
    let part = read(root.path(), Ranges::Right, true);
    assert!(
        causes(&part).iter().any(|told| told.contains("no footer")),
        "{:?}",
        causes(&part)
    );
    assert!(names(&part).contains(&"one".to_owned()));
}

fn gzip_of_nothing() -> Vec<u8> {
    crate::support::image::gzip(b"")
}

#[test]
fn names_in_a_table_are_names_in_a_tar() {
    for (format, write) in FORMATS {
        // The last of a name counts; what leaves the root is a gap.
        let members = || {
            vec![
                Member::file("usr/share/noise", noise(100_000)),
                Member::file("srv/node_modules/a/package.json", package_json("first", 1)),
                Member::file(
                    "./srv//node_modules/a/package.json",
                    package_json("second", 1),
                ),
                Member::file("../node_modules/b/package.json", package_json("outside", 1)),
            ]
        };
        let root = image(&[write(&members(), &|_| {})]);
        let whole = read(root.path(), Ranges::Right, false);
        let part = read(root.path(), Ranges::Right, true);
        assert_eq!(names(&part), ["second"], "{format}");
        assert_eq!(
            (&part.files, &part.gaps),
            (&whole.files, &whole.gaps),
            "{format}"
        );
        assert_eq!(part.gaps[0].kind, GapKind::EscapingPath, "{format}");
        assert_eq!(part.coverage.layers.partial.layers, 1, "{format}");
    }
}

#[test]
fn where_most_is_wanted_all_is_read() {
    for (format, write) in FORMATS {
        let members = [Member::file(STATUS, dpkg_status(&[("one", "1")]))];
        let root = image(&[write(&members, &|_| {})]);
        let part = read(root.path(), Ranges::Right, true);
        assert_eq!(names(&part), ["one"], "{format}");
        assert_eq!(
            (part.coverage.layers.whole, part.gaps.len()),
            (1, 0),
            "{format}"
        );
    }
}

#[test]
fn the_report_says_how_much_was_read() {
    let root = image(&[zstd_chunked(&base(), |_| {})]);
    let here = tempfile::tempdir().unwrap();
    let reference = format!("image:{}/app:test", serve(root.path(), Ranges::Right));
    let scan = |format: &str| {
        let only = [
            "scan",
            &reference,
            "--only",
            "vuln",
            "--partial",
            "--no-cache",
        ];
        cli::run(here.path(), &[&only[..], &["--format", format]].concat())
    };
    let json = scan("json").json();
    let partial = &json["targets"][0]["coverage"]["layers"]["partial"];
    assert_eq!(partial["layers"], 1, "{json}");
    let (fetched, stored) = (&partial["fetched"], &partial["stored"]);
    let said = format!("1 layer read partially: {fetched} of {stored} bytes");
    let table = scan("table").out;
    assert_eq!(table.matches(&said).count(), 2, "{table}");
}
