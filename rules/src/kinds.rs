//! The kinds of input that rules judge: one row for each, and one folder for what it does.

use crate::input::{Claim, InputKind};
use crate::plan::Plan;
use crate::state::State;
use crate::terraform::Hcl;

/// Every kind, in the order in which they are loaded: what is written comes before what is made of
/// it, so that a finding in both is reported where somebody can change it.
pub static KINDS: [&dyn InputKind; 3] = [&Hcl, &Plan, &State];

/// The kind of an id.
pub fn by_id(id: &str) -> Option<&'static dyn InputKind> {
    KINDS.into_iter().find(|kind| kind.id() == id)
}

/// The kind whose examples have a fence.
pub(crate) fn by_fence(fence: &str) -> Option<&'static dyn InputKind> {
    KINDS.into_iter().find(|kind| kind.fence() == fence)
}

/// The kind that a file belongs to by its name.
pub fn by_name(name: &str) -> Option<&'static dyn InputKind> {
    let mut kinds = KINDS.into_iter();
    kinds.find(|kind| kind.claim(name) == Claim::Name)
}

/// The kind that a file belongs to by its name and first bytes.
pub fn by_content(name: &str, first: &[u8]) -> Option<&'static dyn InputKind> {
    let mut kinds = KINDS.into_iter();
    kinds.find(|kind| kind.claim(name) == Claim::Content && kind.is_content(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_belong_to_the_kind_of_their_name_or_content() {
        let id = |kind: Option<&'static dyn InputKind>| kind.map(InputKind::id);
        assert_eq!(id(by_name("main.tf")), Some("terraform"));
        assert_eq!(id(by_name("x.tf.json")), Some("terraform"));
        assert_eq!(id(by_name("plan.json")), None);
        let plan =
            b"{\"format_version\":\"1.2\",\"terraform_version\":\"1.9.5\",\"planned_values\":{";
        assert_eq!(id(by_content("plan.json", plan)), Some("plan"));
        assert_eq!(id(by_content("x.tf.json", plan)), None);
        assert_eq!(id(by_content("plan.json", b"{\"a\": 1}")), None);
        for kind in KINDS {
            assert_eq!(id(by_id(kind.id())), Some(kind.id()));
            assert_eq!(id(by_fence(kind.fence())), Some(kind.id()));
            assert_ne!(kind.claim(kind.example_name()), Claim::No);
        }
    }
}
