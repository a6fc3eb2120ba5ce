//! The report for people: per target the vulnerable packages, worst first, then the
//! misconfigured files, then undecided checks, gaps, notes and the ledger in one line. The last
//! line says why the gate passed or failed. Untrusted text is shown with its control characters
//! spelled out.

mod coverage;
mod gaps;
mod groups;
mod paint;
mod undecided;

use std::io::{self, BufWriter, Write};

use db_sync::FixState;

use self::groups::{FileGroup, PackageGroup};
use self::paint::Paint;
use super::escape::{line, truncate};
use super::{Options, width};
use crate::gate::Decision;
use crate::model::finding::{Finding, FindingKind, Severity};
use crate::model::package::Scope;
use crate::model::report::{Report, Target};
use crate::phrase;

/// The narrowest table; a smaller terminal wraps.
const LEAST_WIDTH: usize = 60;
/// The widest column of ids and of versions; longer ones push the rest of their line.
const COLUMN_LIMIT: usize = 30;
/// The least room for a title.
const LEAST_TITLE: usize = 20;
/// Columns of the longest severity.
const SEVERITY_WIDTH: usize = 8;
/// Most characters of an id, a version, a path or a reason: all that are real, none that floods.
const PART_LIMIT: usize = 300;

/// Writes the report. Errors are those of `out`.
pub(super) fn write(
    report: &Report,
    verdict: &Decision,
    options: Options,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut table = Table {
        report,
        width: options.width.max(LEAST_WIDTH),
        paint: Paint::new(options.colour),
        out: BufWriter::with_capacity(1 << 16, out),
    };
    for (index, target) in report.targets.iter().enumerate() {
        table.target(index, target)?;
    }
    table.undecided()?;
    table.gaps()?;
    table.notes()?;
    table.coverage()?;
    table.verdict(verdict)?;
    table.out.flush()
}

/// Untrusted text on one line.
fn part(text: &str) -> String {
    line(&truncate(text, PART_LIMIT)).into_owned()
}

struct Table<'a, W: Write> {
    report: &'a Report,
    width: usize,
    paint: Paint,
    out: BufWriter<W>,
}

impl<W: Write> Table<'_, W> {
    fn target(&mut self, index: usize, target: &Target) -> io::Result<()> {
        let mine = || {
            self.report
                .findings
                .iter()
                .filter(|finding| finding.target == index)
        };
        let packages = self
            .report
            .packages
            .iter()
            .filter(|(target, _)| *target == index);
        let facts = [
            Some(target.kind.to_string()),
            names(target),
            target.platform.as_deref().map(part),
            target
                .distribution
                .as_ref()
                .and_then(phrase::distribution)
                .map(|name| part(&name)),
            target
                .digest
                .as_deref()
                .map(|digest| part(phrase::short_digest(digest))),
            match target.other_platforms.as_slice() {
                [] => None,
                others => Some(format!("not {}", part(&others.join(", ")))),
            },
            Some(target.coverage.layers.partial)
                .filter(|part| !part.is_none())
                .map(phrase::partial),
            Some(phrase::count(packages.count(), "package")),
            Some(phrase::count(mine().count(), "finding")),
        ];
        let facts: Vec<String> = facts.into_iter().flatten().collect();
        let id = self.paint.bold(&part(&target.id));
        writeln!(self.out, "{id} ({})", facts.join(", "))?;
        for group in groups::packages(mine()) {
            self.package(&group, target)?;
        }
        for group in groups::files(mine()) {
            self.file(&group)?;
        }
        if let Some(base) = phrase::base(self.report, index) {
            writeln!(self.out, "  {}", part(&base))?;
        }
        writeln!(self.out)
    }

    /// `libssl3 3.0.9-1 (deb)  layer 0 (0123456789ab)  var/lib/dpkg/status`, then its
    /// vulnerabilities.
    fn package(&mut self, group: &PackageGroup<'_>, target: &Target) -> io::Result<()> {
        let package = group.package;
        let name = self.paint.bold(&part(&package.name));
        let installed = part(&package.full_version());
        let kind = package.kind.as_str();
        let place = part(&phrase::place(group.location));
        let mut kind = match group.package.scope {
            Some(scope) if scope != Scope::Runtime => format!("{kind}, {}", scope.as_str()),
            _ => kind.to_owned(),
        };
        if let Some(changed) = &package.changed {
            kind = format!("{kind}, changed after {} installed it", part(changed));
        }
        match &group.location.layer {
            Some(layer) => {
                let layer = part(&phrase::layer(layer));
                let layer = match target.origin(&package.locations) {
                    Some(origin) => format!("{layer}, {}", origin.as_str()),
                    None => layer,
                };
                writeln!(self.out, "  {name} {installed} ({kind})  {layer}  {place}")?;
            }
            None => writeln!(self.out, "  {name} {installed} ({kind})  {place}")?,
        }
        if let Some(path) = group.path() {
            let path: Vec<String> = path.iter().map(|one| part(one)).collect();
            writeln!(self.out, "    via {}", path.join(" › "))?;
        }
        let rows: Vec<Cells> = group
            .findings
            .iter()
            .map(|finding| cells(finding, &installed))
            .collect();
        self.rows(&rows)
    }

    /// The file, then its findings.
    fn file(&mut self, group: &FileGroup<'_>) -> io::Result<()> {
        let path = self.paint.bold(&part(group.path));
        writeln!(self.out, "  {path}")?;
        let rows: Vec<Cells> = group
            .findings
            .iter()
            .map(|finding| cells(finding, ""))
            .collect();
        self.rows(&rows)
    }

    /// Aligned lines: severity, id, change, and as much of the text as there is room.
    fn rows(&mut self, rows: &[Cells]) -> io::Result<()> {
        let widest = |of: fn(&Cells) -> &str| {
            let widths = rows.iter().map(|row| width::of(of(row)));
            widths.max().unwrap_or(0).min(COLUMN_LIMIT)
        };
        let (ids, changes) = (widest(|row| &row.id), widest(|row| &row.change));
        for row in rows {
            let severity = width::pad(row.severity.as_str(), SEVERITY_WIDTH);
            let severity = self.paint.severity(row.severity, &severity);
            let head = format!(
                "{}  {}",
                width::pad(&row.id, ids),
                width::pad(&row.change, changes)
            );
            // Four blanks in front, two after the severity and two before the text.
            let used = SEVERITY_WIDTH
                .saturating_add(8)
                .saturating_add(width::of(&head));
            let room = self.width.saturating_sub(used).max(LEAST_TITLE);
            let text = width::cut(&row.text, room);
            writeln!(self.out, "    {severity}  {head}  {text}")?;
            if let Some(reason) = &row.suppressed {
                writeln!(self.out, "              suppressed: {reason}")?;
            }
        }
        Ok(())
    }

    fn notes(&mut self) -> io::Result<()> {
        let notes = phrase::notes(self.report);
        if notes.is_empty() {
            return Ok(());
        }
        for note in &notes {
            writeln!(self.out, "note: {}", part(note))?;
        }
        writeln!(self.out)
    }

    fn verdict(&mut self, verdict: &Decision) -> io::Result<()> {
        let word = self.paint.verdict(verdict.status);
        writeln!(self.out, "{word}: {}", part(&verdict.reason))
    }
}

/// Most names that the header shows.
const SHOWN_NAMES: usize = 3;

/// The names under which an image is known, unless it was asked for by one of them.
fn names(target: &Target) -> Option<String> {
    let names = target.names.iter().filter(|name| **name != target.path);
    let names: Vec<&str> = names.map(String::as_str).collect();
    let (shown, more) = names.split_at_checked(SHOWN_NAMES).unwrap_or((&names, &[]));
    let shown = shown.join(", ");
    match more.len() {
        0 if shown.is_empty() => None,
        0 => Some(part(&shown)),
        more => Some(format!("{} and {more} more", part(&shown))),
    }
}

/// One line of a group.
struct Cells {
    severity: Severity,
    id: String,
    change: String,
    text: String,
    suppressed: Option<String>,
}

fn cells(finding: &Finding, installed: &str) -> Cells {
    let (change, text) = match &finding.kind {
        FindingKind::Vulnerability(found) => {
            let change = match found.fixed.first() {
                Some(fixed) => format!("{installed} → {}", part(fixed)),
                None if found.fix == FixState::WontFix => "will not be fixed".to_owned(),
                None => "no fix known".to_owned(),
            };
            let marks = part(&phrase::remarks(
                found.doubt.as_deref(),
                &found.exploitation,
            ));
            let title = part(&phrase::title(found, &finding.title));
            if marks.is_empty() {
                (change, title)
            } else {
                (change, format!("[{marks}] {title}"))
            }
        }
        FindingKind::EndOfLife(found) => (
            part(&format!("ended {}", found.ended)),
            part(&finding.message),
        ),
        FindingKind::Misconfiguration(found) => {
            let said = if finding.message.is_empty() {
                &finding.title
            } else {
                &*finding.message
            };
            let line = finding.location.start_line();
            let line = line.map(|line| format!("line {line}")).unwrap_or_default();
            (line, format!("{}: {}", part(&found.resource), part(said)))
        }
    };
    Cells {
        severity: finding.severity,
        id: part(&finding.rule),
        change,
        text,
        suppressed: finding.suppressed.as_ref().map(|by| part(&by.to_string())),
    }
}
