//! WordPress plug-ins (developer.wordpress.org, "Header requirements" and "How your readme.txt works"): the
//! main file of a plug-in is the PHP file in its folder, or directly below `plugins`, whose first comment
//! names it. WordPress looks at the first 8 KiB. Other PHP files name none. No advisory source of the
//! database covers plug-ins; they are listed under the name of their folder.

use std::sync::Arc;

use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::{entry, is_plain};
use crate::inventory::{Content, Evidence, Facts, Input, Need, ParseError, Parser, Want};
use crate::model::package::PackageType;

/// `wp-content/plugins/name/*.php`.
pub(crate) static PARSER: Parser = Parser {
    id: "wordpress-plugin",
    wants: &[Want::Extension(".php")],
    accepts: Some(|path| folder(path).is_some()),
    need: Need::Stream,
    evidence: Evidence::Installed,
    parse,
    ..Parser::LOCKFILE
};

/// How many bytes WordPress looks at (`get_file_data`).
const HEADER_BYTES: u64 = 8 << 10;

/// The name of the plug-in that a path may be the main file of: its folder, or the file itself where it
/// has none.
fn folder(path: &str) -> Option<&str> {
    let (_, below) = path.rsplit_once("wp-content/plugins/")?;
    match below.split_once('/') {
        Some((folder, file)) => (!file.contains('/')).then_some(folder),
        None => below.strip_suffix(".php"),
    }
}

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let path: Arc<str> = input.path.into();
    let mut bytes = Vec::new();
    match input.content {
        Content::Whole(whole) => {
            let most = usize::try_from(HEADER_BYTES).unwrap_or(whole.len());
            bytes.extend(whole.iter().take(most));
        }
        Content::Stream(stream) => {
            let read = std::io::Read::read_to_end(
                &mut std::io::Read::take(stream, HEADER_BYTES),
                &mut bytes,
            );
            read.map_err(|error| ParseError::new(format!("cannot read on: {error}")))?;
        }
    }
    let text = String::from_utf8_lossy(&bytes);
    let (mut name, mut version) = (None, None);
    for (text, line) in text.lines().zip(1_u32..) {
        let Some((key, value)) = text.split_once(':') else {
            continue;
        };
        let key = key.trim_start();
        let key = key.strip_prefix("<?php").unwrap_or(key);
        let key = key.trim_start_matches([' ', '\t', '/', '*', '#', '@']);
        let value = value.trim().trim_end_matches("*/").trim_end();
        match key.trim().to_ascii_lowercase().as_str() {
            "plugin name" if name.is_none() => name = Some(line),
            "version" if version.is_none() => version = Some((value.to_owned(), line)),
            _ => {}
        }
    }
    let Some(line) = name else {
        return Ok(()); // one more file of a plug-in, whose main file is another
    };
    let folder = folder(&path).unwrap_or_default();
    let version = version.filter(|(version, _)| is_plain(version) && !version.is_empty());
    if let Some((version, line)) = version {
        facts.add(entry(
            PackageType::WORDPRESS_PLUGIN,
            &path,
            line,
            folder,
            &version,
        ));
    } else {
        let cause = format!("plug-in {} has no version in its header", shown(folder));
        facts.malformed(&path, Some(line), cause);
    }
    Ok(())
}
