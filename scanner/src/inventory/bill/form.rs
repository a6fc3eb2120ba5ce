//! In which form a bill comes: what is wrapped around it is taken off, and forms that are not read are
//! called by their names, so that whoever has one knows what to convert.

use document::Node;

use crate::inventory::ParseError;
use crate::inventory::collect::shown;

/// The name of a form that is not read.
pub(super) fn unread(text: &str) -> Option<&'static str> {
    let start = text.trim_start();
    if start.starts_with('<') {
        let has = |part: &str| memchr::memmem::find(start.as_bytes(), part.as_bytes()).is_some();
        return Some(if has("cyclonedx.org/schema/bom") {
            "CycloneDX as XML"
        } else if has("spdx.org/rdf") {
            "SPDX as RDF/XML"
        } else if has("<SPDXID>") || has("<spdxVersion>") {
            "SPDX as XML"
        } else {
            "XML"
        });
    }
    if start.starts_with('{') {
        return None;
    }
    let mut lines = start.lines();
    lines.find_map(|line| {
        let key = line.trim_start_matches(['"', '\'']);
        match key.split(['"', '\'', ':']).next() {
            Some("SPDXVersion") => Some("SPDX as tag-value"),
            Some("spdxVersion") => Some("SPDX as YAML"),
            Some("bomFormat") => Some("CycloneDX as YAML"),
            _ => None,
        }
    })
}

/// The bill in a document: what the interface of GitHub's dependency graph answers has it under
/// `sbom`, an in-toto statement (github.com/in-toto/attestation) as its predicate.
pub(super) fn unwrapped<'n, 'd>(document: &'n Node<'d>) -> Result<&'n Node<'d>, ParseError> {
    let is_bill = |node: &&Node<'_>| node.get("spdxVersion").is_some();
    if let Some(inner) = document.get("sbom").filter(is_bill) {
        return Ok(inner);
    }
    if document.text_at("payloadType").is_some() && document.get("payload").is_some() {
        let cause = "a signed envelope (DSSE) is not read: scan what is in its payload";
        return Err(ParseError::unknown_format(None, cause));
    }
    let Some(predicate) = document.get("predicate") else {
        return Ok(document);
    };
    let kind = document.text_at("predicateType").unwrap_or_default();
    let is_known =
        kind.starts_with("https://cyclonedx.org/") || kind.starts_with("https://spdx.dev/");
    if !is_known || !predicate.is_table() {
        let cause = format!("a statement about {} is not read", shown(kind));
        return Err(ParseError::unknown_format(Some(predicate.line), cause));
    }
    Ok(predicate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_have_names() {
        for (text, name) in [
            (
                "<?xml version=\"1.0\"?>\n<bom xmlns=\"http://cyclonedx.org/schema/bom/1.6\"/>",
                Some("CycloneDX as XML"),
            ),
            (
                "<rdf:RDF xmlns:spdx=\"http://spdx.org/rdf/terms#\">",
                Some("SPDX as RDF/XML"),
            ),
            ("<Document><SPDXID>x</SPDXID>", Some("SPDX as XML")),
            ("<html>", Some("XML")),
            (
                "\n# a comment\nSPDXVersion: SPDX-2.3\n",
                Some("SPDX as tag-value"),
            ),
            ("---\nspdxVersion: \"SPDX-2.3\"\n", Some("SPDX as YAML")),
            ("\"spdxVersion\": \"SPDX-2.3\"\n", Some("SPDX as YAML")),
            ("bomFormat: CycloneDX\n", Some("CycloneDX as YAML")),
            ("{\"spdxVersion\":\n\"SPDX-2.3\"}", None),
            ("", None),
        ] {
            assert_eq!(unread(text), name, "{text}");
        }
    }
}
