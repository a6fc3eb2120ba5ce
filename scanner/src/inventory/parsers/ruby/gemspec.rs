//! Specifications of installed gems, `specifications/*.gemspec`, as RubyGems writes them
//! (guides.rubygems.org, `Gem::Specification#to_ruby`): a comment `# stub: name version platform
//! paths`, which RubyGems itself loads them by, and assignments of literal texts. Nothing is
//! evaluated. Where both are there, they must agree. A specification elsewhere is a source file of a
//! gem, which says nothing about what is installed.

use std::sync::Arc;

use super::gemfile_lock::is_name;
use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::entry;
use crate::inventory::text::{Lines, with_lines};
use crate::inventory::{Evidence, Facts, Input, Need, ParseError, Parser, Want, limits};
use crate::model::gap::GapKind;
use crate::model::package::PackageType;
use db_sync::version::Order;

/// `specifications/*.gemspec` and those of the gems that come with Ruby.
pub(crate) static PARSER: Parser = Parser {
    id: "gem-installed",
    version: 1,
    wants: &[Want::Extension(".gemspec")],
    accepts: Some(is_installed),
    need: Need::Stream,
    evidence: Evidence::Installed,
    database: false,
    parse: |input, facts| {
        let Input { path, content, .. } = input;
        with_lines(content, |lines| read(path, lines, facts))
    },
};

fn is_installed(path: &str) -> bool {
    let mut parts = path.rsplit('/').skip(1);
    match parts.next() {
        Some("specifications") => true,
        Some("default") => parts.next() == Some("specifications"),
        _ => false,
    }
}

/// What one way of saying it says.
#[derive(Default)]
struct Told {
    name: Option<String>,
    version: Option<String>,
    line: Option<u32>,
}

fn read(path: &str, mut lines: Lines<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let (mut stub, mut fields) = (Told::default(), Told::default());
    let mut dependencies: Vec<Arc<str>> = Vec::new();
    // The name of the block's parameter; RubyGems writes `s`.
    let mut block = None;
    while let Some(line) = lines.next()? {
        if line.cut {
            let cause = "a line longer than the limit was skipped";
            facts.gap(path, Some(line.number), GapKind::Limit, cause);
        }
        let text = String::from_utf8_lossy(line.bytes);
        let text = text.trim();
        if let Some(rest) = text.strip_prefix("# stub: ") {
            let mut words = rest.split(' ');
            if stub.line.is_none() {
                stub.line = Some(line.number);
                stub.name = words.next().map(str::to_owned);
                stub.version = words.next().map(str::to_owned);
            }
        } else if let Some(rest) = text.strip_prefix("Gem::Specification.new do |") {
            block = rest.strip_suffix('|').map(str::to_owned);
        } else if let Some(name) = needed(text)
            && dependencies.len() <= limits::DEPENDENCIES_PER_PACKAGE
        {
            dependencies.push(name.into());
        } else if let Some((field, value)) =
            block.as_deref().and_then(|block| assigned(text, block))
        {
            match field {
                "name" if fields.name.is_none() => {
                    fields.line = Some(line.number);
                    fields.name = literal(value).map(str::to_owned);
                }
                "version" if fields.version.is_none() => {
                    let inner = value.strip_prefix("Gem::Version.new").unwrap_or(value);
                    let inner = inner.trim().trim_start_matches('(').trim_end_matches(')');
                    fields.version = literal(inner).map(str::to_owned);
                }
                _ => {}
            }
        }
    }
    if differ(stub.name.as_ref(), fields.name.as_ref())
        || differ(stub.version.as_ref(), fields.version.as_ref())
    {
        let cause = "the comment names another gem or version than the specification";
        facts.unjudged(path, stub.line, GapKind::Ambiguous, cause);
    }
    let line = fields.line.or(stub.line);
    let version = fields.version.or(stub.version);
    let (Some(name), Some(version)) = (fields.name.or(stub.name), version) else {
        let cause = "a specification without a literal name or version";
        return Err(ParseError {
            line,
            ..ParseError::new(cause)
        });
    };
    let line = line.unwrap_or(1);
    if !is_name(&name) {
        let cause = format!("{:?} is not the name of a gem", shown(&name));
        facts.malformed(path, Some(line), cause);
    } else if Order::RubyGems.parse(&version).is_err() {
        let cause = format!(
            "gem {name} has the version {:?}, which is not one of RubyGems",
            shown(&version)
        );
        facts.gap(path, Some(line), GapKind::UnknownVersion, cause);
    } else {
        let path: Arc<str> = path.into();
        let mut package = entry(PackageType::GEM, &path, line, &name, &version);
        package.dependencies = dependencies;
        facts.add(package);
    }
    Ok(())
}

/// Whether both say something, and not the same.
fn differ(one: Option<&String>, other: Option<&String>) -> bool {
    one.zip(other).is_some_and(|(one, other)| one != other)
}

/// `s.name = value`.
fn assigned<'a>(text: &'a str, block: &str) -> Option<(&'a str, &'a str)> {
    let rest = text.strip_prefix(block)?.strip_prefix('.')?;
    let (field, value) = rest.split_once('=')?;
    Some((field.trim_end(), value.trim_start()))
}

/// The text of a literal: `"text"`, `'text'`, `%q{text}`, each frozen or not. One with an escape or
/// something to be evaluated is none.
fn literal(value: &str) -> Option<&str> {
    let value = value.strip_suffix(".freeze").unwrap_or(value);
    let text = [("\"", "\""), ("'", "'"), ("%q{", "}"), ("%q<", ">")]
        .iter()
        .find_map(|(begin, end)| value.strip_prefix(begin)?.strip_suffix(end))?;
    let is_plain = !text.contains(['\\', '#', '"', '\'', ' ']) && !text.is_empty();
    is_plain.then_some(text)
}

/// The gem that a line asks for at run time.
fn needed(text: &str) -> Option<&str> {
    let (_, call) = text.split_once(".add_")?;
    let rest = ["runtime_dependency", "dependency"]
        .iter()
        .find_map(|method| call.strip_prefix(method))?;
    let rest = rest.trim_start_matches(['(', ' ']);
    let (begin, end) = [("%q<", '>'), ("\"", '"'), ("'", '\'')]
        .into_iter()
        .find(|(begin, _)| rest.starts_with(begin))?;
    let (name, _) = rest.strip_prefix(begin)?.split_once(end)?;
    is_name(name).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_specifications_of_installed_gems_count() {
        for path in [
            "usr/lib/ruby/gems/3.2.0/specifications/rack-2.0.gemspec",
            "gems/specifications/default/json-2.6.gemspec",
        ] {
            assert!(is_installed(path), "{path}");
        }
        for path in [
            "rack.gemspec",
            "gems/rack-2.0/rack.gemspec",
            "default/a.gemspec",
        ] {
            assert!(!is_installed(path), "{path}");
        }
    }

    #[test]
    fn literals_are_not_evaluated() {
        assert_eq!(literal("\"rack\".freeze"), Some("rack"));
        assert_eq!(literal("'1.0'"), Some("1.0"));
        assert_eq!(literal("%q{rack}"), Some("rack"));
        for value in [
            "Rack::VERSION",
            "\"a#{b}\"",
            "\"a\\n\"",
            "\"\"",
            "\"a\" + \"b\"",
        ] {
            assert_eq!(literal(value), None, "{value}");
        }
        assert_eq!(
            needed("s.add_dependency(%q<a-b>.freeze, [\"~> 1\"])"),
            Some("a-b")
        );
        assert_eq!(needed("s.add_development_dependency(%q<a>.freeze)"), None);
    }
}
