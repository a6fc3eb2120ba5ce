//! The configuration that a plan brings along: which attributes are written, and what they refer
//! to. References of a module lead through its variables to its caller, and through outputs into
//! the modules that it calls; locals are not part of a plan, so that what goes through one is lost.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::MAX_MODULE_DEPTH;

/// A module of the configuration, as one instance of it is called.
#[derive(Clone)]
pub(crate) struct Module<'a> {
    json: Option<&'a Json>,
    /// Address of the instance, empty for the root.
    pub(super) address: String,
    /// The caller, and the arguments of the call.
    caller: Option<(&'a Self, Option<&'a Json>)>,
    depth: usize,
}

/// What names the instance that a block is evaluated for.
const REPEATED: [&str; 2] = ["each.key", "count.index"];

/// What a reference leads to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Reference {
    /// Address of the resource, with the keys that are written.
    pub(super) address: String,
    /// Path of what is read, from the root module.
    pub(super) path: String,
}

/// All that an expression refers to.
#[derive(Debug, Default)]
pub(super) struct References {
    /// Resources.
    pub(super) all: BTreeSet<Reference>,
    /// Something whose own references the plan does not tell.
    pub(super) is_opaque: bool,
}

impl<'a> Module<'a> {
    pub(crate) fn root(plan: &'a Json) -> Self {
        Self {
            json: plan.pointer("/configuration/root_module"),
            address: String::new(),
            caller: None,
            depth: 0,
        }
    }

    /// The module that a call of this one leads to, as the instance at an address.
    pub(super) fn called<'m>(&'m self, call: &str, address: &str) -> Module<'m>
    where
        'a: 'm,
    {
        let found = self.call(call);
        Module {
            json: found.and_then(|call| call.get("module")),
            address: address.to_owned(),
            caller: Some((self, found.and_then(|call| call.get("expressions")))),
            depth: self.depth.saturating_add(1),
        }
    }

    fn call(&self, name: &str) -> Option<&'a Json> {
        self.json?.get("module_calls")?.get(name)
    }

    /// The block of a resource.
    pub(super) fn resource(&self, mode: &str, kind: &str, name: &str) -> Option<&'a Json> {
        let resources = self.json?.get("resources")?.as_array()?;
        let is = |resource: &Json, key: &str, wanted: &str| {
            resource.get(key).and_then(Json::as_str) == Some(wanted)
        };
        resources.iter().find(|resource| {
            is(resource, "mode", mode) && is(resource, "type", kind) && is(resource, "name", name)
        })
    }

    /// What an expression refers to, in the instance of a block with this key (`["a"]`, `[0]`).
    ///
    /// Of `x.y[each.key].id` a plan says `x.y` and `each.key`: whoever names both means the instance
    /// of the same key.
    pub(super) fn references(&self, expression: Option<&Json>, key: &str) -> References {
        let mut found = References::default();
        self.collect(expression, &mut found, 0);
        let list = expression.and_then(|expression| expression.get("references"));
        let texts = list.and_then(Json::as_array).into_iter().flatten();
        let mut texts = texts.filter_map(Json::as_str);
        if !key.is_empty() && texts.any(|text| REPEATED.contains(&text)) {
            let all = std::mem::take(&mut found.all).into_iter();
            found.all = all
                .map(|reference| {
                    if reference.path != reference.address || reference.address.ends_with(']') {
                        return reference;
                    }
                    let address = format!("{}{key}", reference.address);
                    Reference {
                        path: format!("{address}.*"),
                        address,
                    }
                })
                .collect();
        }
        found
    }

    fn collect(&self, expression: Option<&Json>, found: &mut References, depth: usize) {
        let list = expression.and_then(|expression| expression.get("references"));
        let list = list.and_then(Json::as_array);
        let texts: Vec<&str> = list
            .into_iter()
            .flatten()
            .filter_map(Json::as_str)
            .collect();
        if depth > MAX_MODULE_DEPTH {
            found.is_opaque = true;
            return;
        }
        for text in &texts {
            // Beside `a.b.c` stand its beginnings, `a.b`, which say no more.
            let more = |other: &&str| {
                let rest = other.strip_prefix(text);
                rest.is_some_and(|rest| rest.starts_with(['.', '[']))
            };
            if !texts.iter().any(more) {
                self.follow(text, found, depth.saturating_add(1));
            }
        }
    }

    fn follow(&self, reference: &str, found: &mut References, depth: usize) {
        let mut parts = reference.split('.');
        match (parts.next(), parts.next()) {
            (Some("var"), Some(name)) => {
                let name = name.split('[').next().unwrap_or(name);
                if let Some((caller, arguments)) = self.caller {
                    let argument = arguments.and_then(|arguments| arguments.get(name));
                    caller.collect(argument, found, depth);
                }
            }
            (Some("module"), Some(call)) => {
                let bare = call.split('[').next().unwrap_or(call);
                let output = parts.next().map(|output| output.split('[').next());
                let called = self.call(bare).and_then(|call| call.get("module"));
                let address = self.named(&format!("module.{call}"));
                let child = self.called(bare, &address);
                let outputs = called.and_then(|module| module.get("outputs"));
                match output.flatten().and_then(|name| outputs?.get(name)) {
                    Some(output) => child.collect(output.get("expression"), found, depth),
                    None => found.is_opaque = true,
                }
            }
            (Some("local"), _) => found.is_opaque = true,
            (Some("each" | "count" | "path" | "self" | "terraform" | "ephemeral"), _) => {}
            (Some("data"), Some(kind)) => {
                if let Some(name) = parts.next() {
                    self.resource_at(&format!("data.{kind}.{name}"), reference, found);
                }
            }
            (Some(kind), Some(name)) => {
                self.resource_at(&format!("{kind}.{name}"), reference, found);
            }
            _ => found.is_opaque = true,
        }
    }

    fn resource_at(&self, address: &str, path: &str, found: &mut References) {
        found.all.insert(Reference {
            address: self.named(address),
            path: self.named(path),
        });
    }

    fn named(&self, name: &str) -> String {
        if self.address.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.address)
        }
    }
}
