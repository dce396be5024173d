"""Workflows whose allocations are lost, end too early or have too little: `torc watch --recover` sees them through."""

import os
import signal
from typing import Any

from tests.slurm.conftest import Site

ONE = {"name": "one", "num_cpus": 1, "memory": "100m", "runtime": "PT1M"}

SAVES = (
    "trap 'echo $((n)) > saved; exit 0' TERM; n=$(cat saved 2>/dev/null || echo 0); touch begun; "
    "while [ $n -lt 60 ]; do sleep 0.1; n=$((n + 1)); [ -e fast ] || [ $n -lt 50 ] || n=49; done"
)
"""Counts to 60 and goes on from where it was told to end; before ``fast`` is there it does not get past 50."""


def workflow(site: Site, *jobs: dict[str, Any], needs: Any = (ONE,), count: int = 1, **scheduler: Any) -> int:
    """Jobs bound to a scheduler, submitted."""
    usual = {"name": "nodes", "account": "testacct", "nodes": 1, "walltime": "00:10:00", "mem": "1g"}
    action = {
        "trigger_type": "on_workflow_start",
        "action_type": "schedule_nodes",
        "scheduler_type": "slurm",
        "scheduler": "nodes",
        "num_allocations": count,
    }
    workflow_id = site.create(
        {
            "jobs": [
                {"name": f"job{number}", "resource_requirements": needs[0]["name"], "scheduler": "nodes", **job}
                for number, job in enumerate(jobs)
            ],
            "resource_requirements": list(needs),
            "slurm_schedulers": [{**usual, "extra": "--cpus-per-task=2", **scheduler}],
            "actions": [action],
            "compute_node_expiration_buffer_seconds": 5,
        }
    )
    site.torc("submit", str(workflow_id))
    return workflow_id


def began(site: Site, name: str = "begun") -> None:
    site.until(lambda: (site.folder / name).exists(), "the beginning of a job")


def last_allocation(site: Site, workflow_id: int) -> str:
    return str(site.allocations(workflow_id)[-1]["scheduler_id"])


def test_an_allocation_that_is_canceled_is_replaced_by_one(site: Site) -> None:
    workflow_id = workflow(
        site, {"command": "test -e begun || { touch begun; sleep 300; }"}, {"command": "true", "depends_on": ["job0"]}
    )
    with site.recovering(workflow_id):
        began(site)
        site.run("scancel", last_allocation(site, workflow_id))
    assert [one["status"] for one in site.allocations(workflow_id)] == ["canceled", "complete"]
    site.assert_records_are_true(workflow_id)


def test_a_runner_that_is_killed_is_noticed_and_its_jobs_run_again(site: Site) -> None:
    workflow_id = workflow(site, {"command": "test -e begun || { touch begun; sleep 300; }"})
    with site.recovering(workflow_id):
        began(site)
        os.kill(site.nodes(workflow_id)[0]["pid"], signal.SIGKILL)
    assert [one["status"] for one in site.allocations(workflow_id)] == ["failed", "complete"]
    site.assert_records_are_true(workflow_id)


def test_work_that_is_saved_at_the_end_of_the_time_goes_on_in_the_next_allocation(site: Site) -> None:
    workflow_id = workflow(
        site, {"command": SAVES, "supports_termination": True}, extra="--cpus-per-task=2 --signal=B:TERM@10"
    )
    with site.recovering(workflow_id):
        began(site)
        site.run("scontrol", "update", f"jobid={last_allocation(site, workflow_id)}", "EndTime=now+40")
        site.until(lambda: (site.folder / "saved").exists(), "the saving of work")
        assert int((site.folder / "saved").read_text()) > 0
        (site.folder / "fast").touch()
    assert len(site.allocations(workflow_id)) == 2
    site.assert_records_are_true(workflow_id)


def test_at_the_time_limit_jobs_that_had_less_than_their_time_run_again_as_they_are(site: Site) -> None:
    workflow_id = workflow(site, {"command": "test -e begun || { touch begun; sleep 300; }"})
    with site.recovering(workflow_id):
        began(site)
        site.run("scontrol", "update", f"jobid={last_allocation(site, workflow_id)}", "EndTime=now+3")
    (needs,) = {
        (one["memory"], one["runtime"])
        for one in site.server.http.get(f"/resource_requirements?workflow_id={workflow_id}").json["items"]
        if one["name"].startswith("one")
    }
    assert needs == ("100m", "PT1M")
    assert len(site.allocations(workflow_id)) == 2
    site.assert_records_are_true(workflow_id)


def test_a_job_out_of_memory_gets_more_in_an_allocation_that_has_it(site: Site) -> None:
    """The runner ends it; what Slurm itself kills takes the runner along."""
    eats = "python3 -c 'import time; b = bytearray(300 << 20); time.sleep(3)'"
    hungry = {**ONE, "name": "hungry", "memory": "200m"}
    site.environ["TORC_CLIENT__RUN__ENFORCE_MEMORY"] = "true"
    small = {"command": "true", "resource_requirements": "one"}
    workflow_id = workflow(site, {"command": eats}, small, needs=(hungry, ONE), mem="250m")
    with site.recovering(workflow_id):
        pass
    assert "hungry, raised to" in str(site.server.http.get(f"/resource_requirements?workflow_id={workflow_id}").json)
    runs = site.server.http.get(f"/results?workflow_id={workflow_id}&all_runs=true&sort_by=id").json["items"]
    assert sorted((one["status"], one.get("cause")) for one in runs) == [
        ("completed", None),
        ("completed", None),
        ("failed", "oom"),
    ]
    site.assert_records_are_true(workflow_id)


def test_what_slurm_kills_for_its_memory_is_told_by_its_log(site: Site) -> None:
    eats = "touch begun; test $TORC_RUN_ID = 2 || python3 -c 'import time; b = bytearray(600 << 20); time.sleep(9)'"
    workflow_id = workflow(site, {"command": eats}, mem="200m")
    site.until(lambda: site.allocations(workflow_id)[0]["scheduler_id"], "the submission")
    site.until(lambda: not site.queue(), "the end of the allocation")
    site.until(lambda: site.ended_as(site.allocations(workflow_id)[0]["scheduler_id"]), "an entry in the accounts")
    found = site.document("recover", str(workflow_id), "--dry-run")
    (job,) = found["jobs"]
    assert (job["lacked"], job["new_memory"], job["runs_again"]) == ("memory", "152m", True)
    assert site.statuses(workflow_id) == {"job0": "ready"}
    with site.recovering(workflow_id):
        pass
    site.assert_records_are_true(workflow_id)


def test_a_node_that_goes_down_is_left_and_the_work_ends_elsewhere(site: Site) -> None:
    workflow_id = workflow(site, {"command": "test -e begun || { hostname > begun; sleep 300; }"})
    with site.recovering(workflow_id):
        began(site)
        node = site.until(lambda: (site.folder / "begun").read_text().strip(), "the name of the node")
        site.run("scontrol", "update", f"nodename={node}", "state=down", "reason=test")
        site.run("scontrol", "update", f"nodename={node}", "state=drain", "reason=test")
    places = {one["hostname"] for one in site.nodes(workflow_id)}
    assert len(places) == 2 and node in places
    site.assert_records_are_true(workflow_id)


def test_preempted_and_requeued_it_goes_on_in_the_same_allocation(site: Site) -> None:
    workflow_id = workflow(site, {"command": "test -e begun || { touch begun; sleep 300; }"})
    with site.recovering(workflow_id):
        began(site)
        site.run("scontrol", "requeue", last_allocation(site, workflow_id))
    (one,) = site.allocations(workflow_id)
    assert one["status"] == "complete"
    site.assert_records_are_true(workflow_id)


def test_while_an_allocation_waits_no_other_is_asked_for(site: Site) -> None:
    workflow_id = workflow(site, {"command": "true"}, extra="--cpus-per-task=2 --begin=now+10")
    found = site.document("recover", str(workflow_id))
    assert (found["recovered"], found["slurm_job_ids"]) == (False, [])
    with site.recovering(workflow_id):
        pass
    assert len(site.allocations(workflow_id)) == 1


def test_what_no_resources_would_cure_ends_the_watch_with_its_exit_code(site: Site) -> None:
    workflow_id = workflow(site, {"command": "exit 7"}, {"command": "true", "depends_on": ["job0"]})
    watch = site.torc("watch", str(workflow_id), "--recover", code=3)
    assert "1 failed, 1 canceled" in watch.stdout
    assert len(site.allocations(workflow_id)) == 1
    again = site.torc("watch", str(workflow_id), "--recover", "--retry-unknown", "--max-retries", "1", code=3)
    assert "was recovered 1 time(s), and is not recovered again" in again.stderr
    assert len(site.allocations(workflow_id)) == 2
