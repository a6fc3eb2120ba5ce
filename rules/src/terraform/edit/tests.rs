use std::io;

use crate::files::{DirEntry, Files};
use crate::input::Edit;
use crate::input::Options;
use crate::kinds;
use crate::terraform::evaluate;

struct Folder<'a>(&'a [(&'a str, &'a str)]);

impl Files for Folder<'_> {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let found = self.0.iter().find(|(name, _)| *name == path);
        let (_, text) = found.ok_or(io::ErrorKind::NotFound)?;
        Ok(text.as_bytes().to_vec())
    }

    fn list(&self, path: &str) -> io::Result<Vec<DirEntry>> {
        if !path.is_empty() {
            return Err(io::ErrorKind::NotFound.into());
        }
        let entry = |(name, _): &(&str, &str)| DirEntry {
            name: (*name).to_owned(),
            is_dir: false,
        };
        Ok(self.0.iter().map(entry).collect())
    }
}

/// The change that sets an attribute of the first resource to true.
fn edit(files: &[(&str, &str)], path: &str) -> Option<Edit> {
    let files = Folder(files);
    let evaluation = evaluate(&files, &[String::new()], &Options::default());
    let resource = &evaluation.stacks[0].resources[0];
    let path: Vec<String> = path.split('.').map(str::to_owned).collect();
    let kind = kinds::by_id("terraform")?;
    kind.write_fix(&files, resource, &path, &true.into())
}

/// The code afterwards.
fn fixed(text: &str, path: &str) -> Option<String> {
    let edit = edit(&[("main.tf", text)], path)?;
    assert_eq!(&*edit.file, "main.tf");
    let mut code = text.to_owned();
    code.replace_range(edit.range, &edit.text);
    Some(code)
}

/// Code with one resource around a body.
fn block(body: &str) -> String {
    format!("# a\nresource \"t\" \"x\" {{{body}}}\n\n# b\n")
}

#[track_caller]
fn becomes(before: &str, path: &str, after: &str) {
    assert_eq!(fixed(&block(before), path), Some(block(after)));
}

#[test]
fn an_existing_literal_is_replaced() {
    becomes("\n  a = false # é\n", "a", "\n  a = true # é\n");
    becomes(" a = \"x\" ", "a", " a = true ");
    becomes("\n  a = [1, [\"x\"]]\n", "a", "\n  a = true\n");
    becomes(
        "\n  n {\n    a   = 1\n    bcd = 2\n  }\n",
        "n.a",
        "\n  n {\n    a   = true\n    bcd = 2\n  }\n",
    );
}

#[test]
fn a_missing_attribute_is_inserted_as_the_formatter_would() {
    // No neighbours: an empty block, one with nested blocks only, one behind a blank line.
    becomes("", "a", "\n  a = true\n");
    becomes("\n", "a", "\n  a = true\n");
    becomes("\n  n {}\n", "a", "\n  a = true\n  n {}\n");
    becomes("\n  n {}\n", "n.a", "\n  n {\n    a = true\n  }\n");
    becomes("\r\n  b = 1\r\n", "a", "\r\n  b = 1\r\n  a = true\r\n");
    // Neighbours of the same, of greater and of smaller width.
    becomes(
        "\n  bcd = 1 # c\n\n  n {}\n",
        "a",
        "\n  bcd = 1 # c\n  a   = true\n\n  n {}\n",
    );
    becomes("\n    x = 1\n", "a", "\n    x = 1\n    a = true\n");
    becomes(
        "\n  y = 0\n\n  a  = 1 # c\n  bc = 2\n",
        "long",
        "\n  y = 0\n\n  a    = 1 # c\n  bc   = 2\n  long = true\n",
    );
    // Values of several lines are not aligned with.
    becomes(
        "\n  b = [\n    1,\n  ]\n",
        "long",
        "\n  b = [\n    1,\n  ]\n  long = true\n",
    );
}

#[test]
fn nothing_is_written_where_one_attribute_does_not_settle_it() {
    for (body, path) in [
        ("\n  a = var.x\n", "a"),
        ("\n  a = \"${var.x}\"\n", "a"),
        ("\n  a = [var.x]\n", "a"),
        (
            "\n  dynamic \"a\" {\n    for_each = []\n    content {}\n  }\n",
            "a",
        ),
        (
            "\n  dynamic \"n\" {\n    for_each = []\n    content {}\n  }\n",
            "n.a",
        ),
        ("\n  n {}\n  n {}\n", "n.a"),
        ("\n  n = {}\n", "n.a"),
        ("\n  b = 1\n", "n.a"),
        ("\n  a {}\n", "a"),
        (" b = 1 ", "a"),
    ] {
        assert_eq!(fixed(&block(body), path), None, "{body}");
    }
}

#[test]
fn other_files_and_byte_order_marks() {
    let text = block("\n  a = false\n");
    let marked = format!("\u{feff}{text}");
    assert_eq!(fixed(&marked, "a"), Some(marked.replace("false", "true")));
    let other = "resource \"t\" \"x\" {\n  a = 1\n}\n";
    let files = [("main.tf", text.as_str()), ("override.tf", other)];
    assert_eq!(edit(&files, "a"), None);
    let json = r#"{"resource": {"t": {"x": {"a": 1}}}}"#;
    assert_eq!(edit(&[("main.tf.json", json)], "a"), None);
    let deep = block(&format!(
        "\n  a = false\n  b = {}1{}\n",
        "[".repeat(30),
        "]".repeat(30)
    ));
    assert_eq!(fixed(&deep, "a"), None);
    let span =
        edit(&[("main.tf", &text)], "a").map(|edit| (edit.span.start_line, edit.span.start_column));
    assert_eq!(span, Some((3, 7)));
    assert!(kinds::by_id("plan").is_some_and(|plan| {
        let files = Folder(&[("main.tf", &text)]);
        let evaluation = evaluate(&files, &[String::new()], &Options::default());
        let resource = &evaluation.stacks[0].resources[0];
        plan.write_fix(&files, resource, &["a".to_owned()], &true.into())
            .is_none()
    }));
}
