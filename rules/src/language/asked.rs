//! Which classes of blocks a rule asks for: by its subjects, and by what it hands to the functions
//! that look at a stack. What nobody asks for is not made. The build script includes this file too.

use std::collections::BTreeSet;

use hcl_edit::expr::{Expression, FuncCall};
use hcl_edit::visit::{self, Visit};

use super::selector::SUBJECTS;
use super::syntax::RuleBlock;

/// Functions of which the argument at a place is a type, with its class before it.
const ASKING: [(&str, usize); 2] = [("all", 0), ("related", 1)];

/// The words of all classes that a rule asks for, sorted.
pub(crate) fn classes(rule: &RuleBlock) -> BTreeSet<&'static str> {
    let subjects = rule.subjects.iter();
    let selectors = subjects.flat_map(|subject| &subject.selectors);
    let mut asked = Asked(selectors.map(|selector| selector.class).collect());
    for expression in expressions(rule) {
        asked.visit_expr(expression);
    }
    asked.0
}

/// Every expression of a rule.
fn expressions(rule: &RuleBlock) -> impl Iterator<Item = &Expression> {
    let own = rule.locals.iter().map(|local| &local.value);
    own.chain(rule.subjects.iter().flat_map(|subject| {
        let own = subject.locals.iter().map(|local| &local.value);
        let own = own.chain(&subject.when);
        own.chain(subject.checks.iter().flat_map(|check| {
            let locals = check.locals.iter().map(|local| &local.value);
            let limits = check.when.iter().chain(&check.for_each);
            let rest = check.fix.iter().chain(&check.at);
            let both = [&check.condition, &check.message];
            locals.chain(limits).chain(rest).chain(both)
        }))
    }))
}

struct Asked(BTreeSet<&'static str>);

impl Visit for Asked {
    fn visit_func_call(&mut self, node: &FuncCall) {
        let place = ASKING
            .iter()
            .find(|(name, _)| *name == node.name.name.as_str());
        let kind = place.and_then(|(_, place)| node.args.iter().nth(*place)?.as_str());
        if let Some(kind) = kind {
            let word = kind.split_once('.').map_or(kind, |(word, _)| word);
            self.0.extend(SUBJECTS.iter().find(|class| **class == word));
        }
        visit::visit_func_args(self, &node.args);
    }
}
