//! The resources of a plan, module by module: those that it will leave behind, and the data sources
//! that were read for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value as Json;

use super::body::{Body, Said};
use super::configuration::Module;
use super::{MAX_INSTANCES, MAX_MODULE_DEPTH, Reading, beside};
use crate::{Class, ProblemKind, Resource, Span, Stack};

/// What changes, by address.
type Changes<'a> = BTreeMap<&'a str, &'a Json>;

/// Adds all resources.
pub(super) fn add(
    stack: &mut Stack,
    reading: &mut Reading<'_>,
    plan: &Json,
    root: &Json,
    configuration: &Module<'_>,
) {
    let changes = plan.get("resource_changes").and_then(Json::as_array);
    let changes: Changes<'_> = changes
        .into_iter()
        .flatten()
        .filter_map(|change| Some((change.get("address")?.as_str()?, change.get("change")?)))
        .collect();
    let mut walk = Walk {
        stack,
        reading,
        changes,
        known: BTreeSet::new(),
    };
    walk.module(root, configuration, "/planned_values/root_module", 0);
    // What was read already is state, and not planned.
    if let Some(state) = plan.pointer("/prior_state/values/root_module") {
        let pointer = "/prior_state/values/root_module";
        walk.data(state, configuration, pointer, 0);
    }
}

struct Walk<'a, 'r> {
    stack: &'a mut Stack,
    reading: &'a mut Reading<'r>,
    changes: Changes<'a>,
    known: BTreeSet<String>,
}

impl Walk<'_, '_> {
    fn module(&mut self, json: &Json, module: &Module<'_>, pointer: &str, depth: usize) {
        self.each(json, module, pointer, depth, false);
    }

    fn data(&mut self, json: &Json, module: &Module<'_>, pointer: &str, depth: usize) {
        self.each(json, module, pointer, depth, true);
    }

    fn each(
        &mut self,
        json: &Json,
        module: &Module<'_>,
        pointer: &str,
        depth: usize,
        only_data: bool,
    ) {
        if depth > MAX_MODULE_DEPTH {
            let cause = format!("more than {MAX_MODULE_DEPTH} modules within each other");
            return self.reading.warn(ProblemKind::Limit, &cause);
        }
        let resources = json.get("resources").and_then(Json::as_array);
        for (place, resource) in resources.into_iter().flatten().enumerate() {
            if self.stack.resources.len() >= MAX_INSTANCES {
                let cause = format!("only {MAX_INSTANCES} resources of a plan are judged");
                return self.reading.warn(ProblemKind::Limit, &cause);
            }
            let is_data = text(resource, "mode") == "data";
            if is_data || !only_data {
                self.resource(resource, module, &format!("{pointer}/resources/{place}"));
            }
        }
        let children = json.get("child_modules").and_then(Json::as_array);
        for (place, child) in children.into_iter().flatten().enumerate() {
            let address = text(child, "address");
            let call = address.get(module.address.len()..).unwrap_or_default();
            let call = call.trim_start_matches('.');
            let call = call.strip_prefix("module.").unwrap_or(call);
            let call = call.split('[').next().unwrap_or(call);
            let called = module.called(call, address);
            let pointer = format!("{pointer}/child_modules/{place}");
            self.each(child, &called, &pointer, depth.saturating_add(1), only_data);
        }
    }

    fn resource(&mut self, json: &Json, module: &Module<'_>, pointer: &str) {
        let address = text(json, "address");
        let (mode, kind, name) = (text(json, "mode"), text(json, "type"), text(json, "name"));
        if address.is_empty() || kind.is_empty() {
            let cause = format!("{pointer} is a resource without an address or a type");
            return self.reading.warn(ProblemKind::Syntax, &cause);
        }
        if !self.known.insert(address.to_owned()) {
            return; // planned, and in the state as well
        }
        let block = module.resource(mode, kind, name);
        let written = self.reading.sources.find(&self.reading.root, address);
        let said = Said {
            value: json.get("values"),
            unknown: self
                .changes
                .get(address)
                .and_then(|change| change.get("after_unknown")),
            sensitive: json.get("sensitive_values"),
            expression: block.and_then(|block| block.get("expressions")),
            code: written.map(|written| &written.body),
        };
        let body = Body {
            module,
            file: &self.reading.path,
            written: written.map(|written| &written.span),
            address,
        };
        let span = match written {
            Some(written) => written.span.clone(),
            None => Span::at_pointer(Arc::clone(&self.reading.path), pointer),
        };
        let values = format!("{pointer}/values");
        let value = body.object(said, &values).with_span(span.clone());
        let provider = block.and_then(|block| block.get("provider_config_key"));
        let provider = provider.and_then(Json::as_str);
        let provider = provider.map(|key| key.rsplit(':').next().unwrap_or(key));
        self.stack.resources.push(Resource {
            address: address.into(),
            class: if mode == "data" {
                Class::Data
            } else {
                Class::Managed
            },
            kind: kind.into(),
            name: name.into(),
            module: module.address.as_str().into(),
            body: value,
            span,
            uncertain: None,
            provider: provider.map(Arc::from),
            meta: match written {
                Some(written) => written.meta.clone(),
                None => beside::meta(block),
            },
        });
    }
}

fn text<'j>(json: &'j Json, key: &str) -> &'j str {
    json.get(key).and_then(Json::as_str).unwrap_or_default()
}
