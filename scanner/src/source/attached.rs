//! Documents that were attached to an image after it was built, found only when they are asked for:
//! bills of materials and VEX. They lie in manifests of their own, which name the image as `subject`
//! (OCI image-spec, manifest.md), as `BuildKit`'s attestations in its index
//! (`vnd.docker.reference.digest`), or under cosign's tag `sha256-….att`; bare, in an in-toto statement,
//! or in that within a DSSE envelope or a Sigstore bundle.
//!
//! No signature is verified: whoever may write to the registry or layout can attach anything. A statement
//! about another image is not used. What was asked for and cannot be read is a gap; signatures,
//! provenance and whatever else is attached is passed over, since no package is read from it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::digest::{Digest, shorten};
use super::image::{Image, gap};
use super::load::verified;
use super::manifest::{Descriptor, Document};
use super::oci;
use super::store::Store;
use super::{SourceError, limits};
use crate::model::gap::{Gap, GapKind};

/// A document, out of its wrapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// Digest of the blob that it came in.
    pub digest: String,
    /// What it says.
    pub content: Vec<u8>,
}

/// What is found for one image.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) documents: Vec<Attached>,
    pub(super) gaps: Vec<Gap>,
}

/// Looks for what is attached to an image, or to the index that names it.
pub(super) fn find(store: &Store, image: &Image) -> Found {
    let mut found = Found::default();
    let own = image.digest.iter().map(Digest::as_str);
    let subjects: BTreeSet<&str> = own
        .chain(image.indexes.iter().map(String::as_str))
        .collect();
    if subjects.is_empty() {
        let cause = "it has no manifest that an attached document could name";
        found.gaps.push(gap(GapKind::NotRead, ".", cause));
        return found;
    }
    let manifests = match oci::attached(store, &subjects) {
        Ok(manifests) => manifests,
        Err(error) => {
            found.unread(".", &cause(error));
            return found;
        }
    };
    let mut seen = BTreeSet::new();
    let mut bytes = 0_u64;
    for descriptor in manifests {
        if seen.insert(descriptor.digest.clone()) {
            found.manifest(store, &descriptor, &subjects, &mut bytes);
        }
    }
    found
        .documents
        .sort_by(|one, other| one.digest.cmp(&other.digest));
    found.documents.dedup();
    found
}

fn cause(error: SourceError) -> String {
    match error {
        SourceError::Io { source, .. } => source.kind().to_string(),
        SourceError::Invalid { cause, .. } => cause,
    }
}

impl Found {
    fn unread(&mut self, place: &str, cause: &str) {
        let cause = format!("attached to the image, and not read: {cause}");
        let gap = gap(GapKind::NotRead, place, cause);
        self.gaps.push(gap.unjudged());
    }

    fn manifest(
        &mut self,
        store: &Store,
        descriptor: &Descriptor,
        subjects: &BTreeSet<&str>,
        bytes: &mut u64,
    ) {
        let place = descriptor.digest.as_str();
        let manifest = verified(store, descriptor)
            .map_err(cause)
            .and_then(|(_, bytes)| Document::parse(&bytes));
        let manifest = match manifest {
            Ok(manifest) => manifest,
            Err(cause) => return self.unread(place, &cause),
        };
        let layers = manifest.layers.iter().flatten();
        for layer in layers.take(limits::ATTACHED) {
            match form(layer) {
                Form::Other => {}
                Form::Unread(kind) => {
                    let cause = format!("documents of the type `{kind}` are not read");
                    self.unread(&layer.digest, &cause);
                }
                Form::Json => {
                    *bytes = bytes.saturating_add(layer.size);
                    if self.documents.len() >= limits::ATTACHED || *bytes > limits::ATTACHED_BYTES {
                        let cause = format!(
                            "more than {} documents or {} bytes of them",
                            limits::ATTACHED,
                            limits::ATTACHED_BYTES
                        );
                        return self.unread(place, &cause);
                    }
                    let content = store.blob(layer, limits::ATTACHED_BYTES);
                    match content.and_then(|content| unwrapped(content, subjects)) {
                        Ok(Unwrapped::Document(content)) => self.documents.push(Attached {
                            digest: layer.digest.clone(),
                            content,
                        }),
                        Ok(Unwrapped::Other) => {}
                        Ok(Unwrapped::Elsewhere) => {
                            let cause =
                                "attached to the image, and not used: it speaks of another one";
                            let gap = gap(GapKind::Ambiguous, &layer.digest, cause);
                            self.gaps.push(gap);
                        }
                        Err(cause) => self.unread(&layer.digest, &cause),
                    }
                }
            }
        }
        if manifest
            .layers
            .is_some_and(|layers| layers.len() > limits::ATTACHED)
        {
            let cause = format!("more than {} documents", limits::ATTACHED);
            self.unread(place, &cause);
        }
    }
}

/// What a blob of an attached manifest may hold, by its type.
enum Form {
    /// A document, bare or wrapped.
    Json,
    /// One in a form that is not read.
    Unread(String),
    /// Something that lists no packages and judges none.
    Other,
}

fn form(layer: &Descriptor) -> Form {
    let kind = layer.media_type.as_deref().unwrap_or_default();
    let predicate = layer
        .annotation("in-toto.io/predicate-type")
        .or_else(|| layer.annotation("predicateType"));
    let is_wrapping = kind == "application/vnd.in-toto+json"
        || kind.starts_with("application/vnd.dsse.envelope.")
        || kind.starts_with("application/vnd.dev.sigstore.bundle");
    if is_wrapping {
        return match predicate {
            Some(predicate) if !is_asked(predicate) => Form::Other,
            _ => Form::Json,
        };
    }
    let names = ["spdx", "cyclonedx", "openvex", "csaf", "syft"];
    let is_document = names.iter().any(|name| kind.contains(name));
    let is_json = kind.ends_with("json") && !kind.contains("syft");
    match (is_document, is_json) {
        (true, true) => Form::Json,
        (true, false) => Form::Unread(shorten(kind)),
        (false, _) => Form::Other,
    }
}

/// Whether a predicate is a bill of materials or VEX, by its type.
fn is_asked(predicate: &str) -> bool {
    let names = ["spdx.dev", "cyclonedx.org", "openvex.dev", "csaf"];
    names.iter().any(|name| predicate.contains(name))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    payload: String,
}

/// What tells the wrappings apart; what has none of these keys is bare.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Probe<'a> {
    payload_type: Option<String>,
    dsse_envelope: Option<Envelope>,
    predicate_type: Option<String>,
    #[serde(default)]
    subject: Vec<Subject>,
    #[serde(borrow)]
    predicate: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Subject {
    #[serde(default)]
    digest: BTreeMap<String, String>,
}

/// What is in a wrapping.
#[derive(Debug, PartialEq, Eq)]
enum Unwrapped {
    Document(Vec<u8>),
    /// Another kind of statement.
    Other,
    /// A statement about another image.
    Elsewhere,
}

/// The document in its wrapping; the error says why there is none.
fn unwrapped(mut content: Vec<u8>, subjects: &BTreeSet<&str>) -> Result<Unwrapped, String> {
    for _ in 0..limits::WRAPPINGS {
        let probe: Probe<'_> = serde_json::from_slice(&content)
            .map_err(|error| format!("not JSON as expected: {error}"))?;
        let inner = if let Some(envelope) = probe.dsse_envelope {
            payload(&envelope.payload)?
        } else if probe.payload_type.is_some() {
            let envelope: Envelope = serde_json::from_slice(&content)
                .map_err(|error| format!("not an envelope: {error}"))?;
            payload(&envelope.payload)?
        } else if let (Some(kind), Some(predicate)) = (probe.predicate_type, probe.predicate) {
            if !is_asked(&kind) {
                return Ok(Unwrapped::Other);
            }
            let mut named = probe.subject.iter().flat_map(|subject| &subject.digest);
            let is_ours = named
                .any(|(algorithm, hex)| subjects.contains(format!("{algorithm}:{hex}").as_str()));
            if !is_ours {
                return Ok(Unwrapped::Elsewhere);
            }
            // Some tools put the text of a document there instead of the document.
            match serde_json::from_str::<String>(predicate.get()) {
                Ok(text) => text.into_bytes(),
                Err(_) => predicate.get().as_bytes().to_vec(),
            }
        } else {
            return Ok(Unwrapped::Document(content));
        };
        content = inner;
    }
    Err(format!("more than {} wrappings", limits::WRAPPINGS))
}

fn payload(text: &str) -> Result<Vec<u8>, String> {
    let decoded = STANDARD.decode(text);
    decoded.map_err(|_| "the payload of the envelope is not base64".to_owned())
}

impl Store {
    /// A whole blob, which is neither a manifest nor a layer, verified.
    fn blob(&self, descriptor: &Descriptor, most: u64) -> Result<Vec<u8>, String> {
        let digest = Digest::parse(&descriptor.digest)?;
        if descriptor.size > most {
            return Err(format!("more than {most} bytes"));
        }
        let mut content = Vec::new();
        let stream = self.open_blob(&digest, descriptor.size)?;
        let mut stream = stream.take(descriptor.size.saturating_add(1));
        let read = stream.read_to_end(&mut content);
        read.map_err(|error| error.to_string())?;
        if content.len() as u64 != descriptor.size {
            return Err("the blob has another length than its descriptor says".to_owned());
        }
        if digest.of_same_kind(&content) != digest {
            return Err("digest mismatch".to_owned());
        }
        Ok(content)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const IMAGE: &str = "sha256:00";

    fn statement(digest: &str, kind: &str, predicate: &Value) -> Value {
        json!({
            "_type": "https://in-toto.io/Statement/v1", "predicateType": kind,
            "subject": [{"name": "x", "digest": {"sha256": digest}}], "predicate": predicate,
        })
    }

    fn envelope(inner: &Value) -> Value {
        json!({
            "payloadType": "application/vnd.in-toto+json",
            "payload": STANDARD.encode(inner.to_string()), "signatures": [],
        })
    }

    fn unwrap(document: &Value) -> Result<Unwrapped, String> {
        unwrapped(document.to_string().into_bytes(), &BTreeSet::from([IMAGE]))
    }

    #[test]
    fn documents_come_out_of_their_wrappings() {
        let bill = json!({"bomFormat": "CycloneDX"});
        let expected = Ok(Unwrapped::Document(bill.to_string().into_bytes()));
        let kind = "https://cyclonedx.org/bom";
        let wrapped = statement("00", kind, &bill);
        let bundle = json!({"mediaType": "x", "dsseEnvelope": envelope(&wrapped)});
        let text = statement("00", kind, &json!(bill.to_string()));
        for document in [&bill, &wrapped, &envelope(&wrapped), &bundle, &text] {
            assert_eq!(unwrap(document), expected, "{document}");
        }
        let other = statement("01", kind, &bill);
        assert_eq!(unwrap(&envelope(&other)), Ok(Unwrapped::Elsewhere));
        let nobody = json!({"predicateType": kind, "predicate": bill, "subject": []});
        assert_eq!(unwrap(&nobody), Ok(Unwrapped::Elsewhere));
        let provenance = statement("00", "https://slsa.dev/provenance/v1", &bill);
        assert_eq!(unwrap(&provenance), Ok(Unwrapped::Other));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let mut deep = json!({"bomFormat": "CycloneDX"});
        for _ in 0..=limits::WRAPPINGS {
            deep = envelope(&deep);
        }
        assert!(unwrap(&deep).unwrap_err().contains("wrappings"));
        for bad in [
            json!({"payloadType": "x"}),
            json!({"payloadType": "x", "payload": "%"}),
            json!({"dsseEnvelope": {"payload": 1}}),
            json!([1]),
            json!("text"),
        ] {
            assert!(unwrap(&bad).is_err(), "{bad}");
        }
        assert!(unwrapped(b"<xml/>".to_vec(), &BTreeSet::new()).is_err());
    }
}
