"""Workflows that Slurm runs: allocations asked for, used, given back, lost; and records that say so."""

import os
import signal
from typing import Any

import pytest

from tests.conftest import end, launch
from tests.slurm.conftest import Site

SMALL = {"name": "small", "num_cpus": 1, "memory": "100m", "runtime": "PT1M"}


def scheduler(name: str = "nodes", **fields: Any) -> dict[str, Any]:
    usual = {"name": name, "account": "testacct", "nodes": 1, "walltime": "00:10:00", "extra": "--cpus-per-task=4"}
    return {**usual, "mem": "2g", **fields}


def at_start(name: str = "nodes", **config: Any) -> dict[str, Any]:
    return {
        "trigger_type": "on_workflow_start",
        "action_type": "schedule_nodes",
        "scheduler_type": "slurm",
        "scheduler": name,
        **config,
    }


def jobs(*commands: str, **fields: Any) -> list[dict[str, Any]]:
    return [
        {"name": f"job{number}", "command": command, "resource_requirements": "small", **fields}
        for number, command in enumerate(commands, 1)
    ]


def spec(*parts: Any, **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "resource_requirements": [SMALL],
        "slurm_schedulers": [scheduler()],
        "actions": [at_start()],
    }
    return {**made, **fields}


def test_a_submitted_workflow_runs_and_leaves_true_records(site: Site) -> None:
    many = {"name": "a{i}", "command": "hostname", "parameters": {"i": "1:20"}, "resource_requirements": "small"}
    last = {"name": "last", "command": "test $(cat output/job_stdio/*.o | wc -l) = 20", "depends_on_regexes": ["^a"]}
    workflow_id = site.create(spec(jobs=[many, last], actions=[at_start(num_allocations=2)]))
    said = site.torc("submit", str(workflow_id))
    assert said.stdout == f"Successfully submitted workflow {workflow_id}\n"
    site.until_complete(workflow_id)
    assert set(site.statuses(workflow_id).values()) == {"completed"}
    first, second = site.allocations(workflow_id)
    assert {first["status"], second["status"]} == {"complete"}
    for one in (first, second):
        assert one["scheduler_id"] and one["started_at"] and one["submitted_at"] <= one["started_at"] <= one["ended_at"]
        number = one["scheduler_id"]
        names = {path.name.partition(f"_{number}_")[0] for path in site.folder.glob(f"output/*_{number}_*")}
        assert {"job_runner_slurm", "slurm_env"} <= names
        assert (site.folder / "output" / f"slurm_output_{number}.e").read_text() == ""
    for node in site.nodes(workflow_id):
        assert (node["compute_node_type"], node["is_active"], node["num_cpus"]) == ("slurm", False, 4)
        assert node["memory_gb"] == 2.0
        assert node["scheduler"]["slurm_job_id"] in {str(first["scheduler_id"]), str(second["scheduler_id"])}
        assert node["time_limit"] is not None
    assert not list(site.folder.glob("output/*.sh"))


def test_what_is_asked_for_once_is_not_asked_for_again(site: Site) -> None:
    workflow_id = site.create(spec(jobs=jobs("true")))
    site.torc("submit", str(workflow_id))
    again = site.torc("submit", str(workflow_id), code=None)
    assert again.returncode == 1
    assert "asked for already" in again.stderr or "is complete" in again.stderr
    site.until_complete(workflow_id)
    assert len(site.allocations(workflow_id)) == 1


def test_reinitialize_then_submit_takes_one_new_allocation(site: Site) -> None:
    workflow_id = site.create(spec(jobs=jobs("test -e there", "true")))
    site.torc("submit", str(workflow_id))
    site.until_complete(workflow_id)
    assert site.statuses(workflow_id) == {"job1": "failed", "job2": "completed"}
    (site.folder / "there").touch()
    site.torc("workflows", "reinitialize", str(workflow_id))
    site.torc("submit", str(workflow_id))
    site.until_complete(workflow_id)
    assert site.statuses(workflow_id) == {"job1": "completed", "job2": "completed"}
    assert len(site.allocations(workflow_id)) == 2


def test_submit_then_reinitialize_takes_no_further_allocation(site: Site) -> None:
    workflow_id = site.create(spec(jobs=jobs("true"), slurm_schedulers=[scheduler(extra="--begin=now+4")]))
    site.torc("submit", str(workflow_id))
    site.torc("workflows", "reinitialize", str(workflow_id))
    site.until_complete(workflow_id)
    assert site.statuses(workflow_id) == {"job1": "completed"}
    assert len(site.allocations(workflow_id)) == 1


def test_a_later_stage_asks_for_its_own_nodes(site: Site) -> None:
    later = {
        "trigger_type": "on_jobs_ready",
        "jobs": ["job2"],
        **{k: v for k, v in at_start("big").items() if k != "trigger_type"},
    }
    first, second = jobs("true", "echo $SLURM_JOB_PARTITION")
    workflow_id = site.create(
        spec(
            jobs=[{**first, "scheduler": "nodes"}, {**second, "scheduler": "big", "depends_on": ["job1"]}],
            slurm_schedulers=[scheduler(), scheduler("big", partition="bigmem")],
            actions=[at_start(), later],
        )
    )
    site.torc("submit", str(workflow_id))
    site.until_complete(workflow_id)
    assert set(site.statuses(workflow_id).values()) == {"completed"}
    assert [one["status"] for one in site.allocations(workflow_id)] == ["complete", "complete"]
    assert "bigmem\n" in {path.read_text() for path in site.folder.glob("output/job_stdio/*.o")}


def test_one_worker_on_each_node(site: Site) -> None:
    two = scheduler(nodes=2)
    action = at_start(start_one_worker_per_node=True)
    workflow_id = site.create(spec(jobs=jobs(*["hostname; sleep 1"] * 8), slurm_schedulers=[two], actions=[action]))
    site.torc("submit", str(workflow_id))
    site.until_complete(workflow_id)
    assert set(site.statuses(workflow_id).values()) == {"completed"}
    nodes = site.nodes(workflow_id)
    assert [(node["num_cpus"], node["num_nodes"]) for node in nodes] == [(4, 1), (4, 1)]
    assert len({path.read_text() for path in site.folder.glob("output/job_stdio/*.o")}) == 2
    (one,) = site.allocations(workflow_id)
    assert one["status"] == "complete"


def test_gpus_are_given_to_one_job_each(site: Site) -> None:
    gpu = {"name": "gpu", "num_cpus": 1, "num_gpus": 1, "memory": "100m", "runtime": "PT1M"}
    both = [
        {"name": f"g{n}", "command": "echo $CUDA_VISIBLE_DEVICES; sleep 2", "resource_requirements": "gpu"}
        for n in (1, 2)
    ]
    with_gpus = scheduler(partition="gpu", gres="gpu:2")
    workflow_id = site.create(spec(jobs=both, resource_requirements=[gpu], slurm_schedulers=[with_gpus]))
    site.torc("submit", str(workflow_id))
    site.until_complete(workflow_id)
    assert sorted(path.read_text() for path in site.folder.glob("output/job_stdio/*.o")) == ["0\n", "1\n"]


def test_a_canceled_allocation_gives_its_jobs_back_at_once(site: Site) -> None:
    waiting = "test -e go || { touch begun; sleep 300; }"
    workflow_id = site.create(spec(jobs=jobs(waiting)))
    site.torc("submit", str(workflow_id))
    site.until(lambda: (site.folder / "begun").exists(), "the beginning of the job")
    (one,) = site.allocations(workflow_id)
    site.run("scancel", str(one["scheduler_id"]))
    site.until(lambda: not site.queue(), "the end of the allocation")
    (node,) = site.nodes(workflow_id)
    assert not node["is_active"]
    site.until(
        lambda: site.torc("workflows", "sync-status", str(workflow_id)) and site.allocations(workflow_id)[0]["ended_at"]
    )
    assert site.allocations(workflow_id)[0]["status"] in ("complete", "canceled")
    (site.folder / "go").touch()
    if site.statuses(workflow_id)["job1"] != "ready":
        site.torc("workflows", "reinitialize", str(workflow_id))
    site.torc("slurm", "schedule-nodes", str(workflow_id))
    site.until_complete(workflow_id)
    assert site.statuses(workflow_id) == {"job1": "completed"}


def test_an_allocation_that_is_killed_is_noticed(site: Site) -> None:
    workflow_id = site.create(spec(jobs=jobs("test -e go || { touch begun; sleep 300; }")))
    site.torc("submit", str(workflow_id))
    site.until(lambda: (site.folder / "begun").exists(), "the beginning of the job")
    os.kill(site.nodes(workflow_id)[0]["pid"], signal.SIGKILL)
    site.until(lambda: not site.queue(), "the end of the allocation")
    assert site.nodes(workflow_id)[0]["is_active"]
    site.until(
        lambda: "Allocation" in site.torc("workflows", "sync-status", str(workflow_id)).stdout, "a word of the accounts"
    )
    assert site.allocations(workflow_id)[0]["status"] == "failed"
    assert not site.nodes(workflow_id)[0]["is_active"]
    assert site.statuses(workflow_id) == {"job1": "ready"}


def test_a_canceled_workflow_gives_everything_back(site: Site) -> None:
    workflow_id = site.create(spec(jobs=jobs("touch begun; sleep 300"), actions=[at_start(num_allocations=2)]))
    site.torc("submit", str(workflow_id))
    site.until(lambda: (site.folder / "begun").exists(), "the beginning of the job")
    found = site.document("workflows", "cancel", str(workflow_id))
    numbers = {str(one["scheduler_id"]) for one in site.allocations(workflow_id)}
    assert (found["status"], set(found["canceled_slurm_jobs"]), found["errors"]) == ("success", numbers, None)
    site.until(lambda: not site.queue(), "the end of the allocations")
    assert {one["status"] for one in site.allocations(workflow_id)} == {"canceled"}
    assert site.statuses(workflow_id) == {"job1": "canceled"}


def test_a_thousand_jobs_take_the_allocations_that_were_asked_for(site: Site) -> None:
    many = {"name": "a{i}", "command": "true", "parameters": {"i": "1:1000"}, "resource_requirements": "small"}
    action = at_start(num_allocations=3)
    workflow_id = site.create(
        spec(jobs=[many], slurm_schedulers=[scheduler(extra="--cpus-per-task=8")], actions=[action])
    )
    site.torc("submit", str(workflow_id))
    site.until_complete(workflow_id)
    assert set(site.statuses(workflow_id).values()) == {"completed"}
    assert [one["status"] for one in site.allocations(workflow_id)].count("complete") >= 1
    assert len(site.allocations(workflow_id)) == 3


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"account": "nope"}, "Invalid account"),
        ({"partition": "nowhere"}, "Invalid partition"),
    ],
)
def test_what_slurm_refuses_changes_nothing(site: Site, fields: dict[str, Any], sentence: str) -> None:
    workflow_id = site.create(spec(jobs=jobs("true"), slurm_schedulers=[scheduler(**fields)]))
    before = site.queue()  # of tests before, still on their way out
    refused = site.torc("submit", str(workflow_id), code=1)
    assert refused.stderr.splitlines()[-1].startswith("Error: ")
    assert sentence in refused.stderr
    assert site.allocations(workflow_id) == []
    assert set(site.queue()) <= set(before)
    (action,) = site.document("workflows", "list-actions", str(workflow_id))["actions"]
    assert action["executed"] is False


def test_what_cannot_work_is_not_asked_for(site: Site) -> None:
    workflow_id = site.create(spec(jobs=jobs("true")))
    private = site.torc("--standalone", "--database", "own.db", "submit", "spec.json", code=2)
    assert "leave out --standalone" in private.stderr
    without = site.torc("submit", str(workflow_id), code=1, PATH="/nowhere")
    assert "there is no sbatch on PATH" in without.stderr
    assert site.allocations(workflow_id) == []


def test_runners_log_in_with_a_password_that_no_command_line_and_no_log_shows(site: Site) -> None:
    accounts = site.folder / "accounts"
    site.run("torc-htpasswd", "add", str(accounts), "ann", "--password", "s3cret", "--cost", "4")
    end(site.server)
    site.server = launch(
        site.folder / "torc.db", "--auth-file", str(accounts), "--require-auth", log=site.folder / "server.log"
    )
    site.environ |= {
        "TORC_API_URL": site.server.url,
        "TORC_CLIENT__SLURM__API_URL": site.server.url,
        "TORC_USERNAME": "ann",
        "TORC_PASSWORD": "s3cret",
        "TORC_CLIENT__SLURM__KEEP_SUBMISSION_SCRIPTS": "true",
    }
    command = "cp /proc/$PPID/cmdline runner; echo $TORC_PASSWORD_FILE"
    workflow_id = site.create(spec(jobs=jobs(command)))
    site.torc("submit", str(workflow_id))
    complete = ["-f", "json", "jobs", "list", str(workflow_id)]
    site.until(lambda: '"completed"' in site.torc(*complete).stdout, "the end of the job")
    site.until(lambda: not site.queue(), "the end of the allocation")
    kept = site.folder / "output" / ".torc" / "password"
    assert kept.stat().st_mode & 0o777 == 0o600
    told = [path for path in site.folder.rglob("*") if path.is_file() and path not in (kept, site.folder / "accounts")]
    assert not [path for path in told if b"s3cret" in path.read_bytes()]
    assert b"torc-slurm-job-runner" in (site.folder / "runner").read_bytes()
    end(site.server)
    site.server = launch(site.folder / "torc.db", log=site.folder / "server.log")  # which tells anybody how it is
