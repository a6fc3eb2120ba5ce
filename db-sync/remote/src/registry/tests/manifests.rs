//! Manifests: what is asked for, what is verified, what is refused.

use super::server::{Server, reply};
use super::{reference, repository};
use crate::registry::{Digest, Login, MAX_IMAGE_MANIFEST, Manifest, RegistryError};

const OCI: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const DOCKER: &str = "application/vnd.docker.distribution.manifest.v2+json";
const LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// Reads the manifest at `rest` from a server that sends this.
fn read(rest: &str, headers: &str, body: &str) -> Result<Manifest, RegistryError> {
    let (headers, body) = (headers.to_owned(), body.to_owned());
    let server = Server::start(move |_, asked| {
        assert_eq!(
            asked.header("accept"),
            Some([INDEX, OCI, LIST, DOCKER].join(", ").as_str())
        );
        reply("200 OK", &headers, body.as_bytes())
    });
    repository(&server, &Login::Anonymous).manifest(&reference(&server, rest))
}

fn typed(media_type: &str) -> String {
    format!("Content-Type: {media_type}\r\n")
}

#[test]
fn manifests_have_a_type_and_a_digest() {
    let plain = r#"{"schemaVersion":2,"config":{},"layers":[]}"#;
    let index = r#"{"schemaVersion":2,"manifests":[]}"#;
    let own = format!(r#"{{"schemaVersion":2,"mediaType":"{DOCKER}","config":{{}},"layers":[]}}"#);
    for (headers, body, media_type) in [
        (typed(OCI), plain, OCI),
        (
            typed("Application/vnd.oci.image.manifest.v1+json; charset=utf-8"),
            plain,
            OCI,
        ),
        (typed(DOCKER), plain, DOCKER),
        (typed(LIST), index, LIST),
        (typed("application/json"), index, INDEX),
        (String::new(), plain, OCI),
        (typed("text/plain"), &own, DOCKER),
        (typed(DOCKER), &own, DOCKER),
    ] {
        let digest = Digest::of(body.as_bytes());
        let stated = format!("{headers}Docker-Content-Digest: {digest}\r\n");
        for (rest, headers) in [
            (":1".to_owned(), &headers),
            (":1".to_owned(), &stated),
            (format!("@{digest}"), &headers),
            (format!(":other@{digest}"), &stated),
        ] {
            let manifest = read(&rest, headers, body).expect("manifest");
            assert_eq!(manifest.bytes, body.as_bytes());
            assert_eq!(manifest.digest, digest);
            assert_eq!(manifest.media_type, media_type);
            assert_eq!(manifest.is_index(), body == index);
        }
    }
}

#[test]
fn content_with_another_digest_is_refused() {
    let body = r#"{"schemaVersion":2,"config":{},"layers":[]}"#;
    let other = Digest::of(b"other");
    let stated = format!("{}Docker-Content-Digest: {other}\r\n", typed(OCI));
    let odd = format!("{}Docker-Content-Digest: sha512:00\r\n", typed(OCI));
    let right = format!("Docker-Content-Digest: {}\r\n", Digest::of(body.as_bytes()));
    for (rest, headers) in [
        (":1", &stated),
        (":1", &odd),
        // What the registry states does not outweigh what was asked for.
        (&*format!("@{other}"), &right),
    ] {
        let error = read(rest, headers, body).expect_err("another digest");
        assert!(matches!(error, RegistryError::Digest { .. }), "{error}");
    }
}

#[test]
fn schema_1_is_named() {
    let body = r#"{"schemaVersion":1,"name":"app","fsLayers":[],"history":[]}"#;
    let pinned = format!("@{}", Digest::of(b"what was signed"));
    let signed = "application/vnd.docker.distribution.manifest.v1+prettyjws";
    for (rest, headers) in [
        (":1", String::new()),
        (":1", typed(signed)),
        (
            &*pinned,
            typed("application/vnd.docker.distribution.manifest.v1+json"),
        ),
        (&*pinned, String::new()),
    ] {
        let error = read(rest, &headers, body).expect_err("schema 1");
        assert!(matches!(error, RegistryError::Schema1 { .. }), "{error}");
    }
}

#[test]
fn what_could_be_read_in_two_ways_is_refused() {
    let both = r#"{"schemaVersion":2,"layers":[],"manifests":[]}"#;
    let config = r#"{"schemaVersion":2,"config":{},"manifests":[]}"#;
    let plain = r#"{"schemaVersion":2,"config":{},"layers":[]}"#;
    let twice = r#"{"schemaVersion":2,"layers":[],"layers":[1]}"#;
    let own = format!(r#"{{"mediaType":"{OCI}","layers":[]}}"#);
    for (headers, body) in [
        (typed(OCI), both),
        (typed(INDEX), config),
        (typed(INDEX), plain),
        (typed(OCI), twice),
        (typed(DOCKER), &own),
        (typed(OCI), "{}"),
        (typed(OCI), r#"{"mediaType":"text/html","layers":[]}"#),
        (typed("text/html"), "<html>log in first</html>"),
        (typed(OCI), "[]"),
        (typed(OCI), ""),
    ] {
        let error = read(":1", &headers, body).expect_err(body);
        assert!(
            matches!(error, RegistryError::Malformed { .. }),
            "{body}: {error}"
        );
    }
}

#[test]
fn a_manifest_has_a_longest_length() {
    let limit = usize::try_from(MAX_IMAGE_MANIFEST).expect("small");
    let body = |length: usize| format!("{{\"layers\":[]{}}}", " ".repeat(length - 13));
    assert_eq!(body(limit).len(), limit);
    read(":1", "", &body(limit)).expect("as long as it may be");
    let error = read(":1", "", &body(limit + 1)).expect_err("longer");
    assert!(matches!(error, RegistryError::TooLong { .. }), "{error}");
}

#[test]
fn a_reference_into_another_repository_is_not_asked_for() {
    let server = Server::start(|_, _| reply("404 Not Found", "", b""));
    let repository = repository(&server, &Login::Anonymous);
    for rest in ["/more:1", ""] {
        let error = repository.manifest(&reference(&server, rest));
        let error = error.expect_err("not there");
        let is_source = matches!(error, RegistryError::Source { .. });
        assert_eq!(is_source, rest == "/more:1", "{error}");
    }
    assert_eq!(server.asked().len(), 1);
}
