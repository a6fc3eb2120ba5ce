//! Tokens that run out, servers that lead elsewhere, threads that share a login.

use super::server::{Server, part, reply, wants_token};
use super::{all, content, repository};
use crate::registry::{Digest, Login, RegistryError, Secret};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn password() -> Login {
    Login::Password("user".to_owned(), Secret::from("pass".to_owned()))
}

#[test]
fn a_token_that_runs_out_in_the_middle_is_renewed() {
    let bytes = content(1000);
    let served = bytes.clone();
    let issued = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&issued);
    let server = Server::start(move |_, asked| {
        if asked.path.starts_with("/token") {
            let number = count.fetch_add(1, Ordering::Relaxed);
            return reply(
                "200 OK",
                "",
                format!("{{\"token\":\"t{number}\"}}").as_bytes(),
            );
        }
        // Every token is good for one part.
        let wanted = format!("bearer t{}", asked.start().map_or(0, |start| start / 300));
        match asked.header("authorization") {
            Some(token) if token == wanted => part(&served, asked, 300),
            _ => wants_token(asked),
        }
    });
    let found = all(
        &repository(&server, &Login::Anonymous),
        &Digest::of(&bytes),
        None,
    );
    assert_eq!(found.expect("whole"), bytes);
    assert_eq!(issued.load(Ordering::Relaxed), 4);
    let scope = server.count("scope=repository%3Ateam%2Fapp%3Apull");
    assert_eq!(scope, 4, "reading asks for reading only");
}

#[test]
fn a_token_that_is_never_accepted_is_renewed_once() {
    let server = Server::start(|_, asked| match asked.path.as_str() {
        path if path.starts_with("/token") => reply("200 OK", "", br#"{"token":"t"}"#),
        _ => wants_token(asked),
    });
    let error = all(&repository(&server, &password()), &Digest::of(b""), None);
    let error = error.expect_err("refused");
    assert!(
        matches!(error, RegistryError::Status { status: 401, .. }),
        "{error}"
    );
    assert_eq!((server.count("/token"), server.count("/blobs/")), (1, 2));
    assert!(!format!("{error} {error:?}").contains("pass"));
}

#[test]
fn a_registry_token_is_shown_to_the_registry_itself() {
    let server = Server::start(|_, asked| match asked.header("authorization") {
        Some("bearer kept") => reply("200 OK", "", b""),
        _ => wants_token(asked),
    });
    let directory = tempfile::TempDir::new().expect("temporary directory");
    let config = format!(
        "{{\"auths\":{{\"{}\":{{\"registrytoken\":\"kept\"}}}}}}",
        server.address
    );
    std::fs::write(directory.path().join("config.json"), config).expect("write");
    let login = Login::Docker(Some(directory.path().to_owned()));
    all(&repository(&server, &login), &Digest::of(b""), None).expect("known");
    assert_eq!((server.count("/token"), server.asked().len()), (0, 2));
}

#[test]
fn storage_sees_no_login() {
    let bytes = content(1000);
    let served = bytes.clone();
    let storage = Server::start(move |_, asked| part(&served, asked, 600));
    let place = format!("http://{}/signed?key=secret", storage.address);
    let server = Server::start(move |_, asked| match asked.header("authorization") {
        None => reply(
            "401 Unauthorized",
            "WWW-Authenticate: Basic realm=\"x\"\r\n",
            b"",
        ),
        Some(_) => reply(
            "307 Temporary Redirect",
            &format!("Location: {place}\r\n"),
            b"",
        ),
    });
    let found = all(&repository(&server, &password()), &Digest::of(&bytes), None);
    assert_eq!(found.expect("whole"), bytes);
    let asked = storage.asked();
    assert_eq!(asked.len(), 2, "continued by the way of the registry");
    assert!(
        asked
            .iter()
            .all(|one| one.header("authorization").is_none())
    );
    assert_eq!(asked[1].start(), Some(600));
    assert_eq!(server.asked().len(), 3);
}

#[test]
fn the_challenge_of_a_storage_host_is_not_answered() {
    let storage = Server::start(|_, asked| wants_token(asked));
    let place = format!("http://{}/signed?key=secret", storage.address);
    let server =
        Server::start(move |_, _| reply("302 Found", &format!("Location: {place}\r\n"), b""));
    let error = all(&repository(&server, &password()), &Digest::of(b""), None);
    let error = error.expect_err("refused");
    assert!(
        matches!(error, RegistryError::Status { status: 401, .. }),
        "{error}"
    );
    assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    assert_eq!(storage.count("/token"), 0);
}

#[test]
fn redirects_to_plain_http_elsewhere_are_refused() {
    for place in ["http://storage.example/x", "ftp://127.0.0.1/x", "http://"] {
        let server =
            Server::start(move |_, _| reply("302 Found", &format!("Location: {place}\r\n"), b""));
        let error = all(&repository(&server, &password()), &Digest::of(b""), None);
        let error = error.expect_err(place);
        assert!(matches!(error, RegistryError::Request { .. }), "{error}");
    }
}

#[test]
fn threads_share_a_login() {
    let blobs: Vec<Vec<u8>> = (1..=8).map(|number| content(number * 5000)).collect();
    let served = blobs.clone();
    let server = Server::start(move |number, asked| {
        if asked.path.starts_with("/token") {
            return reply("200 OK", "", br#"{"token":"t"}"#);
        }
        if asked.header("authorization") != Some("bearer t") {
            return wants_token(asked);
        }
        let wanted = asked.path.rsplit('/').next().unwrap_or_default();
        let mut all = served.iter();
        let found = all.find(|one| Digest::of(one).as_str() == wanted);
        // Every third answer breaks off.
        let most = if number % 3 == 0 { 4000 } else { usize::MAX };
        part(found.expect("known"), asked, most)
    });
    let repository = repository(&server, &password());
    std::thread::scope(|scope| {
        for blob in &blobs {
            let repository = repository.clone();
            scope.spawn(move || {
                let size = u64::try_from(blob.len()).ok();
                let found = all(&repository, &Digest::of(blob), size);
                assert_eq!(&found.expect("whole"), blob);
            });
        }
    });
    assert_eq!(server.count("/token"), 1);
}
