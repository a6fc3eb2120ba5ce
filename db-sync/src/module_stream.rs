//! Module streams of rpm distributions (`nodejs:18`): read from a package's
//! modularity label and from the summary of an erratum, the only place where
//! OSV's records name them. Two streams of one module number their builds
//! independently. What is not clearly a stream is none, and excludes nothing.

use std::fmt;

/// The stream of a module, as a package's label or an erratum names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ModuleStream<'a> {
    module: &'a str,
    name: &'a str,
    /// Made of a package's name and version: `name` is a version in the stream.
    guessed: bool,
}

impl<'a> ModuleStream<'a> {
    /// Reads `name:stream`, with or without the version and context that the
    /// label of an installed package has (`nodejs:18:8090020240101:abcdef`);
    /// `None` for anything else.
    pub fn of_label(label: &'a str) -> Option<Self> {
        let mut parts = label.split(':');
        let (module, stream) = (parts.next()?, parts.next()?);
        (is_word(module) && is_word(stream)).then_some(Self {
            module,
            name: stream,
            guessed: false,
        })
    }

    /// The stream of a module build without a label, as far as its name and
    /// version tell: most modules have the name of their main package, and
    /// most streams are the beginning of its version (`nodejs` 16.20 belongs
    /// to `nodejs:16`). It rules out only streams that are such numbers.
    pub fn guess(name: &'a str, version: &'a str) -> Option<Self> {
        let version = version.split('-').next()?;
        let numeric = version.starts_with(|first: char| first.is_ascii_digit());
        (is_word(name) && is_word(version) && numeric).then_some(Self {
            module: name,
            name: version,
            guessed: true,
        })
    }

    /// The streams that an erratum's summary names as whole words:
    /// `Important: virt:rhel and virt-devel:rhel security update`. An id
    /// before the text (`ALSA-2022:5468: php …`) has a colon too much.
    fn named_in(summary: &'a str) -> impl Iterator<Item = Self> {
        summary.split_ascii_whitespace().filter_map(|word| {
            let word = word.trim_matches(['(', ')', ',', ';', '.']);
            // `httpd:2.4/mod_http2` is a package of the stream.
            let word = word.split_once('/').map_or(word, |(stream, _)| stream);
            Self::of_label(word).filter(|_| word.matches(':').count() == 1)
        })
    }

    /// The stream of the same module that an erratum is about, where it names
    /// that module, but not this stream. Only then it has nothing to say about
    /// a package of this stream: an erratum that names other modules may share
    /// packages with this one.
    pub(crate) fn ruled_out_by<'s>(&self, summary: &'s str) -> Option<ModuleStream<'s>> {
        let mut other = None;
        for named in ModuleStream::named_in(summary) {
            if named.family() != self.family() {
                continue;
            }
            // Whether a version is of the stream `rhel8`, nobody can say.
            if self.guessed && !is_numeric(named.name) {
                return None;
            }
            if is_release_of(named.name, self.name) || is_release_of(self.name, named.name) {
                return None;
            }
            other.get_or_insert(named);
        }
        other
    }

    /// The module without `-devel`: that one holds the rest of the same builds.
    fn family(&self) -> &str {
        self.module.strip_suffix("-devel").unwrap_or(self.module)
    }
}

impl fmt::Display for ModuleStream<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.module, self.name)
    }
}

/// Whether `full` is `stream` or a version in it: some errata of one-stream
/// packages write the version (`python36:3.6.8`).
fn is_release_of(full: &str, stream: &str) -> bool {
    full.strip_prefix(stream)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Whether a stream is the beginning of versions: `18`, `2.4`.
fn is_numeric(stream: &str) -> bool {
    stream
        .split('.')
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The characters of module and stream names.
fn is_word(text: &str) -> bool {
    let of_name =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'+');
    text.bytes().all(of_name) && text.starts_with(|first: char| first.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::ModuleStream;

    #[test]
    fn labels_give_name_and_stream() {
        for (label, expected) in [
            ("nodejs:18:9020020230327152102:rhel9", Some("nodejs:18")),
            ("container-tools:rhel8", Some("container-tools:rhel8")),
            ("pmdk:1_fileformat_v6:1:2", Some("pmdk:1_fileformat_v6")),
            ("nodejs", None),
            ("nodejs:", None),
            (":18", None),
            ("(none)", None),
            ("node js:18", None),
            ("", None),
        ] {
            let read = ModuleStream::of_label(label).map(|stream| stream.to_string());
            assert_eq!(read.as_deref(), expected, "{label}");
        }
    }

    #[test]
    fn a_guessed_stream_rules_out_numbers_only() {
        for (name, version, summary, expected) in [
            (
                "nodejs",
                "16.20.2-1.module_el8",
                "nodejs:18 update",
                Some("nodejs:18"),
            ),
            ("nodejs", "16.20.2-1.module_el8", "nodejs:16 update", None),
            (
                "go-toolset",
                "1.17.7-1.module_el8",
                "go-toolset:rhel8 update",
                None,
            ),
            ("npm", "8.1-1.module_el8", "nodejs:18 update", None),
        ] {
            let stream = ModuleStream::guess(name, version).expect("a stream");
            let other = stream.ruled_out_by(summary).map(|other| other.to_string());
            assert_eq!(other.as_deref(), expected, "{name} {summary}");
        }
        assert_eq!(ModuleStream::guess("nodejs", "v1"), None);
    }

    #[test]
    fn only_another_stream_of_the_same_module_rules_out() {
        for (label, summary, expected) in [
            (
                "nodejs:18:1:a",
                "Important: nodejs:18 security update",
                None,
            ),
            (
                "nodejs:18:1:a",
                "Important: nodejs:20 security update",
                Some("nodejs:20"),
            ),
            (
                "nodejs:1:1:a",
                "Important: nodejs:18 security update",
                Some("nodejs:18"),
            ),
            (
                "httpd:2.4",
                "Moderate: httpd:2.4/httpd security update",
                None,
            ),
            (
                "idm:client",
                "Moderate: idm:DL1 and idm:client update",
                None,
            ),
            ("idm:client", "idm:DL1 bug fix update", Some("idm:DL1")),
            (
                "virt-devel:rhel",
                "Important: virt:rhel security update",
                None,
            ),
            (
                "mariadb-devel:10.3",
                "mariadb:10.5 security update",
                Some("mariadb:10.5"),
            ),
            (
                "mariadb:10.1",
                "mariadb:10.11 update",
                Some("mariadb:10.11"),
            ),
            ("python36:3.6", "python36:3.6.8 security update", None),
            // Neither an id, nor a version, nor another module says a stream.
            ("php:7.4", "ALSA-2022:5468: php security update", None),
            (
                "php:7.4",
                "ALSA-2022:5468: php:8.0 security update (Important)",
                Some("php:8.0"),
            ),
            ("varnish:6", "Important: varnish security update", None),
            ("maven:3.6", "Moderate: pki-deps:10.6 security update", None),
            ("nodejs:18", "nodejs:20:1 update", None),
        ] {
            let stream = ModuleStream::of_label(label).expect("a stream");
            let other = stream.ruled_out_by(summary).map(|other| other.to_string());
            assert_eq!(other.as_deref(), expected, "{label} {summary}");
        }
    }
}
