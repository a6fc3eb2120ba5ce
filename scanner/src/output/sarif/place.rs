//! SARIF locations. Code scanning wants a file and a region for every result, so a whole file
//! is its first line; an image's file lies below the image (`app.tar!/etc/os-release`), with
//! the layer as a logical location.

use super::model::{
    ArtifactLocation, Location as SarifLocation, LogicalLocation, PhysicalLocation,
    Region as SarifRegion,
};
use crate::model::location::{Layer, Region};
use crate::output::escape::line;

/// The symbol for the root of the repository; the consumer knows where it lies.
pub(crate) const SOURCE_ROOT: &str = "%SRCROOT%";

/// A region that every reader accepts: lines and columns from 1, the end not before the start,
/// no empty span.
pub(crate) fn sound(region: Option<Region>) -> Region {
    let Some(region) = region else {
        return Region::line(1);
    };
    let start_line = region.start_line.max(1);
    let end_line = region.end_line.max(start_line);
    let start_column = region.start_column.filter(|column| *column > 0);
    let end_column = region.end_column.filter(|column| {
        *column > 0 && (end_line > start_line || *column > start_column.unwrap_or(1))
    });
    Region {
        start_line,
        start_column,
        end_line,
        end_column,
    }
}

/// A location of a file, with a region where one is given.
pub(crate) fn location(
    uri: &str,
    region: Option<Region>,
    logical: Vec<LogicalLocation>,
) -> SarifLocation {
    SarifLocation {
        logical_locations: logical,
        physical_location: PhysicalLocation {
            artifact_location: ArtifactLocation {
                uri: Some(uri.to_owned()),
                uri_base_id: Some(SOURCE_ROOT),
                ..ArtifactLocation::default()
            },
            region: region.map(sarif_region),
        },
    }
}

fn sarif_region(region: Region) -> SarifRegion {
    SarifRegion {
        end_column: region.end_column,
        end_line: region.end_line,
        start_column: region.start_column,
        start_line: region.start_line,
    }
}

/// The layer as a place of its own.
pub(crate) fn layer(layer: &Layer) -> LogicalLocation {
    LogicalLocation {
        fully_qualified_name: line(&layer.digest).into_owned(),
        kind: "layer",
        name: format!("layer {}", layer.index),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(lines: (u32, u32), columns: (u32, u32)) -> Region {
        Region {
            start_line: lines.0,
            start_column: Some(columns.0),
            end_line: lines.1,
            end_column: Some(columns.1),
        }
    }

    #[test]
    fn regions_are_mended() {
        assert_eq!(sound(None), Region::line(1));
        let good = region((2, 2), (3, 9));
        assert_eq!(sound(Some(good)), good);
        let mended = sound(Some(region((0, 0), (0, 0))));
        assert_eq!(mended, Region::line(1));
        let empty = sound(Some(region((5, 4), (3, 3))));
        assert_eq!(
            (empty.start_line, empty.end_line, empty.end_column),
            (5, 5, None)
        );
    }
}
