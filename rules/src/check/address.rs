//! Takes resource addresses apart: module path, type, instance key.

use crate::Class;

/// Whether an address is of a type; data sources are asked for as `data.T`.
pub(super) fn is_of_kind(address: &str, kind: &str) -> bool {
    let (mode, kind) = super::split_kind(kind);
    let local = local_part(address);
    let (class, local) = match local.strip_prefix("data.") {
        Some(rest) => (Class::Data, rest),
        None => (Class::Managed, local),
    };
    class == mode
        && local
            .strip_prefix(kind)
            .is_some_and(|rest| rest.starts_with('.'))
}

/// An address without its module path: `module.a["x.y"].aws_t.n` gives `aws_t.n`.
fn local_part(address: &str) -> &str {
    let mut rest = address;
    while let Some(after) = rest.strip_prefix("module.") {
        let mut quoted = false;
        let mut escaped = false;
        let mut depth: u32 = 0;
        let end = after.char_indices().find(|(_, c)| {
            let was_escaped = std::mem::take(&mut escaped);
            match c {
                '\\' if quoted && !was_escaped => escaped = true,
                '"' if !was_escaped => quoted = !quoted,
                '[' if !quoted => depth = depth.saturating_add(1),
                ']' if !quoted => depth = depth.saturating_sub(1),
                '.' => return !quoted && depth == 0,
                _ => {}
            }
            false
        });
        match end.and_then(|(at, _)| after.get(at.saturating_add(1)..)) {
            Some(next) => rest = next,
            None => return rest,
        }
    }
    rest
}

/// An instance address without its own key.
pub(super) fn without_key(address: &str) -> &str {
    if !address.ends_with(']') {
        return address;
    }
    let local = local_part(address);
    let start = address.len().saturating_sub(local.len());
    let end = local.find('[').map(|at| start.saturating_add(at));
    end.and_then(|end| address.get(..end)).unwrap_or(address)
}

#[cfg(test)]
mod tests {
    use super::{is_of_kind, local_part, without_key};

    #[test]
    fn addresses_are_taken_apart() {
        let address = r#"module.a["x.y\"].z"].module.b.aws_t.n["k[0].l"]"#;
        assert_eq!(local_part(address), r#"aws_t.n["k[0].l"]"#);
        assert_eq!(
            without_key(address),
            r#"module.a["x.y\"].z"].module.b.aws_t.n"#
        );
        assert_eq!(without_key("aws_t.n"), "aws_t.n");
        assert!(is_of_kind(address, "aws_t"));
        assert!(!is_of_kind("aws_t_more.n", "aws_t"));
        assert!(is_of_kind("data.aws_t.n", "data.aws_t"));
        assert!(!is_of_kind("data.aws_t.n", "aws_t"));
    }
}
