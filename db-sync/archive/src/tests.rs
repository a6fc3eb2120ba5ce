use std::io::{Cursor, Write as _};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{Archive, Error, Limits, MemberError};

const LIMITS: Limits = Limits {
    entries: 10,
    member_bytes: 1 << 20,
    ratio: 100,
    ratio_from: 1 << 10,
};

fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        let options = SimpleFileOptions::default();
        writer.start_file(*name, options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn contents(bytes: &[u8]) -> Vec<(String, Result<Vec<u8>, String>)> {
    let mut archive = Archive::open(Cursor::new(bytes), LIMITS).unwrap();
    let members = archive.members();
    let read = members.into_iter().map(|member| {
        let content = archive.read(&member).map_err(|error| error.to_string());
        (member.name, content)
    });
    read.collect()
}

#[test]
fn entries_come_in_order_with_their_content() {
    let bytes = archive(&[
        ("b", b"2"),
        ("a/c", b"one\none\none\none\none\n"),
        ("d", b""),
    ]);
    let expected = [
        ("b".to_owned(), Ok(b"2".to_vec())),
        ("a/c".to_owned(), Ok(b"one\none\none\none\none\n".to_vec())),
        ("d".to_owned(), Ok(Vec::new())),
    ];
    assert_eq!(contents(&bytes), expected);
    // A script that starts the archive stands before it.
    let started = [b"#!/bin/sh\nexec java -jar \"$0\"\n", bytes.as_slice()].concat();
    assert_eq!(contents(&started), expected);
}

#[test]
fn what_is_broken_is_an_error_and_loses_nothing_else() {
    for (bytes, cause) in [
        (b"".as_slice(), "no end record"),
        (b"PK\x03\x04 and no more", "no end record"),
    ] {
        let error = Archive::open(Cursor::new(bytes), LIMITS).err().unwrap();
        assert!(error.to_string().contains(cause), "{error}");
    }
    let mut bytes = archive(&[("a", b"first content"), ("b", b"second")]);
    // The first local header has 30 bytes and a name of one.
    bytes[31] ^= 1;
    let read = contents(&bytes);
    assert!(read[0].1.is_err(), "{read:?}");
    assert_eq!(read[1].1.as_deref(), Ok(b"second".as_slice()));
    // No cut anywhere is a panic.
    for length in 0..bytes.len() {
        if let Ok(mut archive) = Archive::open(Cursor::new(&bytes[..length]), LIMITS) {
            for member in archive.members() {
                let _ = archive.read(&member);
            }
        }
    }
}

#[test]
fn limits_hold() {
    let many: Vec<(String, &[u8])> = (0..11).map(|n| (n.to_string(), b"".as_slice())).collect();
    let many: Vec<(&str, &[u8])> = many
        .iter()
        .map(|(name, text)| (name.as_str(), *text))
        .collect();
    let error = Archive::open(Cursor::new(archive(&many)), LIMITS)
        .err()
        .unwrap();
    assert!(matches!(error, Error::Entries(10)), "{error}");
    let large = vec![b'x'; (1 << 20) + 1];
    let growing = vec![b'x'; 1 << 19];
    let bytes = archive(&[("large", large.as_slice()), ("growing", growing.as_slice())]);
    let mut archive = Archive::open(Cursor::new(bytes), LIMITS).unwrap();
    for member in archive.members() {
        let error = archive.read(&member).err().unwrap();
        assert!(matches!(error, MemberError::Limit(_)), "{error}");
    }
}
