"""Starts jobs: a shell with an environment, and files for its output."""

import os
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from torc.models.sync import SyncJob
from torc.runner import processes
from torc.runner.child import Child
from torc.runner.processes import MARK
from torc.workflow import stdio

PYTHON_IGNORES = [signal.SIGPIPE, signal.SIGXFSZ]
"""Signals that this interpreter ignores and a job must not: `yes | head -1` would never end."""

NOT_FOUND, NOT_EXECUTABLE = 127, 126
"""What a shell returns for a command it could not start."""


class SpawnFailed(Exception):
    """A job could not be started at all."""

    def __init__(self, job: SyncJob, error: OSError | ValueError) -> None:
        reason = str(error) if not isinstance(error, OSError) else f"{error.strerror}: {error.filename or 'bash'}"
        super().__init__(f"job {job.name} (id {job.id}) could not be started: {reason}")
        self.return_code = NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE


class Launcher:
    """Starts the jobs of one run with ``bash -c``, their output in files of their own."""

    def __init__(self, output_dir: Path, workflow_id: int, environment: dict[str, str]) -> None:
        self.node_mark = ""  # what the marks of all jobs of this node begin with
        self.oom_score_adj = 0
        self._stdio = stdio.folder(output_dir)
        self._stdio.mkdir(parents=True, exist_ok=True)
        self._workflow_id = workflow_id
        self._environment = {**os.environ, **environment, "PATH": path_with_our_programs()}
        self._bash = find_bash()
        self._outer_marks = f"{os.environ[MARK]} " if MARK in os.environ else ""
        self._null = os.open(os.devnull, os.O_RDWR)

    def start(self, job: SyncJob, environment: Mapping[str, str | None], *, recovers: bool = False) -> Child:
        """Start a job, or with ``recovers`` the script that prepares another try.

        ``environment`` says what is its own; a variable that is None there is taken away.

        Raises SpawnFailed, whose message also stands in the job's error file where one could be made.
        """
        if recovers:
            environment = {**environment, "TORC_RETURN_CODE": str(job.last_return_code)}
            child = self._start(job, job.recovery_script or "", environment, stdio.RECOVERY)
            child.is_recovery = True
            return child
        command = f"{job.invocation_script} {job.command}" if job.invocation_script else job.command
        return self._start(job, command, environment, "")

    def _start(self, job: SyncJob, command: str, granted: Mapping[str, str | None], kind: str) -> Child:
        out = err = None
        mark = f"{self.node_mark}{job.id}-{job.attempt_id}"
        try:
            out = self._create(self.output_path(job, f"{kind}o"))
            err = self._create(self.output_path(job, f"{kind}e"))
            spawning_at = processes.boot_time()
            environment = self._environment_of(job, mark, granted)
            pid = spawn(self._bash, ["-c", command], environment, null=self._null, out=out, err=err)
        except (OSError, ValueError) as error:  # ValueError: a null character in the command
            failure = SpawnFailed(job, error)
            if err is not None:
                os.write(err, f"torc: {failure}\n".encode(errors="replace"))
            raise failure from error
        finally:
            for file in (out, err):
                if file is not None:
                    os.close(file)
        if self.oom_score_adj:
            processes.prefer_for_oom_kill(pid, self.oom_score_adj)
        return Child(job, pid, (spawning_at, processes.boot_time()), mark)

    def _environment_of(self, job: SyncJob, mark: str, granted: Mapping[str, str | None]) -> dict[str, str]:
        environment = self._environment
        environment[MARK] = f"{self._outer_marks}{mark}"
        environment["TORC_JOB_ID"] = str(job.id)
        environment["TORC_JOB_NAME"] = job.name
        environment["TORC_RUN_ID"] = str(job.run_id)
        environment["TORC_ATTEMPT_ID"] = str(job.attempt_id)
        environment["TORC_NUM_CPUS"] = str(job.num_cpus)
        environment["TORC_NUM_GPUS"] = str(job.num_gpus)
        environment["TORC_NUM_NODES"] = str(job.num_nodes)
        environment["TORC_MEMORY_BYTES"] = str(job.memory_bytes)
        if not granted:
            return environment
        return {name: value for name, value in {**environment, **granted}.items() if value is not None}

    def _create(self, path: str) -> int:
        """An empty file for output. Its folder is made again if somebody has removed it."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        try:
            return os.open(path, flags, 0o666)
        except FileNotFoundError:
            self._stdio.mkdir(parents=True, exist_ok=True)
            return os.open(path, flags, 0o666)

    def output_path(self, job: SyncJob, extension: str) -> str:
        """Where the job's stdout (``o``) or stderr (``e``) goes."""
        name = stdio.file_name(
            workflow_id=self._workflow_id,
            job_id=job.id,
            run_id=job.run_id,
            attempt_id=job.attempt_id,
            extension=extension,
        )
        return f"{self._stdio}/{name}"

    @property
    def path(self) -> str:
        """Where jobs look for programs."""
        return self._environment["PATH"]

    def close(self) -> None:
        """Nothing more will be started."""
        os.close(self._null)


def find_bash() -> str:
    """The shell that jobs and actions run in."""
    return shutil.which("bash") or "/bin/bash"


def spawn(bash: str, arguments: Sequence[str], environment: Mapping[str, str], *, null: int, out: int, err: int) -> int:
    """The pid of a shell in a session of its own, with these open files as stdin, stdout and stderr.

    posix_spawn costs half of what subprocess.Popen does, and is as safe beside our threads. Raises OSError, and
    ValueError for a null character in an argument.
    """
    return os.posix_spawn(
        bash,
        ["bash", *arguments],
        environment,
        file_actions=[
            (os.POSIX_SPAWN_DUP2, null, 0),
            (os.POSIX_SPAWN_DUP2, out, 1),
            (os.POSIX_SPAWN_DUP2, err, 2),
        ],
        setsid=True,
        setsigdef=PYTHON_IGNORES,
    )


def path_with_our_programs() -> str:
    """PATH, with the folder of this interpreter's programs last: a job finds `torc`, and its own `python` first."""
    path = os.environ.get("PATH", os.defpath)
    ours = os.path.dirname(sys.executable)
    return path if ours in path.split(os.pathsep) else f"{path}{os.pathsep}{ours}"
