"""The cluster that we are on: its partitions, read from what Slurm's programs print, and a sign to know it by."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from torc.hpc.profile import Detection, Partition
from torc.units import parse_walltime

LONGEST_S = 365 * 86400
"""For a partition without a limit: a time that nobody asks for."""

ALIKE = 1.5
"""Nodes of a partition whose memory differs by less than this factor count as one kind, that of the smallest."""

GRES = re.compile(r"(?:^|,)gpu(?::(?P<type>[^:,()]*[^:,()\d][^:,()]*))?:(?P<count>\d+)")
"""``gpu:4``, ``gpu:a100:4(S:0-1)``. A type is never a number."""

VARIABLES = ("CLUSTER_NAME", "SLURM_CLUSTER", "LMOD_SYSTEM_NAME")
"""Not SLURM_CLUSTER_NAME, which Slurm sets only inside of jobs."""

LIMITED_TO = {"AllowAccounts": "accounts", "AllowGroups": "groups"}


class Nodes(NamedTuple):
    """Nodes of a partition that are the same."""

    number: int
    cpus: int
    memory_mb: int
    gpus: int
    gpu_type: str | None
    features: frozenset[str]
    disk_mb: int

    def are_at_least(self, other: "Nodes") -> bool:
        """Whether what fits on ``other`` fits on these, too."""
        has_gpus = self.gpus >= other.gpus and other.gpu_type in (None, self.gpu_type)
        return has_gpus and self.cpus >= other.cpus and self.memory_mb >= other.memory_mb


def partitions(partitions_text: str, nodes_text: str) -> list[Partition]:
    """The partitions that are up and have nodes, the default one first; the texts are those of torc/hpc/slurm.py.

    A partition of several kinds of nodes is in the list once for each: Slurm finds the nodes by what is asked for.
    """
    nodes: dict[str, list[Nodes]] = {}
    for line in nodes_text.splitlines():
        name, *fields = line.strip().split("|")
        if len(fields) == 6 and _number(fields[0]):
            nodes.setdefault(name, []).append(_nodes(*fields))
    found = []
    for line in partitions_text.splitlines():
        said = dict(re.findall(r"(\w+)=(\S*)", line))
        name = said.get("PartitionName", "")
        if name in nodes and said.get("State", "UP") == "UP":
            usable = [_limited(one, said) for one in nodes[name]]
            found += [_partition(name, said, kind, usable) for kind in _kinds(usable)]
    found = [one for one in found if (one.min_nodes or 1) <= (one.max_nodes or 1)]
    return sorted(found, key=lambda one: one.requires_explicit_request)


def _nodes(number: str, cpus: str, memory_mb: str, gres: str, features: str, disk_mb: str) -> Nodes:
    gpus = GRES.findall(gres)
    types = {kind for kind, _ in gpus}
    return Nodes(
        number=_number(number),
        cpus=_number(cpus),
        memory_mb=_number(memory_mb),
        gpus=sum(int(count) for _, count in gpus),
        gpu_type=types.pop() or None if len(types) == 1 else None,
        features=frozenset(features.split(",")) - {"(null)", ""},
        disk_mb=_number(disk_mb),
    )


def _limited(nodes: Nodes, said: Mapping[str, str]) -> Nodes:
    """What a job may have of them."""
    return nodes._replace(
        cpus=min(nodes.cpus, _limit(said, "MaxCPUsPerNode") or nodes.cpus),
        memory_mb=min(nodes.memory_mb, _limit(said, "MaxMemPerNode") or nodes.memory_mb),
    )


def _kinds(nodes: list[Nodes]) -> Iterator[Nodes]:
    """The nodes put together that are alike, each kind with what its smallest ones have."""
    alike: list[list[Nodes]] = []
    for one in sorted(nodes, key=lambda one: (one.gpus, one.gpu_type or "", one.memory_mb)):
        first = alike[-1][0] if alike else None
        same_gpus = first is not None and (first.gpus, first.gpu_type) == (one.gpus, one.gpu_type)
        if first is not None and same_gpus and one.memory_mb < first.memory_mb * ALIKE:
            alike[-1].append(one)
        else:
            alike.append([one])
    for members in alike:
        yield members[0]._replace(
            number=sum(one.number for one in members),
            cpus=min(one.cpus for one in members),
            features=frozenset.intersection(*(one.features for one in members)),
            disk_mb=min(one.disk_mb for one in members),
        )


def _partition(name: str, said: Mapping[str, str], kind: Nodes, nodes: list[Nodes]) -> Partition:
    total = sum(one.number for one in nodes)
    usable = sum(one.number for one in nodes if one.are_at_least(kind))
    remarks = [f"{kind.number} of its {total} nodes"] if kind.number < total else []
    remarks += [f"only for {what} {said[key]}" for key, what in LIMITED_TO.items() if said.get(key, "ALL") != "ALL"]
    return Partition(
        name=name,
        description=", ".join(remarks),
        cpus_per_node=kind.cpus,
        memory_mb=kind.memory_mb,
        max_walltime_secs=_walltime(said.get("MaxTime", "")),
        max_nodes=min(usable, _limit(said, "MaxNodes") or usable),
        min_nodes=least if (least := _limit(said, "MinNodes") or 0) > 1 else None,
        gpus_per_node=kind.gpus or None,
        gpu_type=kind.gpu_type,
        local_disk_gb=kind.disk_mb // 1024 or None,
        shared=said.get("OverSubscribe") != "EXCLUSIVE",
        requires_explicit_request=said.get("Default") != "YES",
        default_qos=_qos(said),
        features=sorted(kind.features),
    )


def _qos(said: Mapping[str, str]) -> str | None:
    """The one that jobs must have. QoS= is not for jobs: its limits are the partition's."""
    allowed = said.get("AllowQos", "ALL")
    return None if allowed in ("ALL", "N/A", "(null)", "") or "," in allowed else allowed


def _limit(said: Mapping[str, str], key: str) -> int | None:
    """None for UNLIMITED."""
    return int(said[key]) if said.get(key, "").isdecimal() else None


def _number(text: str) -> int:
    """``8+`` where some have more."""
    digits = text.rstrip("+")
    return int(digits) if digits.isdecimal() else 0


def _walltime(text: str) -> int:
    try:
        return parse_walltime(text) or LONGEST_S
    except ValueError:  # UNLIMITED
        return LONGEST_S


def sign_of(environ: Mapping[str, str], hostname: str) -> Detection:
    """By what this cluster can be known again: a variable that sites set, else how its hosts are numbered."""
    for name in VARIABLES:
        if environ.get(name):
            return Detection(type="env_var", name=name, value=environ[name])
    pattern = re.sub(r"\d+", "[0-9]+", re.escape(hostname))
    return Detection(type="hostname_pattern", pattern=f"^{pattern}$")
