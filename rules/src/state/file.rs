//! The state file itself, format version 4 (`internal/states/statefile` of Terraform): resources in
//! one list, each with its instances.

use serde_json::{Map, Value as Json};

use super::{Instance, key};

/// All instances, and what could not be read.
pub(super) fn instances(state: &Json) -> (Vec<Instance<'_>>, Vec<String>) {
    let (mut all, mut causes) = (Vec::new(), Vec::new());
    let Some(resources) = state.get("resources").and_then(Json::as_array) else {
        return (all, vec!["the state has no list of resources".to_owned()]);
    };
    for (place, resource) in resources.iter().enumerate() {
        let text = |name: &str| resource.get(name).and_then(Json::as_str);
        let found = (text("mode"), text("type"), text("name"));
        let (Some(mode), Some(kind), Some(name)) = found else {
            causes.push(format!("/resources/{place} has no mode, type or name"));
            continue;
        };
        let Some(found) = resource.get("instances").and_then(Json::as_array) else {
            causes.push(format!("/resources/{place} has no list of instances"));
            continue;
        };
        for (number, instance) in found.iter().enumerate() {
            if instance.get("deposed").is_some() {
                continue; // replaced already, and deleted by the next run
            }
            let pointer = format!("/resources/{place}/instances/{number}/attributes");
            let Some(values) = instance.get("attributes").filter(|found| found.is_object()) else {
                causes.push(format!("{pointer} is not there"));
                continue;
            };
            all.push(Instance {
                module: text("module").unwrap_or_default().to_owned(),
                mode,
                kind,
                name,
                key: key(instance.get("index_key")),
                values,
                sensitive: sensitive(instance.get("sensitive_attributes"), values),
                pointer,
            });
        }
    }
    (all, causes)
}

/// The marks, from paths to the shape of the values. A path that leads nowhere marks nothing, since
/// nothing is there.
fn sensitive(paths: Option<&Json>, values: &Json) -> Option<Json> {
    let paths = paths.and_then(Json::as_array)?;
    let mut marks = Json::Object(Map::new());
    for path in paths.iter().filter_map(Json::as_array) {
        mark(&mut marks, values, path);
    }
    Some(marks)
}

fn mark(marks: &mut Json, values: &Json, path: &[Json]) {
    let Some((step, rest)) = path.split_first() else {
        *marks = Json::Bool(true);
        return;
    };
    let step = step.get("value");
    // An index is an object with a type and a value of its own.
    let step = step.map(|step| step.get("value").unwrap_or(step));
    match step {
        Some(Json::String(name)) => {
            if let Some(values) = values.get(name)
                && let Some(below) = entered(marks, Json::Object(Map::new()), |marks| {
                    let entry = marks.as_object_mut()?.entry(name.clone());
                    Some(entry.or_insert(Json::Null))
                })
            {
                mark(below, values, rest);
            }
        }
        Some(Json::Number(number)) => {
            let place = number
                .as_u64()
                .and_then(|place| usize::try_from(place).ok());
            let length = values.as_array().map_or(0, Vec::len);
            if let Some(place) = place.filter(|place| *place < length) {
                let empty = Json::Array(vec![Json::Null; length]);
                if let (Some(values), Some(below)) = (
                    values.get(place),
                    entered(marks, empty, |marks| marks.get_mut(place)),
                ) {
                    mark(below, values, rest);
                }
            }
        }
        // A step that is not understood hides everything from here on.
        _ => *marks = Json::Bool(true),
    }
}

/// The mark below one, which becomes a collection first if nothing is marked there yet. `None` if all
/// of it is marked already.
fn entered<'m>(
    marks: &'m mut Json,
    empty: Json,
    below: impl FnOnce(&'m mut Json) -> Option<&'m mut Json>,
) -> Option<&'m mut Json> {
    if marks.is_null() {
        *marks = empty;
    }
    if marks.is_boolean() {
        return None;
    }
    below(marks)
}
