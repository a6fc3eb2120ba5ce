//! The main attributes of a manifest (JAR File Specification, "Manifest Specification"): lines of at
//! most 72 bytes that go on after a space, up to the first empty line.

use std::collections::BTreeMap;

/// Bytes of a manifest that are looked at; signed jars have an entry for every file behind.
const MAX_BYTES: usize = 256 << 10;

/// The main attributes, with names in lower case.
#[derive(Debug, Default)]
pub(super) struct Manifest {
    attributes: BTreeMap<String, String>,
}

impl Manifest {
    pub(super) fn read(content: &[u8]) -> Self {
        let content = content.get(..MAX_BYTES.min(content.len()));
        let text = String::from_utf8_lossy(content.unwrap_or_default());
        let mut attributes = BTreeMap::new();
        let mut last: Option<(String, String)> = None;
        for line in text.lines() {
            if let Some(more) = line.strip_prefix(' ') {
                if let Some((_, value)) = &mut last {
                    value.push_str(more);
                }
                continue;
            }
            attributes.extend(last.take());
            if line.is_empty() {
                break;
            }
            last = line
                .split_once(':')
                .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        attributes.extend(last);
        Self { attributes }
    }

    /// An attribute that is there and not empty; its name is in lower case.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let value = self.attributes.get(name).map(String::as_str);
        value.filter(|value| !value.is_empty())
    }
}
