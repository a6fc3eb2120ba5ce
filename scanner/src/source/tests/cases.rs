//! What the model leaves out: links that are followed, limits, and what each member becomes.

use super::*;

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
        .map(|number| crate::source::Link {
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
        plan(&[&scan], &ANALYZERS, &BTreeMap::new()).gaps[0].kind,
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
