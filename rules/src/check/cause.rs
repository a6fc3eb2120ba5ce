//! Says in words why something is not known.

use crate::Value;
use crate::value::Origin;

/// The cause of an undecided check, one phrase, never with a value.
pub(super) fn of_origin(origin: &Origin) -> String {
    match origin {
        Origin::Variable(name) => {
            let name = name.strip_prefix("var.").unwrap_or(name);
            format!("var.{name} has no value")
        }
        Origin::Computed { address, attribute } if attribute.is_empty() => {
            format!("{address} is known only after apply")
        }
        Origin::Computed { address, attribute } => {
            format!("{address}.{attribute} is known only after apply")
        }
        Origin::Data(address) => format!("{address} is read from a data source"),
        Origin::Module(address) => format!("{address} is a module that is not in the scanned tree"),
        Origin::Function(name) => format!("the result of {name} is not known before apply"),
        Origin::Failed(what) => format!("{what} could not be evaluated"),
        Origin::Repetition(address) => format!("it is not known how often {address} exists"),
    }
}

/// The cause for a value of which some part is unknown.
pub(super) fn of_value(value: &Value) -> String {
    value.first_unknown().map_or_else(
        || "its value is not known".to_owned(),
        |origin| of_origin(origin),
    )
}
