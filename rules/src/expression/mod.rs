//! Evaluates one expression of the Terraform language against a scope. The same evaluator runs
//! the user's configuration and the conditions of rules.
//!
//! Logic is Kleene's: an unknown value decides nothing that the known part already decides. It
//! propagates with its origin; sensitivity and references flow through every operation. All work
//! is paid from a [`Budget`]; what exceeds it is [`EvalError::Limit`], never a hang.

use std::sync::Arc;

use hcl_edit::Decorated;
use hcl_edit::expr::{Expression, FuncArgs, TraversalOperator};
use rust_decimal::Decimal;

use crate::Value;
use crate::functions::convert::parse_number;
use crate::functions::{Context, FunctionError};

mod budget;
mod call;
mod coerce;
mod collection;
mod operators;
mod partial_json;
mod template;
#[cfg(test)]
mod tests;
mod traversal;

pub use budget::{
    Allowance, Budget, MAX_DEPTH, MAX_DEPTH_ALONE, MAX_MEMBERS, MAX_RUN_STEPS, MAX_STEPS,
    MAX_STEPS_PER_EXPRESSION, MAX_TEXT, MAX_VALUE_DEPTH,
};
pub use traversal::{attribute, index};

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// A name that the scope does not know.
    #[error("{0} is not declared")]
    Undeclared(String),
    /// A value that needs itself.
    #[error("{0} refers to itself")]
    Cycle(String),
    /// Wrong type, missing attribute, index out of range, division by zero.
    #[error("{0}")]
    Type(String),
    /// A function failed.
    #[error("{name}: {error}")]
    Function {
        /// Function name.
        name: Arc<str>,
        /// Its own error.
        error: FunctionError,
    },
    /// Depth, steps or size of an evaluation.
    #[error("{0}")]
    Limit(String),
}

impl EvalError {
    /// Whether `try` and `can` may catch it. Faults of the configuration itself and limits are
    /// not values that were expected to fail.
    pub fn is_catchable(&self) -> bool {
        match self {
            Self::Type(_) => true,
            Self::Function { error, .. } => !matches!(error, FunctionError::Limit(_)),
            Self::Undeclared(_) | Self::Cycle(_) | Self::Limit(_) => false,
        }
    }
}

/// Evaluates an argument of a call that the scope answers itself, in the place of the call: the
/// variables of surrounding `for` expressions are known to it.
pub type Evaluate<'a> = &'a dyn Fn(&Expression) -> Result<Value, EvalError>;

/// Where names come from.
pub trait Scope {
    /// Resolves the first name of a traversal, with a chance to consume more of it: returns the
    /// value and the number of operators consumed. `None`: unknown name.
    fn resolve(
        &self,
        root: &str,
        operators: &[Decorated<TraversalOperator>],
    ) -> Option<Result<(Value, usize), EvalError>>;

    /// As `resolve`, for scopes that look into indexes before they decide what to evaluate.
    fn resolve_in(
        &self,
        root: &str,
        operators: &[Decorated<TraversalOperator>],
        _evaluate: Evaluate<'_>,
    ) -> Option<Result<(Value, usize), EvalError>> {
        self.resolve(root, operators)
    }

    /// A function that only this scope has; asked before the standard table. Arguments are
    /// evaluated. `None`: not known here.
    fn call(&self, _name: &str, _arguments: &[Value]) -> Option<Result<Value, EvalError>> {
        None
    }

    /// A function that needs its arguments unevaluated (`related`, `each`-like forms); asked
    /// before arguments are evaluated. `None`: not known here.
    fn call_lazy(
        &self,
        _name: &str,
        _arguments: &FuncArgs,
        _evaluate: Evaluate<'_>,
    ) -> Option<Result<Value, EvalError>> {
        None
    }

    /// Whether an attribute that an object does not have is null, and also any attribute of
    /// null. Terraform says no; in the conditions of rules what was not written is null.
    fn absent_is_null(&self) -> bool {
        false
    }

    /// The budget shared with other evaluations; by default each evaluation has its own.
    fn budget(&self) -> Option<&Budget> {
        None
    }

    /// The expression for which the parser put a name, because it was nested too deeply.
    fn hoisted(&self, _name: &str) -> Option<&Expression> {
        None
    }

    /// Files and directory for functions that read files.
    fn context(&self) -> Context<'_>;
}

/// Evaluates `expression`. Unknown is a value, not an error.
pub fn evaluate(expression: &Expression, scope: &dyn Scope) -> Result<Value, EvalError> {
    let own;
    let budget = if let Some(shared) = scope.budget() {
        shared
    } else {
        own = Budget::new(MAX_DEPTH_ALONE);
        &own
    };
    let evaluator = Evaluator {
        scope,
        frame: None,
        budget,
    };
    evaluator.expression(expression)
}

/// Names bound by a `for` expression or directive, innermost first.
struct Frame<'a> {
    key: Option<(&'a str, &'a Value)>,
    value: (&'a str, &'a Value),
    parent: Option<&'a Self>,
}

#[derive(Clone, Copy)]
struct Evaluator<'a> {
    scope: &'a dyn Scope,
    frame: Option<&'a Frame<'a>>,
    budget: &'a Budget,
}

fn fault<T>(message: impl Into<String>) -> Result<T, EvalError> {
    Err(EvalError::Type(message.into()))
}

impl Evaluator<'_> {
    fn bound(&self, name: &str) -> Option<&Value> {
        let mut frame = self.frame;
        while let Some(bound) = frame {
            if bound.value.0 == name {
                return Some(bound.value.1);
            }
            if let Some((key, value)) = bound.key
                && key == name
            {
                return Some(value);
            }
            frame = bound.parent;
        }
        None
    }

    fn expression(&self, expression: &Expression) -> Result<Value, EvalError> {
        let _level = self.budget.enter()?;
        let value = self.dispatch(expression)?;
        if let Some(marks) = &value.marks {
            // References are copied from value to value.
            let references = u64::try_from(marks.references.len()).unwrap_or(u64::MAX);
            self.budget.spend(references.checked_div(16).unwrap_or(0))?;
        }
        Ok(value)
    }

    fn dispatch(&self, expression: &Expression) -> Result<Value, EvalError> {
        match expression {
            Expression::Null(_) => Ok(Value::NULL),
            Expression::Bool(value) => Ok((*value.value()).into()),
            Expression::Number(number) => {
                if let Some(whole) = number.value().as_i64() {
                    return Ok(whole.into());
                }
                // The parser reads fractions as binary floats: take the digits as written.
                let mut text = number.as_repr().map_or_else(
                    || number.value().to_string(),
                    |written| String::from(&**written),
                );
                text.retain(|character| !character.is_whitespace());
                match parse_number(&text) {
                    Ok(number) => Ok(number.into()),
                    Err(_) => fault("a number has more than 28 digits"),
                }
            }
            Expression::String(text) => {
                self.budget.text(text.len())?;
                Ok(text.as_str().into())
            }
            Expression::Array(array) => self.array(array),
            Expression::Object(object) => self.object(object),
            Expression::StringTemplate(template) => self.template(template, false),
            Expression::HeredocTemplate(heredoc) => self.template(&heredoc.template, true),
            Expression::Parenthesis(inner) => self.expression(inner.inner()),
            Expression::Variable(name) => self.traverse(name.as_str(), &[]),
            Expression::Conditional(conditional) => self.conditional(conditional),
            Expression::FuncCall(call) => self.call(call),
            Expression::Traversal(traversal) => match &traversal.expr {
                Expression::Variable(name) => self.traverse(name.as_str(), &traversal.operators),
                inner => {
                    let value = self.expression(inner)?;
                    self.operators(value, &traversal.operators)
                }
            },
            Expression::UnaryOp(operation) => self.unary(operation),
            Expression::BinaryOp(operation) => self.binary(operation),
            Expression::ForExpr(expression) => self.for_expression(expression),
        }
    }

    fn traverse(
        &self,
        root: &str,
        operators: &[Decorated<TraversalOperator>],
    ) -> Result<Value, EvalError> {
        if let Some(value) = self.bound(root) {
            return self.operators(value.clone(), operators);
        }
        if let Some(hoisted) = self.scope.hoisted(root) {
            let value = self.expression(hoisted)?;
            return self.operators(value, operators);
        }
        let evaluate = |expression: &Expression| self.expression(expression);
        match self.scope.resolve_in(root, operators, &evaluate) {
            Some(result) => {
                let (value, used) = result?;
                self.operators(value, operators.get(used..).unwrap_or_default())
            }
            None => Err(EvalError::Undeclared(root.to_owned())),
        }
    }
}

/// A number made of a count.
fn count(length: usize) -> Value {
    Decimal::from(length).into()
}
