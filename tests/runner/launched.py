"""Jobs started by hand, without server and loop, and what is left of them."""

from pathlib import Path

from torc.models.sync import FinishedJob, SyncJob
from torc.runner import processes
from torc.runner.child import Child, Ending
from torc.runner.report import report_end
from torc.runner.watch import Watch


def job(
    command: str, *, id: int = 5, attempt_id: int = 1, script: str | None = None, outputs: tuple[Path, ...] = ()
) -> SyncJob:
    return SyncJob(
        id=id,
        name="the job",
        command=command,
        invocation_script=script,
        run_id=3,
        attempt_id=attempt_id,
        num_cpus=2,
        num_gpus=0,
        num_nodes=1,
        memory_bytes=1 << 20,
        runtime_s=60,
        output_files=[(index, path.name, str(path)) for index, path in enumerate(outputs, start=1)],
    )


def told(child: Child, ending: Ending) -> FinishedJob:
    """What the server is told, when nobody measures and limits."""
    unobserved = Watch(None, enforce_runtime=False, cgroups=None).end(child, ending)
    return report_end(child, ending, unobserved)


def is_alive(pid: int) -> bool:
    process = processes.look_at(pid)
    return process is not None and not process.is_dead


def marked(node_mark: str) -> list[int]:
    """What runs of the jobs of a node, wherever it is."""
    return [
        pid
        for pid in processes.look()
        if is_alive(pid) and any(mark.startswith(node_mark) for mark in processes.marks_of(pid) or ())
    ]
