//! Debian control files as R writes them (R Core Team, "Writing R Extensions", section 1.1.1): fields,
//! continued by lines that begin with a blank, in blocks that empty lines part.

/// A field, and the line it begins on.
pub(super) struct Field<'a> {
    pub(super) line: u32,
    pub(super) key: &'a str,
    pub(super) value: String,
}

/// A block of fields.
#[derive(Default)]
pub(super) struct Block<'a> {
    pub(super) fields: Vec<Field<'a>>,
    /// Lines that are neither a field nor the rest of one.
    pub(super) odd: Vec<u32>,
}

impl Block<'_> {
    /// The first value of a key, and where it stands.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.field(key).map(|field| field.value.as_str())
    }

    pub(super) fn field(&self, key: &str) -> Option<&Field<'_>> {
        self.fields.iter().find(|field| field.key == key)
    }

    /// A key that is there twice.
    pub(super) fn repeated(&self) -> Option<&Field<'_>> {
        let mut seen = std::collections::BTreeSet::new();
        self.fields.iter().find(|field| !seen.insert(field.key))
    }
}

/// The blocks of a text.
pub(super) fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut block = Block::default();
    for (text, line) in text.lines().zip(1_u32..) {
        if text.trim().is_empty() {
            if !block.fields.is_empty() || !block.odd.is_empty() {
                blocks.push(std::mem::take(&mut block));
            }
        } else if text.starts_with([' ', '\t']) {
            match block.fields.last_mut() {
                Some(field) => {
                    field.value.push(' ');
                    field.value.push_str(text.trim());
                }
                None => block.odd.push(line),
            }
        } else if let Some((key, value)) = text.split_once(':') {
            block.fields.push(Field {
                line,
                key,
                value: value.trim().to_owned(),
            });
        } else {
            block.odd.push(line);
        }
    }
    if !block.fields.is_empty() || !block.odd.is_empty() {
        blocks.push(block);
    }
    blocks
}

/// The names in a list of requirements: `R (>= 3.5), methods, Rcpp`.
pub(super) fn names(list: &str) -> impl Iterator<Item = &str> {
    let names = list
        .split(',')
        .map(|one| one.split('(').next().unwrap_or(one).trim());
    names.filter(|name| super::renv_lock::is_name(name) && *name != "R")
}
