//! The JSON side of reading: limits before anything is built, telling the formats apart, and
//! errors with their position. Nesting is bounded by `serde_json` (128 levels).

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{
    Deserialize, DeserializeOwned, Deserializer, Error, IgnoredAny, MapAccess, Visitor,
};

use super::VexError;
use super::limits::{MAX_BYTES, MAX_OBJECTS, MAX_VALUES};

/// The formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum VexFormat {
    /// OpenVEX.
    OpenVex,
    /// OpenVEX as the predicate of an in-toto statement.
    Attested,
    /// CSAF.
    Csaf,
    /// CycloneDX.
    CycloneDx,
}

/// What tells the formats apart; everything else is skipped.
#[derive(serde::Deserialize)]
struct Probe {
    #[serde(rename = "@context", default)]
    context: Context,
    #[serde(rename = "predicateType", default, deserialize_with = "nullable")]
    predicate_type: String,
    #[serde(rename = "bomFormat", default, deserialize_with = "nullable")]
    bom_format: String,
    #[serde(default, deserialize_with = "nullable")]
    document: ProbeDocument,
}

#[derive(Default, serde::Deserialize)]
struct ProbeDocument {
    #[serde(default, deserialize_with = "nullable")]
    csaf_version: String,
}

/// A JSON-LD context: one IRI, a list of them, or definitions, which we skip.
#[derive(Default, serde::Deserialize)]
#[serde(untagged)]
enum Context {
    One(String),
    Many(Vec<String>),
    Other(IgnoredAny),
    #[default]
    Absent,
}

const OPENVEX: &str = "https://openvex.dev/ns";

/// Refuses what would take too much memory, by a lexical count that builds nothing.
pub(super) fn check_size(bytes: &[u8], path: &str) -> Result<(), VexError> {
    let refuse = |what, limit| {
        Err(VexError::Limit {
            path: path.to_owned(),
            what,
            limit,
        })
    };
    if bytes.len() as u64 > MAX_BYTES {
        return refuse("bytes", MAX_BYTES);
    }
    let (mut objects, mut values) = (0usize, 0usize);
    let (mut quoted, mut escaped) = (false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' => {
                objects = objects.saturating_add(1);
                values = values.saturating_add(1);
            }
            b'[' | b',' => values = values.saturating_add(1),
            _ => {}
        }
    }
    if objects > MAX_OBJECTS {
        return refuse("objects", MAX_OBJECTS as u64);
    }
    if values > MAX_VALUES {
        return refuse("values", MAX_VALUES as u64);
    }
    Ok(())
}

/// Tells the format by its content.
pub(super) fn format(bytes: &[u8], path: &str) -> Result<VexFormat, VexError> {
    let probe: Probe = typed(bytes, path)?;
    let openvex = match &probe.context {
        Context::One(iri) => iri.starts_with(OPENVEX),
        Context::Many(iris) => iris.iter().any(|iri| iri.starts_with(OPENVEX)),
        Context::Other(_) | Context::Absent => false,
    };
    let unknown = |cause: String| VexError::UnknownFormat {
        path: path.to_owned(),
        cause,
    };
    if openvex {
        Ok(VexFormat::OpenVex)
    } else if probe.predicate_type.starts_with(OPENVEX) {
        Ok(VexFormat::Attested)
    } else if probe.bom_format == "CycloneDX" {
        Ok(VexFormat::CycloneDx)
    } else if matches!(probe.document.csaf_version.as_str(), "2.0" | "2.1") {
        Ok(VexFormat::Csaf)
    } else if probe.document.csaf_version.is_empty() {
        Err(unknown(format!(
            "no \"@context\" below {OPENVEX}, no \"bomFormat\", no \"csaf_version\""
        )))
    } else {
        Err(unknown(format!(
            "its \"csaf_version\" is {:?}",
            probe.document.csaf_version
        )))
    }
}

/// Reads a typed document, with line and column in errors.
pub(super) fn typed<T: DeserializeOwned>(bytes: &[u8], path: &str) -> Result<T, VexError> {
    serde_json::from_slice(bytes).map_err(|error| {
        let text = error.to_string();
        let position = format!(" at line {} column {}", error.line(), error.column());
        VexError::Malformed {
            path: path.to_owned(),
            line: error.line(),
            column: error.column(),
            cause: text.strip_suffix(&position).unwrap_or(&text).to_owned(),
        }
    })
}

/// `null` is as good as absent: Go writes it for empty lists.
pub(super) fn nullable<'de, D, T>(from: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::<T>::deserialize(from).map(Option::unwrap_or_default)
}

/// An object of which older versions of the format wrote the id alone, as a string.
pub(super) struct OrId<T>(pub(super) T);

impl<'de, T: Deserialize<'de> + FromId> Deserialize<'de> for OrId<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(OrIdVisitor(PhantomData))
    }
}

/// Built from an id alone.
pub(super) trait FromId {
    /// Takes the id.
    fn from_id(id: String) -> Self;
}

struct OrIdVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de> + FromId> Visitor<'de> for OrIdVisitor<T> {
    type Value = OrId<T>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object or an id")
    }

    fn visit_str<E: Error>(self, id: &str) -> Result<OrId<T>, E> {
        let id = String::deserialize(StrDeserializer::new(id))?;
        Ok(OrId(T::from_id(id)))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<OrId<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(OrId)
    }
}
