"""Resource requirements: what is more than plain about them is the check."""

import sqlite3

from torc.errors import Conflict, Unprocessable
from torc.models.catalogue import REQUIREMENTS
from torc.models.draft import DraftRequirements
from torc.models.record import Record
from torc.models.resource_requirements import ResourceRequirements
from torc.store import escalation, table
from torc.store.database import Database
from torc.store.rows import json_ids
from torc.store.workflows import DEFAULT_REQUIREMENTS, default_requirements, is_visible, touch
from torc.units import parse_duration, parse_memory

MOST = 2**31 - 1
"""Of CPUs, GPUs or nodes: what a million jobs need together is still an integer of SQLite's."""


def create(database: Database, requirements: ResourceRequirements) -> Record:
    """Store requirements; the name ``default`` is the server's own."""
    if requirements.name == DEFAULT_REQUIREMENTS:
        raise Unprocessable(
            f"name: '{DEFAULT_REQUIREMENTS}' is reserved for jobs without requirements; choose another name"
        )
    if requirements.raised_from is not None:
        raise Unprocessable("raised_from: only the server raises requirements, for another try; leave it out")
    check(requirements)
    return table.insert(database, REQUIREMENTS, requirements)


def update(
    database: Database, requirements_id: int, requirements: ResourceRequirements, given: frozenset[str]
) -> Record:
    """Write the ``given`` fields over stored requirements. The workflow's ``default`` keeps its name."""
    check(requirements)
    with database.write() as db:
        changed = table.update_row(db, REQUIREMENTS, requirements_id, requirements, given)
        workflow_id = table.workflow_of(changed)
        if not default_requirements(db, workflow_id):
            raise Conflict(
                f"Resource requirements {requirements_id} are the workflow's '{DEFAULT_REQUIREMENTS}', for jobs that "
                "name none, and keep that name"
            )
        return changed


def delete(database: Database, requirements_id: int, *, force: bool = False) -> Record:
    """Remove requirements and return them as they were.

    Refused while jobs use them, or what was raised from them, unless forced: those jobs then need what the ``default``
    record says, which stays. Jobs with raised requirements that go need what they asked for.
    """
    with database.write() as db:
        found = table.fetch(db, REQUIREMENTS, requirements_id)
        workflow_id = table.workflow_of(found)
        default_id = default_requirements(db, workflow_id)
        if requirements_id == default_id:
            raise Conflict(
                f"Resource requirements {requirements_id} are the workflow's '{DEFAULT_REQUIREMENTS}', for jobs that "
                "name none, and cannot be deleted; change them instead"
            )
        if not force:
            table.refuse_if_used(db, REQUIREMENTS, "id = ?", requirements_id)
            _refuse_if_raised(db, requirements_id)
        _remove(db, workflow_id, [requirements_id], default_id)
        return found


def delete_all(database: Database, workflow_id: int, *, force: bool = False) -> int:
    """Remove all requirements of a workflow but its ``default``, as ``delete``; how many."""
    with database.write() as db:
        if not is_visible(db, workflow_id):
            return 0
        default_id = default_requirements(db, workflow_id)
        ids = [
            found
            for (found,) in db.execute(
                "SELECT id FROM resource_requirements WHERE workflow_id = ? AND id <> ?", (workflow_id, default_id)
            )
        ]
        if not force:
            for requirements_id in ids:
                table.refuse_if_used(db, REQUIREMENTS, "id = ?", requirements_id)
        _remove(db, workflow_id, ids, default_id)
        return len(ids)


def _refuse_if_raised(db: sqlite3.Connection, requirements_id: int) -> None:
    """409 while a job is tried again with more than these."""
    (count,) = db.execute(
        """
        SELECT count(*) FROM resource_requirements AS r JOIN job ON job.resource_requirements_id = r.id
         WHERE r.raised_from = ?
        """,
        (requirements_id,),
    ).fetchone()
    if count:
        raise Conflict(
            f"Resource requirements {requirements_id} cannot be deleted: {count} jobs have more, raised from them for "
            "another try; delete those first, or force"
        )


def _remove(db: sqlite3.Connection, workflow_id: int, ids: list[int], default_id: int) -> None:
    doomed = json_ids(ids)
    raised = db.execute(
        """
        SELECT job.id FROM resource_requirements AS r JOIN job ON job.resource_requirements_id = r.id
         WHERE r.id IN (SELECT value FROM json_each(?1)) OR r.raised_from IN (SELECT value FROM json_each(?1))
        """,
        (doomed,),
    ).fetchall()
    escalation.restore(db, [job_id for (job_id,) in raised])
    db.execute(
        """
        UPDATE job SET resource_requirements_id = ?
         WHERE workflow_id = ? AND resource_requirements_id IN (SELECT value FROM json_each(?))
        """,
        (default_id, workflow_id, doomed),
    )
    db.execute(
        """
        DELETE FROM resource_requirements
         WHERE id IN (SELECT value FROM json_each(?1)) OR raised_from IN (SELECT value FROM json_each(?1))
        """,
        (doomed,),
    )
    touch(db, workflow_id)


def check(requirements: ResourceRequirements | DraftRequirements) -> None:
    """Raise Unprocessable unless every figure makes sense."""
    for field, least in (("num_cpus", 1), ("num_gpus", 0), ("num_nodes", 1)):
        value = getattr(requirements, field)
        if not least <= value <= MOST:
            bound = f"at least {least}" if value < least else f"at most {MOST}"
            raise Unprocessable(
                f"{field} of requirements '{requirements.name}' must be {bound}, got {value}",
                field=field,
                value=value,
            )
    for field, parse in (("memory", parse_memory), ("runtime", parse_duration)):
        text = getattr(requirements, field)
        try:
            if not parse(text):
                raise ValueError("a job needs more than nothing")
        except ValueError as error:
            raise Unprocessable(f"Invalid {field} format '{text}': {error}", field=field, value=text) from error
