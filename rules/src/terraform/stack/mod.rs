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
use super::loader::Loader;
use super::module::{Module, ResourceName};
use super::source::Attribute;
use super::variable_files::Given;
use crate::expression::{Budget, EvalError, MAX_STEPS, evaluate};
use crate::functions::{FunctionError, Memory};
use crate::value::Origin;
use crate::{Problem, ProblemKind, ProblemSeverity, Resource, Span, Stack, Value};

mod beside;
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

/// Resource instances of one stack. Each is judged by a dozen rules; Terraform itself is hardly
/// usable with half as many.
pub const MAX_STACK_INSTANCES: usize = 20_000;

/// Resource instances of one run.
pub const MAX_RUN_INSTANCES: usize = 100_000;

/// Further instances of blocks that are not repeated, and of those that are repeated too often:
/// one stands for all of them, so that each block is judged once.
const SPARE_INSTANCES: usize = 5_000;

/// Module instances of one stack.
pub const MAX_MODULES: usize = 20_000;

/// Modules that call modules.
pub const MAX_MODULE_DEPTH: usize = 64;

/// Steps that an instance of a resource costs, beside its body.
const INSTANCE_STEPS: u64 = 30;

/// Steps that an instance of a module costs, beside what it declares.
const MODULE_STEPS: u64 = 60;

/// Steps that a name which a module declares costs.
const NAME_STEPS: u64 = 3;

/// The shortest part of a sensitive text that is looked for in messages.
const MIN_SECRET: usize = 3;

/// Sensitive texts that are looked for in messages; with more, messages tell no details.
const MAX_SECRETS: usize = 1_000;

/// What all stacks of a run share.
pub(super) struct Totals {
    budget: Budget,
    memory: Memory,
    instances: Cell<usize>,
    resolved: RefCell<BTreeSet<Span>>,
    unresolved: RefCell<BTreeSet<Span>>,
}

impl Totals {
    pub(super) fn new(budget: Budget) -> Self {
        Self {
            budget,
            memory: Memory::default(),
            instances: Cell::new(0),
            resolved: RefCell::default(),
            unresolved: RefCell::default(),
        }
    }

    pub(super) fn into_budget(self) -> Budget {
        self.budget
    }

    /// Module calls that were resolved, and those that were not, each once.
    pub(super) fn calls(&self) -> (usize, usize) {
        let resolved = self.resolved.borrow();
        let unresolved = self.unresolved.borrow();
        let only = unresolved.iter().filter(|call| !resolved.contains(*call));
        (resolved.len(), only.count())
    }
}

/// The evaluation of one stack.
pub(super) struct Run<'a> {
    loader: &'a Loader<'a>,
    options: &'a Options,
    root: &'a str,
    totals: &'a Totals,
    manifest: BTreeMap<String, String>,
    given: Given,
    /// Directories of the modules that exist.
    there: RefCell<BTreeSet<String>>,
    /// Instances of resources, those that are not in the result included.
    instances: Cell<usize>,
    active: RefCell<Vec<Active>>,
    resources: RefCell<Vec<Resource>>,
    unresolved: RefCell<BTreeMap<Arc<str>, Value>>,
    called: RefCell<BTreeMap<Arc<str>, Span>>,
    secrets: RefCell<BTreeSet<Arc<str>>>,
    modules: Cell<usize>,
}

/// A module with one set of inputs.
pub(super) struct Instance {
    module: Rc<Module>,
    /// As the calls name it, by which its own calls are resolved.
    directory: String,
    /// The same without links.
    real: String,
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
    /// Evaluates the root module in `root`; also tells the directories of the modules it brings
    /// into being.
    pub(super) fn stack(
        loader: &'a Loader<'a>,
        options: &'a Options,
        root: &'a str,
        totals: &'a Totals,
    ) -> (Stack, BTreeSet<String>) {
        totals.budget.stack();
        let run = Self {
            loader,
            options,
            root,
            totals,
            manifest: loader.manifest(root),
            given: loader.given(root, &options.variable_files),
            there: RefCell::default(),
            instances: Cell::new(0),
            active: RefCell::default(),
            resources: RefCell::default(),
            unresolved: RefCell::default(),
            called: RefCell::default(),
            secrets: RefCell::default(),
            modules: Cell::new(0),
        };
        let mut stack = Stack {
            input: "terraform",
            root: root.into(),
            ..Stack::default()
        };
        if let Some(module) = loader.module(root) {
            let instance = Rc::new(Instance {
                module,
                directory: root.to_owned(),
                real: root.to_owned(),
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
        if totals.budget.is_exhausted() {
            run.cut_short(&format!(
                "the module needs more than {MAX_STEPS} evaluation steps, or all modules of the run more than they may; some of it was not evaluated"
            ));
        }
        stack.resources = run.resources.into_inner();
        stack.resources.sort_by(|a, b| a.address.cmp(&b.address));
        stack.unresolved_modules = run.unresolved.into_inner();
        stack.calls = run.called.into_inner();
        (stack, run.there.into_inner())
    }

    /// Reports that the root module was not evaluated whole.
    fn cut_short(&self, cause: &str) {
        let problem = Problem::warning(ProblemKind::Limit, self.root, None, cause);
        self.loader.problems.insert(problem.whole());
    }

    /// Evaluates all that a module instance declares, and the modules that it calls.
    fn walk(&self, instance: &Rc<Instance>) {
        if self.is_full() {
            return;
        }
        self.there.borrow_mut().insert(instance.real.clone());
        for name in instance.module.variables.keys() {
            self.variable(instance, name);
        }
        for name in instance.module.locals.keys() {
            self.local(instance, name);
        }
        for name in instance.module.resources.keys() {
            if self.is_full() {
                return;
            }
            if let Some(expanded) = self.resource(instance, name) {
                self.emit(instance, name, &expanded);
            }
        }
        for name in instance.module.calls.keys() {
            if let Some(call) = self.call(instance, name) {
                if call.unknown().is_some() {
                    self.unresolved_arguments(instance, name);
                }
                for (_, child) in call.instances() {
                    self.walk(child);
                }
            }
        }
        for name in instance.module.outputs.keys() {
            self.output(instance, name);
        }
        self.beside(instance);
    }

    /// Whether there are as many instances as a stack or a run may have, or no steps left; that
    /// is reported.
    fn is_full(&self) -> bool {
        let run = self.totals.instances.get();
        let fits = |count: usize, most: usize| count < most.saturating_add(SPARE_INSTANCES);
        if fits(self.resources.borrow().len(), MAX_STACK_INSTANCES) && fits(run, MAX_RUN_INSTANCES)
        {
            return self.totals.budget.is_exhausted();
        }
        self.cut_short(&format!(
            "only {MAX_STACK_INSTANCES} instances of a stack and {MAX_RUN_INSTANCES} of a run are judged"
        ));
        true
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
        if self.totals.budget.is_exhausted() {
            // Reported once for the stack.
            return failed(attribute.name.clone()).with_span(attribute.span.clone());
        }
        let _allowance = self.totals.budget.expression();
        let value = evaluate(&attribute.expression, names).and_then(|value| {
            // Each attribute keeps references of its own.
            let marks = value.marks.as_ref();
            let references = marks.map_or(0, |marks| marks.references.len());
            let cost = u64::try_from(references).unwrap_or(u64::MAX);
            self.totals.budget.spend(cost)?;
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
        let problem = Problem::error(kind, span.file.clone(), Some(span.start_line), cause);
        self.loader.problems.insert(Problem {
            severity,
            ..problem
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
