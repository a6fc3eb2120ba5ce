//! Tars made by the crate `tar`, and by hand where that refuses.

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
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    block
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
    sparse[482] = 1;
    sparse[148..156].copy_from_slice(b"        ");
    let sum: u32 = sparse.iter().map(|byte| u32::from(*byte)).sum();
    sparse[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    let mut data = vec![0; 1024];
    data[512] = b'd';
    let bytes = [sparse, data, file(b"x", b"y")].concat();
    assert_eq!(read(&bytes).unwrap()[1].0, "x");
}
