//! What is read from registries that misbehave, on loopback.

mod blobs;
mod logins;
mod manifests;
mod parts;
mod real;
mod referrers;
mod server;
mod slow;

use super::{
    Digest, Http, Login, Pace, PlainHttp, Reference, RegistryError, Repository, Settings, Times,
};
use server::Server;
use std::io::Read as _;
use std::time::Duration;

/// Short waits, which still end.
const PACE: Pace = Pace {
    first: Duration::from_millis(1),
    longest: Duration::from_secs(2),
    total: Duration::from_secs(5),
};

fn http(pace: Pace) -> Http {
    Http::with(Settings {
        plain: PlainHttp::Loopback,
        ca_file: None,
        pace,
        times: Times::default(),
    })
    .expect("client")
}

fn reference(server: &Server, rest: &str) -> Reference {
    let text = format!("{}/team/app{rest}", server.address);
    Reference::parse(&text).expect("reference")
}

fn repository(server: &Server, login: &Login) -> Repository {
    Repository::new(&http(PACE), &reference(server, ""), login).expect("repository")
}

/// All of a blob, or the error that its stream carries.
fn all(
    repository: &Repository,
    digest: &Digest,
    size: Option<u64>,
) -> Result<Vec<u8>, RegistryError> {
    let mut reader = repository.blob(digest, size)?;
    let mut bytes = Vec::new();
    match reader.read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        Err(error) => {
            let again = reader
                .read(&mut [0])
                .expect_err("a failed stream has no end");
            assert!(again.to_string().contains("already failed"), "{again}");
            let cause = error.into_inner().expect("a cause");
            Err(*cause.downcast::<RegistryError>().expect("a typed cause"))
        }
    }
}

/// Content in which every position differs from its neighbours.
fn content(length: usize) -> Vec<u8> {
    (0..length)
        .map(|position| u8::try_from(position % 251).unwrap_or_default())
        .collect()
}

#[test]
fn certificates_that_cannot_be_used_are_an_error() {
    let directory = tempfile::TempDir::new().expect("temporary directory");
    let path = directory.path().join("ca.pem");
    for text in [None, Some(""), Some("-----BEGIN CERTIFICATE-----\n!\n")] {
        if let Some(text) = text {
            std::fs::write(&path, text).expect("write");
        }
        let settings = Settings {
            ca_file: Some(&path),
            ..Settings::default()
        };
        let error = Http::with(settings).err().expect("unusable");
        assert!(
            matches!(error, RegistryError::Certificates { .. }),
            "{error}"
        );
    }
}
