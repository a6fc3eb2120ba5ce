//! Environment markers (PEP 508), only as far as to say whether pip would read them. Which machine
//! installs is not known, so that a requirement counts whatever its marker says.

/// The variables of markers, those of older standards included.
const VARIABLES: [&str; 20] = [
    "dependency_groups",
    "extra",
    "extras",
    "implementation_name",
    "implementation_version",
    "os.name",
    "os_name",
    "platform.machine",
    "platform.python_implementation",
    "platform.version",
    "platform_machine",
    "platform_python_implementation",
    "platform_release",
    "platform_system",
    "platform_version",
    "python_full_version",
    "python_implementation",
    "python_version",
    "sys.platform",
    "sys_platform",
];

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    /// The left side of a comparison, or a bracket.
    Left,
    Operator,
    /// The `in` of `not in`.
    In,
    Right,
    /// `and`, `or`, a closing bracket, or the end.
    Joint,
}

/// Whether pip reads a marker.
pub(super) fn is_valid(text: &str) -> bool {
    let mut next = Next::Left;
    let mut depth = 0_usize;
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let Some((token, after)) = token(rest) else {
            return false;
        };
        rest = after.trim_start();
        let is_operand = token.starts_with(['"', '\'']) || VARIABLES.contains(&token);
        next = match (next, token) {
            (Next::Left, "(") => {
                depth = depth.saturating_add(1);
                Next::Left
            }
            (Next::Left, _) if is_operand => Next::Operator,
            (Next::Operator, "not") => Next::In,
            (Next::Operator, "in" | "===" | "==" | "~=" | "!=" | "<=" | ">=" | "<" | ">")
            | (Next::In, "in") => Next::Right,
            (Next::Right, _) if is_operand => Next::Joint,
            (Next::Joint, "and" | "or") => Next::Left,
            (Next::Joint, ")") if depth > 0 => {
                depth = depth.saturating_sub(1);
                Next::Joint
            }
            _ => return false,
        };
    }
    next == Next::Joint && depth == 0
}

/// The first token of a text: a string with its quotation marks, a word, a bracket, an operator.
fn token(text: &str) -> Option<(&str, &str)> {
    let first = text.chars().next()?;
    let end = match first {
        '(' | ')' => 1,
        '"' | '\'' => text.get(1..)?.find(first)?.saturating_add(2),
        '=' | '~' | '!' | '<' | '>' => text.find(|c| !matches!(c, '=' | '~' | '!' | '<' | '>'))?,
        _ => {
            let in_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
            text.find(|c| !in_word(c)).unwrap_or(text.len())
        }
    };
    text.split_at_checked(end).filter(|_| end > 0)
}

#[cfg(test)]
mod tests {
    use super::is_valid;

    #[test]
    fn markers() {
        for text in [
            "python_version < '3'",
            "python_version<\"3.9\" and (sys_platform == 'win32' or os.name=='nt')",
            "'linux' in sys_platform",
            "platform_machine not in 'x86_64 aarch64'",
            "((extra == 'a'))",
        ] {
            assert!(is_valid(text), "{text}");
        }
        for text in [
            "",
            "python_version",
            "python_version < 3",
            "python_version < '3' django==1.8",
            "python_version < '3'./wheels/a.whl",
            "python_version < '3",
            "(python_version < '3'",
            "python_version < '3')",
            "python < '3'",
            "python_version == '3' and",
            "extra not 'a'",
            "a b",
            "\u{200b}",
        ] {
            assert!(!is_valid(text), "{text}");
        }
    }
}
