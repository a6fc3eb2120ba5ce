//! The rules that ship with the binary behave as their own files say.

use std::path::Path;

use rules::Severity;
use rules::language::Ruleset;

use crate::providers;

#[test]
fn every_example_of_every_rule_behaves() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut errors = Vec::new();
    let mut count = 0;
    for folder in providers() {
        let (rules, wrong) = rules::pack::test(&Ruleset::default(), &root.join(folder));
        count += rules;
        errors.extend(wrong.iter().map(ToString::to_string));
    }
    assert!(errors.is_empty(), "{}", errors.join("\n"));
    assert_eq!(count, Ruleset::embedded().metadata().len());
}

/// Rules about one problem, whatever the provider; see the severity scale in `rules/README.md`.
const SAME_PROBLEM: &[(Severity, &[&str])] = &[
    (
        Severity::High,
        &[
            "aws-ec2-ssh-open-to-world",
            "azure-network-rdp-open-to-world",
            "azure-network-ssh-open-to-world",
            "google-compute-rdp-open-to-world",
            "google-compute-ssh-open-to-world",
        ],
    ),
    (
        Severity::Critical,
        &[
            "aws-eks-endpoint-open-to-world",
            "aws-eks-public-endpoint",
            "azure-container-api-open-to-world",
            "google-gke-control-plane-open",
            "google-gke-no-authorized-networks",
        ],
    ),
    (
        Severity::High,
        &[
            "aws-apigateway-old-tls",
            "aws-cloudfront-old-tls",
            "aws-elasticsearch-old-tls",
            "aws-elb-old-tls",
            "azure-appservice-old-tls",
            "azure-storage-old-tls",
            "google-compute-old-tls",
        ],
    ),
    (
        Severity::Critical,
        &[
            "aws-cloudfront-plain-http",
            "aws-elasticsearch-plain-http",
            "aws-elb-plain-http",
            "azure-appservice-plain-http",
            "azure-storage-plain-http",
        ],
    ),
    (
        Severity::Critical,
        &[
            "aws-ec2-all-egress",
            "azure-network-all-egress",
            "google-compute-all-egress",
        ],
    ),
    (
        Severity::Critical,
        &["azure-network-all-ingress", "google-compute-all-ingress"],
    ),
    (
        Severity::High,
        &[
            "aws-s3-public-acl",
            "azure-storage-container-public",
            "google-storage-bucket-public",
        ],
    ),
    (
        Severity::High,
        &[
            "aws-rds-public",
            "azure-database-firewall-open",
            "google-sql-public-network",
        ],
    ),
    (
        Severity::High,
        &["aws-ec2-public-ip", "google-compute-public-ip"],
    ),
    (
        Severity::Medium,
        &["aws-kms-no-rotation", "google-kms-slow-rotation"],
    ),
];

#[test]
fn one_problem_has_one_severity() {
    let rules = Ruleset::embedded();
    for (severity, ids) in SAME_PROBLEM {
        for id in *ids {
            let rule = rules.find(id).unwrap_or_else(|| panic!("no rule {id}"));
            assert_eq!(rule.severity, *severity, "{id}");
        }
    }
}
