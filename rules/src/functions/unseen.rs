//! Why members of a collection are not seen.

use crate::Value;
use crate::value::{Type, Unknown};

/// The reason for unseen members, as a `rest`.
pub(crate) fn unseen(value: &Value) -> Option<Unknown> {
    if let Some(unknown) = value.as_unknown() {
        return Some(unknown.clone());
    }
    let origin = value.first_unknown()?;
    Value::unknown_of(origin.clone(), Type::Any)
        .as_unknown()
        .cloned()
}
