//! Reads the rule block of a file: `rule "id" { … }` with its subjects and checks. Refuses
//! unknown attributes and blocks, functions that rules do not have, and names that mean nothing
//! at their place. The build script includes this file too.

use std::collections::BTreeSet;

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, ObjectKey};
use hcl_edit::structure::{Attribute, Block, Body, Structure};

use super::names::{self, Names};
use super::selector::{SUBJECTS, Selector};

/// Longest rule block, in bytes. The parser itself bounds nesting and operator chains.
pub(crate) const MAX_RULE_BLOCK: usize = 64 * 1024;

/// Severity words that a rule may use.
const SEVERITIES: [&str; 4] = ["CRITICAL", "HIGH", "MEDIUM", "LOW"];

/// A line and what is wrong there.
pub(super) type SyntaxError = (u32, String);

/// The content of one rule block.
#[derive(Debug)]
pub(crate) struct RuleBlock {
    /// Kebab-case id.
    pub(crate) id: String,
    /// One of `CRITICAL`, `HIGH`, `MEDIUM`, `LOW`.
    pub(crate) severity: String,
    /// Version that brought the rule.
    pub(crate) since: String,
    /// Ids by which other tools know it.
    pub(crate) aliases: Vec<String>,
    /// Framework and its control ids.
    pub(crate) controls: Vec<(String, Vec<String>)>,
    /// Names that all subjects share.
    pub(crate) locals: Vec<Local>,
    /// What the rule speaks of.
    pub(crate) subjects: Vec<Subject>,
}

/// One `resource` block, or another subject.
#[derive(Debug)]
pub(crate) struct Subject {
    /// What it speaks of; one block may name several types.
    pub(crate) selectors: Vec<Selector>,
    /// Names for this block.
    pub(crate) locals: Vec<Local>,
    /// Limits the block; where it is false the rule says nothing of the resource.
    pub(crate) when: Option<Expression>,
    /// The checks.
    pub(crate) checks: Vec<Check>,
}

/// A named expression of a `locals` block.
#[derive(Clone, Debug)]
pub(crate) struct Local {
    /// Its name.
    pub(crate) name: String,
    /// Its value.
    pub(crate) value: Expression,
}

/// One `check` block.
#[derive(Debug)]
pub(crate) struct Check {
    /// Path of the attribute that a finding points to.
    pub(crate) attribute: Vec<String>,
    /// What must hold.
    pub(crate) condition: Expression,
    /// What is wrong where it does not hold.
    pub(crate) message: Expression,
    /// Value to write instead.
    pub(crate) fix: Option<Expression>,
    /// Judges each member of a collection.
    pub(crate) for_each: Option<Expression>,
    /// Limits the check.
    pub(crate) when: Option<Expression>,
    /// The resource to report on instead of `self`.
    pub(crate) at: Option<Expression>,
    /// Names for this check.
    pub(crate) locals: Vec<Local>,
    /// 1-based line in the rule's file.
    pub(crate) line: u32,
}

/// Reads the rule block, whose first line is `first_line` of its file.
pub(crate) fn parse(source: &str, first_line: u32) -> Result<RuleBlock, SyntaxError> {
    if source.len() > MAX_RULE_BLOCK {
        let message = format!("a rule block has at most {MAX_RULE_BLOCK} bytes");
        return Err((first_line, message));
    }
    let reader = Reader { source, first_line };
    let body = hcl_edit::parser::parse_body(source).map_err(|error| {
        let line = u32::try_from(error.location().line()).unwrap_or(1);
        let message = error.message().lines().collect::<Vec<_>>().join(", ");
        (first_line.saturating_add(line).saturating_sub(1), message)
    })?;
    let mut rule = None;
    for structure in &body {
        match structure {
            Structure::Block(block) if block.has_ident("rule") && rule.is_none() => {
                rule = Some(reader.rule(block)?);
            }
            other => {
                let message = "only one `rule \"id\" { … }` stands here".to_owned();
                return Err((reader.line(other.span()), message));
            }
        }
    }
    rule.ok_or((first_line, "no `rule \"id\" { … }` block".to_owned()))
}

struct Reader<'a> {
    source: &'a str,
    first_line: u32,
}

impl Reader<'_> {
    fn line(&self, span: Option<std::ops::Range<usize>>) -> u32 {
        let before = span.and_then(|span| self.source.get(..span.start));
        let newlines = before.map_or(0, |text| text.matches('\n').count());
        self.first_line
            .saturating_add(u32::try_from(newlines).unwrap_or(u32::MAX))
    }

    fn rule(&self, block: &Block) -> Result<RuleBlock, SyntaxError> {
        let line = self.line(block.span());
        let [id] = block.labels.as_slice() else {
            return Err((line, "a rule has one label, its id".into()));
        };
        let id = id.as_str().to_owned();
        if !is_kebab(&id) {
            return Err((line, format!("`{id}` is not a kebab-case id")));
        }
        let mut fields = Fields::read(
            self,
            &block.body,
            &["severity", "since", "aliases", "controls"],
            &[&SUBJECTS[..], &["locals", "check"]].concat(),
        )?;
        let severity = fields.text(self, "severity")?;
        let severity = severity.ok_or((line, "a rule needs a `severity`".to_owned()))?;
        if !SEVERITIES.contains(&severity.as_str()) {
            let message = format!("severity is one of {}", SEVERITIES.join(", "));
            return Err((line, message));
        }
        let since = fields.text(self, "since")?;
        let since = since.ok_or((line, "a rule needs `since`, a version".to_owned()))?;
        let aliases = match fields.take("aliases") {
            Some(value) => self.texts(&value)?,
            None => Vec::new(),
        };
        let controls = match fields.take("controls") {
            Some(value) => self.controls(&value)?,
            None => Vec::new(),
        };
        let shared = BTreeSet::new();
        let locals = self.locals(&fields.blocks, &Names::rule(&shared))?;
        let known: BTreeSet<String> = locals.iter().map(|local| local.name.clone()).collect();
        let mut subjects = Vec::new();
        let (shared, blocks): (Vec<&Block>, Vec<&Block>) = fields
            .blocks
            .iter()
            .filter(|block| !block.has_ident("locals"))
            .partition(|block| block.has_ident("check"));
        for block in blocks {
            subjects.push(self.subject(block, &known, &shared)?);
        }
        if subjects.is_empty() {
            let message = "a rule has at least one subject, such as a `resource` block";
            return Err((line, message.into()));
        }
        Ok(RuleBlock {
            id,
            severity,
            since,
            aliases,
            controls,
            locals,
            subjects,
        })
    }

    /// A subject, with the checks that all subjects of the rule share. These speak of the names that
    /// each subject gives in its `locals`: what a rule means stands once, and where to look for it
    /// stands with each type.
    fn subject(
        &self,
        block: &Block,
        shared: &BTreeSet<String>,
        checks_of_all: &[&Block],
    ) -> Result<Subject, SyntaxError> {
        let line = self.line(block.span());
        let class = block.ident.as_str();
        let class = SUBJECTS.iter().find(|word| **word == class);
        let class = *class.ok_or((line, "not a subject of rules".to_owned()))?;
        let mut kinds: Vec<String> = block
            .labels
            .iter()
            .map(|label| label.as_str().to_owned())
            .collect();
        match class {
            "stack" | "terraform" if !kinds.is_empty() => {
                return Err((line, format!("`{class}` has no label")));
            }
            "resource" | "data" if kinds.is_empty() => {
                return Err((line, "name the resource type as label, or \"*\"".into()));
            }
            _ if kinds.is_empty() => kinds.push("*".to_owned()),
            _ => {}
        }
        let kinds = kinds.into_iter();
        let selectors: Vec<Selector> = kinds.map(|kind| Selector { class, kind }).collect();
        let on_stack = class == "stack";
        let attributes = ["when", "for_each", "attribute"];
        let mut fields = Fields::read(self, &block.body, &attributes, &["check", "locals"])?;
        let mut known = shared.clone();
        let names = Names::subject(&known, !on_stack);
        let for_each = fields.take("for_each");
        if let Some(collection) = &for_each {
            self.known_names(collection, &names)?;
        }
        // With a collection, the names are those of each member.
        let names = names.with_each(for_each.is_some());
        let mut locals = self.locals(&fields.blocks, &names)?;
        let attribute = fields.path(self)?;
        let before = known.clone();
        known.extend(locals.iter().map(|local| local.name.clone()));
        let when = fields.take("when");
        if let Some(when) = &when {
            let known = if for_each.is_some() { &before } else { &known };
            self.known_names(when, &Names::subject(known, !on_stack))?;
        }
        let mut checks = Vec::new();
        for block in fields.blocks.iter().filter(|b| b.has_ident("check")) {
            if for_each.is_some() {
                let message = "a `for_each` of a subject is for the checks of the rule: give this check its own";
                return Err((self.line(block.span()), message.into()));
            }
            checks.push(self.check(block, &known, !on_stack)?);
        }
        for block in checks_of_all {
            let names = Names::subject(&known, !on_stack).with_each(for_each.is_some());
            let mut check = self.check_with(block, &names)?;
            if check.for_each.is_some() {
                let message = "a check of the rule has no `for_each`: its subjects may have one";
                return Err((check.line, message.into()));
            }
            check.for_each.clone_from(&for_each);
            if check.attribute.is_empty() {
                check.attribute.clone_from(&attribute);
            }
            if for_each.is_some() {
                let own = std::mem::take(&mut check.locals);
                check.locals = locals.iter().cloned().chain(own).collect();
            }
            checks.push(check);
        }
        if for_each.is_some() {
            locals.clear();
        }
        if checks.is_empty() {
            return Err((line, "a subject has at least one `check`".into()));
        }
        Ok(Subject {
            selectors,
            locals,
            when,
            checks,
        })
    }

    fn check(
        &self,
        block: &Block,
        known: &BTreeSet<String>,
        on_resource: bool,
    ) -> Result<Check, SyntaxError> {
        self.check_with(block, &Names::subject(known, on_resource))
    }

    fn check_with(&self, block: &Block, outer: &Names<'_>) -> Result<Check, SyntaxError> {
        const ATTRIBUTES: [&str; 7] = [
            "attribute",
            "condition",
            "message",
            "fix",
            "for_each",
            "when",
            "at",
        ];
        let line = self.line(block.span());
        let mut fields = Fields::read(self, &block.body, &ATTRIBUTES, &["locals"])?;
        let for_each = fields.take("for_each");
        if let Some(collection) = &for_each {
            self.known_names(collection, outer)?;
        }
        let each = for_each.is_some() || outer.has_each;
        let locals = self.locals(&fields.blocks, &outer.with_each(each))?;
        let mut known = outer.locals.clone();
        known.extend(locals.iter().map(|local| local.name.clone()));
        let inner = Names::subject(&known, outer.has_self).with_each(each);
        let attribute = fields.path(self)?;
        let mut take = |name: &str| -> Result<Option<Expression>, SyntaxError> {
            let value = fields.take(name);
            if let Some(value) = &value {
                self.known_names(value, &inner)?;
            }
            Ok(value)
        };
        let condition = take("condition")?;
        let message = take("message")?;
        let (fix, when, at) = (take("fix")?, take("when")?, take("at")?);
        let condition = condition.ok_or((line, "a check needs a `condition`".to_owned()))?;
        let message = message.ok_or((line, "a check needs a `message`".to_owned()))?;
        if !matches!(
            message,
            Expression::String(_) | Expression::StringTemplate(_)
        ) {
            return Err((line, "`message` is a quoted text, in one line".into()));
        }
        Ok(Check {
            attribute,
            condition,
            message,
            fix,
            for_each,
            when,
            at,
            locals,
            line,
        })
    }

    /// All names of the `locals` blocks; each may use those above it.
    fn locals(&self, blocks: &[Block], outer: &Names<'_>) -> Result<Vec<Local>, SyntaxError> {
        let mut locals: Vec<Local> = Vec::new();
        let mut known: BTreeSet<String> = outer.locals.clone();
        for block in blocks.iter().filter(|block| block.has_ident("locals")) {
            for structure in &block.body {
                let line = self.line(structure.span());
                let Structure::Attribute(attribute) = structure else {
                    return Err((line, "`locals` holds attributes only".into()));
                };
                let names = Names {
                    locals: &known,
                    ..*outer
                };
                self.known_names(&attribute.value, &names)?;
                let name = attribute.key.as_str().to_owned();
                if !known.insert(name.clone()) {
                    return Err((line, format!("local.{name} is declared twice")));
                }
                locals.push(Local {
                    name,
                    value: attribute.value.clone(),
                });
            }
        }
        Ok(locals)
    }

    fn known_names(&self, value: &Expression, names: &Names<'_>) -> Result<(), SyntaxError> {
        names::check(value, names).map_err(|(span, message)| {
            let span = span.or_else(|| value.span());
            (self.line(span), message)
        })
    }

    fn texts(&self, value: &Expression) -> Result<Vec<String>, SyntaxError> {
        let line = self.line(value.span());
        let wrong = || (line, "expected a list of strings".to_owned());
        let items = value.as_array().ok_or_else(wrong)?;
        let text = |item: &Expression| item.as_str().map(str::to_owned).ok_or_else(wrong);
        items.iter().map(text).collect()
    }

    fn controls(&self, value: &Expression) -> Result<Vec<(String, Vec<String>)>, SyntaxError> {
        let line = self.line(value.span());
        let wrong = || {
            (
                line,
                "expected `{ \"framework\" = [\"control\"] }`".to_owned(),
            )
        };
        let object = value.as_object().ok_or_else(wrong)?;
        let mut controls = Vec::new();
        for (key, value) in object {
            let name = match key {
                ObjectKey::Ident(ident) => ident.as_str().to_owned(),
                ObjectKey::Expression(key) => key.as_str().ok_or_else(wrong)?.to_owned(),
            };
            controls.push((name, self.texts(value.expr())?));
        }
        controls.sort();
        Ok(controls)
    }
}

/// Attributes and blocks of one body, checked against what may stand there.
struct Fields {
    attributes: Vec<Attribute>,
    blocks: Vec<Block>,
}

impl Fields {
    fn read(
        reader: &Reader<'_>,
        body: &Body,
        attributes: &[&str],
        blocks: &[&str],
    ) -> Result<Self, SyntaxError> {
        let mut fields = Self {
            attributes: Vec::new(),
            blocks: Vec::new(),
        };
        for structure in body {
            let (name, allowed) = match structure {
                Structure::Attribute(attribute) => (attribute.key.as_str(), attributes),
                Structure::Block(block) => (block.ident.as_str(), blocks),
            };
            if !allowed.contains(&name) {
                let message = format!("`{name}` is not known here; known: {}", allowed.join(", "));
                return Err((reader.line(structure.span()), message));
            }
            match structure {
                Structure::Attribute(attribute) => fields.attributes.push(attribute.clone()),
                Structure::Block(block) => fields.blocks.push(block.clone()),
            }
        }
        Ok(fields)
    }

    fn take(&mut self, name: &str) -> Option<Expression> {
        let index = self.attributes.iter().position(|a| a.has_key(name))?;
        Some(self.attributes.swap_remove(index).value)
    }

    /// The path of the attribute that a finding points to.
    fn path(&mut self, reader: &Reader<'_>) -> Result<Vec<String>, SyntaxError> {
        let attribute = self.text(reader, "attribute")?;
        let path = attribute.map(|path| path.split('.').map(str::to_owned).collect());
        Ok(path.unwrap_or_default())
    }

    fn text(&mut self, reader: &Reader<'_>, name: &str) -> Result<Option<String>, SyntaxError> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        let line = reader.line(value.span());
        let text = value.as_str().map(str::to_owned);
        text.map(Some)
            .ok_or_else(|| (line, format!("`{name}` is a plain string")))
    }
}

fn is_kebab(id: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    id.split('-').count() >= 3 && id.split('-').all(part)
}

// The path is the same for the build script, which includes this file.
#[cfg(test)]
#[path = "syntax_tests.rs"]
mod tests;
