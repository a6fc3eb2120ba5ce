//! What a kind of input is: it says which files are its own, and turns them into [`Stack`]s; whatever
//! comes after knows stacks alone. Knows no kind; [`kinds`](crate::kinds) lists them.

use std::ops::Range;
use std::sync::Arc;

use crate::files::Files;
use crate::{Problem, Resource, Span, Stack, Value};

mod evaluation;
mod sources;

pub use evaluation::{Comment, Coverage, Evaluation, LineRange, Options, VariableFile};
pub use sources::Sources;

/// How a kind knows its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// By its name: whatever it holds, it belongs to this kind.
    Name,
    /// Its name allows it, and its first bytes decide, see [`InputKind::is_content`].
    Content,
    /// It does not belong to this kind.
    No,
}

/// What a kind of input is asked to load.
pub struct Input<'a> {
    /// The files of the tree.
    pub files: &'a dyn Files,
    /// What was discovered of this kind, sorted: directories or files, as the kind says.
    pub paths: &'a [String],
    /// What the user set.
    pub options: &'a Options,
    /// Where the resources of inputs loaded before are written; each kind adds its own.
    pub sources: &'a mut Sources,
}

/// What one file gave: its stack, and what could not be read of it.
pub(crate) type Loaded = Result<(Stack, Vec<Problem>), Problem>;

/// Loads a kind whose files are stacks of their own. A file that is not read is a problem and loses
/// none of the others.
pub(crate) fn each_file(
    input: &Input<'_>,
    visit: &mut (dyn FnMut(Stack) + Send),
    read: impl Fn(&str, &Input<'_>) -> Loaded,
) -> Evaluation {
    let mut evaluation = Evaluation::default();
    for path in input.paths {
        match read(path, input) {
            Ok((stack, problems)) => {
                evaluation.coverage.roots = evaluation.coverage.roots.saturating_add(1);
                evaluation.problems.extend(problems);
                visit(stack);
            }
            Err(problem) => evaluation.problems.push(problem.whole()),
        }
        evaluation.files.push(path.clone());
    }
    evaluation.problems.sort();
    evaluation
}

/// A change to one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The file, relative to the scanned root.
    pub file: Arc<str>,
    /// What is replaced, in bytes of the file; empty where something is inserted.
    pub range: Range<usize>,
    /// The same in lines and columns.
    pub span: Span,
    /// What stands there afterwards.
    pub text: String,
}

/// See the module.
pub trait InputKind: Sync {
    /// The word for it in rules, targets and reports.
    fn id(&self) -> &'static str;

    /// Whether a file of this name belongs to it.
    fn claim(&self, name: &str) -> Claim;

    /// Whether a file that may belong to it does, by its first bytes.
    fn is_content(&self, first: &[u8]) -> bool;

    /// Whether it is loaded by directory or file by file.
    fn is_by_directory(&self) -> bool;

    /// Loads everything, and hands each stack over as soon as it is whole, so that one at a time is
    /// in memory. Whoever wants all of them keeps what it needs of each.
    fn load(&self, input: Input<'_>, visit: &mut (dyn FnMut(Stack) + Send)) -> Evaluation;

    /// A value as somebody would write it to repair a finding; `None` where that cannot be said. What
    /// is made of code is repaired in the code, and so is shown as code.
    fn show_fix(&self, value: &Value) -> Option<String> {
        crate::literal::write(value)
    }

    /// The change that gives the attribute at a path below a resource this value; `None` where that
    /// one attribute does not settle it, or nobody edits such files.
    fn write_fix(
        &self,
        _files: &dyn Files,
        _resource: &Resource,
        _attribute: &[String],
        _value: &Value,
    ) -> Option<Edit> {
        None
    }

    /// The info string of a fenced example in a rule's file.
    fn fence(&self) -> &'static str;

    /// The name under which an example is loaded, as the only file of its tree.
    fn example_name(&self) -> &'static str;
}
