"""What an execution plan says: which jobs become ready together, in which stage, and what is requested for them.

Keys that existing readers of the JSON form know are always there; ``stages`` is what people are shown.
"""

from typing import Literal

from torc.models.action import TriggerType
from torc.models.record import Record, always


class Allocation(Record, kw_only=True):
    """Nodes that an action of the workflow requests from a scheduler."""

    scheduler: str
    scheduler_type: str
    num_allocations: int
    trigger_type: TriggerType
    job_names: list[str]  # that the action watches


class WorkflowStart(Record, kw_only=True, tag_field="type", tag="WorkflowStart"):
    """The trigger of the jobs that wait for nothing."""


class TriggerJobs(Record, kw_only=True):
    """The jobs of a trigger, in the order of the document."""

    jobs: list[str]


class JobsComplete(Record, kw_only=True, tag_field="type", tag="JobsComplete"):
    """Fires when the last of its jobs has completed, and everything in ``depends_on_events`` has happened.

    A large set of jobs that several events wait for, among others, is written once: as the trigger of an event of its
    own that makes no job ready, and that those events depend on.
    """

    data: TriggerJobs


class PlanEvent(Record, kw_only=True):
    """Jobs that wait for exactly the same, and so become ready together."""

    id: str
    trigger: WorkflowStart | JobsComplete
    trigger_description: str
    scheduler_allocations: list[Allocation]
    jobs_becoming_ready: list[str]
    depends_on_events: list[str]
    unlocks_events: list[str]


class PlanStage(Record, kw_only=True):
    """The jobs whose longest way from the start is equally long. The first stage has the number 1."""

    stage: int
    trigger_description: str
    events: list[str]
    scheduler_allocations: list[Allocation]
    jobs_becoming_ready: list[str]


class ExecutionPlan(Record, kw_only=True):
    """How a workflow will run if every job completes."""

    status: str = always("success")
    source: Literal["spec_file", "database"]
    workflow_id: int | None = None  # of one that is in a database
    workflow_name: str
    workflow_description: str | None = None
    total_events: int
    total_jobs: int
    total_stages: int
    independent_subworkflows: int  # parts of several jobs without any link between the parts
    root_events: list[str]
    leaf_events: list[str]
    events: list[PlanEvent]
    stages: list[PlanStage]
    other_allocations: list[Allocation]  # requested after the last stage, by every worker, or never
