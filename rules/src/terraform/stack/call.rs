//! Module calls: where a module's source lies, and one instance per key.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use hcl_edit::expr::Expression;

use super::super::source::Block;
use super::repetition::{Key, Repetition, each, keyed};
use super::{
    Binding, Caller, Instance, MAX_MODULE_DEPTH, MAX_MODULES, MODULE_STEPS, NAME_STEPS, Run, failed,
};
use crate::files;
use crate::functions::convert::to_string;
use crate::resource::without_keys;
use crate::value::{Kind, Origin, Type};
use crate::{ProblemKind, ProblemSeverity, Value};

/// Arguments of a call that are not inputs of the module.
const META: [&str; 8] = [
    "source",
    "version",
    "count",
    "for_each",
    "providers",
    "depends_on",
    "lifecycle",
    "provider",
];

/// Instances of an unresolved module whose arguments are looked at.
const MAX_UNRESOLVED: usize = 1_000;

/// A module call with its instances.
pub(super) enum Call {
    /// The module is not there, or its call is wrong.
    Unknown(Value),
    /// The module was found.
    Found {
        repetition: Repetition,
        instances: Vec<(Option<Key>, Rc<Instance>)>,
    },
}

impl Call {
    pub(super) fn instances(&self) -> &[(Option<Key>, Rc<Instance>)] {
        match self {
            Self::Unknown(_) => &[],
            Self::Found { instances, .. } => instances,
        }
    }

    /// Outputs of all instances: what it costs to build them all.
    pub(super) fn size(&self) -> u64 {
        let outputs = self.instances().iter().map(|(_, instance)| {
            let outputs = instance.module.outputs.len();
            u64::try_from(outputs).unwrap_or(u64::MAX).saturating_add(1)
        });
        outputs.fold(0, u64::saturating_add)
    }

    pub(super) fn unknown(&self) -> Option<Value> {
        match self {
            Self::Unknown(value) => Some(value.clone()),
            Self::Found { .. } => None,
        }
    }

    /// The only instance of a call without `count` and `for_each`.
    pub(super) fn single(&self) -> Option<&Rc<Instance>> {
        match self {
            Self::Found {
                repetition: Repetition::Single,
                instances,
            } => instances.first().map(|(_, instance)| instance),
            _ => None,
        }
    }

    /// The instance of a key; the one that stands for all where their number is unknown.
    pub(super) fn child(&self, key: &Value) -> Option<&Rc<Instance>> {
        let Self::Found {
            repetition,
            instances,
        } = self
        else {
            return None;
        };
        if matches!(repetition, Repetition::Unknown(_)) {
            return instances.first().map(|(_, instance)| instance);
        }
        let text = to_string(key).ok()?;
        let text = text.as_str()?;
        let matches = |own: &Option<Key>| match own {
            Some(Key::Name(name)) => &**name == text,
            Some(Key::Index(index)) => text.parse() == Ok(*index),
            None => false,
        };
        let found = instances.iter().find(|(own, _)| matches(own));
        found.map(|(_, instance)| instance)
    }

    /// A value read from an instance that stands for an unknown number of them.
    pub(super) fn doubt(&self, value: Value) -> Value {
        match self {
            Self::Found {
                repetition: Repetition::Unknown(origin),
                ..
            } => Value::unknown_of(origin.clone(), Type::Any).marked_by(&value),
            _ => value,
        }
    }

    /// All instances, each as `outputs` gives it.
    pub(super) fn collection(&self, outputs: impl Fn(&Rc<Instance>) -> Value) -> Value {
        let (repetition, instances) = match self {
            Self::Unknown(value) => return value.clone(),
            Self::Found {
                repetition,
                instances,
            } => (repetition, instances),
        };
        match repetition {
            Repetition::Single => instances
                .first()
                .map_or(Value::NULL, |(_, instance)| outputs(instance)),
            Repetition::Count => {
                Value::list(instances.iter().map(|(_, instance)| outputs(instance)))
            }
            Repetition::Each(rest) => {
                let entries = instances.iter().filter_map(|(key, instance)| match key {
                    Some(Key::Name(key)) => Some((key.clone(), outputs(instance))),
                    _ => None,
                });
                each(entries, rest.as_ref())
            }
            Repetition::Unknown(origin) => {
                let value = Value::unknown_of(origin.clone(), Type::Any);
                instances.iter().fold(value, |value, (_, instance)| {
                    let Kind::Map(map) = outputs(instance).kind else {
                        return value;
                    };
                    let outputs = map.entries.values();
                    outputs.fold(value, Value::marked_by)
                })
            }
        }
    }
}

impl Run<'_> {
    /// A module call, resolved once; `None` if it is not declared.
    pub(super) fn call(&self, instance: &Rc<Instance>, name: &str) -> Option<Rc<Call>> {
        if let Some(call) = instance.calls.borrow().get(name) {
            return Some(call.clone());
        }
        let (name, block) = instance.module.calls.get_key_value(name)?;
        let address = instance.named(&format!("module.{name}"));
        let mut called = self.called.borrow_mut();
        let known = called.entry(without_keys(&address).into());
        known.or_insert_with(|| block.span.clone());
        drop(called);
        let call = self
            .once(address.clone(), &block.span, instance.depth, || {
                self.open_call(instance, name, block, &address)
            })
            .unwrap_or_else(|| Call::Unknown(failed(address)));
        let call = Rc::new(call);
        let mut calls = instance.calls.borrow_mut();
        calls.insert(name.clone(), call.clone());
        Some(call)
    }

    fn open_call(
        &self,
        instance: &Rc<Instance>,
        name: &Arc<str>,
        block: &Block,
        address: &str,
    ) -> Call {
        let trail = if instance.trail.is_empty() {
            name.to_string()
        } else {
            format!("{}.{name}", instance.trail)
        };
        let missing = |kind, severity, cause: String| {
            self.problem(
                kind,
                severity,
                &block.span,
                format!("module {name}: {cause}"),
            );
            let address: Arc<str> = address.into();
            let mut calls = self.totals.unresolved.borrow_mut();
            calls.insert(block.span.clone());
            let mut value = Value::unknown(Origin::Module(address.clone()));
            value.edit_marks(|marks| marks.identity = Some(address));
            Call::Unknown(value)
        };
        let not_found = |cause: String| {
            let severity = ProblemSeverity::Warning;
            missing(ProblemKind::ModuleNotFound, severity, cause)
        };
        let source = match block.body.attribute("source").map(|it| &it.expression) {
            Some(Expression::String(source)) => source.as_str(),
            _ => return not_found("its source is not a literal string".to_owned()),
        };
        let directory = match source_directory(&instance.directory, source) {
            SourcePath::Local(directory) => Some(directory),
            SourcePath::Outside => None,
            SourcePath::Remote => self.manifest.get(&trail).cloned(),
        };
        let Some((directory, module)) = directory
            .and_then(|directory| Some((directory.clone(), self.loader.module(&directory)?)))
        else {
            return not_found(format!("\"{source}\" is not in the scanned directory"));
        };
        let real = self.loader.real(&directory);
        if calls_itself(instance, &real) {
            let severity = ProblemSeverity::Error;
            let cause = format!("\"{source}\" contains this call");
            return missing(ProblemKind::ModuleCycle, severity, cause);
        }
        if instance.depth >= MAX_MODULE_DEPTH {
            let severity = ProblemSeverity::Warning;
            let cause = format!("modules are nested more than {MAX_MODULE_DEPTH} deep");
            return missing(ProblemKind::Limit, severity, cause);
        }
        let names = self.names(instance, None);
        let (repetition, turns) = self.turns(&names, &block.body, address);
        let modules = self.modules.get().saturating_add(turns.len());
        if modules > MAX_MODULES {
            let severity = ProblemSeverity::Warning;
            let cause = format!("there are more than {MAX_MODULES} module instances");
            return missing(ProblemKind::Limit, severity, cause);
        }
        self.modules.set(modules);
        let each = names_of(&module)
            .saturating_mul(NAME_STEPS)
            .saturating_add(MODULE_STEPS);
        let count = u64::try_from(turns.len()).unwrap_or(u64::MAX);
        if !self.totals.budget.buy(each.saturating_mul(count)) {
            let severity = ProblemSeverity::Warning;
            let cause = "its instances cost more steps than the stack has left".to_owned();
            return missing(ProblemKind::Limit, severity, cause);
        }
        let mut resolved = self.totals.resolved.borrow_mut();
        resolved.insert(block.span.clone());
        drop(resolved);
        self.check_arguments(block, name, &module);
        let path: Arc<str> = relative(self.root, &directory).into();
        let children = turns.into_iter().map(|turn| {
            let child = Instance {
                module: module.clone(),
                directory: directory.clone(),
                real: real.clone(),
                path: path.clone(),
                address: keyed(address, turn.key.as_ref()),
                trail: trail.clone(),
                caller: Some(Caller {
                    instance: instance.clone(),
                    call: name.clone(),
                    repetition: turn.binding,
                }),
                uncertain: instance.uncertain.clone().or(turn.uncertain),
                depth: instance.depth.saturating_add(1),
                variables: RefCell::default(),
                locals: RefCell::default(),
                outputs: RefCell::default(),
                resources: RefCell::default(),
                calls: RefCell::default(),
            };
            (turn.key, Rc::new(child))
        });
        Call::Found {
            repetition,
            instances: children.collect(),
        }
    }

    /// Keeps what a module was given that cannot be resolved. Not evaluated with the call: two
    /// modules may use each other's outputs without a circle.
    pub(super) fn unresolved_arguments(&self, instance: &Rc<Instance>, name: &str) {
        let Some(block) = instance.module.calls.get(name) else {
            return;
        };
        let address = instance.named(&format!("module.{name}"));
        let names = self.names(instance, None);
        let (_, turns) = self.turns(&names, &block.body, &address);
        let arguments = turns.iter().take(MAX_UNRESOLVED).map(|turn| {
            let binding = turn
                .binding
                .as_ref()
                .map(|(name, value)| Binding::new(name, value, None));
            let names = self.names(instance, binding.as_ref());
            Value::from(self.body(&names, &block.body, &META))
        });
        let arguments = Value::list(arguments.collect::<Vec<_>>());
        let mut unresolved = self.unresolved.borrow_mut();
        unresolved.insert(address.into(), arguments);
    }

    fn check_arguments(&self, block: &Block, name: &str, module: &super::Module) {
        for argument in &block.body.attributes {
            let known =
                META.contains(&&*argument.name) || module.variables.contains_key(&argument.name);
            if !known {
                let cause = format!("module {name} has no variable {}", argument.name);
                let severity = ProblemSeverity::Error;
                self.problem(ProblemKind::Undeclared, severity, &argument.span, cause);
            }
        }
    }
}

/// How many names a module declares.
fn names_of(module: &super::Module) -> u64 {
    let names = [
        module.variables.len(),
        module.locals.len(),
        module.outputs.len(),
        module.resources.len(),
        module.calls.len(),
    ];
    let names = names.into_iter().fold(0, usize::saturating_add);
    u64::try_from(names).unwrap_or(u64::MAX)
}

fn calls_itself(instance: &Rc<Instance>, directory: &str) -> bool {
    let mut ancestor = Some(instance);
    while let Some(current) = ancestor {
        if current.real == directory {
            return true;
        }
        ancestor = current.caller.as_ref().map(|caller| &caller.instance);
    }
    false
}

/// What a module's source names.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::terraform) enum SourcePath {
    /// A directory of the scanned root.
    Local(String),
    /// A directory outside of it.
    Outside,
    /// A registry, a repository, an archive.
    Remote,
}

/// Tells paths from other sources, as Terraform does by their beginning.
pub(in crate::terraform) fn source_directory(base: &str, source: &str) -> SourcePath {
    let source = source.trim();
    let is_local = source == "."
        || source == ".."
        || [r"./", r"../", r".\", r"..\"]
            .iter()
            .any(|start| source.starts_with(start));
    if !is_local {
        return SourcePath::Remote;
    }
    match files::join(base, &source.replace('\\', "/")) {
        Some(directory) => SourcePath::Local(directory),
        None => SourcePath::Outside,
    }
}

/// The path from one directory to another, as `path.module` gives it.
fn relative(from: &str, to: &str) -> String {
    let parts = |path: &str| -> Vec<String> {
        let parts = path.split('/').filter(|part| !part.is_empty());
        parts.map(ToOwned::to_owned).collect()
    };
    let (from, to) = (parts(from), parts(to));
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = from.len().saturating_sub(common);
    let mut path = vec!["..".to_owned(); up];
    path.extend(to.into_iter().skip(common));
    if path.is_empty() {
        ".".to_owned()
    } else {
        path.join("/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_from_the_root_module() {
        assert_eq!(relative("", ""), ".");
        assert_eq!(relative("", "a/b"), "a/b");
        assert_eq!(relative("envs/dev", "modules/x"), "../../modules/x");
        assert_eq!(relative("envs/dev", "envs/dev/x"), "x");
    }

    #[test]
    fn only_paths_are_local_sources() {
        assert_eq!(
            source_directory("a", "./b"),
            SourcePath::Local("a/b".into())
        );
        assert_eq!(source_directory("a", "../.."), SourcePath::Outside);
        assert_eq!(source_directory("a", "b/c/aws"), SourcePath::Remote);
        assert_eq!(
            source_directory("a", "git::https://x/y"),
            SourcePath::Remote
        );
    }
}
