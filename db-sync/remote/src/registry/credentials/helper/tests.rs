//! Helpers that know, do not know, fail, hang, and talk too much: small scripts.

use super::super::{Credential, Secret, from_files};
use super::Helper;
use crate::registry::RegistryError;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What each of them does; `good` hands its input back as the password.
const SCRIPTS: [(&str, &str); 9] = [
    (
        "good",
        "read server; printf '{\"ServerURL\":\"%s\",\"Username\":\"%s\",\"Secret\":\"s:%s\"}' \"$server\" \"$1\" \"$server\"",
    ),
    (
        "token",
        "echo '{\"Username\":\"<token>\",\"Secret\":\"t\"}'",
    ),
    ("empty", "echo '{\"Username\":\"\",\"Secret\":\"\"}'"),
    (
        "unknown",
        "echo 'credentials not found in native keychain'; exit 1",
    ),
    ("failing", "echo geheim; echo geheim >&2; exit 3"),
    ("odd", "echo geheim"),
    (
        "long",
        "while :; do echo geheimgeheimgeheimgeheimgeheimgeheimgeheim; done",
    ),
    ("hanging", "exec sleep 600"),
    // Its child keeps the pipe open after it.
    ("silent", "sleep 20 & exec sleep 600"),
];

struct Scene {
    directory: TempDir,
    helper: Helper,
}

impl Scene {
    /// Writes all scripts before the first is run: one that is still open for writing cannot be.
    fn new() -> Self {
        let directory = TempDir::new().expect("temporary directory");
        for (name, text) in SCRIPTS {
            let path = directory.path().join(format!("docker-credential-{name}"));
            fs::write(&path, format!("#!/bin/sh\n{text}\n")).expect("write");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("mode");
        }
        let helper = Helper {
            directory: Some(directory.path().to_owned()),
            limit: Duration::from_secs(10),
        };
        Self { directory, helper }
    }

    fn ask(&self, config: &str, registry: &str) -> Result<Option<Credential>, RegistryError> {
        let file = self.directory.path().join("config.json");
        fs::write(&file, config).expect("write");
        from_files(&[file], registry, "", &self.helper)
    }

    /// With the helper `name` for everything.
    fn store(&self, name: &str) -> Result<Option<Credential>, RegistryError> {
        self.ask(&format!("{{\"credsStore\":\"{name}\"}}"), "x.example")
    }
}

fn password(username: &str, password: &str) -> Credential {
    let secret = Secret(password.to_owned());
    Credential::Password(username.to_owned(), secret)
}

#[test]
fn helpers_are_asked_as_docker_asks_them() {
    let scene = Scene::new();
    let token = Some(Credential::Identity(Secret("t".to_owned())));
    assert_eq!(
        scene.store("good").expect("runs"),
        Some(password("get", "s:x.example"))
    );
    assert_eq!(scene.store("token").expect("runs"), token);
    for none in ["empty", "unknown"] {
        assert_eq!(scene.store(none).expect("runs"), None);
    }
    // A registry's own helper, then what the file holds ("a:1"), then the helper of all.
    let config = r#"{"credsStore":"good","credHelpers":{"own.example":"token"},
        "auths":{"kept.example":{"auth":"YTox"},"own.example":{"auth":"YTox"},"noted.example":{}}}"#;
    let hub = Some(password("get", "s:https://index.docker.io/v1/"));
    for (registry, expected) in [
        ("own.example", token),
        ("kept.example", Some(password("a", "1"))),
        ("noted.example", Some(password("get", "s:noted.example"))),
        ("registry-1.docker.io", hub),
    ] {
        assert_eq!(scene.ask(config, registry).expect("runs"), expected);
    }
}

#[test]
fn helpers_that_do_not_help_are_errors_without_their_words() {
    let mut scene = Scene::new();
    for (name, why) in [
        ("failing", "exit status: 3"),
        ("odd", "is not a credential"),
        ("long", "more than 262144 bytes"),
        ("absent", "cannot be started"),
        ("../good", "may contain only"),
        ("a/b", "may contain only"),
        ("a b", "may contain only"),
    ] {
        let error = scene.store(name).expect_err(name);
        let text = format!("{error} {error:?}");
        assert!(text.contains(why) && !text.contains("geheim"), "{text}");
    }
    scene.helper.limit = Duration::from_millis(300);
    for name in ["hanging", "silent"] {
        let begun = Instant::now();
        let error = scene.store(name).expect_err(name).to_string();
        assert!(error.contains("within 0.3 seconds"), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{name}");
    }
}
