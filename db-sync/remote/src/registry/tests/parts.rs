//! Parts of blobs.

use super::server::{Asked, Server, reply};
use super::{content, repository};
use crate::registry::{Digest, Login, MAX_RANGE, RegistryError};

/// What `bytes=10-19` asks for, or nothing behind the end.
fn serve(all: &[u8], asked: &Asked) -> Vec<u8> {
    let range = asked.header("range").expect("range");
    let (_, last) = range.split_once('-').expect("range");
    let start = asked.start().expect("start");
    let end = (last.parse::<usize>().expect("number") + 1).min(all.len());
    let Some(part) = all.get(start..end) else {
        return reply("416 Range Not Satisfiable", "", b"");
    };
    let headers = format!("Content-Range: bytes {start}-{}/{}\r\n", end - 1, all.len());
    reply("206 Partial Content", &headers, part)
}

#[test]
fn a_part_is_read() {
    let bytes = content(1000);
    let digest = Digest::of(&bytes);
    let served = bytes.clone();
    let server = Server::start(move |_, asked| serve(&served, asked));
    let repository = repository(&server, &Login::Anonymous);
    let part = |start, length| repository.blob_range(&digest, start, length);
    assert_eq!(part(100, 50).expect("inside"), bytes[100..150]);
    assert_eq!(part(0, 1000).expect("all"), bytes);
    assert_eq!(part(990, 50).expect("to the end"), bytes[990..]);
    assert_eq!(server.asked().len(), 3);
    assert_eq!(part(5, 0).expect("nothing"), b"");
    assert!(matches!(
        part(0, MAX_RANGE + 1),
        Err(RegistryError::TooLong { .. })
    ));
    assert!(matches!(
        part(u64::MAX, 2),
        Err(RegistryError::Malformed { .. })
    ));
    assert_eq!(server.asked().len(), 3, "nothing was asked for that");
    assert!(matches!(
        part(2000, 1),
        Err(RegistryError::Status { status: 416, .. })
    ));
}

#[test]
fn another_part_is_not_taken_for_it() {
    let bytes = content(1000);
    let digest = Digest::of(&bytes);
    let part = |status: &'static str, headers: &'static str, length: usize| {
        let server = Server::start(move |_, _| reply(status, headers, &content(length)));
        repository(&server, &Login::Anonymous).blob_range(&digest, 100, 50)
    };
    let right = "Content-Range: bytes 100-149/1000\r\n";
    assert!(part("206 Partial Content", right, 50).is_ok());
    for (status, headers) in [
        ("200 OK", ""),
        ("206 Partial Content", ""),
        ("206 Partial Content", "Content-Range: bytes 0-49/1000\r\n"),
        ("206 Partial Content", "Content-Range: odd\r\n"),
    ] {
        let error = part(status, headers, 50).expect_err(headers);
        assert!(matches!(error, RegistryError::NoRanges { .. }), "{error}");
    }
    let long = part("206 Partial Content", right, 51).expect_err("too much");
    assert!(
        matches!(long, RegistryError::TooLong { limit: 50, .. }),
        "{long}"
    );
    let short = part("206 Partial Content", right, 49).expect_err("too little");
    assert!(
        matches!(
            short,
            RegistryError::Size {
                expected: 50,
                found: 49,
                ..
            }
        ),
        "{short}"
    );
}
