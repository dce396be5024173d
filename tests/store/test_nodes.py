"""Nodes that are lost, come back, kill their jobs, or are found again by a new server (rules 2, 9, 20)."""

import pytest

from torc.errors import NotFound
from torc.models.compute_node import ComputeNode
from torc.store import nodes
from torc.store.database import Database
from torc.store.leases import Leases


def test_a_joining_node_hears_its_lease_and_the_life_of_the_database(build):
    flow = build("a")
    node = flow.runner().node
    assert node.lease_s == 300
    assert (node.database_id, node.generation) == (flow.database.database_id, 1)
    assert node.last_seq == 0


def test_a_node_of_an_existing_runner_has_no_lease(build, clock):
    flow = build("a")
    old = flow.runner(spool_path=None)
    assert old.node.lease_s is None
    assert not flow.leases.has(old.node_id)


def test_the_loss_of_a_node_is_one_event_that_names_its_jobs(build, clock):
    flow = build("a", "b").initialize()
    runner = flow.runner(hostname="n17")
    runner.take("a", "b")
    runner.die(clock)
    (event,) = [event for event in flow.events("compute_node") if event["type"] == "node_lost"]
    assert "n17" in event["message"]
    assert (event["count"], event["job_ids"]) == (2, [flow.id("a"), flow.id("b")])


def test_a_job_that_lost_three_nodes_in_one_run_fails(build, clock):
    flow = build("killer", "after: killer").initialize()
    for _ in range(2):
        runner = flow.runner()
        runner.take("killer")
        runner.die(clock)
        assert flow.status("killer") == "ready"
    last = flow.runner()
    last.take("killer")
    last.die(clock)
    job = flow.job("killer")
    assert (job.status, job.cause, job.attempt_id) == ("failed", "lost_node", 3)
    assert flow.status("after") == "canceled"
    assert flow.select("SELECT attempt_id, status, cause, compute_node_id FROM result") == [
        (3, "failed", "lost_node", last.node_id)
    ]
    assert flow.is_complete()


def test_the_third_loss_counts_once_when_its_runner_comes_back(build, clock):
    flow = build("killer").initialize()
    for _ in range(3):
        runner = flow.runner()
        runner.take("killer")
        runner.die(clock)
    assert runner.finish("killer").lost == []
    assert flow.status("killer") == "failed"
    assert flow.select("SELECT count(*) FROM result") == [(1,)]


def test_lost_nodes_are_counted_afresh_in_a_new_run(build, clock):
    flow = build("a").initialize()
    for _ in range(2):
        runner = flow.runner()
        runner.take("a")
        runner.die(clock)
    flow.initialize()
    runner = flow.runner()
    runner.take("a")
    runner.die(clock)
    assert flow.status("a") == "ready"
    assert flow.value("lost_nodes", "a") == 1


def test_jobs_that_only_waited_on_lost_nodes_are_not_to_blame(build, clock):
    flow = build("a").initialize()
    for _ in range(4):
        runner = flow.runner()
        assert runner.claim() == ["a"]
        runner.die(clock)
    assert flow.status("a") == "ready"


def test_a_node_that_came_back_while_housekeeping_waited_is_not_closed(build, clock, monkeypatch):
    flow = build("a").initialize()
    runner = flow.runner()
    runner.take("a")
    monkeypatch.setattr(flow.leases, "expired", lambda: [runner.node_id])  # what the tick saw before it had to wait
    nodes.expire(flow.database, flow.leases)
    assert flow.status("a") == "running"


def test_a_new_server_gives_the_nodes_it_finds_a_full_lease(build, clock, database_path):
    flow = build("a").initialize()
    runner = flow.runner()
    runner.take("a")
    reopened = Database(database_path)
    leases = Leases(300.0, tick_s=100.0, clock=clock)
    nodes.adopt(reopened, leases)
    assert leases.has(runner.node_id)
    flow.database, flow.leases = reopened, leases
    runner.finish("a")
    assert flow.status("a") == "completed"
    reopened.close()


def test_a_new_server_does_not_watch_nodes_without_a_lease(build, clock):
    flow = build("a")
    old, left = flow.runner(spool_path=None), flow.runner()
    left.sync(closing=True)
    leases = Leases(300.0, clock=clock)
    nodes.adopt(flow.database, leases)
    assert not leases.has(old.node_id)
    assert not leases.has(left.node_id)


def test_a_person_releases_a_node_without_a_lease(build):
    flow = build("a", "b").initialize()
    old = flow.runner(spool_path=None)
    old.claim()
    old.start("a")
    node = nodes.release(flow.database, flow.leases, old.node_id)
    assert isinstance(node, ComputeNode)
    assert not node.is_active
    assert set(flow.statuses().values()) == {"ready"}
    assert flow.job("a").active_compute_node_id is None


def test_a_node_that_does_not_exist_cannot_be_renewed_or_released(build):
    flow = build("a")
    with pytest.raises(NotFound, match="77"):
        nodes.renew(flow.database, flow.leases, 77)
    with pytest.raises(NotFound, match="77"):
        nodes.release(flow.database, flow.leases, 77)
