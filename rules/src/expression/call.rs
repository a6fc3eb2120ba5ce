//! Function calls: those that need unevaluated arguments, those of the scope, of providers, and
//! of the standard table.

use hcl_edit::expr::{FuncArgs, FuncCall};

use super::coerce::name_of;
use super::{EvalError, Evaluator, fault};
use crate::Value;
use crate::files;
use crate::functions::{self, FunctionError};
use crate::value::{Kind, Origin, Type};

/// Evaluated arguments, or the reason why it is not known how many there are.
enum Arguments {
    Known(Vec<Value>),
    Unknown(Value),
}

/// Why a call failed; of sensitive arguments, nothing that was said about them.
fn failure(name: &str, error: FunctionError, arguments: &[Value]) -> EvalError {
    let error = match error {
        FunctionError::Limit(message) => return EvalError::Limit(format!("{name}: {message}")),
        FunctionError::Argument(_) if arguments.iter().any(is_secret) => {
            FunctionError::Argument("the call fails; its arguments are sensitive".to_owned())
        }
        FunctionError::FileNotFound(_) if arguments.iter().any(is_secret) => {
            FunctionError::FileNotFound("there is no such file; its path is sensitive".to_owned())
        }
        error => error,
    };
    EvalError::Function {
        name: name.into(),
        error,
    }
}

/// Whether any part of a value is sensitive.
fn is_secret(value: &Value) -> bool {
    value.is_sensitive()
        || match &value.kind {
            Kind::List(list) => list.items.iter().any(is_secret),
            Kind::Map(map) => map.entries.values().any(is_secret),
            _ => false,
        }
}

impl Evaluator<'_> {
    pub(super) fn call(&self, call: &FuncCall) -> Result<Value, EvalError> {
        let name = call.name.name.as_str();
        let namespace = &call.name.namespace;
        if namespace
            .first()
            .is_some_and(|first| first.as_str() == "provider")
        {
            return self.provider_function(call);
        }
        match namespace.as_slice() {
            [] => {}
            [core] if core.as_str() == "core" => {}
            _ => return fault(format!("there is no function of the namespace of {name}")),
        }
        let lazily = |expression: &_| self.expression(expression);
        if let Some(result) = self.scope.call_lazy(name, &call.args, &lazily) {
            return result;
        }
        match name {
            "try" => return self.try_(&call.args),
            "can" => return self.can(&call.args),
            _ => {}
        }
        let arguments = match self.arguments(&call.args)? {
            Arguments::Known(arguments) => arguments,
            Arguments::Unknown(value) => return Ok(value),
        };
        match name {
            "templatefile" => return self.templatefile(&arguments),
            "templatestring" => return self.templatestring(&arguments),
            _ => {}
        }
        if let Some(result) = self.scope.call(name, &arguments) {
            return result;
        }
        let Some(function) = functions::lookup(name) else {
            return fault(format!("there is no function {name}"));
        };
        let result = function(&arguments, &self.scope.context())
            .map_err(|error| failure(name, error, &arguments))?;
        if matches!(name, "jsondecode" | "yamldecode" | "csvdecode") {
            // Paid for where it was decoded; the same text gives the same value again.
            self.budget.measure(&result)?;
        } else {
            self.budget.made(&result)?;
        }
        Ok(result)
    }

    fn arguments(&self, arguments: &FuncArgs) -> Result<Arguments, EvalError> {
        let mut values = Vec::with_capacity(arguments.len());
        for argument in arguments {
            values.push(self.expression(argument)?);
        }
        if !arguments.expand_final() {
            return Ok(Arguments::Known(values));
        }
        let Some(last) = values.pop() else {
            return Ok(Arguments::Known(values));
        };
        let rest = match &last.kind {
            Kind::List(list) => match &list.rest {
                None => {
                    self.budget
                        .spend(u64::try_from(list.items.len()).unwrap_or(u64::MAX))?;
                    let items = list.items.iter();
                    values.extend(items.map(|item| item.clone().marked_by(&last)));
                    return Ok(Arguments::Known(values));
                }
                Some(rest) => rest,
            },
            Kind::Unknown(unknown) => unknown,
            _ => {
                return fault(format!(
                    "{} cannot be expanded into arguments",
                    name_of(&last)
                ));
            }
        };
        let result = Value::unknown_of(rest.origin.clone(), Type::Any).marked_by(&last);
        Ok(Arguments::Unknown(
            values.iter().fold(result, Value::marked_by),
        ))
    }

    fn provider_function(&self, call: &FuncCall) -> Result<Value, EvalError> {
        let path: Vec<&str> = call
            .name
            .namespace
            .iter()
            .map(|part| part.as_str())
            .chain([call.name.name.as_str()])
            .collect();
        let result = Value::unknown(Origin::Function(path.join("::").into()));
        Ok(match self.arguments(&call.args)? {
            Arguments::Known(values) => values.iter().fold(result, Value::marked_by),
            Arguments::Unknown(value) => result.marked_by(&value),
        })
    }

    /// The first argument that can be evaluated. An unknown one is a value like others.
    fn try_(&self, arguments: &FuncArgs) -> Result<Value, EvalError> {
        for argument in arguments {
            match self.expression(argument) {
                Err(error) if error.is_catchable() => {}
                result => return result,
            }
        }
        fault("try: no argument could be evaluated")
    }

    fn can(&self, arguments: &FuncArgs) -> Result<Value, EvalError> {
        let Some(argument) = arguments.get(0) else {
            return fault("can: an argument is required");
        };
        match self.expression(argument) {
            // What an unknown value turns out to be may not have the member that is asked for.
            Ok(value) => Ok(match value.as_unknown() {
                Some(unknown) => Value::unknown_of(unknown.origin.clone(), Type::Bool),
                None => true.into(),
            }
            .marked_by(&value)),
            Err(error) if error.is_catchable() => Ok(false.into()),
            Err(error) => Err(error),
        }
    }

    fn templatefile(&self, arguments: &[Value]) -> Result<Value, EvalError> {
        let [path, names] = arguments else {
            return fault("templatefile: a path and an object are required");
        };
        let Kind::String(name) = &path.kind else {
            return match path.as_unknown() {
                Some(unknown) => Ok(Value::unknown_of(unknown.origin.clone(), Type::String)
                    .marked_by(path)
                    .marked_by(names)),
                None => fault(format!("templatefile: {} is not a path", name_of(path))),
            };
        };
        let missing = |reason: &str| {
            let error = FunctionError::FileNotFound(format!("{reason}: {name}"));
            failure("templatefile", error, std::slice::from_ref(path))
        };
        let context = self.scope.context();
        let Some(full) = files::join(context.directory, name) else {
            return Err(missing("the file lies outside the scanned directory"));
        };
        let Ok(bytes) = context.files.read(&full) else {
            return Err(missing("there is no file"));
        };
        self.budget.text(bytes.len())?;
        let text = String::from_utf8(bytes)
            .map_err(|_| EvalError::Type(format!("templatefile: {name} is not UTF-8")))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let result = self
            .template_text(text, names)
            .map_err(|error| match error {
                EvalError::Type(_) if is_secret(path) => {
                    EvalError::Type("templatefile: the template fails".to_owned())
                }
                EvalError::Type(message) => {
                    EvalError::Type(format!("templatefile {name}: {message}"))
                }
                error => error,
            })?;
        Ok(result.marked_by(path))
    }

    fn templatestring(&self, arguments: &[Value]) -> Result<Value, EvalError> {
        let [template, names] = arguments else {
            return fault("templatestring: a template and an object are required");
        };
        match &template.kind {
            Kind::String(text) => Ok(self.template_text(text, names)?.marked_by(template)),
            Kind::Unknown(unknown) => {
                let result = Value::unknown_of(unknown.origin.clone(), Type::String);
                Ok(result.marked_by(template).marked_by(names))
            }
            _ => fault(format!(
                "templatestring: {} is not a template",
                name_of(template)
            )),
        }
    }
}
