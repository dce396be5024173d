"""``torc workflows reinitialize``, ``reset-status``, ``cancel``, ``archive`` and ``status``: said, done, refused."""

import json
from http.client import HTTPConnection

import pytest

pytestmark = pytest.mark.slow

SPEC = """
name: chain
files:
  - {name: in, path: in.txt}
  - {name: out, path: out.txt}
jobs:
  - {name: first, command: cp in.txt out.txt, input_files: [in], output_files: [out]}
  - {name: second, command: cat out.txt, input_files: [out]}
  - {name: third, command: "test -e go", depends_on: [second]}
"""


@pytest.fixture
def made(torc, http, tmp_path):
    """A workflow of SPEC that has run; third failed. Its files are there."""
    (tmp_path / "spec.yaml").write_text(SPEC)
    (tmp_path / "in.txt").write_text("1")
    workflow_id = torc("workflows", "create", "spec.yaml", "-f", "json").json["id"]
    assert torc("workflows", "initialize", workflow_id).code == 0
    (tmp_path / "out.txt").write_text("1")
    for outcome in ("completed", "completed", "failed"):
        run_next(http, workflow_id, outcome)
    ids = {file["name"]: file for file in http.get("/files", workflow_id=workflow_id).json["items"]}
    state = (tmp_path / "out.txt").stat()
    http.put(f"/files/{ids['out']['id']}", {**ids["out"], "st_mtime": state.st_mtime, "size": state.st_size})
    return workflow_id


def run_next(http, workflow_id, outcome):
    """What a runner reports of the next job."""
    (job,) = http.post(f"/workflows/{workflow_id}/claim_next_jobs", limit=1).json["jobs"]
    run_id = http.get(f"/workflows/{workflow_id}/status").json["run_id"]
    node = {
        "workflow_id": workflow_id,
        "hostname": "h",
        "pid": 1,
        "start_time": "2026-01-01T00:00:00Z",
        "num_cpus": 1,
        "memory_gb": 1.0,
        "num_gpus": 0,
        "num_nodes": 1,
        "compute_node_type": "local",
        "is_active": True,
    }
    node_id = http.post("/compute_nodes", node).json["id"]
    assert http.put(f"/jobs/{job['id']}/start_job/{run_id}/{node_id}", {}).status == 200
    result = {
        "job_id": job["id"],
        "workflow_id": workflow_id,
        "run_id": run_id,
        "compute_node_id": node_id,
        "return_code": int(outcome == "failed"),
        "exec_time_minutes": 0.1,
        "completion_time": "2026-01-01T00:00:00Z",
        "status": outcome,
    }
    assert http.post(f"/jobs/{job['id']}/complete_job/{outcome}/{run_id}", result).status == 200


def everything(http, workflow_id):
    paths = (
        f"/workflows/{workflow_id}/status",
        f"/jobs?workflow_id={workflow_id}",
        f"/files?workflow_id={workflow_id}",
    )
    return [http.get(path).json for path in paths]


def refused(said, *words):
    """One sentence on stderr, nothing on stdout, exit code 1."""
    assert (said.code, said.out) == (1, "")
    assert said.err.count("\n") == 1
    assert all(word in said.err for word in words), said.err


def test_a_dry_run_names_the_jobs_and_why_and_changes_nothing(torc, http, made):
    before = everything(http, made)
    shown = torc("workflows", "reinitialize", made, "--dry-run", "-f", "json").json
    assert (shown["workflow_id"], shown["safe"], shown["run_id"], shown["job_count"]) == (made, True, 2, 1)
    assert [(job["name"], job["status"], job["reason"]) for job in shown["jobs"]] == [("third", "failed", "failed")]
    assert (shown["missing_input_files"], shown["existing_output_files"]) == ([], [])
    assert everything(http, made) == before


def test_the_table_of_a_dry_run(offline, start_server, tmp_path, golden):
    env = {"TORC_API_URL": start_server().url}  # of its own, so that the IDs are always the same
    (tmp_path / "spec.yaml").write_text(SPEC)
    for name in ("in.txt", "out.txt"):
        (tmp_path / name).write_text("1")
    for words in ("create spec.yaml", "initialize 1", "cancel 1"):
        assert offline("workflows", *words.split(), env=env).code == 0
    golden("reinitialize_dry_run", offline("workflows", "reinitialize", 1, "--dry-run", env=env).out)


def test_what_failed_runs_again_and_the_rest_stays(torc, http, made):
    said = torc("workflows", "reinitialize", made)
    assert said.code == 0
    assert said.out.startswith(f"Successfully reinitialized workflow:\n  Workflow ID: {made}\n  Run ID: 2\n")
    statuses = {job["name"]: job["status"] for job in http.get("/jobs", workflow_id=made).json["items"]}
    assert statuses == {"first": "completed", "second": "completed", "third": "ready"}


def test_json_has_the_keys_of_the_contract_and_the_jobs(torc, made):
    said = torc("workflows", "reinitialize", made, "-f", "json").json
    assert (said["status"], said["workflow_id"]) == ("success", made)
    assert said["message"] == f"Successfully reinitialized workflow {made}"
    assert [job["name"] for job in said["jobs"]] == ["third"]


def test_failed_jobs_can_be_kept(torc, made):
    assert torc("workflows", "reinitialize", made, "--keep-failed", "-f", "json").json["jobs"] == []


def test_a_changed_input_and_a_missing_output_are_seen(torc, made, tmp_path):
    (tmp_path / "out.txt").unlink()
    shown = torc("workflows", "reinitialize", made, "--dry-run", "-f", "json").json["jobs"]
    assert [(job["name"], job["reason"], job["detail"]) for job in shown] == [
        ("first", "missing_output", "out.txt"),
        ("second", "changed_file", "out.txt"),
        ("third", "failed", None),
    ]
    assert shown[0]["message"] == "output file is missing: out.txt"


def test_a_missing_input_is_refused_and_forced(torc, http, made, tmp_path):
    (tmp_path / "in.txt").unlink()
    before = everything(http, made)
    refused(torc("workflows", "reinitialize", made), "in.txt", "--force")
    check = torc("workflows", "reinitialize", made, "--dry-run", "-f", "json")
    assert (check.code, check.json["safe"], check.json["missing_input_files"]) == (1, False, ["in.txt"])
    refused(torc("workflows", "reinitialize", made, "--delete-outputs"), "in.txt")
    assert (tmp_path / "out.txt").exists()
    assert everything(http, made) == before
    assert torc("workflows", "reinitialize", made, "--force").code == 0


def test_outputs_that_are_written_again_are_deleted_only_when_asked(torc, terminal, made, tmp_path):
    (tmp_path / "in.txt").write_text("22")
    kept = torc("workflows", "reinitialize", made)
    assert "Found 1 existing output file(s): out.txt" in kept.err
    assert (tmp_path / "out.txt").exists()
    torc("workflows", "cancel", made)
    asked = terminal("workflows", "reinitialize", made, typed="n\n")
    assert "Delete these files" in asked.err
    assert (tmp_path / "out.txt").exists()
    torc("workflows", "cancel", made)
    assert torc("workflows", "reinitialize", made, "--delete-outputs").code == 0
    assert not (tmp_path / "out.txt").exists()
    assert (tmp_path / "in.txt").exists()


@pytest.mark.parametrize("verb", ["reinitialize", "reset-status", "cancel", "status", "initialize"])
def test_an_unknown_workflow_is_one_sentence(torc, verb):
    refused(torc("workflows", verb, 999999), "999999")


def test_an_archived_workflow_is_hidden_and_begins_no_run(torc, http, made):
    said = torc("workflows", "archive", "TRUE", made)
    assert said.out == f"Successfully archived workflow {made}\n"
    before = everything(http, made)
    assert made not in [one["id"] for one in torc("workflows", "list", "-f", "json").json]
    assert made in [one["id"] for one in torc("workflows", "list", "--archived-only", "-f", "json").json]
    for words in (["reinitialize"], ["reset-status", "--no-prompts"], ["initialize", "--delete-outputs"]):
        refused(torc("workflows", words[0], made, *words[1:]), "rchive")
    assert everything(http, made) == before
    assert torc("workflows", "archive", "no", made).out == f"Successfully unarchived workflow {made}\n"
    assert torc("workflows", "reinitialize", made).code == 0


def test_archive_tells_in_json_what_worked_and_what_did_not(torc, made):
    said = torc("workflows", "archive", "true", made, 999999, "-f", "json")
    assert (said.code, said.json["status"]) == (1, "partial_success")
    assert (said.json["updated_workflows"], said.json["is_archived"]) == ([made], True)
    assert "999999" in said.json["errors"][0]
    assert torc("workflows", "archive", "perhaps", made).code == 2


def test_cancel_stops_what_waits_and_reinitialize_goes_on(torc, http, made):
    torc("workflows", "reinitialize", made)
    said = torc("workflows", "cancel", made)
    assert (said.code, said.out, said.err) == (0, "", f"Successfully canceled workflow {made}\n")
    assert torc("workflows", "status", made, "-f", "json").json["status"] == "canceled"
    again = torc("workflows", "cancel", made, "-f", "json")
    assert (again.code, again.json["status"], again.json["canceled_slurm_jobs"]) == (0, "success", [])
    assert "was canceled before" in again.err
    assert torc("workflows", "reinitialize", made, "-f", "json").json["jobs_ready"] == 1


def test_a_finished_workflow_cannot_be_canceled(torc, http, made):
    before = everything(http, made)
    refused(torc("workflows", "cancel", made), "is finished (failed)")
    assert everything(http, made) == before


def test_reset_status_makes_all_jobs_uninitialized(torc, http, made):
    said = torc("workflows", "reset-status", made, "--no-prompts")
    assert (said.code, said.out) == (0, "")
    assert said.err.splitlines() == [
        f"Successfully reset workflow status for workflow {made}",
        f"Successfully reset all job status for workflow {made}",
    ]
    assert torc("workflows", "status", made, "-f", "json").json["job_counts"] == {"uninitialized": 3}


def test_reset_status_of_what_failed_and_restart(torc, made):
    said = torc("workflows", "reset-status", made, "--failed-only", "--restart", "--no-prompts", "-f", "json").json
    assert said["operations"] == {"workflow_reset": True, "job_reset": True, "restart": True}
    assert (said["failed_only"], said["run_id"], said["jobs_reset"], said["jobs_ready"]) == (True, 2, 1, 1)
    everything_again = torc("workflows", "reset-status", made, "--reinitialize", "-f", "json").json
    assert (everything_again["run_id"], everything_again["jobs_ready"]) == (3, 1)


def test_a_refused_reset_with_restart_has_reset_nothing(torc, http, made, tmp_path):
    (tmp_path / "in.txt").unlink()
    before = everything(http, made)
    refused(torc("workflows", "reset-status", made, "-r", "--no-prompts"), "in.txt")
    assert everything(http, made) == before


def test_running_jobs_refuse_every_new_start_unless_forced(torc, http, made):
    torc("workflows", "reinitialize", made)
    (job,) = http.post(f"/workflows/{made}/claim_next_jobs", limit=1).json["jobs"]
    http.put(f"/jobs/{job['id']}/manage_status_change/running/2")
    before = everything(http, made)
    refused(torc("workflows", "reinitialize", made), "'third' is running", f"torc workflows cancel {made}")
    refused(torc("workflows", "reinitialize", made, "--dry-run"), "'third' is running")
    refused(torc("workflows", "reset-status", made, "--no-prompts"), "running")
    refused(torc("workflows", "reset-status", made, "-r", "--no-prompts"), "running")
    assert everything(http, made) == before
    assert torc("workflows", "reset-status", made, "-r", "--force", "--no-prompts").code == 0
    assert torc("workflows", "status", made, "-f", "json").json["job_counts"] == {"ready": 1, "blocked": 2}


def test_status_tells_actions_that_wait_and_that_failed(torc, http, made):
    action = {
        "trigger_type": "on_workflow_start",
        "action_type": "run_commands",
        "action_config": {"commands": ["true"]},
    }
    action_id = http.post(f"/workflows/{made}/actions", action).json["id"]
    torc("workflows", "reinitialize", made)
    said = torc("workflows", "status", made, "-f", "json").json
    assert (said["status"], said["pending_actions"], said["failed_actions"]) == ("running", [action_id], [])
    assert f"Pending actions: {action_id}" in torc("workflows", "status", made).out


def test_a_server_that_is_killed_in_the_middle_finishes_when_it_is_back(start_server, eventually):
    server = start_server()
    workflow_id = server.http.post("/workflows", {"name": "big", "user": "u"}).json["id"]
    for _ in range(6):
        jobs = [{"workflow_id": workflow_id, "name": f"job{n}", "command": "true"} for n in range(5000)]
        assert server.http.post("/bulk_jobs", {"jobs": jobs}).status == 200
    server.http.post(f"/workflows/{workflow_id}/initialize", {})
    server.http.put(f"/workflows/{workflow_id}/cancel")
    assert server.http.get(f"/workflows/{workflow_id}/job_counts").json["counts"] == {"canceled": 30_000}
    begun = start_and_forget(server, f"/workflows/{workflow_id}/reinitialize")
    eventually(
        lambda: server.http.get(f"/workflows/{workflow_id}/job_counts").json["counts"],
        lambda counts: 0 < counts.get("canceled", 0) < 30_000,
    )
    server.kill()
    begun.close()
    again = start_server()
    done = eventually(
        lambda: again.http.get(f"/workflows/{workflow_id}/status").json,
        lambda status: "busy" not in status,
        timeout_s=60,
    )
    assert done["run_id"] == 2
    assert again.http.get(f"/workflows/{workflow_id}/job_counts").json["counts"] == {"ready": 30_000}
    types = [event["data"]["type"] for event in again.http.get("/events", workflow_id=workflow_id).json["items"]]
    assert types.count("reinitialize") == 1
    assert again.http.get("/doctor").json == {"problems": []}


def start_and_forget(server, path):
    """Send a request whose answer nobody waits for."""
    connection = HTTPConnection("127.0.0.1", server.port)
    connection.request("POST", f"/torc-service/v1{path}", json.dumps({}), {"Content-Type": "application/json"})
    return connection
