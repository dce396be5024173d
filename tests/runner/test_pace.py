"""When a runner holds jobs in stock: only while they end faster than a round trip brings the next."""

import pytest

from torc.models.sync import PROTOCOL, SyncAnswer, SyncRequest, SyncWorkflow
from torc.runner.pace import BATCH_RESULTS, Pace


def measured(*, jobs: int, job_s: float, at_once: int, round_trip_s: float, prefetch: int = 0) -> Pace:
    pace = Pace()
    for _ in range(jobs):
        pace.job_ended(job_s, at_once)
    asked = SyncRequest(protocol=PROTOCOL, seq=1, database_id="d", generation=1, holding=[], prefetch=prefetch)
    workflow = SyncWorkflow(run_id=1, is_complete=False, is_canceled=False)
    pace.answered(asked, SyncAnswer(jobs=[], workflow=workflow, lease_s=300), round_trip_s)
    return pace


@pytest.mark.parametrize(
    ("jobs", "job_s", "at_once", "round_trip_s", "stock"),
    [
        (0, 0.0, 1, 0.005, 0),  # nothing known yet
        (50, 1.0, 1, 0.005, 0),
        (50, 0.006, 1, 0.005, 0),  # a round trip is shorter
        (50, 0.006, 2, 0.005, 100),  # but not with two at a time
        (3, 0.002, 1, 0.005, 6),  # few have proved short
        (1000, 0.002, 1, 0.005, 250),  # half a second of work
        (1000, 0.00001, 1, 0.005, BATCH_RESULTS),
        (1000, 1.0, 1000, 0.005, 500),
    ],
)
def test_the_stock_is_half_a_second_of_short_jobs(
    jobs: int, job_s: float, at_once: int, round_trip_s: float, stock: int
) -> None:
    assert measured(jobs=jobs, job_s=job_s, at_once=at_once, round_trip_s=round_trip_s).stock() == stock


def test_a_stock_that_runs_low_is_filled_up() -> None:
    pace = measured(jobs=1000, job_s=0.002, at_once=1, round_trip_s=0.005)
    assert pace.runs_low(waiting=124)
    assert not pace.runs_low(waiting=125)


def test_a_server_without_more_is_not_asked_for_more() -> None:
    assert not measured(jobs=1000, job_s=0.002, at_once=1, round_trip_s=0.005, prefetch=10).runs_low(waiting=0)


def test_one_long_job_empties_the_stock() -> None:
    pace = measured(jobs=1000, job_s=0.002, at_once=1, round_trip_s=0.005)
    pace.job_ended(60, 1)
    assert pace.stock() == 0
