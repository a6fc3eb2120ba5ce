//! What ends an evaluation that would not end.

use super::*;

#[test]
fn limits_end_long_chains() {
    // The first name in order needs all others.
    let mut chain = String::from("locals {\n  v5000 = 1\n");
    for number in 0..5_000 {
        let next = number + 1;
        writeln!(chain, "  v{number:04} = (local.v{next:04})").unwrap();
    }
    chain.push_str("}\n");
    ends_with(ProblemKind::Limit, &[("main.tf", &chain)]);
}

#[test]
fn limits_end_values_that_double() {
    let mut doubled = String::from("locals {\n  v0 = [1]\n  t0 = \"0123456789\"\n");
    for number in 1..100 {
        let last = number - 1;
        writeln!(doubled, "  v{number} = [local.v{last}, local.v{last}]").unwrap();
        writeln!(
            doubled,
            "  t{number} = \"${{local.t{last}}}${{local.t{last}}}\""
        )
        .unwrap();
    }
    doubled.push_str("}\nresource \"a_b\" \"c\" {\n  x = jsonencode(local.v99)\n}\n");
    ends_with(ProblemKind::Limit, &[("main.tf", &doubled)]);
}

#[test]
fn limits_end_modules_that_multiply() {
    let calls = "module \"a\" {\n  source = \"../NEXT\"\n  count = 100\n}\nmodule \"b\" {\n  source = \"../NEXT\"\n}\n";
    let modules: Vec<(String, String)> = (0..20)
        .map(|level| {
            (
                format!("m{level}/main.tf"),
                calls.replace("NEXT", &format!("m{}", level + 1)),
            )
        })
        .chain([(
            "m20/main.tf".to_owned(),
            "resource \"a_b\" \"c\" {}\n".to_owned(),
        )])
        .collect();
    let modules: Vec<(&str, &str)> = modules
        .iter()
        .map(|(path, text)| (&**path, &**text))
        .collect();
    ends_with(ProblemKind::Limit, &modules);
}

#[test]
fn limits_end_many_instances() {
    let many = "resource \"a_b\" \"NAME\" {\n  count = 10000\n}\n";
    let many: String = (0..12)
        .map(|number| many.replace("NAME", &format!("r{number}")))
        .collect();
    let evaluation = ends_with(ProblemKind::Limit, &[("main.tf", &many)]);
    // Two blocks are repeated; of each other, one instance stands for all.
    let resources = &evaluation.stacks[0].resources;
    assert_eq!(resources.len(), rules::terraform::MAX_STACK_INSTANCES + 10);
    let uncertain = resources.iter().filter(|one| one.uncertain.is_some());
    assert_eq!(uncertain.count(), 10);
}

#[test]
fn limits_end_many_and_large_files() {
    let large = format!("#{}", "x".repeat(rules::terraform::MAX_FILE_BYTES));
    ends_with(ProblemKind::Limit, &[("main.tf", &large)]);
    let nested = "moved {\n}\n".repeat(rules::terraform::MAX_BLOCKS / 4);
    let paths: Vec<String> = (0..6).map(|number| format!("{number}.tf")).collect();
    let files: Vec<(&str, &str)> = paths.iter().map(|path| (&**path, &*nested)).collect();
    let evaluation = ends_with(ProblemKind::Limit, &files);
    assert_eq!(evaluation.problems.len(), 1);
}

#[test]
fn limits_end_many_loops() {
    let mut loops = "locals {\n".to_owned();
    for number in 0..60 {
        writeln!(loops, "  x{number} = [for a in range(400) : range(500)]").unwrap();
    }
    loops.push_str("}\n");
    ends_with(ProblemKind::Limit, &[("main.tf", &loops)]);
}

#[test]
fn wide_objects_take_no_quadratic_time() {
    let mut wide = "locals {\n  x = {\n".to_owned();
    for key in 0..60_000 {
        writeln!(wide, "    k{key} = {key}").unwrap();
    }
    wide.push_str("  }\n}\n");
    let start = Instant::now();
    let evaluation = Memory::new(&[("main.tf", &wide)]).evaluate(&Options::default());
    assert!(kinds(&evaluation).contains(&ProblemKind::Limit));
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn limits_end_blocks_within_blocks() {
    let text = "resource \"a_b\" \"c\" {\n  dynamic \"x\" {\n    for_each = range(1000)\n    content {\n      dynamic \"y\" {\n        for_each = range(1000)\n        content {\n          dynamic \"z\" {\n            for_each = range(1000)\n            content {\n              c = 1\n            }\n          }\n        }\n      }\n    }\n  }\n}\n";
    let evaluation = ends_with(ProblemKind::Limit, &[("main.tf", text)]);
    assert!(evaluation.problems.iter().any(|one| one.whole));
}

#[test]
fn limits_end_the_run_and_not_each_root() {
    let mut loops = String::new();
    for number in 0..200 {
        writeln!(
            loops,
            "  x{number} = [for a in range(300) : [for b in range(60) : b]]"
        )
        .unwrap();
    }
    let text = format!("locals {{\n{loops}}}\n{RESOURCE}");
    let paths: Vec<String> = (0..40).map(|number| format!("r{number}/main.tf")).collect();
    let files: Vec<(&str, &str)> = paths.iter().map(|path| (&**path, &*text)).collect();
    let evaluation = ends_with(ProblemKind::Limit, &files);
    assert_eq!(evaluation.coverage.roots, 40);
    let cut = evaluation.problems.iter().filter(|one| one.whole).count();
    assert!(cut >= 20, "{cut}");
}

#[test]
fn work_that_leaves_little_behind_is_paid_for() {
    let big = "x".repeat(3 << 20);
    for expression in [
        "[for i in range(1000) : md5(\"${local.big}${i}\")]",
        "[for i in range(1000) : filemd5(\"big.txt\")]",
        "[for i in range(1000) : length(regexall(\"(a|b)*c\", local.big))]",
        "[for i in range(1000) : replace(local.big, \"/(?:x[xy]{0,300}){1,5}z|${i}/\", \"\")]",
        "[for i in range(1000) : contains([local.big], \"${local.big}y\")]",
        "[for i in range(1000) : length(setproduct(range(1000), range(50)))]",
    ] {
        let main =
            format!("locals {{\n  big = file(\"big.txt\")\n  y = {expression}\n}}\n{RESOURCE}");
        ends_with(ProblemKind::Limit, &[("main.tf", &main), ("big.txt", &big)]);
    }
}

#[test]
fn limits_end_comments_that_are_kept() {
    let evaluate = |count: usize| {
        let text = format!("{}locals {{}}\n", "# note\n".repeat(count));
        let options = Options {
            comment_words: &["note"],
            ..Options::default()
        };
        Memory::new(&[("main.tf", &text)]).evaluate(&options)
    };
    let most = evaluate(MAX_COMMENTS);
    assert_eq!(
        (most.comments.len(), most.problems.len()),
        (MAX_COMMENTS, 0)
    );
    let more = evaluate(MAX_COMMENTS + 1);
    assert_eq!(more.comments.len(), MAX_COMMENTS);
    assert_eq!(kinds(&more), BTreeSet::from([ProblemKind::Limit]));
}
