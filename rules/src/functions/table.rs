//! The table from Terraform's names to implementations, with what each takes and gives.
//!
//! Owns the language's vocabulary (Terraform 1.11): one line is one function. `try`, `can`,
//! `templatefile` and `templatestring` evaluate lazily and belong to the evaluator.

use md5::Md5;
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use super::call::{Gives, Param, Signature, run};
use super::collection::{access, build, logic, maps, sets};
use super::encoding::{base64, csv, json, url, yaml, yaml_write};
use super::rule::{access as policies, address, shorthand};
use super::string::{affix, format, regexp, text};
use super::{Function, crypto, filesystem, network, numeric, time, types};

macro_rules! variadic {
    () => {
        None
    };
    ($more:ident) => {
        Some(Param::$more)
    };
}

macro_rules! table {
    ($names:ident, $find:ident: $(
        $name:literal = $body:path,
        [$($required:ident)*] [$($optional:ident)*] [$($more:ident)?] -> $gives:ident;
    )*) => {
        /// The names in this table.
        pub(super) const $names: &[&str] = &[$($name),*];

        /// The function of this name.
        pub(super) fn $find(name: &str) -> Option<Function> {
            Some(match name {
                $($name => |arguments, context| {
                    let signature = Signature {
                        required: &[$(Param::$required),*],
                        optional: &[$(Param::$optional),*],
                        variadic: variadic!($($more)?),
                        gives: Gives::$gives,
                    };
                    run(&signature, $body, arguments, context)
                },)*
                _ => return None,
            })
        }
    };
}

table! { NAMES, find:
    "abs" = numeric::abs, [Number] [] [] -> Number;
    "ceil" = numeric::ceil, [Number] [] [] -> Number;
    "floor" = numeric::floor, [Number] [] [] -> Number;
    "log" = numeric::log, [Number Number] [] [] -> Number;
    "max" = numeric::max, [MaybeNumber] [] [MaybeNumber] -> Number;
    "min" = numeric::min, [MaybeNumber] [] [MaybeNumber] -> Number;
    "parseint" = numeric::parseint, [Text Number] [] [] -> Number;
    "pow" = numeric::pow, [Number Number] [] [] -> Number;
    "signum" = numeric::signum, [Number] [] [] -> Number;
    "sum" = numeric::sum, [Sequence] [] [] -> Number;

    "chomp" = affix::chomp, [Text] [] [] -> Text;
    "endswith" = affix::endswith, [MaybeText Text] [] [] -> Bool;
    "format" = format::format, [Text] [] [Any] -> Text;
    "formatlist" = format::formatlist, [Text] [] [Any] -> Texts;
    "indent" = text::indent, [Number Text] [] [] -> Text;
    "join" = text::join, [Text] [] [Any] -> Text;
    "lower" = text::lower, [MaybeText] [] [] -> Text;
    "regex" = regexp::regex, [Text Text] [] [] -> Any;
    "regexall" = regexp::regexall, [Text Text] [] [] -> List;
    "replace" = regexp::replace, [Text Text Text] [] [] -> Text;
    "split" = text::split, [Text MaybeText] [] [] -> Texts;
    "startswith" = affix::startswith, [MaybeText Text] [] [] -> Bool;
    "strcontains" = affix::strcontains, [MaybeText Text] [] [] -> Bool;
    "strrev" = text::strrev, [Text] [] [] -> Text;
    "substr" = affix::substr, [MaybeText Number Number] [] [] -> Text;
    "title" = text::title, [Text] [] [] -> Text;
    "trim" = affix::trim, [Text Text] [] [] -> Text;
    "trimprefix" = affix::trimprefix, [MaybeText Text] [] [] -> Text;
    "trimsuffix" = affix::trimsuffix, [Text Text] [] [] -> Text;
    "trimspace" = affix::trimspace, [MaybeText] [] [] -> Text;
    "upper" = text::upper, [MaybeText] [] [] -> Text;

    "alltrue" = logic::alltrue, [Sequence] [] [] -> Bool;
    "anytrue" = logic::anytrue, [Sequence] [] [] -> Bool;
    "chunklist" = build::chunklist, [Sequence Number] [] [] -> List;
    "coalesce" = logic::coalesce, [] [] [Any] -> Any;
    "coalescelist" = logic::coalescelist, [] [] [Any] -> List;
    "compact" = build::compact, [Sequence] [] [] -> Texts;
    "concat" = build::concat, [] [] [Any] -> List;
    "contains" = access::contains, [Any Any] [] [] -> Bool;
    "distinct" = build::distinct, [Sequence] [] [] -> List;
    "element" = access::element, [Sequence Number] [] [] -> Any;
    "flatten" = build::flatten, [Sequence] [] [] -> List;
    "index" = access::index, [Sequence Any] [] [] -> Number;
    "keys" = maps::keys, [Map] [] [] -> Texts;
    "length" = access::length, [Any] [] [] -> Number;
    "list" = build::list, [] [] [Any] -> List;
    "lookup" = maps::lookup, [Map Text] [Any] [] -> Any;
    "map" = maps::map_of, [] [] [Any] -> Map;
    "matchkeys" = access::matchkeys, [Sequence Sequence Sequence] [] [] -> List;
    "merge" = maps::merge, [] [] [Any] -> Map;
    "one" = access::one, [Sequence] [] [] -> Any;
    "range" = build::range, [Number] [Number Number] [] -> List;
    "reverse" = access::reverse, [Sequence] [] [] -> List;
    "setintersection" = sets::intersection, [Sequence] [] [Sequence] -> Set;
    "setproduct" = sets::product, [] [] [Sequence] -> List;
    "setsubtract" = sets::subtract, [Sequence Sequence] [] [] -> Set;
    "setunion" = sets::union, [Sequence] [] [Sequence] -> Set;
    "slice" = access::slice, [Sequence Number Number] [] [] -> List;
    "sort" = build::sort, [Sequence] [] [] -> Texts;
    "transpose" = maps::transpose, [Map] [] [] -> Map;
    "values" = maps::values, [Map] [] [] -> List;
    "zipmap" = maps::zipmap, [Sequence Sequence] [] [] -> Map;

    "base64decode" = base64::base64decode, [Text] [] [] -> Text;
    "base64encode" = base64::base64encode, [Text] [] [] -> Text;
    "base64gzip" = base64::base64gzip, [Text] [] [] -> Text;
    "csvdecode" = csv::csvdecode, [Text] [] [] -> List;
    "jsondecode" = json::jsondecode, [MaybeText] [] [] -> Any;
    "jsonencode" = json::jsonencode, [Any] [] [] -> Text;
    "textdecodebase64" = base64::textdecodebase64, [Text Text] [] [] -> Text;
    "textencodebase64" = base64::textencodebase64, [Text Text] [] [] -> Text;
    "urldecode" = url::urldecode, [Text] [] [] -> Text;
    "urlencode" = url::urlencode, [Text] [] [] -> Text;
    "yamldecode" = yaml::yamldecode, [Text] [] [] -> Any;
    "yamlencode" = yaml_write::yamlencode, [Any] [] [] -> Text;

    "abspath" = filesystem::abspath, [Text] [] [] -> Text;
    "basename" = filesystem::basename, [Text] [] [] -> Text;
    "dirname" = filesystem::dirname, [Text] [] [] -> Text;
    "pathexpand" = filesystem::pathexpand, [Text] [] [] -> Text;
    "file" = filesystem::file, [Text] [] [] -> Text;
    "fileexists" = filesystem::fileexists, [Text] [] [] -> Bool;
    "fileset" = filesystem::fileset, [Text Text] [] [] -> Set;
    "filebase64" = filesystem::filebase64, [Text] [] [] -> Text;
    "filemd5" = filesystem::hash::<Md5>, [Text] [] [] -> Text;
    "filesha1" = filesystem::hash::<Sha1>, [Text] [] [] -> Text;
    "filesha256" = filesystem::hash::<Sha256>, [Text] [] [] -> Text;
    "filesha512" = filesystem::hash::<Sha512>, [Text] [] [] -> Text;
    "filebase64sha256" = filesystem::base64_hash::<Sha256>, [Text] [] [] -> Text;
    "filebase64sha512" = filesystem::base64_hash::<Sha512>, [Text] [] [] -> Text;

    "base64sha256" = crypto::base64_hash::<Sha256>, [Text] [] [] -> Text;
    "base64sha512" = crypto::base64_hash::<Sha512>, [Text] [] [] -> Text;
    "bcrypt" = crypto::bcrypt, [Text] [Number] [] -> Text;
    "md5" = crypto::hash::<Md5>, [Text] [] [] -> Text;
    "rsadecrypt" = crypto::rsadecrypt, [Text Text] [] [] -> Text;
    "sha1" = crypto::hash::<Sha1>, [Text] [] [] -> Text;
    "sha256" = crypto::hash::<Sha256>, [Text] [] [] -> Text;
    "sha512" = crypto::hash::<Sha512>, [Text] [] [] -> Text;
    "uuid" = crypto::uuid, [] [] [] -> Text;
    "uuidv5" = crypto::uuidv5, [Text Text] [] [] -> Text;

    "formatdate" = time::formatdate, [Text Text] [] [] -> Text;
    "plantimestamp" = time::plantimestamp, [] [] [] -> Text;
    "timeadd" = time::timeadd, [Text Text] [] [] -> Text;
    "timecmp" = time::timecmp, [Text Text] [] [] -> Number;
    "timestamp" = time::timestamp, [] [] [] -> Text;

    "cidrhost" = network::cidrhost, [Text Number] [] [] -> Text;
    "cidrnetmask" = network::cidrnetmask, [Text] [] [] -> Text;
    "cidrsubnet" = network::cidrsubnet, [Text Number Number] [] [] -> Text;
    "cidrsubnets" = network::cidrsubnets, [Text] [] [Number] -> Texts;

    "ephemeralasnull" = types::ephemeralasnull, [Any] [] [] -> Marked;
    "issensitive" = types::issensitive, [Any] [] [] -> Marked;
    "nonsensitive" = types::nonsensitive, [Any] [] [] -> Marked;
    "sensitive" = types::sensitive, [Any] [] [] -> Marked;
    "tobool" = types::tobool, [Any] [] [] -> Bool;
    "tolist" = types::tolist, [Any] [] [] -> List;
    "tomap" = types::tomap, [Any] [] [] -> Map;
    "tonumber" = types::tonumber, [Any] [] [] -> Number;
    "toset" = types::toset, [Any] [] [] -> Set;
    "tostring" = types::tostring, [Any] [] [] -> Text;
    "type" = types::type_text, [Any] [] [] -> Text;
}

table! { RULE_NAMES, find_rule:
    "policy" = policies::policy, [Any] [] [] -> Any;
    "allows" = policies::allows, [Any Text] [] [] -> Bool;
    "public_principal" = policies::public_principal, [Any] [] [] -> Bool;
    "public_cidr" = address::public_cidr, [Any] [] [] -> Bool;
    "port_in" = address::port_in, [Any Any] [Any] [] -> Bool;
    "list" = shorthand::list, [Any] [] [] -> List;
    "first" = shorthand::first, [Any] [] [] -> Any;
    "bool" = shorthand::bool, [Any] [] [] -> Bool;
    "configured" = shorthand::configured, [Any] [] [] -> Bool;
}
