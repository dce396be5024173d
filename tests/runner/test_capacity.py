"""What fits into a node, job after job."""

import pytest

from torc.models.sync import Offer, SyncJob
from torc.runner.capacity import Capacity, Grant

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
    capacity.give_back(job(4, memory_gb=8, num_gpus=1), Grant())
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


def gpu_node(num_gpus: int = 3, slots: int | None = None) -> Capacity:
    ids = tuple(str(index) for index in range(num_gpus))
    return Capacity(Offer(num_cpus=8, memory_bytes=8 * GIB, num_gpus=num_gpus), slots=slots, gpu_ids=ids)


def test_each_job_is_given_gpus_of_its_own_and_the_first_that_are_free() -> None:
    capacity = gpu_node()
    assert capacity.grants_devices()
    first, second = job(num_gpus=1), job(num_gpus=2)
    granted = [capacity.take(one) for one in (first, job(), second)]
    assert [grant.gpu_ids for grant in granted] == [["0"], [], ["1", "2"]]
    assert not capacity.fits(job(num_gpus=1))
    capacity.give_back(second, granted[2])
    capacity.give_back(first, granted[0])
    assert capacity.take(job(num_gpus=2)).gpu_ids == ["0", "1"]


def test_gpus_by_uuid_go_out_in_the_order_of_the_node() -> None:
    capacity = Capacity(Offer(num_cpus=8, memory_bytes=GIB, num_gpus=2), gpu_ids=("MIG-b", "MIG-a"))
    assert capacity.take(job(num_gpus=1)).gpu_ids == ["MIG-b"]
    assert capacity.take(job(num_gpus=1)).gpu_ids == ["MIG-a"]


def test_with_slots_no_gpu_is_given() -> None:
    capacity = gpu_node(slots=4)
    assert not capacity.grants_devices()
    assert [capacity.take(job(num_gpus=1)).gpu_ids for _ in range(4)] == [(), (), (), ()]


def test_a_gpu_that_comes_back_twice_or_was_never_here_is_given_once() -> None:
    capacity = gpu_node(num_gpus=1)
    held = capacity.take(job(num_gpus=1))
    capacity.give_back(job(num_gpus=1), held)
    capacity.give_back(job(), Grant([*held.gpu_ids, "7"]))
    assert capacity.take(job(num_gpus=3)).gpu_ids == ["0"]


def test_more_than_there_is_can_be_taken_and_is_not_offered_before_it_has_come_back() -> None:
    capacity = gpu_node(num_gpus=1)
    huge = job(num_cpus=10**9, memory_gb=10**6, num_gpus=5)
    granted = capacity.take(huge)
    assert granted.gpu_ids == ["0"]
    assert capacity.offer() == Offer(num_cpus=0, memory_bytes=0, num_gpus=0)
    assert not capacity.has_room()
    assert not capacity.fits(job())
    capacity.give_back(huge, granted)
    assert capacity.offer() == gpu_node(num_gpus=1).offer()


def test_more_jobs_than_slots_are_no_negative_number_of_slots() -> None:
    capacity = node(slots=1)
    capacity.take(job())
    capacity.take(job())
    assert capacity.free_slots() == 0
    capacity.give_back(job(), Grant())
    assert not capacity.has_room()
    capacity.give_back(job(), Grant())
    assert capacity.free_slots() == 1


def test_a_job_that_needs_less_than_nothing_adds_nothing() -> None:
    capacity = gpu_node()
    assert capacity.take(job(num_cpus=-4, memory_gb=-1, num_gpus=-1)).gpu_ids == []
    assert capacity.offer() == gpu_node().offer()


NODES = ("n1", "n2", "n3", "n4")


def allocation(slots: int | None = None) -> Capacity:
    total = Offer(num_cpus=4, memory_bytes=8 * GIB, num_gpus=2, num_nodes=4)
    return Capacity(total, slots=slots, gpu_ids=("0", "1"), nodes=NODES)


def test_jobs_over_several_nodes_have_each_for_themselves_and_the_first_one_goes_last() -> None:
    capacity = allocation()
    wide = job(4, memory_gb=8, num_gpus=2, num_nodes=2)
    assert capacity.take(wide) == Grant(nodes=["n3", "n4"])
    assert capacity.fits(wide)
    assert capacity.take(wide) == Grant(nodes=["n1", "n2"])
    assert not capacity.fits(job(num_nodes=2))
    assert not capacity.fits(job())
    assert not capacity.has_room()
    assert capacity.offer() == Offer(num_cpus=0, memory_bytes=0, num_nodes=0)
    capacity.give_back(wide, Grant(nodes=["n1", "n2"]))
    assert capacity.fits(job(4, num_gpus=2))
    assert capacity.offer() == Offer(num_cpus=4, memory_bytes=8 * GIB, num_gpus=2, num_nodes=2)


def test_jobs_on_one_node_share_the_first_which_is_then_nobody_elses() -> None:
    capacity = allocation()
    assert capacity.take(job(num_gpus=1)) == Grant(["0"], ("n1",))
    assert capacity.take(job()).nodes == ("n1",)
    assert capacity.offer() == Offer(num_cpus=2, memory_bytes=6 * GIB, num_gpus=1, num_nodes=3)
    assert not capacity.fits(job(num_nodes=4))
    assert capacity.fits(job(4, memory_gb=8, num_gpus=2, num_nodes=3))
    assert capacity.take(job(num_nodes=3)).nodes == ["n2", "n3", "n4"]
    assert capacity.fits(job())
    assert not capacity.fits(job(num_nodes=2))


@pytest.mark.parametrize("wide", [job(5, num_nodes=2), job(memory_gb=9, num_nodes=2), job(num_gpus=3, num_nodes=2)])
def test_each_node_has_to_have_what_a_job_over_several_asks_for(wide: SyncJob) -> None:
    assert not allocation().fits(wide)


def test_a_job_over_more_nodes_than_there_are_does_not_fit() -> None:
    assert not allocation().fits(job(num_nodes=5))
    assert not node().fits(job(num_nodes=2))


def test_with_slots_no_node_is_in_two_jobs_over_several() -> None:
    capacity = allocation(slots=9)
    assert capacity.take(job()).nodes == ("n1",)
    assert capacity.offer() == Offer(num_cpus=0, memory_bytes=0, num_nodes=4)
    assert capacity.take(job(100, num_nodes=3)).nodes == ["n2", "n3", "n4"]
    assert not capacity.fits(job(num_nodes=2))
    assert capacity.fits(job())
    assert node(slots=1).fits(job(num_nodes=2))  # jobs that are only counted may need whatever they like
