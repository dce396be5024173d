"""What fits into a node, job after job."""

import pytest

from torc.models.sync import Offer, SyncJob
from torc.runner.capacity import Capacity

GIB = 1 << 30


def job(num_cpus: int = 1, memory_gb: float = 1, num_gpus: int = 0, num_nodes: int = 1) -> SyncJob:
    return SyncJob(
        id=1,
        name="job",
        command="true",
        run_id=1,
        attempt_id=1,
        num_cpus=num_cpus,
        num_gpus=num_gpus,
        num_nodes=num_nodes,
        memory_bytes=int(memory_gb * GIB),
        runtime_s=60,
    )


def node(num_cpus: int = 4, memory_gb: int = 8, num_gpus: int = 1, slots: int | None = None) -> Capacity:
    return Capacity(Offer(num_cpus=num_cpus, memory_bytes=memory_gb * GIB, num_gpus=num_gpus), slots=slots)


@pytest.mark.parametrize(
    ("running", "candidate", "fits"),
    [
        ([], job(4), True),
        ([], job(5), False),
        ([], job(memory_gb=8), True),
        ([], job(memory_gb=8.01), False),
        ([], job(num_gpus=1), True),
        ([], job(num_gpus=2), False),
        ([], job(num_nodes=2), False),
        ([job(3)], job(1), True),
        ([job(3)], job(2), False),
        ([job(memory_gb=6)], job(memory_gb=2), True),
        ([job(memory_gb=6)], job(memory_gb=3), False),
        ([job(num_gpus=1)], job(), True),
        ([job(num_gpus=1)], job(num_gpus=1), False),
        ([job()] * 4, job(), False),
    ],
)
def test_a_job_fits_into_what_the_others_leave(running: list[SyncJob], candidate: SyncJob, fits: bool) -> None:
    capacity = node()
    for other in running:
        capacity.take(other)
    assert capacity.fits(candidate) is fits


def test_the_offer_is_what_is_free() -> None:
    capacity = node()
    capacity.take(job(3, memory_gb=2, num_gpus=1))
    assert capacity.offer() == Offer(num_cpus=1, memory_bytes=6 * GIB, num_gpus=0)


def test_what_a_job_took_comes_back() -> None:
    capacity = node()
    capacity.take(job(4, memory_gb=8, num_gpus=1))
    assert not capacity.has_room()
    capacity.give_back(job(4, memory_gb=8, num_gpus=1))
    assert capacity.offer() == node().offer()


def test_slots_count_jobs_whatever_they_need() -> None:
    capacity = node(slots=2)
    assert capacity.fits(job(num_cpus=100))
    capacity.take(job(num_cpus=100))
    assert (capacity.offer(), capacity.free_slots()) == (None, 1)
    capacity.take(job())
    assert not capacity.has_room()
    assert not capacity.fits(job())


@pytest.mark.parametrize("capacity", [node(num_cpus=0), node(memory_gb=0), node(slots=0)])
def test_a_node_with_nothing_has_no_room(capacity: Capacity) -> None:
    assert not capacity.has_room()
