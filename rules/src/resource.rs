//! The view of a resource that rules see: an address, a type, and a body of values. Nothing of
//! HCL is left here, so a plan, a state or another input kind can fill the same types.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{Span, Value};

/// What class of block rules may speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// `resource` blocks.
    Managed,
    /// `data` blocks.
    Data,
    /// `module` blocks, one for each instance; their type is the source.
    Module,
    /// `provider` blocks; their type is the provider's local name.
    Provider,
    /// `terraform` blocks, merged for each module; their type is `terraform`.
    Terraform,
    /// `variable` blocks; their type is their name.
    Variable,
    /// `output` blocks; their type is their name.
    Output,
}

impl Class {
    /// Those that are made for rules only, and so only where a rule asks for them.
    pub const ON_DEMAND: [Self; 5] = [
        Self::Module,
        Self::Provider,
        Self::Terraform,
        Self::Variable,
        Self::Output,
    ];

    /// The word with which a rule selects it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Managed => "resource",
            Self::Data => "data",
            Self::Module => "module",
            Self::Provider => "provider",
            Self::Terraform => "terraform",
            Self::Variable => "variable",
            Self::Output => "output",
        }
    }
}

/// One resource instance.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Terraform's own address: `module.a["x"].aws_s3_bucket.b[0]`; data resources have `data.`
    /// before the type.
    pub address: Arc<str>,
    /// What class of block it is.
    pub class: Class,
    /// The resource type, such as `aws_s3_bucket`.
    pub kind: Arc<str>,
    /// The block's second label.
    pub name: Arc<str>,
    /// Address of the module instance, empty for the root module.
    pub module: Arc<str>,
    /// An object of all written attributes and nested blocks. A nested block type is a list of
    /// objects, also when written once. Each attribute value, each nested block object and the
    /// body itself carries its [`Span`] in its marks. What was not written is not there.
    pub body: Value,
    /// The whole block.
    pub span: Span,
    /// Set when it is not known whether (or how often) the resource exists: its `count` or
    /// `for_each`, or that of a module above it, is unknown. It may then be judged, but it is
    /// only a "maybe" member of lists such as `related(…)`.
    pub uncertain: Option<Arc<str>>,
    /// Provider configuration that it uses (`aws`, `aws.west`), where known.
    pub provider: Option<Arc<str>>,
    /// What belongs to Terraform and not to the resource: `lifecycle` and `provisioner`, each a list
    /// of blocks; null where there is neither.
    pub meta: Value,
}

/// Everything that one root module declares, with all modules it calls.
#[derive(Clone, Debug, Default)]
pub struct Stack {
    /// The kind of input that it comes from, by its id: `terraform`, `plan`, `state`.
    pub input: &'static str,
    /// Directory of the root module, relative to the scanned root (empty = the root itself).
    pub root: Arc<str>,
    /// Another view of resources that were loaded before, as OpenTofu, a plan or a state has them: what
    /// it says of the same place again is no news.
    pub again: bool,
    /// All instances, sorted by address.
    pub resources: Vec<Resource>,
    /// Module calls that could not be resolved, by module address, with the values of their
    /// arguments: a resource whose reference appears there may have companions we cannot see.
    pub unresolved_modules: BTreeMap<Arc<str>, Value>,
    /// The blocks that call modules, by address without instance keys.
    pub calls: BTreeMap<Arc<str>, Span>,
    /// Provider configurations (`provider "aws" {}`), by local name or `name.alias`.
    pub providers: BTreeMap<Arc<str>, Value>,
}

impl Stack {
    /// The module calls that a resource comes through, outermost first.
    pub fn calls_to(&self, address: &str) -> impl Iterator<Item = &Span> {
        let bare = without_keys(address);
        let mut end = 0_usize;
        let mut calls = Vec::new();
        while bare
            .get(end..)
            .is_some_and(|rest| rest.starts_with("module."))
        {
            let start = end.saturating_add("module.".len());
            let rest = bare.get(start..).unwrap_or_default();
            let stop = start.saturating_add(rest.find('.').unwrap_or(rest.len()));
            calls.extend(self.calls.get(bare.get(..stop).unwrap_or_default()));
            end = stop.saturating_add(1);
        }
        calls.into_iter()
    }
}

/// An address without the keys of its instances and modules.
pub(crate) fn without_keys(address: &str) -> String {
    let mut bare = String::with_capacity(address.len());
    let (mut depth, mut quoted, mut escaped) = (0_u32, false, false);
    for c in address.chars() {
        let was_escaped = std::mem::take(&mut escaped);
        match c {
            '\\' if quoted && !was_escaped => escaped = true,
            '"' if depth > 0 && !was_escaped => quoted = !quoted,
            '[' if !quoted => depth = depth.saturating_add(1),
            ']' if !quoted => depth = depth.saturating_sub(1),
            _ if depth == 0 => bare.push(c),
            _ => {}
        }
    }
    bare
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_comes_through_the_calls_of_its_address() {
        let call = |file: &str| Span::first_line(file);
        let calls = [
            ("module.a", call("main.tf")),
            ("module.a.module.b", call("a.tf")),
        ];
        let stack = Stack {
            calls: calls.map(|(address, span)| (address.into(), span)).into(),
            ..Stack::default()
        };
        let files = |address| -> Vec<String> {
            let calls = stack.calls_to(address);
            calls.map(|span| span.file.to_string()).collect()
        };
        assert_eq!(
            files(r#"module.a["x.y"].module.b[0].t.n"#),
            ["main.tf", "a.tf"]
        );
        assert_eq!(files("module.a.t.module"), ["main.tf"]);
        assert_eq!(files("module.a"), ["main.tf"]);
        assert_eq!(files("module.c.t.n"), [""; 0]);
        assert_eq!(files("t.n"), [""; 0]);
    }

    #[test]
    fn keys_are_left_out_whatever_they_hold() {
        assert_eq!(
            without_keys(r#"module.a["x]\".y"].module.b[0].t.n["z"]"#),
            "module.a.module.b.t.n"
        );
        assert_eq!(without_keys("data.t.n"), "data.t.n");
    }
}
