//! Evaluates one root module with all modules it calls.
//!
//! Values are evaluated when something asks for them and kept, so order of declaration does not
//! matter and a circle is found where it closes. One [`Run`] owns the budget, the problems and
//! the results of a stack; an [`Instance`] is one module with one set of inputs.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use super::Options;
use super::eval::{Budget, EvalError, MAX_DEPTH, evaluate};
use super::loader::Loader;
use super::module::{Module, ResourceName};
use super::source::Attribute;
use crate::functions::FunctionError;
use crate::value::Origin;
use crate::{Problem, ProblemKind, ProblemSeverity, Resource, Span, Stack, Value};

mod body;
mod call;
mod repetition;
mod resource;
mod scope;
mod values;

use call::Call;
pub(super) use call::{SourcePath, source_directory};
use resource::Expanded;
use scope::{Binding, Names};

/// Instances of one resource or module call.
pub const MAX_INSTANCES: usize = 10_000;

/// Resource instances of one stack.
pub const MAX_STACK_INSTANCES: usize = 100_000;

/// Module instances of one stack.
pub const MAX_MODULES: usize = 20_000;

/// Modules that call modules.
pub const MAX_MODULE_DEPTH: usize = 64;

/// The shortest part of a sensitive text that is looked for in messages.
const MIN_SECRET: usize = 3;

/// Sensitive texts that are looked for in messages; with more, messages tell no details.
const MAX_SECRETS: usize = 1_000;

/// The evaluation of one stack.
pub(super) struct Run<'a> {
    loader: &'a Loader<'a>,
    options: &'a Options,
    root: &'a str,
    budget: Budget,
    manifest: BTreeMap<String, String>,
    given: BTreeMap<Arc<str>, Attribute>,
    problems: RefCell<BTreeSet<Problem>>,
    active: RefCell<Vec<Active>>,
    resources: RefCell<Vec<Resource>>,
    unresolved: RefCell<BTreeMap<Arc<str>, Value>>,
    secrets: RefCell<BTreeSet<Arc<str>>>,
    modules: Cell<usize>,
}

/// A module with one set of inputs.
pub(super) struct Instance {
    module: Rc<Module>,
    directory: String,
    /// `path.module`: from the directory of the root module.
    path: Arc<str>,
    address: Arc<str>,
    /// Names of the calls that lead here, as in the manifest of installed modules.
    trail: String,
    caller: Option<Caller>,
    uncertain: Option<Arc<str>>,
    depth: usize,
    variables: RefCell<BTreeMap<Arc<str>, Value>>,
    locals: RefCell<BTreeMap<Arc<str>, Value>>,
    outputs: RefCell<BTreeMap<Arc<str>, Value>>,
    resources: RefCell<BTreeMap<ResourceName, Rc<Expanded>>>,
    calls: RefCell<BTreeMap<Arc<str>, Rc<Call>>>,
}

/// Who called a module, and with which `each` or `count`.
struct Caller {
    instance: Rc<Instance>,
    call: Arc<str>,
    repetition: Option<(&'static str, Value)>,
}

/// Something that is being evaluated.
struct Active {
    what: String,
    span: Span,
    depth: usize,
}

/// A value that could not be evaluated; a problem says why.
fn failed(what: impl Into<Arc<str>>) -> Value {
    Value::unknown(Origin::Failed(what.into()))
}

/// Lets go of the modules that an instance has called: they hold their caller, so nothing of
/// the circle would ever be freed.
fn release(instance: &Instance) {
    for call in instance.calls.take().into_values() {
        for (_, child) in call.instances() {
            release(child);
        }
    }
}

impl Instance {
    fn named(&self, name: &str) -> String {
        if self.address.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.address)
        }
    }
}

impl<'a> Run<'a> {
    /// Evaluates the root module in `root`.
    pub(super) fn stack(
        loader: &'a Loader<'a>,
        options: &'a Options,
        root: &'a str,
    ) -> (Stack, BTreeSet<Problem>) {
        let run = Self {
            loader,
            options,
            root,
            budget: Budget::new(MAX_DEPTH),
            manifest: loader.manifest(root),
            given: loader.variable_files(root),
            problems: RefCell::default(),
            active: RefCell::default(),
            resources: RefCell::default(),
            unresolved: RefCell::default(),
            secrets: RefCell::default(),
            modules: Cell::new(0),
        };
        let mut stack = Stack {
            root: root.into(),
            ..Stack::default()
        };
        if let Some(module) = loader.module(root) {
            let instance = Rc::new(Instance {
                module,
                directory: root.to_owned(),
                path: ".".into(),
                address: "".into(),
                trail: String::new(),
                caller: None,
                uncertain: None,
                depth: 0,
                variables: RefCell::default(),
                locals: RefCell::default(),
                outputs: RefCell::default(),
                resources: RefCell::default(),
                calls: RefCell::default(),
            });
            stack.providers = run.providers(&instance);
            run.walk(&instance);
            release(&instance);
        }
        stack.resources = run.resources.into_inner();
        stack.resources.sort_by(|a, b| a.address.cmp(&b.address));
        stack.unresolved_modules = run.unresolved.into_inner();
        (stack, run.problems.into_inner())
    }

    /// Evaluates all that a module instance declares, and the modules that it calls.
    fn walk(&self, instance: &Rc<Instance>) {
        for name in instance.module.variables.keys() {
            self.variable(instance, name);
        }
        for name in instance.module.locals.keys() {
            self.local(instance, name);
        }
        for name in instance.module.resources.keys() {
            if let Some(expanded) = self.resource(instance, name) {
                self.emit(instance, name, &expanded);
            }
        }
        for name in instance.module.calls.keys() {
            if let Some(call) = self.call(instance, name) {
                for (_, child) in call.instances() {
                    self.walk(child);
                }
            }
        }
        for name in instance.module.outputs.keys() {
            self.output(instance, name);
        }
    }

    fn names<'b>(
        &'b self,
        instance: &'b Rc<Instance>,
        bindings: Option<&'b Binding<'b>>,
    ) -> Names<'b> {
        Names {
            run: self,
            instance,
            bindings,
        }
    }

    /// Evaluates an attribute; a failure is a problem and an unknown value.
    fn attribute(&self, names: &Names<'_>, attribute: &Attribute) -> Value {
        if let Some(constant) = &attribute.constant {
            return constant.clone();
        }
        let _allowance = self.budget.expression();
        let value = evaluate(&attribute.expression, names).and_then(|value| {
            // Each attribute keeps references of its own.
            let marks = value.marks.as_ref();
            let references = marks.map_or(0, |marks| marks.references.len());
            let cost = u64::try_from(references).unwrap_or(u64::MAX);
            self.budget.spend(cost)?;
            Ok(value)
        });
        match value {
            Ok(value) => value.with_span(attribute.span.clone()),
            Err(error) => {
                self.fault(&error, &attribute.name, &attribute.span);
                failed(attribute.name.clone()).with_span(attribute.span.clone())
            }
        }
    }

    /// Reports why an attribute has no value.
    fn fault(&self, error: &EvalError, what: &str, span: &Span) {
        let (kind, severity) = match error {
            EvalError::Undeclared(_) => (ProblemKind::Undeclared, ProblemSeverity::Error),
            EvalError::Cycle(_) => (ProblemKind::Cycle, ProblemSeverity::Error),
            EvalError::Limit(_)
            | EvalError::Function {
                error: FunctionError::Limit(_),
                ..
            } => (ProblemKind::Limit, ProblemSeverity::Warning),
            EvalError::Function {
                error: FunctionError::FileNotFound(_),
                ..
            } => (ProblemKind::FileNotFound, ProblemSeverity::Warning),
            EvalError::Type(_) | EvalError::Function { .. } => {
                (ProblemKind::Evaluation, ProblemSeverity::Error)
            }
        };
        self.problem(kind, severity, span, format!("{what}: {error}"));
    }

    fn problem(&self, kind: ProblemKind, severity: ProblemSeverity, span: &Span, cause: String) {
        let secrets = self.secrets.borrow();
        let tells = |secret: &Arc<str>| cause.contains(&**secret);
        let cause = if secrets.len() > MAX_SECRETS {
            "the cause may repeat a sensitive value".to_owned()
        } else if secrets.iter().any(tells) {
            let hide = |cause: String, secret: &Arc<str>| cause.replace(&**secret, "(sensitive)");
            secrets.iter().fold(cause, hide)
        } else {
            cause
        };
        self.problems.borrow_mut().insert(Problem {
            path: span.file.clone(),
            line: Some(span.start_line),
            kind,
            severity,
            cause,
        });
    }

    /// Evaluates something by name, once. If it is being evaluated already, a circle closes: it
    /// is reported at the member that lies nearest to the root module.
    fn once<T>(
        &self,
        what: String,
        span: &Span,
        depth: usize,
        evaluate: impl FnOnce() -> T,
    ) -> Option<T> {
        {
            let mut active = self.active.borrow_mut();
            if let Some(first) = active.iter().position(|member| member.what == what) {
                let circle = active.get(first..).unwrap_or_default();
                let members: Vec<&str> = circle.iter().map(|member| &*member.what).collect();
                let place = circle.iter().min_by_key(|member| member.depth);
                let place = place.map_or(span, |member| &member.span).clone();
                let cause = format!(
                    "values refer to each other: {} → {what}",
                    members.join(" → ")
                );
                drop(active);
                let severity = ProblemSeverity::Error;
                self.problem(ProblemKind::Cycle, severity, &place, cause);
                return None;
            }
            active.push(Active {
                what,
                span: span.clone(),
                depth,
            });
        }
        let result = evaluate();
        self.active.borrow_mut().pop();
        Some(result)
    }

    fn providers(&self, instance: &Rc<Instance>) -> BTreeMap<Arc<str>, Value> {
        let names = self.names(instance, None);
        let providers = instance.module.providers.iter();
        providers
            .map(|(name, block)| {
                let body = self.body(&names, &block.body, &[]);
                let mut value: Value = body.into();
                value.marks = Some(block.marks.clone());
                (name.clone(), value)
            })
            .collect()
    }
}
