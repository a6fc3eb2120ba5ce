//! Infrastructure code and pipelines that other scanners judge and we do not.

use super::{FileKind, Look, Pattern, Places, Role, looking, row};
use crate::inventory::recognised::content;
use Pattern::{Between, Extension, In, Name, Suffix};

const fn code(id: &'static str, phrase: &'static str, patterns: &'static [Pattern]) -> FileKind {
    row(id, phrase, Role::Infrastructure, Places::Tree, patterns)
}

pub(super) static ALL: &[FileKind] = &[
    code(
        "dockerfile",
        "Dockerfile",
        &[
            Name("Dockerfile"),
            Name("dockerfile"),
            Name("DOCKERFILE"),
            Name("Containerfile"),
            Name("containerfile"),
            Between("dockerfile.", ""),
            Between("dockerfile-", ""),
            Between("dockerfile_", ""),
            Between("containerfile.", ""),
            Between("containerfile-", ""),
            Extension("dockerfile"),
            Extension("containerfile"),
        ],
    ),
    code(
        "compose",
        "Compose file",
        &[
            Name("compose.yaml"),
            Name("compose.yml"),
            Between("compose.", ".yaml"),
            Between("compose.", ".yml"),
            Name("docker-compose.yaml"),
            Name("docker-compose.yml"),
            Between("docker-compose", ".yaml"),
            Between("docker-compose", ".yml"),
        ],
    ),
    code(
        "docker-bake",
        "Docker Bake file",
        &[Name("docker-bake.hcl"), Name("docker-bake.json")],
    ),
    code(
        "helm-chart",
        "Helm chart",
        &[Name("Chart.yaml"), Name("Chart.yml")],
    ),
    code(
        "helmfile",
        "Helmfile",
        &[Name("helmfile.yaml"), Name("helmfile.yml")],
    ),
    code(
        "kustomization",
        "Kustomization",
        &[
            Name("kustomization.yaml"),
            Name("kustomization.yml"),
            Name("Kustomization"),
        ],
    ),
    code(
        "serverless",
        "Serverless Framework file",
        &[
            Name("serverless.yml"),
            Name("serverless.yaml"),
            Name("serverless.json"),
        ],
    ),
    code(
        "bicep",
        "Bicep file",
        &[Extension("bicep"), Extension("bicepparam")],
    ),
    code(
        "pulumi",
        "Pulumi project",
        &[
            Name("Pulumi.yaml"),
            Name("Pulumi.yml"),
            Between("Pulumi.", ".yaml"),
        ],
    ),
    code(
        "cdk",
        "CDK application",
        &[Name("cdk.json"), Name("cdktf.json")],
    ),
    code(
        "packer",
        "Packer template",
        &[Between("", ".pkr.hcl"), Between("", ".pkr.json")],
    ),
    code(
        "nomad",
        "Nomad job",
        &[Extension("nomad"), Between("", ".nomad.hcl")],
    ),
    code(
        "github-workflow",
        "GitHub Actions workflow",
        &[
            In(".github/workflows", ".yml"),
            In(".github/workflows", ".yaml"),
            Name("action.yml"),
            Name("action.yaml"),
        ],
    ),
    code(
        "gitlab-ci",
        "GitLab CI pipeline",
        &[
            Name(".gitlab-ci.yml"),
            Name(".gitlab-ci.yaml"),
            Between("", ".gitlab-ci.yml"),
        ],
    ),
    code(
        "azure-pipeline",
        "Azure pipeline",
        &[
            Name("azure-pipelines.yml"),
            Name("azure-pipelines.yaml"),
            Between("azure-pipelines", ".yml"),
        ],
    ),
    code(
        "bitbucket-pipeline",
        "Bitbucket pipeline",
        &[
            Name("bitbucket-pipelines.yml"),
            Name("bitbucket-pipelines.yaml"),
        ],
    ),
    code(
        "circleci",
        "CircleCI pipeline",
        &[
            Suffix(".circleci/config.yml"),
            Suffix(".circleci/config.yaml"),
        ],
    ),
    looking(
        &code(
            "ansible-role",
            "Ansible role",
            &[
                In("tasks", ".yml"),
                In("tasks", ".yaml"),
                In("handlers", ".yml"),
                In("handlers", ".yaml"),
            ],
        ),
        Look::Content(content::list_of_tasks),
    ),
    looking(
        &code(
            "yaml",
            "YAML document",
            &[Extension("yaml"), Extension("yml")],
        ),
        Look::Document,
    ),
    looking(
        &code(
            "json",
            "JSON document",
            &[Extension("json"), Extension("template"), Extension("jsonc")],
        ),
        Look::Document,
    ),
];

/// Kinds that only the content shows.
pub(super) static SNIFFED: &[&FileKind] = &[
    &KUBERNETES,
    &CLOUDFORMATION,
    &ANSIBLE,
    &COMPOSE,
    &ARM,
    &OPENAPI,
    &TERRAFORM_PLAN,
    &DEPLOYMENT_MANAGER,
];

pub(in super::super) static KUBERNETES: FileKind = code("kubernetes", "Kubernetes manifest", &[]);
pub(in super::super) static CLOUDFORMATION: FileKind =
    code("cloudformation", "CloudFormation template", &[]);
pub(in super::super) static ANSIBLE: FileKind = code("ansible", "Ansible playbook", &[]);
pub(in super::super) static COMPOSE: FileKind = code("compose-other-name", "Compose file", &[]);
pub(in super::super) static ARM: FileKind = code(
    "azure-resource-manager",
    "Azure Resource Manager template",
    &[],
);
pub(in super::super) static OPENAPI: FileKind = code("openapi", "OpenAPI description", &[]);
pub(in super::super) static TERRAFORM_PLAN: FileKind =
    code("terraform-plan", "Terraform plan", &[]);
pub(in super::super) static DEPLOYMENT_MANAGER: FileKind =
    code("deployment-manager", "Google Deployment Manager file", &[]);
