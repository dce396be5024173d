"""Machines and allocations that run jobs, and what they are started by."""

from typing import ClassVar

from torc.models.compute_node import ComputeNode
from torc.models.record import Page, always
from torc.models.scheduler import LocalScheduler, ScheduledComputeNode, SlurmScheduler
from torc.openapi_client.model import Model


class ComputeNodeModel(Model, ComputeNode, kw_only=True):
    """One runner: where it is and what it offers."""

    SET_BY_SERVER: ClassVar[frozenset[str]] = frozenset(
        {"id", "memory", "last_seq", "lease_s", "database_id", "generation"}
    )


class ListComputeNodesResponse(Model, Page[ComputeNodeModel], kw_only=True):
    """One page of compute nodes."""


class ScheduledComputeNodesModel(Model, ScheduledComputeNode, kw_only=True):
    """An allocation that was asked for."""


class ListScheduledComputeNodesResponse(Model, Page[ScheduledComputeNodesModel], kw_only=True):
    """One page of allocations."""


class SlurmSchedulerModel(Model, SlurmScheduler, kw_only=True):
    """The options of one kind of Slurm allocation."""

    qos: str | None = always("normal")


class ListSlurmSchedulersResponse(Model, Page[SlurmSchedulerModel], kw_only=True):
    """One page of Slurm schedulers."""


class LocalSchedulerModel(Model, LocalScheduler, kw_only=True):
    """What a machine without a batch system offers."""

    name: str | None = always("default")


class ListLocalSchedulersResponse(Model, Page[LocalSchedulerModel], kw_only=True):
    """One page of local schedulers."""
