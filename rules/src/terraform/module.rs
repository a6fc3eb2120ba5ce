//! What the files of one directory declare, without evaluating anything: blocks sorted by kind
//! and name, duplicates reported, override files merged.

use std::collections::BTreeMap;
use std::sync::Arc;

use hcl_edit::expr::Expression;

use super::source::{Attribute, Block, Source};
use crate::{Class, Problem, ProblemKind};

/// Class, type and name of a resource.
pub(super) type ResourceName = (Class, Arc<str>, Arc<str>);

/// A module as written.
#[derive(Debug, Default)]
pub(super) struct Module {
    pub(super) variables: BTreeMap<Arc<str>, Block>,
    pub(super) locals: BTreeMap<Arc<str>, Attribute>,
    pub(super) outputs: BTreeMap<Arc<str>, Block>,
    pub(super) resources: BTreeMap<ResourceName, Block>,
    pub(super) calls: BTreeMap<Arc<str>, Block>,
    /// By local name, or name and alias.
    pub(super) providers: BTreeMap<Arc<str>, Block>,
    hoisted: BTreeMap<String, Expression>,
    /// `terraform` blocks.
    pub(super) settings: Vec<Block>,
    /// It keeps its state somewhere, so that somebody applies it as it is.
    pub(super) has_backend: bool,
    /// Blocks that are none of Terraform's.
    misshapen: usize,
    pub(super) problems: Vec<Problem>,
}

/// How many blocks that are none of Terraform's are listed one by one, per module.
const MAX_MISSHAPEN: usize = 100;

/// Blocks that declare nothing a rule could see.
const BESIDE: [&str; 7] = [
    "terraform",
    "moved",
    "removed",
    "import",
    "check",
    "ephemeral",
    "action",
];

impl Module {
    pub(super) fn hoisted(&self, name: &str) -> Option<&Expression> {
        if self.hoisted.is_empty() {
            return None;
        }
        self.hoisted.get(name)
    }

    /// Adds what a file declares.
    pub(super) fn add(&mut self, source: Source) {
        self.problems.extend(source.problems);
        self.hoisted.extend(source.hoisted);
        for block in source.body.blocks {
            self.block(block);
        }
    }

    fn block(&mut self, mut block: Block) {
        if &*block.kind == "locals" {
            for local in block.body.attributes {
                let what = || format!("local.{}", local.name);
                if let Some(first) = self.locals.get(&local.name) {
                    let problem = duplicate(&what(), &local.span, &first.span);
                    self.problems.push(problem);
                } else {
                    self.locals.insert(local.name.clone(), local);
                }
            }
            return;
        }
        let (Some(table), Some(name)) = (self.table(&block.kind), name_of(&block)) else {
            match (mode_of(&block.kind), block.label(0), block.label(1)) {
                (Some(mode), Some(kind), Some(name)) => {
                    let key = (mode, kind.clone(), name.clone());
                    let what = format!("{kind}.{name}");
                    let table = &mut self.resources;
                    if let Some(problem) = insert(table, key, block, &what) {
                        self.problems.push(problem);
                    }
                }
                (None, ..) if BESIDE.contains(&&*block.kind) => {
                    self.has_backend |= keeps_state(&block);
                    if &*block.kind == "terraform" {
                        self.settings.push(block);
                    }
                }
                _ => self.misshapen(&block),
            }
            return;
        };
        let what = format!("{} {name}", block.kind);
        block.labels.truncate(1);
        if let Some(problem) = insert(table, name, block, &what) {
            self.problems.push(problem);
        }
    }

    /// Reports a block that Terraform refuses: a kind that is none, or too few labels.
    fn misshapen(&mut self, block: &Block) {
        self.misshapen = self.misshapen.saturating_add(1);
        let (file, line) = (block.span.file.clone(), Some(block.span.start_line));
        if self.misshapen <= MAX_MISSHAPEN {
            let labels = block.labels.len();
            let cause = format!(
                "a block {} with {labels} labels is not one of Terraform's",
                block.kind
            );
            let problem = Problem::error(ProblemKind::Syntax, file, line, cause);
            self.problems.push(problem);
        } else if self.misshapen == MAX_MISSHAPEN.saturating_add(1) {
            let cause = format!("more than {MAX_MISSHAPEN} blocks are not Terraform's");
            let problem = Problem::warning(ProblemKind::Limit, file, line, cause);
            self.problems.push(problem);
        }
    }

    fn table(&mut self, kind: &str) -> Option<&mut BTreeMap<Arc<str>, Block>> {
        match kind {
            "variable" => Some(&mut self.variables),
            "output" => Some(&mut self.outputs),
            "module" => Some(&mut self.calls),
            "provider" => Some(&mut self.providers),
            _ => None,
        }
    }

    /// Merges what an override file says into the blocks that it names.
    pub(super) fn override_with(&mut self, source: Source) {
        self.problems.extend(source.problems);
        self.hoisted.extend(source.hoisted);
        for mut block in source.body.blocks {
            if &*block.kind == "locals" {
                for local in std::mem::take(&mut block.body.attributes) {
                    self.locals.insert(local.name.clone(), local);
                }
                continue;
            }
            let mode = mode_of(&block.kind);
            let base = match (mode, block.label(0), block.label(1)) {
                (Some(mode), Some(kind), Some(name)) => {
                    let key = (mode, kind.clone(), name.clone());
                    self.resources.get_mut(&key)
                }
                _ => match (name_of(&block), self.table(&block.kind)) {
                    (Some(name), Some(table)) => table.get_mut(&name),
                    _ if BESIDE.contains(&&*block.kind) => {
                        self.has_backend |= keeps_state(&block);
                        continue;
                    }
                    _ => {
                        self.misshapen(&block);
                        continue;
                    }
                },
            };
            if let Some(base) = base {
                base.body.merge(block.body);
                continue;
            }
            self.problems.push(Problem::error(
                ProblemKind::Undeclared,
                block.span.file.clone(),
                Some(block.span.start_line),
                format!(
                    "the override file names {} {}, which no other file declares",
                    block.kind,
                    block.labels.join(".")
                ),
            ));
            self.block(block);
        }
    }
}

/// Whether a `terraform` block says where the state is kept; the JSON syntax has attributes there.
fn keeps_state(block: &Block) -> bool {
    let is_state = |name: &str| matches!(name, "backend" | "cloud");
    &*block.kind == "terraform"
        && (block.body.blocks.iter().any(|one| is_state(&one.kind))
            || block.body.attributes.iter().any(|one| is_state(&one.name)))
}

fn mode_of(kind: &str) -> Option<Class> {
    match kind {
        "resource" => Some(Class::Managed),
        "data" => Some(Class::Data),
        _ => None,
    }
}

fn name_of(block: &Block) -> Option<Arc<str>> {
    let name = block.label(0)?;
    if &*block.kind != "provider" {
        return Some(name.clone());
    }
    match block.body.attribute("alias").map(|alias| &alias.expression) {
        Some(Expression::String(alias)) => Some(format!("{name}.{}", alias.as_str()).into()),
        _ => Some(name.clone()),
    }
}

fn insert<K: Ord>(
    table: &mut BTreeMap<K, Block>,
    key: K,
    block: Block,
    what: &str,
) -> Option<Problem> {
    if let Some(first) = table.get(&key) {
        return Some(duplicate(what, &block.span, &first.span));
    }
    table.insert(key, block);
    None
}

fn duplicate(what: &str, again: &crate::Span, first: &crate::Span) -> Problem {
    Problem::error(
        ProblemKind::Duplicate,
        again.file.clone(),
        Some(again.start_line),
        format!(
            "{what} is declared twice, first in {} line {}",
            first.file, first.start_line
        ),
    )
}
