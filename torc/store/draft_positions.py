"""Where the records of a draft go: positions in the document are ids by addition."""

from collections.abc import Sequence

import msgspec

from torc.errors import Unprocessable

TABLES = {
    "files": "file",
    "user_data": "user_data",
    "resource_requirements": "resource_requirements",
    "slurm_schedulers": "slurm_scheduler",
    "local_schedulers": "local_scheduler",
    "failure_handlers": "failure_handler",
    "compute_nodes": "compute_node",
    "jobs": "job",
    "groups": "dependency_group",
}
"""Where each kind of record that others refer to is stored."""

UNCOUNTED = ("actions", "scheduled_compute_nodes", "results", "events")
"""The kinds that nothing refers to: nobody has to know beforehand how many there will be."""


def schedulers_of(scheduler_type: object) -> str:
    """The kind of record that the scheduler of an action or an allocation is."""
    return "local_schedulers" if scheduler_type == "local" else "slurm_schedulers"


class Draft(msgspec.Struct):
    """The bookkeeping row of a draft."""

    workflow_id: int
    last_batch: int
    counts: dict[str, int]
    bases: dict[str, int]
    sent: dict[str, int]
    hidden: str | None

    def id(self, kind: str, index: int, records: str, at: int, field: str) -> int:
        """The id behind a field of the record at position ``at`` of ``records``."""
        if 0 <= index < self.counts[kind]:
            return self.bases[kind] + index
        raise Unprocessable(
            f"{records}[{at}].{field}: index {index} is outside the {self.counts[kind]} {kind} of the document"
        )

    def one_id(self, kind: str, index: int | None, records: str, at: int, field: str) -> int | None:
        """The same for a field that may be left out."""
        return None if index is None else self.id(kind, index, records, at, field)

    def ids(self, kind: str, indexes: Sequence[int], records: str, at: int, field: str) -> list[int]:
        """The same for a field that is a list."""
        return [self.id(kind, index, records, at, field) for index in indexes]
