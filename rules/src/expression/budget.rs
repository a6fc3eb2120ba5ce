//! What one evaluation may cost. Every loop, every built value and every level of recursion of
//! the evaluator is paid from a [`Budget`], so that no input can hang it or exhaust memory.

use std::cell::Cell;

use super::EvalError;
use crate::Value;
use crate::functions::{FunctionError, Meter};
use crate::value::Kind;

/// Levels of nested expressions, counted through names that are evaluated on demand.
pub const MAX_DEPTH: u32 = 2_000;

/// The same for an evaluation that runs on a stack of unknown size.
pub const MAX_DEPTH_ALONE: u32 = 500;

/// Evaluation steps of one stack. A step makes at most some hundred bytes, so this bounds memory
/// too.
pub const MAX_STEPS: u64 = 5_000_000;

/// Evaluation steps of all stacks of one run.
pub const MAX_RUN_STEPS: u64 = 50_000_000;

/// Evaluation steps of one attribute, local value or argument.
pub const MAX_STEPS_PER_EXPRESSION: u64 = 250_000;

/// Bytes of one string.
pub const MAX_TEXT: usize = 4 << 20;

/// Members of one value, nested ones included and shared ones counted each time.
pub const MAX_MEMBERS: u64 = 1_000_000;

/// Nesting of one value.
pub const MAX_VALUE_DEPTH: u32 = 256;

/// Bytes of text that count as one step.
const TEXT_PER_STEP: usize = 64;

/// Steps that an object costs beside its members: its first node takes more than a kilobyte.
pub(super) const OBJECT_STEPS: u64 = 10;

/// Members looked at while measuring a value that count as one step.
const MEMBERS_PER_STEP: u64 = 16;

/// A purse of depth and steps. Not shared between threads: one stack, one budget.
#[derive(Debug)]
pub struct Budget {
    depth: Cell<u32>,
    max_depth: u32,
    steps: Cell<u64>,
    /// Steps at which the running expression must end.
    ceiling: Cell<u64>,
    /// Steps at which the running stack must end.
    end: Cell<u64>,
}

/// Leaves a level of depth when dropped.
pub(super) struct Level<'a>(&'a Budget);

impl Drop for Level<'_> {
    fn drop(&mut self) {
        self.0.depth.set(self.0.depth.get().saturating_sub(1));
    }
}

/// Restores the ceiling of the surrounding expression when dropped.
#[derive(Debug)]
pub struct Allowance<'a> {
    budget: &'a Budget,
    outer: u64,
    started: u64,
}

impl Drop for Allowance<'_> {
    fn drop(&mut self) {
        // What an expression evaluated on demand has cost is not its user's expense.
        let spent = self.budget.steps.get().saturating_sub(self.started);
        let ceiling = self.outer.saturating_add(spent);
        let ceiling = ceiling.min(self.budget.end.get());
        self.budget.ceiling.set(ceiling);
    }
}

impl Budget {
    /// A full budget; `max_depth` must suit the stack of the thread.
    pub fn new(max_depth: u32) -> Self {
        Self {
            depth: Cell::new(0),
            max_depth,
            steps: Cell::new(0),
            ceiling: Cell::new(MAX_STEPS_PER_EXPRESSION),
            end: Cell::new(MAX_STEPS),
        }
    }

    /// Starts a stack with its own allowance, as far as the run has steps left.
    pub fn stack(&self) {
        let end = self.steps.get().saturating_add(MAX_STEPS);
        self.end.set(end.min(MAX_RUN_STEPS));
        let ceiling = self.steps.get().saturating_add(MAX_STEPS_PER_EXPRESSION);
        self.ceiling.set(ceiling.min(self.end.get()));
    }

    /// Whether the stack, or the run, has no steps left.
    pub fn is_exhausted(&self) -> bool {
        self.steps.get() >= self.end.get()
    }

    /// Pays for what a stack is made of, whatever expression asks for it; `false` if that is too
    /// much. To be asked before it is made.
    pub fn buy(&self, steps: u64) -> bool {
        let total = self.steps.get().saturating_add(steps);
        if total > self.end.get() {
            return false;
        }
        self.steps.set(total);
        let ceiling = self.ceiling.get().saturating_add(steps);
        self.ceiling.set(ceiling.min(self.end.get()));
        true
    }

    /// Steps spent so far.
    pub fn spent(&self) -> u64 {
        self.steps.get()
    }

    /// Starts one attribute, local value or argument with its own allowance of steps.
    pub fn expression(&self) -> Allowance<'_> {
        let started = self.steps.get();
        let outer = self.ceiling.get();
        let ceiling = started.saturating_add(MAX_STEPS_PER_EXPRESSION);
        self.ceiling.set(ceiling.min(self.end.get()));
        Allowance {
            budget: self,
            outer,
            started,
        }
    }

    pub(super) fn enter(&self) -> Result<Level<'_>, EvalError> {
        let depth = self.depth.get();
        if depth >= self.max_depth {
            return Err(EvalError::Limit(format!(
                "values are nested or chained more than {} levels deep",
                self.max_depth
            )));
        }
        self.depth.set(depth.saturating_add(1));
        self.spend(1)?;
        Ok(Level(self))
    }

    /// Pays for `steps`.
    pub fn spend(&self, steps: u64) -> Result<(), EvalError> {
        let steps = self.steps.get().saturating_add(steps);
        self.steps.set(steps);
        if steps > self.ceiling.get() {
            return Err(EvalError::Limit(format!(
                "the value needs more than {MAX_STEPS_PER_EXPRESSION} evaluation steps, or its module more than {MAX_STEPS}"
            )));
        }
        Ok(())
    }

    /// Pays for a text of so many bytes.
    pub fn text(&self, bytes: usize) -> Result<(), EvalError> {
        if bytes > MAX_TEXT {
            return Err(EvalError::Limit(format!(
                "a string is longer than {MAX_TEXT} bytes"
            )));
        }
        let steps = bytes.checked_div(TEXT_PER_STEP).unwrap_or(0);
        self.spend(u64::try_from(steps).unwrap_or(u64::MAX))
    }

    /// Refuses a value that is too large or too deep to be walked.
    pub fn measure(&self, value: &Value) -> Result<(), EvalError> {
        match &value.kind {
            Kind::List(_) | Kind::Map(_) => {}
            Kind::String(text) => return self.text(text.len()),
            _ => return Ok(()),
        }
        let (mut members, mut objects) = (0, 0);
        count(value, 0, &mut members, &mut objects)?;
        self.spend(members.checked_div(MEMBERS_PER_STEP).unwrap_or(0))
    }

    /// The same for a value that a function has made: each member is paid for.
    pub fn made(&self, value: &Value) -> Result<(), EvalError> {
        match &value.kind {
            Kind::List(_) | Kind::Map(_) => {
                let (mut members, mut objects) = (0, 0);
                count(value, 0, &mut members, &mut objects)?;
                self.spend(members.saturating_add(objects.saturating_mul(OBJECT_STEPS)))
            }
            _ => self.measure(value),
        }
    }
}

impl Meter for Budget {
    fn pay(&self, steps: u64) -> Result<(), FunctionError> {
        let spent = self.spend(steps);
        spent.map_err(|error| FunctionError::Limit(error.to_string()))
    }
}

fn count(value: &Value, depth: u32, members: &mut u64, objects: &mut u64) -> Result<(), EvalError> {
    *members = members.saturating_add(1);
    if *members > MAX_MEMBERS {
        return Err(EvalError::Limit(format!(
            "a value has more than {MAX_MEMBERS} members"
        )));
    }
    if depth > MAX_VALUE_DEPTH {
        return Err(EvalError::Limit(format!(
            "a value is nested more than {MAX_VALUE_DEPTH} levels deep"
        )));
    }
    let below = depth.saturating_add(1);
    match &value.kind {
        Kind::List(list) => list
            .items
            .iter()
            .try_for_each(|item| count(item, below, members, objects)),
        Kind::Map(map) => {
            *objects = objects.saturating_add(1);
            map.entries
                .values()
                .try_for_each(|item| count(item, below, members, objects))
        }
        _ => Ok(()),
    }
}
