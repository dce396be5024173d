"""Every example loads, means the same in its three formats, and does what its comment says."""

import json
import os
import re
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from torc.models.checked import Checked
from torc.models.draft import DraftDocument
from torc.spec import check

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
FORMATS = {".yaml", ".json5", ".kdl"}
FILES = sorted(path for path in EXAMPLES.rglob("*") if path.suffix in FORMATS)
BY_TOPIC = {path.stem: path for path in FILES if path.suffix == ".yaml"}
JOBS = {
    "barrier": 2002,
    "checkpoint": 3,
    "diamond_workflow": 4,
    "failure_handlers": 4,
    "hundred_jobs": 100,
    "hyperparameter_sweep": 1 + 3 * 3 + 1,
    "hyperparameter_sweep_shared_params": 1 + 2 * 3 * 2 + 2 + 2 + 1,
    "resource_monitoring_demo": 4,
    "sample_workflow": 3 + 3 + 2,
    "simulation_sweep": 5 * 3 + 1,
    "slurm": 8 + 1,
    "slurm_staged_pipeline": 1 + 10 * 4 + 1,
    "subgraphs_workflow": 1 + 3 + 5 + 3,
    "subgraphs_workflow_no_slurm": 1 + 3 + 5 + 3,
    "user_data": 4,
    "workflow_actions_data_pipeline": 1 + 6 + 1,
    "workflow_actions_ml_training": 1 + 4 * 2 + 1,
    "workflow_actions_simple_slurm": 3 + 1,
    "zip_parameters": 4 + 1,
}
MADE = {
    "barrier": ("output/job_stdio/job_1_1001_1.o", "the first stage is done"),
    "diamond_workflow": ("output/diamond/f6.txt", "2\t6\n"),
    "failure_handlers": ("output/failures/busy.txt", "attempt 3"),
    "hundred_jobs": ("output/hundred/square_012.txt", "144"),
    "hyperparameter_sweep": ("output/sweep/ranking.csv", "loss\n0.1,4,file,"),
    "hyperparameter_sweep_shared_params": ("output/shared/best.csv", "ranking_random.csv <==\nrate,"),
    "resource_monitoring_demo": ("output/job_stdio/job_1_4_1.o", "rounds with 100,000,000 bytes"),
    "sample_workflow": ("output/sample/summary.csv", "clean_lake,703,17.82"),
    "simulation_sweep": ("output/flights/farthest.csv", "distance\n45.0,0.0,40.77"),
    "subgraphs_workflow_no_slurm": ("output/subgraphs/both.csv", "clean_river_5,"),
    "user_data": ("output/user_data/report.txt", 'trained with {"batch":8}: {"rate": 0.1, "batch": 8,'),
    "zip_parameters": ("output/daylight/june.txt", "oslo.csv:6,17.9"),
}
"""What running an example leaves behind. The others are for Slurm."""

RUN = sorted(MADE)
LOOKED_AT = sorted(JOBS.keys() - MADE.keys())


@cache
def checked(path: Path) -> Checked:
    return check(path.read_text(), source=path.name, user="ada")


def load(path: Path) -> DraftDocument:
    document = checked(path).document
    assert document, checked(path).errors
    return document


def content(document: DraftDocument) -> dict[str, Any]:
    fields = msgspec.structs.asdict(document)
    return {kind: msgspec.to_builtins(list(records) if kind == "jobs" else records) for kind, records in fields.items()}


def waits_for(document: DraftDocument) -> dict[str, set[str]]:
    """The names of the jobs that each job waits for, however it says so."""
    jobs = list(document.jobs)
    writers = defaultdict(set)
    for index, job in enumerate(jobs):
        for kind, records in (("file", job.output_files), ("user_data", job.output_user_data)):
            for record in records:
                writers[kind, record].add(index)
    found = {}
    for job in jobs:
        others = set(job.depends_on)
        others.update(*(document.groups[group].members for group in job.depends_on_groups))
        others.update(*(writers["file", record] for record in job.input_files))
        others.update(*(writers["user_data", record] for record in job.input_user_data))
        found[job.name] = {jobs[index].name for index in others}
    return found


def test_the_tables_here_name_every_example():
    assert sorted(JOBS) == sorted(BY_TOPIC)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_an_example_says_how_to_use_it(path):
    where = path.relative_to(ROOT)
    ways = {
        True: [f"bin/torc run --standalone {where}\n"],
        False: [f"bin/torc workflows create --dry-run {where}\n", f"bin/torc workflows execution-plan {where}\n"],
    }
    assert [way for way in ways[path.stem in MADE] if way not in path.read_text()] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_an_example_has_neither_errors_nor_warnings(path):
    assert (checked(path).errors, checked(path).warnings) == ([], [])


@pytest.mark.parametrize("topic", sorted(JOBS))
def test_an_example_has_the_jobs_that_it_speaks_of(topic):
    document = load(BY_TOPIC[topic])
    assert len(document.jobs) == JOBS[topic]
    assert document.workflow.name == topic


@pytest.mark.parametrize("topic", sorted(JOBS))
def test_the_three_formats_of_an_example_are_equal_workflows(topic):
    same = [path for path in FILES if path.stem == topic]
    assert {path.suffix for path in same} == FORMATS
    first, *others = [content(load(path)) for path in same]
    assert others == [first, first]


@pytest.mark.parametrize("topic", RUN)
def test_every_job_of_an_example_to_run_fits_the_smallest_machine(topic):
    document = load(BY_TOPIC[topic])
    needs = [(record.num_cpus, record.num_gpus, record.num_nodes) for record in document.resource_requirements]
    assert set(needs) <= {(1, 0, 1)}
    assert document.slurm_schedulers == []
    assert {action.action_type for action in document.actions} <= {"run_commands"}


@pytest.mark.parametrize(
    ("topic", "job", "pattern"),
    [
        ("barrier", "between", "^first_"),
        ("barrier", "second_0500", "^between$"),
        ("barrier", "last", "^second_"),
        ("checkpoint", "report", "^count_"),
        ("diamond_workflow", "work2", "^preprocess$"),
        ("diamond_workflow", "postprocess", "^work"),
        ("failure_handlers", "afterwards", "^(busy|sent_away|clumsy)$"),
        ("hundred_jobs", "job_001", "^none$"),
        ("hyperparameter_sweep", "train_0.10_16", "^prepare$"),
        ("hyperparameter_sweep", "rank", "^train_"),
        ("hyperparameter_sweep_shared_params", "baseline_2", "^prepare$"),
        ("hyperparameter_sweep_shared_params", "rank_file", "^train_file_"),
        ("hyperparameter_sweep_shared_params", "compare", "^rank_"),
        ("resource_monitoring_demo", "both", "^(idle|compute|remember)$"),
        ("sample_workflow", "clean_lake", "^record_lake$"),
        ("sample_workflow", "summarize", "^clean_"),
        ("sample_workflow", "goodbye", "^summarize$"),
        ("simulation_sweep", "collect", "^throw_"),
        ("slurm", "mean", "^throw_"),
        ("slurm_staged_pipeline", "fit_0.50_04", "^prepare$"),
        ("slurm_staged_pipeline", "rank", "^fit_"),
        ("subgraphs_workflow", "clean_rain_3", "^record$"),
        ("subgraphs_workflow", "summarize_river", "^clean_river_"),
        ("subgraphs_workflow", "compare", "^summarize_"),
        ("user_data", "choose", "^prepare$"),
        ("user_data", "train", "^(prepare|choose)$"),
        ("user_data", "report", "^(choose|train)$"),
        ("workflow_actions_data_pipeline", "clean_4", "^record$"),
        ("workflow_actions_data_pipeline", "summarize", "^clean_"),
        ("workflow_actions_ml_training", "choose", "^train_"),
        ("workflow_actions_simple_slurm", "rank", "^throw_"),
        ("zip_parameters", "june", "^daylight_"),
    ],
)
def test_a_job_waits_for_the_jobs_that_its_example_is_about(topic, job, pattern):
    waits = waits_for(load(BY_TOPIC[topic]))
    assert waits[job] == {name for name in waits if re.search(pattern, name)}


def test_the_sweep_has_a_hundred_jobs_that_write_a_file_each():
    jobs = load(BY_TOPIC["hundred_jobs"]).jobs
    assert [job.output_files for job in jobs] == [[index] for index in range(100)]


def test_zipped_parameters_go_in_pairs():
    commands = [job.command for job in load(BY_TOPIC["zip_parameters"]).jobs]
    assert commands[3] == "python3 examples/scripts/daylight.py --latitude 59.9 output/daylight/oslo.csv"


@pytest.mark.parametrize(
    ("topic", "requests"),
    [
        ("checkpoint", [("on_workflow_start", "short_of_time", 4, 0)]),
        ("sample_workflow", []),
        ("slurm", [("on_workflow_start", "short", 1, 0)]),
        (
            "slurm_staged_pipeline",
            [
                ("on_workflow_start", "one_core", 1, 0),
                ("on_jobs_ready", "two_nodes", 1, 40),
                ("on_jobs_ready", "big_memory", 1, 1),
            ],
        ),
        (
            "subgraphs_workflow",
            [
                ("on_workflow_start", "ends", 1, 0),
                ("on_jobs_ready", "rain", 1, 3),
                ("on_jobs_ready", "river", 2, 5),
                ("on_jobs_ready", "ends", 1, 1),
            ],
        ),
        (
            "workflow_actions_data_pipeline",
            [
                ("on_workflow_start", "start_and_end", 1, 0),
                ("on_jobs_ready", "cleaning", 2, 6),
                ("on_jobs_ready", "start_and_end", 1, 1),
            ],
        ),
        (
            "workflow_actions_ml_training",
            [
                ("on_workflow_start", "cpu_nodes", 1, 0),
                ("on_jobs_ready", "gpu_nodes", 2, 8),
                ("on_jobs_ready", "cpu_nodes", 1, 1),
            ],
        ),
        ("workflow_actions_simple_slurm", [("on_workflow_start", "one_node", 1, 0)]),
    ],
)
def test_nodes_are_requested_when_there_is_work_for_them(topic, requests):
    document = load(BY_TOPIC[topic])
    assert requests == [
        (
            action.trigger_type,
            document.slurm_schedulers[action.scheduler].name,
            action.action_config["num_allocations"],
            len(action.jobs or ()),
        )
        for action in document.actions
        if action.action_type == "schedule_nodes"
    ]


def test_the_subgraphs_are_the_same_with_and_without_slurm():
    with_slurm, without = (
        content(load(BY_TOPIC[name])) for name in ("subgraphs_workflow", "subgraphs_workflow_no_slurm")
    )
    assert with_slurm["files"] == without["files"]
    assert [{key: job[key] for key in job if key != "scheduler"} for job in with_slurm["jobs"]] == without["jobs"]


@pytest.fixture
def torc(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """``torc("run", ...)`` where ``examples/`` is found and everything else is new."""
    (tmp_path / "examples").symlink_to(EXAMPLES)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TORC_")}
    kept |= {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}

    def run(*words: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "torc", *map(str, words)]
        return subprocess.run(command, cwd=tmp_path, env=kept, capture_output=True, text=True, timeout=120)

    return run


@pytest.mark.slow
@pytest.mark.parametrize("topic", RUN)
def test_an_example_runs_to_the_end_and_makes_what_it_promises(torc, tmp_path, topic):
    offer = ("--num-cpus", 4, "--memory-gb", 2, "-p", "0.1")
    said = torc("run", "--standalone", *offer, "-f", "json", BY_TOPIC[topic].relative_to(ROOT))
    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout)["job_counts"] == {"completed": JOBS[topic]}
    path, text = MADE[topic]
    assert text in (tmp_path / path).read_text()


@pytest.mark.slow
@pytest.mark.parametrize("topic", LOOKED_AT)
def test_an_example_for_a_cluster_passes_the_dry_run(torc, topic):
    said = torc("workflows", "create", "--dry-run", BY_TOPIC[topic].relative_to(ROOT))
    assert said.returncode == 0, said.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("topic", "stages"),
    [
        ("checkpoint", 2),
        ("sample_workflow", 4),
        ("slurm", 2),
        ("slurm_staged_pipeline", 3),
        ("subgraphs_workflow", 4),
        ("workflow_actions_data_pipeline", 3),
        ("workflow_actions_ml_training", 3),
        ("workflow_actions_simple_slurm", 2),
    ],
)
def test_an_example_for_a_cluster_is_planned_in_stages(torc, topic, stages):
    said = torc("workflows", "execution-plan", BY_TOPIC[topic].relative_to(ROOT))
    assert said.returncode == 0, said.stderr
    assert f"Total Jobs: {JOBS[topic]}\n" in said.stdout
    assert f"Total Stages: {stages}\n" in said.stdout


def test_counting_primes_survives_being_told_to_end(tmp_path):
    command = [sys.executable, EXAMPLES / "scripts" / "count_primes.py", "--up-to", "150000", "state.json"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout.readline() == "starting at 1\n"
        first.send_signal(signal.SIGTERM)
        assert first.stdout.readline().startswith("told to end at ")
    assert first.returncode == 1
    reached = json.loads((tmp_path / "state.json").read_text())["next"]
    again = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert again.stdout == f"starting at {reached}\n"
    assert json.loads((tmp_path / "state.json").read_text()) == {"next": 150001, "primes": 13848}
