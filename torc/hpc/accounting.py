"""What Slurm's accounts say of an allocation and its steps: rows from sacct's JSON, whose shape has changed often."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec


class AccountRow(NamedTuple):
    """A job or one of its steps. None: the accounts do not say."""

    slurm_job_id: int
    job_step: str
    state: str | None
    exit_code: str | None
    elapsed_s: int | None
    max_rss_bytes: int | None
    cpu_time_s: int | None
    nodes: str | None


def rows(job_id: int, text: str, exit_codes: Mapping[str, str]) -> Iterator[AccountRow]:
    """The job and its steps. ``exit_codes`` by ``job`` or ``job.step`` are true where those of the JSON are not.

    Raises ValueError for what is no JSON, or not sacct's.
    """
    try:
        document = msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise ValueError(f"Invalid JSON output: {error}") from error
    jobs = document.get("jobs") if isinstance(document, dict) else None
    if not isinstance(jobs, list):
        raise ValueError("Invalid JSON output: there are no jobs in it")
    for job in jobs:
        steps = [step for step in job.get("steps") or () if isinstance(step, dict)]
        whole = _row(job_id, str(job.get("name") or ""), job, exit_codes.get(str(job_id)))
        peaks = [peak for step in steps if (peak := _max_rss(step)) is not None]
        yield whole._replace(max_rss_bytes=whole.max_rss_bytes or max(peaks, default=None))
        for step in steps:
            said = step.get("step") or {}
            number = _step_number(said)
            name = str(said.get("name") or number)
            yield _row(job_id, name, step, exit_codes.get(f"{job_id}.{number}"))


def _step_number(said: Mapping[str, Any]) -> str:
    """``batch`` or ``0``; newer ones put it behind the number of the job."""
    identity = said.get("id")
    if isinstance(identity, dict):
        identity = identity.get("step_id")
    return str(_number(identity) if isinstance(identity, dict) else identity).rpartition(".")[2]


def _row(job_id: int, name: str, said: Mapping[str, Any], exit_code: str | None) -> AccountRow:
    time = said.get("time") or {}
    nodes = said.get("nodes")
    return AccountRow(
        slurm_job_id=job_id,
        job_step=name,
        state=_state(said),
        exit_code=exit_code or _exit_code(said.get("exit_code")),
        elapsed_s=_number(time.get("elapsed")),
        max_rss_bytes=_max_rss(said),
        cpu_time_s=_number((time.get("total") or {}).get("seconds")),
        nodes=nodes.get("range") if isinstance(nodes, dict) else nodes or None,
    )


def _state(said: Mapping[str, Any]) -> str | None:
    state = said.get("state", said.get("job_state"))
    if isinstance(state, dict):
        state = state.get("current")
    return ", ".join(map(str, state)) if isinstance(state, list) else state


def _number(value: Any) -> int | None:
    """A number, also where Slurm says beside it whether it is one: ``{"set": true, "number": 3}``."""
    if isinstance(value, dict):
        return value.get("number") if value.get("set", True) and not value.get("infinite") else None
    return value if isinstance(value, int) else None


def _exit_code(said: Any) -> str | None:
    if isinstance(said, dict):
        said = said.get("return_code")
    number = _number(said)
    return None if number is None else str(number)


def _max_rss(said: Mapping[str, Any]) -> int | None:
    tres = said.get("tres") or {}
    requested = tres.get("requested")
    most = requested.get("max") if isinstance(requested, dict) else None
    found = [_number(one.get("count")) for one in most or () if one.get("type") == "mem"]
    return next((count for count in found if count is not None), None)
