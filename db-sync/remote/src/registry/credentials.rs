//! Whose name is given to a registry: none, the one of the command line, or
//! what `docker login` keeps. Credential helpers are programs that the user
//! named in docker's configuration; nothing else ever starts one.

use super::RegistryError;
use docker_credential::{CredentialRetrievalError, DockerCredential};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

/// The longest docker configuration that is read, in bytes.
const MAX_CONFIG: u64 = 1 << 20;
/// The name under which docker keeps the credentials of its own registry.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// How to log in.
#[derive(Clone, Debug)]
pub enum Login {
    /// Not at all.
    Anonymous,
    /// With what docker's `config.json` says about the registry, if anything.
    /// It is read from this directory, else from `DOCKER_CONFIG` or `~/.docker`.
    Docker(Option<PathBuf>),
    /// With a name and a password.
    Password(String, Secret),
}

/// Text that is never shown.
#[derive(Clone)]
pub struct Secret(pub String);

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("(secret)")
    }
}

/// What a registry is shown.
#[derive(Clone, Debug)]
pub enum Credential {
    Password(String, Secret),
    /// A refresh token of docker's login.
    Identity(Secret),
}

impl Login {
    /// The credential for a registry, such as `registry.example.org:5000`.
    pub fn credential(&self, registry: &str) -> Result<Option<Credential>, RegistryError> {
        match self {
            Self::Anonymous => Ok(None),
            Self::Password(username, password) => Ok(Some(Credential::Password(
                username.clone(),
                password.clone(),
            ))),
            Self::Docker(directory) => match directory.clone().or_else(docker_directory) {
                Some(directory) => from_docker(&directory.join("config.json"), registry),
                None => Ok(None),
            },
        }
    }
}

/// `$DOCKER_CONFIG`, else `~/.docker`.
fn docker_directory() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    match set("DOCKER_CONFIG") {
        Some(directory) => Some(PathBuf::from(directory)),
        None => Some(Path::new(&set("HOME").or_else(|| set("USERPROFILE"))?).join(".docker")),
    }
}

fn from_docker(path: &Path, registry: &str) -> Result<Option<Credential>, RegistryError> {
    let refused = |cause: String| RegistryError::Credentials {
        name: registry.to_owned(),
        cause,
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(refused(format!("{}: {error}", path.display()))),
    };
    let server = match registry {
        "index.docker.io" | "docker.io" | "registry-1.docker.io" => DOCKER_HUB,
        _ => registry,
    };
    let reader = BufReader::new(file.take(MAX_CONFIG));
    match docker_credential::get_credential_from_reader(reader, server) {
        Ok(DockerCredential::UsernamePassword(username, password)) => {
            Ok(Some(Credential::Password(username, Secret(password))))
        }
        Ok(DockerCredential::IdentityToken(token)) => Ok(Some(Credential::Identity(Secret(token)))),
        Err(CredentialRetrievalError::NoCredentialConfigured) => Ok(None),
        // What every helper says about a registry it does not know; docker too
        // goes on without a name then.
        Err(CredentialRetrievalError::HelperFailure { stdout, .. })
            if stdout.contains("credentials not found") =>
        {
            Ok(None)
        }
        // A helper's output is not repeated: it may hold what it guards.
        Err(CredentialRetrievalError::HelperFailure { helper, .. }) => {
            Err(refused(format!("the helper {helper} failed")))
        }
        Err(CredentialRetrievalError::ConfigReadError) => Err(refused(format!(
            "{} is not a docker configuration",
            path.display()
        ))),
        Err(error) => Err(refused(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(config: &str, registry: &str) -> Result<Option<Credential>, RegistryError> {
        let directory = tempfile::TempDir::new().expect("temporary directory");
        let path = directory.path().join("config.json");
        std::fs::write(&path, config).expect("write");
        from_docker(&path, registry)
    }

    #[test]
    fn docker_s_configuration_names_registries() {
        // "user:pass"
        let config = r#"{"auths":{"one.example:5000":{"auth":"dXNlcjpwYXNz"},
            "https://index.docker.io/v1/":{"auth":"dXNlcjpwYXNz"},
            "two.example":{"identitytoken":"t"}}}"#;
        for known in ["one.example:5000", "index.docker.io"] {
            let found = with(config, known).expect("readable").expect("known");
            let Credential::Password(username, password) = found else {
                panic!("{known}");
            };
            assert_eq!((username.as_str(), password.0.as_str()), ("user", "pass"));
        }
        assert!(matches!(
            with(config, "two.example").expect("readable"),
            Some(Credential::Identity(_))
        ));
        assert!(with(config, "three.example").expect("readable").is_none());
        assert!(with("{", "three.example").is_err());
        let long = format!("{}{config}", " ".repeat(1 << 20));
        assert!(with(&long, "one.example:5000").is_err());
        let helper = r#"{"credHelpers":{"one.example":"portcullis-test-absent"}}"#;
        assert!(with(helper, "one.example").is_err());
        assert!(with(helper, "two.example").expect("readable").is_none());
    }

    #[test]
    fn secrets_are_not_printed() {
        let login = Login::Password("user".to_owned(), Secret("pass".to_owned()));
        assert!(!format!("{login:?}").contains("pass\""));
    }
}
