//! What was not looked at: one line for all gaps that say the same of different places.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write};

use super::{SEVERITY_WIDTH, Table, part};
use crate::model::gap::{GapClass, GapKind};
use crate::model::report::TargetGap;
use crate::output::width;
use crate::phrase;

/// Gaps of one class, kind and cause. The order is that of the output: failures first, accepted
/// ones last.
type Key<'a> = (bool, GapClass, GapKind, &'a str);

impl<W: Write> Table<'_, W> {
    pub(super) fn gaps(&mut self) -> io::Result<()> {
        if self.report.gaps.is_empty() {
            return Ok(());
        }
        let title = phrase::count(self.report.gaps.len(), "gap");
        writeln!(self.out, "{} (not looked at)", self.paint.bold(&title))?;
        let mut folded: BTreeMap<Key<'_>, Vec<&TargetGap>> = BTreeMap::new();
        for entry in &self.report.gaps {
            let gap = &entry.gap;
            let key = (entry.accepted, gap.class, gap.kind, &*gap.cause);
            folded.entry(key).or_default().push(entry);
        }
        for ((accepted, class, kind, cause), entries) in folded {
            let class = if accepted {
                "accepted".to_owned()
            } else {
                phrase::word(class)
            };
            let class = width::pad(&class, SEVERITY_WIDTH);
            let mut place = entries
                .first()
                .map(|entry| self.gap_place(entry))
                .unwrap_or_default();
            if !place.is_empty() {
                place.push_str(": ");
            }
            let more = match entries.len() {
                0 | 1 => String::new(),
                all => format!(" (and {} more like this)", all.saturating_sub(1)),
            };
            let kind = phrase::word(kind);
            writeln!(self.out, "  {class}  {kind}  {place}{}{more}", part(cause))?;
        }
        writeln!(self.out)
    }

    fn gap_place(&self, entry: &TargetGap) -> String {
        let location = &entry.gap.location;
        let target = entry
            .target
            .and_then(|index| self.report.targets.get(index));
        let id = target.map(|target| part(&target.id)).unwrap_or_default();
        // The working directory goes without saying.
        let mut place = if id == "." { String::new() } else { id };
        let path = part(&phrase::place(location));
        if !path.is_empty() {
            if !place.is_empty() {
                place.push(' ');
            }
            place.push_str(&path);
        }
        if let Some(layer) = &location.layer {
            let _ = write!(place, " in {}", part(&phrase::layer(layer)));
        }
        place
    }
}
