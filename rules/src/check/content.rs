//! What tells the failures of one rule on one resource apart: the content of the member that fails,
//! not its place in a list and not its line, so that repairing one leaves the identity of the
//! others as it is.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::Value;
use crate::value::{Kind, List, Map};

/// Values below this depth are not told apart.
const DEPTH: usize = 32;

/// The content of a failure: of the check with this number in its rule, at this member.
pub(super) fn of(check: usize, member: Option<&Value>) -> Arc<str> {
    let mut text = match check {
        0 => String::new(),
        number => number.to_string(),
    };
    if let Some(member) = member {
        let mut hash = Sha256::new();
        feed(member, &mut hash, 0);
        text.push('~');
        let digest = hash.finalize();
        let (digest, _) = digest.split_at(8);
        text.push_str(&hex::encode(digest));
    }
    text.into()
}

/// Each value begins with a letter for its kind, and texts with their length, so that no two values
/// feed the same bytes. What is unknown is one value: where it comes from may change.
fn feed(value: &Value, hash: &mut Sha256, depth: usize) {
    if depth > DEPTH {
        return;
    }
    let mut part = |mark: &[u8], text: &str| {
        hash.update(mark);
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    };
    let below = depth.saturating_add(1);
    match &value.kind {
        Kind::Null => part(b"0", ""),
        Kind::Bool(truth) => part(b"b", if *truth { "true" } else { "false" }),
        Kind::Number(number) => part(b"n", &number.to_string()),
        Kind::String(text) => part(b"s", text),
        Kind::List(List { items, .. }) => {
            part(b"l", "");
            for item in items.iter() {
                feed(item, hash, below);
            }
            hash.update(b".");
        }
        Kind::Map(Map { entries, .. }) => {
            part(b"m", "");
            for (key, value) in entries.iter() {
                hash.update((key.len() as u64).to_le_bytes());
                hash.update(key.as_bytes());
                feed(value, hash, below);
            }
            hash.update(b".");
        }
        Kind::Unknown(_) => part(b"?", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_tells_values_apart_and_nothing_else() {
        let text = |text: &str| Value::from(text);
        let list = |items: &[&str]| Value::list(items.iter().map(|item| text(item)));
        assert_eq!(&*of(0, None), "");
        assert_eq!(&*of(2, None), "2");
        let one = of(0, Some(&list(&["ab", "c"])));
        assert_eq!(one, of(0, Some(&list(&["ab", "c"]))));
        for other in [
            of(0, Some(&list(&["a", "bc"]))),
            of(0, Some(&list(&["c", "ab"]))),
            of(0, Some(&text("abc"))),
            of(1, Some(&list(&["ab", "c"]))),
        ] {
            assert_ne!(one, other);
        }
    }
}
