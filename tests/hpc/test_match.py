"""Which partition a job is planned on; the tables are those of the contract, its defects mended."""

import pytest

from torc.hpc.kestrel import KESTREL
from torc.hpc.match import Need, best, matching, nearest
from torc.hpc.profile import Partition, Profile

HOUR, DAY, G = 3600, 86400, 1024


@pytest.mark.parametrize(
    ("need", "name"),
    [
        (Need(1, 1 * G, HOUR), "short"),
        (Need(4, 8 * G, 4 * HOUR + 1), "standard"),
        (Need(8, 16 * G, 3 * DAY), "long"),
        (Need(32, 64 * G, DAY), "standard"),
        (Need(104, 234 * G, HOUR), "short"),
        (Need(104, 240 * G, HOUR), "medmem"),
        (Need(104, 500 * G, 3 * DAY), "medmem"),
        (Need(104, 1500 * G, HOUR), "bigmem"),
        (Need(104, 1500 * G, 5 * DAY), "bigmeml"),
        (Need(8, 32 * G, 2 * HOUR, gpus=1), "gpu-h100s"),
        (Need(8, 32 * G, DAY, gpus=4), "gpu-h100"),
        (Need(1, G, HOUR, num_nodes=300), "short"),
        (Need(1, G, DAY, num_nodes=1050), "standard"),
        (Need(105, G, HOUR, gpus=1), "gpu-h100s"),
    ],
)
def test_the_best_partition_of_kestrel(need, name):
    found = best(KESTREL, need)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(
    ("need", "lack"),
    [
        (Need(105, G, HOUR), "has 104 CPUs a node, not 105"),
        (Need(8, 32 * G, HOUR, gpus=5), "has 4 GPUs a node, not 5"),
        (Need(1, G, 11 * DAY), "the nearest partition, long, allows 10-00:00:00, not 11-00:00:00"),
        (Need(130, G, 11 * DAY, gpus=1), "gpu-h100l, has 128 CPUs a node, not 130, and allows 10-00:00:00, not 11-00"),
        (Need(1, 3000 * G, HOUR), "the nearest partition, bigmem, has 2000000 MB of memory a node, not 3072000"),
        (Need(1, G, 9 * DAY, num_nodes=800), "long, allows 215 nodes, not 800"),
    ],
)
def test_what_fits_nowhere_is_told_what_lacks(need, lack):
    assert best(KESTREL, need) is None
    assert lack in nearest(KESTREL, need)


def test_jobs_without_gpus_may_be_shown_gpu_partitions_and_are_not_put_there():
    assert [one.name for one in matching(KESTREL, Need(105, G, HOUR))] == ["gpu-h100s", "gpu-h100", "gpu-h100l"]


def made(*partitions: Partition) -> Profile:
    return Profile(name="c", display_name="C", partitions=list(partitions))


def partition(name: str, **fields: object) -> Partition:
    return Partition(**{"name": name, "cpus_per_node": 64, "memory_mb": 256_000, "max_walltime_secs": DAY, **fields})


def test_where_all_nodes_have_gpus_jobs_without_are_told():
    profile = made(partition("gpu", gpus_per_node=4), partition("gpu-debug", gpus_per_node=1))
    assert best(profile, Need(1, G, HOUR)) is None
    assert nearest(profile, Need(1, G, HOUR)) == "all partitions of C (c) have GPUs, and jobs without are not put there"
    assert nearest(made(), Need(1, G, HOUR)) == "C (c) has no partitions"


def test_the_cluster_of_the_custom_profile_tutorial():
    profile = made(
        partition("batch", cpus_per_node=48, memory_mb=192_000, max_walltime_secs=3 * DAY),
        partition("short", cpus_per_node=48, memory_mb=192_000, max_walltime_secs=4 * HOUR, shared=True),
        partition("gpu", cpus_per_node=32, memory_mb=256_000, max_walltime_secs=2 * DAY, gpus_per_node=4),
        partition("himem", cpus_per_node=48, memory_mb=1_048_576, max_walltime_secs=2 * DAY),
    )
    assert best(profile, Need(8, 16 * G, 2 * HOUR)).name == "short"
    assert best(profile, Need(16, 64 * G, 8 * HOUR, gpus=2)).name == "gpu"
    assert best(profile, Need(24, 512 * G, DAY)).name == "himem"


def test_the_one_that_wastes_least_is_best_wherever_it_stands():
    profile = made(
        partition("long", max_walltime_secs=10 * DAY),
        partition("big", memory_mb=1_000_000, max_walltime_secs=HOUR),
        partition("short", memory_mb=256_500, max_walltime_secs=HOUR),
        partition("eight", gpus_per_node=8),
        partition("four", gpus_per_node=4),
    )
    assert best(profile, Need(60, G, HOUR)).name == "short"
    assert best(profile, Need(60, G, DAY)).name == "long"
    assert best(profile, Need(60, 500 * G, HOUR)).name == "big"
    assert best(profile, Need(60, G, HOUR, gpus=4)).name == "four"


def test_small_jobs_go_where_nodes_are_shared_and_debugging_comes_last():
    profile = made(partition("debug"), partition("whole"), partition("part", shared=True))
    assert best(profile, Need(1, G, HOUR)).name == "part"
    assert best(profile, Need(30, G, HOUR)).name == "whole"
    assert best(made(partition("my-Debug")), Need(1, G, HOUR)).name == "my-Debug"


def test_what_has_to_be_asked_for_comes_after_what_slurm_chooses():
    profile = made(partition("special", requires_explicit_request=True), partition("usual"))
    assert best(profile, Need(30, G, HOUR)).name == "usual"
    assert best(made(profile.partitions[0]), Need(30, G, HOUR)).name == "special"


def test_numbers_of_nodes_count():
    profile = made(partition("wide", min_nodes=2), partition("narrow", max_nodes=4))
    assert best(profile, Need(1, G, HOUR)).name == "narrow"
    assert best(profile, Need(1, G, HOUR, num_nodes=8)).name == "wide"
