"""The script that is given to the batch system, and the files it needs."""

import os
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

from torc.errors import TorcError, UsageError
from torc.models.scheduler import SlurmScheduler
from torc.units import format_walltime, parse_walltime

RUNNER = "torc-slurm-job-runner"
PASSWORD_FILE = "password"


# At SIGTERM, srun kills what it runs, so Slurm is asked to pass the signal on. `wait` returns at a signal, too.
PASSING_SIGNALS_ON = (
    "trap 'scancel --quiet --signal=TERM $SLURM_JOB_ID' TERM USR1 USR2",
    "{command} &",
    "while wait $!; code=$?; [ $code -gt 128 ] && kill -0 $! 2>/dev/null; do :; done",
    "exit $code",
)


def script_text(
    scheduler: SlurmScheduler,
    *,
    job_name: str,
    output_dir: Path,
    api_url: str,
    workflow_id: int,
    poll_interval_s: int,
    max_parallel_jobs: int | None = None,
    worker_per_node: bool = False,
    username: str | None = None,
    password_file: Path | None = None,
) -> str:
    """A bash script that asks for an allocation of ``scheduler`` and becomes the runner in it.

    ``output_dir`` is absolute. The same arguments give the same text. The shell is replaced by the runner, or passes on
    what is sent to it, so that a signal for the batch shell (``--signal=B:TERM@300``) reaches the jobs.
    """
    command = [RUNNER, "$TORC_URL", str(workflow_id), shlex.quote(str(output_dir))]
    command += ["--poll-interval", str(poll_interval_s)]
    if max_parallel_jobs is not None:
        command += ["--max-parallel-jobs", str(max_parallel_jobs)]
    lines = ["#!/bin/bash", *_directives(scheduler, job_name, output_dir), ""]
    lines.append(f'export PATH="$PATH":{shlex.quote(os.path.dirname(sys.executable))}')
    if username is not None:
        lines.append(f"export TORC_USERNAME={shlex.quote(username)}")
    if password_file is not None:
        lines.append(f"export TORC_PASSWORD_FILE={shlex.quote(str(password_file))}")
    lines += [f"TORC_URL={shlex.quote(api_url)}", ""]
    if worker_per_node:
        # One runner on each node, with all that the node gives; their jobs may start steps beside it.
        lines.append("unset SLURM_MEM_PER_CPU SLURM_MEM_PER_GPU")
        srun = "srun --nodes=$SLURM_JOB_NUM_NODES --ntasks-per-node=1 --cpus-per-task=$SLURM_CPUS_ON_NODE"
        command.insert(0, f"{srun} --overlap --kill-on-bad-exit=0")
        lines += [part.format(command=" ".join(command)) for part in PASSING_SIGNALS_ON]
    else:
        lines.append(f"exec {' '.join(command)}")
    return "\n".join(lines) + "\n"


def _directives(scheduler: SlurmScheduler, job_name: str, output_dir: Path) -> Iterator[str]:
    folder = str(output_dir).replace("%", "%%")  # which begins a pattern of Slurm's
    named = {
        "account": scheduler.account,
        "job-name": job_name,
        "time": walltime(scheduler.walltime),
        "output": f"{folder}/slurm_output_%j.o",
        "error": f"{folder}/slurm_output_%j.e",
        "nodes": scheduler.nodes,
        "ntasks-per-node": scheduler.ntasks_per_node,
        "partition": scheduler.partition,
        "qos": scheduler.qos,
        "gres": scheduler.gres,
        "mem": scheduler.mem,
        "tmp": scheduler.tmp,
    }
    for name, value in named.items():
        if value is not None:
            yield f"#SBATCH --{name}={_quoted(name, str(value))}"
    for option in _extra_options(scheduler):
        yield f"#SBATCH {option}"


def walltime(text: str) -> str:
    """A time as sbatch takes it: ``2h``, which it does not know, becomes ``02:00:00``. Raises UsageError."""
    try:
        return format_walltime(parse_walltime(text))
    except ValueError as error:
        raise UsageError(f"walltime {text!r}: {error}.") from error


def _quoted(name: str, value: str) -> str:
    """Slurm reads quotes in these lines as a shell does."""
    if not value.isprintable():
        raise UsageError(f"{name} {value!r} of a Slurm scheduler must be one line of printable text.")
    return value if re.fullmatch(r"[\w@%+=:,./*~\[\]-]+", value) else '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'


def _extra_options(scheduler: SlurmScheduler) -> list[str]:
    """``--a=b --c d`` as lines of their own: an option, with the words that belong to it."""
    if not scheduler.extra:
        return []
    try:
        words = shlex.split(scheduler.extra)
    except ValueError as error:
        raise UsageError(f"extra {scheduler.extra!r} of a Slurm scheduler: {error}.") from error
    options: list[str] = []
    for word in words:
        if word.startswith("-"):
            name, separator, value = word.partition("=")
            options.append(f"{name}{separator}{_quoted('extra', value)}" if separator else _quoted("extra", word))
        elif options:
            options[-1] += f" {_quoted('extra', word)}"
        else:
            raise UsageError(
                f"extra {scheduler.extra!r} of a Slurm scheduler has to begin with an option, such as --x=y."
            )
    return options


def write_password(folder: Path, password: str | None) -> Path | None:
    """Keep the password where only this user reads it, for the runners; None without one. Raises TorcError."""
    if password is None:
        return None
    path = folder / ".torc" / PASSWORD_FILE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{PASSWORD_FILE}.{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "w") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(f"{password}\n")
        draft.replace(path)
    except OSError as error:
        raise TorcError(f"cannot write {path}: {error.strerror}; choose another folder with --output.") from error
    return path
