//! Layers from tar to contents, against a naive model that really lays them over each other, and
//! the cases the model leaves out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;

use super::hashing::Cores;
use super::layer::{self, LayerScan};
use super::limits::Budget;
use super::merge::{self, merge};
use super::plan::plan;
use super::stream::{Promise, Shared};
use super::totals::Totals;
use super::wanted::{Again, Registry, Selection};
use super::{alias, limits, names};
use crate::inventory::{Content, Evidence, Facts, Input, Need, ParseError, Parser, Want};
use crate::model::gap::GapKind;
use crate::model::location::{Layer, Location};
use crate::model::package::{Package, PackageType};

/// `m`: the content is the version of a package `m`.
static FILE: Parser = Parser {
    id: "file",
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
            let package = Package::new(PackageType::Deb, name, version);
            facts.packages.push(package.at(Location::file(input.path)));
        }
    }
    Ok(())
}

pub(super) const REGISTRY: Registry = Registry {
    by_path: |path| match names::split(path) {
        (_, "m") => vec![&FILE],
        ("db", "list") => vec![&DATABASE],
        ("parts", _) => vec![&PARTS],
        _ => Vec::new(),
    },
    magic_length: || 0,
    by_magic: |_| Vec::new(),
    all: || vec![&FILE, &DATABASE, &PARTS],
    recognise: |_| None,
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
    layer::scan(tar, Promise::default(), &shared(), &REGISTRY, selection).unwrap()
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
        let mut found: Vec<merge::Found> = Vec::new();
        for (layer, again) in plan {
            let again = scan(&tars[layer], &Selection::Again(again));
            found.extend(again.files.into_iter().map(|file| (layer, file)));
        }
        found
    };
    let (through, followed) = alias::through(&refs, &REGISTRY);
    assert!(followed);
    let complete = merge::with_written(&refs, read_again(alias::readings(&through)));
    let refs: Vec<&LayerScan> = (0..)
        .zip(&scans)
        .map(|(number, scan)| complete.get(&number).unwrap_or(scan))
        .collect();
    let plan = plan(&refs, &REGISTRY, &through);
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
        let _ = layer::scan(&bytes[..], Promise::default(), &shared(), &REGISTRY, &Selection::Installed);
    }
}

#[test]
fn opaque_hides_lower_layers_only_wherever_it_stands() {
    let lower = vec![file("a/m", "1"), file("a/b/m", "1")];
    let upper = vec![file("a/m", "2"), Op::Opaque("a".into())];
    let expected = BTreeSet::from([package("a/m", "m", "2", 1)]);
    assert_eq!(show(&[lower, upper]), (expected, vec![]));
}

#[test]
fn a_database_names_the_layer_that_brought_each_version() {
    let layers = [
        vec![file("db/list", "one 1\ntwo 1\nback 1\n")],
        vec![file("db/list", "one 1\ntwo 2\n")],
        vec![file("other", "")],
        vec![file("db/list", "one 1\ntwo 2\nback 1\n")],
    ];
    let expected = BTreeSet::from([
        package("db/list", "one", "1", 0),
        package("db/list", "two", "2", 1),
        package("db/list", "back", "1", 3),
    ]);
    assert_eq!(show(&layers), (expected, vec![]));
}

#[test]
fn wanted_links_are_read_where_they_lead() {
    let layers = [
        vec![
            file("real/list", "one 1\n"),
            symlink("db", "/../real"),
            file("store/1", "7"),
            hard_link("a/m", "store/1"),
            symlink("b/m", "../store/2"),
            file("store/2", "8"),
            symlink("parts", "pieces"),
            file("pieces/p", "part 1\n"),
            file("pieces/gone", "gone 1\n"),
        ],
        vec![
            file("real/list", "one 1\ntwo 1\n"),
            Op::Whiteout("pieces/gone".into()),
        ],
    ];
    let expected = BTreeSet::from([
        package("db/list", "one", "1", 0),
        package("db/list", "two", "1", 1),
        package("a/m", "m", "7", 0),
        package("b/m", "m", "8", 0),
        package("parts/p", "part", "1", 0),
    ]);
    assert_eq!(show(&layers), (expected, vec![]));
}

#[test]
fn links_that_lead_nowhere_are_gaps_where_they_matter() {
    let layers = [vec![
        symlink("loop/m", "m"),
        symlink("lost/m", "nothing"),
        symlink("dangling", "nothing"),
        hard_link("self", "self"),
        hard_link("hard", "nothing"),
        hard_link("up", "../../x"),
        symlink("deep0", "deep1"),
    ]];
    let kinds = show(&layers).1;
    assert_eq!(
        kinds.iter().filter(|kind| **kind == GapKind::Link).count(),
        4
    );
    assert_eq!(
        kinds
            .iter()
            .filter(|kind| **kind == GapKind::EscapingPath)
            .count(),
        1
    );
}

#[test]
fn symbolic_links_are_followed_up_to_a_limit() {
    let chain = |length: u32| {
        let mut ops: Vec<Op> = (0..length)
            .map(|n| symlink(&format!("s{n}"), &format!("s{}", n + 1)))
            .collect();
        ops.push(file(&format!("s{length}"), "1"));
        ops.push(symlink("a/m", "../s0"));
        show(&[ops])
    };
    assert_eq!(chain(limits::SYMLINK_HOPS - 1).0.len(), 1);
    assert_eq!(chain(limits::SYMLINK_HOPS).1, [GapKind::Link]);
}

#[test]
fn gaps_of_a_layer_are_counted_beyond_the_limit() {
    let mut ops: Vec<Op> = Vec::new();
    for number in 0..limits::LAYER_GAPS + 5 {
        ops.push(hard_link(&format!("h{number}"), "../x"));
    }
    let scan = scan(&tar(&ops), &Selection::Installed);
    assert_eq!(scan.gaps.len(), limits::LAYER_GAPS + 1);
    assert!(scan.gaps.last().unwrap().cause.starts_with("5 more"));
}

#[test]
fn the_tree_stops_growing_at_its_limit() {
    let deep = "d/".repeat(limits::PATH_BYTES / 2 - 10);
    let links = (0..=limits::TREE_NODES / (limits::PATH_BYTES / 2 - 10))
        .map(|number| super::Link {
            path: format!("{number}/{deep}l").into(),
            target: "x".into(),
            hard: false,
        })
        .collect();
    let scan = LayerScan {
        links,
        ..LayerScan::default()
    };
    assert_eq!(
        plan(&[&scan], &REGISTRY, &BTreeMap::new()).gaps[0].kind,
        GapKind::Limit
    );
}

#[test]
fn a_layer_stops_at_its_limit_of_names() {
    let long = "t".repeat(limits::PATH_BYTES - 1);
    let ops: Vec<Op> = (0..=limits::NAME_BYTES / limits::PATH_BYTES)
        .map(|number| symlink(&format!("l{number}"), &long))
        .collect();
    let scan = scan(&tar(&ops), &Selection::Installed);
    assert!(scan.links.len() < ops.len());
    assert_eq!(scan.gaps[0].kind, GapKind::Limit);
}

#[test]
fn a_directory_has_the_names_of_its_links() {
    // `p` is wanted in `parts` only, and `list` in `db`.
    let layers = [
        vec![
            file("store/p", "part 1\n"),
            symlink("other", "store"),
            symlink("parts", "other"),
            file("deps/one", "one 1\n"),
        ],
        vec![file("store/q", "part 2\n"), Op::Whiteout("store/p".into())],
    ];
    let expected = BTreeSet::from([package("parts/q", "part", "2", 1)]);
    assert_eq!(show(&layers), (expected, vec![]));
}

#[test]
fn what_is_written_through_a_link_lies_where_the_link_leads() {
    let base = |more: &[Op]| {
        let mut ops = vec![
            file("db/list", "one 1\ntwo 1\n"),
            symlink("through", "db"),
            symlink("far/away", "../deep"),
            symlink("deep/inner", "/db"),
        ];
        ops.extend_from_slice(more);
        ops
    };
    let expected = BTreeSet::from([
        package("db/list", "one", "1", 0),
        package("db/list", "two", "2", 1),
    ]);
    for path in ["through/list", "deep/inner/list", "far/away/inner/list"] {
        let layers = [base(&[]), vec![file(path, "one 1\ntwo 2\n")]];
        assert_eq!(show(&layers), (expected.clone(), vec![]), "{path}");
    }
    // In one layer, and over nothing.
    let layers = [vec![symlink("x", "db"), file("x/list", "one 1\n")]];
    let one = BTreeSet::from([package("db/list", "one", "1", 0)]);
    assert_eq!(show(&layers), (one, vec![]));
    // A directory of its own takes the place of the link.
    let layers = [
        base(&[]),
        vec![
            Op::Directory("through".into()),
            file("through/list", "one 1\n"),
        ],
    ];
    assert_eq!(show(&layers).0.len(), 2);
    // Whiteouts go through it, too.
    for hide in [
        Op::Whiteout("through/list".into()),
        Op::Opaque("through".into()),
        Op::Opaque("far/away/inner".into()),
    ] {
        assert_eq!(
            show(&[base(&[]), vec![hide.clone()]]).0.len(),
            0,
            "{hide:?}"
        );
    }
}

#[test]
fn what_was_written_through_a_link_is_found_through_others() {
    let layers = [
        vec![
            file("store/q", "part 2\n"),
            symlink("x", "store"),
            symlink("parts", "store"),
        ],
        vec![file("x/p", "part 1\n")],
    ];
    let expected = BTreeSet::from([
        package("parts/p", "part", "1", 1),
        package("parts/q", "part", "2", 0),
    ]);
    assert_eq!(show(&layers), (expected, vec![]));
    // A single file of which nobody knew that it would be wanted is told.
    let link = vec![symlink("db/list", "../store/p")];
    let layers = [layers[0].clone(), layers[1].clone(), link];
    assert_eq!(show(&layers).1, [GapKind::Link]);
}

#[test]
fn links_to_links_and_dead_ends_above_single_paths() {
    let layers = [vec![
        file("real/7", "7"),
        symlink("a/m", "../real/7"),
        hard_link("b/m", "a/m"),
    ]];
    assert_eq!(
        show(&layers).0,
        BTreeSet::from([package("a/m", "m", "7", 0), package("b/m", "m", "7", 0)])
    );
    for (ops, count) in [
        (vec![symlink("db", "nowhere")], 1),
        (vec![symlink("db", "db2"), symlink("db2", "db")], 1),
        (vec![Op::Directory("db/list".into())], 1),
        (vec![symlink("db", "here"), Op::Directory("here".into())], 0),
    ] {
        let kinds = show(std::slice::from_ref(&ops)).1;
        assert_eq!(kinds, vec![GapKind::Link; count], "{ops:?}");
    }
}

#[test]
fn every_member_is_counted() {
    let mut fifo = ::tar::Header::new_gnu();
    fifo.set_entry_type(::tar::EntryType::Fifo);
    fifo.set_size(0);
    let mut builder = ::tar::Builder::new(Vec::new());
    builder
        .append_data(&mut fifo, "m", std::io::empty())
        .unwrap();
    let ops = [
        Op::Directory("d".into()),
        file("d/m", "1"),
        file("d/other", ""),
        symlink("s", "d"),
        hard_link("h", "d/m"),
        Op::Whiteout("w".into()),
    ];
    let mut bytes = tar(&ops);
    bytes.truncate(bytes.len() - 1024);
    bytes.extend(builder.into_inner().unwrap());
    let scan = scan(&bytes, &Selection::Installed);
    let files = scan.coverage;
    assert!(files.adds_up());
    assert_eq!((files.seen, files.read, files.recognised), (5, 1, 1));
    let skipped: Vec<_> = files.skipped.values().copied().collect();
    assert_eq!(skipped, [2, 1, 1], "links, what nobody wants, a pipe");
    // The pipe stands where a file is wanted.
    assert_eq!(scan.gaps.len(), 1);
    assert_eq!(scan.gaps[0].kind, GapKind::Unreadable);
}
