//! The names that expressions of a module see.

use std::rc::Rc;
use std::sync::Arc;

use hcl_edit::Decorated;
use hcl_edit::expr::{Expression, TraversalOperator};

use super::{Instance, Run};
use crate::expression::{Budget, EvalError, Evaluate, Scope};
use crate::functions::Context;
use crate::value::{Kind, Origin, Type};
use crate::{Class, Value};

/// A name bound around an expression: `each`, `count`, or the iterator of a dynamic block.
pub(super) struct Binding<'a> {
    name: &'a str,
    value: &'a Value,
    parent: Option<&'a Self>,
}

impl<'a> Binding<'a> {
    pub(super) fn new(name: &'a str, value: &'a Value, parent: Option<&'a Self>) -> Self {
        Self {
            name,
            value,
            parent,
        }
    }
}

/// The names of a module instance.
pub(super) struct Names<'a> {
    pub(super) run: &'a Run<'a>,
    pub(super) instance: &'a Rc<Instance>,
    pub(super) bindings: Option<&'a Binding<'a>>,
}

type Resolved = Result<(Value, usize), EvalError>;

/// The name that a traversal reads at a place.
fn name_at(operators: &[Decorated<TraversalOperator>], place: usize) -> Option<&str> {
    match operators.get(place)?.value() {
        TraversalOperator::GetAttr(name) => Some(name.as_str()),
        _ => None,
    }
}

fn undeclared(name: String) -> Resolved {
    Err(EvalError::Undeclared(name))
}

fn named(
    root: &str,
    operators: &[Decorated<TraversalOperator>],
    read: impl FnOnce(&str) -> Option<Value>,
) -> Resolved {
    let Some(name) = name_at(operators, 0) else {
        return Err(EvalError::Type(format!("{root} needs a name after it")));
    };
    match read(name) {
        Some(value) => Ok((value, 1)),
        None => undeclared(format!("{root}.{name}")),
    }
}

impl Names<'_> {
    fn bound(&self, name: &str) -> Option<&Value> {
        let mut binding = self.bindings;
        while let Some(bound) = binding {
            if bound.name == name {
                return Some(bound.value);
            }
            binding = bound.parent;
        }
        None
    }

    fn path(&self, name: &str) -> Option<Value> {
        match name {
            "module" => Some(Value::from(&*self.instance.path)),
            // Where Terraform runs is not known; paths below it are the same from here.
            "root" | "cwd" => Some(".".into()),
            _ => None,
        }
    }

    fn terraform(&self, name: &str) -> Option<Value> {
        match (name, &self.run.options.workspace) {
            ("workspace" | "env", Some(workspace)) => Some(workspace.as_str().into()),
            // Which one is selected stands in no file.
            ("workspace" | "env", None) => {
                let origin = Origin::Function("terraform.workspace".into());
                let mut value = Value::unknown_of(Arc::new(origin), Type::String);
                if let Kind::Unknown(unknown) = &mut value.kind {
                    unknown.not_null = true;
                }
                value.edit_marks(|marks| marks.identity = Some("terraform.workspace".into()));
                Some(value)
            }
            ("applying", _) => Some(Value::unknown(Origin::Function(
                "terraform.applying".into(),
            ))),
            _ => None,
        }
    }

    fn resource(
        &self,
        mode: Class,
        kind: &str,
        operators: &[Decorated<TraversalOperator>],
        used: usize,
    ) -> Resolved {
        let prefix = if mode == Class::Data { "data." } else { "" };
        let Some(name) = name_at(operators, used) else {
            return undeclared(format!("{prefix}{kind}"));
        };
        let key = (mode, Arc::from(kind), Arc::from(name));
        match self.run.resource(self.instance, &key) {
            Some(expanded) => {
                let value = Run::reference(self.instance, &key, &expanded);
                Ok((value, used.saturating_add(1)))
            }
            None => undeclared(format!("{prefix}{kind}.{name}")),
        }
    }
}

impl Scope for Names<'_> {
    fn resolve(&self, root: &str, operators: &[Decorated<TraversalOperator>]) -> Option<Resolved> {
        let refuse = |_: &Expression| Err(EvalError::Type("no index is evaluated here".to_owned()));
        self.resolve_in(root, operators, &refuse)
    }

    fn resolve_in(
        &self,
        root: &str,
        operators: &[Decorated<TraversalOperator>],
        evaluate: Evaluate<'_>,
    ) -> Option<Resolved> {
        if let Some(value) = self.bound(root) {
            return Some(Ok((value.clone(), 0)));
        }
        let (run, instance) = (self.run, self.instance);
        Some(match root {
            "var" => named(root, operators, |name| run.variable(instance, name)),
            "local" => named(root, operators, |name| run.local(instance, name)),
            "path" => named(root, operators, |name| self.path(name)),
            "terraform" => named(root, operators, |name| self.terraform(name)),
            "module" => self.module(operators, evaluate),
            "data" => match name_at(operators, 0) {
                Some(kind) => self.resource(Class::Data, kind, operators, 1),
                None => return None,
            },
            "resource" => match name_at(operators, 0) {
                Some(kind) => self.resource(Class::Managed, kind, operators, 1),
                None => return None,
            },
            "ephemeral" => Ok((Value::unknown(Origin::Data("ephemeral".into())), 0)),
            // Only provisioners and conditions, which are not evaluated, know `self`.
            "each" | "count" | "self" => return None,
            _ if operators.is_empty() => return None,
            _ => self.resource(Class::Managed, root, operators, 0),
        })
    }

    fn budget(&self) -> Option<&Budget> {
        Some(&self.run.totals.budget)
    }

    fn hoisted(&self, name: &str) -> Option<&Expression> {
        self.instance.module.hoisted(name)
    }

    fn context(&self) -> Context<'_> {
        self.run.context()
    }
}

impl Names<'_> {
    /// `module.name`, `module.name.output` or `module.name[key].output`: only the outputs that
    /// are asked for are evaluated.
    fn module(
        &self,
        operators: &[Decorated<TraversalOperator>],
        evaluate: Evaluate<'_>,
    ) -> Resolved {
        let Some(name) = name_at(operators, 0) else {
            return undeclared("module".to_owned());
        };
        let Some(call) = self.run.call(self.instance, name) else {
            return undeclared(format!("module.{name}"));
        };
        if let Some(value) = call.unknown() {
            return Ok((value, 1));
        }
        if let Some(child) = call.single() {
            let Some(output) = name_at(operators, 1) else {
                self.run.totals.budget.spend(call.size())?;
                return Ok((self.run.outputs(child), 1));
            };
            return match self.run.output(child, output) {
                Some(value) => Ok((value, 2)),
                None => undeclared(format!("module.{name}.{output}")),
            };
        }
        let key = match operators.get(1).map(Decorated::value) {
            Some(TraversalOperator::Index(key)) => Some(evaluate(key)?),
            Some(TraversalOperator::LegacyIndex(place)) => {
                Some(rust_decimal::Decimal::from(*place.value()).into())
            }
            _ => None,
        };
        if let (Some(key), Some(output)) = (key, name_at(operators, 2))
            && let Some(child) = call.child(&key)
        {
            return match self.run.output(child, output) {
                Some(value) => Ok((call.doubt(value).marked_by(&key), 3)),
                None => undeclared(format!("module.{name}.{output}")),
            };
        }
        self.run.totals.budget.spend(call.size())?;
        Ok((call.collection(|child| self.run.outputs(child)), 1))
    }
}

/// No names at all, for files of variable values.
pub(super) struct NoNames<'a>(pub(super) &'a Run<'a>);

impl Scope for NoNames<'_> {
    fn resolve(&self, _: &str, _: &[Decorated<TraversalOperator>]) -> Option<Resolved> {
        None
    }

    fn budget(&self) -> Option<&Budget> {
        Some(&self.0.totals.budget)
    }

    fn hoisted(&self, name: &str) -> Option<&Expression> {
        self.0.given.hoisted(name)
    }

    fn context(&self) -> Context<'_> {
        self.0.context()
    }
}

impl Run<'_> {
    /// Functions see the files from the directory of the root module, as Terraform does.
    pub(super) fn context(&self) -> Context<'_> {
        Context {
            files: self.loader.files,
            directory: self.root,
            meter: &self.totals.budget,
            memory: Some(&self.totals.memory),
        }
    }

    /// All outputs of a module instance as an object.
    pub(super) fn outputs(&self, instance: &Rc<Instance>) -> Value {
        let names = instance.module.outputs.keys();
        Value::map(names.filter_map(|name| Some((name.clone(), self.output(instance, name)?))))
    }
}

/// What `each` or the iterator of a dynamic block is.
pub(super) fn pair(key: Value, value: Value) -> Value {
    Value::map([("key".into(), key), ("value".into(), value)])
}
