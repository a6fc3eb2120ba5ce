//! JSON text of which pieces are unknown, as templates and heredocs make it.
//!
//! Stands a placeholder in for every unknown piece and reads the rest. An unknown piece inside a
//! string makes that string unknown with a prefix; in place of a value it is an unknown value;
//! among the members of a list it opens the list. A piece that breaks out of its quotes is not
//! foreseen: the unknown text is taken to be what the author meant it to be.

use std::sync::Arc;

use super::json::{PLACEHOLDER, decode_with};
use crate::Value;
use crate::functions::convert::to_string;
use crate::functions::limits::MAX_TEXT;
use crate::value::Kind;

/// The value that this text encodes, from its pieces in order: known or unknown strings (or
/// what converts to them). `None` if the text is no JSON or nothing in it is unknown.
pub fn partial_json(pieces: &[Value]) -> Option<Arc<Value>> {
    let mut text = String::new();
    let mut unknowns = Vec::new();
    for piece in pieces {
        match &to_string(piece).ok()?.kind {
            Kind::String(known) => {
                if known.contains(PLACEHOLDER) {
                    return None;
                }
                text.push_str(known);
            }
            Kind::Unknown(_) => {
                text.push(PLACEHOLDER);
                unknowns.push(piece.clone());
            }
            _ => return None,
        }
        if text.len() > MAX_TEXT {
            return None;
        }
    }
    let worth_reading = text.trim_start().starts_with(['{', '[']) && !unknowns.is_empty();
    if !worth_reading {
        return None;
    }
    decode_with(&text, unknowns).ok().map(Arc::new)
}
