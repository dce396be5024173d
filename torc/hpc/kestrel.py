"""The cluster Kestrel of NREL; the figures are those of its documentation."""

from typing import Any

from torc.hpc.profile import Detection, Partition, Profile

HOUR, DAY = 3600, 86400


def _cpu(name: str, max_walltime_secs: int, memory_mb: int = 240_000, **more: Any) -> Partition:
    return Partition(name=name, cpus_per_node=104, memory_mb=memory_mb, max_walltime_secs=max_walltime_secs, **more)


def _by_request(name: str, max_walltime_secs: int, **more: Any) -> Partition:
    """One where jobs only get to by its name."""
    return _cpu(name, max_walltime_secs, requires_explicit_request=True, **more)


def _gpu(name: str, max_walltime_secs: int, max_nodes: int) -> Partition:
    return Partition(
        name=name,
        cpus_per_node=128,
        memory_mb=360_000,
        max_walltime_secs=max_walltime_secs,
        max_nodes=max_nodes,
        gpus_per_node=4,
        gpu_type="h100",
        gpu_memory_gb=80,
        local_disk_gb=3400,
        shared=True,
        features=["gpu", "h100"],
    )


DEBUG_GPUS: dict[str, Any] = {"gpus_per_node": 2, "gpu_type": "h100", "gpu_memory_gb": 80}
BIG: dict[str, Any] = {"memory_mb": 2_000_000, "local_disk_gb": 5600, "features": ["bigmem", "nvme"]}
TWO_NETWORK_CARDS: dict[str, Any] = {"min_nodes": 2, "features": ["dual-nic"]}
SHARED: dict[str, Any] = {"shared": True, "features": ["shared"]}

KESTREL = Profile(
    name="kestrel",
    display_name="NREL Kestrel",
    description="NREL's supercomputer, with nodes for CPU and for GPU work",
    detection=[Detection(type="env_var", name="NREL_CLUSTER", value="kestrel")],
    charge_factor_cpu=10.0,
    charge_factor_gpu=100.0,
    metadata={
        "documentation": "https://nrel.github.io/HPC/Documentation/Systems/Kestrel/",
        "support_email": "HPC-Help@nrel.gov",
    },
    partitions=[
        _by_request("debug", HOUR, max_nodes=2, max_nodes_per_user=2, shared=True, features=["debug"], **DEBUG_GPUS),
        _cpu("short", 4 * HOUR, max_nodes=2240),
        _cpu("standard", 2 * DAY, max_nodes=2240, max_nodes_per_user=1050),
        _cpu("long", 10 * DAY, max_nodes=430, max_nodes_per_user=215),
        _cpu("medmem", 10 * DAY, 1_000_000, max_nodes=64, max_nodes_per_user=32, features=["highmem"]),
        _cpu("bigmem", 2 * DAY, max_nodes=10, max_nodes_per_user=4, **BIG),
        _cpu("bigmeml", 10 * DAY, max_nodes=4, max_nodes_per_user=2, **BIG),
        _by_request("hbw", 2 * DAY, max_nodes=512, max_nodes_per_user=256, **TWO_NETWORK_CARDS),
        _by_request("hbwl", 10 * DAY, max_nodes=128, max_nodes_per_user=64, **TWO_NETWORK_CARDS),
        _by_request("nvme", 2 * DAY, max_nodes=256, max_nodes_per_user=128, local_disk_gb=1700, features=["nvme"]),
        _by_request("shared", 2 * DAY, max_nodes=128, max_nodes_per_user=64, **SHARED),
        _by_request("sharedl", 10 * DAY, max_nodes=32, max_nodes_per_user=16, **SHARED),
        _gpu("gpu-h100s", 4 * HOUR, 156),
        _gpu("gpu-h100", 2 * DAY, 156),
        _gpu("gpu-h100l", 10 * DAY, 39),
    ],
)
