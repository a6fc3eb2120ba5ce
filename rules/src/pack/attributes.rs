//! Which attributes a rule reads. Without provider schemas nobody can say whether a name is
//! right; a name that no example of the rule sets is probably a slip.

use std::collections::BTreeSet;

use hcl_edit::expr::{Expression, FuncCall, Traversal, TraversalOperator};
use hcl_edit::visit::{self, Visit};

use crate::Value;
use crate::language::RuleBlock;
use crate::value::Kind;

/// Members of the normal form that `policy` gives; no configuration sets them.
const OF_POLICIES: [&str; 15] = [
    "version",
    "statements",
    "sid",
    "effect",
    "actions",
    "not_actions",
    "resources",
    "not_resources",
    "principals",
    "not_principals",
    "conditions",
    "test",
    "variable",
    "values",
    "identifiers",
];

/// All attribute names that the conditions of a rule read.
pub(super) fn read_by(rule: &RuleBlock) -> BTreeSet<String> {
    let mut reader = Reader::default();
    let mut expressions: Vec<&Expression> = rule.locals.iter().map(|l| &l.value).collect();
    for subject in &rule.subjects {
        expressions.extend(subject.locals.iter().map(|local| &local.value));
        expressions.extend(&subject.when);
        for check in &subject.checks {
            expressions.extend(check.locals.iter().map(|local| &local.value));
            expressions.extend(check.when.iter().chain(&check.for_each));
            expressions.push(&check.condition);
        }
    }
    for expression in expressions {
        reader.visit_expr(expression);
    }
    let mut names = reader.names;
    for name in OF_POLICIES {
        names.remove(name);
    }
    names
}

/// Collects every attribute name that a value has, at any depth.
pub(super) fn set_by(value: &Value, names: &mut BTreeSet<String>) {
    match &value.kind {
        Kind::List(list) => list.items.iter().for_each(|item| set_by(item, names)),
        Kind::Map(map) => {
            for (name, item) in map.entries.iter() {
                if !names.contains(&**name) {
                    names.insert(name.to_string());
                }
                set_by(item, names);
            }
        }
        _ => {}
    }
}

#[derive(Default)]
struct Reader {
    names: BTreeSet<String>,
}

impl Visit for Reader {
    fn visit_traversal(&mut self, node: &Traversal) {
        let mut operators = node.operators.as_slice();
        if let Expression::Variable(root) = &node.expr {
            if ["local", "each"].contains(&root.as_str()) {
                operators = operators.get(1..).unwrap_or_default();
            }
        } else {
            self.visit_expr(&node.expr);
        }
        for operator in operators {
            match operator.value() {
                TraversalOperator::GetAttr(name) => {
                    self.names.insert(name.as_str().to_owned());
                }
                TraversalOperator::Index(index) => match index.as_str() {
                    Some(name) => {
                        self.names.insert(name.to_owned());
                    }
                    None => self.visit_expr(index),
                },
                _ => {}
            }
        }
    }

    fn visit_func_call(&mut self, node: &FuncCall) {
        let arguments: Vec<&Expression> = node.args.iter().collect();
        if let ("related", [_, _, attribute]) = (node.name.name.as_str(), arguments.as_slice())
            && let Some(path) = attribute.as_str()
        {
            self.names.extend(path.split('.').map(str::to_owned));
        }
        visit::visit_func_args(self, &node.args);
    }
}
