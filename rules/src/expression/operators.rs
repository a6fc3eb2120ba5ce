//! Unary and binary operators, and conditionals.

use std::borrow::Cow;
use std::sync::Arc;

use hcl_edit::expr::{BinaryOp, BinaryOperator, Conditional, Expression, UnaryOp, UnaryOperator};
use rust_decimal::Decimal;

use super::{EvalError, Evaluator, coerce, fault};
use crate::Value;
use crate::functions::convert::{equals, to_bool, to_number, type_of, unify};
use crate::value::{Kind, Origin, Type, Unknown};

/// An unknown value that is certainly not null.
fn result_of(origin: Arc<Origin>, kind: Type) -> Value {
    Kind::Unknown(Unknown {
        origin,
        kind,
        not_null: true,
        at_least: None,
        prefix: None,
        encoded: None,
    })
    .into()
}

/// The reason why an operation on these operands is undecided.
fn reason(left: &Value, right: &Value) -> Arc<Origin> {
    left.first_unknown()
        .or_else(|| right.first_unknown())
        .cloned()
        .unwrap_or_else(|| Arc::new(Origin::Function("operator".into())))
}

/// Two sides of a comparison in a rule, as a provider's schema would have them: it makes `"0"` of 0
/// and true of `"true"`, so that either may be written. Terraform's own `==` does neither.
fn as_schema<'v>(left: &'v Value, right: &'v Value) -> (Cow<'v, Value>, Cow<'v, Value>) {
    let converted = |text: &'v Value, like: &Value| {
        let value = match &like.kind {
            Kind::Number(_) => to_number(text),
            Kind::Bool(_) => to_bool(text),
            _ => return Cow::Borrowed(text),
        };
        value.map_or(Cow::Borrowed(text), Cow::Owned)
    };
    match (&left.kind, &right.kind) {
        (Kind::String(_), _) => (converted(left, right), Cow::Borrowed(right)),
        (_, Kind::String(_)) => (Cow::Borrowed(left), converted(right, left)),
        _ => (Cow::Borrowed(left), Cow::Borrowed(right)),
    }
}

impl Evaluator<'_> {
    pub(super) fn unary(&self, operation: &UnaryOp) -> Result<Value, EvalError> {
        let operand = self.expression(&operation.expr)?;
        let result = match operation.operator.value() {
            UnaryOperator::Not => match coerce::bool(&operand)? {
                Some(value) => (!value).into(),
                None => result_of(reason(&operand, &operand), Type::Bool),
            },
            UnaryOperator::Neg => match coerce::number(&operand)? {
                Some(value) => Value::from(-value),
                None => result_of(reason(&operand, &operand), Type::Number),
            },
        };
        Ok(result.marked_by(&operand))
    }

    pub(super) fn binary(&self, operation: &BinaryOp) -> Result<Value, EvalError> {
        let operator = *operation.operator.value();
        let left = self.expression(&operation.lhs_expr)?;
        match operator {
            BinaryOperator::And => return self.logic(&left, &operation.rhs_expr, false),
            BinaryOperator::Or => return self.logic(&left, &operation.rhs_expr, true),
            _ => {}
        }
        let right = self.expression(&operation.rhs_expr)?;
        let result = match operator {
            BinaryOperator::Eq => self.equality(&left, &right, false)?,
            BinaryOperator::NotEq => self.equality(&left, &right, true)?,
            BinaryOperator::Less => comparison(&left, &right, |a, b| a < b)?,
            BinaryOperator::LessEq => comparison(&left, &right, |a, b| a <= b)?,
            BinaryOperator::Greater => comparison(&left, &right, |a, b| a > b)?,
            BinaryOperator::GreaterEq => comparison(&left, &right, |a, b| a >= b)?,
            _ => arithmetic(operator, &left, &right)?,
        };
        Ok(result.marked_by(&left).marked_by(&right))
    }

    fn equality(&self, left: &Value, right: &Value, negated: bool) -> Result<Value, EvalError> {
        self.budget.measure(left)?;
        self.budget.measure(right)?;
        let same = left.identity().is_some() && left.identity() == right.identity();
        let (left, right) = if self.scope.absent_is_null() {
            as_schema(left, right)
        } else {
            (Cow::Borrowed(left), Cow::Borrowed(right))
        };
        let (left, right) = (&*left, &*right);
        Ok(
            match Some(true).filter(|_| same).or_else(|| equals(left, right)) {
                Some(equal) => (equal != negated).into(),
                None => result_of(reason(left, right), Type::Bool),
            },
        )
    }

    /// `&&` (decided by false) and `||` (decided by true). The right side counts only where the
    /// left side leaves the matter open, so a fault there is no fault of the whole.
    fn logic(&self, left: &Value, right: &Expression, decisive: bool) -> Result<Value, EvalError> {
        let first = coerce::bool(left)?;
        if first == Some(decisive) {
            return Ok(Value::from(decisive).marked_by(left));
        }
        let undecided = || result_of(reason(left, left), Type::Bool).marked_by(left);
        let right = match self.expression(right) {
            Ok(value) => value,
            Err(error) if first.is_none() && error.is_catchable() => return Ok(undecided()),
            Err(error) => return Err(error),
        };
        let second = match coerce::bool(&right) {
            Ok(second) => second,
            Err(_) if first.is_none() => return Ok(undecided()),
            Err(error) => return Err(error),
        };
        let result = match (first, second) {
            (_, Some(value)) if value == decisive => decisive.into(),
            (Some(_), Some(_)) => (!decisive).into(),
            _ => result_of(reason(left, &right), Type::Bool),
        };
        Ok(result.marked_by(left).marked_by(&right))
    }

    pub(super) fn conditional(&self, conditional: &Conditional) -> Result<Value, EvalError> {
        let condition = self.expression(&conditional.cond_expr)?;
        match coerce::bool(&condition)? {
            Some(true) => Ok(self
                .expression(&conditional.true_expr)?
                .marked_by(&condition)),
            Some(false) => Ok(self
                .expression(&conditional.false_expr)?
                .marked_by(&condition)),
            None => {
                let left = self.arm(&conditional.true_expr)?;
                let right = self.arm(&conditional.false_expr)?;
                let origin = reason(&condition, &condition);
                let result = match (&left, &right) {
                    (Some(left), Some(right)) => {
                        self.budget.measure(left)?;
                        self.budget.measure(right)?;
                        either(origin, left, right)
                    }
                    _ => Value::unknown_of(origin, Type::Any),
                };
                let result = result.marked_by(&condition);
                Ok([left, right]
                    .iter()
                    .flatten()
                    .fold(result, Value::marked_by))
            }
        }
    }

    /// An arm that may not be taken; `None` if it fails, as it then may be taken never.
    fn arm(&self, expression: &Expression) -> Result<Option<Value>, EvalError> {
        match self.expression(expression) {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_catchable() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// What is known of a value that is one or the other.
fn either(origin: Arc<Origin>, left: &Value, right: &Value) -> Value {
    if equals(left, right) == Some(true) {
        return left.clone();
    }
    let kind = match (left.is_null(), right.is_null()) {
        (true, _) => type_of(right),
        (_, true) => type_of(left),
        _ => unify(&[type_of(left), type_of(right)]).unwrap_or(Type::Any),
    };
    let prefix = match (prefix_of(left), prefix_of(right)) {
        (Some(a), Some(b)) => {
            let common: String = a
                .chars()
                .zip(b.chars())
                .take_while(|(a, b)| a == b)
                .map(|(a, _)| a)
                .collect();
            (!common.is_empty()).then(|| common.into())
        }
        _ => None,
    };
    let at_least = match (least_of(left), least_of(right)) {
        (Some(a), Some(b)) => Some(a.min(b)),
        _ => None,
    };
    Kind::Unknown(Unknown {
        origin,
        kind,
        not_null: not_null(left) && not_null(right),
        at_least,
        prefix,
        encoded: None,
    })
    .into()
}

fn not_null(value: &Value) -> bool {
    match &value.kind {
        Kind::Null => false,
        Kind::Unknown(unknown) => unknown.not_null,
        _ => true,
    }
}

fn prefix_of(value: &Value) -> Option<&str> {
    match &value.kind {
        Kind::String(text) => Some(text),
        Kind::Unknown(unknown) => unknown.prefix.as_deref(),
        _ => None,
    }
}

fn least_of(value: &Value) -> Option<u32> {
    match &value.kind {
        Kind::Unknown(unknown) => unknown.at_least,
        Kind::List(list) => u32::try_from(list.items.len()).ok(),
        Kind::Map(map) => u32::try_from(map.entries.len()).ok(),
        _ => None,
    }
}

/// `<` and its relatives on numbers, also where only a lower bound of one side is known.
fn comparison(
    left: &Value,
    right: &Value,
    holds: impl Fn(Decimal, Decimal) -> bool,
) -> Result<Value, EvalError> {
    let decided = match (coerce::number(left)?, coerce::number(right)?) {
        (Some(a), Some(b)) => Some(holds(a, b)),
        (None, Some(b)) => bound(left).and_then(|least| {
            // From the bound upwards the answer must stay the same.
            (least > b || (least == b && holds(least, b) == holds(Decimal::MAX, b)))
                .then(|| holds(least, b))
        }),
        (Some(a), None) => bound(right).and_then(|least| {
            (least > a || (least == a && holds(a, least) == holds(a, Decimal::MAX)))
                .then(|| holds(a, least))
        }),
        (None, None) => None,
    };
    Ok(match decided {
        Some(value) => value.into(),
        None => result_of(reason(left, right), Type::Bool),
    })
}

fn bound(value: &Value) -> Option<Decimal> {
    let unknown = value.as_unknown()?;
    (unknown.kind == Type::Number)
        .then_some(unknown.at_least)?
        .map(Decimal::from)
}

fn arithmetic(operator: BinaryOperator, left: &Value, right: &Value) -> Result<Value, EvalError> {
    let (Some(a), Some(b)) = (coerce::number(left)?, coerce::number(right)?) else {
        return Ok(result_of(reason(left, right), Type::Number));
    };
    let result = match operator {
        BinaryOperator::Plus => a.checked_add(b),
        BinaryOperator::Minus => a.checked_sub(b),
        BinaryOperator::Mul => a.checked_mul(b),
        _ if b.is_zero() => return fault("division by zero"),
        BinaryOperator::Div => a.checked_div(b),
        _ => a.checked_rem(b),
    };
    match result {
        Some(result) => Ok(result.into()),
        None => fault("the result has more than 28 digits"),
    }
}
