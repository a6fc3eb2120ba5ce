//! Pulling from static servers: bad lines, bad answers, mirrors, passwords.

use super::server::{Server, ok, reply};
use super::signing::Signer;
use super::{Scene, wrapped};
use db_sync::transfer::{
    Login, PullRequest, Pulled, RegistryError, RemoteError, Secret, TransferError, VerifyKey, pull,
};
use std::fs;

impl Scene {
    pub(super) fn pull(
        &self,
        sources: &[String],
        login: &Login,
        key: Option<&VerifyKey>,
    ) -> Result<Pulled, TransferError> {
        pull(&PullRequest {
            sources,
            database: &self.target(),
            key,
            login,
            insecure: false,
        })
    }

    pub(super) fn file(&self) -> Vec<u8> {
        fs::read(self.exported()).expect("read")
    }
}

#[test]
fn a_file_is_pulled_once_and_then_known() {
    let scene = Scene::new();
    let file = scene.file();
    let server = Server::start(move |_, _| ok(&file));
    let sources = [server.url("/advisories.pcdb")];
    let pulled = scene.pull(&sources, &Login::Anonymous, None).expect("pull");
    assert_eq!(pulled.root_digest, scene.root());
    assert!(pulled.installed.is_some());
    scene.assert_arrived();
    let again = scene.pull(&sources, &Login::Anonymous, None).expect("pull");
    assert!(again.installed.is_none());
    assert_eq!(again.root_digest, scene.root());
    scene.assert_arrived();
}

#[test]
fn a_damaged_database_is_pulled_anew() {
    let scene = Scene::new();
    let file = scene.file();
    let server = Server::start(move |_, _| ok(&file));
    let mut bytes = fs::read(&scene.built.path).expect("read");
    bytes[4000] ^= 1;
    fs::write(scene.target(), bytes).expect("write");
    let sources = [server.url("/advisories.pcdb")];
    let pulled = scene.pull(&sources, &Login::Anonymous, None).expect("pull");
    assert!(pulled.installed.is_some());
    scene.assert_arrived();
}

#[test]
fn a_cut_line_and_a_busy_server_are_asked_again() {
    let scene = Scene::new();
    let file = scene.file();
    let server = Server::start(move |number, _| match number {
        0 => {
            let mut cut = ok(&file);
            cut.truncate(cut.len() - 500);
            cut
        }
        1 => reply("429 Too Many Requests", "Retry-After: 1\r\n", b"slowly"),
        2 => reply("503 Service Unavailable", "", b""),
        _ => ok(&file),
    });
    let sources = [server.url("/advisories.pcdb")];
    scene.pull(&sources, &Login::Anonymous, None).expect("pull");
    assert_eq!(server.asked().len(), 4);
    scene.assert_arrived();
}

/// The parts of a file that a server gave, by the ranges it was asked for.
fn ranges(server: &Server) -> Vec<Option<usize>> {
    let asked = server.asked();
    let lines = asked.iter().map(|one| {
        let mut lines = one.headers.lines();
        lines.find_map(|line| line.strip_prefix("range: bytes=")?.strip_suffix('-'))
    });
    lines
        .map(|start| start.map(|start| start.parse().expect("number")))
        .collect()
}

fn rest(file: &[u8], start: usize, tag: &str) -> Vec<u8> {
    let headers = format!(
        "ETag: {tag}\r\nContent-Range: bytes {start}-{}/{}\r\n",
        file.len() - 1,
        file.len()
    );
    reply("206 Partial Content", &headers, &file[start..])
}

fn cut(file: &[u8], length: usize) -> Vec<u8> {
    let mut whole = reply("200 OK", "ETag: \"one\"\r\n", file);
    whole.truncate(whole.len() - file.len() + length);
    whole
}

#[test]
fn a_cut_file_is_continued_in_this_run_and_in_the_next() {
    let scene = Scene::new();
    let file = scene.file();
    let content = file.clone();
    let server = Server::start(move |number, _| match number {
        0 => cut(&content, 300),
        1 => reply("404 Not Found", "", b"gone for a moment"),
        2 => {
            // The rest from there is cut as well.
            let mut part = rest(&content, 300, "\"one\"");
            part.truncate(part.len() - (content.len() - 700));
            part
        }
        _ => rest(&content, 700, "\"one\""),
    });
    let sources = [server.url("/advisories.pcdb")];
    scene
        .pull(&sources, &Login::Anonymous, None)
        .expect_err("it broke off");
    let folder = scene.directory.path().join("place/advisories.db.sync");
    assert_eq!(
        fs::read(folder.join("pull.part")).expect("kept"),
        file[..300]
    );
    scene.pull(&sources, &Login::Anonymous, None).expect("pull");
    assert_eq!(ranges(&server), [None, Some(300), Some(300), Some(700)]);
    let headers = &server.asked()[2].headers;
    assert!(headers.contains("if-range: \"one\""), "{headers}");
    scene.assert_arrived();
}

#[test]
fn another_file_behind_the_cut_is_never_joined_to_it() {
    let scene = Scene::new();
    let file = scene.file();
    let good = file.clone();
    let server = Server::start(
        move |number, asked| match (asked.path.as_str(), number % 2) {
            (_, 0) => cut(&vec![b'x'; 2000], 900),
            // It says that the rest is of the same file, and lies.
            ("/lies", _) => rest(&good, 900, "\"one\""),
            ("/none", _) => reply("416 Range Not Satisfiable", "", b""),
            _ => ok(&good),
        },
    );
    let pull = |path| scene.pull(&[server.url(path)], &Login::Anonymous, None);
    pull("/lies").expect_err("joined");
    scene.assert_untouched("a lie");
    pull("/changed").expect("begun anew");
    scene.assert_arrived();
}

#[test]
fn a_date_to_come_back_at_is_understood() {
    let scene = Scene::new();
    let file = scene.file();
    let later = |until: &str| {
        let headers = format!("Date: Sat, 21 Nov 2026 08:00:00 GMT\r\nRetry-After: {until}\r\n");
        reply("429 Too Many Requests", &headers, b"")
    };
    let server = Server::start(move |number, asked| match (asked.path.as_str(), number) {
        ("/soon", 0) => later("Sat, 21 Nov 2026 08:00:01 GMT"),
        ("/late", _) => later("Sat, 21 Nov 2026 09:00:00 GMT"),
        _ => ok(&file),
    });
    let pull = |path| scene.pull(&[server.url(path)], &Login::Anonymous, None);
    let begin = std::time::Instant::now();
    pull("/soon").expect("pull");
    assert!(begin.elapsed() >= std::time::Duration::from_secs(1));
    let fresh = Scene::new();
    let error = fresh
        .pull(&[server.url("/late")], &Login::Anonymous, None)
        .expect_err("late");
    assert!(matches!(
        error,
        TransferError::Remote(RemoteError::Registry(RegistryError::Busy {
            seconds: 3600,
            ..
        }))
    ));
    assert_eq!(server.asked().len(), 3);
}

#[test]
fn a_server_that_stays_bad_is_left() {
    let scene = Scene::new();
    let busy = Server::start(|_, _| reply("429 Too Many Requests", "Retry-After: 3600\r\n", b""));
    let error = scene
        .pull(&[busy.url("/a")], &Login::Anonymous, None)
        .expect_err("busy");
    assert!(matches!(
        error,
        TransferError::Remote(RemoteError::Registry(RegistryError::Busy {
            seconds: 3600,
            ..
        }))
    ));
    assert_eq!(busy.asked().len(), 1);
    let missing = Server::start(|_, _| reply("404 Not Found", "", b"no"));
    let error = scene
        .pull(&[missing.url("/a?sig=secret")], &Login::Anonymous, None)
        .expect_err("missing");
    assert!(!error.to_string().contains("secret"), "{error}");
    assert_eq!(missing.asked().len(), 1);
    scene.assert_untouched("bad servers");
}

#[test]
fn wrong_content_goes_to_the_next_mirror() {
    let scene = Scene::new();
    let file = scene.file();
    let mut flipped = file.clone();
    flipped[300] ^= 4;
    let bomb = wrapped(&[0; 32], 1 << 40, b"x");
    let server = Server::start(move |_, asked| match asked.path.as_str() {
        "/page" => ok(b"<html>sign in to the guest network</html>"),
        "/flipped" => ok(&flipped),
        "/bomb" => ok(&bomb),
        "/short" => ok(&file[..400]),
        "/elsewhere" => reply("302 Found", "Location: http://db.example.org/a\r\n", b""),
        "/round" => reply("302 Found", "Location: /round\r\n", b""),
        "/moved" => reply("302 Found", "Location: /good\r\n", b""),
        _ => ok(&file),
    });
    let bad = [
        "/page",
        "/flipped",
        "/bomb",
        "/short",
        "/elsewhere",
        "/round",
    ];
    let mut sources: Vec<String> = bad.map(|path| server.url(path)).to_vec();
    let error = scene
        .pull(&sources, &Login::Anonymous, None)
        .expect_err("all bad");
    let TransferError::Remote(RemoteError::All { refused }) = &error else {
        panic!("{error}");
    };
    assert_eq!(refused.len(), bad.len());
    scene.assert_untouched("wrong content");
    sources.push(server.url("/moved"));
    let pulled = scene.pull(&sources, &Login::Anonymous, None).expect("pull");
    assert_eq!(pulled.refused.len(), bad.len());
    assert_eq!(pulled.source, server.url("/moved"));
    scene.assert_arrived();
}

#[test]
fn a_password_is_shown_to_the_first_server_only_and_when_it_asks() {
    let scene = Scene::new();
    let file = scene.file();
    let asks = |asked: &super::server::Asked| {
        // "user:pass"
        !asked.headers.contains("authorization: basic dxnlcjpwyxnz")
    };
    let first = Server::start(move |_, asked| {
        if asks(asked) {
            reply(
                "401 Unauthorized",
                "WWW-Authenticate: Basic realm=\"x\"\r\n",
                b"",
            )
        } else {
            reply("404 Not Found", "", b"")
        }
    });
    let second = Server::start(move |_, asked| {
        if asked.path == "/open" {
            ok(&file)
        } else {
            reply(
                "401 Unauthorized",
                "WWW-Authenticate: Basic realm=\"x\"\r\n",
                b"",
            )
        }
    });
    let login = Login::Password("user".to_owned(), Secret::from("pass".to_owned()));
    let sources = [first.url("/a"), second.url("/a"), second.url("/open")];
    scene.pull(&sources, &login, None).expect("pull");
    let asked = first.asked();
    assert_eq!(asked.len(), 2);
    assert!(!asked[0].headers.contains("authorization"));
    assert!(asked[1].headers.contains("authorization"));
    assert!(
        second
            .asked()
            .iter()
            .all(|one| !one.headers.contains("authorization"))
    );
}

#[test]
fn a_signature_lies_beside_the_file() {
    let scene = Scene::new();
    let (ours, theirs) = (Signer::new(1), Signer::new(2));
    let key = ours.key(scene.directory.path());
    let file = scene.file();
    let (good, forged) = (ours.sign(&file), theirs.sign(&file));
    let server = Server::start(move |_, asked| match asked.path.as_str() {
        "/good.minisig" => ok(good.as_bytes()),
        "/forged.minisig" => ok(forged.as_bytes()),
        path if path.ends_with(".minisig") => reply("404 Not Found", "", b""),
        _ => ok(&file),
    });
    let pull = |path| scene.pull(&[server.url(path)], &Login::Anonymous, Some(&key));
    assert!(matches!(
        pull("/unsigned"),
        Err(TransferError::Unsigned { .. })
    ));
    assert!(matches!(
        pull("/forged"),
        Err(TransferError::Signature { .. })
    ));
    scene.assert_untouched("signatures");
    assert!(pull("/good").expect("pull").installed.expect("new").signed);
    scene.assert_arrived();
}
