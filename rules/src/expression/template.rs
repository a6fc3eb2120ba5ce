//! Templates: interpolations, `if` and `for` directives, strip markers. A template with unknown
//! parts is an unknown string that keeps its known parts as [`Piece`]s.

use std::sync::Arc;

use hcl_edit::template::{Directive, Element, ForDirective, IfDirective, Template};

use super::coerce::{self, name_of};
use super::collection::{Members, members};
use super::{EvalError, Evaluator, Frame, fault};
use crate::Value;
use crate::functions::convert::format_number;
use crate::value::{Kind, Origin, Piece};

/// Parts of a text with holes; of what has more, only the beginning is kept.
const MAX_PIECES: usize = 1_000;

/// Steps that parsing a template costs, beside its length.
const PARSE_COST: u64 = 20;

/// The text of a template as it is built.
struct Text {
    pieces: Vec<Piece>,
    current: String,
    /// Bytes in finished pieces.
    finished: usize,
    origin: Option<Arc<Origin>>,
    marks: Value,
    /// Spaces at the end of the literal before this point may be stripped.
    literal_from: Option<usize>,
    /// The next literal loses its leading spaces.
    strip_next: bool,
    /// Strip markers stop at the end of a line (heredocs and files).
    by_line: bool,
}

impl Text {
    fn new(by_line: bool) -> Self {
        Self {
            pieces: Vec::new(),
            current: String::new(),
            finished: 0,
            origin: None,
            marks: Value::NULL,
            literal_from: None,
            strip_next: false,
            by_line,
        }
    }

    fn literal(&mut self, text: &str) {
        let text = match (self.strip_next, self.by_line) {
            (false, _) => text,
            (true, false) => text.trim_start(),
            (true, true) => match text.split_once('\n') {
                Some((line, rest)) if line.trim_start().is_empty() => rest,
                _ => text.trim_start(),
            },
        };
        self.literal_from = Some(self.current.len());
        self.strip_next = false;
        self.current.push_str(text);
    }

    /// A marker `${~` or `%{~`: the literal before it loses its trailing spaces.
    fn strip_back(&mut self) {
        let Some(from) = self.literal_from else {
            return;
        };
        let literal = self.current.get(from..).unwrap_or_default();
        let line = match literal.strip_suffix('\n').unwrap_or(literal).rfind('\n') {
            Some(end) if self.by_line => end.saturating_add(1),
            _ => 0,
        };
        let kept = literal.get(line..).unwrap_or_default().trim_end().len();
        self.current
            .truncate(from.saturating_add(line).saturating_add(kept));
    }

    fn begin(&mut self, strip_before: bool, strip_after: bool) {
        if strip_before {
            self.strip_back();
        }
        self.literal_from = None;
        self.strip_next = strip_after;
    }

    fn hole(&mut self, origin: &Arc<Origin>) {
        self.unknown(origin, Piece::Hole(origin.clone()));
    }

    fn unknown(&mut self, origin: &Arc<Origin>, piece: Piece) {
        self.flush();
        if self.pieces.len() <= MAX_PIECES {
            self.pieces.push(piece);
        }
        self.origin.get_or_insert_with(|| origin.clone());
        self.literal_from = None;
    }

    fn flush(&mut self) {
        let text = std::mem::take(&mut self.current);
        self.finished = self.finished.saturating_add(text.len());
        if !text.is_empty() && self.pieces.len() <= MAX_PIECES {
            self.pieces.push(Piece::Text(text.into()));
        }
        self.literal_from = None;
    }

    fn len(&self) -> usize {
        self.finished.saturating_add(self.current.len())
    }

    fn value(&mut self, value: &Value) -> Result<(), EvalError> {
        self.marks = std::mem::replace(&mut self.marks, Value::NULL).marked_by(value);
        match &value.kind {
            Kind::String(text) => self.current.push_str(text),
            Kind::Number(number) => self.current.push_str(&format_number(*number)),
            Kind::Bool(true) => self.current.push_str("true"),
            Kind::Bool(false) => self.current.push_str("false"),
            Kind::Unknown(unknown) => {
                if let Some(encoded) = &unknown.encoded {
                    let piece = Piece::Json(unknown.origin.clone(), encoded.clone());
                    self.unknown(&unknown.origin, piece);
                } else if let Some(pieces) = value.pieces() {
                    for piece in pieces {
                        match piece {
                            Piece::Text(text) => self.current.push_str(text),
                            Piece::Hole(origin) => self.hole(origin),
                            Piece::Json(origin, _) => self.unknown(origin, piece.clone()),
                        }
                    }
                } else {
                    if let Some(prefix) = &unknown.prefix {
                        self.current.push_str(prefix);
                    }
                    self.hole(&unknown.origin);
                }
            }
            _ => return fault(format!("{} cannot be part of a template", name_of(value))),
        }
        self.literal_from = None;
        Ok(())
    }

    fn finish(mut self) -> Value {
        let value = match self.origin.take() {
            None => Value::from(std::mem::take(&mut self.current)),
            Some(origin) => {
                self.flush();
                let complete = self.pieces.len() <= MAX_PIECES;
                let encoded = complete.then(|| super::partial_json::decode(&self.pieces));
                let encoded = encoded.flatten();
                let mut value = Value::text_with_holes(origin, std::mem::take(&mut self.pieces));
                if !complete {
                    value.edit_marks(|marks| marks.pieces = None);
                }
                if let Kind::Unknown(unknown) = &mut value.kind {
                    unknown.encoded = encoded.map(Arc::new);
                }
                value
            }
        };
        value.marked_by(&self.marks)
    }
}

impl Evaluator<'_> {
    /// Evaluates a template of a quoted string or (`by_line`) of a heredoc or file.
    pub(super) fn template(&self, template: &Template, by_line: bool) -> Result<Value, EvalError> {
        if let Some(Element::Interpolation(only)) = template.as_single_element() {
            // `"${x}"` is x itself, whatever its type.
            return self.expression(&only.expr);
        }
        let mut text = Text::new(by_line);
        self.elements(template, &mut text)?;
        Ok(text.finish())
    }

    /// Evaluates the text of a template file with `names` as its only names.
    pub(super) fn template_text(&self, text: &str, names: &Value) -> Result<Value, EvalError> {
        self.budget.text(text.len())?;
        if !text.contains("${") && !text.contains("%{") {
            return Ok(text.into());
        }
        self.budget.spend(PARSE_COST)?;
        let template = hcl_edit::parser::parse_template(text).map_err(|error| {
            EvalError::Type(format!(
                "line {}: {}",
                error.location().line(),
                error.message()
            ))
        })?;
        let scope = Names {
            names,
            outer: self.scope,
        };
        let inner = Evaluator {
            scope: &scope,
            frame: None,
            budget: self.budget,
        };
        inner.template(&template, true)
    }

    fn elements(&self, template: &Template, text: &mut Text) -> Result<(), EvalError> {
        for element in template {
            let before = text.len();
            match element {
                Element::Literal(literal) => text.literal(literal),
                Element::Interpolation(interpolation) => {
                    let strip = interpolation.strip;
                    text.begin(strip.strip_start(), strip.strip_end());
                    let value = self.expression(&interpolation.expr)?;
                    text.value(&value)?;
                }
                Element::Directive(directive) => match &**directive {
                    Directive::If(directive) => self.if_directive(directive, text)?,
                    Directive::For(directive) => self.for_directive(directive, text)?,
                },
            }
            let length = text.len();
            self.budget.text(length.saturating_sub(before))?;
            if length > super::MAX_TEXT {
                self.budget.text(length)?;
            }
        }
        Ok(())
    }

    fn if_directive(&self, directive: &IfDirective, text: &mut Text) -> Result<(), EvalError> {
        let strip = directive.if_expr.strip;
        text.begin(strip.strip_start(), strip.strip_end());
        let condition = self.expression(&directive.if_expr.cond_expr)?;
        text.marks = std::mem::replace(&mut text.marks, Value::NULL).marked_by(&condition);
        let end = directive.endif_expr.strip;
        let decided = coerce::bool(&condition)?;
        if decided == Some(true) {
            self.elements(&directive.if_expr.template, text)?;
        }
        if let Some(otherwise) = &directive.else_expr {
            let strip = otherwise.strip;
            text.begin(
                strip.strip_start() && decided == Some(true),
                strip.strip_end(),
            );
            if decided == Some(false) {
                self.elements(&otherwise.template, text)?;
            }
            text.begin(end.strip_start() && decided == Some(false), end.strip_end());
        } else {
            text.begin(end.strip_start() && decided == Some(true), end.strip_end());
        }
        if let Some(unknown) = condition.as_unknown() {
            text.hole(&unknown.origin);
        }
        Ok(())
    }

    fn for_directive(&self, directive: &ForDirective, text: &mut Text) -> Result<(), EvalError> {
        let head = &directive.for_expr;
        text.begin(head.strip.strip_start(), false);
        let collection = self.expression(&head.collection_expr)?;
        text.marks = std::mem::replace(&mut text.marks, Value::NULL).marked_by(&collection);
        let Members { pairs, rest } = members(&collection)?;
        let end = directive.endfor_expr.strip;
        for (key, value) in &pairs {
            let frame = Frame {
                key: head.key_var.as_ref().map(|name| (name.as_str(), key)),
                value: (head.value_var.as_str(), value),
                parent: self.frame,
            };
            let inner = Evaluator {
                frame: Some(&frame),
                ..*self
            };
            self.budget.spend(1)?;
            text.begin(false, head.strip.strip_end());
            inner.elements(&head.template, text)?;
            if end.strip_start() {
                text.strip_back();
            }
        }
        text.begin(false, end.strip_end());
        if let Some(rest) = rest {
            text.hole(&rest.origin);
        }
        Ok(())
    }
}

/// The scope of a template file: its own names, and the functions of the place that uses it.
struct Names<'a> {
    names: &'a Value,
    outer: &'a dyn super::Scope,
}

impl super::Scope for Names<'_> {
    fn resolve(
        &self,
        root: &str,
        _operators: &[hcl_edit::Decorated<hcl_edit::expr::TraversalOperator>],
    ) -> Option<Result<(Value, usize), EvalError>> {
        match &self.names.kind {
            Kind::Map(map) if map.rest.is_none() && !map.entries.contains_key(root) => None,
            _ => Some(super::attribute(self.names, root).map(|value| (value, 0))),
        }
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, EvalError>> {
        self.outer.call(name, arguments)
    }

    fn absent_is_null(&self) -> bool {
        self.outer.absent_is_null()
    }

    fn budget(&self) -> Option<&super::Budget> {
        self.outer.budget()
    }

    fn context(&self) -> crate::functions::Context<'_> {
        self.outer.context()
    }
}
