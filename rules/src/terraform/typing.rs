//! Type constraints of variables, from `string` to `map(object({a = optional(bool, true)}))`.

use std::collections::BTreeMap;
use std::sync::Arc;

use hcl_edit::expr::{Expression, FuncCall, ObjectKey};

use crate::Value;
use crate::value::{Field, Type};

/// Levels of types inside types.
const MAX_DEPTH: usize = 50;

/// Reads a type expression; defaults of `optional` go through `default`, and names that stand for
/// deep expressions through `hoisted`. `None` if it is not a type.
pub(super) fn type_of_expression<'a>(
    expression: &'a Expression,
    default: &'a dyn Fn(&Expression) -> Option<Value>,
    hoisted: &'a dyn Fn(&str) -> Option<&'a Expression>,
) -> Option<Type> {
    Reader { default, hoisted }.kind(expression, 0)
}

struct Reader<'a> {
    default: &'a dyn Fn(&Expression) -> Option<Value>,
    hoisted: &'a dyn Fn(&str) -> Option<&'a Expression>,
}

impl<'a> Reader<'a> {
    /// The expression itself, or the one that its name stands for.
    fn whole<'b>(&self, expression: &'b Expression) -> &'b Expression
    where
        'a: 'b,
    {
        match expression {
            Expression::Variable(name) => (self.hoisted)(name.as_str()).unwrap_or(expression),
            _ => expression,
        }
    }

    fn kind(&self, expression: &Expression, depth: usize) -> Option<Type> {
        if depth > MAX_DEPTH {
            return Some(Type::Any);
        }
        match self.whole(expression) {
            Expression::Variable(name) => simple(name.as_str()),
            // Before Terraform 0.12 types were written in quotes.
            Expression::String(name) => simple(name.as_str()),
            Expression::Parenthesis(inner) => self.kind(inner.inner(), depth.saturating_add(1)),
            Expression::FuncCall(call) => self.compound(call, depth.saturating_add(1)),
            _ => None,
        }
    }

    fn compound(&self, call: &FuncCall, depth: usize) -> Option<Type> {
        let argument = self.whole(call.args.get(0)?);
        let member = || Some(Arc::new(self.kind(argument, depth)?));
        match call.name.name.as_str() {
            "list" => Some(Type::List(member()?)),
            "set" => Some(Type::Set(member()?)),
            "map" => Some(Type::Map(member()?)),
            "tuple" => {
                let members = argument.as_array()?.iter();
                let members: Option<Vec<Type>> =
                    members.map(|member| self.kind(member, depth)).collect();
                Some(Type::Tuple(members?.into()))
            }
            "object" => {
                let mut fields = BTreeMap::new();
                for (key, value) in argument.as_object()? {
                    let name: Arc<str> = match key {
                        ObjectKey::Ident(name) => name.as_str().into(),
                        ObjectKey::Expression(Expression::String(name)) => name.as_str().into(),
                        ObjectKey::Expression(_) => return None,
                    };
                    fields.insert(name, self.field(value.expr(), depth)?);
                }
                Some(Type::Object(Arc::new(fields)))
            }
            _ => None,
        }
    }

    fn field(&self, expression: &Expression, depth: usize) -> Option<Field> {
        if let Expression::FuncCall(call) = self.whole(expression)
            && call.name.name.as_str() == "optional"
        {
            return Some(Field {
                kind: self.kind(call.args.get(0)?, depth)?,
                optional: true,
                default: call.args.get(1).and_then(self.default),
            });
        }
        Some(Field {
            kind: self.kind(expression, depth)?,
            optional: false,
            default: None,
        })
    }
}

fn simple(name: &str) -> Option<Type> {
    match name {
        "any" => Some(Type::Any),
        "bool" => Some(Type::Bool),
        "number" => Some(Type::Number),
        "string" => Some(Type::String),
        "list" => Some(Type::List(Type::Any.into())),
        "map" => Some(Type::Map(Type::Any.into())),
        "set" => Some(Type::Set(Type::Any.into())),
        _ => None,
    }
}
