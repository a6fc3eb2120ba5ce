//! Lists of referrers: by the API, by pages, by the tag.

use super::repository;
use super::server::{Server, reply};
use crate::registry::{Descriptor, Digest, Login, MAX_REFERRERS, RegistryError};

const INDEX: &str = "Content-Type: application/vnd.oci.image.index.v1+json\r\n";

fn entry(text: &str, more: &str) -> String {
    let digest = Digest::of(text.as_bytes());
    format!(
        r#"{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{digest}","size":{}{more}}}"#,
        text.len()
    )
}

fn index(entries: &[String]) -> String {
    format!(
        "{{\"schemaVersion\":2,\"manifests\":[{}]}}",
        entries.join(",")
    )
}

fn list(server: &Server) -> Result<Vec<Descriptor>, RegistryError> {
    repository(server, &Login::Anonymous).referrers(&Digest::of(b"image"))
}

#[test]
fn pages_are_read_to_the_last() {
    let server = Server::start(|_, asked| {
        let first = format!("/v2/team/app/referrers/{}", Digest::of(b"image"));
        if asked.path == first {
            let more = format!("{INDEX}Link: </v2/next?page=2>; rel=\"next\"\r\n");
            let kind = r#","artifactType":"application/spdx+json","annotations":{"a":"b"}"#;
            return reply("200 OK", &more, index(&[entry("one", kind)]).as_bytes());
        }
        assert_eq!(asked.path, "/v2/next?page=2");
        reply("200 OK", INDEX, index(&[entry("two", "")]).as_bytes())
    });
    let found = list(&server).expect("both");
    assert_eq!(found.len(), 2);
    assert_eq!(
        found[0].artifact_type.as_deref(),
        Some("application/spdx+json")
    );
    assert_eq!(found[0].annotations.get("a").map(String::as_str), Some("b"));
    assert_eq!(
        (found[0].digest.clone(), found[0].size),
        (Digest::of(b"one"), 3)
    );
    assert_eq!(
        (found[1].digest.clone(), &found[1].artifact_type),
        (Digest::of(b"two"), &None)
    );
}

#[test]
fn a_registry_without_the_api_is_asked_for_the_tag() {
    let hex = Digest::of(b"image").hex().to_owned();
    for has_tag in [true, false] {
        let tag = format!("/v2/team/app/manifests/sha256-{hex}");
        let server = Server::start(move |_, asked| {
            if has_tag && asked.path == tag {
                reply("200 OK", INDEX, index(&[entry("one", "")]).as_bytes())
            } else {
                reply("404 Not Found", "", b"")
            }
        });
        let found = list(&server).expect("list");
        assert_eq!(found.len(), usize::from(has_tag));
        assert_eq!(server.asked().len(), 2);
    }
}

#[test]
fn odd_lists_are_refused() {
    let elsewhere = format!("{INDEX}Link: <http://elsewhere.example/x>; rel=\"next\"\r\n");
    let bad_digest = entry("one", "").replace("sha256:", "md5:");
    for (headers, body) in [
        (INDEX, "{}".to_owned()),
        (INDEX, "<html>".to_owned()),
        (INDEX, index(&[bad_digest])),
        (&elsewhere, index(&[])),
        // A page that leads to itself.
        (&*format!("{INDEX}Link: <?again>; rel=next\r\n"), index(&[])),
    ] {
        let headers = headers.to_owned();
        let server = Server::start(move |_, _| reply("200 OK", &headers, body.as_bytes()));
        let error = list(&server).expect_err("odd");
        assert!(matches!(error, RegistryError::Malformed { .. }), "{error}");
        assert!(server.asked().len() <= 20);
    }
}

#[test]
fn a_list_has_a_greatest_length() {
    for (count, fits) in [(MAX_REFERRERS, true), (MAX_REFERRERS + 1, false)] {
        let body = index(&vec![entry("one", ""); count]);
        let server = Server::start(move |_, _| reply("200 OK", INDEX, body.as_bytes()));
        match list(&server) {
            Ok(found) => assert!(fits && found.len() == count),
            Err(error) => assert!(!fits && matches!(error, RegistryError::TooMany { .. })),
        }
    }
}
