//! Prints what a build and look-ups cost: `measure build OUT OSV… [--rustsec DIR]`,
//! `measure sync OUT FROM`, `measure ask DB QUESTIONS [all] [again]`, where each line of
//! QUESTIONS is `ecosystem TAB name TAB version`; `all` reads every field of every match and
//! `again` asks three times, `measure texts DB IDS`, where each line of IDS is a record's id.
#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a measuring tool"
)]

use db_sync::{BuildRequest, Db, Query, build};
use std::path::PathBuf;
use std::time::Instant;

/// A figure of `/proc/self/status` in kB.
fn status(field: &str) -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(field));
    line.unwrap_or_default()
        .split_whitespace()
        .skip(1)
        .collect::<Vec<_>>()
        .join(" ")
}

fn cpu_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let ticks: f64 = [11, 12]
        .iter()
        .map(|at| fields[*at].parse::<f64>().unwrap_or(0.0))
        .sum();
    ticks * 10.0
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args[0].as_str() {
        "build" => {
            let mut request = BuildRequest {
                output: PathBuf::from(&args[1]),
                ..BuildRequest::default()
            };
            let mut rest = args[2..].iter();
            while let Some(arg) = rest.next() {
                if arg == "--rustsec" {
                    request.rustsec = rest.next().map(PathBuf::from);
                } else {
                    request.osv.push(PathBuf::from(arg));
                }
            }
            let start = Instant::now();
            let report = build(&request).expect("build");
            println!(
                "records {} withdrawn {} size {} wall {:.2} s cpu {:.2} s peak {} digest {}",
                report.info.records,
                report.info.withdrawn,
                report.info.file_size,
                start.elapsed().as_secs_f64(),
                cpu_ms() / 1000.0,
                status("VmHWM"),
                report.info.root_digest,
            );
            println!("warnings {}", report.warnings.len());
            for warning in report.warnings.iter().take(20) {
                println!("  {warning}");
            }
        }
        "sync" => {
            let request = db_sync::sync::SyncRequest {
                from: vec![args[2].clone()],
                output: PathBuf::from(&args[1]),
                ..db_sync::sync::SyncRequest::default()
            };
            let start = Instant::now();
            let report = db_sync::sync::run(&request).expect("sync");
            println!(
                "written {} rebuilt {} records {} wall {:.2} s cpu {:.2} s peak {} digest {}",
                report.written,
                report.rebuilt,
                report.build.info.records,
                start.elapsed().as_secs_f64(),
                cpu_ms() / 1000.0,
                status("VmHWM"),
                report.build.info.root_digest,
            );
        }
        "ask" => {
            let text = std::fs::read_to_string(&args[2]).expect("questions");
            let questions: Vec<Vec<&str>> = text
                .lines()
                .map(|line| line.split('\t').collect())
                .collect();
            let all = args.iter().any(|word| word == "all");
            let rounds = if args.iter().any(|word| word == "again") {
                3
            } else {
                1
            };
            println!("before: rss {}", status("VmRSS"));
            let start = Instant::now();
            let db = Db::open(&args[1]).expect("open");
            println!("open {:.3} ms", start.elapsed().as_secs_f64() * 1000.0);
            for round in 0..rounds {
                let (mut matches, mut undecided, mut hits) = (0, 0, 0);
                let start = Instant::now();
                let before = cpu_ms();
                let mut first = 0.0;
                for (number, question) in questions.iter().enumerate() {
                    let query = Query {
                        ecosystem: question[0],
                        name: question[1],
                        version: Some(question[2]),
                        ..Query::default()
                    };
                    let outcome = db.query(&query).expect("answer");
                    matches += outcome.matches.len();
                    if all {
                        for found in &outcome.matches {
                            std::hint::black_box((
                                found.merged(),
                                found.summary().expect("summary"),
                                found.informational().expect("kind"),
                                found.aliases().expect("aliases"),
                                found.ratings().expect("ratings"),
                                found.scope().expect("scope"),
                                found.sources().expect("sources"),
                                found.url(),
                            ));
                        }
                    }
                    undecided += outcome.undecided.len();
                    hits += usize::from(!outcome.matches.is_empty());
                    if number == 0 {
                        first = start.elapsed().as_secs_f64() * 1000.0;
                    }
                }
                println!(
                    "round {round}: {} questions, first {first:.3} ms, all {:.2} ms wall {:.0} ms cpu, {hits} with matches, {matches} matches, {undecided} undecided, rss {} peak {}",
                    questions.len(),
                    start.elapsed().as_secs_f64() * 1000.0,
                    cpu_ms() - before,
                    status("VmRSS"),
                    status("VmHWM"),
                );
            }
        }
        "texts" => {
            let ids = std::fs::read_to_string(&args[2]).expect("ids");
            let db = Db::open(&args[1]).expect("open");
            let start = Instant::now();
            let before = cpu_ms();
            let mut bytes = 0;
            for id in ids.lines() {
                let found = db.advisory(id).expect("readable").expect("known");
                bytes += found.details.len();
            }
            println!(
                "{} records, {bytes} bytes of text, {:.2} ms wall {:.0} ms cpu, peak {}",
                ids.lines().count(),
                start.elapsed().as_secs_f64() * 1000.0,
                cpu_ms() - before,
                status("VmHWM"),
            );
        }
        _ => println!("measure build|sync|ask|texts"),
    }
}
