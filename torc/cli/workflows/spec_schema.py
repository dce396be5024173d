"""``torc workflows spec-schema``."""

from pathlib import Path

from torc.cli.command import argument, command
from torc.cli.output import Message, as_json
from torc.errors import TorcError


@command(
    "workflows spec-schema",
    argument("-o", "--output", metavar="FILE", type=Path, help="write it there instead of to stdout"),
    needs_server=False,
    examples=("torc workflows spec-schema -o workflow.schema.json",),
)
def spec_schema(*, output: Path | None) -> Message:
    """Print the JSON Schema of workflow specifications, with which editors complete and check them."""
    from torc.spec.schema import json_schema  # msgspec is not for --help

    schema = json_schema()
    if output is None:
        return Message(says=as_json(schema), data=schema)
    try:
        output.write_text(as_json(schema) + "\n", encoding="utf-8")
    except OSError as error:
        raise TorcError(f"{output} cannot be written: {error.strerror}; name another file with --output.") from error
    return Message(says=f"Wrote {output}", data={"status": "success", "file": str(output)})
