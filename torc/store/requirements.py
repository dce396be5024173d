"""Resource requirements: what is more than plain about them is the check."""

from torc.errors import Unprocessable
from torc.models.catalogue import REQUIREMENTS
from torc.models.draft import DraftRequirements
from torc.models.record import Record
from torc.models.resource_requirements import ResourceRequirements
from torc.store import table
from torc.store.database import Database
from torc.store.workflows import DEFAULT_REQUIREMENTS
from torc.units import parse_duration, parse_memory


def create(database: Database, requirements: ResourceRequirements) -> Record:
    """Store requirements; the name ``default`` is the server's own."""
    if requirements.name == DEFAULT_REQUIREMENTS:
        raise Unprocessable(
            f"name: '{DEFAULT_REQUIREMENTS}' is reserved for jobs without requirements; choose another name"
        )
    check(requirements)
    return table.insert(database, REQUIREMENTS, requirements)


def update(database: Database, requirements_id: int, requirements: ResourceRequirements) -> Record:
    """Replace requirements."""
    check(requirements)
    return table.update(database, REQUIREMENTS, requirements_id, requirements)


def check(requirements: ResourceRequirements | DraftRequirements) -> None:
    """Raise Unprocessable unless every figure makes sense."""
    for field, least in (("num_cpus", 1), ("num_gpus", 0), ("num_nodes", 1)):
        value = getattr(requirements, field)
        if value < least:
            raise Unprocessable(
                f"{field} of requirements '{requirements.name}' must be at least {least}, got {value}",
                field=field,
                value=value,
            )
    for field, parse in (("memory", parse_memory), ("runtime", parse_duration)):
        text = getattr(requirements, field)
        try:
            parse(text)
        except ValueError as error:
            raise Unprocessable(f"Invalid {field} format '{text}': {error}", field=field, value=text) from error
