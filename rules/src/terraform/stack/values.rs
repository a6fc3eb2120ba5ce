//! Variables, locals and outputs of a module instance.

use std::rc::Rc;
use std::sync::Arc;

use super::super::source::{Block, parse_text_expression};
use super::super::typing::type_of_expression;
use super::{Instance, MIN_SECRET, Run, failed};
use crate::expression::{EvalError, evaluate};
use crate::functions::FunctionError;
use crate::functions::convert::convert;
use crate::value::{Kind, Origin, Type};
use crate::{ProblemKind, ProblemSeverity, Span, Value};

impl Run<'_> {
    /// The value of a variable; `None` if it is not declared.
    pub(super) fn variable(&self, instance: &Rc<Instance>, name: &str) -> Option<Value> {
        if let Some(value) = instance.variables.borrow().get(name) {
            return Some(value.clone());
        }
        let (name, block) = instance.module.variables.get_key_value(name)?;
        let what = instance.named(&format!("var.{name}"));
        let (span, depth) = argument_place(instance, name, block);
        let value = self
            .once(what.clone(), span, depth, || {
                self.evaluate_variable(instance, name, block)
            })
            .unwrap_or_else(|| failed(what));
        let mut variables = instance.variables.borrow_mut();
        variables.insert(name.clone(), value.clone());
        Some(value)
    }

    fn evaluate_variable(&self, instance: &Rc<Instance>, name: &Arc<str>, block: &Block) -> Value {
        let own = self.names(instance, None);
        let flag = |key: &str| {
            let attribute = block.body.attribute(key)?;
            self.attribute(&own, attribute).as_bool()
        };
        let kind = block.body.attribute("type").map_or(Type::Any, |attribute| {
            let default = |expression: &_| evaluate(expression, &own).ok();
            let hoisted = |name: &str| instance.module.hoisted(name);
            type_of_expression(&attribute.expression, &default, &hoisted).unwrap_or_else(|| {
                let cause = format!("the type of variable {name} is not one");
                let severity = ProblemSeverity::Error;
                self.problem(ProblemKind::Evaluation, severity, &attribute.span, cause);
                Type::Any
            })
        });
        let nullable = flag("nullable") != Some(false);
        let given = match &instance.caller {
            Some(_) => self.argument(instance, name),
            None => self.root_value(name, &kind, &block.span),
        };
        let given = given.filter(|value| nullable || !value.is_null());
        let default = || {
            let attribute = block.body.attribute("default")?;
            Some(self.attribute(&own, attribute))
        };
        let Some(raw) = given.or_else(default) else {
            let path = instance.named(&format!("var.{name}"));
            let origin = Origin::Variable(if instance.address.is_empty() {
                name.clone()
            } else {
                instance.named(name).into()
            });
            let mut value = Value::unknown_of(Arc::new(origin), kind);
            value.edit_marks(|marks| marks.identity = Some(path.into()));
            if let Kind::Unknown(unknown) = &mut value.kind {
                unknown.not_null = !nullable;
            }
            if flag("sensitive") == Some(true) {
                value.edit_marks(|marks| marks.sensitive = true);
            }
            return value;
        };
        let sensitive = flag("sensitive") == Some(true);
        if sensitive {
            self.keep_secret(&raw);
        }
        let paid = match kind {
            Type::Any => Ok(()),
            _ => self
                .totals
                .budget
                .made(&raw)
                .map_err(|error| FunctionError::Limit(error.to_string())),
        };
        let mut value = match paid.and_then(|()| convert(&raw, &kind)) {
            Ok(value) => value,
            Err(FunctionError::Limit(cause)) => {
                let place = raw.span().unwrap_or(&block.span).clone();
                let cause = format!("variable {name}: {cause}");
                let severity = ProblemSeverity::Warning;
                self.problem(ProblemKind::Limit, severity, &place, cause);
                failed(format!("var.{name}")).marked_by(&raw)
            }
            Err(error) => {
                let place = raw.span().unwrap_or(&block.span).clone();
                let cause = if raw.is_sensitive() || sensitive {
                    format!("variable {name}: the value is not of the declared type")
                } else {
                    format!("variable {name}: {error}")
                };
                let severity = ProblemSeverity::Error;
                self.problem(ProblemKind::Evaluation, severity, &place, cause);
                failed(format!("var.{name}")).marked_by(&raw)
            }
        };
        value.edit_marks(|marks| {
            marks.sensitive |= sensitive;
            if marks.provenance.is_none() {
                marks.provenance = marks.span.take();
            }
            marks.span = None;
        });
        value
    }

    fn argument(&self, instance: &Instance, name: &str) -> Option<Value> {
        let caller = instance.caller.as_ref()?;
        let call = caller.instance.module.calls.get(&caller.call)?;
        let attribute = call.body.attribute(name)?;
        let binding = caller
            .repetition
            .as_ref()
            .map(|(name, value)| super::Binding::new(name, value, None));
        let names = self.names(&caller.instance, binding.as_ref());
        Some(self.attribute(&names, attribute))
    }

    /// What files or the environment give to a variable of the root module.
    fn root_value(&self, name: &Arc<str>, kind: &Type, place: &Span) -> Option<Value> {
        if let Some(attribute) = self.given.value(name) {
            if let Some(constant) = &attribute.constant {
                return Some(constant.clone());
            }
            let value = evaluate(&attribute.expression, &super::scope::NoNames(self));
            return Some(match value {
                Ok(value) => value.with_span(attribute.span.clone()),
                Err(error) => {
                    // What stands there may be a secret without its quotes.
                    let (kind, severity) = match error {
                        EvalError::Limit(_) => (ProblemKind::Limit, ProblemSeverity::Warning),
                        _ => (ProblemKind::Evaluation, ProblemSeverity::Error),
                    };
                    let cause = format!("variable {name}: its value is not a literal value");
                    self.problem(kind, severity, &attribute.span, cause);
                    failed(name.clone()).with_span(attribute.span.clone())
                }
            });
        }
        let text = self.options.environment.get(&**name)?;
        let is_text = matches!(kind, Type::Any | Type::String | Type::Number | Type::Bool);
        if is_text {
            return Some(text.as_str().into());
        }
        let value = parse_text_expression(text)
            .and_then(|expression| evaluate(&expression, &super::scope::NoNames(self)).ok());
        if value.is_none() {
            // The text itself may be a secret.
            let cause = format!("variable {name}: its value in the environment does not parse");
            self.problem(
                ProblemKind::Evaluation,
                ProblemSeverity::Error,
                place,
                cause,
            );
        }
        Some(value.unwrap_or_else(|| failed(name.clone())))
    }

    /// Remembers the texts of a sensitive value, so that no message repeats them.
    fn keep_secret(&self, value: &Value) {
        match &value.kind {
            Kind::String(text) if text.len() >= MIN_SECRET => {
                self.secrets.borrow_mut().insert(text.clone());
            }
            Kind::List(list) => list.items.iter().for_each(|item| self.keep_secret(item)),
            Kind::Map(map) => map.entries.values().for_each(|item| self.keep_secret(item)),
            _ => {}
        }
    }

    /// A local value; `None` if it is not declared.
    pub(super) fn local(&self, instance: &Rc<Instance>, name: &str) -> Option<Value> {
        if let Some(value) = instance.locals.borrow().get(name) {
            return Some(value.clone());
        }
        let (name, attribute) = instance.module.locals.get_key_value(name)?;
        let what = instance.named(&format!("local.{name}"));
        let value = self
            .once(what.clone(), &attribute.span, instance.depth, || {
                self.attribute(&self.names(instance, None), attribute)
            })
            .unwrap_or_else(|| failed(what));
        let mut locals = instance.locals.borrow_mut();
        locals.insert(name.clone(), value.clone());
        Some(value)
    }

    /// An output; `None` if it is not declared.
    pub(super) fn output(&self, instance: &Rc<Instance>, name: &str) -> Option<Value> {
        if let Some(value) = instance.outputs.borrow().get(name) {
            return Some(value.clone());
        }
        let (name, block) = instance.module.outputs.get_key_value(name)?;
        let what = instance.named(&format!("output.{name}"));
        let names = self.names(instance, None);
        let value = self
            .once(what.clone(), &block.span, instance.depth, || {
                let value = block.body.attribute("value");
                let mut value =
                    value.map_or(Value::NULL, |attribute| self.attribute(&names, attribute));
                let sensitive = block.body.attribute("sensitive");
                if sensitive
                    .is_some_and(|flag| self.attribute(&names, flag).as_bool() == Some(true))
                {
                    self.keep_secret(&value);
                    value.edit_marks(|marks| marks.sensitive = true);
                }
                value
            })
            .unwrap_or_else(|| failed(what));
        let mut outputs = instance.outputs.borrow_mut();
        outputs.insert(name.clone(), value.clone());
        Some(value)
    }
}

/// Where a variable gets its value: the argument of the call, else its declaration.
fn argument_place<'b>(instance: &'b Instance, name: &str, block: &'b Block) -> (&'b Span, usize) {
    let argument = instance.caller.as_ref().and_then(|caller| {
        let call = caller.instance.module.calls.get(&caller.call)?;
        Some((&call.body.attribute(name)?.span, caller.instance.depth))
    });
    argument.unwrap_or((&block.span, instance.depth))
}
