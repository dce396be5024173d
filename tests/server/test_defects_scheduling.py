"""Defects 1 to 25 of the reference (contract rest-api.md section 9): what runs when, and who runs it."""

import pytest

from tests.conftest import Http
from tests.server.scenario import Flow

COMMANDS = {"action_type": "run_commands", "action_config": {"commands": ["true"]}}


def test_a_completion_releases_what_waits_for_it_before_it_is_answered(flow: Flow) -> None:  # 1
    flow.graph("a", "b: a").begin()
    flow.run("a")
    assert [job["name"] for job in flow.claim()["jobs"]] == ["b"]


@pytest.mark.parametrize(
    ("graph", "failed", "then", "outcome"),
    [
        (["1", "2: 1", "3: 2", "4: 3"], "1", [], {"2": "canceled", "3": "canceled", "4": "canceled"}),
        (["1", "2: 1", "3: 1", "4: 2 3"], "1", [], {"2": "canceled", "3": "canceled", "4": "canceled"}),  # 2
        (["1", "2: 1", "3", "4: 2 3"], "1", ["3"], {"2": "canceled", "4": "canceled"}),  # 3
        (["1", "2", "3: 1 2"], "1", ["2"], {"3": "canceled"}),
        (["1", "2: 1", "3?: 2"], "1", [], {"2": "canceled", "3": "ready"}),
        (["1", "2?: 1"], "1", [], {"2": "ready"}),
    ],
)
def test_a_failure_settles_every_job_behind_it(
    flow: Flow, graph: list[str], failed: str, then: list[str], outcome: dict[str, str]
) -> None:
    flow.graph(*graph).begin()
    flow.fail(failed).run(*then)
    assert flow.statuses() == {failed: "failed", **dict.fromkeys(then, "completed"), **outcome}
    assert flow.is_complete() == ("ready" not in outcome.values())


def test_a_failure_is_followed_through_any_depth(flow: Flow) -> None:  # 4: the reference stops at 100
    flow.graph("0", *(f"{number}: {number - 1}" for number in range(1, 130))).begin()
    flow.fail("0")
    assert set(flow.statuses().values()) == {"failed", "canceled"}
    assert flow.is_complete()


def test_jobs_canceled_by_a_cascade_start_over_with_the_job_that_failed(flow: Flow) -> None:  # 5
    flow.graph("a", "b: a", "c: b", "apart").begin()
    flow.run("apart").fail("a")
    reset = flow.post(f"{flow.path}/reset_job_status", failed_only="true")
    assert reset["updated_count"] == 1
    assert flow.statuses() == {**dict.fromkeys("abc", "uninitialized"), "apart": "completed"}


def test_the_report_of_a_job_that_was_canceled_meanwhile_is_kept(flow: Flow) -> None:  # 5
    flow.graph("a").begin()
    flow.ok(flow.start("a"))
    flow.put(f"{flow.path}/cancel")
    late = flow.complete("a", "terminated", -15)
    assert (late.status, late.json["status"]) == (200, "canceled")
    (kept,) = flow.rows("results")
    assert (kept["status"], kept["return_code"]) == ("terminated", -15)
    assert flow.complete("a", "terminated", -15).status == 200


@pytest.mark.parametrize(
    ("status", "return_code", "outcome"),
    [("completed", 1, "ready"), ("failed", 0, "canceled"), ("terminated", 0, "canceled")],
)
def test_the_status_of_a_report_counts_and_not_its_return_code(
    flow: Flow, status: str, return_code: int, outcome: str
) -> None:  # 6
    flow.graph("a", "b: a").begin()
    flow.run("a", status=status, return_code=return_code)
    assert flow.statuses() == {"a": status, "b": outcome}


def test_initializing_cancels_a_job_whose_dependency_failed(flow: Flow) -> None:  # 10
    flow.graph("a", "b: a").begin()
    flow.fail("a")
    flow.graph("c: a", "d?: a", "e: c")
    flow.post(f"{flow.path}/initialize_jobs", only_uninitialized="true")
    assert flow.statuses() == {"a": "failed", "b": "canceled", "c": "canceled", "d": "ready", "e": "canceled"}


def test_a_disabled_job_blocks_nobody_and_stays_disabled(flow: Flow) -> None:  # 11
    flow.graph("a", "b: a", "c?: a")
    job = flow.get(f"/jobs/{flow.ids['a']}")
    flow.put(f"/jobs/{flow.ids['a']}", {**job, "status": "disabled"})
    for _ in range(2):
        flow.begin()
        assert flow.statuses() == {"a": "disabled", "b": "canceled", "c": "ready"}
        flow.post(f"{flow.path}/reset_job_status")
    assert flow.statuses()["a"] == "disabled"


def test_jobs_that_wait_for_each_other_are_refused_by_name(flow: Flow) -> None:  # 12
    flow.graph("first", "second: first")
    job = flow.get(f"/jobs/{flow.ids['first']}")
    flow.put(f"/jobs/{flow.ids['first']}", {**job, "depends_on_job_ids": [flow.ids["second"]]})
    for verb in ("initialize", "initialize_jobs"):
        refused = flow.http.post(f"{flow.path}/{verb}")
        assert refused.status == 422
        assert "first" in refused.message and "second" in refused.message
    assert set(flow.statuses().values()) == {"uninitialized"}
    assert flow.run_id == 0


def test_a_job_that_reads_what_it_writes_is_refused_by_name(flow: Flow) -> None:  # 12
    same = [flow.file("f")]
    flow.job("ouroboros", input_file_ids=same, output_file_ids=same)
    refused = flow.http.post(f"{flow.path}/initialize_jobs")
    assert refused.status == 422
    assert "ouroboros" in refused.message


def test_deleting_a_job_frees_what_waits_for_it(flow: Flow) -> None:  # 13
    flow.graph("a", "b", "c: a b").begin()
    watched = [flow.ids["a"], flow.ids["b"]]
    trigger = flow.post(f"{flow.path}/actions", {"trigger_type": "on_jobs_complete", "job_ids": watched, **COMMANDS})
    assert flow.http.delete(f"/jobs/{flow.ids['a']}").status == 409
    flow.ok(flow.http.delete(f"/jobs/{flow.ids['a']}", force="true"))
    flow.run("b")
    assert flow.statuses() == {"b": "completed", "c": "ready"}
    (action,) = flow.get(f"{flow.path}/actions/pending")
    assert (action["id"], action["job_ids"]) == (trigger["id"], watched[1:])


def test_a_claim_says_why_it_is_empty(flow: Flow) -> None:  # 18
    flow.job("big", resource_requirements_id=flow.needs("big", num_cpus=16, memory="2g"))
    assert flow.claim()["reason"] != "", "nothing is ready"
    flow.begin()
    nothing = flow.claim(num_cpus=4)
    assert nothing["jobs"] == []
    assert "16" in nothing["reason"] and "4" in nothing["reason"], nothing["reason"]
    assert flow.claim()["reason"] == ""
    flow.put(f"{flow.path}/cancel")
    assert flow.claim() == {"jobs": [], "reason": "Workflow is canceled"}
    assert flow.post(f"{flow.path}/claim_next_jobs")["jobs"] == []


def test_a_claim_without_a_sort_method_follows_the_workflow(flow: Flow) -> None:  # 19
    flow.job("long", resource_requirements_id=flow.needs("long", runtime="PT9H", memory="1g"))
    flow.job("wide", resource_requirements_id=flow.needs("wide", runtime="PT1H", memory="9g"))
    workflow = flow.get(flow.path)
    flow.begin()

    def order(sort_method: str | None = None) -> list[str]:
        names = [job["name"] for job in flow.claim(sort_method=sort_method)["jobs"]]
        flow.put(f"{flow.path}/cancel")
        flow.post(f"{flow.path}/initialize")
        return names

    assert order() == ["long", "wide"]
    flow.put(flow.path, {**workflow, "jobs_sort_method": "gpus_memory_runtime"})
    assert order() == ["wide", "long"]
    assert order("gpus_runtime_memory") == ["long", "wide"]
    assert order("none") == ["long", "wide"]


@pytest.mark.parametrize("path", ["claim_next_jobs", "claim_jobs_based_on_resources/5"])
def test_a_claimed_job_comes_with_its_script_requirements_and_outputs(flow: Flow, path: str) -> None:  # 20
    output = flow.file("out")
    flow.job("j", invocation_script="bash prepare.sh", output_file_ids=[output])
    flow.begin()
    offer = {"num_cpus": 1, "memory_gb": 1, "num_gpus": 0, "num_nodes": 1}
    (job,) = flow.post(f"{flow.path}/{path}", offer)["jobs"]
    assert job["invocation_script"] == "bash prepare.sh"
    assert job["output_file_ids"] == [output]
    assert (job["status"], job["resource_requirements_id"] > 0) == ("pending", True)


def test_the_scheduler_of_a_job_is_kept_and_no_scheduler_stays_none(flow: Flow) -> None:  # 21
    scheduler = flow.add("slurm_schedulers", name="s", account="a", nodes=1, walltime="01:00:00")
    bound = flow.get(f"/jobs/{flow.job('bound', scheduler_id=scheduler)}")
    free = flow.get(f"/jobs/{flow.job('free')}")
    assert bound["scheduler_id"] == scheduler
    assert not {"scheduler_id", "invocation_script"} & free.keys()
    # Existing clients send back what the reference made of "unset".
    again = flow.put(f"/jobs/{free['id']}", {**free, "scheduler_id": 0, "invocation_script": ""})
    assert again == free
    assert [job.get("scheduler_id") for job in flow.rows("jobs")] == [scheduler, None]
    flow.begin()
    assert [job["name"] for job in flow.claim(scheduler_config_id=scheduler + 1)["jobs"]] == ["free"]
    assert [job["name"] for job in flow.claim(scheduler_config_id=scheduler)["jobs"]] == ["bound"]


def test_a_deleted_scheduler_leaves_no_job_that_nobody_may_claim(flow: Flow) -> None:  # 21, 45
    scheduler = flow.add("slurm_schedulers", name="s", account="a", nodes=1, walltime="01:00:00")
    job = flow.get(f"/jobs/{flow.job('bound', scheduler_id=scheduler)}")
    refused = flow.http.delete(f"/slurm_schedulers/{scheduler}")
    assert (refused.status, "force" in refused.message) == (409, True)
    assert flow.http.delete("/slurm_schedulers", workflow_id=flow.id).status == 409
    flow.ok(flow.http.delete(f"/slurm_schedulers/{scheduler}", force="true"))
    del job["scheduler_id"]
    assert flow.get(f"/jobs/{job['id']}") == job
    assert flow.put(f"/jobs/{job['id']}", job) == job


def test_a_trigger_counts_a_job_once_however_often_it_ends(flow: Flow) -> None:  # 22
    flow.graph("a", "b", "c: b")
    jobs = [flow.ids["a"], flow.ids["c"]]
    flow.post(f"{flow.path}/actions", {"trigger_type": "on_jobs_complete", "job_ids": jobs, **COMMANDS})
    flow.begin()
    flow.run("a")
    flow.put(f"/jobs/{flow.ids['a']}/manage_status_change/uninitialized/1")
    flow.post(f"{flow.path}/initialize_jobs", only_uninitialized="true")
    flow.run("a")
    (action,) = flow.get(f"{flow.path}/actions")
    assert (action["trigger_count"], action["required_triggers"]) == (1, 2)
    flow.fail("b")
    (action,) = flow.get(f"{flow.path}/actions/pending")
    assert action["trigger_count"] == 2, "a job that a cascade cancels is counted, too"


@pytest.mark.parametrize("end", ["cascade", "cancel"])
def test_the_end_of_a_workflow_fires_whoever_brought_it(flow: Flow, end: str) -> None:  # 23
    flow.graph("a", "b: a")
    flow.post(f"{flow.path}/actions", {"trigger_type": "on_workflow_complete", **COMMANDS})
    flow.begin()
    assert flow.get(f"{flow.path}/actions/pending") == []
    if end == "cascade":
        flow.fail("a")
    else:
        flow.put(f"{flow.path}/cancel")
    assert len(flow.get(f"{flow.path}/actions/pending", trigger_type="on_workflow_complete")) == 1


def test_a_worker_claims_a_persistent_action_once(flow: Flow) -> None:  # 24
    flow.job("a")
    action = flow.post(f"{flow.path}/actions", {"trigger_type": "on_worker_start", **COMMANDS})["id"]
    flow.begin()
    path = f"{flow.path}/actions/{action}/claim"
    other = flow.add("compute_nodes", **{**flow.get(f"/compute_nodes/{flow.node}"), "hostname": "n2"})
    assert [flow.http.post(path, {"compute_node_id": node}).status for node in (flow.node, flow.node, other)] == [
        200, 409, 200,
    ]  # fmt: skip


def test_ephemeral_data_that_jobs_write_lasts_one_run(flow: Flow) -> None:  # 25
    written, read = (flow.add("user_data", name=name, is_ephemeral=True, data={"a": 1}) for name in ("w", "r"))
    flow.job("j", output_user_data_ids=[written], input_user_data_ids=[read])
    flow.post(f"{flow.path}/initialize_jobs")
    assert flow.get(f"/user_data/{written}")["data"] == {"a": 1}
    flow.post(f"{flow.path}/initialize_jobs", clear_ephemeral_user_data="true")
    assert "data" not in flow.get(f"/user_data/{written}")
    assert flow.get(f"/user_data/{read}")["data"] == {"a": 1}


def test_a_canceled_workflow_is_complete_and_hands_nothing_out(http: Http, flow: Flow) -> None:  # 5, 16
    flow.graph("a", "b: a", "c").begin()
    flow.ok(flow.start("a"))
    flow.put(f"{flow.path}/cancel", b"null")
    assert set(flow.statuses().values()) == {"canceled"}
    assert flow.is_complete()
    assert flow.claim()["jobs"] == []
    assert http.get(flow.path).status == 200
