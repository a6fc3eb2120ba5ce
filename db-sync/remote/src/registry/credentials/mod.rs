//! Whose name is given to a registry: none, the one of the command line, or
//! what `docker login` and `podman login` keep. Credential helpers are programs that the user
//! named in such a file; nothing else ever starts one.

mod config;
mod credential;
mod helper;
mod places;

pub use credential::{Credential, Secret};

use super::RegistryError;
use config::Config;
use helper::Helper;
use std::path::{Path, PathBuf};

/// How to log in.
#[derive(Clone, Debug)]
pub enum Login {
    /// Not at all.
    Anonymous,
    /// With what the `config.json` in this directory says about the registry, if anything; without
    /// a directory, with what docker's and podman's files say.
    Docker(Option<PathBuf>),
    /// With a name and a password.
    Password(String, Secret),
}

impl Login {
    /// The credential for a registry, such as `registry.example.org:5000`.
    pub fn credential(&self, registry: &str) -> Result<Option<Credential>, RegistryError> {
        self.credential_for(registry, "")
    }

    /// The credential for a repository: podman keeps some for a part of a registry.
    pub fn credential_for(
        &self,
        registry: &str,
        repository: &str,
    ) -> Result<Option<Credential>, RegistryError> {
        let files = match self {
            Self::Anonymous => return Ok(None),
            Self::Password(username, password) => {
                let (username, password) = (username.clone(), password.clone());
                return Ok(Some(Credential::Password(username, password)));
            }
            Self::Docker(Some(directory)) => vec![directory.join("config.json")],
            Self::Docker(None) => places::files(|name| std::env::var_os(name)),
        };
        from_files(&files, registry, repository, &Helper::default())
    }
}

/// The credential of the first file that has one.
fn from_files(
    files: &[PathBuf],
    registry: &str,
    repository: &str,
    helper: &Helper,
) -> Result<Option<Credential>, RegistryError> {
    for file in files {
        let found = from_file(file, registry, repository, helper);
        let found = found.map_err(|cause| RegistryError::Credentials {
            name: crate::printable(registry),
            cause,
        })?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// In docker's order: the registry's helper, what the file holds, the helper of all registries.
fn from_file(
    file: &Path,
    registry: &str,
    repository: &str,
    helper: &Helper,
) -> Result<Option<Credential>, String> {
    let Some(config) = Config::read(file)? else {
        return Ok(None);
    };
    if let Some(name) = config.helper(registry) {
        return helper.get(name, config::server(registry));
    }
    let kept = config.kept(registry, repository);
    if let Some(kept) = kept.map_err(|cause| format!("{}: {cause}", file.display()))? {
        return Ok(Some(kept));
    }
    match config.store() {
        Some(name) => helper.get(name, config::server(registry)),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn with(config: &str, place: &str) -> Result<Option<Credential>, RegistryError> {
        let directory = TempDir::new().expect("temporary directory");
        std::fs::write(directory.path().join("config.json"), config).expect("write");
        let (registry, repository) = place.split_once('/').unwrap_or((place, ""));
        Login::Docker(Some(directory.path().to_owned())).credential_for(registry, repository)
    }

    fn password(username: &str, password: &str) -> Credential {
        let secret = Secret(password.to_owned());
        Credential::Password(username.to_owned(), secret)
    }

    #[test]
    fn files_name_registries() {
        // "user:pass", "user:a:b" without padding, "hub:pass", "team:pass"
        let config = r#"{"auths":{
            "one.example:5000":{"auth":"dXNlcjpwYXNz"},
            "https://index.docker.io/v1/":{"auth":"aHViOnBhc3M="},
            "two.example":{"identitytoken":"t","auth":"dXNlcjpwYXNz"},
            "four.example":{"registrytoken":"r"},
            "https://five.example/v2/":{"auth":"dXNlcjphOmI"},
            "six.example":{"username":"user","password":"pass"},
            "six.example/team/app":{"auth":"dGVhbTpwYXNz"},
            "seven.example":{}, "eight.example":null
        }, "credHelpers":{"nine.example":""}, "HttpHeaders":{"X":"y"}}"#;
        let secret = |text: &str| Secret(text.to_owned());
        for (place, expected) in [
            ("one.example:5000", Some(password("user", "pass"))),
            ("one.example", None),
            ("index.docker.io", Some(password("hub", "pass"))),
            (
                "registry-1.docker.io/library/nginx",
                Some(password("hub", "pass")),
            ),
            ("docker.io", Some(password("hub", "pass"))),
            ("two.example", Some(Credential::Identity(secret("t")))),
            ("four.example", Some(Credential::Registry(secret("r")))),
            ("five.example", Some(password("user", "a:b"))),
            ("six.example/team/other", Some(password("user", "pass"))),
            ("six.example/team/apple", Some(password("user", "pass"))),
            ("six.example/team/app", Some(password("team", "pass"))),
            ("six.example/team/app/more", Some(password("team", "pass"))),
            ("seven.example", None),
            ("eight.example", None),
            ("nine.example", None),
            ("three.example", None),
        ] {
            assert_eq!(with(config, place).expect("readable"), expected, "{place}");
        }
        let long = format!("{}{config}", " ".repeat(1 << 20));
        assert!(with(&long, "one.example:5000").is_err());
    }

    #[test]
    fn errors_repeat_no_secrets() {
        // "geheim" without a colon
        for bad in [
            r#"{"auths":{"x.example":{"auth":"Z2VoZWlt"}}}"#,
            r#"{"auths":{"x.example":{"auth":"geheim!"}}}"#,
            r#"{"auths":{"x.example":"geheim"}}"#,
            "geheim",
            r#"{"credHelpers":{"x.example":"../geheim"}}"#,
        ] {
            let error = with(bad, "x.example").expect_err(bad);
            let secrets = ["Z2VoZWlt", "\"geheim", "geheim!"];
            let text = format!("{error} {error:?}");
            assert!(
                !secrets.iter().any(|secret| text.contains(secret)),
                "{text}"
            );
        }
        let login = Login::Password("user".to_owned(), Secret("pass".to_owned()));
        let credential = login.credential("x.example").expect("given");
        assert!(!format!("{login:?} {credential:?}").contains("pass\""));
    }

    #[test]
    fn the_first_file_with_a_credential_counts() {
        let directory = TempDir::new().expect("temporary directory");
        let files = ["none", "other", "first", "second"].map(|name| directory.path().join(name));
        // "a:1", "b:2"
        for (file, text) in files[1..].iter().zip([
            "{}",
            r#"{"auths":{"x.example":{"auth":"YTox"}}}"#,
            r#"{"auths":{"x.example":{"auth":"Yjoy"}}}"#,
        ]) {
            std::fs::write(file, text).expect("write");
        }
        let found = from_files(&files, "x.example", "", &Helper::default());
        assert_eq!(found.expect("readable"), Some(password("a", "1")));
    }
}
