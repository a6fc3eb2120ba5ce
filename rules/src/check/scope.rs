//! The names a rule's expressions see: `self`, `each`, `local`, and the functions that look at
//! the stack. What was not written is null.

use std::cell::RefCell;
use std::rc::Rc;

use hcl_edit::Decorated;
use hcl_edit::expr::{Expression, TraversalOperator};

use super::relation;
use super::world::World;
use crate::expression::{Budget, EvalError, MAX_DEPTH_ALONE, Scope, evaluate};
use crate::files::{DirEntry, Files};
use crate::functions::{Context, lookup_rule};
use crate::language::Local;
use crate::value::Map;
use crate::{Class, Resource, Value};

/// A rule reads no files.
struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _path: &str) -> std::io::Result<Vec<u8>> {
        Err(std::io::ErrorKind::NotFound.into())
    }

    fn list(&self, _path: &str) -> std::io::Result<Vec<DirEntry>> {
        Err(std::io::ErrorKind::NotFound.into())
    }
}

/// Locals of one block, each evaluated when it is first used.
struct Layer<'a> {
    locals: &'a [Local],
    values: RefCell<Vec<Option<Result<Value, EvalError>>>>,
}

/// Names within one block of a rule. Blocks within blocks see the names of those around.
pub(super) struct RuleScope<'a> {
    world: &'a World<'a>,
    /// What one rule may cost for one resource.
    budget: Rc<Budget>,
    resource: Option<&'a Resource>,
    each: Option<(Value, Value)>,
    layer: Layer<'a>,
    outer: Option<&'a Self>,
}

impl<'a> RuleScope<'a> {
    /// The names of a rule as a whole.
    pub(super) fn new(world: &'a World<'a>, locals: &'a [Local]) -> Self {
        Self {
            world,
            budget: Rc::new(Budget::new(MAX_DEPTH_ALONE)),
            resource: None,
            each: None,
            layer: Layer::new(locals),
            outer: None,
        }
    }

    /// The names of a subject, with its resource.
    pub(super) fn subject(&'a self, resource: Option<&'a Resource>, locals: &'a [Local]) -> Self {
        Self {
            resource,
            budget: Rc::new(Budget::new(MAX_DEPTH_ALONE)),
            ..self.inner(None, locals)
        }
    }

    /// Evaluates one expression of the rule.
    pub(super) fn evaluate(&self, expression: &Expression) -> Result<Value, EvalError> {
        let _allowance = self.budget.expression();
        evaluate(expression, self)
    }

    /// Steps that were spent on the resource.
    pub(super) fn spent(&self) -> u64 {
        self.budget.spent()
    }

    /// The names of a check, for one member of its `for_each`.
    pub(super) fn inner(&'a self, each: Option<(Value, Value)>, locals: &'a [Local]) -> Self {
        Self {
            world: self.world,
            budget: self.budget.clone(),
            resource: self.resource,
            each,
            layer: Layer::new(locals),
            outer: Some(self),
        }
    }

    fn itself(&self, operators: &[Decorated<TraversalOperator>]) -> Option<(Value, usize)> {
        let resource = self.resource?;
        let Some(name) = attribute(operators) else {
            return Some((World::view(resource), 0));
        };
        if let Some(value) = self.beside(resource, name) {
            return Some((value, 1));
        }
        // Read past the view, whose mark must not cling to the attribute.
        let value = match resource.body.as_map() {
            Some(Map { entries, rest }) => match (entries.get(name), rest) {
                (Some(value), _) => value.clone(),
                (None, None) => Value::NULL,
                (None, Some(rest)) => Value::unknown_of(rest.origin.clone(), rest.kind.clone()),
            },
            None => resource.body.clone(),
        };
        Some((value, 1))
    }

    /// What belongs to Terraform and not to the resource: the configuration of its provider, its
    /// lifecycle and its provisioners. No resource has attributes of these names.
    fn beside(&self, resource: &Resource, name: &str) -> Option<Value> {
        let is_resource = matches!(resource.class, Class::Managed | Class::Data);
        match name {
            "provider" if is_resource => {
                let provider = self.world.provider(resource).cloned();
                Some(provider.unwrap_or(Value::NULL))
            }
            "lifecycle" | "provisioner" if is_resource => {
                let found = resource.meta.get(name).cloned();
                Some(found.unwrap_or(Value::NULL))
            }
            _ => None,
        }
    }

    fn local(&self, name: &str) -> Option<Result<Value, EvalError>> {
        let Some(place) = self.layer.locals.iter().position(|l| l.name == name) else {
            return self.outer?.local(name);
        };
        if let Some(Some(known)) = self.layer.values.borrow().get(place) {
            return Some(known.clone());
        }
        let local = self.layer.locals.get(place)?;
        let value = self.evaluate(&local.value);
        let mut values = self.layer.values.borrow_mut();
        if values.is_empty() {
            values.resize(self.layer.locals.len(), None);
        }
        if let Some(slot) = values.get_mut(place) {
            *slot = Some(value.clone());
        }
        Some(value)
    }
}

impl<'a> Layer<'a> {
    fn new(locals: &'a [Local]) -> Self {
        Self {
            locals,
            values: RefCell::new(Vec::new()),
        }
    }
}

fn attribute(operators: &[Decorated<TraversalOperator>]) -> Option<&str> {
    match operators.first()?.value() {
        TraversalOperator::GetAttr(name) => Some(name.as_str()),
        _ => None,
    }
}

impl Scope for RuleScope<'_> {
    fn resolve(
        &self,
        root: &str,
        operators: &[Decorated<TraversalOperator>],
    ) -> Option<Result<(Value, usize), EvalError>> {
        match root {
            "self" => self.itself(operators).map(Ok),
            "each" => {
                let (key, value) = self.each.as_ref()?;
                match attribute(operators)? {
                    "key" => Some(Ok((key.clone(), 1))),
                    "value" => Some(Ok((value.clone(), 1))),
                    _ => None,
                }
            }
            "local" => {
                let value = self.local(attribute(operators)?)?;
                Some(value.map(|value| (value, 1)))
            }
            _ => None,
        }
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, EvalError>> {
        if let Some(result) = relation::call(name, arguments, self.world) {
            return Some(result);
        }
        let function = lookup_rule(name)?;
        Some(
            function(arguments, &self.context()).map_err(|error| EvalError::Function {
                name: name.into(),
                error,
            }),
        )
    }

    fn budget(&self) -> Option<&Budget> {
        Some(&self.budget)
    }

    fn absent_is_null(&self) -> bool {
        true
    }

    fn context(&self) -> Context<'_> {
        Context {
            files: &NoFiles,
            directory: "",
            meter: &*self.budget,
            memory: Some(self.world.memory()),
        }
    }
}
