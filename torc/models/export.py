"""A whole workflow as one JSON document: the records of a draft, so that importing it is creating it."""

from typing import Any, Literal

from torc.models.draft import (
    DraftAction,
    DraftDocument,
    DraftFailureHandler,
    DraftFile,
    DraftGroup,
    DraftJob,
    DraftLocalScheduler,
    DraftRequirements,
    DraftScheduler,
    DraftUserData,
)
from torc.models.draft_history import DraftComputeNode, DraftEvent, DraftResult, DraftScheduledNode, DraftStatus
from torc.models.record import Record, always
from torc.models.workflow import Workflow

FORMAT = "torc-workflow"
VERSION = 1
"""Raised when an older torc could not read the document any more, or would leave something out."""


class Export(Record, kw_only=True):
    """A workflow as it travels between servers. References are positions, counted from 0 per kind; there is no id.

    ``status``, the state of jobs and actions, ``scheduled_compute_nodes`` and ``results`` are there if results were
    asked for, ``events`` if events were, ``compute_nodes`` with either.
    """

    format: Literal["torc-workflow"] = always(FORMAT)
    version: int
    torc_version: str
    exported_at: str  # ISO 8601 UTC
    workflow: Workflow
    status: DraftStatus | None = None
    files: list[DraftFile]
    user_data: list[DraftUserData]
    resource_requirements: list[DraftRequirements]
    slurm_schedulers: list[DraftScheduler]
    local_schedulers: list[DraftLocalScheduler]
    failure_handlers: list[DraftFailureHandler]
    groups: list[DraftGroup]
    compute_nodes: list[DraftComputeNode] | None = None
    jobs: list[DraftJob]
    actions: list[DraftAction]
    scheduled_compute_nodes: list[DraftScheduledNode] | None = None
    results: list[DraftResult] | None = None
    events: list[DraftEvent] | None = None

    def document(self) -> DraftDocument:
        """The same as what is sent to a draft."""
        kinds: dict[str, Any] = {name: getattr(self, name) or [] for name in KINDS}
        return DraftDocument(workflow=self.workflow, status=self.status, **kinds)


KINDS = Export.__struct_fields__[Export.__struct_fields__.index("files") :]
"""The lists of a document, in its order."""
