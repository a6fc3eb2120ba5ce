//! Comments that accept findings where the code is written: the forms that other scanners made
//! common, and one of our own. Owns what such a comment says; where it stands and which findings
//! it fits is for the stage that applies it. A part that cannot be read makes its ids
//! ineffective, with the reason, and never wider than they were meant.

use jiff::civil::Date;

/// What a comment must contain to be read.
pub const IGNORE_WORDS: &[&str] = &[TRIVY, TFSEC, CHECKOV, PORTCULLIS];

/// Ids of one comment that are read.
pub const MAX_IDS: usize = 20;

const TRIVY: &str = "trivy:ignore:";
const TFSEC: &str = "tfsec:ignore:";
const CHECKOV: &str = "checkov:skip=";
const PORTCULLIS: &str = "portcullis:ignore";

/// The tool whose form it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `trivy:ignore:ID`
    Trivy,
    /// `tfsec:ignore:ID`
    Tfsec,
    /// `checkov:skip=ID:reason`
    Checkov,
    /// `portcullis:ignore ID`
    Portcullis,
}

impl Form {
    /// Whether `*` stands for every rule.
    pub const fn has_wildcard(self) -> bool {
        matches!(self, Self::Trivy | Self::Tfsec)
    }
}

/// One id that a comment names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignore {
    /// Whose form it has.
    pub form: Form,
    /// As written; empty where there is none.
    pub id: String,
    /// The last day on which it counts.
    pub until: Option<Date>,
    /// Why the finding is accepted.
    pub reason: Option<String>,
    /// Why it has no effect, as a clause.
    pub refused: Option<String>,
}

impl Ignore {
    fn new(form: Form, id: &str) -> Self {
        Self {
            form,
            id: id.to_owned(),
            until: None,
            reason: None,
            refused: None,
        }
    }

    fn limit(&mut self, date: &str) {
        match date.parse() {
            Ok(date) => self.until = Some(date),
            Err(_) => self.refuse(format!("{date:?} is not a date such as 2027-01-31")),
        }
    }

    fn refuse(&mut self, why: impl Into<String>) {
        self.refused.get_or_insert_with(|| why.into());
    }
}

/// The ids that a comment names, in order.
pub fn read(text: &str) -> Vec<Ignore> {
    let mut all = Vec::new();
    for line in text.lines() {
        one_line(line, &mut all);
        if all.len() > MAX_IDS {
            all.truncate(MAX_IDS);
            if let Some(last) = all.last_mut() {
                last.refuse(format!("only {MAX_IDS} ids of a comment are read"));
            }
            break;
        }
    }
    all
}

fn one_line(line: &str, all: &mut Vec<Ignore>) {
    for (word, form) in [(TRIVY, Form::Trivy), (TFSEC, Form::Tfsec)] {
        for part in line.split(word).skip(1) {
            let mut list = String::new();
            for token in part.split_whitespace() {
                list.push_str(token);
                if !token.ends_with(',') {
                    break;
                }
            }
            colons(form, &list, all);
        }
    }
    for part in line.split(CHECKOV).skip(1) {
        let (ids, reason) = match part.split_once(':') {
            Some((ids, reason)) => (ids, Some(reason.trim())),
            None => (part.split_whitespace().next().unwrap_or_default(), None),
        };
        for id in listed(ids) {
            all.push(Ignore {
                reason: reason.filter(|text| !text.is_empty()).map(str::to_owned),
                ..Ignore::new(Form::Checkov, id)
            });
        }
    }
    for part in line.split(PORTCULLIS).skip(1) {
        if part.starts_with(|first: char| !first.is_whitespace() && first != ':') {
            continue;
        }
        own(part.trim_start_matches(':'), all);
    }
}

/// Ids between commas.
fn listed(text: &str) -> impl Iterator<Item = &str> {
    let ids = text.split(',').map(str::trim);
    ids.filter(|id| !id.is_empty())
        .take(MAX_IDS.saturating_add(1))
}

/// `ID[:exp:DATE][,ID…]`: a date that stands behind several ids is that of all without their own.
fn colons(form: Form, list: &str, all: &mut Vec<Ignore>) {
    let from = all.len();
    for item in listed(list) {
        let mut parts = item.split(':');
        let mut ignore = Ignore::new(form, parts.next().unwrap_or_default());
        let mut is_limited = false;
        while let Some(key) = parts.next() {
            match (key, parts.next()) {
                ("exp", Some(date)) => {
                    ignore.limit(date);
                    is_limited = true;
                }
                ("exp", None) => ignore.refuse("the date after `exp` is missing"),
                ("", None) => {}
                _ => ignore.refuse(format!("the condition `{key}` is not supported")),
            }
        }
        if let Some(length) = ignore.id.find('[') {
            ignore.id.truncate(length);
            ignore.refuse("conditions in brackets are not supported");
        }
        if is_limited {
            for earlier in all.iter_mut().skip(from) {
                if earlier.until.is_none() && earlier.refused.is_none() {
                    earlier.until = ignore.until;
                    earlier.refused.clone_from(&ignore.refused);
                }
            }
        }
        all.push(ignore);
    }
}

/// ` ID[,ID…] [until=DATE] [reason=…]`, where the reason goes on to the end of the line.
fn own(text: &str, all: &mut Vec<Ignore>) {
    let from = all.len();
    let (mut rest, mut until, mut reason, mut refused) = (text.trim(), None, None, None);
    while !rest.is_empty() {
        if let Some(text) = rest.strip_prefix("reason=") {
            let text = text.trim();
            let quoted = text
                .strip_prefix('"')
                .and_then(|text| text.strip_suffix('"'));
            reason = Some(quoted.unwrap_or(text).to_owned());
            break;
        }
        let (token, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        rest = after.trim_start();
        if let Some(date) = token.strip_prefix("until=") {
            until = Some(date);
        } else if token.contains('=') {
            refused = Some(format!("`{token}` is neither until=DATE nor reason=TEXT"));
        } else {
            all.extend(listed(token).map(|id| Ignore::new(Form::Portcullis, id)));
        }
        if all.len() > MAX_IDS {
            break;
        }
    }
    if all.len() == from {
        let mut ignore = Ignore::new(Form::Portcullis, "");
        ignore.refuse("it names no rule");
        all.push(ignore);
    }
    for ignore in all.iter_mut().skip(from) {
        ignore.reason = reason.clone().filter(|text| !text.is_empty());
        if let Some(date) = until {
            ignore.limit(date);
        }
        if let Some(why) = &refused {
            ignore.refuse(why.as_str());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ids with their last day, or why they have no effect.
    fn ids(text: &str) -> Vec<(String, Option<String>)> {
        let all = read(text).into_iter();
        all.map(|one| {
            (
                one.id,
                one.refused.or(one.until.map(|date| date.to_string())),
            )
        })
        .collect()
    }

    fn plain(ids: &[&str]) -> Vec<(String, Option<String>)> {
        ids.iter().map(|id| ((*id).to_owned(), None)).collect()
    }

    #[test]
    fn the_forms_of_other_tools() {
        assert_eq!(ids("trivy:ignore:AVD-AWS-0001"), plain(&["AVD-AWS-0001"]));
        assert_eq!(
            ids("trivy:ignore:a,b trivy:ignore:c because"),
            plain(&["a", "b", "c"])
        );
        assert_eq!(ids("tfsec:ignore:a, b and so on"), plain(&["a", "b"]));
        assert_eq!(ids("tfsec:ignore:*"), plain(&["*"]));
        let skip = read("checkov:skip=CKV_AWS_1,CKV_AWS_2: never: used");
        assert_eq!(skip.len(), 2);
        assert!(
            skip.iter()
                .all(|one| one.reason.as_deref() == Some("never: used"))
        );
        assert_eq!(ids("checkov:skip=CKV_AWS_1 old"), plain(&["CKV_AWS_1"]));
        assert_eq!(
            ids("a\n trivy:ignore:b\ntfsec:ignore:c"),
            plain(&["b", "c"])
        );
        assert_eq!(ids("checkov:skip="), []);
    }

    #[test]
    fn dates_and_what_is_not_one() {
        let dated = |id: &str| (id.to_owned(), Some("2027-01-31".to_owned()));
        assert_eq!(ids("trivy:ignore:a:exp:2027-01-31"), [dated("a")]);
        assert_eq!(
            ids("trivy:ignore:a,b:exp:2027-01-31"),
            [dated("a"), dated("b")]
        );
        assert_eq!(ids("portcullis:ignore a until=2027-01-31"), [dated("a")]);
        for text in [
            "trivy:ignore:a:exp:soon",
            "trivy:ignore:a:exp",
            "trivy:ignore:a:ws:prod",
            "trivy:ignore:a[x=1]",
            "portcullis:ignore a until=2027-02-30",
            "portcullis:ignore a unless=b",
            "portcullis:ignore",
        ] {
            let found = read(text);
            assert!(
                found.len() == 1 && found[0].refused.is_some(),
                "{text}: {found:?}"
            );
        }
        assert!(read("trivy:ignore:a,b:exp:soon")[0].refused.is_some());
    }

    #[test]
    fn our_own_form() {
        let found = read("portcullis:ignore a,b c until=2027-01-31 reason=\"known, see #4\"");
        let reasons = found.iter().map(|one| one.reason.as_deref());
        assert_eq!(reasons.collect::<Vec<_>>(), [Some("known, see #4"); 3]);
        assert_eq!(ids("portcullis:ignored a"), []);
        assert_eq!(ids("portcullis:ignore: a"), plain(&["a"]));
    }

    #[test]
    fn ids_are_counted() {
        let most = format!("trivy:ignore:{}", "a,".repeat(MAX_IDS));
        let found = read(&most);
        assert!(found.len() == MAX_IDS && found.iter().all(|one| one.refused.is_none()));
        let found = read(&format!("{most}b"));
        assert_eq!(found.len(), MAX_IDS);
        assert!(found.last().is_some_and(|last| last.refused.is_some()));
        let own = format!("portcullis:ignore {}", "a ".repeat(MAX_IDS * 2));
        assert_eq!(read(&own).len(), MAX_IDS);
    }
}
