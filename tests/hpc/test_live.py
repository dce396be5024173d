"""A profile from what Slurm says; the files beside this one have what Slurm 22.05 printed of a cluster."""

from pathlib import Path

import pytest

from torc.hpc.detect import detected
from torc.hpc.live import LONGEST_S, partitions, sign_of
from torc.hpc.match import Need, best
from torc.hpc.profile import Detection, Partition, Profile

PARTITIONS = (Path(__file__).parent / "partitions.txt").read_text()
NODES = (Path(__file__).parent / "nodes.txt").read_text()


def one(nodes: str, **said: str) -> list[Partition]:
    """What is made of a partition ``p``, of which Slurm says what it said of ``debug`` but for ``said``."""
    words = dict(word.split("=", 1) for word in PARTITIONS.splitlines()[0].split())
    line = " ".join(f"{key}={value}" for key, value in {**words, "PartitionName": "p", **said}.items())
    return partitions(line, "\n".join(f"p|{kind}" for kind in nodes.split()))


def test_every_partition_that_can_be_used_is_there_the_default_one_first():
    found = partitions(PARTITIONS, NODES)
    assert [part.name for part in found] == ["standard"] * 3 + ["debug", "gpu", "bigmem", "wide", "hidden"]
    assert [part.requires_explicit_request for part in found] == [False] * 3 + [True] * 5


def test_different_nodes_of_a_partition_are_kinds_of_it():
    cpu, big, gpu = partitions(PARTITIONS, NODES)[:3]
    assert (cpu.memory_mb, cpu.gpus_per_node, cpu.max_nodes, cpu.features) == (16000, None, 4, ["cpu"])
    assert (big.memory_mb, big.gpus_per_node, big.max_nodes, big.features) == (64000, None, 1, ["bigmem"])
    assert (gpu.memory_mb, gpu.gpus_per_node, gpu.gpu_type, gpu.max_nodes) == (32000, 2, "a100", 1)
    assert cpu.description == "2 of its 4 nodes"


def test_limits_of_a_partition_count():
    wide = next(part for part in partitions(PARTITIONS, NODES) if part.name == "wide")
    assert (wide.cpus_per_node, wide.memory_mb, wide.min_nodes, wide.max_nodes) == (6, 8000, 2, 3)
    assert (wide.shared, wide.default_qos, wide.max_walltime_secs) == (False, "normal", LONGEST_S)
    assert wide.description == "3 of its 4 nodes, only for accounts testacct"


def test_nodes_that_differ_little_are_one_kind_with_what_the_smallest_has():
    (part,) = one("3|64|191000|(null)|a,b|900000 2|48|190000|(null)|b,c|450000 1|64|193000|(null)|b|900000")
    assert (part.cpus_per_node, part.memory_mb, part.local_disk_gb, part.max_nodes) == (48, 190000, 439, 6)
    assert (part.features, part.description) == (["b"], "")


@pytest.mark.parametrize(
    ("gres", "gpus", "kind"),
    [
        ("(null)", None, None),
        ("gpu:2", 2, None),
        ("gpu:a100:4(S:0-1)", 4, "a100"),
        ("nvme:1,gpu:h100:4(S:0,3)", 4, "h100"),
        ("gpu:a100:2,gpu:v100:6", 8, None),
        ("gpu:3g.20gb:8", 8, "3g.20gb"),
        ("gpubandwidth:100", None, None),
    ],
)
def test_gpus_are_counted(gres, gpus, kind):
    (part,) = one(f"1|8|16000|{gres}|x|0")
    assert (part.gpus_per_node, part.gpu_type) == (gpus, kind)


def test_the_qos_of_a_partition_is_not_one_of_jobs():
    assert one("1|8|16000|(null)|x|0", QoS="p_limits")[0].default_qos is None
    assert one("1|8|16000|(null)|x|0", AllowQos="long,short")[0].default_qos is None
    assert one("1|8|16000|(null)|x|0", AllowQos="long")[0].default_qos == "long"


@pytest.mark.parametrize("said", [{"State": "DOWN"}, {"State": "DRAIN"}, {"MinNodes": "5"}])
def test_what_cannot_be_used_is_left_out(said):
    assert one("4|8|16000|(null)|x|0", **said) == []
    assert one("0|0|0|(null)|(null)|0") == []


def test_jobs_are_planned_on_the_kinds_of_nodes():
    profile = Profile(name="live", display_name="live", partitions=partitions(PARTITIONS, NODES))

    def place(*need: int) -> tuple[str, int]:
        found = best(profile, Need(*need))
        assert found is not None
        return found.name, found.memory_mb

    assert place(1, 500, 300) == ("standard", 16000)
    assert place(8, 30000, 300) == ("standard", 64000)
    assert place(1, 500, 300, 1) == ("standard", 32000)
    assert best(profile, Need(1, 500, 2 * 86400)) is None


def test_a_cluster_is_known_again_by_a_variable_or_by_its_hosts():
    assert sign_of({"CLUSTER_NAME": "c"}, "login1") == Detection(type="env_var", name="CLUSTER_NAME", value="c")
    sign = sign_of({}, "login-01.site.edu")
    profile = Profile(name="c", display_name="C", detection=[sign])
    assert detected([profile], {}, "login-12.site.edu") is not None
    assert detected([profile], {}, "login-12xsite.edu") is None
