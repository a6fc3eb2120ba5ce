//! What a plan's configuration says beside resources: providers, module calls, variables and
//! outputs. Only what is written out as a constant is known; settings are not part of a plan.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;

use super::Reading;
use super::body::{Body, Said, escaped};
use super::configuration::Module;
use crate::value::Origin;
use crate::{Class, Resource, Span, Stack, Value};

/// Provider configurations, by local name or `name.alias`.
pub(super) fn providers(plan: &Json, file: &Arc<str>) -> BTreeMap<Arc<str>, Value> {
    let mut all = BTreeMap::new();
    let found = plan.pointer("/configuration/provider_config");
    for (key, provider) in found.and_then(Json::as_object).into_iter().flatten() {
        let pointer = format!(
            "/configuration/provider_config/{}/expressions",
            escaped(key)
        );
        let value = written(provider.get("expressions"), file, &pointer);
        let name = provider.get("name").and_then(Json::as_str).unwrap_or(key);
        let name = match provider.get("alias").and_then(Json::as_str) {
            Some(alias) => format!("{name}.{alias}"),
            None => name.to_owned(),
        };
        all.insert(name.into(), value);
    }
    all
}

/// Adds the classes that rules ask for.
pub(super) fn add(stack: &mut Stack, reading: &Reading<'_>, plan: &Json, classes: &[Class]) {
    let root = "/configuration/root_module";
    for class in classes {
        let (pointer, part) = match class {
            Class::Module => (format!("{root}/module_calls"), "expressions"),
            Class::Provider => ("/configuration/provider_config".to_owned(), "expressions"),
            Class::Variable => (format!("{root}/variables"), ""),
            Class::Output => (format!("{root}/outputs"), ""),
            Class::Managed | Class::Data | Class::Terraform => continue,
        };
        let found = plan.pointer(&pointer).and_then(Json::as_object);
        for (name, json) in found.into_iter().flatten() {
            let pointer = format!("{pointer}/{}", escaped(name));
            let parts = if part.is_empty() {
                Some(json)
            } else {
                json.get(part)
            };
            let mut body = written(parts, &reading.path, &pointer);
            let source = json.get("source").and_then(Json::as_str);
            if let Some(source) = source {
                body = with(&body, "source", source.into());
            }
            let (kind, address) = match class {
                Class::Module => (source.unwrap_or_default(), format!("module.{name}")),
                Class::Variable => (name.as_str(), format!("var.{name}")),
                Class::Output => (name.as_str(), format!("output.{name}")),
                _ => {
                    let kind = json.get("name").and_then(Json::as_str).unwrap_or(name);
                    (kind, format!("provider.{name}"))
                }
            };
            let span = Span::at_pointer(Arc::clone(&reading.path), pointer.as_str());
            stack.resources.push(Resource {
                address: address.into(),
                class: *class,
                kind: kind.into(),
                name: name.as_str().into(),
                module: "".into(),
                body: body.with_span(span.clone()),
                span,
                uncertain: None,
                provider: None,
                meta: Value::NULL,
            });
        }
    }
}

/// What belongs to Terraform and not to the resource: a plan has the provisioners of a block and
/// leaves out its lifecycle.
pub(crate) fn meta(block: Option<&Json>) -> Value {
    let lifecycle = Value::unknown(Origin::Failed("lifecycle".into()));
    let mut all = BTreeMap::from([(Arc::from("lifecycle"), lifecycle)]);
    let found = block.and_then(|block| block.get("provisioners"));
    let provisioners = found.and_then(Json::as_array).into_iter().flatten();
    let provisioners: Vec<Value> = provisioners
        .map(|provisioner| {
            let kind = provisioner.get("type").and_then(Json::as_str);
            let kind = kind.map_or(Value::NULL, Value::from);
            Value::map(BTreeMap::from([(Arc::from("type"), kind)]))
        })
        .collect();
    if !provisioners.is_empty() {
        all.insert("provisioner".into(), Value::list(provisioners));
    }
    Value::map(all)
}

fn with(body: &Value, name: &str, value: Value) -> Value {
    let entries = body.as_map().map(|map| map.entries.clone());
    let mut entries = Arc::unwrap_or_clone(entries.unwrap_or_default());
    entries.insert(name.into(), value);
    Value::map(entries)
}

/// Expressions as values: constants are known, and the rest depends on what it refers to.
fn written(expressions: Option<&Json>, file: &Arc<str>, pointer: &str) -> Value {
    let Some(Json::Object(all)) = expressions else {
        return Value::map([]);
    };
    let entries = all.iter().map(|(name, json)| {
        let place = format!("{pointer}/{}", escaped(name));
        let value =
            match json {
                Json::Object(object) if object.contains_key("constant_value") => {
                    constant(object.get("constant_value"), file, &place)
                }
                Json::Object(object) if object.contains_key("references") => {
                    Value::unknown(Origin::Failed(name.as_str().into()))
                }
                Json::Array(items) => {
                    let items = items.iter().enumerate();
                    Value::list(items.map(|(number, item)| {
                        written(Some(item), file, &format!("{place}/{number}"))
                    }))
                }
                Json::Object(_) => Value::list([written(Some(json), file, &place)]),
                other => constant(Some(other), file, &place),
            };
        let span = Span::at_pointer(Arc::clone(file), place);
        (Arc::from(name.as_str()), value.with_span(span))
    });
    Value::map(entries)
}

fn constant(json: Option<&Json>, file: &Arc<str>, pointer: &str) -> Value {
    let module = Module::root(&Json::Null);
    let body = Body {
        module: &module,
        file,
        written: None,
        address: "",
    };
    let said = Said {
        value: json,
        ..Said::default()
    };
    body.plain(said, pointer)
}
