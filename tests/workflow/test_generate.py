"""Schedulers and actions for a cluster, made from specifications without: golden files, and rules one by one."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from torc.errors import InvalidSpec
from torc.hpc.kestrel import KESTREL
from torc.hpc.profile import Partition, Profile
from torc.spec.formats.read import parse_text
from torc.spec.load import load_document
from torc.spec.write import write
from torc.workflow.generate import Generated, generate
from torc.workflow.sizing import Options

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = Path(__file__).with_name("golden")

CLUSTER = Profile(
    name="ours",
    display_name="Our Cluster",
    partitions=[
        Partition(name="batch", cpus_per_node=48, memory_mb=192_000, max_walltime_secs=259_200),
        Partition(name="part", cpus_per_node=48, memory_mb=192_000, max_walltime_secs=14_400, shared=True),
        Partition(
            name="gpu",
            cpus_per_node=32,
            memory_mb=256_000,
            max_walltime_secs=172_800,
            gpus_per_node=4,
            requires_explicit_request=True,
            default_qos="gpus",
        ),
    ],
)
PROFILES = {"kestrel": KESTREL, "ours": CLUSTER}

CASES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "diamond": ("yaml/diamond_workflow.yaml", "kestrel", {}),
    "hundred_jobs": ("yaml/hundred_jobs.yaml", "kestrel", {}),
    "hundred_jobs_single": ("yaml/hundred_jobs.yaml", "ours", {"single_allocation": True}),
    "hundred_jobs_runtime": ("json/hundred_jobs.json5", "ours", {"walltime": "runtime"}),
    "sweep": ("yaml/hyperparameter_sweep.yaml", "kestrel", {}),
    "sweep_kdl": ("kdl/hyperparameter_sweep.kdl", "kestrel", {}),
    "staged": ("yaml/slurm_staged_pipeline.yaml", "kestrel", {}),
    "staged_kdl": ("kdl/slurm_staged_pipeline.kdl", "kestrel", {"group_by": "partition"}),
    "staged_no_actions": ("json/slurm_staged_pipeline.json5", "kestrel", {"with_actions": False}),
    "checkpoint": ("yaml/checkpoint.yaml", "kestrel", {}),
    "zip_parameters": ("yaml/zip_parameters.yaml", "ours", {}),
    "user_data": ("yaml/user_data.yaml", "ours", {}),
    "ml_training": ("yaml/workflow_actions_ml_training.yaml", "kestrel", {"walltime": "runtime"}),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_generated_is_as_before(case: str) -> None:
    example, profile, options = CASES[case]
    path = ROOT / "examples" / example
    made = generate(
        path.read_text(), path.name, PROFILES[profile], Options(account="proj", force=True, **options), user="u"
    )
    text = write(made.tree, path.name)
    golden = GOLDEN / f"{case}{path.suffix}"
    if os.environ.get("TORC_REWRITE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text)
    assert text == golden.read_text(), "run TORC_REWRITE_GOLDEN=1 pytest test_generate.py"
    assert parse_text(text, path.name) == made.tree
    loaded = load_document(text, source=path.name, user="u")
    assert len(loaded.jobs) == len(load_document(path.read_text(), source=path.name, user="u").jobs)
    assert all(job.scheduler is not None for job in loaded.jobs if job.resource_requirements is not None)


NEED = {"name": "small", "num_cpus": 4, "memory": "8g", "runtime": "PT1H"}


def job(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "command": "true", "resource_requirements": "small", **fields}


def made(*jobs: dict[str, Any], profile: Profile = CLUSTER, needs: Any = (NEED,), **options: Any) -> Generated:
    tree = {"name": "w", "jobs": list(jobs), "resource_requirements": list(needs)}
    return generate(json.dumps(tree), "w.json", profile, Options(account="a", **options), user="u")


def test_a_chain_of_equal_jobs_never_waits_for_itself() -> None:
    found = made(job("a"), job("b", depends_on=["a"]), job("c", depends_on=["b"])).tree
    assert [one["name"] for one in found["slurm_schedulers"]] == [
        "small_scheduler",
        "small_stage2_scheduler",
        "small_stage3_scheduler",
    ]
    first, second, third = found["actions"]
    assert first["trigger_type"] == "on_workflow_start"
    assert (second["trigger_type"], second["job_name_regexes"]) == ("on_jobs_ready", ["^b$"])
    assert third["job_name_regexes"] == ["^c$"]


def test_dependencies_that_only_files_show_count() -> None:
    tree = {
        "name": "w",
        "files": [{"name": "f", "path": "f.txt"}],
        "resource_requirements": [NEED],
        "jobs": [job("a", command="echo > ${files.output.f}"), job("b", command="cat ${files.input.f}")],
    }
    found = generate(json.dumps(tree), "w.json", CLUSTER, Options(account="a"), user="u").tree
    assert [one["scheduler"] for one in found["jobs"]] == ["small_scheduler", "small_stage2_scheduler"]


def test_parameters_stay_and_one_node_takes_as_many_jobs_as_fit() -> None:
    found = made(job("a_{i}", parameters={"i": "1:30"})).tree
    assert found["jobs"] == [{**job("a_{i}", parameters={"i": "1:30"}), "scheduler": "small_scheduler"}]
    (scheduler,), (action,) = found["slurm_schedulers"], found["actions"]
    assert action["num_allocations"] == 3  # 48 CPUs a node, 4 a job
    assert (scheduler["nodes"], scheduler["mem"]) == (1, "96g")
    assert scheduler["extra"] == "--cpus-per-task=48"  # small jobs go where nodes are shared
    assert scheduler["walltime"] == "04:00:00"


def test_an_entry_in_several_stages_is_written_out_and_no_other() -> None:
    chain = job(
        "{now}",
        depends_on_regexes=["^{before}$"],
        parameters={"now": ["b", "c"], "before": ["a", "b"]},
        parameter_mode="zip",
    )
    found = made(job("a"), chain, job("many_{i}", parameters={"i": "1:3"})).tree
    assert [one["name"] for one in found["jobs"]] == ["a", "b", "c", "many_{i}"]
    assert found["jobs"][1] == job("b", depends_on_regexes=["^a$"], scheduler="small_stage2_scheduler")
    assert found["jobs"][2]["scheduler"] == "small_stage3_scheduler"


def test_many_jobs_of_a_later_stage_are_named_by_a_pattern_that_matches_no_others() -> None:
    first = job("first_{i}", parameters={"i": "1:50"})
    second = job("second_{i}", parameters={"i": "1:50"}, depends_on_regexes=["^first_"])
    (pattern,) = made(first, second).tree["actions"][1]["job_name_regexes"]
    assert re.search(pattern, "second_17")
    assert not re.search(pattern, "first_17")


def test_jobs_of_several_nodes_have_them_for_themselves() -> None:
    wide = {**NEED, "num_nodes": 3}
    found = made(job("a"), job("b"), needs=[wide], single_allocation=True).tree
    assert [(one["nodes"], one["mem"]) for one in found["slurm_schedulers"]] == [(3, "8g")]
    assert [(one["num_allocations"], "start_one_worker_per_node" in one) for one in found["actions"]] == [(2, False)]


def test_one_allocation_of_many_nodes_has_a_worker_on_each() -> None:
    found = made(job("a_{i}", parameters={"i": "1:30"}), single_allocation=True).tree
    assert found["slurm_schedulers"][0]["nodes"] == 3
    assert found["actions"][0]["num_allocations"] == 1
    assert found["actions"][0]["start_one_worker_per_node"] is True


def test_gpus_are_asked_for_as_many_as_run_at_a_time() -> None:
    found = made(job("a_{i}", parameters={"i": "1:3"}), needs=[{**NEED, "num_gpus": 1}]).tree
    (scheduler,) = found["slurm_schedulers"]
    assert (scheduler["partition"], scheduler["gres"], scheduler["qos"]) == ("gpu", "gpu:3", "gpus")


def test_the_walltime_may_follow_the_jobs() -> None:
    # An hour, and two minutes for the beginning and the end.
    found = made(job("a"), walltime="runtime", walltime_factor=1.2).tree
    assert found["slurm_schedulers"][0]["walltime"] == "01:15:00"


def test_jobs_that_save_their_work_go_on_in_the_next_allocation() -> None:
    found = made(job("a", supports_termination=True), job("b")).tree
    (handler,) = found["failure_handlers"]
    assert handler["rules"] == [{"causes": ["time_up"], "max_retries": 10}]
    assert [one.get("failure_handler") for one in found["jobs"]] == [handler["name"], None]


def test_what_fits_nowhere_is_refused_with_the_nearest_partition() -> None:
    with pytest.raises(InvalidSpec, match="Job 'a' fits on no partition of Our Cluster .*has 48 CPUs a node, not 100"):
        made(job("a"), needs=[{**NEED, "num_cpus": 100}])


def test_jobs_without_requirements_are_left_out_with_a_warning() -> None:
    free = {"name": "free", "command": "true"}
    found = made(job("a"), free)
    assert found.warnings == ["Job 'free' has no resource_requirements, skipping scheduler generation"]
    assert found.tree["jobs"][1] == free
    with pytest.raises(InvalidSpec, match="no resource_requirements defined"):
        generate(json.dumps({"name": "w", "jobs": [free]}), "w.json", CLUSTER, Options(account="a"), user="u")


@pytest.mark.parametrize("key", ["slurm_schedulers", "actions"])
def test_what_is_there_is_replaced_only_by_force(key: str) -> None:
    schedulers = [{"name": "s", "account": "x"}]
    run = {"trigger_type": "on_workflow_start", "action_type": "run_commands", "commands": ["true"]}
    ask = {
        "trigger_type": "on_workflow_start",
        "action_type": "schedule_nodes",
        "scheduler": "s",
        "scheduler_type": "slurm",
    }
    tree: dict[str, Any] = {"name": "w", "jobs": [job("a", scheduler="s")], "resource_requirements": [NEED]}
    tree |= {"slurm_schedulers": schedulers, "actions": [run, ask]}
    if key == "actions":
        tree |= {"slurm_schedulers": [], "actions": [run]}
        tree["jobs"] = [job("a")]
    text = json.dumps(tree)
    with pytest.raises(InvalidSpec, match=f"already has {key} defined"):
        generate(text, "w.json", CLUSTER, Options(account="a"), user="u")
    found = generate(text, "w.json", CLUSTER, Options(account="a", force=True), user="u").tree
    assert [one["action_type"] for one in found["actions"]] == ["run_commands", "schedule_nodes"]
    assert [one["account"] for one in found["slurm_schedulers"]] == ["a"]


def test_an_allocation_lasts_long_enough_for_its_jobs_to_begin_and_end_in_it() -> None:
    """A runner starts nothing that would not have ended a minute (the buffer) before its allocation does."""
    minute = {**NEED, "runtime": "PT1M"}
    found = made(job("a"), needs=[minute], walltime="runtime", walltime_factor=1.0).tree
    assert found["slurm_schedulers"][0]["walltime"] == "00:03:00"
    whole = {**NEED, "num_cpus": 48, "runtime": "PT72H"}  # as long as the partition allows
    with pytest.raises(InvalidSpec, match="allows 3-00:00:00, not 3-00:02:00"):
        made(job("a"), needs=[whole])
