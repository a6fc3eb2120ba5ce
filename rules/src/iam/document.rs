//! What the data source `aws_iam_policy_document` computes: the JSON of its blocks and of the
//! documents it combines. It needs no provider, so a scan can know it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{as_list, object, refusal};
use crate::Value;
use crate::functions::encoding::json;
use crate::functions::error::FunctionError;
use crate::functions::limits::bounded;
use crate::functions::unseen::unseen;
use crate::value::{Kind, List, Unknown};

/// Statements in order, and why there may be more.
#[derive(Default)]
struct Statements {
    items: Vec<Value>,
    rest: Option<Unknown>,
}

/// The JSON text of a data source with these arguments and blocks (`statement` and, within it,
/// `principals`, `not_principals`, `condition` as lists of objects): a known string, or an
/// unknown one that carries the document.
pub fn document_json(body: &Value) -> Result<Value, FunctionError> {
    bounded(body)?;
    let argument = |name: &str| body.get(name).cloned().unwrap_or(Value::NULL);
    let mut all = Statements::default();
    for name in ["source_json", "source_policy_documents"] {
        for part in parts(&argument(name), &mut all.rest)? {
            all.merge(part, false);
        }
    }
    let own = as_list(&argument("statement"));
    let items = own.items.iter().map(statement).collect::<Result<_, _>>()?;
    let own = Statements {
        items,
        rest: own.rest,
    };
    all.merge(own, false);
    for name in ["override_json", "override_policy_documents"] {
        for part in parts(&argument(name), &mut all.rest)? {
            all.merge(part, true);
        }
    }
    let version = match argument("version") {
        null if null.is_null() => "2012-10-17".into(),
        given => given,
    };
    let mut document = vec![
        ("Version", version),
        ("Statement", super::list(all.items, all.rest)),
    ];
    let id = argument("policy_id");
    if !id.is_null() {
        document.push(("Id", id));
    }
    json::encode_value(&object(document))
}

impl Statements {
    /// Appends; where `replacing`, a statement takes the place of one with the same sid.
    fn merge(&mut self, other: Self, replacing: bool) {
        self.rest = self.rest.take().or(other.rest);
        for item in other.items {
            let sid = item.get("Sid").and_then(Value::as_str);
            let place = self.items.iter_mut().find(|old| {
                replacing && sid.is_some() && old.get("Sid").and_then(Value::as_str) == sid
            });
            match place {
                Some(old) => *old = item,
                None => self.items.push(item),
            }
        }
    }
}

/// The statements of each document in the argument; an unknown one opens the list.
fn parts(value: &Value, rest: &mut Option<Unknown>) -> Result<Vec<Statements>, FunctionError> {
    let documents = as_list(value);
    *rest = rest.take().or(documents.rest);
    let mut parts = Vec::new();
    for text in documents.items.iter() {
        let document = match &text.kind {
            Kind::Null => continue,
            Kind::String(text) if text.trim().is_empty() => continue,
            Kind::String(text) => json::decode(text)?,
            Kind::Unknown(unknown) => {
                let Some(document) = &unknown.encoded else {
                    *rest = rest.take().or_else(|| Some(unknown.clone()));
                    continue;
                };
                bounded(document)?;
                document.as_ref().clone()
            }
            _ => return Err(refusal("a policy document must be JSON text")),
        };
        let List { items, rest, .. } =
            as_list(&document.get("Statement").cloned().unwrap_or(Value::NULL));
        let items = items.iter().map(|item| item.clone().marked_by(text));
        parts.push(Statements {
            items: items.collect(),
            rest,
        });
    }
    Ok(parts)
}

fn statement(block: &Value) -> Result<Value, FunctionError> {
    if block.as_unknown().is_some() {
        return Ok(block.clone());
    }
    if block.as_map().is_none() {
        return Err(refusal("a statement must be a block"));
    }
    let mut entries: Vec<(&str, Value)> = Vec::new();
    let effect = match block.get("effect") {
        Some(effect) if !effect.is_null() => effect.clone(),
        _ => "Allow".into(),
    };
    entries.push(("Effect", effect));
    for (argument, element) in [
        ("sid", "Sid"),
        ("actions", "Action"),
        ("not_actions", "NotAction"),
        ("resources", "Resource"),
        ("not_resources", "NotResource"),
    ] {
        match block.get(argument) {
            Some(given) if !given.is_null() => entries.push((element, given.clone())),
            _ => {}
        }
    }
    for (argument, element) in [
        ("principals", "Principal"),
        ("not_principals", "NotPrincipal"),
    ] {
        let given = block.get(argument).cloned().unwrap_or(Value::NULL);
        let combined = principals(&given);
        if !combined.is_null() {
            entries.push((element, combined));
        }
    }
    let given = block.get("condition").cloned().unwrap_or(Value::NULL);
    let combined = conditions(&given);
    if !combined.is_null() {
        entries.push(("Condition", combined));
    }
    Ok(Value {
        kind: object(entries).kind,
        marks: block.marks.clone(),
    })
}

fn field(block: &Value, name: &str) -> Value {
    block.get(name).cloned().unwrap_or(Value::NULL)
}

/// Identifiers by type; blocks of one type add up. Null without blocks.
fn principals(value: &Value) -> Value {
    let blocks = as_list(value);
    let mut rest = blocks.rest;
    let mut types: BTreeMap<Arc<str>, Statements> = BTreeMap::new();
    for block in blocks.items.iter() {
        let identifiers = as_list(&field(block, "identifiers"));
        let kind = field(block, "type");
        let Some(name) = kind.as_str() else {
            rest = rest.or_else(|| unseen(&kind)).or_else(|| unseen(block));
            continue;
        };
        let known = types.entry(name.into()).or_default();
        known.items.extend(identifiers.items.iter().cloned());
        known.rest = known.rest.take().or(identifiers.rest);
    }
    if types.is_empty() && rest.is_none() {
        return Value::NULL;
    }
    open(types, rest)
}

/// Test → variable → values; blocks of one test and variable add up. Null without blocks.
fn conditions(value: &Value) -> Value {
    let blocks = as_list(value);
    let mut rest = blocks.rest;
    let mut tests: BTreeMap<Arc<str>, BTreeMap<Arc<str>, Statements>> = BTreeMap::new();
    for block in blocks.items.iter() {
        let (test, variable) = (field(block, "test"), field(block, "variable"));
        let (Some(test), Some(variable)) = (test.as_str(), variable.as_str()) else {
            rest = rest.or_else(|| unseen(block));
            continue;
        };
        let values = as_list(&field(block, "values"));
        let variables = tests.entry(test.into()).or_default();
        let known = variables.entry(variable.into()).or_default();
        known.items.extend(values.items.iter().cloned());
        known.rest = known.rest.take().or(values.rest);
    }
    if tests.is_empty() && rest.is_none() {
        return Value::NULL;
    }
    let entries = tests
        .into_iter()
        .map(|(test, variables)| (test, open(variables, None)));
    Kind::Map(crate::value::Map {
        entries: Arc::new(entries.collect()),
        rest,
    })
    .into()
}

fn open(lists: BTreeMap<Arc<str>, Statements>, rest: Option<Unknown>) -> Value {
    let entries = lists
        .into_iter()
        .map(|(name, known)| (name, super::list(known.items, known.rest)));
    Kind::Map(crate::value::Map {
        entries: Arc::new(entries.collect()),
        rest,
    })
    .into()
}
