//! The names that an expression of a rule may use: its functions, and the roots of its
//! references. A misspelt one is found when the rule is read, not when it first runs. The build
//! script includes this file too.

use std::collections::BTreeSet;
use std::ops::Range;

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, ForExpr, FuncCall, Traversal, TraversalOperator};
use hcl_edit::visit::{self, Visit};

/// Terraform's own functions that a rule may call: the pure ones. A rule reads no files and
/// knows neither time nor chance.
pub(crate) const TERRAFORM: &[&str] = &[
    "abs",
    "alltrue",
    "anytrue",
    "base64decode",
    "base64encode",
    "can",
    "ceil",
    "chomp",
    "chunklist",
    "cidrhost",
    "cidrnetmask",
    "cidrsubnet",
    "coalesce",
    "coalescelist",
    "compact",
    "concat",
    "contains",
    "distinct",
    "element",
    "endswith",
    "flatten",
    "floor",
    "format",
    "formatlist",
    "index",
    "indent",
    "join",
    "jsondecode",
    "jsonencode",
    "keys",
    "length",
    "log",
    "lookup",
    "lower",
    "matchkeys",
    "max",
    "merge",
    "min",
    "one",
    "parseint",
    "pow",
    "range",
    "regex",
    "regexall",
    "replace",
    "reverse",
    "setintersection",
    "setproduct",
    "setsubtract",
    "setunion",
    "signum",
    "slice",
    "sort",
    "split",
    "startswith",
    "strcontains",
    "strrev",
    "substr",
    "sum",
    "title",
    "tobool",
    "tolist",
    "tomap",
    "tonumber",
    "toset",
    "tostring",
    "transpose",
    "trim",
    "trimprefix",
    "trimspace",
    "trimsuffix",
    "try",
    "upper",
    "urlencode",
    "values",
    "yamldecode",
    "yamlencode",
    "zipmap",
];

/// Functions of rules that look at values only.
pub(crate) const VALUES: &[&str] = &[
    "allows",
    "bool",
    "configured",
    "first",
    "list",
    "policy",
    "port_in",
    "public_cidr",
    "public_principal",
];

/// Functions of rules that look at the stack, or at what is known of a value.
pub(crate) const STACK: &[&str] = &["all", "known_parts", "refers", "related", "target"];

/// What may be named at one place of a rule.
#[derive(Clone, Copy)]
pub(crate) struct Names<'a> {
    /// Declared `local.*`.
    pub(crate) locals: &'a BTreeSet<String>,
    /// Whether there is a `self`.
    pub(crate) has_self: bool,
    /// Whether there is an `each`.
    pub(crate) has_each: bool,
}

impl<'a> Names<'a> {
    /// In the rule block itself.
    pub(crate) fn rule(locals: &'a BTreeSet<String>) -> Self {
        Self {
            locals,
            has_self: false,
            has_each: false,
        }
    }

    /// In a subject block.
    pub(crate) fn subject(locals: &'a BTreeSet<String>, has_self: bool) -> Self {
        Self {
            locals,
            has_self,
            has_each: false,
        }
    }

    /// In a check, with `each` if it has a `for_each`.
    pub(crate) fn with_each(self, has_each: bool) -> Self {
        Self { has_each, ..self }
    }
}

/// Checks all names in `expression`. The error is a place and what is wrong there.
pub(crate) fn check(
    expression: &Expression,
    names: &Names<'_>,
) -> Result<(), (Option<Range<usize>>, String)> {
    let mut checker = Checker {
        names,
        bound: Vec::new(),
        error: None,
    };
    checker.visit_expr(expression);
    checker.error.map_or(Ok(()), Err)
}

struct Checker<'a> {
    names: &'a Names<'a>,
    /// Variables of the `for` expressions around.
    bound: Vec<String>,
    error: Option<(Option<Range<usize>>, String)>,
}

impl Checker<'_> {
    fn fail(&mut self, span: Option<Range<usize>>, message: String) {
        if self.error.is_none() {
            self.error = Some((span, message));
        }
    }

    fn root(&mut self, name: &str, first: Option<&str>, span: Option<Range<usize>>) {
        if self.bound.iter().any(|bound| bound == name) {
            return;
        }
        let message = match (name, first) {
            ("self", _) if self.names.has_self => return,
            ("each", Some("key" | "value")) if self.names.has_each => return,
            ("each", _) if self.names.has_each => "it is each.key or each.value".to_owned(),
            ("local", Some(local)) if self.names.locals.contains(local) => return,
            ("local", Some(local)) => format!("local.{local} is not declared above"),
            ("self", _) => "`self` means nothing here".to_owned(),
            ("each", _) => "`each` needs a `for_each` in this check".to_owned(),
            _ => format!("`{name}` is not known: a rule has self, each and local"),
        };
        self.fail(span, message);
    }
}

impl Visit for Checker<'_> {
    fn visit_expr(&mut self, node: &Expression) {
        if let Expression::Variable(name) = node {
            self.root(name.as_str(), None, name.span());
        } else {
            visit::visit_expr(self, node);
        }
    }

    fn visit_traversal(&mut self, node: &Traversal) {
        if let Expression::Variable(name) = &node.expr {
            let first = node
                .operators
                .first()
                .and_then(|operator| match operator.value() {
                    TraversalOperator::GetAttr(ident) => Some(ident.as_str()),
                    _ => None,
                });
            self.root(name.as_str(), first, name.span());
        } else {
            self.visit_expr(&node.expr);
        }
        for operator in &node.operators {
            self.visit_traversal_operator(operator);
        }
    }

    fn visit_func_call(&mut self, node: &FuncCall) {
        let name = node.name.name.as_str();
        let known = [TERRAFORM, VALUES, STACK].iter().any(|l| l.contains(&name));
        if !known || node.name.is_namespaced() {
            let message = format!("rules have no function `{name}`");
            self.fail(node.name.name.span(), message);
        }
        visit::visit_func_args(self, &node.args);
    }

    fn visit_for_expr(&mut self, node: &ForExpr) {
        self.visit_expr(&node.intro.collection_expr);
        let before = self.bound.len();
        let variables = node.intro.key_var.iter().chain([&node.intro.value_var]);
        self.bound
            .extend(variables.map(|name| name.as_str().to_owned()));
        if let Some(key) = &node.key_expr {
            self.visit_expr(key);
        }
        self.visit_expr(&node.value_expr);
        if let Some(condition) = &node.cond {
            self.visit_expr(&condition.expr);
        }
        self.bound.truncate(before);
    }
}
