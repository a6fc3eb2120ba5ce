//! The limits that a user may change, `--limit NAME=VALUE`: one table with name, unit, default and
//! meaning, from which the help of the option and `docs/options.md` are made. What is not in it has a
//! reason to stay as it is: a structure that no registry serves, or what the memory budget decides.

use std::fmt::Write as _;

use super::{
    FILE_BYTES, IMAGE_BYTES, IMAGE_RATIO, LAYER_BYTES, LAYER_PACKAGES, LAYER_PATHS, RATIO,
    TAR_MEMBERS,
};

/// What the number of a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes: `512M`, `64G`.
    Bytes,
    /// Things, or times as much.
    Count,
    /// Seconds: `90`, `90s`, `5m`.
    Seconds,
}

/// A limit that can be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum Name {
    /// Bytes of one file that is held in memory.
    FileBytes,
    /// Bytes of all layers of an image, uncompressed.
    ImageBytes,
    /// How often all layers may exceed what is stored.
    ImageRatio,
    /// Seconds for the layers of an image.
    ImageTime,
    /// Bytes of one layer, uncompressed.
    LayerBytes,
    /// Members of one layer.
    LayerMembers,
    /// Packages of one layer.
    LayerPackages,
    /// Paths of one layer.
    LayerPaths,
    /// How often one layer may exceed what is stored.
    LayerRatio,
}

/// How many there are.
const COUNT: usize = 9;

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Which one.
    pub name: Name,
    /// As users write it.
    pub word: &'static str,
    /// What is counted.
    pub unit: Unit,
    /// Where nothing is said; zero is no limit.
    pub default: u64,
    /// What is limited, and what follows where it is reached.
    pub meaning: &'static str,
}

const fn row(
    name: Name,
    word: &'static str,
    unit: Unit,
    default: u64,
    meaning: &'static str,
) -> Row {
    Row {
        name,
        word,
        unit,
        default,
        meaning,
    }
}

/// All of them, by their words; each at the place of its name.
#[rustfmt::skip]
pub static ROWS: [Row; COUNT] = [
    row(Name::FileBytes, "file-bytes", Unit::Bytes, FILE_BYTES, "one file that is held in memory, besides the limit of its format and a quarter of `--memory`; a longer one is a gap"),
    row(Name::ImageBytes, "image-bytes", Unit::Bytes, IMAGE_BYTES, "all layers of an image together, uncompressed; an image above is refused"),
    row(Name::ImageRatio, "image-ratio", Unit::Count, IMAGE_RATIO, "how often all layers together may exceed their stored size, once they pass 4 GiB; an image above is refused"),
    row(Name::ImageTime, "image-time", Unit::Seconds, 0, "time to read the layers of an image; a layer that is not read and verified by then is a gap. What is read in time depends on the machine: two runs may differ"),
    row(Name::LayerBytes, "layer-bytes", Unit::Bytes, LAYER_BYTES, "one layer, uncompressed; the rest of the layer is a gap"),
    row(Name::LayerMembers, "layer-members", Unit::Count, TAR_MEMBERS, "members of one layer; the rest of the layer is a gap"),
    row(Name::LayerPackages, "layer-packages", Unit::Count, LAYER_PACKAGES as u64, "packages of one layer; the files after it are a gap"),
    row(Name::LayerPaths, "layer-paths", Unit::Count, LAYER_PATHS as u64, "paths that one layer defines; the rest of the layer is a gap"),
    row(Name::LayerRatio, "layer-ratio", Unit::Count, RATIO, "how often a layer may exceed its stored size, once it passes 1 GiB; the rest of the layer is a gap"),
];

/// The values of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    values: [u64; COUNT],
}

impl Default for Limits {
    fn default() -> Self {
        Self::USUAL
    }
}

impl Limits {
    /// Where the user says nothing.
    pub const USUAL: Self = Self {
        values: [
            FILE_BYTES,
            IMAGE_BYTES,
            IMAGE_RATIO,
            0,
            LAYER_BYTES,
            TAR_MEMBERS,
            LAYER_PACKAGES as u64,
            LAYER_PATHS as u64,
            RATIO,
        ],
    };

    /// The value of one.
    pub fn of(self, name: Name) -> u64 {
        self.values.get(name as usize).copied().unwrap_or_default()
    }

    /// The same with another value.
    #[must_use]
    pub fn with(mut self, name: Name, value: u64) -> Self {
        if let Some(place) = self.values.get_mut(name as usize) {
            *place = value;
        }
        self
    }

    /// Whether what a layer says may be kept for other runs: it is what they would find.
    pub fn are_usual(self) -> bool {
        self.with(Name::ImageTime, 0) == Self::USUAL
    }
}

/// Reads `NAME=VALUE`; the error says what would be right.
pub fn parse(text: &str) -> Result<(Name, u64), String> {
    let (word, value) = text
        .split_once('=')
        .ok_or_else(|| "expected NAME=VALUE, such as layer-bytes=8G".to_owned())?;
    let Some(row) = ROWS.iter().find(|row| row.word == word) else {
        return Err(unknown(word));
    };
    let number = number(value, row.unit).filter(|number| *number > 0);
    let number = number.ok_or_else(|| {
        let wanted = match row.unit {
            Unit::Bytes => "a size, such as 512M or 8G",
            Unit::Count => "a number, such as 1000",
            Unit::Seconds => "a time, such as 90s or 5m",
        };
        format!("`{value}` is not a value of {word}: use {wanted}")
    })?;
    Ok((row.name, number))
}

fn number(text: &str, unit: Unit) -> Option<u64> {
    let (digits, factor) = match (unit, text.char_indices().next_back()?) {
        (Unit::Bytes, (at, 'k' | 'K')) => (text.get(..at)?, 1 << 10),
        (Unit::Bytes, (at, 'm' | 'M')) => (text.get(..at)?, 1 << 20),
        (Unit::Bytes, (at, 'g' | 'G')) => (text.get(..at)?, 1 << 30),
        (Unit::Bytes, (at, 't' | 'T')) => (text.get(..at)?, 1 << 40),
        (Unit::Seconds, (at, 's')) => (text.get(..at)?, 1),
        (Unit::Seconds, (at, 'm')) => (text.get(..at)?, 60),
        _ => (text, 1),
    };
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u64>().ok()?.checked_mul(factor)
}

/// A name that there is not: the one that was probably meant, and all.
fn unknown(word: &str) -> String {
    let mut text = format!("there is no limit `{word}`");
    // The most letters in common at the start, then at the end.
    let alike = |row: &&Row| {
        let start = row.word.bytes().zip(word.bytes());
        let end = row.word.bytes().rev().zip(word.bytes().rev());
        let same = start.take_while(|(left, right)| left == right).count();
        same.saturating_add(end.take_while(|(left, right)| left == right).count())
    };
    if let Some(row) = ROWS.iter().max_by_key(alike).filter(|row| alike(row) > 3) {
        let _ = write!(text, "; did you mean {}?", row.word);
    }
    let all: Vec<&str> = ROWS.iter().map(|row| row.word).collect();
    let _ = write!(text, " There are {}", all.join(", "));
    text
}

/// A value as the table of the documentation shows it.
pub fn shown(row: &Row) -> String {
    match (row.unit, row.default) {
        (_, 0) => "none".to_owned(),
        (Unit::Bytes, bytes) if bytes >= 1 << 30 => format!("{}G", bytes >> 30),
        (Unit::Bytes, bytes) => format!("{}M", bytes >> 20),
        (Unit::Count, count) => count.to_string(),
        (Unit::Seconds, seconds) => format!("{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_at_the_place_of_its_name_and_sorted() {
        for (number, row) in ROWS.iter().enumerate() {
            assert_eq!(row.name as usize, number);
            assert_eq!(Limits::USUAL.of(row.name), row.default, "{}", row.word);
            assert_eq!(parse(&format!("{}=7", row.word)), Ok((row.name, 7)));
        }
        assert!(ROWS.is_sorted_by_key(|row| row.word));
    }

    #[test]
    fn values_have_units() {
        for (text, value) in [
            ("layer-bytes=8G", 8 << 30),
            ("layer-bytes=3k", 3 << 10),
            ("layer-ratio=50", 50),
            ("image-time=5m", 300),
            ("image-time=90s", 90),
            ("image-time=90", 90),
        ] {
            assert_eq!(parse(text).unwrap().1, value, "{text}");
        }
        for text in [
            "layer-bytes",
            "layer-bytes=",
            "layer-bytes=0",
            "layer-bytes=-1",
            "layer-bytes=+1",
            "layer-bytes=1.5G",
            "layer-bytes=99999999999T",
            "layer-ratio=5m",
            "image-time=1h",
            "image-time=é",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        let error = parse("layer-byte=1").unwrap_err();
        assert!(error.contains("did you mean layer-bytes?"), "{error}");
        assert!(error.contains("image-time"), "{error}");
        assert!(!parse("zzz=1").unwrap_err().contains("did you mean"));
    }

    #[test]
    fn another_value_keeps_nothing_for_others() {
        let usual = Limits::default();
        assert!(usual.are_usual());
        assert!(usual.with(Name::ImageTime, 5).are_usual());
        assert!(!usual.with(Name::FileBytes, 5).are_usual());
    }
}
