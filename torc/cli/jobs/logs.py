"""``torc jobs logs``: which file holds the output of an attempt, and where it lies."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple, cast

from torc.cli.command import argument, command, flag, number
from torc.cli.jobs.show import JOB_ID
from torc.cli.jobs.tail import Follower, whole_or_end
from torc.cli.output import Document
from torc.errors import NotFound, UsageError
from torc.models.job import Job
from torc.models.status import JobStatus
from torc.workflow import stdio

if TYPE_CHECKING:
    from torc.client.api import Client

DEFAULT_FOLDER = Path("output")
WAITING = {JobStatus.BLOCKED, JobStatus.READY, JobStatus.PENDING, JobStatus.RUNNING}


class Attempt(NamedTuple):
    """One of the times that a job was run."""

    run_id: int
    attempt_id: int


class Wanted(NamedTuple):
    """What the user wants to see of a job."""

    extension: str
    run_id: int | None  # the latest
    attempt_id: int | None  # the latest
    folder: Path | None  # where the runner says


def _wanted_of(arguments: dict[str, Any]) -> dict[str, Any]:
    if arguments["out"] and arguments["err"]:
        raise UsageError("--out and --err: one of them at a time.")
    folder = arguments["output_dir"]
    extension = (stdio.RECOVERY if arguments["recovery"] else "") + ("e" if arguments["err"] else "o")
    return {
        "job_id": arguments["job_id"],
        "wanted": Wanted(extension, arguments["run"], arguments["attempt"], None if folder is None else Path(folder)),
        "follow": arguments["follow"],
        "tail": arguments["tail"],
    }


@command(
    "jobs logs",
    JOB_ID,
    flag("-f", "--follow", help="go on until the job has ended, also with its next attempts"),
    flag("--out", help="what it wrote to stdout (default)"),
    flag("--err", help="what it wrote to stderr"),
    flag("--recovery", help="what the recovery script before the attempt wrote"),
    argument("--attempt", metavar="N", type=number(1), help="this attempt, not the latest"),
    argument("--run", metavar="N", type=number(0), help="an attempt of this run of the workflow, not of the latest"),
    argument(
        "-o",
        "--output-dir",
        "--output",
        metavar="DIR",
        help="the output folder of the run (default: the one that its runner has used)",
    ),
    argument("-n", "--tail", metavar="LINES", type=number(0), help="only the last lines"),
    prepare=_wanted_of,
    examples=(
        "torc jobs logs 12",
        "torc jobs logs 12 -f --err   # until the job has ended",
        "torc jobs logs 12 --attempt 1 --tail 20",
    ),
)
def logs(torc: "Client", job_id: int, *, wanted: Wanted, follow: bool, tail: int | None) -> Document:
    """Print what a job wrote, byte by byte.

    The output is in a file on the machine that ran the job, so this machine has to see that file.
    """
    source = Source(torc, job_id, wanted)
    if follow:
        return Document(content=cast(BinaryIO, Follower(source, tail)))  # only read() of it is used
    if not source.has_attempt or not (path := source.path()).exists():
        raise NotFound(source.missing())
    content, size = whole_or_end(path, tail)
    other = path.with_suffix(".o" if wanted.extension.endswith("e") else ".e")
    remark = None
    if not size and other.exists() and other.stat().st_size:
        remark = f"Nothing there, but in {other}; see {'--out' if wanted.extension.endswith('e') else '--err'}."
    return Document(content=content, remark=remark)


def _latest_of(job: Job) -> Attempt | None:
    return Attempt(job.run_id, job.attempt_id) if job.run_id is not None and job.attempt_id else None


class Source:
    """Where the wanted output of a job is, as far as the server knows it at the last ``refresh``."""

    def __init__(self, torc: "Client", job_id: int, wanted: Wanted) -> None:
        self._torc = torc
        self._wanted = wanted
        self._job = torc.jobs.get(job_id)
        self._known_folders: list[Path] = []
        self._attempt = self._choose(self._job)
        if self._attempt is None and self._job.status not in WAITING:
            raise NotFound(self._never_ran())

    def refresh(self) -> None:
        """Ask again which attempt it is."""
        assert self._job.id is not None  # the server has sent it
        self._job = self._torc.jobs.get(self._job.id)
        self._known_folders = []

    def is_over(self) -> bool:
        """Whether nothing more will be written to the file of ``path``."""
        latest = _latest_of(self._job)
        is_past = latest is not None and (self._attempt is None or latest > self._attempt)
        return is_past or self._job.status not in WAITING

    def advance(self) -> bool:
        """Go to a later attempt, if there is one to be shown."""
        latest = self._choose(self._job)
        if latest is None or latest == self._attempt:
            return False
        self._attempt = latest
        self._known_folders = []
        return True

    @property
    def is_running(self) -> bool:
        """Whether a runner says so: the file should be there."""
        return self._job.status == JobStatus.RUNNING

    @property
    def has_attempt(self) -> bool:
        """Whether the job has been handed out at all."""
        return self._attempt is not None

    def _choose(self, job: Job) -> Attempt | None:
        """The attempt that the user means; NotFound when there was no such one."""
        wanted = self._wanted
        latest = _latest_of(job)
        if latest is None or wanted.run_id is None and wanted.attempt_id is None:
            return latest
        run_id = latest.run_id if wanted.run_id is None else wanted.run_id
        if wanted.attempt_id is not None:
            return Attempt(run_id, wanted.attempt_id)
        if latest.run_id == run_id:
            return latest
        tries = [result.attempt_id or 1 for result in self._results() if result.run_id == run_id]
        if not tries:
            raise NotFound(f"job {job.id} '{job.name}' was not run in run {run_id} of workflow {job.workflow_id}.")
        return Attempt(run_id, max(tries))

    def _results(self) -> list[Any]:
        job = self._job
        return list(self._torc.results.list(job.workflow_id, job_id=job.id, all_runs=True))

    def _node_id(self) -> int | None:
        """Who ran the attempt, or runs it."""
        job = self._job
        if self._attempt == (job.run_id, job.attempt_id) and job.active_compute_node_id:
            return job.active_compute_node_id
        for result in self._results():
            if (result.run_id, result.attempt_id or 1) == self._attempt:
                return result.compute_node_id or None
        return None

    def path(self) -> Path:
        """The file of the attempt; where it is expected if there is none."""
        assert self._attempt is not None and self._job.id is not None
        name = stdio.file_name(
            workflow_id=self._job.workflow_id,
            job_id=self._job.id,
            run_id=self._attempt.run_id,
            attempt_id=self._attempt.attempt_id,
            extension=self._wanted.extension,
        )
        places = [stdio.folder(folder) / name for folder in self._folders()]
        return next((path for path in places if path.exists()), places[0])

    def _folders(self) -> list[Path]:
        """A runner of ours keeps its spool in its output folder, and tells the server where that is."""
        if self._wanted.folder is not None:
            return [self._wanted.folder]
        if not self._known_folders:
            node_id = self._node_id()
            spool = None if node_id is None else self._torc.compute_nodes.get(node_id).spool_path
            self._known_folders = [*([Path(spool).parent] if spool else []), DEFAULT_FOLDER]
        return self._known_folders

    def missing(self) -> str:
        """A sentence about a file that is not there."""
        if self._attempt is None:
            return self._never_ran()
        node_id = self._node_id()
        host = None if node_id is None else self._torc.compute_nodes.get(node_id).hostname
        run_id, attempt_id = self._attempt
        ran = f"on {host}" if host else "by a runner that is not known"
        script = "the recovery script before attempt" if stdio.RECOVERY in self._wanted.extension else "attempt"
        return (
            f"{self.path()} does not exist; {script} {attempt_id} of job {self._job.id} in run {run_id} was run {ran}: "
            "look there, or say with --output-dir where the output of that run is."
        )

    def _never_ran(self) -> str:
        job = self._job
        return f"job {job.id} '{job.name}' is {job.status} and has never been run; torc jobs explain {job.id} says why."
