"""What is free here, what of the claimed jobs fits into it, and which GPUs and nodes each of them is given."""

from collections.abc import Sequence
from typing import NamedTuple

from torc.models.sync import Offer, SyncJob

THIS_NODE = "localhost"


class Grant(NamedTuple):
    """What is a job's own until it ends."""

    gpu_ids: Sequence[str] = ()  # of this node; none for a job over several nodes, whose GPUs are all its own
    nodes: Sequence[str] = ()


class Capacity:
    """The resources of this node less what its running jobs were granted, and the nodes of its allocation.

    Jobs on one node share the first of ``nodes``, where this runner is. A job over several nodes has each of them for
    itself, and needs what it asks for on each; the first one is the last to be given away.

    With ``slots``, only the number of jobs counts, as the user asked with ``--max-parallel-jobs``, and of several
    nodes none is in two jobs over several. More may be taken than there is: then the rest is less than nothing until
    enough has come back.
    """

    def __init__(
        self,
        total: Offer,
        *,
        slots: int | None = None,
        gpu_ids: Sequence[str] = (),
        nodes: Sequence[str] = (THIS_NODE,),
    ) -> None:
        self._total = total
        self._num_cpus = total.num_cpus
        self._memory_bytes = total.memory_bytes
        self._num_gpus = total.num_gpus
        self._slots = slots
        self._gpu_ids = tuple(gpu_ids)
        self._free_gpu_ids = list(gpu_ids)
        self._nodes = tuple(nodes)
        self._free_nodes = list(nodes)
        self._jobs_here = 0  # that share the first node

    def has_room(self) -> bool:
        """Whether any job at all could start."""
        if self._slots is not None:
            return self._slots > 0
        return (self._is_here_ours() and self._num_cpus > 0 and self._memory_bytes > 0) or self._whole_nodes() > 1

    def grants_devices(self) -> bool:
        """Whether jobs are given GPUs of their own; nobody knows what they need where only their number counts."""
        return self._slots is None

    def fits(self, job: SyncJob) -> bool:
        """Whether the job can start now."""
        if self._spans(job) and job.num_nodes > self._whole_nodes():
            return False
        if self._slots is not None:
            return self._slots > 0
        if self._spans(job):
            return _is_within(job, self._total.num_cpus, self._total.memory_bytes, self._total.num_gpus)
        if job.num_nodes > 1 or not self._is_here_ours():
            return False
        return _is_within(job, self._num_cpus, self._memory_bytes, self._num_gpus)

    def take(self, job: SyncJob) -> Grant:
        """A job starts; the nodes and GPUs that are its own until it ends, the first GPUs that are free."""
        if self._slots is not None:
            self._slots -= 1
        if self._spans(job):
            kept = max(len(self._free_nodes) - job.num_nodes, 0)
            granted, self._free_nodes = self._free_nodes[kept:], self._free_nodes[:kept]
            return Grant(nodes=granted)
        self._jobs_here += 1
        if self._slots is not None:
            return Grant(nodes=self._nodes[:1])
        self._add(job, -1)
        count = max(job.num_gpus, 0)
        gpu_ids, self._free_gpu_ids = self._free_gpu_ids[:count], self._free_gpu_ids[count:]
        return Grant(gpu_ids, self._nodes[:1])

    def give_back(self, job: SyncJob, grant: Grant) -> None:
        """A job has ended, and with it its use of what it was granted."""
        if self._slots is not None:
            self._slots += 1
        if self._spans(job):
            self._free_nodes = _in_order(self._nodes, [*self._free_nodes, *grant.nodes])
            return
        self._jobs_here -= 1
        if self._slots is None:
            self._add(job, 1)
            self._free_gpu_ids = _in_order(self._gpu_ids, [*self._free_gpu_ids, *grant.gpu_ids])

    def offer(self) -> Offer | None:
        """What the server may fill; None when it shall count slots, and of nodes there is only this one."""
        if self._slots is not None:
            return Offer(num_cpus=0, memory_bytes=0, num_nodes=self._whole_nodes()) if len(self._nodes) > 1 else None
        if not self._is_here_ours():
            return Offer(num_cpus=0, memory_bytes=0, num_nodes=self._whole_nodes())
        return Offer(
            num_cpus=max(self._num_cpus, 0),
            memory_bytes=max(self._memory_bytes, 0),
            num_gpus=max(self._num_gpus, 0),
            num_nodes=self._whole_nodes() if len(self._nodes) > 1 else self._total.num_nodes,
        )

    def free_slots(self) -> int | None:
        """How many jobs may start; None when resources decide."""
        return None if self._slots is None else max(self._slots, 0)

    def _spans(self, job: SyncJob) -> bool:
        return job.num_nodes > 1 and len(self._nodes) > 1

    def _is_here_ours(self) -> bool:
        """Whether no job over several nodes has the first one."""
        return self._free_nodes[:1] == list(self._nodes[:1])

    def _whole_nodes(self) -> int:
        """On how many nodes nothing runs. Where jobs are only counted, those on the first node do not mind company."""
        shared = self._slots is None and self._jobs_here > 0 and self._is_here_ours()
        return len(self._free_nodes) - shared

    def _add(self, job: SyncJob, sign: int) -> None:
        self._num_cpus += sign * max(job.num_cpus, 0)
        self._memory_bytes += sign * max(job.memory_bytes, 0)
        self._num_gpus += sign * max(job.num_gpus, 0)


def _is_within(job: SyncJob, num_cpus: int, memory_bytes: int, num_gpus: int) -> bool:
    return job.num_cpus <= num_cpus and job.memory_bytes <= memory_bytes and job.num_gpus <= num_gpus


def _in_order(all_names: Sequence[str], free: Sequence[str]) -> list[str]:
    return [name for name in all_names if name in free]
