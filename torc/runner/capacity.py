"""What is free here, what of the claimed jobs fits into it, and which GPUs each of them is given."""

from collections.abc import Iterable, Sequence

from torc.models.sync import Offer, SyncJob


class Capacity:
    """The resources of this node less what its running jobs were granted.

    With ``slots``, only the number of jobs counts, as the user asked with ``--max-parallel-jobs``. More may be taken
    than there is: then the rest is less than nothing until enough has come back.
    """

    def __init__(self, total: Offer, *, slots: int | None = None, gpu_ids: Sequence[str] = ()) -> None:
        self._num_cpus = total.num_cpus
        self._memory_bytes = total.memory_bytes
        self._num_gpus = total.num_gpus
        self._num_nodes = total.num_nodes
        self._slots = slots
        self._gpu_ids = tuple(gpu_ids)
        self._free_gpu_ids = list(gpu_ids)

    def has_room(self) -> bool:
        """Whether any job at all could start."""
        if self._slots is not None:
            return self._slots > 0
        return self._num_cpus > 0 and self._memory_bytes > 0

    def grants_devices(self) -> bool:
        """Whether jobs are given GPUs of their own; nobody knows what they need where only their number counts."""
        return self._slots is None

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

    def take(self, job: SyncJob) -> list[str]:
        """A job starts; the GPUs that are its own until it ends, the first that are free. None in slots mode."""
        self._add(job, -1)
        if self._slots is not None:
            return []
        count = max(job.num_gpus, 0)
        granted, self._free_gpu_ids = self._free_gpu_ids[:count], self._free_gpu_ids[count:]
        return granted

    def give_back(self, job: SyncJob, gpu_ids: Iterable[str]) -> None:
        """A job has ended, and with it its use of ``gpu_ids``."""
        self._add(job, 1)
        free = {*self._free_gpu_ids, *gpu_ids}
        self._free_gpu_ids = [device for device in self._gpu_ids if device in free]

    def offer(self) -> Offer | None:
        """What the server may fill; None when it shall count slots."""
        if self._slots is not None:
            return None
        return Offer(
            num_cpus=max(self._num_cpus, 0),
            memory_bytes=max(self._memory_bytes, 0),
            num_gpus=max(self._num_gpus, 0),
            num_nodes=self._num_nodes,
        )

    def free_slots(self) -> int | None:
        """How many jobs may start; None when resources decide."""
        return None if self._slots is None else max(self._slots, 0)

    def _add(self, job: SyncJob, sign: int) -> None:
        if self._slots is not None:
            self._slots += sign
            return
        # Nodes are not taken: a job says how many it spans, and the runner's allocation holds them all.
        self._num_cpus += sign * max(job.num_cpus, 0)
        self._memory_bytes += sign * max(job.memory_bytes, 0)
        self._num_gpus += sign * max(job.num_gpus, 0)
