//! Evaluates one expression of the Terraform language against a scope. The same evaluator runs
//! the user's configuration and the conditions of rules.

use std::sync::Arc;

use hcl_edit::expr::{Expression, TraversalOperator};

use crate::Value;
use crate::functions::{Context, FunctionError};

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

/// Where names come from.
pub trait Scope {
    /// Resolves the first name of a traversal, with a chance to consume more of it: returns the
    /// value and the number of operators consumed. `None`: unknown name.
    fn resolve(
        &self,
        root: &str,
        operators: &[TraversalOperator],
    ) -> Option<Result<(Value, usize), EvalError>>;

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
        _arguments: &[Expression],
    ) -> Option<Result<Value, EvalError>> {
        None
    }

    /// Files and directory for functions that read files.
    fn context(&self) -> Context<'_>;
}

/// Evaluates `expression`. Unknown is a value, not an error.
pub fn evaluate(_expression: &Expression, _scope: &dyn Scope) -> Result<Value, EvalError> {
    Ok(Value::NULL)
}
