//! JSON text with holes: what a template that writes JSON says, as far as it is known.
//!
//! A hole inside a string gives a string with a hole; a hole in the place of a value gives an
//! unknown value; a hole among the members of an array may be any number of members. What is the
//! JSON of one value, as `jsonencode` writes it, is that value.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::Value;
use crate::value::{Kind, List, Map, Origin, Piece, Shape, Type, Unknown};

/// Stands around the number of a hole; a private character that no configuration uses.
const MARK: char = '\u{f8ff}';

/// The value that the text encodes, if it looks like JSON and is, whatever the holes hold.
pub(super) fn decode(pieces: &[Piece]) -> Option<Value> {
    let first = match pieces {
        [Piece::Json(_, value)] => return Some((**value).clone()),
        [Piece::Text(first), ..] => first,
        _ => return None,
    };
    if !first.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let mut text = String::new();
    let mut holes: Vec<&Piece> = Vec::new();
    let mut in_string = false;
    for piece in pieces {
        match piece {
            Piece::Text(part) => {
                if part.contains(MARK) {
                    return None;
                }
                let mut escaped = false;
                for character in part.chars() {
                    match character {
                        _ if escaped => escaped = false,
                        '\\' if in_string => escaped = true,
                        '"' => in_string = !in_string,
                        _ => {}
                    }
                }
                text.push_str(part);
            }
            Piece::Hole(_) | Piece::Json(..) => {
                let quote = if in_string { "" } else { "\"" };
                let kind = if in_string { 's' } else { 'v' };
                let hole = format!("{quote}{MARK}{kind}{}{MARK}{quote}", holes.len());
                text.push_str(&hole);
                holes.push(piece);
            }
        }
    }
    // The reader bounds the nesting of what it reads.
    let json: Json = serde_json::from_str(&text).ok()?;
    restore(&json, &holes)
}

enum Part {
    Known(Value),
    /// In the place of a value: unknown, and in an array any number of members.
    Hole(Arc<Origin>),
}

fn restore(json: &Json, holes: &[&Piece]) -> Option<Value> {
    Some(match part(json, holes)? {
        Part::Known(value) => value,
        Part::Hole(origin) => Value::unknown_of(origin, Type::Any),
    })
}

fn part(json: &Json, holes: &[&Piece]) -> Option<Part> {
    Some(Part::Known(match json {
        Json::Null => Value::NULL,
        Json::Bool(value) => (*value).into(),
        Json::Number(number) => {
            let number = crate::functions::convert::parse_number(&number.to_string());
            Kind::Number(number.ok()?).into()
        }
        Json::String(text) => return string(text, holes),
        Json::Array(members) => {
            let mut items = Vec::with_capacity(members.len());
            let mut rest: Option<Unknown> = None;
            for member in members {
                match part(member, holes)? {
                    Part::Known(value) => items.push(value),
                    Part::Hole(origin) => {
                        let unknown = Value::unknown_of(origin, Type::Any);
                        rest = unknown.as_unknown().cloned();
                    }
                }
            }
            Kind::List(List {
                items: items.into(),
                shape: Shape::List,
                rest,
            })
            .into()
        }
        Json::Object(members) => {
            let mut entries = std::collections::BTreeMap::new();
            let mut rest = None;
            for (key, member) in members {
                let value = restore(member, holes)?;
                match string(key, holes)? {
                    Part::Known(key) if key.as_unknown().is_none() => {
                        entries.insert(key.as_str()?.into(), value);
                    }
                    Part::Known(key) => rest = key.as_unknown().cloned(),
                    Part::Hole(origin) => {
                        let unknown = Value::unknown_of(origin, Type::Any);
                        rest = unknown.as_unknown().cloned();
                    }
                }
            }
            Kind::Map(Map {
                entries: Arc::new(entries),
                rest,
            })
            .into()
        }
    }))
}

fn string(text: &str, holes: &[&Piece]) -> Option<Part> {
    if !text.contains(MARK) {
        return Some(Part::Known(text.into()));
    }
    let mut pieces = Vec::new();
    let mut first = None;
    for (place, part) in text.split(MARK).enumerate() {
        let is_hole = place.checked_rem(2) == Some(1);
        if !is_hole {
            if !part.is_empty() {
                pieces.push(Piece::Text(part.into()));
            }
            continue;
        }
        let (kind, number) = part.split_at_checked(1)?;
        let origin = match (*holes.get(number.parse::<usize>().ok()?)?, kind) {
            (Piece::Json(_, value), "v") => return Some(Part::Known((**value).clone())),
            (Piece::Hole(origin), "v") => return Some(Part::Hole(origin.clone())),
            (Piece::Hole(origin) | Piece::Json(origin, _), _) => origin,
            (Piece::Text(_), _) => return None,
        };
        first.get_or_insert_with(|| origin.clone());
        pieces.push(Piece::Hole(origin.clone()));
    }
    Some(Part::Known(Value::text_with_holes(first?, pieces)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(parts: &[&str]) -> Vec<Piece> {
        let hole = || Piece::Hole(Arc::new(Origin::Variable("x".into())));
        let texts = parts.iter().map(|part| Piece::Text((*part).into()));
        let mut pieces: Vec<Piece> = texts.flat_map(|text| [text, hole()]).collect();
        pieces.pop();
        pieces
    }

    #[test]
    fn the_known_part_is_seen() {
        let value = decode(&pieces(&[
            "{\"a\": \"x",
            "y\", \"b\": ",
            ", \"c\": [1, ",
            "]}",
        ]))
        .unwrap();
        assert_eq!(value.get("a").unwrap().pieces().unwrap().len(), 3);
        assert!(value.get("b").unwrap().as_unknown().is_some());
        let list = value.get("c").unwrap().as_list().unwrap();
        assert_eq!((list.items.len(), list.rest.is_some()), (1, true));
    }

    #[test]
    fn the_json_of_a_value_is_that_value() {
        let origin = || Arc::new(Origin::Variable("x".into()));
        let list = Value::list([Value::unknown_of(origin(), Type::Any)]);
        let json = || Piece::Json(origin(), Arc::new(list.clone()));
        let text = |text: &str| Piece::Text(text.into());
        let value = decode(&[
            text("{\"a\": "),
            json(),
            text(", \"b\": [1, "),
            json(),
            text("]}"),
        ]);
        let value = value.unwrap();
        assert_eq!(value.get("a"), Some(&list));
        let members = value.get("b").unwrap().as_list().unwrap();
        assert_eq!((members.items.len(), members.rest.is_some()), (2, false));
        assert_eq!(decode(&[json()]), Some(list.clone()));
        // Within quotes it is a part of a text.
        let value = decode(&[text("{\"a\": \"x"), json(), text("\"}")]).unwrap();
        assert!(value.get("a").unwrap().as_unknown().is_some());
    }

    #[test]
    fn other_text_is_no_json() {
        assert!(decode(&pieces(&["hello ", "!"])).is_none());
        assert!(decode(&pieces(&["{\"a\": ", " \"b\"}"])).is_none());
        assert!(decode(&pieces(&["{\u{f8ff}", "}"])).is_none());
    }
}
