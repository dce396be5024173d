"""A workflow under construction: batches that nobody sees until the last call.

Names are resolved by the client. Every reference is an index into the whole document, counted from 0 per kind
in the order of sending; the server reserves the ids for all of them when the draft begins.
"""

from collections.abc import Iterator
from typing import Any, Protocol, TypeVar

from msgspec import Struct

from torc.models.action import ActionType, TriggerType
from torc.models.draft_history import (
    DraftActionState,
    DraftComputeNode,
    DraftEvent,
    DraftJobState,
    DraftResult,
    DraftScheduledNode,
    DraftStatus,
)
from torc.models.failure_handler import FailureRule
from torc.models.record import Positive, Record, always
from torc.models.resource_requirements import DEFAULT_MEMORY, DEFAULT_RUNTIME
from torc.models.workflow import Workflow

T = TypeVar("T", covariant=True)

TOKEN_HEADER = "Torc-Draft-Token"
"""Only who created a draft may write to it; to everyone else it does not exist."""

BATCH_JOBS = 5000
"""Jobs in one batch: the write lock is held some 50 ms for them."""


class DraftCounts(Record, kw_only=True):
    """How many records of each kind the whole document has. Jobs come after what they refer to, as they are stored."""

    files: int = 0
    user_data: int = 0
    resource_requirements: int = 0
    slurm_schedulers: int = 0
    local_schedulers: int = 0
    failure_handlers: int = 0
    groups: int = 0
    compute_nodes: int = 0
    jobs: int = 0


class DraftRequest(Record, kw_only=True):
    """Body of ``POST /drafts``."""

    workflow: Workflow
    counts: DraftCounts
    status: DraftStatus | None = None  # of a workflow that has run already


class DraftAnswer(Record, kw_only=True):
    """The draft, and the secret that goes into TOKEN_HEADER."""

    workflow_id: int
    token: str


class DraftFile(Record, kw_only=True):
    """A file of the document."""

    name: str
    path: str
    st_mtime: float | None = None
    size: int | None = None  # bytes


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
    memory: str = always(DEFAULT_MEMORY)
    runtime: str = always(DEFAULT_RUNTIME)


class DraftScheduler(Record, kw_only=True):
    """A Slurm scheduler of the document; text as sbatch takes it."""

    name: str | None = None
    account: str
    gres: str | None = None
    mem: str | None = None
    nodes: Positive = always(1)
    ntasks_per_node: Positive | None = None
    partition: str | None = None
    qos: str | None = None
    tmp: str | None = None
    walltime: str = always("01:00:00")
    extra: str | None = None


class DraftLocalScheduler(Record, kw_only=True):
    """What a machine without a batch system offers."""

    name: str | None = None
    memory: str | None = None
    num_cpus: Positive | None = None


class DraftFailureHandler(Record, kw_only=True):
    """A failure handler of the document."""

    name: str
    rules: list[FailureRule]  # the first match wins


class DraftJob(Record, kw_only=True):
    """A job of the document. Lists hold indexes, ascending and without repeats."""

    name: str
    command: str
    invocation_script: str | None = None
    cancel_on_blocking_job_failure: bool = True
    supports_termination: bool = False
    resource_requirements: int | None = None
    scheduler: int | None = None  # of Slurm
    failure_handler: int | None = None
    depends_on: list[int] = []  # jobs
    depends_on_groups: list[int] = []
    input_files: list[int] = []
    output_files: list[int] = []
    input_user_data: list[int] = []
    output_user_data: list[int] = []
    state: DraftJobState | None = None  # of a job that has run already


class DraftGroup(Record, kw_only=True):
    """A set of jobs that others wait for as a whole."""

    members: list[int]  # jobs, ascending and without repeats


class DraftAction(Record, kw_only=True):
    """An action of the document."""

    trigger_type: TriggerType
    action_type: ActionType
    action_config: dict[str, Any]  # without scheduler_id
    jobs: list[int] | None = None  # that it watches, ascending and without repeats
    scheduler: int | None = None  # becomes scheduler_id; a local scheduler where that is the scheduler_type
    persistent: bool | None = None
    state: DraftActionState | None = None


def is_worth_a_group(members: int, dependents: int) -> bool:
    """Whether a group needs less than half as many rows as a dependency for every pair."""
    return members * dependents > 2 * (members + dependents)


class DraftBatch(Record, kw_only=True):
    """Body of ``POST /drafts/{id}/batches``: the next records of each kind, in document order.

    ``batch`` counts 1, 2, ...; a repeat of the last is acknowledged without effect, a gap is refused.
    """

    batch: int
    files: list[DraftFile] = []
    user_data: list[DraftUserData] = []
    resource_requirements: list[DraftRequirements] = []
    slurm_schedulers: list[DraftScheduler] = []
    local_schedulers: list[DraftLocalScheduler] = []
    failure_handlers: list[DraftFailureHandler] = []
    groups: list[DraftGroup] = []
    compute_nodes: list[DraftComputeNode] = []
    jobs: list[DraftJob] = []
    actions: list[DraftAction] = []
    scheduled_compute_nodes: list[DraftScheduledNode] = []
    results: list[DraftResult] = []
    events: list[DraftEvent] = []


class InOrder(Protocol[T]):
    """Records of a document. They may be made anew in each iteration: a million need not be in memory at once."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[T]: ...


JobsInOrder = InOrder[DraftJob]


class DraftDocument(Struct, kw_only=True):
    """A whole workflow document, in the form that is cut into batches."""

    workflow: Workflow
    status: DraftStatus | None = None
    files: list[DraftFile] = []
    user_data: list[DraftUserData] = []
    resource_requirements: list[DraftRequirements] = []
    slurm_schedulers: list[DraftScheduler] = []
    local_schedulers: list[DraftLocalScheduler] = []
    failure_handlers: list[DraftFailureHandler] = []
    groups: list[DraftGroup] = []
    compute_nodes: list[DraftComputeNode] = []
    jobs: JobsInOrder = ()
    actions: list[DraftAction] = []
    scheduled_compute_nodes: list[DraftScheduledNode] = []
    results: InOrder[DraftResult] = ()
    events: InOrder[DraftEvent] = ()

    def counts(self) -> DraftCounts:
        """How many records there are of each kind that others refer to."""
        return DraftCounts(**{kind: len(getattr(self, kind)) for kind in DraftCounts.__struct_fields__})
