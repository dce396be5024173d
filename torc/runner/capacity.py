"""What is free here, and what of the claimed jobs fits into it."""

from torc.models.sync import Offer, SyncJob


class Capacity:
    """The resources of this node less what its running jobs were granted.

    With ``slots``, only the number of jobs counts, as the user asked with ``--max-parallel-jobs``.
    """

    def __init__(self, total: Offer, *, slots: int | None = None) -> None:
        self._num_cpus = total.num_cpus
        self._memory_bytes = total.memory_bytes
        self._num_gpus = total.num_gpus
        self._num_nodes = total.num_nodes
        self._slots = slots

    def has_room(self) -> bool:
        """Whether any job at all could start."""
        if self._slots is not None:
            return self._slots > 0
        return self._num_cpus > 0 and self._memory_bytes > 0

    def fits(self, job: SyncJob) -> bool:
        """Whether the job can start now."""
        if self._slots is not None:
            return self._slots > 0
        return (
            job.num_cpus <= self._num_cpus
            and job.memory_bytes <= self._memory_bytes
            and job.num_gpus <= self._num_gpus
            and job.num_nodes <= self._num_nodes
        )

    def take(self, job: SyncJob) -> None:
        """A job starts."""
        self._add(job, -1)

    def give_back(self, job: SyncJob) -> None:
        """A job has ended."""
        self._add(job, 1)

    def offer(self) -> Offer | None:
        """What the server may fill; None when it shall count slots."""
        if self._slots is not None:
            return None
        return Offer(
            num_cpus=self._num_cpus,
            memory_bytes=self._memory_bytes,
            num_gpus=self._num_gpus,
            num_nodes=self._num_nodes,
        )

    def free_slots(self) -> int | None:
        """How many jobs may start; None when resources decide."""
        return self._slots

    def _add(self, job: SyncJob, sign: int) -> None:
        if self._slots is not None:
            self._slots += sign
            return
        # Nodes are not taken: a job says how many it spans, and the runner's allocation holds them all.
        self._num_cpus += sign * job.num_cpus
        self._memory_bytes += sign * job.memory_bytes
        self._num_gpus += sign * job.num_gpus
