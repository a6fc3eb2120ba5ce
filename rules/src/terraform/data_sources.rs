//! Data sources whose result follows from what is written: they need no provider.
//!
//! One table from the type to a function. Everything else read from a data source is unknown.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::Value;
use crate::functions::{self, Context};
use crate::value::{Kind, List, Map, Origin, Shape, Type, Unknown};

type Compute = fn(&Value, &Context<'_>) -> Vec<(&'static str, Value)>;

const TABLE: [(&str, Compute); 1] = [("aws_iam_policy_document", policy_document)];

/// The body of a data source with the attributes that can be computed from it.
pub(super) fn computed(kind: &str, body: Value, context: &Context<'_>) -> Value {
    let Some((_, compute)) = TABLE.iter().find(|(name, _)| *name == kind) else {
        return body;
    };
    let results = compute(&body, context);
    let Value {
        kind: Kind::Map(Map { entries, rest }),
        marks,
    } = body
    else {
        return body;
    };
    let mut entries = Arc::unwrap_or_clone(entries);
    for (name, value) in results {
        entries.insert(name.into(), value);
    }
    Value {
        kind: Kind::Map(Map {
            entries: Arc::new(entries),
            rest,
        }),
        marks,
    }
}

/// A list of statements, which may be open.
#[derive(Default)]
struct Statements {
    items: Vec<Value>,
    rest: Option<Unknown>,
    sources: Vec<Value>,
}

/// `aws_iam_policy_document`: the statements of source documents, then its own, then those of
/// overriding documents; a statement replaces an earlier one of the same `Sid`.
fn policy_document(body: &Value, context: &Context<'_>) -> Vec<(&'static str, Value)> {
    let mut statements = Statements::default();
    let mut version = body
        .get("version")
        .filter(|value| !value.is_null())
        .cloned();
    let mut id = body
        .get("policy_id")
        .filter(|value| !value.is_null())
        .cloned();
    for key in ["source_json", "source_policy_documents"] {
        let documents = body.get(key);
        statements.merge_all(documents, &mut version, &mut id, context);
    }
    if let Some(own) = body.get("statement").and_then(Value::as_list) {
        for item in own.items.iter() {
            statements.add(statement(item));
        }
        statements.rest = statements.rest.take().or_else(|| own.rest.clone());
    }
    for key in ["override_json", "override_policy_documents"] {
        let documents = body.get(key);
        let before = statements.rest.take();
        statements.merge_all(documents, &mut version, &mut id, context);
        if statements.rest.is_some() {
            // What is not known may replace every statement that has a name.
            statements.items.retain(|item| !has_name(item));
        }
        statements.rest = before.or(statements.rest);
    }
    let list: Value = Kind::List(List {
        items: statements.items.into(),
        shape: Shape::List,
        rest: statements.rest,
    })
    .into();
    let version = version.unwrap_or_else(|| "2012-10-17".into());
    let mut document: BTreeMap<Arc<str>, Value> = BTreeMap::new();
    document.insert("Version".into(), version);
    if let Some(id) = id {
        document.insert("Id".into(), id);
    }
    document.insert("Statement".into(), list);
    let document = Value::map(document);
    let json = encode(&document, context);
    let json = statements.sources.iter().fold(json, Value::marked_by);
    vec![("minified_json", json.clone()), ("json", json)]
}

/// Whether a statement has a `Sid`, or may have one.
fn has_name(statement: &Value) -> bool {
    match statement.get("Sid").map(|sid| &sid.kind) {
        None | Some(Kind::Null) => statement.as_map().is_none_or(|map| map.rest.is_some()),
        Some(Kind::String(sid)) => !sid.is_empty(),
        Some(_) => true,
    }
}

/// The JSON text of a document; where parts are unknown, it keeps what it encodes.
fn encode(document: &Value, context: &Context<'_>) -> Value {
    let encoded = functions::lookup("jsonencode")
        .and_then(|encode| encode(std::slice::from_ref(document), context).ok());
    encoded.unwrap_or_else(|| {
        let origin = document.first_unknown().cloned();
        let origin = origin.unwrap_or_else(|| Arc::new(Origin::Function("jsonencode".into())));
        Kind::Unknown(Unknown {
            origin,
            kind: Type::String,
            not_null: true,
            at_least: None,
            prefix: None,
            encoded: Some(Arc::new(document.clone())),
        })
        .into()
    })
}

impl Statements {
    fn add(&mut self, statement: Value) {
        let sid = statement.get("Sid").and_then(Value::as_str);
        let same = |other: &&mut Value| {
            sid.is_some_and(|sid| !sid.is_empty())
                && other.get("Sid").and_then(Value::as_str) == sid
        };
        match self.items.iter_mut().find(same) {
            Some(earlier) => *earlier = statement,
            None => self.items.push(statement),
        }
    }

    fn merge_all(
        &mut self,
        documents: Option<&Value>,
        version: &mut Option<Value>,
        id: &mut Option<Value>,
        context: &Context<'_>,
    ) {
        let Some(documents) = documents else {
            return;
        };
        self.sources.push(documents.clone());
        match &documents.kind {
            Kind::List(list) => {
                for document in list.items.iter() {
                    self.sources.push(document.clone());
                    self.merge(document, version, id, context);
                }
                self.rest = self.rest.take().or_else(|| list.rest.clone());
            }
            Kind::Null => {}
            _ => self.merge(documents, version, id, context),
        }
    }

    fn merge(
        &mut self,
        document: &Value,
        version: &mut Option<Value>,
        id: &mut Option<Value>,
        context: &Context<'_>,
    ) {
        let decoded = match &document.kind {
            Kind::String(text) if text.trim().is_empty() => return,
            Kind::Null => return,
            Kind::Unknown(Unknown {
                encoded: Some(encoded),
                ..
            }) => Some((**encoded).clone()),
            Kind::String(_) => functions::lookup("jsondecode")
                .and_then(|decode| decode(std::slice::from_ref(document), context).ok()),
            _ => None,
        };
        let Some(decoded) = decoded else {
            let origin = document.first_unknown().cloned();
            let origin = origin.unwrap_or_else(|| Arc::new(Origin::Failed("document".into())));
            let unknown = Value::unknown_of(origin, Type::Any);
            self.rest = self.rest.take().or_else(|| unknown.as_unknown().cloned());
            return;
        };
        if let Some(theirs) = decoded.get("Version") {
            version.get_or_insert_with(|| theirs.clone());
        }
        if let Some(theirs) = decoded.get("Id") {
            id.get_or_insert_with(|| theirs.clone());
        }
        match decoded.get("Statement").map(|value| &value.kind) {
            Some(Kind::List(list)) => {
                for item in list.items.iter() {
                    self.add(item.clone());
                }
                self.rest = self.rest.take().or_else(|| list.rest.clone());
            }
            Some(Kind::Map(_)) => {
                if let Some(only) = decoded.get("Statement") {
                    self.add(only.clone());
                }
            }
            Some(Kind::Unknown(unknown)) => self.rest = Some(unknown.clone()),
            _ => {}
        }
    }
}

/// A statement block as the JSON object that it becomes.
fn statement(block: &Value) -> Value {
    let mut entries: BTreeMap<Arc<str>, Value> = BTreeMap::new();
    let written = |name: &str| block.get(name).filter(|value| !value.is_null());
    if let Some(sid) = written("sid") {
        entries.insert("Sid".into(), sid.clone());
    }
    let effect = written("effect").cloned();
    entries.insert("Effect".into(), effect.unwrap_or_else(|| "Allow".into()));
    for (block_name, name) in [
        ("actions", "Action"),
        ("not_actions", "NotAction"),
        ("resources", "Resource"),
        ("not_resources", "NotResource"),
    ] {
        let is_empty = |value: &&Value| {
            let list = value.as_list();
            list.is_some_and(|list| list.items.is_empty() && list.rest.is_none())
        };
        if let Some(value) = written(block_name).filter(|value| !is_empty(value)) {
            entries.insert(name.into(), single(value));
        }
    }
    for (block_name, name) in [
        ("principals", "Principal"),
        ("not_principals", "NotPrincipal"),
    ] {
        if let Some(value) = written(block_name) {
            entries.insert(name.into(), principals(value));
        }
    }
    if let Some(value) = written("condition") {
        entries.insert("Condition".into(), conditions(value));
    }
    Value::map(entries).marked_by(block)
}

/// A list of one is written as its member.
fn single(value: &Value) -> Value {
    match value.as_list() {
        Some(List {
            items, rest: None, ..
        }) if items.len() == 1 => items.first().cloned().unwrap_or(Value::NULL),
        _ => value.clone(),
    }
}

fn unknown_part(value: &Value) -> Value {
    let origin = value.first_unknown().cloned();
    let origin = origin.unwrap_or_else(|| Arc::new(Origin::Failed("policy document".into())));
    Value::unknown_of(origin, Type::Any)
}

/// `principals` blocks: `"*"`, or an object from the type to the identifiers.
fn principals(blocks: &Value) -> Value {
    let Some(list) = blocks.as_list() else {
        return unknown_part(blocks);
    };
    let mut by_type: BTreeMap<Arc<str>, Vec<Value>> = BTreeMap::new();
    let mut rest = list.rest.clone();
    for block in list.items.iter() {
        let kind = block.get("type").and_then(Value::as_str);
        let identifiers = block.get("identifiers");
        let (Some(kind), Some(identifiers)) = (kind, identifiers) else {
            rest = rest.or_else(|| unknown_part(block).as_unknown().cloned());
            continue;
        };
        match identifiers.as_list() {
            Some(List {
                items, rest: None, ..
            }) => by_type
                .entry(kind.into())
                .or_default()
                .extend(items.iter().cloned()),
            _ => rest = rest.or_else(|| unknown_part(identifiers).as_unknown().cloned()),
        }
    }
    let anyone = |members: &Vec<Value>| {
        let mut members = members.iter();
        members.any(|member| member.as_str() == Some("*"))
    };
    if by_type.get("*").is_some_and(anyone) {
        return "*".into();
    }
    let entries = by_type
        .into_iter()
        .map(|(kind, members)| (kind, single(&Value::list(members))));
    Kind::Map(Map {
        entries: Arc::new(entries.collect()),
        rest,
    })
    .into()
}

/// `condition` blocks: test, then variable, then values.
fn conditions(blocks: &Value) -> Value {
    let Some(list) = blocks.as_list() else {
        return unknown_part(blocks);
    };
    let mut tests: BTreeMap<Arc<str>, BTreeMap<Arc<str>, Value>> = BTreeMap::new();
    let mut rest = list.rest.clone();
    for block in list.items.iter() {
        let text = |name: &str| block.get(name).and_then(Value::as_str);
        let (Some(test), Some(variable), Some(values)) =
            (text("test"), text("variable"), block.get("values"))
        else {
            rest = rest.or_else(|| unknown_part(block).as_unknown().cloned());
            continue;
        };
        let variables = tests.entry(test.into()).or_default();
        variables.insert(variable.into(), single(values));
    }
    let entries = tests
        .into_iter()
        .map(|(test, variables)| (test, Value::map(variables)));
    Kind::Map(Map {
        entries: Arc::new(entries.collect()),
        rest,
    })
    .into()
}
