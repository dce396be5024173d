"""What runners are started by: Slurm settings, the allocations asked for, and what a local machine offers."""

from torc.models.record import Positive, Record


class SlurmScheduler(Record, kw_only=True):
    """The options of one kind of Slurm allocation; text as sbatch takes it."""

    id: int | None = None
    workflow_id: int
    name: str | None = None
    account: str
    gres: str | None = None
    mem: str | None = None
    nodes: Positive
    ntasks_per_node: Positive | None = None
    partition: str | None = None
    qos: str | None = None
    tmp: str | None = None
    walltime: str
    extra: str | None = None


class ScheduledComputeNode(Record, kw_only=True):
    """An allocation that was asked for."""

    id: int | None = None
    workflow_id: int
    scheduler_id: int  # the batch system's job number
    scheduler_config_id: int  # the SlurmScheduler
    scheduler_type: str
    status: str  # pending, active or complete


class LocalScheduler(Record, kw_only=True):
    """What a machine without a batch system offers."""

    id: int | None = None
    workflow_id: int
    name: str | None = None
    memory: str | None = None
    num_cpus: Positive | None = None
