"""The lines a run writes while it goes on."""

import io
import os
import pty
import sys

from torc.cli import progress
from torc.cli.progress import ERASE, Progress, patience, progress_on


def lines(stream: io.StringIO) -> list[str]:
    return [line.rpartition(", ")[0] or line for line in stream.getvalue().splitlines()]


def test_a_pipe_gets_a_line_per_tenth(monkeypatch):
    monkeypatch.setattr(progress, "LINE_S", 0.0)
    stream = io.StringIO()
    with progress_on(stream, {"ready": 15, "completed": 5}) as shown:
        for number in range(15):
            shown.job_started(str(number))
            shown.job_finished(str(number), "completed", 0)
    assert lines(stream) == [
        "Running 20 jobs",
        *(f"{done} of 20 done, 0 running, 0 failed" for done in range(6, 21, 2)),
    ]


def test_lines_about_success_keep_their_distance():
    stream = io.StringIO()
    with progress_on(stream, {"ready": 1000}) as shown:
        for number in range(1000):
            shown.job_started(str(number))
            shown.job_finished(str(number), "completed", 0)
    assert lines(stream) == ["Running 1000 jobs"]


def test_failures_are_named_at_once_and_later_only_counted():
    stream = io.StringIO()
    with progress_on(stream, {"ready": 100}) as shown:
        for number in range(30):
            shown.job_finished(f"j{number}", "failed", 3)
    named = [line for line in stream.getvalue().splitlines() if line.startswith("Job")]
    assert named[0] == "Job 'j0' failed with return code 3"
    assert len(named) == progress.FAILURES_NAMED
    assert stream.getvalue().splitlines()[-1] == "More failures are counted, not named."


def test_the_line_counts_what_ended_before():
    shown = Progress(io.StringIO(), {"completed": 3, "failed": 1, "ready": 2, "canceled": 4})
    shown.job_started("a")
    assert shown.line() == "4 of 10 done, 1 running, 1 failed, 0:00:00"


def test_a_workflow_without_jobs_is_no_division_by_zero(monkeypatch):
    monkeypatch.setattr(progress, "LINE_S", 0.0)
    stream = io.StringIO()
    with progress_on(stream, {}) as shown:
        shown.job_finished("ghost", "completed", 0)
    assert lines(stream) == ["Running 0 jobs", "1 of 0 done, 0 running, 0 failed"]


def test_what_takes_long_is_shown_on_a_terminal_and_leaves_nothing(monkeypatch, eventually):
    monkeypatch.setattr(progress, "SILENT_S", 0.0)
    ours, its = pty.openpty()
    os.set_blocking(ours, False)
    seen = ""

    def screen() -> str:
        nonlocal seen
        try:
            seen += os.read(ours, 4096).decode()
        except BlockingIOError:
            pass
        return seen

    with open(its, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        with patience(lambda: "Deleting workflow 5"):
            eventually(screen, lambda text: "Deleting workflow 5 (0 s)" in text)
        eventually(screen, lambda text: text.endswith(ERASE))
        monkeypatch.undo()
    os.close(ours)


def test_what_is_over_soon_and_what_nobody_sees_is_not_shown(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    with patience(lambda: "Deleting"):
        pass
    assert stream.getvalue() == ""
