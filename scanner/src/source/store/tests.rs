//! What reading layers makes of a time that is over.

use super::*;
use crate::analyzer::tests::NOTHING;
use crate::model::gap::GapClass;
use crate::source::limits::Budget;

#[test]
fn a_layer_without_time_is_a_gap_and_nothing_else() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("layer"), [0; 1024]).unwrap();
    let jobs = [Job {
        name: "layer".to_owned(),
        place: "layer 0".to_owned(),
        promise: Promise::default(),
        selection: Selection::Installed,
    }];
    let read = |budget| {
        let store = directory(root.path());
        let (mut scans, _) = store.read_layers(&jobs, &NOTHING, budget, None).unwrap();
        scans.remove(0)
    };
    let whole = read(Budget::default());
    assert!(whole.gaps.is_empty() && whole.diff_id.is_some());
    let late = read(Budget::default().over());
    assert_eq!(late.gaps.len(), 1);
    assert_eq!(late.gaps[0].class, GapClass::Unjudged);
    assert_eq!(
        &*late.gaps[0].cause,
        "the time for the image is over; the layer was not read"
    );
    assert_eq!(late.diff_id, None);
}
