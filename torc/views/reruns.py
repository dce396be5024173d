"""Jobs that run again in a new run, and why."""

from collections.abc import Sequence
from typing import Any

from torc.models.workflow import RerunJob
from torc.views.column import Column

REASONS = {
    "failed": "it failed",
    "terminated": "it was terminated",
    "canceled": "it was canceled",
    "lost": "the node that had it is gone",
    "taken_away": "it is taken away from its runner",
    "reset": "it is reset",
    "changed": "its command, its dependencies or user data it reads changed",
    "changed_file": "input file changed: {}",
    "missing_output": "output file is missing: {}",
    "upstream": "it depends on {}, which runs again",
}


def reason(job: RerunJob) -> str:
    """Why, as a clause."""
    return REASONS[job.reason].format(job.detail)


TABLE = (
    Column("ID", "job_id"),
    Column("Name", "name"),
    Column("Status", "status", is_status=True),
    Column("Runs again because", reason),
)

SHOWN = 50
"""So many jobs are in the table; the others are counted."""


def counted(jobs: Sequence[RerunJob], waiting: int) -> str:
    """``3 job(s) run again, 2 that have not run yet go on waiting``."""
    rest = f", {waiting} that have not run yet go on waiting" if waiting else ""
    return f"{len(jobs)} job(s) run again{rest}"


def as_document(job: RerunJob) -> dict[str, Any]:
    """For JSON: with the reason in words too."""
    return {
        "job_id": job.job_id,
        "name": job.name,
        "status": job.status,
        "reason": job.reason,
        "detail": job.detail,
        "message": reason(job),
    }
