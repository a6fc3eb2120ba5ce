//! What sees all bytes sees those of every layer, hidden ones too, beside the inventory.

use std::sync::atomic::Ordering;

use super::*;
use crate::analyzer::Watcher;
use crate::analyzer::tests::Counter;

fn read(tars: &[Vec<u8>], analyzers: &Analyzers<'_>) -> Vec<LayerScan> {
    let scans = tars.iter().map(|tar| {
        let selection = Selection::Installed;
        layer::scan(
            &tar[..],
            Promise::default(),
            &shared(),
            analyzers,
            &selection,
        )
        .unwrap()
    });
    scans.collect()
}

/// A long file, so that it comes in several pieces.
fn long(byte: char, length: usize) -> String {
    byte.to_string().repeat(length)
}

#[test]
fn every_byte_of_every_layer_is_seen_once() {
    let layers = [
        vec![
            file("db/list", "a 1\n"),
            file("secret", "not for you"),
            file("twice", &long('x', 700_000)),
            file("twice", "again"),
            file("program", &long('p', 1_000_000)),
            symlink("link", "secret"),
            Op::Directory("d".into()),
        ],
        vec![
            Op::Whiteout("secret".into()),
            file("db/list", "a 1\nb 2\n"),
            file("d/m", "3"),
            file("empty", ""),
        ],
        vec![Op::Opaque("d".into()), file("other", "last")],
    ];
    let tars: Vec<Vec<u8>> = layers.iter().map(|ops| tar(ops)).collect();
    let counter = Counter::default();
    let watchers: [&dyn Watcher; 1] = [&counter];
    let scans = read(&tars, &ANALYZERS.with(&watchers));
    let content = |op: &Op| match op {
        Op::File(_, content) => Some(content.len() as u64),
        _ => None,
    };
    let sizes: Vec<u64> = layers.iter().flatten().filter_map(content).collect();
    assert_eq!(
        counter.bytes.load(Ordering::Relaxed),
        sizes.iter().sum::<u64>()
    );
    assert_eq!(counter.files.load(Ordering::Relaxed), sizes.len() as u64);

    // What was said is part of the facts of a layer, which survive a cache.
    let stored = serde_json::to_string(&scans).unwrap();
    let kept: Vec<LayerScan> = serde_json::from_str(&stored).unwrap();
    assert_eq!(kept, scans);
    let places: Vec<Arc<Layer>> = (0..3)
        .map(|index| {
            Arc::new(Layer {
                index,
                digest: "".into(),
                diff_id: "".into(),
            })
        })
        .collect();
    let merged = |scans: &[LayerScan]| {
        let refs: Vec<&LayerScan> = scans.iter().collect();
        merge(&refs, &places, &[], &BTreeMap::new())
    };
    let shown = merged(&kept);
    let hidden: Vec<_> = shown
        .hidden
        .iter()
        .map(|hidden| {
            let version = hidden.reading.facts.packages[0].version.to_string();
            (hidden.layer.index, hidden.path.to_string(), version)
        })
        .collect();
    let of = |layer, path: &str, bytes: &str| (layer, path.to_owned(), bytes.to_owned());
    assert_eq!(
        hidden,
        [
            of(0, "db/list", "4"),
            of(0, "secret", "11"),
            of(0, "twice", "700000"),
            of(1, "d/m", "1"),
        ]
    );

    // The inventory is the one without a watcher.
    let plain = merged(&read(&tars, &ANALYZERS));
    assert!(plain.hidden.is_empty());
    let inventory = |files: &[(Arc<str>, Facts)]| -> Vec<String> {
        let packages = files.iter().flat_map(|(_, facts)| &facts.packages);
        let others = packages.filter(|package| &*package.name != "bytes");
        others.map(|package| format!("{package:?}")).collect()
    };
    assert_eq!(inventory(&shown.files), inventory(&plain.files));
    assert_eq!(inventory(&plain.files).len(), 2);
}
