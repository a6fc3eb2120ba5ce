//! The types of SARIF 2.1.0 that the report has, each with the fields it uses.
//! Fields are in alphabetical order, and an empty one is left out.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// Declares types of SARIF: serialised with its names, without empty fields.
macro_rules! objects {
    ($($(#[$doc:meta])* $name:ident { $($(#[$how:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, Serialize)]
        #[serde(rename_all = "camelCase")]
        pub(crate) struct $name {
            $($(#[$how])* pub(crate) $field: $type,)*
        }
    )*};
}

objects! {
    /// A file.
    ArtifactLocation {
        #[serde(skip_serializing_if = "Option::is_none")]
        description: Option<Message>,
        #[serde(skip_serializing_if = "Option::is_none")]
        uri: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        uri_base_id: Option<&'static str>,
    }
    /// How the run went.
    Invocation {
        execution_successful: bool,
        tool_execution_notifications: Vec<Notification>,
    }
    /// A place, in a file and by name.
    Location {
        #[serde(skip_serializing_if = "Vec::is_empty")]
        logical_locations: Vec<LogicalLocation>,
        physical_location: PhysicalLocation,
    }
    /// A place by name.
    LogicalLocation {
        fully_qualified_name: String,
        kind: &'static str,
        name: String,
    }
    /// A text for people.
    Message {
        text: String,
    }
    /// The same as plain text and as Markdown.
    MultiformatMessageString {
        #[serde(skip_serializing_if = "Option::is_none")]
        markdown: Option<String>,
        text: String,
    }
    /// Something to know about the run.
    Notification {
        descriptor: ReportingDescriptorReference,
        level: String,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        locations: Vec<Location>,
        message: Message,
    }
    /// A place in a file.
    PhysicalLocation {
        artifact_location: ArtifactLocation,
        #[serde(skip_serializing_if = "Option::is_none")]
        region: Option<Region>,
    }
    /// What SARIF has no field for.
    PropertyBag {
        #[serde(skip_serializing_if = "Vec::is_empty")]
        tags: Vec<String>,
        #[serde(flatten)]
        additional: BTreeMap<String, Value>,
    }
    /// A part of a text.
    Region {
        #[serde(skip_serializing_if = "Option::is_none")]
        end_column: Option<u32>,
        end_line: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        start_column: Option<u32>,
        start_line: u32,
    }
    /// What a rule counts as.
    ReportingConfiguration {
        level: Level,
    }
    /// A rule.
    ReportingDescriptor {
        default_configuration: ReportingConfiguration,
        full_description: MultiformatMessageString,
        help: MultiformatMessageString,
        help_uri: String,
        id: String,
        name: String,
        properties: PropertyBag,
        short_description: MultiformatMessageString,
    }
    /// The name of a kind of notification.
    ReportingDescriptorReference {
        id: String,
    }
    /// A finding.
    Result {
        level: Level,
        locations: [Location; 1],
        message: Message,
        partial_fingerprints: BTreeMap<&'static str, String>,
        properties: PropertyBag,
        rule_id: String,
        rule_index: usize,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        suppressions: Vec<Suppression>,
    }
    /// What the run is a part of.
    RunAutomationDetails {
        id: String,
    }
    /// Why a finding does not count.
    Suppression {
        justification: String,
        kind: &'static str,
        status: &'static str,
    }
}

/// How grave a result is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Level {
    Error,
    #[default]
    Warning,
    Note,
}

/// A text for people.
pub(crate) fn plain(text: impl Into<String>) -> Message {
    Message { text: text.into() }
}
