//! Documents with one meaning. JSON keys differ by case, but the decoder of Go's standard library,
//! with which engines read these documents, takes any case, and of several spellings the last; so
//! a document that has one of our keys in another case, or twice, says one thing to a strict reader
//! and another to those that run the image. It is refused.
//!
//! Keys of maps (annotations, labels) are texts of their own, and keys that we do not know mean
//! nothing to us: neither is looked at.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// What a document, or a part of it, looks like.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// Anything, with no keys of its own.
    Leaf,
    /// An object with these keys, and perhaps others.
    Object(&'static [(&'static str, Self)]),
    /// A list of such.
    List(&'static Self),
}

const PLATFORM: Shape = Shape::Object(&[
    ("os", Shape::Leaf),
    ("architecture", Shape::Leaf),
    ("variant", Shape::Leaf),
]);

const DESCRIPTOR: Shape = Shape::Object(&[
    ("mediaType", Shape::Leaf),
    ("digest", Shape::Leaf),
    ("size", Shape::Leaf),
    ("platform", PLATFORM),
    ("artifactType", Shape::Leaf),
    ("annotations", Shape::Leaf),
    ("urls", Shape::Leaf),
    ("data", Shape::Leaf),
]);

/// An index or a manifest.
pub(super) const MANIFEST: Shape = Shape::Object(&[
    ("schemaVersion", Shape::Leaf),
    ("mediaType", Shape::Leaf),
    ("artifactType", Shape::Leaf),
    ("manifests", Shape::List(&DESCRIPTOR)),
    ("config", DESCRIPTOR),
    ("layers", Shape::List(&DESCRIPTOR)),
    ("fsLayers", Shape::Leaf),
    ("subject", DESCRIPTOR),
    ("annotations", Shape::Leaf),
]);

/// The configuration of an image.
pub(super) const CONFIG: Shape = Shape::Object(&[
    ("os", Shape::Leaf),
    ("architecture", Shape::Leaf),
    ("variant", Shape::Leaf),
    (
        "rootfs",
        Shape::Object(&[("type", Shape::Leaf), ("diff_ids", Shape::Leaf)]),
    ),
]);

/// `manifest.json` of `docker save`.
pub(super) const SAVED: Shape = Shape::List(&Shape::Object(&[
    ("Config", Shape::Leaf),
    ("RepoTags", Shape::Leaf),
    ("Layers", Shape::Leaf),
    ("Parent", Shape::Leaf),
    ("LayerSources", Shape::Leaf),
]));

/// `oci-layout`.
pub(super) const LAYOUT: Shape = Shape::Object(&[("imageLayoutVersion", Shape::Leaf)]);

/// Refuses a document with two meanings; the error names the key. What is no JSON passes: that is
/// for its reader to say.
pub(super) fn check(bytes: &[u8], shape: Shape) -> Result<(), String> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    match shape.deserialize(&mut reader) {
        Err(error) if error.is_data() => {
            let text = error.to_string();
            match text.strip_prefix(MARK) {
                Some(cause) => Err(cause.to_owned()),
                None => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

/// In front of our own errors, to know them from those of the JSON reader.
const MARK: &str = "two meanings: ";

/// Whether Go's decoder takes both keys for the same (`bytes.EqualFold`: two letters outside ASCII
/// fold to ASCII ones).
fn folds(left: &str, right: &str) -> bool {
    let fold = |character: char| match character {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    };
    left.chars().map(fold).eq(right.chars().map(fold))
}

impl<'de> DeserializeSeed<'de> for Shape {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        match self {
            Self::Leaf => reader.deserialize_any(IgnoredAny).map(|_| ()),
            _ => reader.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Shape {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self::Object(fields) = self else {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(());
        };
        let mut seen = Vec::new();
        while let Some(key) = map.next_key::<std::borrow::Cow<'_, str>>()? {
            let Some((name, shape)) = fields.iter().find(|(name, _)| folds(name, &key)) else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            if key != *name {
                let key = super::digest::shorten(&key);
                let cause = format!("{MARK}engines take the key `{key}` for `{name}`");
                return Err(A::Error::custom(cause));
            }
            if seen.contains(name) {
                let cause = format!("{MARK}the key `{name}` comes twice");
                return Err(A::Error::custom(cause));
            }
            seen.push(*name);
            map.next_value_seed(*shape)?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let item = match self {
            Self::List(item) => *item,
            _ => Self::Leaf,
        };
        while list.next_element_seed(item)?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_in_two_spellings_are_refused() {
        for (shape, bad) in [
            (MANIFEST, r#"{"layers":[],"Layers":[]}"#),
            (MANIFEST, r#"{"Layers":[]}"#),
            (MANIFEST, r#"{"layers":[],"layers":[]}"#),
            (MANIFEST, r#"{"layers":[],"layer\u017f":[]}"#),
            (MANIFEST, r#"{"mediaType":"a","mediatype":"b"}"#),
            (MANIFEST, r#"{"config":{"digest":"a","Digest":"b"}}"#),
            (
                MANIFEST,
                r#"{"manifests":[{"platform":{"os":"a","OS":"b"}}]}"#,
            ),
            (CONFIG, r#"{"rootfs":{"diff_ids":[],"Diff_Ids":[]}}"#),
            (CONFIG, r#"{"Architecture":"arm64"}"#),
            (CONFIG, r#"{"rootfs":{},"rootFS":{}}"#),
            (SAVED, r#"[{"Config":"a","Config":"b"}]"#),
            (SAVED, r#"[{"Config":"a","layers":[],"Layers":[]}]"#),
            (LAYOUT, r#"{"imagelayoutversion":"1.0.0"}"#),
        ] {
            let cause = check(bad.as_bytes(), shape).unwrap_err();
            assert!(
                !cause.contains(MARK) && cause.contains('`'),
                "{bad}: {cause}"
            );
        }
    }

    #[test]
    fn keys_of_maps_and_unknown_ones_are_texts() {
        for (shape, good) in [
            (
                MANIFEST,
                r#"{"layers":[{"annotations":{"a":"1","A":"2"}}]}"#,
            ),
            (
                MANIFEST,
                r#"{"layers":[{"size":-1.5,"urls":null}],"x":1,"X":true}"#,
            ),
            (
                CONFIG,
                r#"{"config":{"Labels":{"version":"1","Version":"2"}},"OS.version":"x"}"#,
            ),
            (CONFIG, "no JSON"),
            (SAVED, r#"{"not":["a",["list"]]}"#),
        ] {
            assert_eq!(check(good.as_bytes(), shape), Ok(()), "{good}");
        }
    }
}
