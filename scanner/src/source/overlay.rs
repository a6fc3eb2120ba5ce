//! What is left of the layers below when the next one is laid over them: a tree of the wanted
//! files and the links only, with symbolic links resolved inside the root of the image.
//!
//! It is no root file system: of other files it knows nothing. That they replace or hide a
//! wanted file is known from the hashes of their paths. What a layer writes through a symbolic link
//! to a directory has the hash of another path, and is read again first ([`super::alias`]).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::limits;
use super::names::{self, PathHash};
use super::scanned::{LayerScan, ScannedFile};

/// A symbolic link circle, or one that is too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Circle;

/// Copies of one file, from the lowest visible layer to the one that wrote it last.
pub(super) type Copies<'a> = Vec<(usize, &'a ScannedFile)>;

/// What is at a path.
pub(super) enum NodeKind<'a> {
    Directory,
    File(Copies<'a>),
    Symlink(&'a str),
    /// Target, and the layer of the link.
    HardLink(&'a str, usize),
}

struct Node<'a> {
    parent: usize,
    name: Arc<str>,
    hash: PathHash,
    children: BTreeMap<Arc<str>, usize>,
    kind: NodeKind<'a>,
}

/// See the module.
pub(super) struct Tree<'a> {
    nodes: Vec<Node<'a>>,
    /// Nodes of removed subtrees, to be used again.
    free: Vec<usize>,
    index: BTreeMap<PathHash, usize>,
    steps: u64,
    /// Whether a limit was reached.
    pub(super) full: bool,
}

const ROOT: usize = 0;

impl<'a> Tree<'a> {
    /// Lays the layers one over the other.
    pub(super) fn build(layers: &[&'a LayerScan]) -> Self {
        let mut tree = Self::empty();
        for (number, layer) in layers.iter().enumerate() {
            tree.apply(number, layer);
        }
        tree
    }

    /// No layer.
    pub(super) fn empty() -> Self {
        Self {
            nodes: vec![Node {
                parent: ROOT,
                name: "".into(),
                hash: names::ROOT,
                children: BTreeMap::new(),
                kind: NodeKind::Directory,
            }],
            free: Vec::new(),
            index: BTreeMap::new(),
            steps: 0,
            full: false,
        }
    }

    /// Lays a layer over those below it.
    pub(super) fn apply(&mut self, number: usize, layer: &'a LayerScan) {
        for directory in &layer.opaque {
            let path = self.real(directory);
            if let Some(node) = self.find(&path) {
                let children: Vec<usize> = self.node(node).children.values().copied().collect();
                for child in children {
                    self.remove(child);
                }
            }
        }
        for path in &layer.whiteouts {
            let path = self.real_parent(path);
            if let Some(node) = self.find(&path) {
                self.remove(node);
            }
        }
        // A file that is written again keeps its earlier copies, until it is known that this
        // layer's is not one that anybody wants.
        let mut stale = Vec::new();
        for node in self.matching(&layer.non_directories) {
            if matches!(self.node(node).kind, NodeKind::File(_)) {
                stale.push(node);
            } else {
                self.remove(node);
            }
        }
        for node in self.matching(&layer.directories) {
            if !matches!(self.node(node).kind, NodeKind::Directory) {
                self.remove(node);
            }
        }
        for node in self.matching(&layer.implied) {
            if matches!(
                self.node(node).kind,
                NodeKind::File(_) | NodeKind::HardLink(..)
            ) {
                self.remove(node);
            }
        }
        // Hard links last: one to a symbolic link is another symbolic link.
        for hard in [false, true] {
            for link in layer.links.iter().filter(|link| link.hard == hard) {
                let path = self.real_parent(&link.path);
                let symlink = match self.get(&link.target) {
                    _ if !hard => Some(&*link.target),
                    Some(NodeKind::Symlink(target)) => Some(*target),
                    _ => None,
                };
                if let Some(node) = self.insert(&path) {
                    self.clear(node);
                    self.node_mut(node).kind = match symlink {
                        Some(target) => NodeKind::Symlink(target),
                        None => NodeKind::HardLink(&link.target, number),
                    };
                }
            }
        }
        for file in &layer.files {
            let path = self.real_parent(&file.path);
            let Some(node) = self.insert(&path) else {
                continue;
            };
            if let NodeKind::File(copies) = &mut self.node_mut(node).kind {
                copies.push((number, file));
            } else {
                self.clear(node);
                self.node_mut(node).kind = NodeKind::File(vec![(number, file)]);
            }
        }
        for node in stale {
            let last = match &self.node(node).kind {
                NodeKind::File(copies) => copies.last().map(|(layer, _)| *layer),
                _ => None,
            };
            if last.is_some_and(|last| last != number) {
                self.remove(node);
            }
        }
    }

    /// The nodes whose hash is in a sorted set.
    fn matching(&self, set: &[PathHash]) -> Vec<usize> {
        if set.len() < self.index.len() {
            set.iter()
                .filter_map(|hash| self.index.get(hash).copied())
                .collect()
        } else {
            self.index
                .iter()
                .filter(|(hash, _)| set.binary_search(hash).is_ok())
                .map(|(_, node)| *node)
                .collect()
        }
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "node numbers come from this arena only"
    )]
    fn node(&self, node: usize) -> &Node<'a> {
        &self.nodes[node]
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "node numbers come from this arena only"
    )]
    fn node_mut(&mut self, node: usize) -> &mut Node<'a> {
        &mut self.nodes[node]
    }

    fn find(&self, path: &str) -> Option<usize> {
        let mut node = ROOT;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            node = *self.node(node).children.get(name)?;
        }
        Some(node)
    }

    /// What is at a path; links are not followed.
    pub(super) fn get(&self, path: &str) -> Option<&NodeKind<'a>> {
        self.find(path).map(|node| &self.node(node).kind)
    }

    /// The node at a path, made if it is not there; a file or link above it becomes a directory.
    fn insert(&mut self, path: &str) -> Option<usize> {
        let mut node = ROOT;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            if !matches!(self.node(node).kind, NodeKind::Directory) {
                self.node_mut(node).kind = NodeKind::Directory;
            }
            node = match self.node(node).children.get(name) {
                Some(child) => *child,
                None => self.add(node, name)?,
            };
        }
        (node != ROOT).then_some(node)
    }

    fn add(&mut self, parent: usize, name: &str) -> Option<usize> {
        let fresh = Node {
            parent,
            name: name.into(),
            hash: names::child(self.node(parent).hash, name),
            children: BTreeMap::new(),
            kind: NodeKind::Directory,
        };
        let (name, hash) = (Arc::clone(&fresh.name), fresh.hash);
        let node = if let Some(node) = self.free.pop() {
            *self.node_mut(node) = fresh;
            node
        } else {
            if self.nodes.len() >= limits::TREE_NODES {
                self.full = true;
                return None;
            }
            self.nodes.push(fresh);
            self.nodes.len().saturating_sub(1)
        };
        self.index.insert(hash, node);
        self.node_mut(parent).children.insert(name, node);
        Some(node)
    }

    /// Removes a node and all below. One that is gone already, because something above it was
    /// removed, is left alone.
    fn remove(&mut self, node: usize) {
        if node == ROOT || self.index.get(&self.node(node).hash) != Some(&node) {
            return;
        }
        let (parent, name) = (self.node(node).parent, Arc::clone(&self.node(node).name));
        self.node_mut(parent).children.remove(&name);
        self.clear(node);
        let hash = self.node(node).hash;
        self.index.remove(&hash);
        self.free.push(node);
    }

    /// Removes all below a node.
    fn clear(&mut self, node: usize) {
        let mut below: Vec<usize> = std::mem::take(&mut self.node_mut(node).children)
            .into_values()
            .collect();
        while let Some(node) = below.pop() {
            below.extend(std::mem::take(&mut self.node_mut(node).children).into_values());
            let hash = self.node(node).hash;
            self.index.remove(&hash);
            self.node_mut(node).kind = NodeKind::Directory;
            self.free.push(node);
        }
    }

    /// The path with symbolic links followed in its directories, or as it is where they run in
    /// circles.
    fn real_parent(&mut self, path: &str) -> String {
        let (directory, name) = names::split(path);
        names::join(&self.real(directory), name)
    }

    fn real(&mut self, path: &str) -> String {
        self.resolve(path).unwrap_or_else(|Circle| path.to_owned())
    }

    /// Follows symbolic links, inside the root: `..` at the root stays there, and an absolute
    /// target starts there, as in a container.
    pub(super) fn resolve(&mut self, path: &str) -> Result<String, Circle> {
        let mut hops = 0;
        // Components still to walk, the next one last.
        let mut rest: Vec<&str> = path.rsplit('/').collect();
        let mut walked: Vec<(&str, Option<usize>)> = Vec::new();
        while let Some(name) = rest.pop() {
            self.steps = self.steps.saturating_add(1);
            if self.steps > limits::RESOLVE_STEPS {
                self.full = true;
                return Err(Circle);
            }
            match name {
                "" | "." => continue,
                ".." => {
                    walked.pop();
                    continue;
                }
                _ => {}
            }
            let directory = walked.last().map_or(Some(ROOT), |(_, node)| *node);
            let node = directory.and_then(|node| self.node(node).children.get(name).copied());
            if let Some(NodeKind::Symlink(target)) = node.map(|node| &self.node(node).kind) {
                let target: &'a str = target;
                hops += 1;
                if hops > limits::SYMLINK_HOPS {
                    return Err(Circle);
                }
                if target.starts_with('/') {
                    walked.clear();
                }
                rest.extend(target.rsplit('/'));
            } else {
                walked.push((name, node));
            }
        }
        let names: Vec<&str> = walked.into_iter().map(|(name, _)| name).collect();
        Ok(names.join("/"))
    }

    /// The symbolic links below a directory, none once the limit is reached.
    pub(super) fn symlinks_below(&mut self, path: &str) -> Vec<String> {
        let mut links = Vec::new();
        let mut open: Vec<(usize, String)> = self
            .find(path)
            .map(|node| (node, path.to_owned()))
            .into_iter()
            .collect();
        while let Some((node, path)) = open.pop() {
            self.steps = self.steps.saturating_add(1);
            if self.steps > limits::RESOLVE_STEPS {
                self.full = true;
                return Vec::new();
            }
            let node = self.node(node);
            if let NodeKind::Symlink(_) = node.kind {
                links.push(path);
                continue;
            }
            for (name, child) in &node.children {
                open.push((*child, names::join(&path, name)));
            }
        }
        links.sort();
        links
    }

    /// All files and links with their paths, sorted by path.
    pub(super) fn entries(&self) -> Vec<(String, &NodeKind<'a>)> {
        let mut entries = Vec::new();
        let mut open = vec![(ROOT, String::new())];
        while let Some((node, path)) = open.pop() {
            let node = self.node(node);
            if matches!(node.kind, NodeKind::Directory) {
                for (name, child) in &node.children {
                    open.push((*child, names::join(&path, name)));
                }
            } else {
                entries.push((path, &node.kind));
            }
        }
        entries.sort_by(|(left, _), (right, _)| left.cmp(right));
        entries
    }
}
