"""``torc hpc``: the clusters that are known, and which of their partitions suit a job."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from torc.cli import toml
from torc.cli.clusters import chosen, here, profiles
from torc.cli.command import argument, command, flag, number
from torc.cli.output import Listing, Message, table
from torc.cli.table import can_show
from torc.errors import TorcError, UsageError
from torc.hpc import live, slurm
from torc.hpc.detect import sign
from torc.hpc.match import Need, best, matching, nearest
from torc.hpc.profile import Detection, Partition, Profile
from torc.rendezvous import host_name
from torc.settings import time_limit
from torc.units import format_walltime, parse_slurm_memory
from torc.views import hpc as views
from torc.views.column import Column

MIB = 1024**2
NOT_HERE = "No known HPC system detected"

PROFILE = argument("cluster", metavar="PROFILE", nargs="?", help="name of a profile (default: of this cluster)")


@command("hpc list", needs_server=False, examples=("torc hpc list",))
def list_profiles() -> Listing:
    """List the clusters that are known."""
    there = here()
    mark = "✓" if can_show("✓") else "Yes"

    def is_here(profile: Profile) -> bool:
        return there is not None and there[0] == profile

    return Listing(
        key=None,
        records=profiles().values(),
        columns=(
            Column("Name", "name"),
            Column("Display Name", "display_name"),
            Column("Partitions", lambda one: len(one.partitions)),
            Column("Detected", is_here, lambda detected: mark if detected else ""),
        ),
        title="Known HPC profiles:\n",
        noun="profiles",
        empty="No HPC profiles are known.",
        as_document=lambda one: {
            "name": one.name,
            "display_name": one.display_name,
            "description": one.description,
            "partition_count": len(one.partitions),
            "detected": is_here(one),
        },
    )


@command("hpc detect", needs_server=False, examples=("torc hpc detect",))
def detect() -> Message:
    """Tell which of the known clusters this is."""
    there = here()
    if there is None:
        names = "".join(f"\n  - {one.title}: {_signs(one)}" for one in profiles().values())
        return Message(says=f"{NOT_HERE}.\n\nKnown systems:{names}", data={"detected": False, "message": NOT_HERE})
    profile, seen = there
    return Message(
        says="\n".join(
            filter(None, [f"Detected HPC system: {profile.title}", profile.description, f"  Detection: {seen}"])
        ),
        data={
            "detected": True,
            "name": profile.name,
            "display_name": profile.display_name,
            "description": profile.description,
        },
    )


def _signs(profile: Profile) -> str:
    return " or ".join(map(sign, profile.detection)) or "never detected"


@command(
    "hpc show",
    argument("profile", metavar="PROFILE", help="see `torc hpc list`"),
    needs_server=False,
    examples=("torc hpc show kestrel",),
)
def show(*, profile: str) -> Message:
    """Show what is known of a cluster."""
    found, there = chosen(profile), here()
    with_gpus = sum(bool(one.gpus_per_node) for one in found.partitions)
    count = len(found.partitions)
    lines = [
        f"HPC Profile: {found.title}",
        *([f"  Description: {found.description}"] if found.description else []),
        f"  Detected: {'Yes' if there and there[0] == found else 'No'}",
        f"  Detection: {_signs(found)}",
        f"  Default account: {found.default_account or '-'}",
        f"  Charge factor, CPU: {found.charge_factor_cpu:g} AU per node-hour",
        f"  Charge factor, GPU: {found.charge_factor_gpu:g} AU per node-hour",
        f"  Partitions: {count} total ({count - with_gpus} CPU, {with_gpus} GPU)",
        *(f"  {key}: {value}" for key, value in found.metadata.items()),
        f"\nSee the partitions with: torc hpc partitions {found.name}",
    ]
    return Message(says="\n".join(lines), data=found)


@command(
    "hpc partitions",
    PROFILE,
    flag("--gpu", help="only those with GPUs"),
    flag("--cpu", help="only those without"),
    flag("--shared", help="only those whose nodes are shared"),
    needs_server=False,
    examples=("torc hpc partitions kestrel", "torc hpc partitions --gpu"),
)
def partitions(*, cluster: str | None, gpu: bool, cpu: bool, shared: bool) -> Listing:
    """List the partitions of a cluster."""
    profile = chosen(cluster, "Name a profile")
    found = [
        one
        for one in profile.partitions
        if (not gpu or one.gpus_per_node) and (not cpu or not one.gpus_per_node) and (not shared or one.shared)
    ]
    return Listing(
        key=None,
        records=found,
        columns=views.PARTITIONS,
        title=f"Partitions for {profile.name}:\n",
        noun="partitions",
        empty=f"{profile.title} has no such partitions.",
    )


def _memory_mb(text: str) -> int:
    try:
        return -(-parse_slurm_memory(text) // MIB)
    except ValueError as error:
        raise UsageError(f"Invalid memory format: {error}. Write it such as 64g or 512m.") from error


def _walltime_s(text: str) -> int:
    try:
        return time_limit(text)
    except ValueError as error:
        raise UsageError(f"Invalid walltime format: {error}. Write it such as 4:00:00, 2h or 1-12:00:00.") from error


@command(
    "hpc match",
    PROFILE,
    argument("--cpus", metavar="N", type=number(1), default=1, help="CPUs on each node (default: 1)"),
    argument("--memory", metavar="SIZE", default="1g", help="memory on each node; a bare number is MB (default: 1g)"),
    argument(
        "--walltime",
        metavar="TIME",
        default="1:00:00",
        help="time, such as 2h or 4:00:00; a bare number is minutes (default: 1:00:00)",
    ),
    argument("--gpus", metavar="N", type=number(0), default=0, help="GPUs on each node"),
    argument("--nodes", metavar="N", type=number(1), default=1, help="nodes (default: 1)"),
    argument("--profile", metavar="NAME", help="the same as PROFILE"),
    needs_server=False,
    examples=("torc hpc match kestrel --cpus 32 --memory 64g --walltime 2h", "torc hpc match --gpus 2"),
)
def match(
    *, cluster: str | None, profile: str | None, cpus: int, memory: str, walltime: str, gpus: int, nodes: int
) -> Message:
    """Find the partitions that can run a job, and the one that it is planned on."""
    if cluster and profile:
        raise UsageError(f"two profiles are given, {cluster} and {profile}; leave out one.")
    system = chosen(profile or cluster, "Name a profile")
    need = Need(cpus, _memory_mb(memory), _walltime_s(walltime), gpus, nodes)
    found, first = matching(system, need), best(system, need)
    data = {
        "profile": system.name,
        "requirements": {
            "cpus": cpus,
            "memory_mb": need.memory_mb,
            "walltime_secs": need.walltime_s,
            "gpus": gpus or None,
            "num_nodes": nodes,
        },
        "matching_partitions": found,
        "best_partition": first,
    }
    return Message(says="\n".join(_match(system, need, found, first)), data=data)


def _match(system: Profile, need: Need, found: list[Partition], first: Partition | None) -> Iterator[str]:
    yield "Requirements:"
    yield f"  CPUs: {need.cpus}"
    yield f"  Memory: {need.memory_mb} MB"
    yield f"  Walltime: {format_walltime(need.walltime_s)}"
    yield from [f"  GPUs: {need.gpus}"] if need.gpus else []
    yield from [f"  Nodes: {need.num_nodes}"] if need.num_nodes > 1 else []
    yield ""
    if not found:
        yield f"No partitions match these requirements on {system.title}: {nearest(system, need)}."
        return
    yield f"Matching partitions on {system.title}:\n"
    columns = (*views.CAPACITY, Column("Notes", lambda one: views.notes_of_match(one, first)))
    yield table(columns, [[column.text(one) for column in columns] for one in found])
    yield f"\nTotal: {len(found)} matching partitions\n"
    if first is None:
        yield f"None of them is for jobs without GPUs; {nearest(system, need)}."
    elif first.requires_explicit_request:
        yield f"Recommended: {first.name} partition (ask for it with --partition={first.name})"
    else:
        yield f"Recommended: {first.name} partition (Slurm chooses it by itself)"


@command(
    "hpc generate",
    argument("--name", metavar="NAME", help="name of the profile (default: as the cluster calls itself)"),
    argument("--account", metavar="NAME", help="account for allocations, as default_account"),
    argument("-o", "--output", metavar="FILE", type=Path, help="write it to a file that is not there yet"),
    needs_server=False,
    examples=("torc hpc generate", "torc hpc generate --name ours --account project7 -o torc.toml"),
)
def generate(*, name: str | None, account: str | None, output: Path | None) -> Message:
    """Write a profile of the cluster we are on, for a configuration file."""
    if name == "":
        raise UsageError("--name is empty; leave it out, or give the profile a name.")
    cluster = slurm.cluster_name()
    found = live.partitions(slurm.partitions_text(), slurm.nodes_text())
    if not found:
        raise TorcError("this cluster has no partition that is up and has nodes; `sinfo` shows what there is.")
    profile = Profile(
        name=name or (cluster or host_name()).lower(),
        display_name=cluster or host_name(),
        detection=[live.sign_of(os.environ, host_name())],
        default_account=account,
        partitions=found,
    )
    text = "\n".join(_tables(profile))
    data = {"name": profile.name, "partitions": found, "toml": text}
    if output is None:
        return Message(says=text, data=data)
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(f"{text}\n")
    except OSError as error:
        raise UsageError(f"cannot write {output}: {error.strerror}; choose a file that is not there yet.") from error
    says = f"Profile {profile.name} with {len(found)} partitions written to {output}"
    return Message(says=says, data=data)


KEYS = {"env_var": "detect_env_var", "hostname_pattern": "detect_hostname", "file_exists": "detect_file"}


def _tables(profile: Profile) -> Iterator[str]:
    """The lines of a configuration file that make this profile."""

    def pairs(values: dict[str, Any]) -> Iterator[str]:
        return (
            f"{key} = {toml.as_value(value)}" for key, value in values.items() if value not in (None, "", [], False)
        )

    above = f"client.hpc.custom_profiles.{toml.as_key(profile.name)}"
    signs = {KEYS[one.type]: _sign_in_file(one) for one in profile.detection}
    yield f"[{above}]"
    yield from pairs({"display_name": profile.display_name, **signs, "default_account": profile.default_account})
    for partition in profile.partitions:
        yield f"\n[[{above}.partitions]]"
        yield from pairs(msgspec.to_builtins(partition))


def _sign_in_file(one: Detection) -> str:
    return f"{one.name}={one.value}" if one.type == "env_var" else one.pattern or one.path or ""
