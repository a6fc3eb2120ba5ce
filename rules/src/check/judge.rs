//! The three-way verdict of a rule on each resource it speaks of.

use std::sync::Arc;

use super::scope::RuleScope;
use super::world::World;
use super::{
    MAX_MEMBERS, Results, RuleResult, Verdict, cause, content, message, place, stack_span, too_much,
};
use crate::expression::EvalError;
use crate::kinds;
use crate::language::{Check, Rule, Selector, Subject};
use crate::value::{Kind, List, Map};
use crate::{Class, Problem, ProblemKind, Resource, Span, Value};

/// Judges all resources of which `rule` speaks.
pub(super) fn rule(rule: &Rule, world: &World<'_>, results: &mut Results) {
    let scope = RuleScope::new(world, &rule.block.locals);
    for subject in &rule.block.subjects {
        for selector in &subject.selectors {
            let Some(class) = class_of(selector) else {
                judge(rule, subject, None, &scope, world, results);
                continue;
            };
            for index in world.selected(class, selector) {
                let resource = world.resource(index);
                judge(rule, subject, resource, &scope, world, results);
            }
        }
    }
}

/// The class that a selector speaks of; `None` for whole stacks.
fn class_of(selector: &Selector) -> Option<Class> {
    let all = [Class::Managed, Class::Data].into_iter();
    let mut all = all.chain(Class::ON_DEMAND);
    all.find(|class| class.as_str() == selector.class)
}

/// What all checks of a subject say of one resource.
#[derive(Default)]
struct Tally {
    applied: bool,
    failures: Vec<(Arc<str>, Span, Verdict)>,
    undecided: Option<String>,
}

impl Tally {
    fn leave_open(&mut self, cause: String) {
        self.applied = true;
        self.undecided.get_or_insert(cause);
    }
}

fn judge(
    rule: &Rule,
    subject: &Subject,
    resource: Option<&Resource>,
    outer: &RuleScope<'_>,
    world: &World<'_>,
    results: &mut Results,
) {
    let (address, span) = match resource {
        Some(resource) => (resource.address.clone(), resource.span.clone()),
        None => (world.stack.root.clone(), stack_span(world.stack)),
    };
    let result = |resource: Arc<str>, span: Span, verdict: Verdict| RuleResult {
        rule: rule.metadata.id.clone(),
        resource,
        span,
        verdict,
    };
    if !world.pay(1) {
        results.exhausted(&span);
        let cause = too_much();
        results
            .all
            .push(result(address, span, Verdict::Undecided { cause }));
        return;
    }
    let scope = outer.subject(resource, &subject.locals);
    let mut doubt = None;
    if let Some(when) = &subject.when {
        match truth(scope.evaluate(when)) {
            Truth::True => {}
            Truth::False => return,
            Truth::Open(cause) => doubt = Some(cause),
            Truth::Failed(error) => {
                results.failures.push((rule.line, error.clone()));
                doubt = Some(error);
            }
        }
    }
    let mut tally = Tally::default();
    let mut judging = Judging {
        rule,
        world,
        results,
        address: &address,
        span: &span,
        body: resource.map(|resource| &resource.body),
        doubt,
        number: 0,
    };
    for (number, check) in subject.checks.iter().enumerate() {
        judging.number = number;
        judging.check(check, &scope, &mut tally);
    }
    world.pay(scope.spent());
    if !tally.failures.is_empty() {
        let mut failures = tally.failures;
        failures.dedup();
        let failed = failures
            .into_iter()
            .map(|(address, span, verdict)| result(address, span, verdict));
        results.all.extend(failed);
    } else if let Some(cause) = tally.undecided {
        results
            .all
            .push(result(address, span, Verdict::Undecided { cause }));
    } else if tally.applied {
        results.all.push(result(address, span, Verdict::Pass));
    }
}

/// Everything that stays the same while the checks of one resource are judged.
struct Judging<'a> {
    rule: &'a Rule,
    world: &'a World<'a>,
    results: &'a mut Results,
    address: &'a Arc<str>,
    span: &'a Span,
    body: Option<&'a Value>,
    /// Why it is not known whether the subject block applies at all.
    doubt: Option<String>,
    /// Of the check, in its subject.
    number: usize,
}

impl Judging<'_> {
    fn check(&mut self, check: &Check, scope: &RuleScope<'_>, tally: &mut Tally) {
        let Some(collection) = &check.for_each else {
            let scope = scope.inner(None, &check.locals);
            self.one(check, &scope, self.body, tally);
            return;
        };
        let collection = match scope.evaluate(collection) {
            Ok(collection) => collection,
            Err(error) => {
                self.results.failures.push((check.line, error.to_string()));
                tally.leave_open(error.to_string());
                return;
            }
        };
        let (members, rest) = members(&collection);
        if members.len() > MAX_MEMBERS {
            let cause = format!("more than {MAX_MEMBERS} members in {}", self.address);
            self.results.problems.push(Problem::warning(
                ProblemKind::Limit,
                self.span.file.clone(),
                Some(self.span.start_line),
                cause.clone(),
            ));
            tally.leave_open(cause);
        }
        tally.applied = true;
        for (key, value) in members.into_iter().take(MAX_MEMBERS) {
            let base = value.clone();
            let scope = scope.inner(Some((key, value)), &check.locals);
            self.one(check, &scope, Some(&base), tally);
        }
        if let Some(cause) = rest {
            tally.leave_open(cause);
        }
    }

    /// Judges one check for the resource, or for one member of its `for_each`.
    fn one(
        &mut self,
        check: &Check,
        scope: &RuleScope<'_>,
        base: Option<&Value>,
        tally: &mut Tally,
    ) {
        let mut doubt = self.doubt.clone();
        if let Some(when) = &check.when {
            match self.truth(scope.evaluate(when), check) {
                Truth::True => {}
                Truth::False => return,
                Truth::Open(cause) | Truth::Failed(cause) => doubt = Some(cause),
            }
        }
        match (self.truth(scope.evaluate(&check.condition), check), doubt) {
            (Truth::True, _) => tally.applied = true,
            (_, Some(cause)) | (Truth::Open(cause) | Truth::Failed(cause), None) => {
                tally.leave_open(cause);
            }
            (Truth::False, None) => {
                tally.applied = true;
                let failure = self.failure(check, scope, base);
                tally.failures.push(failure);
            }
        }
    }

    fn truth(&mut self, result: Result<Value, EvalError>, check: &Check) -> Truth {
        let truth = truth(result);
        if let Truth::Failed(error) = &truth {
            self.results.failures.push((check.line, error.clone()));
        }
        truth
    }

    fn failure(
        &mut self,
        check: &Check,
        scope: &RuleScope<'_>,
        base: Option<&Value>,
    ) -> (Arc<str>, Span, Verdict) {
        let message = message::render(&check.message, scope).unwrap_or_else(|error| {
            self.results.failures.push((check.line, error.to_string()));
            self.rule.metadata.title.clone()
        });
        let fix = check.fix.as_ref().and_then(|fix| {
            let value = scope.evaluate(fix);
            if let Err(error) = &value {
                self.results.failures.push((check.line, error.to_string()));
            }
            kinds::by_id(self.world.stack.input)?.show_fix(&value.ok()?)
        });
        let base_member = base;
        let elsewhere = check.at.as_ref().and_then(|at| self.other(at, scope));
        let (address, whole, base) = match elsewhere {
            Some(other) => (&other.address, &other.span, Some(&other.body)),
            None => (self.address, self.span, base),
        };
        let span = base.map_or_else(
            || whole.clone(),
            |base| place::find(base, &check.attribute, whole),
        );
        let member = base_member.filter(|_| check.for_each.is_some());
        let content = content::of(self.number, member);
        let verdict = Verdict::Fail {
            message,
            span,
            fix,
            content,
        };
        (address.clone(), whole.clone(), verdict)
    }

    /// The resource on which a check reports instead of its own.
    fn other(&self, at: &hcl_edit::expr::Expression, scope: &RuleScope<'_>) -> Option<&Resource> {
        self.world.viewed(&scope.evaluate(at).ok()?)
    }
}

enum Truth {
    True,
    False,
    Open(String),
    Failed(String),
}

fn truth(result: Result<Value, EvalError>) -> Truth {
    let value = match result {
        Ok(value) => value,
        Err(error) => return Truth::Failed(format!("the condition fails: {error}")),
    };
    match &value.kind {
        Kind::Bool(true) => Truth::True,
        Kind::Bool(false) => Truth::False,
        Kind::String(text) if &**text == "true" => Truth::True,
        Kind::String(text) if &**text == "false" => Truth::False,
        Kind::Unknown(_) => Truth::Open(cause::of_value(&value)),
        _ => Truth::Failed("the condition is neither true nor false".to_owned()),
    }
}

/// The members of a `for_each`, with their keys, and why there may be more. One value stands
/// for the list of it, null for none.
fn members(collection: &Value) -> (Vec<(Value, Value)>, Option<String>) {
    let number = |place: usize| Value::from(i64::try_from(place).unwrap_or(i64::MAX));
    match &collection.kind {
        Kind::Null => (Vec::new(), None),
        Kind::List(List { items, rest, .. }) => {
            let members = items.iter().cloned().enumerate();
            let members = members
                .map(|(place, value)| (number(place), value))
                .collect();
            (
                members,
                rest.as_ref().map(|rest| cause::of_origin(&rest.origin)),
            )
        }
        Kind::Map(Map { entries, rest }) => {
            let members = entries.iter();
            let members = members.map(|(key, value)| (Value::from(&**key), value.clone()));
            let rest = rest.as_ref().map(|rest| cause::of_origin(&rest.origin));
            (members.collect(), rest)
        }
        Kind::Unknown(_) => (Vec::new(), Some(cause::of_value(collection))),
        _ => (vec![(number(0), collection.clone())], None),
    }
}
