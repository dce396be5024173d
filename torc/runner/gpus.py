"""The GPU devices that are this runner's to give out, and the variables that give a job its own."""

import logging
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

logger = logging.getLogger(__name__)

Kind = Literal["cuda", "rocm", "level_zero", "assumed"]

LISTING_TIMEOUT_S = 30
"""The first query after boot loads the driver, which takes seconds on machines with many GPUs."""

DEVICE_ID = re.compile(r"\d+(\.\d+)*|(GPU|MIG)-\S+")
"""An index (``0``; of a tile ``0.1``) or the beginning of a UUID. Anything else, such as ``NoDevFiles``, is none."""

NO_LEVEL_ZERO_DEVICE = "65535"
"""To Level Zero an empty mask means every device; an index that no device has means none."""


@dataclass(frozen=True)
class Devices:
    """GPU devices that jobs may be given, in the order in which they are given out."""

    kind: Kind = "assumed"
    ids: tuple[str, ...] = ()

    def limited_to(self, num_gpus: int | None) -> "Devices":
        """The first ``num_gpus`` of them; when there are fewer, that many are assumed, counted from 0."""
        if num_gpus is None:
            return self
        if num_gpus <= len(self.ids):
            return Devices(self.kind, self.ids[:num_gpus])
        kind: Kind = self.kind if self.ids else "assumed"
        return Devices(kind, tuple(str(index) for index in range(num_gpus)))

    def part(self, index: int, parts: int) -> "Devices":
        """What is left to one of several runners that were granted the same devices."""
        return Devices(self.kind, self.ids[index::parts])

    def environment(self, ids: Sequence[str]) -> dict[str, str]:
        """What makes a job see these devices and no others; with no ``ids``, none.

        The same variables for every job of a node; none of them where the node has no devices.
        """
        if not self.ids:
            return {}
        listed = ",".join(ids)
        # HIP counts what ROCR_VISIBLE_DEVICES leaves, and without its own variable it obeys the one of CUDA.
        rocm = {"ROCR_VISIBLE_DEVICES": listed, "HIP_VISIBLE_DEVICES": ",".join(str(i) for i in range(len(ids)))}
        level_zero = {"ZE_AFFINITY_MASK": listed or NO_LEVEL_ZERO_DEVICE}
        cuda = {"CUDA_VISIBLE_DEVICES": listed}
        return {"cuda": cuda, "rocm": rocm, "level_zero": level_zero, "assumed": cuda | rocm | level_zero}[self.kind]


class Vendor(NamedTuple):
    """How the devices of one kind are listed, and which variables limit them."""

    kind: Kind
    command: tuple[str, ...]
    read: Callable[[str], list[str]]
    variables: tuple[str, ...]  # the first that is set counts


def find(environment: Mapping[str, str]) -> Devices:
    """The devices of this node that ``environment`` leaves to this process. Never fails: what fails has none.

    A variable such as CUDA_VISIBLE_DEVICES limits what is ours; so does Slurm, in whose jobs nothing is ours that it
    did not grant.
    """
    limited = False
    for vendor in VENDORS:
        limit = _limit_of(vendor, environment)
        limited = limited or limit is not None
        listed = _list(vendor, environment)
        ours = listed if limit is None else _visible(limit, listed)
        if ours:
            found = Devices(vendor.kind, tuple(ours))
            return _granted_by_slurm(environment, found) if limit is None else found
    return Devices() if limited else _granted_by_slurm(environment, Devices())


def read_nvidia(listing: str) -> list[str]:
    """Devices in the output of ``nvidia-smi --list-gpus``.

    A GPU that is split up gives its MIG instances, which have no index of their own: then all go by UUID.
    """
    lines = re.findall(r"^(GPU (\d+):| +MIG ).*\(UUID: (\S+)\)", listing, re.MULTILINE)
    if all(start.startswith("GPU") for start, _, _ in lines):
        return [index for _, index, _ in lines]
    found: list[str] = []
    whole = False  # whether the last one found is a GPU of which no part has been listed yet
    for start, _, uuid in lines:
        is_part = not start.startswith("GPU")
        if is_part and whole:
            found.pop()
        found.append(uuid)
        whole = not is_part
    return found


def read_rocm(listing: str) -> list[str]:
    """Devices in the output of ``rocm-smi --showid --json``, among warnings or in the plain form of old versions.

    Its names follow the cards of the machine, where the first may be no AMD device; the runtime counts from 0.
    """
    cards = {json or plain for json, plain in re.findall(r'"card(\d+)"|^GPU\[(\d+)\]', listing, re.MULTILINE)}
    return [str(index) for index in range(len(cards))]


def read_intel(listing: str) -> list[str]:
    """Devices in the output of ``xpu-smi discovery --dump 1``: a heading, then an index per line."""
    return re.findall(r"^\"?(\d+)\"?\s*$", listing, re.MULTILINE)


VENDORS = (
    Vendor("cuda", ("nvidia-smi", "--list-gpus"), read_nvidia, ("CUDA_VISIBLE_DEVICES",)),
    Vendor("rocm", ("rocm-smi", "--showid", "--json"), read_rocm, ("ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES")),
    Vendor("level_zero", ("xpu-smi", "discovery", "--dump", "1"), read_intel, ("ZE_AFFINITY_MASK",)),
)


def _limit_of(vendor: Vendor, environment: Mapping[str, str]) -> str | None:
    limit = next((environment[name] for name in vendor.variables if name in environment), None)
    return None if vendor.kind == "level_zero" and not limit else limit


def _list(vendor: Vendor, environment: Mapping[str, str]) -> list[str]:
    program = shutil.which(vendor.command[0], path=environment.get("PATH", ""))
    if program is None:
        return []
    # The answer must name all devices: what the variables leave of them is found out here.
    asking = {name: value for name, value in environment.items() if name not in vendor.variables}
    try:
        process = subprocess.Popen(
            [program, *vendor.command[1:]],
            env=asking,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            errors="replace",
        )
    except OSError as error:
        logger.warning("%s cannot be asked for GPUs: %s", program, error.strerror)
        return []
    try:
        listing, _ = process.communicate(timeout=LISTING_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        # Not waited for: a program that hangs inside the driver does not even die of SIGKILL.
        process.kill()
        logger.warning("%s did not list GPUs within %d s: none are used", program, LISTING_TIMEOUT_S)
        return []
    return vendor.read(listing) if process.returncode == 0 else []


def _visible(limit: str, listed: list[str]) -> list[str]:
    """What a variable leaves: its entries up to the first that names no device, as the CUDA runtime does it."""
    found: list[str] = []
    for device in (entry.strip() for entry in limit.split(",")):
        beyond = bool(listed) and device.isdigit() and int(device) >= len(listed)
        if beyond or device == NO_LEVEL_ZERO_DEVICE or not DEVICE_ID.fullmatch(device):
            break
        if device not in found:
            found.append(device)
    return found


def _granted_by_slurm(environment: Mapping[str, str], listed: Devices) -> Devices:
    """What a Slurm job may use of the devices listed, when no variable of their runtime says it.

    Slurm counts the devices of the node. Where it hides the others from the job, they are counted anew from 0; then
    no more are listed than were granted.
    """
    grant = next((environment[name] for name in ("SLURM_STEP_GPUS", "SLURM_JOB_GPUS") if name in environment), None)
    if grant is None:
        return Devices() if "SLURM_JOB_ID" in environment else listed
    ids = _read_ranges(grant)
    if not listed.ids:
        return Devices("assumed", ids)
    if len(listed.ids) <= len(ids):
        return listed
    return Devices(listed.kind, tuple(listed.ids[int(index)] for index in ids if int(index) < len(listed.ids)))


def _read_ranges(text: str) -> tuple[str, ...]:
    """The numbers in ``0,2-4``, in this order; what is none is left out."""
    found: list[str] = []
    for first, last in re.findall(r"(?:^|,)\s*(\d+)(?:-(\d+))?(?=\s*(?:,|$))", text):
        found += (str(index) for index in range(int(first), int(last or first) + 1))
    return tuple(dict.fromkeys(found))
