//! Splits a rule's Markdown file into title, prose, rule block and examples, with the line of
//! each. Knows nothing of HCL. The build script includes this file, so it stands on the standard
//! library alone and names nothing outside itself.

/// Largest rule file that is read, in bytes. The longest rule that ships has about 6 KB.
pub(crate) const MAX_RULE_FILE: usize = 256 * 1024;

/// What an example shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expectation {
    /// Under `## Fails`: the rule has at least one finding.
    Fails,
    /// Under `## Passes` or `## Fix`: no finding, and nothing is left undecided.
    Passes,
    /// A fence with the word `undecided`: no finding, and at least one undecided resource.
    Undecided,
}

/// One fenced example.
#[derive(Clone, Debug)]
pub(crate) struct Example {
    /// What it shows.
    pub(crate) expectation: Expectation,
    /// 1-based line of its first line of code.
    pub(crate) line: u32,
    /// The words behind the fence without `undecided`: which kind of input it is.
    pub(crate) fence: String,
    /// It stands under a heading for examples, where nothing else may stand; other code is for
    /// the reader unless its fence is that of a kind of input.
    pub(crate) is_required: bool,
    /// The configuration.
    pub(crate) source: String,
}

/// The parts of a rule file.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    /// The first heading.
    pub(crate) title: String,
    /// Everything a reader needs, without title, rule block and examples.
    pub(crate) help: String,
    /// The rule block.
    pub(crate) rule: String,
    /// 1-based line of the rule block's first line of code.
    pub(crate) rule_line: u32,
    /// All examples in order.
    pub(crate) examples: Vec<Example>,
}

/// What the lines under a heading are.
#[derive(Clone, Copy)]
enum Section {
    /// For the reader.
    Prose,
    /// For the reader too, but its code must pass.
    Fix,
    /// Tests.
    Examples(Expectation),
}

/// A fence that is open while lines are read.
struct Fence {
    marker: String,
    info: String,
    line: u32,
    code: String,
}

/// Splits `text`. The error is a line and what is wrong there.
pub(crate) fn split(text: &str) -> Result<Document, (u32, String)> {
    if text.len() > MAX_RULE_FILE {
        return Err((1, format!("a rule file has at most {MAX_RULE_FILE} bytes")));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut title: Option<String> = None;
    let mut help = String::new();
    let mut rule: Option<(u32, String)> = None;
    let mut examples = Vec::new();
    let mut section = Section::Prose;
    let mut fence: Option<Fence> = None;
    let mut number: u32 = 0;

    for line in text.lines() {
        number = number.saturating_add(1);
        if let Some(open) = fence.as_mut() {
            if line.trim() == open.marker {
                if let Some(done) = fence.take() {
                    close(done, section, &mut rule, &mut examples, &mut help)?;
                }
            } else {
                open.code.push_str(line);
                open.code.push('\n');
            }
            continue;
        }
        if let Some(open) = open_fence(line, number) {
            fence = Some(open);
            continue;
        }
        if let Some(heading) = line.strip_prefix("# ") {
            if title.is_some() {
                return Err((
                    number,
                    "a rule has one first-level heading, its title".into(),
                ));
            }
            title = Some(heading.trim().to_owned());
            continue;
        }
        if title.is_none() && !line.trim().is_empty() {
            return Err((number, "a rule begins with its title, `# Title`".into()));
        }
        if let Some(heading) = line.strip_prefix("## ") {
            section = match heading.trim() {
                "Fails" => Section::Examples(Expectation::Fails),
                "Passes" => Section::Examples(Expectation::Passes),
                "Fix" => Section::Fix,
                _ => Section::Prose,
            };
        }
        if !matches!(section, Section::Examples(_)) {
            help.push_str(line);
            help.push('\n');
        }
    }
    if let Some(open) = fence {
        return Err((open.line, "this code block is not closed".into()));
    }
    let title = title.ok_or((1, "a rule begins with its title, `# Title`".to_owned()))?;
    let (rule_line, rule) = rule.ok_or((1, "no ```hcl rule block".to_owned()))?;
    let help = tidy(&help);
    if help.is_empty() {
        return Err((1, "a rule says why it matters".into()));
    }
    Ok(Document {
        title,
        help,
        rule,
        rule_line,
        examples,
    })
}

fn open_fence(line: &str, number: u32) -> Option<Fence> {
    let trimmed = line.trim_start();
    let ticks = trimmed.chars().take_while(|c| *c == '`').count();
    if ticks < 3 {
        return None;
    }
    Some(Fence {
        marker: "`".repeat(ticks),
        info: trimmed.trim_start_matches('`').trim().to_owned(),
        line: number,
        code: String::new(),
    })
}

fn close(
    fence: Fence,
    section: Section,
    rule: &mut Option<(u32, String)>,
    examples: &mut Vec<Example>,
    help: &mut String,
) -> Result<(), (u32, String)> {
    let words: Vec<&str> = fence.info.split_whitespace().collect();
    let line = fence.line.saturating_add(1);
    let expectation = match (words.as_slice(), section) {
        (["hcl", "rule"], _) => {
            if rule.is_some() {
                return Err((fence.line, "a file holds one rule block".into()));
            }
            *rule = Some((line, fence.code));
            return Ok(());
        }
        ([kind @ .., "undecided"], Section::Examples(_)) => Some((Expectation::Undecided, kind)),
        (kind, Section::Examples(expectation)) => Some((expectation, kind)),
        (kind, Section::Fix) => Some((Expectation::Passes, kind)),
        (_, Section::Prose) => None,
    };
    if !matches!(section, Section::Examples(_)) {
        for part in [
            &fence.marker,
            &fence.info,
            "\n",
            &fence.code,
            &fence.marker,
            "\n",
        ] {
            help.push_str(part);
        }
    }
    if let Some((expectation, kind)) = expectation {
        examples.push(Example {
            expectation,
            line,
            fence: kind.join(" "),
            is_required: matches!(section, Section::Examples(_)),
            source: fence.code,
        });
    }
    Ok(())
}

/// Joins what remains when blocks were cut out: never two blank lines in a row.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut blank = true;
    for line in text.lines() {
        let empty = line.trim().is_empty();
        if !(empty && blank) {
            out.push_str(line.trim_end());
            out.push('\n');
        }
        blank = empty;
    }
    out.truncate(out.trim_end().len());
    out
}

#[cfg(test)]
mod tests {
    use super::{Expectation, MAX_RULE_FILE, split};

    const FILE: &str = "# Title\n\nWhy.\n\n```hcl rule\nrule \"x\" {}\n```\n\n## Fix\n\n```hcl\na = 1\n```\n\n## Fails\n\nProse.\n\n```hcl\nbad\n```\n\n## Passes\n```hcl\ngood\n```\n```hcl undecided\nwho knows\n```\n";

    #[test]
    fn a_file_splits_into_its_parts_with_lines() {
        let document = split(FILE).unwrap();
        assert_eq!(document.title, "Title");
        assert_eq!(document.rule, "rule \"x\" {}\n");
        assert_eq!(document.rule_line, 6);
        assert_eq!(document.help, "Why.\n\n## Fix\n\n```hcl\na = 1\n```");
        let shown: Vec<_> = document
            .examples
            .iter()
            .map(|e| (e.expectation, e.line, e.source.as_str()))
            .collect();
        assert_eq!(
            shown,
            [
                (Expectation::Passes, 12, "a = 1\n"),
                (Expectation::Fails, 20, "bad\n"),
                (Expectation::Passes, 25, "good\n"),
                (Expectation::Undecided, 28, "who knows\n"),
            ]
        );
        assert_eq!(split(&FILE.replace('\n', "\r\n")).unwrap().rule_line, 6);
    }

    #[test]
    fn an_example_has_the_fence_of_its_kind() {
        let text = format!("{FILE}```json plan undecided\n{{}}\n```\n## Fix\n```shell\nls\n```\n");
        let document = split(&text).unwrap();
        let last: Vec<_> = document.examples.iter().rev().take(2).collect();
        assert_eq!((&*last[1].fence, last[1].is_required), ("json plan", true));
        assert_eq!(last[1].expectation, Expectation::Undecided);
        assert_eq!((&*last[0].fence, last[0].is_required), ("shell", false));
    }

    #[test]
    fn what_is_no_rule_file_is_refused_with_its_line() {
        let error = |text: &str| split(text).unwrap_err();
        assert_eq!(error("").0, 1);
        assert_eq!(error("prose first").0, 1);
        assert_eq!(error("# T\n\n# U\n").0, 3);
        assert!(error("# T\nwhy\n").1.contains("rule block"));
        assert_eq!(error("# T\nwhy\n```hcl rule\n").0, 3);
        assert_eq!(error(&format!("{FILE}```hcl rule\n```\n")).0, 30);
        assert!(error(&"x".repeat(MAX_RULE_FILE + 1)).1.contains("bytes"));
    }
}
