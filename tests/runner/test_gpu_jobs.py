"""Jobs on GPUs: each sees its own devices, and the result says which."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from torc.models.resource_requirements import ResourceRequirements

Start = Callable[..., Any]

BESIDE_THE_OTHER = (
    "touch started.{0}; until [ -e started.{1} ]; do sleep 0.05; done; echo $CUDA_VISIBLE_DEVICES > saw.{0}"
)
UNSET = 'echo "${CUDA_VISIBLE_DEVICES-unset}" > saw'


@pytest.fixture(autouse=True)
def no_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without devices, unless a test says otherwise."""
    for name in ("CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ZE_AFFINITY_MASK"):
        monkeypatch.delenv(name, raising=False)


def need_gpus(builder: Any, workflow: int, num_gpus: int) -> int:
    """The id of requirements with so many GPUs."""
    needs = ResourceRequirements(workflow_id=workflow, name=f"gpus{num_gpus}", num_gpus=num_gpus)
    return int(builder.torc.resource_requirements.create(needs).id)


def granted(builder: Any, workflow: int) -> dict[str, list[str] | None]:
    """The devices in the results, by the names of the jobs."""
    names = {job.id: job.name for job in builder.torc.jobs.list(workflow)}
    return {names[result.job_id]: result.gpu_ids for result in builder.torc.results.list(workflow)}


def test_jobs_that_run_together_have_different_gpus(builder: Any, start_runner: Start, tmp_path: Path) -> None:
    workflow = builder.workflow()
    one_gpu = need_gpus(builder, workflow, 1)
    builder.job(workflow, "a", BESIDE_THE_OTHER.format("a", "b"), resource_requirements_id=one_gpu)
    builder.job(workflow, "b", BESIDE_THE_OTHER.format("b", "a"), resource_requirements_id=one_gpu)
    runner = start_runner(builder.url, builder.initialize(workflow), num_gpus=2)
    assert runner.end() == "outcome complete None"
    seen = {name: (tmp_path / f"saw.{name}").read_text().split() for name in ("a", "b")}
    assert sorted(seen.values()) == [["0"], ["1"]]
    assert granted(builder, workflow) == seen


def test_a_gpu_comes_back_for_the_next_job(builder: Any, start_runner: Start, tmp_path: Path) -> None:
    workflow = builder.workflow()
    one_gpu = need_gpus(builder, workflow, 1)
    for index in range(4):
        builder.job(workflow, f"job{index}", "echo $CUDA_VISIBLE_DEVICES >> saw", resource_requirements_id=one_gpu)
    assert start_runner(builder.url, builder.initialize(workflow), num_gpus=1).end() == "outcome complete None"
    assert (tmp_path / "saw").read_text().split() == ["0"] * 4


def test_a_job_that_asked_for_no_gpu_sees_none(builder: Any, start_runner: Start, tmp_path: Path) -> None:
    workflow = builder.workflow()
    builder.job(workflow, "job", UNSET)
    assert start_runner(builder.url, builder.initialize(workflow), num_gpus=2).end() == "outcome complete None"
    assert (tmp_path / "saw").read_text() == "\n"
    assert granted(builder, workflow) == {"job": None}


def test_without_devices_the_variables_are_left_alone(builder: Any, start_runner: Start, tmp_path: Path) -> None:
    workflow = builder.workflow()
    builder.job(workflow, "job", UNSET)
    assert start_runner(builder.url, builder.initialize(workflow)).end() == "outcome complete None"
    assert (tmp_path / "saw").read_text() == "unset\n"


def test_with_slots_the_variables_are_left_alone(
    builder: Any, start_runner: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5")
    workflow = builder.workflow()
    builder.job(workflow, "job", UNSET)
    runner = start_runner(builder.url, builder.initialize(workflow), num_gpus=2, max_parallel_jobs=1)
    assert runner.end() == "outcome complete None"
    assert (tmp_path / "saw").read_text() == "4,5\n"


def test_only_the_devices_that_were_left_to_the_runner_go_out(
    builder: Any, start_runner: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-aa,GPU-bb")
    workflow = builder.workflow()
    builder.job(workflow, "job", UNSET, resource_requirements_id=need_gpus(builder, workflow, 2))
    assert start_runner(builder.url, builder.initialize(workflow), num_gpus=2).end() == "outcome complete None"
    assert (tmp_path / "saw").read_text() == "GPU-aa,GPU-bb\n"
    assert granted(builder, workflow) == {"job": ["GPU-aa", "GPU-bb"]}
