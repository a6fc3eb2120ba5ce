//! `.terraform.lock.hcl` (developer.hashicorp.com, "Dependency lock file"): HCL with a block for each
//! provider, named by its address, with its version. The file is written by Terraform and OpenTofu in one
//! form, an attribute a line; any other line is a gap. No advisory source covers providers by their address.

use std::sync::Arc;

use crate::inventory::collect::shown;
use crate::inventory::parsers::shared::{entry, is_semantic};
use crate::inventory::{Facts, Input, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use crate::model::package::PackageType;

/// `.terraform.lock.hcl`.
pub(crate) static PARSER: Parser = Parser {
    id: "terraform-lock",
    wants: &[Want::Name(".terraform.lock.hcl")],
    parse,
    ..Parser::LOCKFILE
};

/// A provider that is being read.
struct Provider<'a> {
    line: u32,
    address: &'a str,
    version: Option<&'a str>,
    in_list: bool,
}

fn parse(input: Input<'_>, facts: &mut Facts) -> Result<(), ParseError> {
    let path: Arc<str> = input.path.into();
    let mut open: Option<Provider<'_>> = None;
    for (text, line) in input.content.utf8()?.lines().zip(1_u32..) {
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') || text.starts_with("//") {
            continue;
        }
        let mut odd = || {
            let cause = format!("{} is not a line of a lockfile of Terraform", shown(text));
            facts.unjudged(&path, Some(line), GapKind::Malformed, cause);
        };
        let Some(provider) = &mut open else {
            let head = text
                .strip_prefix("provider \"")
                .and_then(|rest| rest.strip_suffix('{'));
            match head.and_then(|head| head.trim_end().strip_suffix('"')) {
                Some(address) => {
                    open = Some(Provider {
                        line,
                        address,
                        version: None,
                        in_list: false,
                    });
                }
                None => odd(),
            }
            continue;
        };
        if provider.in_list {
            match text {
                "]" | "]," => provider.in_list = false,
                sum if sum.starts_with('"') => {}
                _ => odd(),
            }
            continue;
        }
        if text == "}" {
            add(provider, &path, facts);
            open = None;
            continue;
        }
        match text
            .split_once('=')
            .map(|(key, value)| (key.trim_end(), value.trim_start()))
        {
            Some(("version", value)) if provider.version.is_none() => {
                let value = value
                    .strip_prefix('"')
                    .and_then(|value| value.strip_suffix('"'));
                provider.version = value;
                if value.is_none() {
                    odd();
                }
            }
            Some(("constraints", _)) => {}
            Some(("hashes", value)) => provider.in_list = !value.ends_with(']'),
            _ => odd(),
        }
    }
    if let Some(provider) = open {
        add(&provider, &path, facts);
        let cause = "a block without an end: the file may be cut";
        facts.unjudged(&path, Some(provider.line), GapKind::Malformed, cause);
    }
    Ok(())
}

fn add(provider: &Provider<'_>, path: &Arc<str>, facts: &mut Facts) {
    let (line, address) = (provider.line, provider.address);
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:".contains(&byte);
    let fine = |part: &str| !part.is_empty() && part.bytes().all(known);
    let is_address = address.split('/').count() == 3 && address.split('/').all(fine);
    let version = provider.version.filter(|version| is_semantic(version));
    let Some(version) = version.filter(|_| is_address) else {
        let cause = format!("provider {} has no address and version", shown(address));
        return facts.malformed(path, Some(line), cause);
    };
    facts.add(entry(PackageType::TERRAFORM, path, line, address, version));
}
