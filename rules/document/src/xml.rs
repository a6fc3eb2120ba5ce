//! XML (w3.org/TR/xml) as a tree of elements with the lines that they stand on. Namespaces are left
//! out: the formats that are read have one each. `quick-xml` finds the tags; what a document may
//! cost, and what is refused, is decided here.
//!
//! A document type is refused, so that there are no entities to expand. An entity that is not one of
//! the five, which Maven knows many of, becomes U+FFFD, as bytes do that are not of the encoding:
//! harmless in prose, and a name or version with it is refused by whoever reads it.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::errors::{Error as Fault, SyntaxError};
use quick_xml::escape::{resolve_predefined_entity, unescape_with};
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::lines::LineTable;
use super::{Budget, Error};

/// What stands for an unknown entity.
const UNKNOWN: char = char::REPLACEMENT_CHARACTER;

/// Bytes in which the encoding of a document is looked for.
const DECLARATION: usize = 256;

/// An element and what it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Its name without a prefix.
    pub name: String,
    /// The line that its tag begins on, from 1.
    pub line: u32,
    /// In the order of the document; no name comes twice.
    pub attributes: Vec<Attribute>,
    /// In the order of the document.
    pub children: Vec<Self>,
    /// The text that stands directly in it, without blanks around it.
    pub text: String,
    /// The line that the text begins on; that of the tag where there is none.
    pub text_line: u32,
}

/// An attribute of an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// With its prefix, if it has one.
    pub name: String,
    /// Without blanks around it.
    pub value: String,
    /// The line that the value begins on.
    pub line: u32,
}

impl Element {
    /// The children of a name.
    pub fn all<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first child of a name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The child of a name that must not be there twice.
    pub fn only(&self, name: &str) -> Result<Option<&Self>, Error> {
        let mut all = self.children.iter().filter(|child| child.name == name);
        let first = all.next();
        match all.next() {
            None => Ok(first),
            Some(second) => {
                let cause = format!("the element {name} is there twice");
                Err(Error::ambiguous(second.line, cause))
            }
        }
    }

    /// An attribute.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|one| one.name == name)
    }
}

/// Reads a document, which must be one element and no more.
pub fn parse(bytes: &[u8]) -> Result<Element, Error> {
    let text = decode(bytes)?;
    let lines = LineTable::new(&text);
    let control = |byte: u8| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r');
    if let Some(at) = text.bytes().position(control) {
        return Err(Error::at(lines.line(at), "a control character"));
    }
    let mut tree = Tree {
        lines,
        budget: Budget::new(),
        open: Vec::new(),
        root: None,
    };
    let mut reader = Reader::from_str(&text);
    loop {
        let at = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
        let line = tree.lines.line(at);
        let event = reader.read_event().map_err(|fault| refused(line, &fault))?;
        match event {
            Event::Start(start) => tree.open(&start, at)?,
            Event::Empty(start) => {
                tree.open(&start, at)?;
                tree.close();
            }
            Event::End(_) => tree.close(),
            Event::Text(text) => tree.text(&text, at)?,
            Event::CData(text) => tree.text(&text, at)?,
            Event::GeneralRef(reference) => tree.reference(&reference, at)?,
            Event::DocType(_) => {
                let cause = "it declares a document type, of which nothing is expanded";
                return Err(Error::at(line, cause));
            }
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    if let Some(open) = tree.open.last() {
        let cause = format!("the element {} is not closed", open.name);
        return Err(Error::at(open.line, cause));
    }
    tree.root.ok_or_else(|| Error::new("there is no element"))
}

fn refused(line: u32, fault: &Fault) -> Error {
    let what = match fault {
        Fault::Syntax(SyntaxError::UnclosedTag) => "a tag is not closed".to_owned(),
        fault => fault.to_string(),
    };
    Error::at(line, format!("not XML: {what}"))
}

/// What has been read so far.
struct Tree {
    lines: LineTable,
    budget: Budget,
    open: Vec<Element>,
    root: Option<Element>,
}

impl Tree {
    fn open(&mut self, start: &BytesStart<'_>, at: usize) -> Result<(), Error> {
        let line = self.lines.line(at);
        let depth = self.open.len();
        self.budget.spend(line, depth)?;
        if depth == 0 && self.root.is_some() {
            return Err(Error::at(line, "a second element at the top"));
        }
        let name = start.local_name();
        let name: &str = name.as_ref();
        if !is_name(name) {
            return Err(Error::at(line, "a tag without a proper name"));
        }
        let mut element = Element {
            name: name.to_owned(),
            line,
            text_line: line,
            ..Element::default()
        };
        let full = start.name();
        let full: &str = full.as_ref();
        let raw = start.attributes_raw();
        // Behind the bracket and the name.
        let base = at.saturating_add(1).saturating_add(full.len());
        let mut cursor = 0_usize;
        for attribute in start.attributes() {
            let attribute = attribute
                .map_err(|fault| Error::at(line, format!("not XML: an attribute: {fault}")))?;
            self.budget.spend(line, depth)?;
            let key: &str = attribute.key.as_ref();
            let value: &str = &attribute.value;
            for part in [key, value] {
                let rest = raw.get(cursor..).unwrap_or_default();
                cursor = cursor.saturating_add(rest.find(part).unwrap_or_default());
                if part == key {
                    cursor = cursor.saturating_add(key.len());
                }
            }
            let line = self.lines.line(base.saturating_add(cursor));
            cursor = cursor.saturating_add(value.len());
            if !is_name(key) || value.contains('<') {
                return Err(Error::at(line, "an attribute without a proper name or end"));
            }
            let value = unescape_with(value, |entity| {
                Some(resolve_predefined_entity(entity).unwrap_or("\u{fffd}"))
            })
            .map_err(|fault| Error::at(line, format!("not XML: {fault}")))?;
            element.attributes.push(Attribute {
                name: key.to_owned(),
                value: value.trim().to_owned(),
                line,
            });
        }
        self.open.push(element);
        Ok(())
    }

    fn close(&mut self) {
        let Some(mut element) = self.open.pop() else {
            return; // the reader refuses an end that nothing began
        };
        element.text.truncate(element.text.trim_end().len());
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
    }

    fn text(&mut self, text: &str, at: usize) -> Result<(), Error> {
        let blank = text.len().saturating_sub(text.trim_start().len());
        let line = self.lines.line(at.saturating_add(blank));
        match self.open.last_mut() {
            None if text.trim().is_empty() => {}
            None => return Err(Error::at(line, "text outside of the element")),
            Some(element) if element.text.is_empty() => {
                if !text.trim().is_empty() {
                    element.text.push_str(text.trim_start());
                    element.text_line = line;
                }
            }
            Some(element) => element.text.push_str(text),
        }
        Ok(())
    }

    fn reference(&mut self, reference: &BytesRef<'_>, at: usize) -> Result<(), Error> {
        let line = self.lines.line(at);
        let known = reference
            .resolve_char_ref()
            .map_err(|fault| refused(line, &fault))?
            .map(String::from);
        let known = known.or_else(|| resolve_predefined_entity(reference).map(str::to_owned));
        self.text(&known.unwrap_or_else(|| UNKNOWN.to_string()), at)
    }
}

/// Letters, digits and the marks between them; other scripts have letters, too.
fn is_name(text: &str) -> bool {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
    !text.is_empty() && text.chars().all(fits)
}

/// The text of a document. Names and versions are ASCII, so that of the encodings that hold ASCII
/// any does for them.
fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, Error> {
    let wide = |pairs: &[u8], join: fn([u8; 2]) -> u16| {
        let pairs = pairs.chunks(2);
        let units = pairs.map(|pair| match *pair {
            [a, b] => join([a, b]),
            _ => 0xFFFD,
        });
        char::decode_utf16(units)
            .map(|unit| unit.unwrap_or(UNKNOWN))
            .collect::<String>()
    };
    if let Some(rest) = bytes.strip_prefix(&[0xFF, 0xFE]) {
        return Ok(wide(rest, u16::from_le_bytes).into());
    }
    if let Some(rest) = bytes.strip_prefix(&[0xFE, 0xFF]) {
        return Ok(wide(rest, u16::from_be_bytes).into());
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let head = String::from_utf8_lossy(bytes.get(..DECLARATION.min(bytes.len())).unwrap_or(bytes));
    let head = head.split("?>").next().unwrap_or_default();
    let declared = head.split_once("encoding").and_then(|(_, rest)| {
        let rest = rest.trim_start().strip_prefix('=')?.trim_start();
        let quote = rest.chars().next()?;
        rest.get(1..)?.split(quote).next()
    });
    let declared = declared.unwrap_or("utf-8").to_ascii_lowercase();
    let single = [
        "iso-8859-",
        "iso8859",
        "latin",
        "windows-125",
        "cp125",
        "us-ascii",
    ];
    if head.starts_with("<?xml") && single.iter().any(|start| declared.starts_with(start)) {
        if bytes.is_ascii() {
            return Ok(String::from_utf8_lossy(bytes));
        }
        return Ok(bytes
            .iter()
            .copied()
            .map(char::from)
            .collect::<String>()
            .into());
    }
    if head.starts_with("<?xml") && !["utf-8", "utf8", "ascii"].contains(&declared.as_str()) {
        return Err(Error::at(1, "an encoding that is not read"));
    }
    Ok(String::from_utf8_lossy(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorKind, MAX_DEPTH, MAX_VALUES};

    #[test]
    fn elements_attributes_and_text_have_lines() {
        let text = "<?xml version=\"1.0\"?>\n<!-- c -->\n<p:a xmlns:p='u'\n  id = 'x &amp; y'\n  \
                    v=\"id\">\n  <b/>\n <b>\n  one<!-- c -->&lt;<![CDATA[<&]]>&#65;&copy;\n</b></p:a>\n";
        let root = parse(text.as_bytes()).unwrap();
        assert_eq!((root.name.as_str(), root.line), ("a", 3));
        let of = |name: &str| {
            let one = root.attribute(name).unwrap();
            (one.value.as_str(), one.line)
        };
        assert_eq!(of("id"), ("x & y", 4));
        assert_eq!(of("v"), ("id", 5));
        assert_eq!(root.all("b").count(), 2);
        let second = &root.children[1];
        assert_eq!((second.line, second.text_line), (7, 8));
        assert_eq!(second.text, "one<<&A\u{fffd}");
        assert_eq!(root.only("b").unwrap_err().kind, ErrorKind::Ambiguous);
        assert_eq!(root.only("c").unwrap(), None);
    }

    #[test]
    fn what_is_not_one_element_is_refused_with_its_line() {
        for (text, line) in [
            ("", None),
            ("\n<a>", Some(2)),
            ("<a>\n</b>", Some(2)),
            ("<a/>\n<b/>", Some(2)),
            ("<a/>\nx", Some(2)),
            ("x<a/>", Some(1)),
            ("<a>\n<b", Some(2)),
            ("<a b='1' b='2'/>", Some(1)),
            ("<a b='1/>\n<c d='2'/>", Some(1)),
            ("<a b/>", Some(1)),
            ("<a>&</a>", Some(1)),
            ("<a>\0</a>", Some(1)),
            ("<a\u{fffd}/>", Some(1)),
            ("<!DOCTYPE a [<!ENTITY b 'c'>]>\n<a>&b;</a>", Some(1)),
            ("<?xml version='1.0' encoding='EBCDIC'?><a/>", Some(1)),
        ] {
            assert_eq!(parse(text.as_bytes()).unwrap_err().line, line, "{text}");
        }
    }

    #[test]
    fn encodings_are_read_as_far_as_ascii_goes() {
        let root = |bytes: &[u8]| parse(bytes).unwrap().text;
        let latin = b"<?xml version='1.0' encoding=\"ISO-8859-1\"?><a>J\xF6rg</a>";
        assert_eq!(root(latin), "J\u{f6}rg");
        assert_eq!(root(b"\xEF\xBB\xBF<a>b</a>"), "b");
        assert_eq!(root(b"<a>J\xF6rg</a>"), "J\u{fffd}rg");
        let wide = |order: fn(u16) -> [u8; 2]| {
            let text = "\u{feff}<a>b</a>";
            text.encode_utf16().flat_map(order).collect::<Vec<u8>>()
        };
        assert_eq!(root(&wide(u16::to_le_bytes)), "b");
        assert_eq!(root(&wide(u16::to_be_bytes)), "b");
        assert!(parse(&[0xFF, 0xFE, b'<']).is_err());
    }

    #[test]
    fn depth_and_number_are_limited() {
        let deep = "<a>".repeat(MAX_DEPTH + 2);
        assert_eq!(parse(deep.as_bytes()).unwrap_err().kind, ErrorKind::Limit);
        let wide = format!("<a>{}</a>", "<b/>".repeat(MAX_VALUES));
        assert_eq!(parse(wide.as_bytes()).unwrap_err().kind, ErrorKind::Limit);
    }
}
