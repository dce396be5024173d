"""Packing, without a database: which shape comes first and how many jobs of it fit."""

import math

import pytest

from torc.store.shapes import SORT_KEYS, EachAlone, Room, Shape, room_of

GIB = 1024**3


def shape(first_job_id=1, *, cpus=1, gpus=0, nodes=1, memory=GIB, runtime=60, scheduler=0):
    return Shape(first_job_id, scheduler, first_job_id, cpus, gpus, nodes, memory, runtime)


@pytest.mark.parametrize(
    ("room", "needs", "count"),
    [
        (Room(4, 8 * GIB, 0, 1), shape(), 4),
        (Room(4, 8 * GIB, 0, 1), shape(cpus=3), 1),
        (Room(4, 8 * GIB, 0, 1), shape(cpus=5), 0),
        (Room(4, 8 * GIB, 0, 1), shape(memory=3 * GIB), 2),
        (Room(4, 8 * GIB, 0, 1), shape(memory=8 * GIB + 1), 0),
        (Room(4, 8 * GIB, 0, 1), shape(gpus=1), 0),
        (Room(4, 8 * GIB, 3, 1), shape(gpus=1), 3),
        (Room(0, 8 * GIB, 0, 1), shape(), 0),
        (Room(-1, 8 * GIB, 0, 1), shape(), 0),
        (Room(64, 64 * GIB, 0, 4), shape(nodes=2), 2),
        (Room(64, 64 * GIB, 0, 1), shape(nodes=2), 0),
        (Room(3, 64 * GIB, 0, 4), shape(nodes=1), 3),
        (Room(4, 8 * GIB, 0, 1, time_left_s=60), shape(runtime=60), 4),
        (Room(4, 8 * GIB, 0, 1, time_left_s=59), shape(runtime=60), 0),
        (Room(math.inf, math.inf, math.inf, math.inf), shape(cpus=1000, gpus=9, nodes=7), math.inf),
        (Room(4, 8 * GIB, 0, 1), shape(scheduler=5), 4),
        (Room(4, 8 * GIB, 0, 1, scheduler_config_id=5), shape(scheduler=5), 4),
        (Room(4, 8 * GIB, 0, 1, scheduler_config_id=6), shape(scheduler=5), 0),
        (Room(4, 8 * GIB, 0, 1, scheduler_config_id=6), shape(), 4),
    ],
)
def test_as_many_fit_as_the_scarcest_resource_allows(room, needs, count):
    assert room.fits(needs) == count


def test_jobs_taken_are_charged():
    room = Room(8, 8 * GIB, 2, 4)
    room.take(shape(cpus=2, gpus=1, nodes=2, memory=GIB), 2)
    assert (room.num_cpus, room.memory_bytes, room.num_gpus, room.num_nodes) == (4, 6 * GIB, 0, 0)


def test_jobs_on_one_node_leave_the_nodes_to_others():
    room = Room(8, 8 * GIB, 0, 2)
    room.take(shape(nodes=1), 3)
    assert room.num_nodes == 2


def span():
    return room_of(Room(8, 8 * GIB, 2, 4))


def test_jobs_over_several_nodes_have_whole_ones():
    room = span()
    wide = shape(cpus=8, gpus=2, nodes=2, memory=8 * GIB)
    assert room.fits(wide) == 2
    room.take(wide, 1)
    assert (room.fits(wide), room.fits(shape(cpus=8))) == (1, 1)
    room.take(wide, 1)
    assert (room.fits(wide), room.fits(shape())) == (0, 0)


def test_jobs_on_one_node_take_the_first_of_several():
    room = span()
    room.take(shape(), 3)
    assert (room.fits(shape()), room.fits(shape(nodes=3)), room.fits(shape(nodes=4))) == (5, 1, 0)
    room.take(shape(), 1)
    room.take(shape(nodes=3), 1)
    assert (room.fits(shape()), room.fits(shape(nodes=2))) == (4, 0)


@pytest.mark.parametrize(
    "needs",
    [
        shape(nodes=2, cpus=9),
        shape(nodes=2, memory=9 * GIB),
        shape(nodes=2, gpus=3),
        shape(nodes=5),
        shape(nodes=2, runtime=61),
        shape(nodes=2, scheduler=6),
    ],
)
def test_each_of_several_nodes_has_to_have_what_is_asked_for(needs):
    assert room_of(Room(8, 8 * GIB, 2, 4, 60, 5)).fits(needs) == 0


def test_one_node_is_no_span():
    node = Room(8, 8 * GIB, 2, 1)
    assert room_of(node) == node
    assert room_of(node) is not node


@pytest.mark.parametrize(("cpus", "count"), [(2, math.inf), (3, 0)])
def test_jobs_that_run_one_after_the_other_need_only_fit_alone(cpus, count):
    room = EachAlone(2, 8 * GIB, 0, 1)
    room.take(shape(cpus=2), 100)
    assert room.fits(shape(cpus=cpus)) == count


SHAPES = {
    "plain": shape(1),
    "long": shape(2, runtime=600),
    "fat": shape(3, memory=9 * GIB),
    "gpu": shape(4, gpus=1),
    "long and fat": shape(5, runtime=600, memory=9 * GIB),
}


@pytest.mark.parametrize(
    ("method", "order"),
    [
        ("gpus_runtime_memory", ["gpu", "long and fat", "long", "fat", "plain"]),
        ("gpus_memory_runtime", ["gpu", "long and fat", "fat", "long", "plain"]),
        ("none", ["plain", "long", "fat", "gpu", "long and fat"]),
    ],
)
def test_shapes_are_served_in_the_order_the_workflow_wants(method, order):
    assert sorted(SHAPES, key=lambda name: SORT_KEYS[method](SHAPES[name])) == order


def test_equal_shapes_are_served_by_age():
    older, younger = shape(1), shape(2)
    for key in SORT_KEYS.values():
        assert sorted([younger, older], key=key) == [older, younger]
