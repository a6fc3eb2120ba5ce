use std::io::Write as _;

use super::*;

const ELF: &[u8] = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0";

/// A program around something, fed in pieces of an odd length.
fn read(inside: &[u8]) -> (&'static str, Facts) {
    let mut bytes = ELF.to_vec();
    bytes.resize(300_001, 0);
    bytes.extend_from_slice(inside);
    bytes.resize(bytes.len() + 300_001, 0);
    let mut program = Program::default();
    // A second one must not see what the first one had.
    for _ in 0..2 {
        program.begin(bytes.len() as u64);
        for piece in bytes.chunks(4099) {
            program.feed(piece);
        }
        let found = program.finish("usr/bin/x");
        if let Some(found) = found {
            program.begin(0);
            return found;
        }
    }
    ("", Facts::default())
}

fn names(facts: &Facts) -> Vec<String> {
    let packages = facts.packages.iter();
    packages
        .map(|one| {
            let mark = if one.ecosystem.is_none() { "?" } else { "" };
            format!("{}@{}{mark}", one.name, one.version)
        })
        .collect()
}

fn varint(mut value: usize, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap());
}

fn build_info(version: &str, modules: &str) -> Vec<u8> {
    let mut out = b"\xff Go buildinf:\x08\x02".to_vec();
    out.resize(32, 0);
    varint(version.len(), &mut out);
    out.extend_from_slice(version.as_bytes());
    let framed = framed(modules);
    varint(framed.len(), &mut out);
    out.extend_from_slice(&framed);
    out
}

fn framed(modules: &str) -> Vec<u8> {
    let start = b"\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6";
    let end = b"\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2";
    [start, modules.as_bytes(), end].concat()
}

const MODULES: &str = "path\texample.com/a/cmd\nmod\texample.com/a\t(devel)\t\ndep\texample.com/b\tv1.2.3\th1:x=\ndep\texample.com/c\tv1.0.0\n=>\texample.com/d\tv1.1.0\th1:y=\ndep\texample.com/e\tv1.0.0\n=>\t./e\t(devel)\t\nbuild\t-compiler=gc\n";

#[test]
fn modules_of_go_are_read() {
    let (id, facts) = read(&build_info("go1.22.1 X:boringcrypto", MODULES));
    assert_eq!(id, ID);
    let expected = [
        "stdlib@1.22.1",
        "example.com/a@(devel)?",
        "example.com/b@v1.2.3",
        "example.com/d@v1.1.0",
    ];
    assert_eq!(names(&facts), expected);
    assert_eq!(facts.gaps.len(), 1, "{:?}", facts.gaps);
    // An older linker points to its list.
    let (_, facts) = read(&framed(MODULES));
    assert_eq!(names(&facts), expected[1..]);
    assert!(facts.gaps[0].cause.contains("1.17"));
    // A long list comes in many pieces.
    let many: Vec<String> = (0..20_000)
        .map(|n| format!("dep\texample.com/m{n}\tv1.0.0\th1:=\n"))
        .collect();
    let many = many.concat();
    let (_, facts) = read(&build_info("go1.22.1", &many));
    assert_eq!(facts.packages.len(), 20_001);
}

/// A program of Go 1.15 for ELF with addresses of eight bytes: what is in the file at 0x1000 is at
/// 0x401000 in memory, and the text stands before the headers.
fn with_pointers(address_of_header: u64) -> Vec<u8> {
    let mut bytes = ELF.to_vec();
    bytes.resize(64, 0);
    bytes[32..40].copy_from_slice(&64_u64.to_le_bytes());
    bytes[54..56].copy_from_slice(&56_u16.to_le_bytes());
    bytes[56..58].copy_from_slice(&1_u16.to_le_bytes());
    let mut row = vec![0; 56];
    row[0] = 1;
    for (at, value) in [(8, 0x1000_u64), (16, 0x40_1000), (32, 0x10_0000)] {
        row[at..at + 8].copy_from_slice(&value.to_le_bytes());
    }
    bytes.extend(row);
    bytes.extend_from_slice(b"\x04\x00\x00\x00Go\x00\x00");
    bytes.resize(0x2000, 0);
    bytes.extend_from_slice(b"go1.99.1go1.15.2runtime");
    bytes.resize(0x8_0000, 0);
    bytes.extend_from_slice(b"\xff Go buildinf:\x08\x00");
    bytes.extend(address_of_header.to_le_bytes());
    bytes.resize(0x8_0100, 0);
    bytes.extend((0x40_1000_u64 + 0x1008).to_le_bytes());
    bytes.extend(8_u64.to_le_bytes());
    bytes.extend(framed(MODULES));
    bytes.resize(0x9_0000, 0);
    bytes
}

#[test]
fn older_programs_point_to_their_version() {
    let told = |bytes: &[u8]| {
        let mut program = Program::default();
        program.begin(bytes.len() as u64);
        for piece in bytes.chunks(4099) {
            program.feed(piece);
        }
        let (_, facts) = program.finish("usr/bin/x").unwrap();
        let gaps: Vec<String> = facts.gaps.iter().map(|gap| gap.cause.to_string()).collect();
        (names(&facts), gaps)
    };
    let (packages, _) = told(&with_pointers(0x40_1000 + 0x7_f100));
    assert_eq!(packages[0], "stdlib@1.15.2");
    assert_eq!(packages.len(), 4);
    // A header that points nowhere.
    let (packages, gaps) = told(&with_pointers(0x10));
    assert_eq!(packages.len(), 3);
    assert!(gaps[0].contains("1.17 or older"), "{gaps:?}");
}

#[test]
fn what_is_odd_about_build_information_is_a_gap() {
    for (inside, cause) in [
        (build_info("devel go1.23-0000", MODULES), "not a release"),
        (build_info("go1.22.1", ""), "without a list of modules"),
        (build_info("go1.22.1", "mod\tx\n"), "has no version"),
    ] {
        let (_, facts) = read(&inside);
        let all: Vec<_> = facts.gaps.iter().map(|gap| &*gap.cause).collect();
        assert!(all.iter().any(|gap| gap.contains(cause)), "{all:?}");
    }
    // The magic text alone, as a program has it that reads others.
    let (id, _) = read(b"\xff Go buildinf:");
    assert_eq!(id, "");
}

fn compressed(list: &str) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(list.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

const LIST: &str = r#"{"packages":[{"name":"a","version":"1.0.0","source":"local","root":true,"dependencies":[1,2]},{"name":"b","version":"2.0.0","source":"crates.io"},{"name":"c","version":"3.0.0","source":"git","kind":"build"}]}"#;

#[test]
fn crates_of_a_list_are_read() {
    let (id, facts) = read(&compressed(LIST));
    assert_eq!(id, ID);
    assert_eq!(names(&facts), ["a@1.0.0?", "b@2.0.0", "c@3.0.0?"]);
    assert!(facts.packages[1].public);
    assert_eq!(
        facts.packages[2].scope,
        Some(crate::model::package::Scope::Build)
    );
    let direct: Vec<_> = facts.packages.iter().map(|one| one.direct).collect();
    assert_eq!(direct, [Some(false), Some(true), Some(true)]);
    assert!(facts.gaps[0].cause.starts_with("1 of the crates"));
    let mut cut = compressed(&LIST.repeat(1000));
    cut.truncate(100);
    let (_, facts) = read(&cut);
    assert!(facts.gaps[0].cause.contains("the list of crates"));
    assert_eq!(facts.gaps[0].class, crate::model::gap::GapClass::Unjudged);
    let long = format!("{{\"packages\":[{}", " ".repeat(9 << 20));
    let (_, facts) = read(&compressed(&long));
    assert!(facts.gaps[0].cause.contains("8 MiB"), "{:?}", facts.gaps);
}

#[test]
fn crates_are_read_from_messages() {
    let inside = b"rustc version \0/root/.cargo/registry/src/index.crates.io-6f17d22bba15001f/sha-1-0.10.0/src/lib.rs\0C:\\.cargo\\registry/src/github.com-1ecc6299db9ec823\\serde_json-1.0.0-rc.1\\src\\x.rs\0registry/src/my.company-0/own-1.0.0/a";
    let mut program = Program::default();
    let bytes = [ELF, inside].concat();
    program.begin(bytes.len() as u64);
    program.feed(&bytes);
    let (id, facts) = program.finish("x").unwrap();
    assert_eq!(id, ID);
    assert_eq!(names(&facts), ["serde_json@1.0.0-rc.1", "sha-1@0.10.0"]);
    assert!(facts.gaps[0].cause.contains("may contain others"));
    // What a wheel or a module brings is its own affair.
    program.begin(bytes.len() as u64);
    program.feed(&bytes);
    let (id, facts) = program.finish("lib/site-packages/a/x.so").unwrap();
    assert_eq!((id, facts.packages.len()), ("rust-executable", 0));
}

#[test]
fn owners_matter_where_programs_lie() {
    assert!(may_be("usr/bin", "docker") && may_be("usr/libexec/docker/cli-plugins", "buildx"));
    assert!(!may_be("usr/share/doc/x", "copyright") && !may_be("usr/bin", "x.py"));
}
