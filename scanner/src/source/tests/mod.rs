//! Layers from tar to contents, against a naive model that really lays them over each other, and
//! the cases the model leaves out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;

use super::hashing::Cores;
use super::layer;
use super::limits::Budget;
use super::merge::{self, merge};
use super::plan::plan;
use super::scanned::LayerScan;
use super::stream::{Promise, Shared};
use super::totals::Totals;
use super::wanted::{Again, Selection};
use super::{alias, limits, names};
use crate::analyzer::Analyzers;
use crate::analyzer::tests::NOTHING;
use crate::inventory::{Content, Evidence, Facts, Input, Need, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use crate::model::location::{Layer, Location};
use crate::model::package::{Package, PackageType};

mod cases;
mod watching;

/// `m`: the content is the version of a package `m`.
static FILE: Parser = Parser {
    id: "file",
    version: 1,
    wants: &[Want::Name("m")],
    accepts: None,
    need: Need::Whole(1 << 20),
    evidence: Evidence::Installed,
    database: false,
    parse: |input, facts| parse(input, facts, "m "),
};

/// `db/list`: lines of name and version.
static DATABASE: Parser = Parser {
    id: "database",
    version: 1,
    wants: &[Want::Path("db/list")],
    accepts: None,
    need: Need::Stream,
    evidence: Evidence::Installed,
    database: true,
    parse: |input, facts| parse(input, facts, ""),
};

/// `parts/*`: the same, one file each.
static PARTS: Parser = Parser {
    id: "parts",
    version: 1,
    wants: &[Want::In("parts/")],
    accepts: None,
    need: Need::Stream,
    evidence: Evidence::Installed,
    database: false,
    parse: |input, facts| parse(input, facts, ""),
};

fn parse(input: Input<'_>, facts: &mut Facts, before: &str) -> Result<(), ParseError> {
    let mut text = before.to_owned();
    let read = match input.content {
        Content::Whole(bytes) => {
            text.push_str(&String::from_utf8_lossy(bytes));
            Ok(0)
        }
        Content::Stream(stream) => std::io::Read::read_to_string(stream, &mut text),
    };
    read.map_err(|error| ParseError::new(error.to_string()))?;
    for line in text.lines() {
        if let Some((name, version)) = line.split_once(' ') {
            let package = Package::new(PackageType::DEB, name, version);
            facts.packages.push(package.at(Location::file(input.path)));
        }
    }
    Ok(())
}

pub(super) const ANALYZERS: Analyzers<'static> = Analyzers {
    by_path: |path| match names::split(path) {
        (_, "m") => vec![&FILE],
        ("db", "list") => vec![&DATABASE],
        ("parts", _) => vec![&PARTS],
        _ => Vec::new(),
    },
    readers: || {
        let all: [&'static Parser; 3] = [&FILE, &DATABASE, &PARTS];
        all.map(|parser| (parser as _, parser.wants)).to_vec()
    },
    ..NOTHING
};

#[derive(Clone, Debug)]
enum Op {
    File(String, String),
    Directory(String),
    Symlink(String, String),
    HardLink(String, String),
    Whiteout(String),
    Opaque(String),
}

fn tar(ops: &[Op]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for op in ops {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(0);
        let mut link = |kind, path: &str, target: &str| {
            header.set_entry_type(kind);
            builder.append_link(&mut header, path, target).unwrap();
        };
        match op {
            Op::Symlink(path, target) => link(tar::EntryType::Symlink, path, target),
            Op::HardLink(path, target) => link(tar::EntryType::Link, path, target),
            Op::File(path, content) => {
                header.set_size(content.len() as u64);
                builder
                    .append_data(&mut header, path, content.as_bytes())
                    .unwrap();
            }
            Op::Directory(path) => {
                header.set_entry_type(tar::EntryType::Directory);
                builder
                    .append_data(&mut header, path, std::io::empty())
                    .unwrap();
            }
            Op::Whiteout(path) => {
                let (directory, name) = names::split(path);
                let path = names::join(directory, &format!(".wh.{name}"));
                builder
                    .append_data(&mut header, path, std::io::empty())
                    .unwrap();
            }
            Op::Opaque(path) => {
                let path = names::join(path, ".wh..wh..opq");
                builder
                    .append_data(&mut header, path, std::io::empty())
                    .unwrap();
            }
        }
    }
    builder.into_inner().unwrap()
}

fn scan(tar: &[u8], selection: &Selection) -> LayerScan {
    layer::scan(tar, Promise::default(), &shared(), &ANALYZERS, selection).unwrap()
}

fn shared() -> Shared {
    Shared {
        cores: Arc::new(Cores::new(1, 1)),
        totals: Arc::new(Totals::new(Budget::default(), 1 << 30)),
    }
}

/// Path, name, version and layer of every package, and the gaps.
type Shown = (BTreeSet<(String, String, String, u32)>, Vec<GapKind>);

fn show(layers: &[Vec<Op>]) -> Shown {
    let tars: Vec<Vec<u8>> = layers.iter().map(|ops| tar(ops)).collect();
    let scans: Vec<LayerScan> = tars
        .iter()
        .map(|tar| scan(tar, &Selection::Installed))
        .collect();
    // A layer is a value: it survives a cache.
    let stored = serde_json::to_string(&scans).unwrap();
    assert_eq!(
        serde_json::from_str::<Vec<LayerScan>>(&stored).unwrap(),
        scans
    );
    let refs: Vec<&LayerScan> = scans.iter().collect();
    let places: Vec<Arc<Layer>> = (0..)
        .take(scans.len())
        .map(|index| {
            Arc::new(Layer {
                index,
                digest: "".into(),
                diff_id: "".into(),
            })
        })
        .collect();
    let read_again = |plan: BTreeMap<usize, Again>| {
        let mut found: Vec<merge::Visible> = Vec::new();
        for (layer, again) in plan {
            let again = scan(&tars[layer], &Selection::Again(again));
            found.extend(again.files.into_iter().map(|file| (layer, file)));
        }
        found
    };
    let (through, followed) = alias::through(&refs, &ANALYZERS);
    assert!(followed);
    let complete = merge::with_written(&refs, read_again(alias::readings(&through)));
    let refs: Vec<&LayerScan> = (0..)
        .zip(&scans)
        .map(|(number, scan)| complete.get(&number).unwrap_or(scan))
        .collect();
    let plan = plan(&refs, &ANALYZERS, &through);
    let found = read_again(plan.layers);
    let merged = merge(&refs, &places, &found, &through);
    let mut shown = BTreeSet::new();
    for (path, facts) in merged.files {
        for package in facts.packages {
            let location = &package.locations[0];
            assert_eq!(location.path, path);
            let layer = location.layer.as_ref().unwrap().index;
            let (name, version) = (package.name.to_string(), package.version.to_string());
            shown.insert((path.to_string(), name, version, layer));
        }
    }
    let gaps = plan.gaps.into_iter().chain(merged.gaps);
    (shown, gaps.map(|gap| gap.kind).collect())
}

fn file(path: &str, content: &str) -> Op {
    Op::File(path.into(), content.into())
}

fn symlink(path: &str, target: &str) -> Op {
    Op::Symlink(path.into(), target.into())
}

fn hard_link(path: &str, target: &str) -> Op {
    Op::HardLink(path.into(), target.into())
}

fn package(path: &str, name: &str, version: &str, layer: u32) -> (String, String, String, u32) {
    (path.into(), name.into(), version.into(), layer)
}

/// A file system in memory.
enum Node {
    Directory(BTreeMap<String, Self>),
    File(String, u32),
    Symlink(String),
}

struct Model(Node);

impl Model {
    /// Path without symbolic links; the last component is not followed.
    fn real(&self, path: &str) -> String {
        let mut done: Vec<String> = Vec::new();
        let mut rest: Vec<String> = path.rsplit('/').map(ToOwned::to_owned).collect();
        while let Some(name) = rest.pop() {
            done.push(name);
            if let Some(Node::Symlink(target)) = self.get(&done)
                && !rest.is_empty()
            {
                done.clear();
                rest.extend(target.rsplit('/').map(ToOwned::to_owned));
            }
        }
        done.join("/")
    }

    fn get(&self, path: &[String]) -> Option<&Node> {
        path.iter().try_fold(&self.0, |node, name| match node {
            Node::Directory(children) => children.get(name),
            _ => None,
        })
    }

    /// The children of a directory, made where it is not there.
    fn directory(&mut self, path: &str) -> &mut BTreeMap<String, Node> {
        let mut node = &mut self.0;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            if !matches!(node, Node::Directory(_)) {
                *node = Node::Directory(BTreeMap::new());
            }
            let Node::Directory(children) = node else {
                unreachable!()
            };
            node = children
                .entry(name.to_owned())
                .or_insert_with(|| Node::Directory(BTreeMap::new()));
        }
        if !matches!(node, Node::Directory(_)) {
            *node = Node::Directory(BTreeMap::new());
        }
        match node {
            Node::Directory(children) => children,
            _ => unreachable!(),
        }
    }

    fn apply(&mut self, layer: u32, ops: &[Op]) {
        for op in ops {
            match op {
                Op::Whiteout(path) => {
                    let path: Vec<String> = path.split('/').map(ToOwned::to_owned).collect();
                    if self.get(&path).is_some() {
                        let (directory, name) =
                            (path[..path.len() - 1].join("/"), &path[path.len() - 1]);
                        self.directory(&directory).remove(name);
                    }
                }
                Op::Opaque(path) => self.directory(path).clear(),
                _ => {}
            }
        }
        for op in ops {
            let (path, node) = match op {
                Op::File(path, content) => (path, Node::File(content.clone(), layer)),
                Op::Symlink(path, target) => (path, Node::Symlink(target.clone())),
                Op::Directory(path) => (path, Node::Directory(BTreeMap::new())),
                Op::Whiteout(_) | Op::Opaque(_) | Op::HardLink(..) => continue,
            };
            let real = self.real(path);
            let (directory, name) = names::split(&real);
            let children = self.directory(directory);
            let both = matches!(
                (&node, children.get(name)),
                (Node::Directory(_), Some(Node::Directory(_)))
            );
            if !both {
                children.insert(name.to_owned(), node);
            }
        }
    }

    fn show(node: &Node, path: &str, all: &mut BTreeSet<(String, String, String, u32)>) {
        match node {
            Node::Directory(children) => {
                for (name, child) in children {
                    Self::show(child, &names::join(path, name), all);
                }
            }
            Node::File(version, layer) if names::split(path).1 == "m" => {
                all.insert(package(path, "m", version, *layer));
            }
            _ => {}
        }
    }
}

/// Members that go through no symbolic link.
fn plain_layer() -> impl Strategy<Value = Vec<Op>> {
    let directory = prop::sample::select(vec!["a", "b", "a/a", "a/b", "a/b/a"]);
    let wanted = prop::sample::select(vec!["m", "a/m", "b/m", "a/b/m", "a/b/a/m"]);
    let any = prop::sample::select(vec![
        "m", "a", "b", "x", "a/m", "a/b", "a/x", "b/m", "a/b/m", "a/b/a", "a/b/a/m", "s",
    ]);
    let op = prop_oneof![
        4 => (wanted, 0..1000_u32).prop_map(|(path, version)| file(path, &version.to_string())),
        2 => any.clone().prop_map(|path| file(path, "0")),
        2 => directory.clone().prop_map(|path| Op::Directory(path.into())),
        1 => any.clone().prop_map(|path| Op::Directory(path.into())),
        1 => any.clone().prop_map(|path| symlink(path, "nowhere")),
        2 => any.prop_map(|path| Op::Whiteout(path.into())),
        1 => directory.prop_map(|path| Op::Opaque(path.into())),
    ];
    // A symbolic link in the way of a later member is the business of the other strategy.
    prop::collection::vec(op, 0..8).prop_filter("no member through a link", |ops| {
        !ops.iter().any(|op| matches!(op, Op::Symlink(link, _) if link != "s" && link != "x" && names::split(link).1 != "m"))
    })
}

/// A file that may go through a symbolic link of this layer or a lower one.
fn through_layer() -> impl Strategy<Value = Vec<Op>> {
    let target = prop::sample::select(vec!["a", "b", "a/b", "q"]);
    let path = prop::sample::select(vec!["s/m", "s/a/m", "a/b/m", "q/m"]);
    (prop::option::of(target), path, 0..1000_u32).prop_map(|(target, path, version)| {
        let link = target.map(|target| symlink("s", target));
        let through = file(path, &version.to_string());
        link.into_iter().chain([through]).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn merging_equals_unpacking(
        layers in prop::collection::vec(prop_oneof![3 => plain_layer(), 1 => through_layer()], 1..6)
    ) {
        // `s` in a plain layer is a file or leads nowhere, so that nothing is behind it.
        let mut model = Model(Node::Directory(BTreeMap::new()));
        for (number, ops) in (0..).zip(&layers) {
            model.apply(number, ops);
        }
        let mut expected = BTreeSet::new();
        Model::show(&model.0, "", &mut expected);
        prop_assert_eq!(show(&layers).0, expected);
    }

    #[test]
    fn no_tar_makes_it_panic(
        ops in plain_layer(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let mut bytes = tar(&ops);
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = layer::scan(&bytes[..], Promise::default(), &shared(), &ANALYZERS, &Selection::Installed);
    }
}
