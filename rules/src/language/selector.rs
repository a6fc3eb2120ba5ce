//! What a subject of a rule selects: a class of resources and a type, or a pattern of types. The build
//! script includes this file too.

/// Words that begin a subject.
pub(super) const SUBJECTS: [&str; 8] = [
    "resource",
    "data",
    "module",
    "provider",
    "terraform",
    "variable",
    "output",
    "stack",
];

/// What a subject block selects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Selector {
    /// One of [`SUBJECTS`]; `stack` is the root module as a whole.
    pub(crate) class: &'static str,
    /// The type, in which `*` stands for anything.
    pub(crate) kind: String,
}

impl Selector {
    /// Whether several types fit.
    pub(crate) fn is_pattern(&self) -> bool {
        self.kind.contains('*')
    }

    /// Whether a type fits.
    pub(crate) fn fits(&self, kind: &str) -> bool {
        let mut parts = self.kind.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = kind.strip_prefix(first) else {
            return false;
        };
        if !self.is_pattern() {
            return rest.is_empty();
        }
        let mut parts: Vec<&str> = parts.collect();
        let last = parts.pop().unwrap_or_default();
        for part in parts {
            match rest.find(part) {
                Some(at) => {
                    rest = rest
                        .get(at.saturating_add(part.len())..)
                        .unwrap_or_default();
                }
                None => return false,
            }
        }
        rest.ends_with(last)
    }

    /// The selector of such a name.
    pub(crate) fn of_key(key: &str) -> Self {
        let class = key.split_once('.').and_then(|(word, kind)| {
            let class = SUBJECTS.iter().find(|class| **class == word)?;
            Some((*class, kind))
        });
        let (class, kind) = class.unwrap_or(("resource", key));
        Self {
            class,
            kind: kind.to_owned(),
        }
    }

    /// Its name in the index: `T`, `data.T`, `module.*`, `stack`.
    pub(crate) fn key(&self) -> String {
        match self.class {
            "resource" => self.kind.clone(),
            "stack" => "stack".to_owned(),
            class => format!("{class}.{}", self.kind),
        }
    }
}
