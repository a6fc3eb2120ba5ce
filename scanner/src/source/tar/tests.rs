//! Tars made by the crate `tar`, and by hand where that refuses.

use std::fmt::Write as _;
use std::io::Read as _;

use super::*;

pub(crate) fn header(name: &[u8], size: &[u8], kind: u8, link: &[u8]) -> Vec<u8> {
    let mut block = vec![0_u8; 512];
    block[..name.len()].copy_from_slice(name);
    block[100..107].copy_from_slice(b"0000644");
    block[124..124 + size.len()].copy_from_slice(size);
    block[148..156].copy_from_slice(b"        ");
    block[156] = kind;
    block[157..157 + link.len()].copy_from_slice(link);
    block[257..265].copy_from_slice(b"ustar\x0000");
    sum(&mut block);
    block
}

/// Makes the checksum of a header right.
fn sum(block: &mut [u8]) {
    block[148..156].copy_from_slice(b"        ");
    let sum: u32 = block[..512].iter().map(|byte| u32::from(*byte)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
}

fn file(name: &[u8], content: &[u8]) -> Vec<u8> {
    let mut bytes = header(
        name,
        format!("{:011o}", content.len()).as_bytes(),
        b'0',
        b"",
    );
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn read(bytes: &[u8]) -> Result<Vec<(String, String, usize)>, TarError> {
    let mut tar = Tar::new(bytes);
    let mut all = Vec::new();
    while let Some((member, troubles)) = tar.next()? {
        assert!(troubles.len() <= limits::MEMBER_TROUBLES);
        let mut content = String::new();
        tar.read_to_string(&mut content)?;
        let path = String::from_utf8_lossy(&member.path).into_owned();
        all.push((path, content, troubles.len()));
    }
    Ok(all)
}

fn meta(kind: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = file(b"meta", content);
    let head = header(
        b"meta",
        format!("{:011o}", content.len()).as_bytes(),
        kind,
        b"",
    );
    bytes[..512].copy_from_slice(&head);
    bytes
}

#[test]
fn long_names_of_both_kinds() {
    let long = "very/".repeat(60) + "name";
    let pax = format!("{} path={long}\n", long.len() + 10);
    for first in [meta(b'L', long.as_bytes()), meta(b'x', pax.as_bytes())] {
        let bytes = [first, file(b"very/x", b"data")].concat();
        assert_eq!(read(&bytes).unwrap(), [(long.clone(), "data".into(), 0)]);
    }
}

#[test]
fn troubles_do_not_stop_but_sizes_do() {
    let bytes = [meta(b'x', b"99 path=x\n"), file(b"x", b"y")].concat();
    assert_eq!(read(&bytes).unwrap(), [("x".into(), "y".into(), 1)]);
    let size = usize::try_from(limits::META_BYTES).unwrap() + 1;
    let bytes = [meta(b'L', &vec![b'a'; size]), file(b"x", b"y")].concat();
    assert_eq!(read(&bytes).unwrap(), [("x".into(), "y".into(), 1)]);
    let bytes = [meta(b'x', b"12 size=-10\n"), file(b"x", b"y")].concat();
    assert!(matches!(read(&bytes), Err(TarError::Malformed { .. })));
}

#[test]
fn the_end_is_where_engines_see_it() {
    let member = file(b"x", b"y");
    let zeros = vec![0; 512];
    assert_eq!(read(&member).unwrap().len(), 1);
    let marked = [&member[..], &zeros, &zeros, b"garbage"].concat();
    assert_eq!(read(&marked).unwrap().len(), 1);
    let lone = [&member[..], &zeros, &member].concat();
    assert!(matches!(read(&lone), Err(TarError::Malformed { .. })));
    for cut in [100, 512, 512 + 1] {
        let bytes = [&member[..], &file(b"z", &[b'z'; 600])[..cut]].concat();
        assert!(matches!(read(&bytes), Err(TarError::Io(_))), "{cut}");
    }
    assert!(read(&meta(b'L', b"name")).is_err());
}

#[test]
fn headers_without_data_have_none_whatever_they_claim() {
    let bytes = [header(b"l", b"00000001000", b'2', b"t"), file(b"x", b"y")].concat();
    assert_eq!(read(&bytes).unwrap().len(), 2);
}

#[test]
fn sparse_maps_are_passed_over() {
    let mut sparse = header(b"s", b"00000000001", b'S', b"");
    // The type means something else in the headers of star; engines refuse it there.
    assert!(matches!(read(&sparse), Err(TarError::Malformed { .. })));
    sparse[257..265].copy_from_slice(b"ustar  \0");
    sparse[482] = 1;
    sum(&mut sparse);
    let mut data = vec![0; 1024];
    data[512] = b'd';
    let bytes = [sparse, data, file(b"x", b"y")].concat();
    assert_eq!(read(&bytes).unwrap()[1].0, "x");
}

fn members(bytes: &[u8]) -> Result<Vec<(MemberKind, String, usize)>, TarError> {
    let mut tar = Tar::new(bytes);
    let mut all = Vec::new();
    while let Some((member, troubles)) = tar.next()? {
        let path = String::from_utf8_lossy(&member.path).into_owned();
        all.push((member.kind, path, troubles.len()));
    }
    Ok(all)
}

fn pax(kind: u8, records: &[(&str, &str)]) -> Vec<u8> {
    let mut content = String::new();
    for (key, value) in records {
        let rest = key.len() + value.len() + 3;
        let is_right = |length: &usize| length.to_string().len() + rest == *length;
        let length = (rest + 1..rest + 9).find(is_right).unwrap();
        let _ = writeln!(content, "{length} {key}={value}");
    }
    meta(kind, content.as_bytes())
}

/// What Go 1.24's `archive/tar` makes of each.
#[test]
fn headers_mean_what_engines_read() {
    let old = |name: &[u8]| header(name, b"00000000000", 0, b"");
    let other = || file(b"x", b"y");
    // The type is decided when the name is known.
    let bytes = [pax(b'x', &[("path", "etc/f")]), old(b"dir/")].concat();
    assert_eq!(
        members(&bytes).unwrap(),
        [(MemberKind::File, "etc/f".into(), 0)]
    );
    let bytes = [pax(b'x', &[("path", "dir/")]), old(b"f")].concat();
    assert_eq!(
        members(&bytes).unwrap(),
        [(MemberKind::Directory, "dir/".into(), 0)]
    );
    assert_eq!(members(&old(b"d/")).unwrap()[0].0, MemberKind::Directory);
    // Of two records the last counts, and an empty one leaves the name of the header.
    let bytes = [pax(b'x', &[("path", "a"), ("path", "")]), other()].concat();
    assert_eq!(members(&bytes).unwrap()[0].1, "x");
    // An empty long name is none.
    let bytes = [meta(b'L', b"\0"), other()].concat();
    assert_eq!(members(&bytes).unwrap()[0].1, "x");
    // A global header drops what stands before it, and applies to nothing.
    let bytes = [
        pax(b'x', &[("path", "lost")]),
        pax(b'g', &[("comment", "c")]),
        other(),
    ];
    assert_eq!(
        members(&bytes.concat()).unwrap(),
        [(MemberKind::File, "x".into(), 1)]
    );
    for key in ["path", "linkpath", "size"] {
        let bytes = [pax(b'g', &[(key, "7")]), other()].concat();
        assert_eq!(
            members(&bytes).unwrap(),
            [(MemberKind::File, "x".into(), 1)]
        );
    }
    let bytes = [pax(b'g', &[("comment", "c")]), other()].concat();
    assert_eq!(
        members(&bytes).unwrap(),
        [(MemberKind::File, "x".into(), 0)]
    );
    // A NUL in a path is refused, wherever.
    for key in ["path", "linkpath", "GNU.sparse.name"] {
        let bytes = [pax(b'x', &[(key, "a\0b")]), other()].concat();
        assert!(matches!(members(&bytes), Err(TarError::Malformed { .. })));
    }
    let bytes = header(b"odd", b"00000000000", b' ', b"");
    assert_eq!(members(&bytes).unwrap()[0].0, MemberKind::Unknown(b' '));
}

#[test]
fn files_with_holes_are_known_by_version() {
    let sparse = |records: &[(&str, &str)]| {
        let bytes = [pax(b'x', records), file(b"x", b"y")].concat();
        let (kind, path, _) = members(&bytes).unwrap().remove(0);
        (kind, path)
    };
    let name = ("GNU.sparse.name", "n");
    let major = ("GNU.sparse.major", "1");
    assert_eq!(
        sparse(&[name, major, ("GNU.sparse.minor", "0")]),
        (MemberKind::Sparse, "n".into())
    );
    assert_eq!(
        sparse(&[name, ("GNU.sparse.map", "0,1")]),
        (MemberKind::Sparse, "n".into())
    );
    // Records of no version that readers know change nothing.
    for records in [&[name][..], &[name, major, ("GNU.sparse.minor", "7")]] {
        assert_eq!(sparse(records), (MemberKind::File, "x".into()));
    }
}

#[test]
fn the_field_of_the_prefix_depends_on_the_format() {
    let with = |magic: &[u8], prefix: &[u8], trailer: &[u8]| {
        let mut block = header(b"name", b"00000000000", b'0', b"");
        block[257..265].copy_from_slice(magic);
        block[345..345 + prefix.len()].copy_from_slice(prefix);
        block[508..508 + trailer.len()].copy_from_slice(trailer);
        sum(&mut block);
        members(&block).unwrap().remove(0).1
    };
    let posix = b"ustar\x0000";
    let gnu = b"ustar  \0";
    assert_eq!(with(posix, b"a/b", b""), "a/b/name");
    // In the headers of star it is shorter, and times follow.
    let mut prefix = vec![b'p'; 131];
    prefix.extend_from_slice(b"14371573457\0");
    assert_eq!(with(posix, &prefix, b"tar\0"), "p".repeat(131) + "/name");
    assert_eq!(with(gnu, b"var/lib/dpkg", b""), "var/lib/dpkg/name");
    // GNU's own times are none.
    assert_eq!(with(gnu, b"14371573457\x0014371573457\0", b""), "name");
    assert_eq!(with(b"\0\0\0\0\0\0\0\0", b"a/b", b""), "name");
}

#[test]
fn what_follows_the_end_is_seen() {
    let followed = |rest: &[u8], most: u64| {
        let bytes = [&file(b"x", b"y")[..], &[0; 1024], rest].concat();
        let mut tar = Tar::new(&bytes[..]);
        while tar.next().unwrap().is_some() {}
        tar.is_followed(most).unwrap()
    };
    let more = file(b"z", b"");
    assert!(!followed(b"", 10) && !followed(&[b'g'; 9000], u64::MAX));
    assert!(followed(&more, 10));
    let behind = [&[b'g'; 1024], &more[..]].concat();
    assert!(followed(&behind, u64::MAX) && !followed(&behind, 1024));
}
