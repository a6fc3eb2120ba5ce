//! What follows a server's directions, and what does not: passwords, tokens,
//! uploads.

use super::Scene;
use super::server::{Asked, Server, ok, reply};
use db_sync::transfer::{
    Login, PushRequest, RegistryError, RemoteError, Secret, TransferError, push,
};

fn password() -> Login {
    Login::Password("user".to_owned(), Secret::from("pass".to_owned()))
}

fn wants_password() -> Vec<u8> {
    let challenge = "WWW-Authenticate: Basic realm=\"x\"\r\n";
    reply("401 Unauthorized", challenge, b"")
}

fn redirect(to: &str) -> Vec<u8> {
    reply(
        "307 Temporary Redirect",
        &format!("Location: {to}\r\n"),
        b"",
    )
}

fn is_known(asked: &Asked) -> bool {
    asked.headers.contains("authorization: basic")
}

#[test]
fn a_password_stays_with_the_server_it_was_shown_to() {
    let scene = Scene::new();
    let file = scene.file();
    let elsewhere = Server::start(move |_, _| ok(&file));
    let there = elsewhere.url("/file");
    let server = Server::start(move |_, asked| match asked.path.as_str() {
        _ if !is_known(asked) => wants_password(),
        "/a" => redirect("/b"),
        _ => redirect(&there),
    });
    scene
        .pull(&[server.url("/a")], &password(), None)
        .expect("pull");
    let known: Vec<bool> = server.asked().iter().map(is_known).collect();
    assert_eq!(known, [false, true, true], "kept within one server");
    assert!(!elsewhere.asked().iter().any(is_known));
    scene.assert_arrived();
}

fn push_with(scene: &Scene, server: &Server, login: &Login) -> Result<(), TransferError> {
    push(&PushRequest {
        reference: &format!("{}/db:1", server.address),
        database: &scene.built.path,
        signature: None,
        key: None,
        login,
        insecure: false,
    })
    .map(|_| ())
}

#[test]
fn an_upload_elsewhere_goes_without_the_password() {
    let scene = Scene::new();
    let elsewhere = Server::start(|_, _| reply("201 Created", "", b""));
    let place = elsewhere.url("/place?state=1");
    let server = Server::start(move |_, asked| match asked.path.as_str() {
        _ if !is_known(asked) => wants_password(),
        "/v2/" => ok(b"{}"),
        "/v2/db/blobs/uploads/" => reply("202 Accepted", &format!("Location: {place}\r\n"), b""),
        "/v2/db/manifests/1" => reply("201 Created", "", b""),
        _ => reply("404 Not Found", "", b""),
    });
    push_with(&scene, &server, &password()).expect("push");
    let asked = elsewhere.asked();
    assert_eq!(asked.len(), 2, "the configuration and the database");
    assert!(
        asked
            .iter()
            .all(|one| !is_known(one) && one.path.starts_with("/place?state=1&digest=sha256%3A"))
    );
}

#[test]
fn an_upload_is_begun_again_and_refusals_are_repeated() {
    let scene = Scene::new();
    let server = Server::start(|number, asked| match asked.path.as_str() {
        "/v2/" => ok(b"{}"),
        "/v2/db/blobs/uploads/" => reply("202 Accepted", "Location: /place\r\n", b""),
        path if path.starts_with("/place") && number < 4 => {
            reply("503 Service Unavailable", "Retry-After: 0\r\n", b"")
        }
        path if path.starts_with("/place") => reply("201 Created", "", b""),
        "/v2/db/manifests/1" => {
            let said = br#"{"errors":[{"code":"DENIED","message":"read only"}]}"#;
            reply("403 Forbidden", "", said)
        }
        _ => reply("404 Not Found", "", b""),
    });
    let error = push_with(&scene, &server, &Login::Anonymous).expect_err("read only");
    assert!(
        matches!(
            error,
            TransferError::Remote(RemoteError::Registry(RegistryError::Push { .. }))
        ),
        "{error}"
    );
    assert!(
        error.to_string().contains("403: DENIED (read only)"),
        "{error}"
    );
    let began = server.asked();
    let began = began.iter().filter(|one| one.path.ends_with("uploads/"));
    assert_eq!(began.count(), 3, "the first blob twice");
}

#[test]
fn a_token_that_ran_out_is_renewed_once() {
    let scene = Scene::new();
    let server = Server::start(|_, asked| {
        let host = asked
            .headers
            .lines()
            .find_map(|line| line.strip_prefix("host: "));
        let host = host.unwrap_or_default();
        let challenge = format!("WWW-Authenticate: Bearer realm=\"http://{host}/token\"\r\n");
        let token = if asked.path.starts_with("/v2/db/manifests/") {
            "second"
        } else {
            "first"
        };
        match asked.path.as_str() {
            path if path.starts_with("/token") => {
                // Push and pull are asked for in one scope.
                assert!(
                    path.contains("scope=repository%3Adb%3Apull%2Cpush"),
                    "{path}"
                );
                ok(br#"{"token":"first"}"#)
            }
            _ if !asked
                .headers
                .contains(&format!("authorization: bearer {token}")) =>
            {
                reply("401 Unauthorized", &challenge, b"")
            }
            _ => ok(b"{}"),
        }
    });
    // The registry never accepts the token for manifests: two logins, no third.
    push_with(&scene, &server, &Login::Anonymous).expect_err("not accepted");
    let asked = server.asked();
    let logins = asked.iter().filter(|one| one.path.starts_with("/token"));
    assert_eq!(logins.count(), 2);
}
