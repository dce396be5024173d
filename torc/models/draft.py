"""A workflow under construction: batches that nobody sees until the last call.

Names are resolved by the client. Every reference is an index into the whole document, counted from 0 per kind
in the order of sending; the server reserves the ids for all of them when the draft begins.
"""

from typing import Any

from torc.models.action import WorkflowAction
from torc.models.record import Record, always
from torc.models.workflow import Workflow

TOKEN_HEADER = "Torc-Draft-Token"
"""Only who created a draft may write to it; to everyone else it does not exist."""

BATCH_JOBS = 5000
"""Jobs in one batch: the write lock is held some 50 ms for them."""


class DraftCounts(Record, kw_only=True):
    """How many records of each kind the whole document has."""

    files: int = 0
    user_data: int = 0
    resource_requirements: int = 0
    jobs: int = 0
    groups: int = 0


class DraftRequest(Record, kw_only=True):
    """Body of ``POST /drafts``."""

    workflow: Workflow
    counts: DraftCounts


class DraftAnswer(Record, kw_only=True):
    """The draft, and the secret that goes into TOKEN_HEADER."""

    workflow_id: int
    token: str


class DraftFile(Record, kw_only=True):
    """A file of the document."""

    name: str
    path: str
    st_mtime: float | None = None


class DraftUserData(Record, kw_only=True):
    """A user data record of the document."""

    name: str
    is_ephemeral: bool = False
    data: Any = None


class DraftRequirements(Record, kw_only=True):
    """Resource requirements of the document."""

    name: str
    num_cpus: int = always(1)
    num_gpus: int = always(0)
    num_nodes: int = always(1)
    memory: str = always("1m")
    runtime: str = always("P0DT1M")


class DraftJob(Record, kw_only=True):
    """A job of the document. Lists hold indexes, ascending and without repeats."""

    name: str
    command: str
    invocation_script: str | None = None
    cancel_on_blocking_job_failure: bool = True
    supports_termination: bool = False
    resource_requirements: int | None = None
    depends_on: list[int] = []  # jobs
    depends_on_groups: list[int] = []
    input_files: list[int] = []
    output_files: list[int] = []
    input_user_data: list[int] = []
    output_user_data: list[int] = []


class DraftGroup(Record, kw_only=True):
    """A set of jobs that others wait for as a whole."""

    members: list[int]  # jobs, ascending and without repeats


class DraftBatch(Record, kw_only=True):
    """Body of ``POST /drafts/{id}/batches``: the next records of each kind, in document order.

    ``batch`` counts 1, 2, ...; a repeat of the last is acknowledged without effect, a gap is refused.
    """

    batch: int
    files: list[DraftFile] = []
    user_data: list[DraftUserData] = []
    resource_requirements: list[DraftRequirements] = []
    groups: list[DraftGroup] = []
    jobs: list[DraftJob] = []
    actions: list[WorkflowAction] = []  # job_ids hold indexes


class DraftDocument(Record, kw_only=True):
    """A whole workflow document, in the form that is cut into batches."""

    workflow: Workflow
    files: list[DraftFile] = []
    user_data: list[DraftUserData] = []
    resource_requirements: list[DraftRequirements] = []
    groups: list[DraftGroup] = []
    jobs: list[DraftJob] = []
    actions: list[WorkflowAction] = []

    def counts(self) -> DraftCounts:
        """How many records of each kind there are."""
        return DraftCounts(
            files=len(self.files),
            user_data=len(self.user_data),
            resource_requirements=len(self.resource_requirements),
            jobs=len(self.jobs),
            groups=len(self.groups),
        )
