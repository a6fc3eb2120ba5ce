//! The OSV record as JSON writes it (schema 1.7), read strictly where a wrong
//! type would change what matches and loosely in the fields whose form every
//! source chooses for itself. Null is the same as absent throughout.

use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::fmt;

#[derive(Deserialize)]
pub(super) struct Record<'a> {
    pub(super) schema_version: Option<Loose>,
    pub(super) id: Option<String>,
    pub(super) modified: Option<String>,
    pub(super) published: Option<String>,
    pub(super) withdrawn: Option<String>,
    pub(super) aliases: Option<Vec<String>>,
    pub(super) upstream: Option<Vec<String>>,
    pub(super) related: Option<Vec<String>>,
    pub(super) summary: Option<String>,
    pub(super) details: Option<String>,
    pub(super) severity: Option<Vec<Severity>>,
    /// Each entry by itself, so that one with a fault does not lose the others.
    #[serde(borrow)]
    pub(super) affected: Option<Vec<&'a RawValue>>,
    pub(super) references: Option<Vec<Reference>>,
    #[serde(borrow)]
    pub(super) database_specific: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct Severity {
    #[serde(rename = "type")]
    pub(super) kind: Option<Loose>,
    pub(super) score: Option<Loose>,
}

#[derive(Deserialize)]
pub(super) struct Reference {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) url: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Affected<'a> {
    pub(super) package: Option<Package>,
    pub(super) severity: Option<Vec<Severity>>,
    pub(super) ranges: Option<Vec<Range>>,
    pub(super) versions: Option<Vec<String>>,
    #[serde(borrow)]
    pub(super) ecosystem_specific: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) database_specific: Option<&'a RawValue>,
}

/// What is read of an entry that has another form than the schema says.
#[derive(Default, Deserialize)]
pub(super) struct Named {
    pub(super) package: Option<Package>,
}

#[derive(Deserialize)]
pub(super) struct Package {
    pub(super) ecosystem: Option<String>,
    pub(super) name: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Range {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) events: Option<Vec<Event>>,
}

#[derive(Deserialize)]
pub(super) struct Event {
    pub(super) introduced: Option<String>,
    pub(super) fixed: Option<String>,
    pub(super) last_affected: Option<String>,
    pub(super) limit: Option<String>,
}

/// The words that sources put into their own objects. Anything that has not
/// this form is ignored, as the schema allows any form there.
#[derive(Default, Deserialize)]
pub(super) struct Specific<'a> {
    pub(super) severity: Option<Loose>,
    pub(super) urgency: Option<Loose>,
    pub(super) cvss: Option<Loose>,
    pub(super) informational: Option<Loose>,
    pub(super) last_known_affected_version_range: Option<Loose>,
    #[serde(borrow)]
    affected_functions: Option<&'a RawValue>,
    #[serde(borrow)]
    affects: Option<&'a RawValue>,
    #[serde(borrow)]
    custom_ranges: Option<&'a RawValue>,
}

impl Specific<'_> {
    /// The functions that are affected, as GitHub and old RustSec exports name them.
    pub(super) fn functions(&self) -> Option<LooseList> {
        read(self.affected_functions)
    }

    /// RustSec's limits.
    pub(super) fn affects(&self) -> Option<Affects> {
        read(self.affects)
    }

    /// Go's ranges in another numbering than that of modules.
    pub(super) fn custom_ranges(&self) -> Option<Vec<Range>> {
        read(self.custom_ranges)
    }
}

/// A part of a source's own object; one of another form takes nothing else with it.
fn read<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Option<T> {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok())
}

#[derive(Default, Deserialize)]
pub(super) struct Affects {
    pub(super) arch: Option<LooseList>,
    pub(super) os: Option<LooseList>,
    pub(super) functions: Option<LooseList>,
}

/// Reads a source's own object; an unexpected form reads as empty.
pub(super) fn specific(raw: Option<&RawValue>) -> Specific<'_> {
    read(raw).unwrap_or_default()
}

/// A text, or something else that is ignored.
pub(super) enum Loose {
    Text(String),
    Other,
}

impl Loose {
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Other => None,
        }
    }
}

struct LooseVisitor;

impl<'de> Visitor<'de> for LooseVisitor {
    type Value = Loose;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("any value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Loose, E> {
        Ok(Loose::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Loose, E> {
        Ok(Loose::Text(text))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Loose, E> {
        Ok(Loose::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Loose, E> {
        Ok(Loose::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Loose, E> {
        Ok(Loose::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Loose, E> {
        Ok(Loose::Other)
    }

    fn visit_unit<E>(self) -> Result<Loose, E> {
        Ok(Loose::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Loose, A::Error> {
        while access.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Loose::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Loose, A::Error> {
        while access.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Loose::Other)
    }
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LooseVisitor)
    }
}

/// The texts of a list; of anything else, none.
#[derive(Default)]
pub(super) struct LooseList(pub(super) Vec<String>);

struct LooseListVisitor;

impl<'de> Visitor<'de> for LooseListVisitor {
    type Value = LooseList;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("any value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<LooseList, A::Error> {
        let mut texts = Vec::new();
        while let Some(item) = access.next_element::<Loose>()? {
            if let Loose::Text(text) = item {
                texts.push(text);
            }
        }
        Ok(LooseList(texts))
    }

    /// `RustSec` writes functions as an object from path to versions.
    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<LooseList, A::Error> {
        let mut texts = Vec::new();
        while let Some((name, IgnoredAny)) = access.next_entry::<String, IgnoredAny>()? {
            texts.push(name);
        }
        Ok(LooseList(texts))
    }

    fn visit_str<E>(self, text: &str) -> Result<LooseList, E> {
        Ok(LooseList(vec![text.to_owned()]))
    }

    fn visit_unit<E>(self) -> Result<LooseList, E> {
        Ok(LooseList::default())
    }
}

impl<'de> Deserialize<'de> for LooseList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LooseListVisitor)
    }
}
