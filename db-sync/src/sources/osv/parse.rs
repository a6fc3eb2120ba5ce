//! One OSV record from JSON to a checked advisory. Whatever is doubtful but
//! usable is added to the causes; what would change what matches, and cannot
//! be read, refuses the record.

use super::schema::{self, Affects, LooseList, Specific};
use super::{beside, range};
use crate::advisory::{Advisory, Affected, Range, Reference, Scope};
use crate::ecosystem::normalise_name;
use crate::limits::Limits;
use crate::moment::Moment;
use crate::problem::Causes;
use crate::severity::{self, Rating};

/// Longest id that is accepted; the longest real ones have about 40 characters.
const MAX_ID: usize = 128;
/// Longest package name or ecosystem that is accepted.
const MAX_NAME: usize = 1024;

/// Errata whose summary begins with the vendor's word for the severity.
const ERRATA: [&str; 5] = ["ALSA-", "RLSA-", "RHSA-", "ELSA-", "RXSA-"];
const ERRATA_WORDS: [&str; 4] = ["Critical", "Important", "Moderate", "Low"];

/// Reads one record. `entry` is its file name, to which the id is compared.
pub(super) fn record(
    bytes: &[u8],
    entry: &str,
    limits: &Limits,
    causes: &mut Causes,
) -> Result<Advisory, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    check_depth(bytes, limits.depth)?;
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let raw: schema::Record<'_> =
        serde_json::from_str(text).map_err(|error| format!("no OSV record: {error}"))?;
    let id = check_id(raw.id.as_deref())?;
    check_file_name(id, entry, causes);
    check_schema_version(raw.schema_version.as_ref(), causes);

    let specific = schema::specific(raw.database_specific);
    let mut advisory = Advisory {
        id: id.to_owned(),
        published: time("published", raw.published.as_deref(), causes),
        modified: time("modified", raw.modified.as_deref(), causes),
        withdrawn: time("withdrawn", raw.withdrawn.as_deref(), causes),
        aliases: raw.aliases.unwrap_or_default(),
        upstream: raw.upstream.unwrap_or_default(),
        related: raw.related.unwrap_or_default(),
        summary: raw.summary.unwrap_or_default(),
        details: raw.details.unwrap_or_default(),
        references: references(raw.references),
        ..Advisory::default()
    };
    if raw.modified.is_none() {
        causes.push("no modified time: taken as the oldest".to_owned());
    }
    let affected: Vec<_> = raw.affected.unwrap_or_default();
    let affected: Vec<_> = affected
        .into_iter()
        .map(|one| serde_json::from_str(one.get()).map_err(|error| (one, error)))
        .collect();
    let ecosystem = affected
        .iter()
        .filter_map(|one: &Result<schema::Affected<'_>, _>| one.as_ref().ok())
        .find_map(|one| one.package.as_ref()?.ecosystem.clone())
        .unwrap_or_default();
    advisory.ratings = vectors(raw.severity.as_deref(), &ecosystem, causes);
    advisory
        .ratings
        .extend(words(&specific, "database_specific"));
    advisory.ratings.extend(summary_word(id, &advisory.summary));
    let mut malformed = Vec::new();
    for one in affected {
        match one {
            Ok(one) => package(one, &mut advisory, limits, causes),
            Err((raw, error)) => malformed.push((raw.get(), error)),
        }
    }
    for (raw, error) in malformed {
        causes.skip(format!("affected entry skipped: {error}"));
        advisory.affected.extend(unreadable(raw, &advisory));
    }
    Ok(advisory)
}

fn check_id(id: Option<&str>) -> Result<&str, String> {
    match id {
        None => Err("no id".to_owned()),
        Some("") => Err("empty id".to_owned()),
        Some(id) if id.len() > MAX_ID => Err(format!("id of {} characters", id.len())),
        Some(id)
            if id
                .chars()
                .any(|c| c.is_control() || c.is_whitespace() || c == '/' || c == '\\') =>
        {
            Err(format!("{id:?} is not an id"))
        }
        Some(id) => Ok(id),
    }
}

fn check_file_name(id: &str, entry: &str, causes: &mut Causes) {
    let file = entry.rsplit('/').next().unwrap_or(entry);
    if file.strip_suffix(".json") != Some(id) {
        causes.push(format!(
            "file {file:?} holds the record {id:?}: the id inside counts"
        ));
    }
}

/// Only the major version can change what fields mean; ours is 1.
fn check_schema_version(version: Option<&schema::Loose>, causes: &mut Causes) {
    let Some(version) = version else { return };
    let major = version
        .text()
        .and_then(|text| text.split('.').next())
        .and_then(|major| major.parse::<u32>().ok());
    match (major, version.text()) {
        (Some(0 | 1), _) => {}
        (Some(major), _) => {
            causes.push(format!("schema version {major} is newer than 1: read as 1"));
        }
        (None, text) => causes.push(format!(
            "unreadable schema version {:?}: read as 1",
            text.unwrap_or("?")
        )),
    }
}

fn time(field: &str, text: Option<&str>, causes: &mut Causes) -> Option<Moment> {
    let text = text?;
    let moment = Moment::parse(text);
    if moment.is_none() {
        causes.push(format!("{field} {text:?} is not a time: taken as unknown"));
    }
    moment
}

fn references(raw: Option<Vec<schema::Reference>>) -> Vec<Reference> {
    raw.unwrap_or_default()
        .into_iter()
        .filter_map(|one| {
            Some(Reference {
                kind: one.kind.unwrap_or_default(),
                url: one.url?,
            })
        })
        .collect()
}

/// The valid vectors, newest CVSS version first.
fn vectors(raw: Option<&[schema::Severity]>, ecosystem: &str, causes: &mut Causes) -> Vec<Rating> {
    let mut ratings = Vec::new();
    for one in raw.unwrap_or_default() {
        let kind = one.kind.as_ref().and_then(schema::Loose::text);
        let score = one.score.as_ref().and_then(schema::Loose::text);
        match (kind, score) {
            (Some(kind), Some(score)) => match severity::parse_typed(kind, score, ecosystem) {
                Ok(rating) => ratings.push(rating),
                Err(cause) => causes.push(format!("severity ignored: {cause}")),
            },
            _ => causes.push("severity ignored: it has no type or no score".to_owned()),
        }
    }
    ratings.sort_by_key(|rating| rating.kind);
    ratings
}

/// The words that a source's own object carries for the severity.
fn words(specific: &Specific<'_>, place: &str) -> Vec<Rating> {
    [
        ("severity", &specific.severity),
        ("urgency", &specific.urgency),
    ]
    .into_iter()
    .filter_map(|(field, value)| {
        let value = value.as_ref()?.text()?;
        // Some sources put a vector there.
        severity::parse_vector(value).or_else(|| severity::word(value, &format!("{place}.{field}")))
    })
    .collect()
}

fn summary_word(id: &str, summary: &str) -> Option<Rating> {
    if !ERRATA.iter().any(|prefix| id.starts_with(prefix)) {
        return None;
    }
    let (word, _) = summary.split_once(':')?;
    ERRATA_WORDS
        .contains(&word)
        .then(|| severity::word(word, "summary"))
        .flatten()
}

/// What stands for an entry that cannot be read: all versions of its package
/// are undecided, unless another entry of the record speaks of the package.
fn unreadable(raw: &str, advisory: &Advisory) -> Option<Affected> {
    let named: schema::Named = serde_json::from_str(raw).ok()?;
    let (ecosystem, name) = named.package.and_then(names)?;
    let normal = |ecosystem: &str, name: &str| normalise_name(ecosystem, name).into_owned();
    let is_known = advisory.affected.iter().any(|other| {
        other.ecosystem == ecosystem
            && normal(&other.ecosystem, &other.name) == normal(&ecosystem, &name)
    });
    (!is_known).then(|| Affected {
        ecosystem,
        name,
        ranges: vec![Range {
            unusable: Some("the record's entry about it is malformed".to_owned()),
            ..Range::default()
        }],
        ..Affected::default()
    })
}

/// The ecosystem and name of a package, where it has both.
fn names(package: schema::Package) -> Option<(String, String)> {
    let is_usable =
        |text: &String| !text.is_empty() && !text.contains('\0') && text.len() <= MAX_NAME;
    let ecosystem = package.ecosystem.filter(is_usable)?;
    Some((ecosystem, package.name.filter(is_usable)?))
}

fn package(
    raw: schema::Affected<'_>,
    advisory: &mut Advisory,
    limits: &Limits,
    causes: &mut Causes,
) {
    let ranges = raw.ranges.unwrap_or_default();
    let Some(package) = raw.package else {
        // Records about a repository only have GIT ranges and no package.
        let is_git = |range: &schema::Range| range.kind.as_deref() == Some("GIT");
        if ranges.is_empty() || !ranges.iter().all(is_git) {
            causes.skip("affected entry skipped: it names no package".to_owned());
        }
        return;
    };
    let Some((ecosystem, name)) = names(package) else {
        causes.skip("affected entry skipped: its package has no ecosystem or no name".to_owned());
        return;
    };
    if ecosystem.starts_with(':') || ecosystem.ends_with(':') {
        causes.push(format!(
            "ecosystem {ecosystem:?} lacks its name or suffix: matches only itself"
        ));
    }
    let own = schema::specific(raw.database_specific);
    let theirs = schema::specific(raw.ecosystem_specific);
    let mut ratings = vectors(raw.severity.as_deref(), &ecosystem, causes);
    if ratings.is_empty()
        && advisory
            .ratings
            .iter()
            .all(|rating| rating.kind == crate::severity::RatingKind::Word)
        && let Some(vector) = own.cvss.as_ref().and_then(schema::Loose::text)
    {
        ratings.extend(severity::parse_vector(vector));
    }
    ratings.extend(words(&own, "affected.database_specific"));
    ratings.extend(words(&theirs, "affected.ecosystem_specific"));
    if let Some(kind) = own.informational.as_ref().and_then(schema::Loose::text) {
        advisory
            .informational
            .get_or_insert_with(|| kind.to_owned());
    }
    let custom = theirs.custom_ranges();
    extend_scope(&mut advisory.scope, theirs.functions(), theirs.affects());

    let mut affected = Affected {
        ranges: Vec::new(),
        versions: raw.versions.unwrap_or_default(),
        ratings,
        other_fixes: custom_fixes(custom.as_deref()),
        ecosystem,
        name,
        ..Affected::default()
    };
    if ranges.is_empty() && affected.versions.is_empty() {
        let name = &affected.name;
        causes.push(format!(
            "affected entry of {name} has neither versions nor ranges"
        ));
    }
    for raw in ranges {
        if let Some(mut range) = range::range(raw) {
            range.prepare(&affected.ecosystem, limits.version_length);
            if let Some(cause) = &range.unusable {
                causes.push(format!(
                    "range of {} cannot be evaluated: {cause}",
                    affected.name
                ));
            }
            affected.ranges.push(range);
        }
    }
    if affected.ranges.iter().any(Range::is_open) {
        let known = own.last_known_affected_version_range.as_ref();
        let known = known.and_then(schema::Loose::text);
        beside::add(&mut affected, known, custom, limits, causes);
    }
    let listed = affected.versions.len();
    affected
        .versions
        .retain(|version| version.len() <= limits.version_length);
    if affected.versions.len() != listed {
        causes.push(format!(
            "versions of more than {} characters left out",
            limits.version_length
        ));
    }
    advisory.affected.push(affected);
}

fn custom_fixes(ranges: Option<&[schema::Range]>) -> Vec<String> {
    ranges
        .unwrap_or_default()
        .iter()
        .flat_map(|range| range.events.as_deref().unwrap_or_default())
        .filter_map(|event| event.fixed.clone())
        .collect()
}

fn extend_scope(scope: &mut Scope, functions: Option<LooseList>, affects: Option<Affects>) {
    let affects = affects.unwrap_or_default();
    let mut paths = functions.unwrap_or_default().0;
    paths.extend(affects.functions.unwrap_or_default().0);
    for (into, from) in [
        (&mut scope.functions, paths),
        (&mut scope.arch, affects.arch.unwrap_or_default().0),
        (&mut scope.os, affects.os.unwrap_or_default().0),
    ] {
        // GitHub writes "no function" as one without a name.
        into.extend(from.into_iter().filter(|name| !name.trim().is_empty()));
        into.sort();
        into.dedup();
    }
}

/// Refuses records nested so deep that a recursive reader could overflow.
fn check_depth(bytes: &[u8], limit: u32) -> Result<(), String> {
    let mut depth: u32 = 0;
    let mut in_text = false;
    let mut escaped = false;
    for byte in bytes {
        if in_text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_text = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'{' | b'[' => {
                depth = depth.saturating_add(1);
                if depth > limit {
                    return Err(format!("nested deeper than {limit} levels"));
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}
