//! Blobs that break off, are wrong, or come late.

use super::server::{Server, announced, part, reply};
use super::{PACE, all, content, http, reference, repository};
use crate::registry::{Digest, Login, MAX_RESUMES, Pace, RegistryError, Repository};
use std::time::{Duration, Instant};

const ANONYMOUS: Login = Login::Anonymous;

#[test]
fn a_blob_that_breaks_off_is_continued() {
    let bytes = content(10_000);
    let served = bytes.clone();
    let server = Server::start(move |_, asked| part(&served, asked, 3000));
    let digest = Digest::of(&bytes);
    let repository = repository(&server, &ANONYMOUS);
    for size in [None, Some(10_000)] {
        assert_eq!(all(&repository, &digest, size).expect("whole"), bytes);
    }
    let starts: Vec<_> = server
        .asked()
        .iter()
        .map(super::server::Asked::start)
        .collect();
    let once = [None, Some(3000), Some(6000), Some(9000)];
    assert_eq!(starts, [once, once].concat());
    let reader = repository.blob(&digest, None).expect("open");
    assert_eq!(reader.size(), Some(10_000));
    reader.finish().expect("verified");
}

#[test]
fn what_a_server_without_ranges_repeats_is_left_out() {
    let bytes = content(10_000);
    let served = bytes.clone();
    let server = Server::start(move |number, _| {
        let most = [4000, 2000, 7000, 10_000][number.min(3)];
        announced("200 OK", "", served.len(), &served[..most])
    });
    let found = all(&repository(&server, &ANONYMOUS), &Digest::of(&bytes), None);
    assert_eq!(found.expect("whole"), bytes);
    assert_eq!(server.asked().len(), 4);
}

#[test]
fn continuing_ends() {
    let bytes = content(1000);
    let served = bytes.clone();
    let server = Server::start(move |_, asked| part(&served, asked, 1));
    let error = all(&repository(&server, &ANONYMOUS), &Digest::of(&bytes), None);
    let error = error.expect_err("never whole");
    assert!(matches!(error, RegistryError::Request { .. }), "{error}");
    let most = usize::try_from(MAX_RESUMES).expect("small") + 1;
    assert_eq!(server.asked().len(), most);
}

#[test]
fn wrong_content_has_no_end() {
    let bytes = content(1000);
    let mut other = bytes.clone();
    other[999] ^= 1;
    let server = Server::start(move |_, asked| part(&other, asked, 1000));
    let digest = Digest::of(&bytes);
    let repository = repository(&server, &ANONYMOUS);
    for size in [None, Some(1000)] {
        let error = all(&repository, &digest, size).expect_err("wrong");
        assert!(matches!(error, RegistryError::Digest { .. }), "{error}");
    }
    let reader = repository.blob(&digest, None).expect("open");
    let error = reader.finish().expect_err("wrong");
    assert!(matches!(error, RegistryError::Digest { .. }), "{error}");
    assert_eq!(server.asked().len(), 3, "asking again would not change it");
}

#[test]
fn a_blob_of_another_size_is_refused() {
    let bytes = content(1000);
    for length in [0, 500, 1500] {
        let other = content(length);
        let server = Server::start(move |_, _| reply("200 OK", "", &other));
        let repository = repository(&server, &ANONYMOUS);
        let error = all(&repository, &Digest::of(&bytes), Some(1000)).expect_err("size");
        let RegistryError::Size {
            expected, found, ..
        } = error
        else {
            panic!("{error}");
        };
        assert_eq!((expected, found), (1000, length as u64));
    }
}

#[test]
fn a_body_without_a_length_ends_where_the_manifest_says() {
    let bytes = content(1000);
    for (length, expected) in [(1000, true), (400, false)] {
        let served = content(length);
        let server = Server::start(move |_, asked| match asked.start() {
            Some(_) => reply("416 Range Not Satisfiable", "", b""),
            None => [b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", &*served].concat(),
        });
        let repository = repository(&server, &ANONYMOUS);
        match all(&repository, &Digest::of(&bytes), Some(1000)) {
            Ok(found) => assert!(expected && found == bytes),
            Err(RegistryError::Size { found, .. }) => assert!(!expected && found == 400),
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn an_empty_blob_is_verified_too() {
    let server = Server::start(|_, _| reply("200 OK", "", b""));
    let repository = repository(&server, &ANONYMOUS);
    let empty = Digest::of(b"");
    assert_eq!(all(&repository, &empty, Some(0)).expect("empty"), b"");
    assert_eq!(all(&repository, &empty, None).expect("empty"), b"");
    assert!(all(&repository, &Digest::of(b"x"), Some(0)).is_err());
}

#[test]
fn a_busy_server_is_waited_for_within_limits() {
    let bytes = content(100);
    let served = bytes.clone();
    let digest = Digest::of(&bytes);
    let storm = Server::start(move |number, asked| match number {
        0 => reply("429 Too Many Requests", "Retry-After: 1\r\n", b""),
        1 | 2 => reply("503 Service Unavailable", "Retry-After: 0\r\n", b""),
        3 => part(&served, asked, 50),
        4 => reply("429 Too Many Requests", "", b""),
        _ => part(&served, asked, 100),
    });
    let begun = Instant::now();
    let found = all(&repository(&storm, &ANONYMOUS), &digest, None);
    assert_eq!(found.expect("in the end"), bytes);
    assert!(begun.elapsed() >= Duration::from_secs(1), "not obeyed");

    let late = Server::start(|_, _| reply("429 Too Many Requests", "Retry-After: 3600\r\n", b""));
    let error = all(&repository(&late, &ANONYMOUS), &digest, None).expect_err("late");
    assert!(
        matches!(
            error,
            RegistryError::Busy {
                status: 429,
                seconds: 3600,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(late.asked().len(), 1);

    let endless = Server::start(|_, _| reply("429 Too Many Requests", "Retry-After: 0\r\n", b""));
    let error = all(&repository(&endless, &ANONYMOUS), &digest, None).expect_err("endless");
    assert!(
        matches!(error, RegistryError::Status { status: 429, .. }),
        "{error}"
    );
    assert_eq!(endless.asked().len(), 9);

    // The sum of the waits has a limit of its own.
    let pace = Pace {
        first: Duration::from_millis(20),
        total: Duration::from_millis(50),
        ..PACE
    };
    let impatient = Repository::new(&http(pace), &reference(&endless, ""), &ANONYMOUS);
    let error = all(&impatient.expect("repository"), &digest, None).expect_err("total");
    assert!(
        matches!(error, RegistryError::Busy { status: 429, .. }),
        "{error}"
    );
    assert_eq!(
        endless.asked().len(),
        11,
        "one wait of 20 ms, none of 40 ms more"
    );
}

#[test]
fn a_blob_that_is_not_there_is_an_error_at_once() {
    let server = Server::start(|_, _| reply("404 Not Found", "", b""));
    let repository = repository(&server, &ANONYMOUS);
    let error = repository
        .blob(&Digest::of(b""), None)
        .err()
        .expect("absent");
    assert!(
        matches!(error, RegistryError::Status { status: 404, .. }),
        "{error}"
    );
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn a_connection_is_kept_for_the_next_blob() {
    let bytes = content(1000);
    let served = bytes.clone();
    let server = Server::start(move |_, _| {
        [b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", &*served].concat()
    });
    let repository = repository(&server, &ANONYMOUS);
    for _ in 0..3 {
        all(&repository, &Digest::of(&bytes), Some(1000)).expect("whole");
    }
    let before: Vec<_> = server.asked().iter().map(|asked| asked.before).collect();
    assert_eq!(before, [0, 1, 2]);
}
