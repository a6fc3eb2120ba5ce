//! What one evaluation may cost. Every loop, every built value and every level of recursion of
//! the evaluator is paid from a [`Budget`], so that no input can hang it or exhaust memory.

use std::cell::Cell;

use super::EvalError;
use crate::Value;
use crate::value::Kind;

/// Levels of nested expressions, counted through names that are evaluated on demand.
pub const MAX_DEPTH: u32 = 2_000;

/// The same for an evaluation that runs on a stack of unknown size.
pub const MAX_DEPTH_ALONE: u32 = 500;

/// Evaluation steps of all expressions that share a budget. A step makes at most one value, so
/// this bounds memory too.
pub const MAX_STEPS: u64 = 5_000_000;

/// Evaluation steps of one attribute, local value or argument.
pub const MAX_STEPS_PER_EXPRESSION: u64 = 250_000;

/// Bytes of one string.
pub const MAX_TEXT: usize = 4 << 20;

/// Members of one value, nested ones included and shared ones counted each time.
pub const MAX_MEMBERS: u64 = 1_000_000;

/// Nesting of one value.
pub const MAX_VALUE_DEPTH: u32 = 256;

/// Bytes of text that count as one step.
const TEXT_PER_STEP: usize = 16;

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
        let ceiling = self.outer.saturating_add(spent).min(MAX_STEPS);
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
        }
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
        self.ceiling.set(ceiling.min(MAX_STEPS));
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
        let mut members = 0;
        count(value, 0, &mut members)?;
        self.spend(members.checked_div(MEMBERS_PER_STEP).unwrap_or(0))
    }

    /// The same for a value that a function has made: each member is paid for.
    pub(super) fn made(&self, value: &Value) -> Result<(), EvalError> {
        match &value.kind {
            Kind::List(_) | Kind::Map(_) => {
                let mut members = 0;
                count(value, 0, &mut members)?;
                self.spend(members)
            }
            _ => self.measure(value),
        }
    }
}

fn count(value: &Value, depth: u32, members: &mut u64) -> Result<(), EvalError> {
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
            .try_for_each(|item| count(item, below, members)),
        Kind::Map(map) => map
            .entries
            .values()
            .try_for_each(|item| count(item, below, members)),
        _ => Ok(()),
    }
}
