//! Packs made by hand: what is right in them is found, and whatever is wrong
//! is refused within its bound.

use super::object::{EntryKind, Format, Id, Kind, Snapshot, id};
use super::packet::put_line;
use super::remote::{is_allowed, redirected};
use super::{Bounds, Remote, address, pack, wire};
use crate::fault::Fault;
use crate::fetch::{Access, FetchError};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::{Duration, Instant};

fn deflated(data: &[u8]) -> Vec<u8> {
    let mut out = ZlibEncoder::new(Vec::new(), Compression::best());
    out.write_all(data).expect("write");
    out.finish().expect("finish")
}

/// An entry's kind and size.
fn head(kind: u8, mut size: usize) -> Vec<u8> {
    let mut first = kind << 4 | u8::try_from(size & 15).expect("nibble");
    let mut out = Vec::new();
    size >>= 4;
    while size > 0 {
        out.push(first | 0x80);
        first = u8::try_from(size & 127).expect("seven bits");
        size >>= 7;
    }
    out.push(first);
    out
}

fn whole(kind: u8, data: &[u8]) -> Vec<u8> {
    [head(kind, data.len()), deflated(data)].concat()
}

fn delta(base: &[u8], delta: &[u8]) -> Vec<u8> {
    [head(7, delta.len()), base.to_vec(), deflated(delta)].concat()
}

fn packed(format: Format, entries: &[Vec<u8>]) -> Vec<u8> {
    let count = u32::try_from(entries.len()).expect("count");
    let mut out = b"PACK\0\0\0\x02".to_vec();
    out.extend(count.to_be_bytes());
    out.extend(entries.concat());
    let trailer = format.digest(&[&out]);
    out.extend(trailer);
    out
}

const TIGHT: Bounds = Bounds {
    talk: 1000,
    answer: 10_000,
    progress: 100,
    objects: 40,
    object: 1000,
    unpacked: 3000,
    chain: 5,
    time: Duration::from_millis(300),
};

fn read(entries: &[Vec<u8>]) -> Result<Snapshot, String> {
    let pack = packed(Format::Sha1, entries);
    refusal(pack::read(&pack, Format::Sha1, Vec::new(), &TIGHT))
}

fn refusal(read: Result<Snapshot, Fault>) -> Result<Snapshot, String> {
    read.map_err(|fault| match fault {
        Fault::Wrong(cause) => cause,
        other => format!("{other:?}"),
    })
}

fn refused(entries: &[Vec<u8>], cause: &str) {
    let told = read(entries).expect_err(cause);
    assert!(told.contains(cause), "{told}");
}

#[test]
fn a_commit_leads_to_its_files_in_either_hash() {
    for format in [Format::Sha1, Format::Sha256] {
        let text = b"one advisory among others";
        let blob = id(format, Kind::Blob, text);
        // Copies the first three bytes, then inserts "!".
        let change = [25, 4, 0x90, 3, 1, b'!'];
        let changed = id(format, Kind::Blob, b"one!");
        let mut tree = Vec::new();
        for (mode, name, id) in [
            ("100644", "a.md", &blob),
            ("100755", "b.md", &changed),
            ("120000", "c", &blob),
            ("160000", "d", &blob),
        ] {
            tree.extend(format!("{mode} {name}\0").bytes());
            tree.extend(id);
        }
        let top = id(format, Kind::Tree, &tree);
        let commit = format!("tree {}\nauthor x\n\ntree 00\n", hex::encode(&top));
        let tip = id(format, Kind::Commit, commit.as_bytes());
        let entries = [
            delta(&blob, &change),
            whole(1, commit.as_bytes()),
            whole(2, &tree),
            whole(3, text),
        ];
        let snapshot = pack::read(&packed(format, &entries), format, tip, &TIGHT).expect("pack");
        let root = snapshot.root().expect("root");
        let kinds: Vec<_> = root.iter().map(|entry| entry.kind).collect();
        assert_eq!(
            kinds,
            [
                EntryKind::File,
                EntryKind::File,
                EntryKind::Link,
                EntryKind::Submodule
            ]
        );
        assert_eq!(snapshot.file(&root[0]).expect("file"), text);
        assert_eq!(snapshot.file(&root[1]).expect("file"), b"one!");
        assert!(snapshot.folder(&root[0]).is_err());
    }
    assert_eq!(
        id(Format::Sha1, Kind::Blob, b""),
        hex("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391")
    );
}

fn hex(text: &str) -> Id {
    Format::Sha1.parse(text).expect("hash")
}

#[test]
fn what_the_tip_does_not_vouch_for_is_not_found() {
    let entries = [whole(1, b"tree e69de29bb2d1d6434b8b29ae775ad8c2e48c5391\n")];
    let pack = packed(Format::Sha1, &entries);
    let other = hex("0123456789012345678901234567890123456789");
    let snapshot = pack::read(&pack, Format::Sha1, other, &TIGHT).expect("pack");
    assert!(snapshot.root().expect_err("tip").contains("was not sent"));
    let tip = id(
        Format::Sha1,
        Kind::Commit,
        b"tree e69de29bb2d1d6434b8b29ae775ad8c2e48c5391\n",
    );
    let snapshot = pack::read(&pack, Format::Sha1, tip, &TIGHT).expect("pack");
    assert!(snapshot.root().expect_err("tree").contains("was not sent"));
}

#[test]
fn hostile_names_in_trees_are_refused() {
    for name in ["..", ".", "", "a/b", "a\\b", ".GIT"] {
        let tree = [format!("100644 {name}\0").as_bytes(), &[7; 20]].concat();
        let top = id(Format::Sha1, Kind::Tree, &tree);
        let commit = format!("tree {}\n", hex::encode(&top));
        let tip = id(Format::Sha1, Kind::Commit, commit.as_bytes());
        let pack = packed(
            Format::Sha1,
            &[whole(1, commit.as_bytes()), whole(2, &tree)],
        );
        let snapshot = pack::read(&pack, Format::Sha1, tip, &TIGHT).expect("pack");
        let cause = snapshot.root().expect_err(name);
        assert!(cause.contains("malformed"), "{name}: {cause}");
    }
}

#[test]
fn a_damaged_pack_is_refused() {
    let good = packed(Format::Sha1, &[whole(3, b"text")]);
    let told = |pack: &[u8]| {
        refusal(pack::read(pack, Format::Sha1, Vec::new(), &TIGHT)).expect_err("refused")
    };
    for end in 0..good.len() {
        told(&good[..end]);
    }
    let mut wrong = good.clone();
    wrong[14] ^= 1;
    assert!(told(&wrong).contains("checksum"));
    let tail = [whole(3, b"text"), b"more".to_vec()].concat();
    refused(&[tail], "behind");
    let mut other = b"PACK\0\0\0\x04\0\0\0\0".to_vec();
    other.extend(Format::Sha1.digest(&[&other]));
    assert!(told(&other).contains("version is 4"));
    refused(&[whole(5, b"x")], "unknown kind");
    refused(&[[head(3, 9), deflated(b"short")].concat()], "another size");
    refused(
        &[[head(3, 5), b"no zlib stream".to_vec()].concat()],
        "inflated",
    );
    refused(&[[head(3, 5), vec![0xff; 20]].concat()], "inflated");
    refused(&[[vec![0xb0], vec![0xff; 12]].concat()], "too long");
}

#[test]
fn bombs_end_at_their_bound() {
    let many = vec![whole(3, b""); 41];
    refused(&many, "more than 40 objects");
    refused(
        &[whole(3, &[0; 1001])],
        "an object has more than 1000 bytes",
    );
    // Says it is small, and inflates to much more.
    refused(
        &[[head(3, 10), deflated(&vec![0; 1 << 20])].concat()],
        "another size",
    );
    let four: Vec<_> = (0..4).map(|n| whole(3, &[n; 900])).collect();
    refused(&four, "its objects have more than 3000 bytes");
    // A delta that copies its base over and over.
    let base = [b'x'; 100];
    let of = id(Format::Sha1, Kind::Blob, &base);
    let copies = [vec![100, 0xe8, 7], [0x90, 100].repeat(10)].concat();
    assert!(read(&[whole(3, &base), delta(&of, &copies)]).is_ok());
    let more = [vec![100, 0xe9, 7], [0x90, 100].repeat(11)].concat();
    refused(
        &[whole(3, &base), delta(&of, &more)],
        "more than 1000 bytes",
    );
    let liar = [100, 10, 0x90, 100];
    refused(&[whole(3, &base), delta(&of, &liar)], "malformed");
}

#[test]
fn chains_of_deltas_end() {
    let chain = |length: u8| {
        let mut entries = vec![whole(3, b"x")];
        let mut of = id(Format::Sha1, Kind::Blob, b"x");
        for number in 0..length {
            entries.push(delta(&of, &[1, 1, 1, number]));
            of = id(Format::Sha1, Kind::Blob, &[number]);
        }
        entries
    };
    assert!(read(&chain(5)).is_ok());
    refused(&chain(6), "more than 5 deltas");
    // Its own base, a base behind it, a base before the pack, none at all.
    let own = [head(6, 4), vec![0], deflated(&[1, 1, 1, 1])].concat();
    refused(&[own], "outside");
    let before = [head(6, 4), vec![127], deflated(&[1, 1, 1, 1])].concat();
    refused(&[before], "outside");
    let far = [head(6, 4), vec![0xff; 12]].concat();
    refused(&[far], "too far");
    refused(&[delta(&[7; 20], &[1, 1, 1, 1])], "no base");
    let amid = [head(6, 4), vec![1], deflated(&[1, 1, 1, 1])].concat();
    refused(&[whole(3, b"x"), amid], "no base");
}

#[test]
fn malformed_deltas_are_refused() {
    let of = id(Format::Sha1, Kind::Blob, b"base");
    let broken: [&[u8]; 7] = [
        b"",
        &[5, 1, 1, b'x'],
        &[4, 1, 0],
        &[4, 1, 0x91, 9, 1],
        &[4, 9, 0x90],
        &[4, 3, 2, b'x', b'y'],
        &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    ];
    for change in broken {
        let told = read(&[whole(3, b"base"), delta(&of, change)]);
        assert!(told.is_err(), "{change:?}");
    }
}

fn lines(lines: &[&str]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in lines {
        match *line {
            "0000" | "0001" => out.extend(line.bytes()),
            line => put_line(&mut out, line),
        }
    }
    out
}

#[test]
fn capabilities_and_heads_are_read() {
    let read = |text: &[&str]| wire::capabilities(&mut lines(text).as_slice(), &TIGHT);
    let v2 = [
        "version 2",
        "agent=git/2",
        "ls-refs=unborn",
        "fetch=shallow filter",
    ];
    let with = |more: &[&'static str]| [&v2[..], more].concat();
    assert_eq!(read(&with(&["0000"])), Ok(Format::Sha1));
    assert_eq!(
        read(&with(&["object-format=sha256", "0000"])),
        Ok(Format::Sha256)
    );
    let service = ["# service=git-upload-pack", "0000"];
    assert_eq!(
        read(&[&service[..], &with(&["0000"])].concat()),
        Ok(Format::Sha1)
    );
    for bad in [
        with(&["object-format=md5", "0000"]),
        vec!["version 1", "0000"],
        vec!["version 2", "ls-refs", "0000"],
        vec!["version 2", "ls-refs", "fetch=filter", "0000"],
        with(&[]),
        with(&["x"; 200]),
    ] {
        assert!(read(&bad).is_err(), "{bad:?}");
    }
    let id = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";
    let head = |text: &[&str]| wire::head(&mut lines(text).as_slice(), Format::Sha1, &TIGHT);
    let named = format!("{id} HEAD symref-target:refs/heads/main");
    assert_eq!(head(&[&named, "0000"]), Ok(hex(id)));
    assert!(head(&["unborn HEAD symref-target:refs/heads/main", "0000"]).is_err());
    assert!(head(&[&format!("{id} HEADS"), "0000"]).is_err());
    assert!(head(&["0000"]).is_err());
}

fn band(number: u8, data: &[u8]) -> Vec<u8> {
    let mut out = format!("{:04x}", data.len() + 5).into_bytes();
    out.push(number);
    out.extend(data);
    out
}

#[test]
fn a_pack_is_taken_from_among_reports() {
    let begin = lines(&["shallow-info", "shallow 00", "0001", "packfile"]);
    let read = |parts: &[Vec<u8>]| {
        let bytes = [begin.clone(), parts.concat()].concat();
        wire::pack(&mut bytes.as_slice(), &TIGHT)
    };
    let end = b"0000".to_vec();
    let good = [
        band(1, b"PA"),
        band(2, b"working"),
        band(1, b"CK"),
        end.clone(),
    ];
    assert_eq!(read(&good), Ok(b"PACK".to_vec()));
    let told = |parts: &[Vec<u8>]| match read(parts) {
        Err(Fault::Wrong(cause)) => cause,
        other => format!("{other:?}"),
    };
    assert!(told(&[band(3, b"out of memory\n")]).contains("\"out of memory\""));
    assert!(told(&vec![band(2, b""); 101]).contains("more than 100 bytes of progress"));
    assert!(told(&vec![band(1, &[0; 1000]); 12]).contains("TooLarge(10000)"));
    assert!(told(&[band(4, b"x"), end.clone()]).contains("unknown band"));
    assert!(told(&[b"0004".to_vec(), end]).contains("unknown band"));
    assert!(told(&[band(1, b"PA")]).contains("Cut"));
    assert!(wire::pack(&mut lines(&["0000"]).as_slice(), &TIGHT).is_err());
}

#[test]
fn addresses_name_repositories() {
    let is = |text: &str| address(text);
    assert_eq!(
        is("git+https://example.org/db/").as_deref(),
        Some("https://example.org/db")
    );
    assert_eq!(
        is("https://example.org/db.git").as_deref(),
        Some("https://example.org/db.git")
    );
    assert_eq!(is("https://example.org/db.tar.gz"), None);
    assert_eq!(is("folder.git"), None);
    for (url, allowed) in [
        ("https://example.org/x", true),
        ("http://127.0.0.1:80/x", true),
        ("http://localhost/x", true),
        ("http://[::1]:8/x", true),
        ("http://example.org/x", false),
        ("http://localhost.example.org/x", false),
        ("http://127.0.0.1@example.org/x", false),
        ("ssh://example.org/x", false),
        ("file:///x", false),
    ] {
        assert_eq!(is_allowed(url), allowed, "{url}");
    }
}

#[test]
fn redirects_stay_on_their_host() {
    let to = |to: &str| redirected("https://a.example/x", to);
    let service = "/info/refs?service=git-upload-pack";
    let own = Some("https://a.example/y.git".to_owned());
    assert_eq!(to(&format!("https://a.example/y.git{service}")), own);
    assert_eq!(to(&format!("/y.git{service}")), own);
    for other in [
        format!("https://b.example/x{service}"),
        format!("http://a.example/x{service}"),
        format!("//b.example/x{service}"),
        format!("https://a.example:444/x{service}"),
        "/login".to_owned(),
        String::new(),
    ] {
        assert_eq!(to(&other), None, "{other}");
    }
}

#[test]
fn a_server_that_trickles_ends_at_the_time_bound() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let url = format!("http://{}", listener.local_addr().expect("address"));
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("accept");
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
        // Ends once the client is gone.
        while stream.write_all(b"0").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let access = Access {
        tries: 1,
        ..Access::default()
    };
    let bounds = Bounds {
        talk: u64::MAX,
        ..TIGHT
    };
    let start = Instant::now();
    // Four digits of zeros are a flush each: lines that never say a version.
    let answer = Remote::open(&url, &access, &bounds).map(|_| ());
    assert!(
        matches!(answer, Err(FetchError::Server { .. })),
        "{answer:?}"
    );
    assert!(start.elapsed() < Duration::from_secs(10));
}
