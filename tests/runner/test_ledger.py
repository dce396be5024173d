"""What a runner tells the server about what it holds."""

from typing import Any

import pytest

from torc.models.status import JobStatus
from torc.models.sync import PROTOCOL, FinishedJob, SyncJob, SyncRequest
from torc.runner.child import Child
from torc.runner.ledger import Ledger
from torc.runner.pace import BATCH_RESULTS


def job(job_id: int, attempt_id: int = 1) -> SyncJob:
    return SyncJob(
        id=job_id,
        name=f"job{job_id}",
        command="true",
        run_id=1,
        attempt_id=attempt_id,
        num_cpus=1,
        num_gpus=0,
        num_nodes=1,
        memory_bytes=1,
        runtime_s=60,
    )


def report(job_id: int) -> FinishedJob:
    return FinishedJob(
        job_id=job_id,
        run_id=1,
        attempt_id=1,
        status=JobStatus.COMPLETED,
        return_code=0,
        exec_time_minutes=0,
        completion_time="2026-01-01T00:00:00.000Z",
    )


def request(sections: dict[str, Any]) -> SyncRequest:
    return SyncRequest(protocol=PROTOCOL, seq=1, database_id="d", generation=1, **sections)


@pytest.fixture
def ledger() -> Ledger:
    """Jobs 1 to 3 are waiting."""
    ledger = Ledger()
    ledger.receive([job(1), job(2), job(3)])
    return ledger


def start(ledger: Ledger, job_id: int) -> Child:
    child = Child(job(job_id), 2**22 + job_id, (0.0, 0.0), "mark")
    ledger.start(child)
    return child


def test_everything_received_is_held_until_its_report_is_acknowledged(ledger: Ledger) -> None:
    start(ledger, 1)
    ledger.finish(report(1))
    start(ledger, 2)
    sent = request(ledger.sections())
    assert sorted(sent.holding) == [(1, 1), (2, 1), (3, 1)]
    assert [found.job_id for found in sent.finished] == [1]
    assert [found.job_id for found in sent.started] == [1, 2]
    ledger.acknowledge(sent)
    assert sorted(ledger.sections()["holding"]) == [(2, 1), (3, 1)]
    assert ledger.sections()["finished"] == ledger.sections()["started"] == []


def test_what_happens_while_a_request_is_under_way_is_in_the_next(ledger: Ledger) -> None:
    start(ledger, 1)
    sent = request(ledger.sections())
    ledger.finish(report(1))
    ledger.release([(2, 1)])
    ledger.acknowledge(sent)
    assert [found.job_id for found in ledger.sections()["finished"]] == [1]
    assert ledger.sections()["released"] == [(2, 1)]


def test_without_an_answer_everything_is_said_again(ledger: Ledger) -> None:
    start(ledger, 1)
    ledger.finish(report(1))
    ledger.release([(3, 1)])
    assert ledger.sections() == ledger.sections()
    assert ledger.owes()


def test_a_job_delivered_twice_is_one_job(ledger: Ledger) -> None:
    start(ledger, 1)
    assert ledger.receive([job(1), job(2), job(4)]) == 1
    assert sorted(ledger.waiting) == [(2, 1), (3, 1), (4, 1)]


def test_a_lost_attempt_is_neither_held_nor_reported(ledger: Ledger) -> None:
    child = start(ledger, 1)
    assert ledger.lose((1, 1)) is child
    assert ledger.lose((2, 1)) is None
    assert ledger.lose((99, 1)) is None
    assert ledger.sections()["holding"] == [(3, 1)]
    assert ledger.sections()["started"] == []
    assert not ledger.is_empty()
    ledger.forget(child)
    assert not ledger.children


def test_only_what_never_started_is_given_back(ledger: Ledger) -> None:
    start(ledger, 1)
    ledger.release([(1, 1), (2, 1), (99, 1)])
    assert ledger.sections()["released"] == [(2, 1)]
    ledger.release_older_than(1000)
    assert list(ledger.waiting) == [(3, 1)]
    ledger.release_older_than(0)
    assert not ledger.waiting


def test_reports_go_in_batches(ledger: Ledger) -> None:
    for job_id in range(1, BATCH_RESULTS + 2):
        ledger.finish(report(job_id))
    assert ledger.results_due_at(1000) == 0.0
    sent = request(ledger.sections())
    assert len(sent.finished) == BATCH_RESULTS
    assert len(sent.holding) == BATCH_RESULTS + 1
    ledger.acknowledge(sent)
    assert [found.job_id for found in ledger.unacknowledged()] == [BATCH_RESULTS + 1]
