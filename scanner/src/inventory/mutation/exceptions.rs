//! Changes of single formats that no reader can tell from a good file, each with its reason.

use super::Mutant;
use super::judge::{Item, Known};

struct Exception {
    parser: &'static str,
    holds: fn(&Known<'_>, &Item, &Mutant) -> bool,
    /// Printed nowhere: it is here to be read.
    #[expect(dead_code, reason = "the reason is for readers")]
    reason: &'static str,
}

const ALL: &[Exception] = &[];

pub(super) fn hold(known: &Known<'_>, item: &Item, mutant: &Mutant) -> bool {
    ALL.iter()
        .filter(|exception| exception.parser == known.parser)
        .any(|exception| (exception.holds)(known, item, mutant))
}
