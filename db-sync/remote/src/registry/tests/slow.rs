//! Servers that fall silent, or take longer than one request may.

use super::server::{STALL, Server, announced, part, reply};
use super::{PACE, all, content, reference};
use crate::registry::{Digest, Http, Login, RegistryError, Repository, Settings, Times};
use std::time::{Duration, Instant};

fn impatient(server: &Server, times: Times) -> Repository {
    let settings = Settings {
        pace: PACE,
        times,
        ..Settings::default()
    };
    let http = Http::with(settings).expect("client");
    Repository::new(&http, &reference(server, ""), &Login::Anonymous).expect("repository")
}

/// A part of the blob, and then nothing for some seconds.
fn stalled(bytes: &[u8], most: usize) -> Vec<u8> {
    let header = String::from_utf8_lossy(STALL);
    announced("200 OK", &header, bytes.len(), &bytes[..most])
}

#[test]
fn a_blob_that_stalls_is_continued() {
    let bytes = content(1000);
    let digest = Digest::of(&bytes);
    let short = Duration::from_millis(200);
    let usual = Times::default();
    for times in [
        Times {
            silence: short,
            ..usual
        },
        Times {
            deadline: short,
            ..usual
        },
    ] {
        let served = bytes.clone();
        let server = Server::start(move |_, asked| match asked.start() {
            None => stalled(&served, 400),
            Some(_) => part(&served, asked, 1000),
        });
        let begun = Instant::now();
        let found = all(&impatient(&server, times), &digest, Some(1000));
        assert_eq!(found.expect("whole"), bytes, "{times:?}");
        assert_eq!(server.asked().len(), 2, "{times:?}");
        assert!(begun.elapsed() < Duration::from_secs(4), "{times:?}");
    }
}

#[test]
fn a_manifest_has_one_deadline() {
    let server = Server::start(|_, _| stalled(b"{\"layers\":[]}", 5));
    let times = Times {
        deadline: Duration::from_millis(100),
        ..Times::default()
    };
    let repository = impatient(&server, times);
    let error = repository.manifest(&reference(&server, ":1"));
    let error = error.expect_err("too slow");
    assert!(matches!(error, RegistryError::Slow { .. }), "{error}");
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn redirects_end() {
    let server = Server::start(|_, _| reply("302 Found", "Location: /again\r\n", b""));
    let repository = impatient(&server, Times::default());
    let error = all(&repository, &Digest::of(b""), None).expect_err("a circle");
    assert!(error.to_string().contains("too many redirects"), "{error}");
    assert_eq!(server.asked().len(), 6, "the request and five redirects");
}
