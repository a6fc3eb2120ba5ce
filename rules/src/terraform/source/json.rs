//! Terraform's JSON syntax (`.tf.json`, `.tfvars.json`): objects are blocks or attributes by
//! position, strings are templates.
//!
//! Inside resources the syntax does not tell a nested block from an attribute that is a map;
//! only the provider's schema would. Objects count as blocks, but for the attributes that the
//! large providers have as maps.

use std::sync::Arc;

use document::{Entry, ErrorKind, Node, Value};
use hcl_edit::Number;
use hcl_edit::expr::{Array, Expression, Object, ObjectKey, ObjectValue};
use hcl_edit::template::{Element, StringTemplate};

use super::lines::Lines;
use super::{Attribute, Block, Body, MAX_OBJECT_COST, Source};
use crate::{Problem, ProblemKind, ProblemSeverity};

/// Attributes that are maps, not blocks, in resources of the large providers.
const MAPS: [&str; 26] = [
    "annotations",
    "app_settings",
    "binary_data",
    "config",
    "data",
    "default_tags",
    "effective_labels",
    "environment_variables",
    "inputs",
    "keepers",
    "labels",
    "metadata",
    "node_labels",
    "options",
    "parameters",
    "query",
    "request_parameters",
    "resource_labels",
    "secret_environment_variables",
    "string_data",
    "tags",
    "tags_all",
    "triggers",
    "user_labels",
    "variables",
    "workload_metadata",
];

/// Reads a `.tf.json` file.
pub(in crate::terraform) fn parse_json(path: &str, text: &str) -> Source {
    read(path, text, true)
}

/// Reads a `.tfvars.json` file: attributes whose values are literal.
pub(in crate::terraform) fn parse_json_variables(path: &str, text: &str) -> Source {
    read(path, text, false)
}

fn read(path: &str, text: &str, is_module: bool) -> Source {
    let lines = Lines::new(path, text);
    let problem = |offset, kind, severity, cause: &str| Source {
        problems: vec![
            Problem {
                severity,
                ..Problem::error(kind, path, Some(lines.place(offset).0), cause)
            }
            .whole(),
        ],
        ..Source::default()
    };
    let broken = |offset, cause| {
        let severity = ProblemSeverity::Error;
        problem(offset, ProblemKind::Syntax, severity, cause)
    };
    match document::json(text) {
        Ok(node) if object_cost(&node) > MAX_OBJECT_COST => {
            let cause = "the objects of the file have too many entries";
            let severity = ProblemSeverity::Warning;
            problem(0, ProblemKind::Limit, severity, cause)
        }
        Ok(Node {
            value: Value::Table(members),
            ..
        }) => Source {
            body: if is_module {
                Reader { lines: &lines }.file(&members)
            } else {
                Reader { lines: &lines }.values(&members)
            },
            ..Source::default()
        },
        Ok(Node {
            value: Value::List(bodies),
            start,
            ..
        }) if is_module => {
            let is_object = |body: &Node<'_>| matches!(body.value, Value::Table(_));
            if !bodies.iter().all(is_object) {
                return broken(
                    usize::try_from(start).unwrap_or(usize::MAX),
                    "a list of objects was expected",
                );
            }
            let mut source = Source::default();
            for body in &bodies {
                if let Value::Table(members) = &body.value {
                    let body = Reader { lines: &lines }.file(members);
                    source.body.blocks.extend(body.blocks);
                }
            }
            source
        }
        Ok(node) => broken(node.range().start, "an object was expected"),
        Err(error) => {
            let kind = match error.kind {
                ErrorKind::Limit => ProblemKind::Limit,
                ErrorKind::Malformed | ErrorKind::Ambiguous => ProblemKind::Syntax,
            };
            let offset = error.offset.unwrap_or_default();
            problem(offset, kind, ProblemSeverity::Error, &error.cause)
        }
    }
}

/// What the objects cost as expressions; see [`MAX_OBJECT_COST`].
fn object_cost(node: &Node<'_>) -> u64 {
    match &node.value {
        Value::Table(members) => {
            let own = u64::try_from(members.len()).unwrap_or(u64::MAX);
            let below = members.iter().map(|member| object_cost(&member.node));
            below.fold(own.saturating_mul(own), u64::saturating_add)
        }
        Value::List(items) => items.iter().map(object_cost).fold(0, u64::saturating_add),
        _ => 0,
    }
}

struct Reader<'a> {
    lines: &'a Lines<'a>,
}

/// The object members of a node, or of each object in an array.
fn objects<'n, 'a>(node: &'n Node<'a>) -> Vec<(&'n Node<'a>, &'n [Entry<'a>])> {
    match &node.value {
        Value::Table(members) => vec![(node, members)],
        Value::List(items) => items
            .iter()
            .filter_map(|item| match &item.value {
                Value::Table(members) => Some((item, members.as_slice())),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn is_comment(member: &Entry<'_>) -> bool {
    member.key == "//"
}

impl Reader<'_> {
    fn file(&self, members: &[Entry<'_>]) -> Body {
        let mut body = Body::default();
        for member in members.iter().filter(|member| !is_comment(member)) {
            let labels = match &*member.key {
                "resource" | "data" | "ephemeral" => 2,
                "variable" | "output" | "module" | "provider" | "check" => 1,
                _ => 0,
            };
            self.labelled(&member.key, member, labels, &[], &mut body.blocks);
        }
        body
    }

    fn values(&self, members: &[Entry<'_>]) -> Body {
        Body {
            attributes: members.iter().map(|member| self.literal(member)).collect(),
            blocks: Vec::new(),
        }
    }

    /// Unfolds `{"label": {"label": body}}`; a body may also be an array of bodies.
    fn labelled(
        &self,
        kind: &str,
        member: &Entry<'_>,
        labels: usize,
        given: &[Arc<str>],
        blocks: &mut Vec<Block>,
    ) {
        for (node, members) in objects(&member.node) {
            if let Some(left) = labels.checked_sub(1) {
                for member in members.iter().filter(|member| !is_comment(member)) {
                    let mut given = given.to_vec();
                    given.push((&*member.key).into());
                    self.labelled(kind, member, left, &given, blocks);
                }
                continue;
            }
            // A block with labels is told by its last label, also where its body is an array.
            let is_array = matches!(member.node.value, Value::List(_));
            let range = if given.is_empty() && is_array {
                node.range()
            } else {
                member.range()
            };
            let body = match kind {
                "variable" => self.variable(members),
                "resource" | "data" | "ephemeral" | "provider" => self.resource(members),
                _ => self.attributes(members),
            };
            let span = self.lines.span(range);
            blocks.push(Block::new(kind.into(), given.to_vec(), body, span));
        }
    }

    fn attribute(&self, member: &Entry<'_>, expression: Expression) -> Attribute {
        let span = self.lines.span(member.range());
        Attribute::new((&*member.key).into(), expression, span)
    }

    fn literal(&self, member: &Entry<'_>) -> Attribute {
        self.attribute(member, expression(&member.node, false))
    }

    /// A body without nested blocks.
    fn attributes(&self, members: &[Entry<'_>]) -> Body {
        let attributes = members
            .iter()
            .filter(|member| !is_comment(member))
            .map(|member| self.attribute(member, expression(&member.node, true)));
        Body {
            attributes: attributes.collect(),
            blocks: Vec::new(),
        }
    }

    /// Types are expressions in strings; defaults are literal.
    fn variable(&self, members: &[Entry<'_>]) -> Body {
        let attributes = members.iter().filter(|member| !is_comment(member));
        let attributes = attributes.map(|member| match (&*member.key, &member.node.value) {
            ("type", Value::Text(text)) => {
                let parsed = super::parse_text_expression(text);
                self.attribute(member, parsed.unwrap_or_else(|| (&**text).into()))
            }
            _ => self.literal(member),
        });
        Body {
            attributes: attributes.collect(),
            blocks: Vec::new(),
        }
    }

    fn resource(&self, members: &[Entry<'_>]) -> Body {
        let mut body = Body::default();
        for member in members.iter().filter(|member| !is_comment(member)) {
            if member.key == "dynamic" {
                for (_, kinds) in objects(&member.node) {
                    for kind in kinds.iter().filter(|kind| !is_comment(kind)) {
                        self.dynamic(kind, &mut body.blocks);
                    }
                }
                continue;
            }
            if !is_block(member) {
                let expression = expression(&member.node, true);
                body.attributes.push(self.attribute(member, expression));
                continue;
            }
            let whole = matches!(member.node.value, Value::Table(_));
            for (node, members) in objects(&member.node) {
                let start = if whole {
                    member.range().start
                } else {
                    node.range().start
                };
                let span = self.lines.span(start..node.range().end);
                let inner = self.resource(members);
                let kind = (&*member.key).into();
                body.blocks.push(Block::new(kind, Vec::new(), inner, span));
            }
        }
        body
    }

    /// `"kind": {"for_each": …, "content": {…}}` or an array of such.
    fn dynamic(&self, member: &Entry<'_>, blocks: &mut Vec<Block>) {
        for (_, members) in objects(&member.node) {
            let span = self.lines.span(member.range());
            let mut body = Body::default();
            for part in members.iter().filter(|part| !is_comment(part)) {
                let is_content = part.key == "content";
                match objects(&part.node).first() {
                    Some((node, content)) if is_content => {
                        let span = self.lines.span(part.range().start..node.range().end);
                        let inner = self.resource(content);
                        let block = Block::new("content".into(), Vec::new(), inner, span);
                        body.blocks.push(block);
                    }
                    _ => body
                        .attributes
                        .push(self.attribute(part, expression(&part.node, true))),
                }
            }
            let labels = vec![(&*member.key).into()];
            blocks.push(Block::new("dynamic".into(), labels, body, span));
        }
    }
}

fn is_block(member: &Entry<'_>) -> bool {
    match &member.node.value {
        Value::Table(_) => !MAPS.contains(&&*member.key),
        Value::List(items) => {
            let is_object = |item: &Node<'_>| matches!(item.value, Value::Table(_));
            !items.is_empty() && items.iter().all(is_object)
        }
        _ => false,
    }
}

/// A JSON value as an expression; strings are templates where the place says so.
fn expression(node: &Node<'_>, templates: bool) -> Expression {
    match &node.value {
        Value::Null => Expression::null(),
        Value::Bool(value) => (*value).into(),
        Value::Number(text) => match text.parse::<i64>() {
            Ok(number) => Number::from(number).into(),
            // Fractions are parsed as native numbers are, which keeps their digits.
            Err(_) => hcl_edit::parser::parse_expr(text).unwrap_or_else(|_| (&**text).into()),
        },
        Value::Text(text) => string(text, templates),
        Value::List(items) => {
            let items = items.iter().map(|item| expression(item, templates));
            Expression::Array(Array::from(items.collect::<Vec<_>>()))
        }
        Value::Table(members) => {
            let mut object = Object::new();
            for member in members {
                let key = ObjectKey::Expression(string(&member.key, templates));
                object.insert(key, ObjectValue::new(expression(&member.node, templates)));
            }
            Expression::Object(object)
        }
    }
}

fn string(text: &str, templates: bool) -> Expression {
    if !templates || !text.contains(['$', '%']) {
        return text.into();
    }
    match hcl_edit::parser::parse_template(text) {
        Ok(template) => match template.as_single_element() {
            Some(Element::Literal(literal)) => literal.as_str().into(),
            _ => StringTemplate::from(template.into_iter().collect::<Vec<_>>()).into(),
        },
        // Terraform refuses it; it then stands for itself, like other text.
        Err(_) => text.into(),
    }
}
