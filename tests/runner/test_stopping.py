"""Jobs of a real runner that are stopped: no process of theirs is left, and the server knows why they ended."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.runner.launched import marked

Start = Callable[..., Any]

WIDE = (
    "echo $TORC_MARK > mark; (sleep 600 & sleep 601 & wait) & "
    "setsid -f sleep 602; (setsid sleep 603 &); sleep 604 | sleep 605 && true; true"
)
DEAF = "echo $TORC_MARK > mark; trap '' TERM; setsid -f sleep 606; while true; do sleep 0.1; done"


@pytest.mark.parametrize("gently", [False, True])
@pytest.mark.parametrize("how", ["cancel", "SIGINT", "SIGTERM"])
def test_nothing_is_left_of_jobs_that_are_stopped(
    builder: Any, start_runner: Start, eventually: Start, tmp_path: Path, how: str, gently: bool
) -> None:
    workflow = builder.workflow()
    builder.job(workflow, "wide", WIDE, supports_termination=gently)
    runner = start_runner(builder.url, builder.initialize(workflow), poll_interval_s=0.2)
    mark = eventually(lambda: (tmp_path / "mark").exists() and (tmp_path / "mark").read_text().strip())
    eventually(lambda: len(marked(mark)), lambda found: found >= 8)
    eventually(lambda: builder.statuses(workflow), lambda found: found == {"wide": "running"})
    if how == "cancel":
        builder.torc.workflows.cancel(workflow)
    else:
        runner.signal(signal.Signals[how])
    assert runner.end().startswith("outcome canceled" if how == "cancel" else "outcome interrupted")
    assert marked(mark) == []


def test_a_second_signal_does_not_wait_for_what_does_not_listen(
    builder: Any, start_runner: Start, eventually: Start, tmp_path: Path
) -> None:
    workflow = builder.workflow()
    builder.job(workflow, "deaf", DEAF, supports_termination=True)
    runner = start_runner(builder.url, builder.initialize(workflow))
    mark = eventually(lambda: (tmp_path / "mark").exists() and (tmp_path / "mark").read_text().strip())
    eventually(lambda: len(marked(mark)), lambda found: found >= 3)
    runner.signal(signal.SIGTERM)
    eventually(runner.has_said("note stopping 1 running"))
    runner.signal(signal.SIGTERM)
    runner.end(timeout_s=10)
    assert marked(mark) == []
    ((_, _, status, return_code),) = builder.results(workflow)
    assert (status, return_code) == ("terminated", -9)
