//! What a registry says where it does not do what it was asked for, in few words.

use serde::Deserialize;

/// How much of it is repeated.
const MAX_WORDS: usize = 300;

/// An error as registries describe it (distribution specification, "Error codes").
#[derive(Deserialize)]
struct Refusal {
    errors: Vec<RefusalEntry>,
}

#[derive(Deserialize)]
struct RefusalEntry {
    code: String,
    message: Option<String>,
}

/// The first error that a registry names, fit for a terminal.
pub(crate) fn words(body: &[u8]) -> String {
    let Some(first) = serde_json::from_slice(body)
        .ok()
        .and_then(|refusal: Refusal| refusal.errors.into_iter().next())
    else {
        return String::new();
    };
    let text = match first.message.filter(|message| !message.is_empty()) {
        Some(message) => format!(": {} ({message})", first.code),
        None => format!(": {}", first.code),
    };
    let short: String = text.chars().take(MAX_WORDS).collect();
    crate::printable(&short)
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn a_refusal_is_repeated_in_few_words() {
        let body = br#"{"errors":[{"code":"DENIED","message":"no \u001b[2J push","detail":[1]},{"code":"X"}]}"#;
        let text = words(body);
        assert!(text.starts_with(": DENIED (no "), "{text}");
        assert!(!text.contains('\u{1b}'), "{text}");
        for none in ["", "odd", "[]", "{\"errors\":[]}", "{\"errors\":[{}]}"] {
            assert_eq!(words(none.as_bytes()), "");
        }
        let long = format!("{{\"errors\":[{{\"code\":\"{}\"}}]}}", "a".repeat(5000));
        assert!(words(long.as_bytes()).len() < 400);
    }
}
