//! What `terraform show -json` makes of a state: modules within modules, each with its resources.

use serde_json::Value as Json;

use super::{Instance, key};
use crate::plan::MAX_MODULE_DEPTH;

/// All instances, and what could not be read.
pub(super) fn instances(values: &Json) -> (Vec<Instance<'_>>, Vec<String>) {
    let mut found = (Vec::new(), Vec::new());
    if let Some(root) = values.get("root_module") {
        module(root, "", "/values/root_module", 0, &mut found);
    }
    found
}

fn module<'a>(
    json: &'a Json,
    address: &str,
    pointer: &str,
    depth: usize,
    found: &mut (Vec<Instance<'a>>, Vec<String>),
) {
    if depth > MAX_MODULE_DEPTH {
        let cause = format!("more than {MAX_MODULE_DEPTH} modules within each other");
        found.1.push(cause);
        return;
    }
    let list = |name: &str| json.get(name).and_then(Json::as_array);
    for (place, resource) in list("resources").into_iter().flatten().enumerate() {
        let text = |name: &str| resource.get(name).and_then(Json::as_str);
        let named = (text("mode"), text("type"), text("name"));
        let (Some(mode), Some(kind), Some(name)) = named else {
            let cause = format!("{pointer}/resources/{place} has no mode, type or name");
            found.1.push(cause);
            continue;
        };
        if resource.get("deposed_key").is_some() {
            continue; // replaced already, and deleted by the next run
        }
        let Some(values) = resource.get("values").filter(|values| values.is_object()) else {
            let cause = format!("{pointer}/resources/{place} has no values");
            found.1.push(cause);
            continue;
        };
        found.0.push(Instance {
            module: address.to_owned(),
            mode,
            kind,
            name,
            key: key(resource.get("index")),
            values,
            sensitive: resource.get("sensitive_values").cloned(),
            pointer: format!("{pointer}/resources/{place}/values"),
        });
    }
    for (place, child) in list("child_modules").into_iter().flatten().enumerate() {
        let pointer = format!("{pointer}/child_modules/{place}");
        match child.get("address").and_then(Json::as_str) {
            Some(address) => module(child, address, &pointer, depth.saturating_add(1), found),
            None => found.1.push(format!("{pointer} has no address")),
        }
    }
}
