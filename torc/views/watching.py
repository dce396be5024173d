"""What there is to see of a workflow that runs: its state, and the lines that show it within a terminal's size."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from torc.models.event import Event
from torc.models.status import SETTLED, UNSETTLED, JobStatus
from torc.views import workflows
from torc.views.events import as_local_time, message

BAR = (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.TERMINATED, JobStatus.CANCELED, JobStatus.RUNNING)
BAR_SIGNS = {JobStatus.COMPLETED: "#", JobStatus.RUNNING: ">"}
"""What a status is in the bar where it is no colour; ``x`` for what went wrong, ``.`` for what is to come."""

Part = tuple[str, str]
"""A text, and the status whose colour it has; no status for the plain ones."""


@dataclass(frozen=True, kw_only=True)
class Running:
    """A job that a runner has started. ``since`` in seconds since the epoch, None when that is too long ago."""

    name: str
    since: float | None
    hostname: str


@dataclass(frozen=True, kw_only=True)
class Failure:
    """An attempt that did not succeed. ``log`` is where its stderr is."""

    name: str
    status: str
    cause: str
    log: str


@dataclass(kw_only=True)
class Scene:
    """A workflow as it was when the server was last asked."""

    workflow_id: int
    name: str = ""
    run_id: int = 0
    is_canceled: bool = False
    counts: dict[str, int] = field(default_factory=dict)
    running: list[Running] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)  # the last ones, oldest first
    events: list[Event] = field(default_factory=list)  # as those
    notice: str = ""  # about the server

    @property
    def is_over(self) -> bool:
        """Whether no job changes by itself any more."""
        return not any(self.counts.get(status) for status in UNSETTLED)

    @property
    def summary(self) -> str:
        """One word."""
        return workflows.summary(self.is_canceled, self.counts)

    @property
    def title(self) -> str:
        """The workflow and where it stands."""
        return f"Workflow {self.workflow_id} ({self.name}), run {self.run_id}: {self.summary}"


def progress(scene: Scene) -> str:
    """``12 of 100 done: 10 completed, 2 failed, 88 ready``."""
    done = sum(scene.counts.get(status, 0) for status in SETTLED)
    return f"{done} of {sum(scene.counts.values())} done: {workflows.counts_text(scene.counts)}"


def bar(counts: dict[str, int], width: int) -> list[Part]:
    """Statuses side by side, as wide as their share, with what is to come at the end."""
    total = max(sum(counts.values()), 1)
    parts, seen, drawn = list[Part](), 0, 0
    for status in BAR:
        seen += counts.get(status, 0)
        columns = seen * width // total - drawn  # of the sum, so that rounding never adds up
        drawn += columns
        parts.append((BAR_SIGNS.get(status, "x") * columns, status))
    return [("[", ""), *parts, ("." * (width - drawn) + "]", "")]


def frame(scene: Scene, *, now: float, width: int, height: int) -> list[list[Part]]:
    """At most ``height`` lines; the caller cuts them to the width. ``now`` in seconds since the epoch."""
    lines: list[list[Part]] = [[(scene.title, "")], bar(scene.counts, max(width - 2, 1)), [(progress(scene), "")]]
    if scene.notice:
        lines.insert(1, [(scene.notice, "failed")])
    sections = [
        section
        for section in (
            _section("Running:", [_running(one, now) for one in scene.running], "running"),
            _section("Last failures:", [_failure(one) for one in reversed(scene.failures)], "failed"),
            _section("Last events:", [_happened(one) for one in reversed(scene.events)], ""),
        )
        if section
    ]
    room = height - len(lines)
    for number, section in enumerate(sections):
        taken = section[: max(room // (len(sections) - number), 0)]  # what one leaves over the next may have
        if len(taken) > 1:
            lines += taken
            room -= len(taken)
    return lines[: max(height, 1)]


def _section(heading: str, rows: Sequence[str], status: str) -> list[list[Part]]:
    return [[(heading, "")], *([(f"  {row}", status)] for row in rows)] if rows else []


def _running(job: Running, now: float) -> str:
    age = "-" if job.since is None else as_age(now - job.since)
    return f"{age:>8}  {job.name}  {job.hostname}"


def _failure(failure: Failure) -> str:
    return "  ".join(filter(None, (failure.name, failure.status, failure.cause, failure.log)))


def ending(scene: Scene) -> list[str]:
    """What is left to say when it is over, where nobody has seen frames."""
    return [scene.title, progress(scene), *(f"  {_failure(one)}" for one in scene.failures)]


def _happened(event: Event) -> str:
    return event_line(event).split(" ", 1)[-1]  # without the date


def event_line(event: Event) -> str:
    """``2026-01-31 23:59:59 message``."""
    text = message(event).replace("\n", " ")
    return f"{as_local_time(event.timestamp)[:19]} {text}"


def as_age(seconds: float) -> str:
    """``0:01:23``. The clocks of two machines differ, so it may seem to be less than nothing."""
    whole = max(0, int(seconds))
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def fitted(parts: Sequence[Part], width: int, width_of: Callable[[str], int]) -> list[Part]:
    """As much of a line as has room; ``width_of`` says how many columns a text takes."""
    kept, left = list[Part](), width
    for text, status in parts:
        if width_of(text) > left:
            taken = ""
            for character in text:
                if width_of(taken + character) > left:
                    break
                taken += character
            text = taken
        kept.append((text, status))
        left -= width_of(text)
    return kept
