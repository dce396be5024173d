"""``torc recover`` and ``torc watch --recover``: what is said, and how it ends."""

import pytest

pytestmark = pytest.mark.slow

SPEC = """
name: hungry
jobs:
  - {name: sort, command: "[ $TORC_RUN_ID -gt 1 ] || { echo MemoryError >&2; exit 1; }", resource_requirements: small}
  - {name: merge, command: "true", depends_on: [sort]}
  - {name: check, command: "exit 7"}
resource_requirements:
  - {name: small, memory: 200m, runtime: PT1M}
"""


@pytest.fixture
def ran(torc, tmp_path):
    """A workflow of SPEC in which sort ran out of memory."""
    (tmp_path / "spec.yaml").write_text(SPEC)
    workflow_id = torc("workflows", "create", "spec.yaml", "-f", "json").json["id"]
    assert torc("run", workflow_id).code == 3
    return workflow_id


def test_a_dry_run_tells_and_changes_nothing(torc, ran):
    would = torc("recover", ran, "--dry-run")
    assert would.code == 0
    assert "200m -> 304m" in would.out and "stay as they are (check)" in would.out
    assert would.err == f"Would be done: 2 job(s) of workflow {ran} run again\n"
    assert torc("workflows", "status", ran, "-f", "json").json["run_id"] == 1


def test_what_lacked_memory_runs_again_and_then_nothing_more_would_help(torc, ran):
    done = torc("recover", ran, "-f", "json")
    assert (done.code, done.json["recovered"], done.json["jobs_run_again"]) == (0, True, 2)
    assert torc("run", ran).code == 3
    nothing = torc("recover", ran)
    assert nothing.code == 3
    assert nothing.err.startswith("Nothing was done: nothing that is known would help; --retry-unknown")
    assert torc("recover", ran, "--retry-unknown").code == 0


def test_what_has_succeeded_needs_no_recovery(torc, tmp_path):
    (tmp_path / "spec.yaml").write_text("name: fine\njobs: [{name: a, command: 'true'}]\n")
    workflow_id = torc("workflows", "create", "spec.yaml", "-f", "json").json["id"]
    early = torc("recover", workflow_id)
    assert (early.code, "has not begun" in early.err) == (1, True)
    assert torc("run", workflow_id).code == 0
    fine = torc("recover", workflow_id)
    assert (fine.code, fine.err) == (0, "Nothing was done: no job has failed or was lost\n")


def test_watching_recovers_only_where_somebody_runs_what_is_recovered(torc, ran, tmp_path):
    local = torc("watch", ran, "--recover")
    assert local.code == 2
    assert "has no Slurm scheduler, so nobody would run what is recovered; leave out --recover" in local.err
    assert torc("slurm", "create", ran, "-n", "s", "-a", "acct").code == 0
    nowhere = torc("watch", ran, "--recover", env={"PATH": "/nowhere"})
    assert (nowhere.code, "there is no sbatch on PATH" in nowhere.err) == (1, True)
    assert torc("workflows", "status", ran, "-f", "json").json["run_id"] == 1
