"""What is, or would be, done about jobs that did not succeed, and the allocations that are asked for."""

from collections.abc import Iterable, Sequence
from typing import Any

from torc.views.column import Column

SHOWN = 50
"""So many jobs are in the table; the others are counted."""


def _raised(before: str, now: str | None) -> str:
    return before if now is None else f"{before} -> {now}"


TABLE = (
    Column("ID", lambda change: change.failure.job.id),
    Column("Name", lambda change: change.failure.job.name),
    Column("Lacked", lambda change: change.failure.kind),
    Column("Because", lambda change: change.failure.evidence),
    Column("Memory", lambda change: _raised(change.failure.has.memory, change.memory)),
    Column("Runtime", lambda change: _raised(change.failure.has.runtime, change.runtime)),
    Column("Then", lambda change: "stays" if change.stays_because else "runs again"),
)


def staying(changes: Sequence[Any]) -> list[str]:
    """Why jobs do not run again, a line for each reason."""
    reasons: dict[str, list[str]] = {}
    for change in changes:
        if change.stays_because:
            reasons.setdefault(change.stays_because, []).append(change.failure.job.name)
    return [f"{len(names)} job(s) stay as they are ({_first(names)}): {why}" for why, names in reasons.items()]


def _first(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


def allocations(asks: Iterable[Any]) -> list[str]:
    """What is asked for, a line for each scheduler."""
    return [f"  {_ask(ask)}" for ask in asks if ask.jobs]


def _ask(ask: Any) -> str:
    one = ask.scheduler
    what = [f"{one.nodes} node(s)", one.mem or "memory as Slurm grants it", one.walltime]
    what += [f"partition {one.partition}"] if one.partition else []
    made = "" if one.id else ", a new scheduler"
    count = f"{ask.count} of" if ask.count else "none more of"
    return f"{count} {one.name or one.id} for {len(ask.jobs)} job(s): {', '.join(what)}{made}"


def as_document(change: Any) -> dict[str, Any]:
    """For JSON."""
    failure, result = change.failure, change.failure.result
    return {
        "job_id": failure.job.id,
        "name": failure.job.name,
        "status": failure.job.status,
        "lacked": failure.kind,
        "evidence": failure.evidence,
        "return_code": None if result is None else result.return_code,
        "peak_memory_bytes": None if result is None else result.peak_memory_bytes,
        "memory": failure.has.memory,
        "new_memory": change.memory,
        "runtime": failure.has.runtime,
        "new_runtime": change.runtime,
        "runs_again": change.stays_because is None,
        "stays_because": change.stays_because,
    }


def ask_document(ask: Any) -> dict[str, Any]:
    """For JSON."""
    one = ask.scheduler
    return {
        "scheduler_config_id": one.id,
        "scheduler": one.name,
        "num_allocations": ask.count,
        "job_count": len(ask.jobs),
        **{field: getattr(one, field) for field in ("account", "partition", "nodes", "mem", "walltime", "gres", "qos")},
    }
