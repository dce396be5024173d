"""Every call of Slurm's programs, and nothing else: another batch system is another file like this.

Programs are found on PATH. TORC_FAKE_SBATCH, TORC_FAKE_SQUEUE and so on name another program instead.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from torc.errors import TorcError

PATIENCE_S = 120.0
"""How long a program may take; a busy controller answers within a minute or never."""

TRANSIENT = re.compile(
    r"unable to contact slurm controller|socket timed out|temporarily|try again|connection refused|"
    r"QOSMaxSubmitJob|AssocMaxSubmitJob|job violates accounting/QOS policy .*submit|"
    r"slurm controller not responding|invalid authentication credential|communications connection failure|"
    r"unexpected message received|zero bytes were transmitted",
    re.IGNORECASE,
)
"""Complaints of sbatch about what may be different in a moment; everything else will be refused again."""

QUEUE_FORMAT = "%i|%T|%r|%j"

STATES = {
    "PENDING": "pending",
    "CONFIGURING": "pending",
    "REQUEUED": "pending",
    "REQUEUE_FED": "pending",
    "REQUEUE_HOLD": "pending",
    "RESV_DEL_HOLD": "pending",
    "SPECIAL_EXIT": "pending",
    "RUNNING": "active",
    "COMPLETING": "active",
    "STAGE_OUT": "active",
    "STOPPED": "active",
    "SUSPENDED": "active",
    "SIGNALING": "active",
    "RESIZING": "active",
    "COMPLETED": "complete",
    "CANCELLED": "canceled",
    "REVOKED": "canceled",
}
"""What Slurm's words for a job mean for an allocation; all others are failures: TIMEOUT, NODE_FAIL, PREEMPTED, ..."""


class SubmitFailed(TorcError):
    """sbatch refused. ``is_transient``: the same may be accepted in a moment."""

    def __init__(self, message: str, *, is_transient: bool) -> None:
        super().__init__(message)
        self.is_transient = is_transient


class Queued(NamedTuple):
    """A job that Slurm has in its queue, running ones included."""

    job_id: int
    state: str  # Slurm's word
    reason: str
    name: str


class JobNow(NamedTuple):
    """A job of which Slurm still knows all."""

    state: str  # Slurm's word
    reason: str
    ends_at: datetime | None  # at the latest


class Ending(NamedTuple):
    """What the accounts say of a job."""

    job_id: int
    state: str  # Slurm's word
    reason: str  # for people: the state as Slurm words it, with the exit code of a failure
    exit_code: str  # code:signal
    started: datetime | None
    ended: datetime | None
    name: str


def status_of(state: str) -> str:
    """The status of an allocation whose job is in this state."""
    return STATES.get(state.partition(" ")[0].rstrip("+"), "failed")


def is_available() -> bool:
    """Whether jobs can be submitted from this machine."""
    return shutil.which(_program("sbatch")) is not None


def require(program: str) -> None:
    """TorcError where the program is not there."""
    if shutil.which(_program(program)) is None:
        raise TorcError(
            f"there is no {program} on PATH; work on a login node of the cluster, or load the module that brings Slurm."
        )


def submit(path: Path) -> int:
    """Submit a script; the number of the job. Raises SubmitFailed."""
    try:
        said = _run("sbatch", str(path))
    except _Refused as error:
        raise SubmitFailed(
            f"sbatch refused {path.name}: {error.said}", is_transient=bool(TRANSIENT.search(error.said))
        ) from error
    found = re.search(r"Submitted batch job (\d+)", said)
    if found is None:
        raise SubmitFailed(f"sbatch did not say which job it made: {_last_line(said)!r}", is_transient=False)
    return int(found[1])


def queue() -> list[Queued]:
    """All jobs of this user, in one call."""
    lines = _run("squeue", "--noheader", f"--user={os.getuid()}", f"--format={QUEUE_FORMAT}").splitlines()
    found = []
    for line in lines:
        job_id, _, rest = line.strip().partition("|")
        state, _, rest = rest.partition("|")
        reason, _, name = rest.partition("|")
        if job_id.isdecimal() and state:  # not the tasks of arrays, which are not ours
            found.append(Queued(int(job_id), state, "" if reason == "None" else reason, name))
    return found


def ended(job_ids: Sequence[int] = (), names: Sequence[str] = (), *, since: datetime | None = None) -> list[Ending]:
    """What the accounts say of jobs, by number or by name (since a time); the last run of each that was requeued.

    Jobs that the accounts do not know yet, as happens within some seconds of a start, are left out. TorcError where
    there are no accounts.
    """
    found: list[Ending] = []
    if job_ids:
        found += _accounts(f"--jobs={','.join(map(str, job_ids))}")
    if names:
        start = [] if since is None else [f"--starttime={since.astimezone():%Y-%m-%dT%H:%M:%S}"]
        found += _accounts(f"--name={','.join(names)}", *start)
    return found


def _accounts(*which: str) -> list[Ending]:
    fields = "JobIDRaw,State,ExitCode,Start,End,JobName"
    lines = _run("sacct", "--noheader", "--parsable2", "--allocations", f"--format={fields}", *which).splitlines()
    found = []
    for line in lines:
        job_id, state, exit_code, started, over, name = [*line.split("|", 5), *[""] * 5][:6]
        if job_id.isdecimal():
            word = state.partition(" ")[0].rstrip("+")
            reason = (
                state if word in ("COMPLETED", "RUNNING", "PENDING") or exit_code == "0:0" else f"{state} {exit_code}"
            )
            found.append(Ending(int(job_id), word, reason, exit_code, _moment(started), _moment(over), name))
    return found


def cancel(job_ids: Iterable[int]) -> None:
    """Give jobs back. What has ended is not an error."""
    numbers = [str(job_id) for job_id in job_ids]
    if numbers:
        try:
            _run("scancel", *numbers)
        except _Refused as error:
            if "Invalid job id" not in error.said:
                raise


def look_at(job_id: int) -> JobNow:
    """How a job stands that has not ended, or just has."""
    said = _run("scontrol", "show", "job", "--oneliner", str(job_id))
    found = dict(re.findall(r"\b(JobState|Reason|EndTime)=(\S+)", said))
    reason = found.get("Reason", "None")
    return JobNow(found.get("JobState", ""), "" if reason == "None" else reason, _moment(found.get("EndTime", "")))


def granted_memory_bytes(job_id: int, node: str) -> int | None:
    """What a running job may use of the memory of one of its nodes; None where Slurm does not count memory."""
    said = _run("scontrol", "show", "job", "--details", "--oneliner", str(job_id))
    for nodes, megabytes in re.findall(r"\bNodes=(\S+) CPU_IDs=\S* Mem=(\d+)", said):
        if int(megabytes) and node in host_names(nodes):
            return int(megabytes) * 1024**2
    return None


def kill_wait_s() -> float | None:
    """How long after SIGTERM Slurm sends SIGKILL to a job that it ends; None when it does not say."""
    found = re.search(r"^KillWait\s*=\s*(\d+)", _run("scontrol", "show", "config"), re.MULTILINE)
    return float(found[1]) if found else None


def host_names(node_list: str) -> list[str]:
    """``node[1-3]`` as names."""
    if re.fullmatch(r"[^][,]+", node_list):
        return [node_list]
    return _run("scontrol", "show", "hostnames", node_list).split()


def accounting_json(job_id: int) -> str:
    """What sacct knows of a job and its steps, as it came."""
    return _run("sacct", f"--jobs={job_id}", "--json")


def exit_codes(job_id: int) -> dict[str, str]:
    """``code:signal`` of a job and its steps, by ``7`` and ``7.batch``; the JSON of Slurm 22.05 has wrong ones."""
    lines = _run("sacct", "--noheader", "--parsable2", f"--jobs={job_id}", "--format=JobID,ExitCode").splitlines()
    return dict(line.split("|", 1) for line in lines if "|" in line)


def partitions_text() -> str:
    """A line for each partition of the cluster."""
    return _run("scontrol", "show", "partition", "--oneliner")


def nodes_text() -> str:
    """``partition|nodes|CPUs|memory MB|gres|features|temporary disk MB``, a line for each kind of node."""
    return _run("sinfo", "--noheader", "--exact", "--format=%R|%D|%c|%m|%G|%f|%d")


def cluster_name() -> str | None:
    """What the cluster calls itself."""
    found = re.search(r"^ClusterName\s*=\s*(\S+)", _run("scontrol", "show", "config"), re.MULTILINE)
    return found[1] if found else None


class _Refused(TorcError):
    """A program ended with an error; ``said`` is its complaint."""

    def __init__(self, message: str, said: str) -> None:
        super().__init__(message)
        self.said = said


def _program(name: str) -> str:
    return os.environ.get(f"TORC_FAKE_{name.upper()}") or name


def _run(name: str, *arguments: str) -> str:
    """What a program prints. TorcError when it is not there, does not answer, or refuses."""
    require(name)
    try:
        done = subprocess.run(
            [_program(name), *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE_S,
            env=_environment(),
        )
    except subprocess.TimeoutExpired as error:
        raise _Refused(f"{name} did not answer within {PATIENCE_S:.0f} s.", "try again") from error
    except OSError as error:
        raise TorcError(f"cannot run {name}: {error.strerror}.") from error
    if done.returncode:
        said = _last_line(done.stderr or done.stdout) or f"exit code {done.returncode}"
        raise _Refused(f"{name} failed: {said}", said)
    return done.stdout


def _environment() -> dict[str, str]:
    """What the programs and, through sbatch, later allocations see of ours.

    Inside a job, Slurm's variables are about that job and ours about its runner; a job that is submitted there is not
    part of either.
    """
    kept = {"SLURM_CONF", "TORC_CONFIG"}
    environ = {
        name: value
        for name, value in os.environ.items()
        if name in kept or not name.startswith(("SLURM_", "TORC_")) or name.startswith(("TORC_CLIENT__", "TORC_FAKE_"))
    }
    return {**environ, "LC_ALL": "C"}


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def _moment(text: str) -> datetime | None:
    """A time as Slurm prints it, which is local; None for Unknown and N/A."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        return None
