//! One resource's values as a body: known, unknown, sensitive, each with the place it stands at.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;

use super::configuration::{Module, References};
use crate::value::{Marks, Origin};
use crate::{Span, Value};

/// What is said of one place of a resource, in four documents of the same shape.
#[derive(Clone, Copy, Default)]
pub(crate) struct Said<'a> {
    pub(crate) value: Option<&'a Json>,
    pub(crate) unknown: Option<&'a Json>,
    pub(crate) sensitive: Option<&'a Json>,
    pub(crate) expression: Option<&'a Json>,
    /// The same in the code, where that was evaluated.
    pub(crate) code: Option<&'a Value>,
}

impl<'a> Said<'a> {
    fn field(self, name: &str) -> Self {
        let of = |json: Option<&'a Json>| json.and_then(|json| json.get(name));
        Self {
            value: of(self.value),
            unknown: of(self.unknown),
            sensitive: of(self.sensitive),
            expression: of(self.expression),
            code: self.code.and_then(|code| code.get(name)),
        }
    }

    fn item(self, place: usize) -> Self {
        let of = |json: Option<&'a Json>| json.and_then(|json| json.get(place));
        Self {
            value: of(self.value),
            unknown: of(self.unknown),
            sensitive: of(self.sensitive),
            // Blocks that a dynamic block makes have no expressions of their own.
            expression: of(self.expression),
            code: self.code.and_then(|code| code.as_list()?.items.get(place)),
        }
    }

    fn is_unknown(self) -> bool {
        self.unknown.and_then(Json::as_bool) == Some(true)
    }

    /// Whether an expression stands there, and not a nested block.
    fn is_attribute(self) -> bool {
        let keys = ["constant_value", "references"];
        self.expression.is_none_or(|expression| {
            expression.as_object().is_some_and(|object| {
                object.is_empty() || keys.iter().any(|key| object.contains_key(*key))
            })
        })
    }
}

/// Builds the bodies of one module instance.
pub(crate) struct Body<'a> {
    pub(crate) module: &'a Module<'a>,
    pub(crate) file: &'a Arc<str>,
    /// Where the code of the resource is, if it was evaluated.
    pub(crate) written: Option<&'a Span>,
    pub(crate) address: &'a str,
}

impl Body<'_> {
    /// All attributes and nested blocks; what is null or empty and not written is left out, as it is
    /// in code.
    pub(crate) fn object(&self, said: Said<'_>, pointer: &str) -> Value {
        let mut names: Vec<&String> = Vec::new();
        for json in [said.value, said.unknown, said.expression] {
            names.extend(
                json.and_then(Json::as_object)
                    .into_iter()
                    .flat_map(|map| map.keys()),
            );
        }
        names.sort_unstable();
        names.dedup();
        let mut entries: BTreeMap<Arc<str>, Value> = BTreeMap::new();
        for name in names {
            let field = said.field(name);
            let is_written = field.expression.is_some();
            let is_empty = match field.value {
                None | Some(Json::Null) => true,
                Some(Json::Array(items)) => items.is_empty() && !field.is_unknown(),
                Some(Json::String(text)) => !is_written && text.is_empty(),
                Some(Json::Object(map)) => !is_written && map.is_empty(),
                Some(_) => false,
            };
            // Nobody but the provider knows it, and no code says it.
            let is_computed = field.is_unknown() && !is_written;
            if is_computed || is_empty && !field.is_unknown() {
                continue;
            }
            let place = format!("{pointer}/{}", escaped(name));
            let span = self.span(field, &place);
            let value = self.value(field, &place).with_span(span);
            entries.insert(name.as_str().into(), value);
        }
        Value::map(entries)
    }

    /// The key of the instance, as its address ends.
    fn key(&self) -> &str {
        let address = self.address;
        let start = if address.ends_with("\"]") {
            address.rfind("[\"")
        } else if address.ends_with(']') {
            address.rfind('[')
        } else {
            None
        };
        start.and_then(|start| address.get(start..)).unwrap_or("")
    }

    /// A value beside all resources.
    pub(super) fn plain(&self, said: Said<'_>, pointer: &str) -> Value {
        self.value(said, pointer)
    }

    /// The place of what is said: in the code, as near as that tells it, else in the plan.
    fn span(&self, said: Said<'_>, pointer: &str) -> Span {
        let code = said.code.and_then(Value::span).or(self.written);
        code.cloned()
            .unwrap_or_else(|| Span::at_pointer(Arc::clone(self.file), pointer))
    }

    fn value(&self, said: Said<'_>, pointer: &str) -> Value {
        let is_block = !said.is_attribute();
        let mut value = match said.value {
            _ if said.is_unknown() => self.unknown(said),
            // A nested block that can come once is an object here, and a list in code.
            Some(Json::Object(_)) if is_block => Value::list([self.block(said, pointer)]),
            Some(Json::Array(items)) if is_block || items.iter().any(Json::is_object) => {
                let items = (0..items.len()).map(|place| {
                    let pointer = format!("{pointer}/{place}");
                    let item = said.item(place);
                    match item.value {
                        Some(Json::Object(_)) => self.block(item, &pointer),
                        _ => self.value(item, &pointer),
                    }
                });
                Value::list(items)
            }
            Some(Json::Array(items)) => {
                let items = (0..items.len()).map(|place| {
                    let item = said.item(place);
                    // The expression is of the whole list: what an unknown item refers to is in it,
                    // what a known one refers to need not be.
                    let item = Said {
                        expression: said.expression.filter(|_| item.is_unknown()),
                        ..item
                    };
                    self.value(item, &format!("{pointer}/{place}"))
                });
                Value::list(items)
            }
            Some(Json::Object(map)) => {
                let unknown = said.unknown.and_then(Json::as_object);
                let mut names: Vec<&String> = map.keys().collect();
                names.extend(unknown.into_iter().flat_map(|map| map.keys()));
                names.sort_unstable();
                names.dedup();
                let entries = names.into_iter().map(|name| {
                    let field = Said {
                        expression: said.expression,
                        ..said.field(name)
                    };
                    let place = format!("{pointer}/{}", escaped(name));
                    (Arc::from(name.as_str()), self.value(field, &place))
                });
                Value::map(entries)
            }
            Some(Json::Bool(truth)) => (*truth).into(),
            Some(Json::String(text)) => text.as_str().into(),
            Some(Json::Number(number)) => self.number(number),
            None | Some(Json::Null) => Value::NULL,
        };
        let references = match said.value {
            Some(Json::Bool(_) | Json::String(_) | Json::Number(_)) => {
                self.module.references(said.expression, self.key())
            }
            _ => References::default(),
        };
        let is_sensitive = said.sensitive.and_then(Json::as_bool) == Some(true);
        if is_sensitive || !references.all.is_empty() {
            value.edit_marks(|marks| {
                marks.sensitive |= is_sensitive;
                mark(marks, &references);
            });
        }
        value
    }

    fn block(&self, said: Said<'_>, pointer: &str) -> Value {
        let span = self.span(said, pointer);
        self.object(said, pointer).with_span(span)
    }

    fn number(&self, number: &serde_json::Number) -> Value {
        use rust_decimal::Decimal;
        let text = number.to_string();
        let exact = text.parse::<Decimal>();
        match exact.or_else(|_| Decimal::from_scientific(&text)) {
            Ok(number) => number.into(),
            Err(_) => Value::unknown(Origin::Failed(self.address.into())),
        }
    }

    /// A value that is known after apply: what it is made from says which resource it may be of.
    fn unknown(&self, said: Said<'_>) -> Value {
        let references = self.module.references(said.expression, self.key());
        let first = references.all.first();
        let origin = match first {
            Some(reference) if is_data(&reference.address) => {
                Origin::Data(reference.address.as_str().into())
            }
            Some(reference) => {
                let attribute = reference.path.strip_prefix(&reference.address);
                let attribute = attribute.unwrap_or_default().trim_start_matches('.');
                Origin::Computed {
                    address: reference.address.as_str().into(),
                    attribute: attribute.into(),
                }
            }
            None => Origin::Computed {
                address: self.address.into(),
                attribute: "".into(),
            },
        };
        let mut value = Value::unknown(origin);
        value.edit_marks(|marks| {
            mark(marks, &references);
            if let (Some(only), 1, false) = (first, references.all.len(), references.is_opaque) {
                marks.identity = Some(only.path.as_str().into());
            }
        });
        value
    }
}

fn mark(marks: &mut Marks, references: &References) {
    let addresses = references.all.iter();
    let addresses = addresses.map(|reference| Arc::from(reference.address.as_str()));
    marks.references.extend(addresses);
}

/// A name in a JSON pointer (RFC 6901, section 3).
pub(super) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Whether an address is that of a data source.
fn is_data(address: &str) -> bool {
    address.starts_with("data.") || address.contains(".data.")
}
