//! Values that are one of a few words, as options and settings have them.

/// One of a few words, in any case; the error says which there are.
pub fn one_of<T: Copy>(text: &str, words: &[(&str, T)]) -> Result<T, String> {
    let mut all = words.iter();
    if let Some((_, value)) = all.find(|(word, _)| word.eq_ignore_ascii_case(text)) {
        return Ok(*value);
    }
    let (last, others) = words
        .split_last()
        .map_or(("", words), |(last, others)| (last.0, others));
    let others: Vec<&str> = others.iter().map(|(word, _)| *word).collect();
    Err(format!("expected {} or {last}", others.join(", ")))
}
