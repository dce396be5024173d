"""``torc workflows spec-schema``: the JSON Schema of specifications, without a server."""

import json
from pathlib import Path

from tests.cli.conftest import Torc

KEPT = Path(__file__).parents[2] / "docs" / "workflow.schema.json"


def test_the_schema_is_printed_as_it_stands_in_the_documentation(offline: Torc) -> None:
    said = offline("workflows", "spec-schema")
    assert (said.code, said.out, said.err) == (0, KEPT.read_text(), "")
    assert offline("-f", "json", "workflows", "spec-schema").json == json.loads(KEPT.read_text())


def test_the_schema_is_written_to_a_file(offline: Torc, tmp_path: Path) -> None:
    said = offline("workflows", "spec-schema", "-o", "schema.json")
    assert (said.code, said.out) == (0, "Wrote schema.json\n")
    assert (tmp_path / "schema.json").read_text() == KEPT.read_text()


def test_a_file_that_cannot_be_written_is_named(offline: Torc, tmp_path: Path) -> None:
    said = offline("workflows", "spec-schema", "-o", tmp_path)
    assert (said.code, said.out) == (1, "")
    assert said.err == f"Error: {tmp_path} cannot be written: Is a directory; name another file with --output.\n"
