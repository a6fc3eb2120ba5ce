//! Registries that lie: digests, lengths, tokens, realms.

use super::Scene;
use super::server::{Asked, Server, ok, reply};
use db_sync::transfer::{
    Login, PushRequest, Pushed, RegistryError, RemoteError, Secret, TransferError, push,
};
use sha2::{Digest, Sha256};

const TYPE: &str = "application/vnd.portcullis.advisories.v1";

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold("sha256:".to_owned(), |text, byte| {
            format!("{text}{byte:02x}")
        })
}

fn manifest(digest: &str, size: usize) -> String {
    let empty = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    format!(
        r#"{{"schemaVersion":2,"artifactType":"{TYPE}",
        "config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{empty}","size":2}},
        "layers":[{{"mediaType":"{TYPE}+zstd","digest":"{digest}","size":{size}}}]}}"#
    )
}

fn is_manifest(asked: &Asked) -> bool {
    asked.path.starts_with("/v2/db/manifests/")
}

fn password() -> Login {
    Login::Password("user".to_owned(), Secret::from("pass".to_owned()))
}

fn refused(scene: &Scene, server: &Server, login: &Login) -> TransferError {
    let error = scene
        .pull(&[format!("{}/db:1", server.address)], login, None)
        .expect_err("refused");
    scene.assert_untouched(&error.to_string());
    error
}

#[test]
fn blobs_and_manifests_must_have_their_digest_and_length() {
    let scene = Scene::new();
    let file = scene.file();
    let good = manifest(&digest(&file), file.len());
    for (manifest, wanted) in [
        (manifest(&digest(b"x"), file.len()), "digest"),
        (manifest(&digest(&file), file.len() - 1), "longer than"),
        (manifest(&digest(&file), 5 << 32), ""),
        (manifest("sha256:../../../secret", file.len()), "SHA-256"),
        (good.replace("+zstd", "+gzip"), "no layer"),
        (
            "{\"schemaVersion\":2,\"manifests\":[]}".to_owned(),
            "no image manifest",
        ),
    ] {
        let body = scene.file();
        let server = Server::start(move |_, asked| {
            if is_manifest(asked) {
                ok(manifest.as_bytes())
            } else {
                ok(&body)
            }
        });
        if wanted.is_empty() {
            // A size that lies upwards changes nothing: the digest decides.
            let source = [format!("{}/db:1", server.address)];
            scene.pull(&source, &Login::Anonymous, None).expect("pull");
            std::fs::write(scene.target(), &scene.other).expect("write");
            continue;
        }
        let error = refused(&scene, &server, &Login::Anonymous).to_string();
        assert!(error.contains(wanted), "{error}");
    }
    let server = Server::start(move |_, _| ok(good.as_bytes()));
    let pinned = format!("{}/db@{}", server.address, digest(b"another"));
    assert!(matches!(
        scene.pull(&[pinned], &Login::Anonymous, None),
        Err(TransferError::Remote(RemoteError::Registry(
            RegistryError::Digest { .. }
        )))
    ));
}

#[test]
fn endless_manifests_are_cut_off() {
    let scene = Scene::new();
    let server = Server::start(|_, _| {
        let mut out = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
        out.resize(3 << 20, b' ');
        out
    });
    assert!(matches!(
        refused(&scene, &server, &Login::Anonymous),
        TransferError::Remote(RemoteError::Registry(RegistryError::TooLong {
            limit: 1_048_576,
            ..
        }))
    ));
}

#[test]
fn passwords_do_not_go_to_plain_token_servers_elsewhere() {
    let scene = Scene::new();
    let server = Server::start(|_, _| {
        let challenge =
            "WWW-Authenticate: Bearer realm=\"http://auth.example.org/token\",service=\"x\"\r\n";
        reply("401 Unauthorized", challenge, b"")
    });
    assert!(matches!(
        refused(&scene, &server, &password()),
        TransferError::Remote(RemoteError::Registry(RegistryError::PlainHttp { .. }))
    ));
    assert!(
        server
            .asked()
            .iter()
            .all(|one| !one.headers.contains("authorization"))
    );
}

/// A registry with a token server, whose answer is `token`.
fn with_tokens(token: &'static str, file: Vec<u8>) -> Server {
    Server::start(move |_, asked| {
        let host = asked
            .headers
            .lines()
            .find_map(|line| line.strip_prefix("host: "))
            .unwrap_or_default()
            .to_owned();
        if asked
            .path
            .starts_with("/token?service=db+server&scope=repository%3Adb%3Apull")
        {
            let basic = asked.headers.contains("authorization: basic dxnlcjpwyxnz");
            return if basic {
                ok(token.as_bytes())
            } else {
                reply("403 Forbidden", "", b"")
            };
        }
        if !asked.headers.contains("authorization: bearer good") {
            let challenge = format!(
                "WWW-Authenticate: Bearer realm=\"http://{host}/token\",service=\"db server\"\r\n"
            );
            return reply("401 Unauthorized", &challenge, b"");
        }
        if is_manifest(asked) {
            ok(manifest(&digest(&file), file.len()).as_bytes())
        } else {
            ok(&file)
        }
    })
}

#[test]
fn a_token_is_fetched_once_for_all_requests() {
    let scene = Scene::new();
    let server = with_tokens("{\"access_token\":\"good\"}", scene.file());
    let source = [format!("{}/db:1", server.address)];
    scene.pull(&source, &password(), None).expect("pull");
    let paths: Vec<String> = server
        .asked()
        .iter()
        .map(|one| {
            one.path
                .split(['?', ':'])
                .next()
                .unwrap_or_default()
                .to_owned()
        })
        .collect();
    assert_eq!(
        paths,
        [
            "/v2/db/manifests/1",
            "/token",
            "/v2/db/manifests/1",
            "/v2/db/blobs/sha256"
        ]
    );
    scene.assert_arrived();
}

#[test]
fn identity_tokens_are_not_carried_elsewhere() {
    let scene = Scene::new();
    let elsewhere = Server::start(|_, _| ok(b"{\"token\":\"good\"}"));
    let address = elsewhere.address.clone();
    let server = Server::start(move |_, asked| {
        if asked.path.starts_with("/token") {
            let there = format!("Location: http://{address}/token\r\n");
            return reply("307 Temporary Redirect", &there, b"");
        }
        let host = asked
            .headers
            .lines()
            .find_map(|line| line.strip_prefix("host: "));
        let realm = format!("http://{}/token", host.unwrap_or_default());
        let challenge = format!("WWW-Authenticate: Bearer realm=\"{realm}\",service=\"x\"\r\n");
        reply("401 Unauthorized", &challenge, b"")
    });
    let docker = tempfile::TempDir::new().expect("temporary directory");
    let config = format!(
        r#"{{"auths":{{"{}":{{"identitytoken":"secret"}}}}}}"#,
        server.address
    );
    std::fs::write(docker.path().join("config.json"), config).expect("write");
    let login = Login::Docker(Some(docker.path().to_owned()));
    let error = refused(&scene, &server, &login).to_string();
    assert!(
        server
            .asked()
            .iter()
            .any(|one| one.path.starts_with("/token")),
        "{error}"
    );
    assert!(elsewhere.asked().is_empty(), "{error}");
}

#[test]
fn odd_tokens_are_refused() {
    let scene = Scene::new();
    for odd in [
        "",
        "[]",
        "{}",
        "{\"token\":\"\"}",
        "{\"token\":\"a\\r\\nX: y\"}",
    ] {
        let server = with_tokens(odd, scene.file());
        assert!(matches!(
            refused(&scene, &server, &password()),
            TransferError::Remote(RemoteError::Registry(RegistryError::Auth { .. }))
        ));
    }
    let endless: &'static str = Box::leak(" ".repeat((256 << 10) + 1).into_boxed_str());
    assert!(matches!(
        refused(&scene, &with_tokens(endless, scene.file()), &password()),
        TransferError::Remote(RemoteError::Registry(RegistryError::TooLong {
            limit: 262_144,
            ..
        }))
    ));
    // Anonymous: the token server refuses, and says so.
    let server = with_tokens("{\"token\":\"good\"}", scene.file());
    let error = refused(&scene, &server, &Login::Anonymous).to_string();
    assert!(error.contains("answered 403"), "{error}");
    // A token that is not accepted is no reason to ask for ever.
    let server = with_tokens("{\"token\":\"stale\"}", scene.file());
    refused(&scene, &server, &password());
    assert_eq!(server.asked().len(), 3);
}

fn push_to(scene: &Scene, server: &Server) -> Result<Pushed, TransferError> {
    push(&PushRequest {
        reference: &format!("{}/db:1", server.address),
        database: &scene.built.path,
        signature: None,
        key: None,
        login: &Login::Anonymous,
        insecure: false,
    })
}

#[test]
fn odd_answers_to_a_push_are_errors() {
    let scene = Scene::new();
    for (status, headers) in [
        ("202 Accepted", "Location: :::\r\n"),
        ("202 Accepted", ""),
        ("201 Created", "Location: not an address\r\n"),
        ("403 Forbidden", ""),
    ] {
        let server = Server::start(move |_, asked| match asked.path.as_str() {
            "/v2/" => ok(b"{}"),
            path if path.contains("uploads") => reply(status, headers, b"odd"),
            _ => reply("404 Not Found", "", b""),
        });
        let error = push_to(&scene, &server).expect_err(status);
        assert!(
            matches!(
                error,
                TransferError::Remote(RemoteError::Registry(RegistryError::Push { .. }))
            ),
            "{error}"
        );
    }
}
