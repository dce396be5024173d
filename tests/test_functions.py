"""Python functions become jobs, and pytorc runs them: results, failures, and servers that come back."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from torc import make_api, map_function_to_jobs
from torc.exceptions import InvalidParameter
from torc.openapi_client import ApiException, DefaultApi, JobModel, ResourceRequirementsModel, WorkflowModel

PROGRAMS = Path(sys.executable).parent

MODULE = """
import math
import sys

NOT_A_FUNCTION = 7

def run(job_name, params):
    return {"job": job_name, "sum": sum(params)}

def echo(job_name, params):
    return params

def nothing(job_name, params):
    print("did", job_name)

def collect(results):
    return {"count": len(results), "results": results}

def fail(job_name, params):
    raise ValueError("no convergence")

def leave(job_name, params):
    sys.exit(7)

def not_json(job_name, params):
    return {"limit": math.inf}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the user's module is."""
    folder = tmp_path / "scripts"
    folder.mkdir()
    (folder / "mapped.py").write_text(MODULE)
    return folder


@pytest.fixture(autouse=True)
def imports() -> Iterator[None]:
    """What a test imports is gone after it; the next has a module of the same name elsewhere."""
    path = sys.path.copy()
    yield
    sys.path[:] = path
    sys.modules.pop("mapped", None)


@dataclass
class Mapped:
    """A workflow with mapped functions, and how to run what is in it."""

    api: DefaultApi
    workflow_id: int
    folder: Path

    def map(self, func: str, params: Any, **options: Any) -> list[JobModel]:
        options = {"module_directory": self.folder, **options}
        return map_function_to_jobs(self.api, self.workflow_id, "mapped", func, params, **options)

    def names(self) -> list[str]:
        """All user data and jobs that there are."""
        records = [*self.api.list_user_data(self.workflow_id).items, *self.api.list_jobs(self.workflow_id).items]
        return [record.name for record in records]

    def data(self, name: str) -> Any:
        """The values of the user data with exactly this name, in the order of their creation."""
        found = self.api.list_user_data(self.workflow_id, sort_by="id").items
        return [record.data for record in found if record.name == name]

    def environment(self, **variables: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TORC_")}
        return {
            **kept,
            "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
            "TORC_API_URL": self.api.api_client.configuration.host,
            "TORC_WORKFLOW_ID": str(self.workflow_id),
            **variables,
        }

    def run(self) -> subprocess.CompletedProcess[str]:
        """The whole workflow with the real runner, in a folder that does not hold the module."""
        return self._call([sys.executable, "-m", "torc", "run", str(self.workflow_id)], self.environment())

    def pytorc(self, job: JobModel, command: str = "run-function") -> subprocess.CompletedProcess[str]:
        """One job, as a runner would start it."""
        return self._call(["pytorc", command], self.environment(TORC_JOB_ID=str(job.id)))

    def _call(self, command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        elsewhere = self.folder.parent
        environment["PYTHONPATH"] = str(Path(__file__).parent.parent)
        return subprocess.run(command, cwd=elsewhere, env=environment, capture_output=True, text=True, timeout=120)


def mapped_on(url: str, folder: Path) -> Mapped:
    api = make_api(url)
    workflow = api.create_workflow(WorkflowModel(name="mapped", user="tester"))
    assert workflow.id is not None
    return Mapped(api, workflow.id, folder)


@pytest.fixture
def mapped(server: Any, folder: Path) -> Mapped:
    return mapped_on(server.url, folder)


def test_each_set_of_parameters_becomes_a_job_with_its_data(mapped: Mapped) -> None:
    jobs = mapped.map("run", [[1, 2], [3]], name_prefix="sum", start_index=5)
    assert [(job.name, job.command) for job in jobs] == [
        ("sum5", "pytorc run-function"),
        ("sum6", "pytorc run-function"),
    ]
    assert mapped.data("input_sum6") == [
        {"module": "mapped", "func": "run", "params": [3], "job_name": "sum6", "module_directory": str(mapped.folder)}
    ]
    assert mapped.data("output_sum6") == [{}]
    stored = mapped.api.get_job(jobs[1].id or 0)
    inputs = [mapped.api.get_user_data(each).name for each in stored.input_user_data_ids or ()]
    outputs = [mapped.api.get_user_data(each).name for each in stored.output_user_data_ids or ()]
    assert (inputs, outputs) == (["input_sum6"], ["output_sum6"])


def test_the_postprocess_job_reads_every_result(mapped: Mapped) -> None:
    *jobs, last = mapped.map("run", [[1], [2]], postprocess_func="collect")
    assert (last.name, last.command) == ("postprocess", "pytorc run-postprocess")
    read = [mapped.api.get_user_data(each).name for each in mapped.api.get_job(last.id or 0).input_user_data_ids or ()]
    assert sorted(read) == ["input_postprocess", "output_1", "output_2"]
    assert mapped.data("postprocess_result") == [{}]


def test_needs_and_dependencies_are_those_of_the_jobs(mapped: Mapped) -> None:
    needs = mapped.api.create_resource_requirements(
        ResourceRequirementsModel(workflow_id=mapped.workflow_id, name="small", memory="1g")
    )
    before = mapped.api.create_job(JobModel(workflow_id=mapped.workflow_id, name="before", command="true"))
    first, last = mapped.map(
        "run",
        [[1]],
        postprocess_func="collect",
        resource_requirements_id=needs.id,
        depends_on_job_ids=[before.id],
    )
    assert (first.resource_requirements_id, last.resource_requirements_id) == (needs.id, needs.id)
    assert (first.depends_on_job_ids, last.depends_on_job_ids) == ([before.id], None)


def test_parameters_may_come_from_a_generator(mapped: Mapped) -> None:
    assert len(mapped.map("run", ([number] for number in range(3)))) == 3


@pytest.mark.parametrize(
    ("func", "params", "options", "message"),
    [
        ("no_such", [[1]], {}, "module 'mapped' has no function 'no_such'"),
        ("NOT_A_FUNCTION", [[1]], {}, "module 'mapped' has no function 'NOT_A_FUNCTION'"),
        ("run", [[1]], {"postprocess_func": "no_such"}, "module 'mapped' has no function 'no_such'"),
        ("run", [[1]], {"module_directory": "/no/such/folder"}, "cannot be imported .*from /no/such/folder"),
        ("run", [[1], {"a": {1, 2}}], {}, r"params\[1\] cannot be stored as JSON \(Object of type set"),
        ("run", [float("nan")], {}, r"params\[0\] cannot be stored as JSON"),
    ],
)
def test_a_mistake_is_found_before_anything_is_sent(
    func: str, params: Any, options: dict[str, Any], message: str, mapped: Mapped
) -> None:
    with pytest.raises(InvalidParameter, match=message):
        mapped.map(func, params, **options)
    assert mapped.names() == []


def test_a_refusal_by_the_server_leaves_nothing_behind(mapped: Mapped) -> None:
    with pytest.raises(ApiException):
        mapped.map("run", [[1], [2]], postprocess_func="collect", resource_requirements_id=10**9)
    assert mapped.names() == []


def test_a_module_of_the_current_folder_is_found_by_its_jobs(mapped: Mapped, monkeypatch: Any) -> None:
    monkeypatch.chdir(mapped.folder)
    (job,) = mapped.map("run", [[1]], module_directory=None)
    assert mapped.data("input_1")[0]["module_directory"] == str(mapped.folder)
    assert mapped.pytorc(job).returncode == 0


def test_an_installed_module_needs_no_folder(mapped: Mapped) -> None:
    map_function_to_jobs(mapped.api, mapped.workflow_id, "os.path", "join", [1])
    assert "module_directory" not in mapped.data("input_1")[0]


def test_a_workflow_of_functions_runs_to_its_end(mapped: Mapped) -> None:
    mapped.map("run", [[1, 2], [3], [4, 5]], postprocess_func="collect")
    ran = mapped.run()
    assert ran.returncode == 0, ran.stderr
    results = [{"job": "1", "sum": 3}, {"job": "2", "sum": 3}, {"job": "3", "sum": 9}]
    assert [mapped.data(f"output_{number}") for number in (1, 2, 3)] == [[each] for each in results]
    assert mapped.data("postprocess_result") == [{"count": 3, "results": results}]


def test_two_rounds_in_one_workflow_keep_their_results_apart(mapped: Mapped) -> None:
    mapped.map("echo", ["a", "b"], postprocess_func="collect", name_prefix="first_")
    mapped.map("echo", ["c"], postprocess_func="collect", name_prefix="second_")
    ran = mapped.run()
    assert ran.returncode == 0, ran.stderr
    assert mapped.data("postprocess_result") == [
        {"count": 2, "results": ["a", "b"]},
        {"count": 1, "results": ["c"]},
    ]


@pytest.mark.parametrize("value", [[1, 2], "text", 2.5, True, {"a": None}, []])
def test_any_json_may_be_returned(value: Any, mapped: Mapped) -> None:
    (job,) = mapped.map("echo", [value])
    assert mapped.pytorc(job).returncode == 0
    assert mapped.data("output_1") == [value]


def test_returning_nothing_is_no_failure_and_forgets_an_earlier_result(mapped: Mapped) -> None:
    (job,) = mapped.map("nothing", [1])
    (output,) = mapped.api.list_user_data(mapped.workflow_id, producer_job_id=job.id).items
    output.data = {"old": True}
    mapped.api.update_user_data(output.id or 0, output)
    ran = mapped.pytorc(job)
    assert (ran.returncode, ran.stdout) == (0, "did 1\n")
    assert mapped.data("output_1") == [{}]


def test_the_functions_own_failure_is_shown_as_python_shows_it(mapped: Mapped) -> None:
    (job,) = mapped.map("fail", [1])
    ran = mapped.pytorc(job)
    assert ran.returncode == 1
    assert "Traceback" in ran.stderr
    assert 'mapped.py", line' in ran.stderr
    assert ran.stderr.endswith("ValueError: no convergence\n")


def test_a_failure_cancels_the_postprocess_job(mapped: Mapped) -> None:
    mapped.map("fail", [1], postprocess_func="collect")
    assert mapped.run().returncode == 3
    assert [str(job.status) for job in mapped.api.list_jobs(mapped.workflow_id).items] == ["failed", "canceled"]


def test_the_function_may_choose_its_exit_status(mapped: Mapped) -> None:
    (job,) = mapped.map("leave", [1])
    assert mapped.pytorc(job).returncode == 7


def test_a_result_that_is_no_json_is_named(mapped: Mapped) -> None:
    (job,) = mapped.map("not_json", [1])
    ran = mapped.pytorc(job)
    assert (ran.returncode, "Traceback" in ran.stderr) == (1, False)
    assert "what the function returned cannot be stored as JSON" in ran.stderr


def test_a_module_that_has_gone_is_named_with_a_cure(mapped: Mapped) -> None:
    (job,) = mapped.map("run", [[1]])
    (mapped.folder / "mapped.py").unlink()
    ran = mapped.pytorc(job)
    assert (ran.returncode, "Traceback" in ran.stderr) == (1, False)
    assert "module 'mapped' cannot be imported" in ran.stderr
    assert "module_directory" in ran.stderr


@pytest.mark.parametrize(("command", "kind"), [("run-function", "one"), ("run-postprocess", "input_postprocess")])
def test_a_job_that_is_not_mapped_is_refused(command: str, kind: str, mapped: Mapped) -> None:
    job = mapped.api.create_job(JobModel(workflow_id=mapped.workflow_id, name="plain", command="true"))
    ran = mapped.pytorc(job, command)
    assert (ran.returncode, "Traceback" in ran.stderr) == (1, False)
    assert kind in ran.stderr


@pytest.mark.parametrize("variable", ["TORC_API_URL", "TORC_WORKFLOW_ID", "TORC_JOB_ID"])
@pytest.mark.parametrize("value", [None, "", "x"])
def test_a_variable_that_is_missing_or_wrong_is_named(variable: str, value: str | None, mapped: Mapped) -> None:
    environment = mapped.environment(TORC_JOB_ID="1")
    environment.pop(variable)
    if value is not None:
        environment[variable] = value
    ran = subprocess.run(["pytorc", "run-function"], env=environment, capture_output=True, text=True, timeout=60)
    assert (ran.returncode, "Traceback" in ran.stderr) == (1, False)
    assert variable in ran.stderr or f"{value!r} is not the URL" in ran.stderr


def test_a_job_waits_for_a_server_that_restarts(start_server: Callable[..., Any], folder: Path) -> None:
    first = start_server()
    mapped = mapped_on(first.url, folder)
    (job,) = mapped.map("run", [[4]])
    mapped.api.api_client.close()
    first.stop()
    with subprocess.Popen(
        ["pytorc", "run-function"],
        env=mapped.environment(TORC_JOB_ID=str(job.id)),
        stderr=subprocess.PIPE,
        text=True,
    ) as waiting:
        assert waiting.stderr is not None
        assert "Trying again" in waiting.stderr.readline()
        start_server("--port", str(first.port))
        assert waiting.wait(timeout=60) == 0
    assert mapped.data("output_1") == [{"job": "1", "sum": 4}]


def test_the_program_says_its_version_and_its_commands() -> None:
    version = subprocess.run([PROGRAMS / "pytorc", "--version"], capture_output=True, text=True, timeout=60)
    assert version.stdout.startswith("pytorc 0.")
    told = subprocess.run([PROGRAMS / "pytorc", "--help"], capture_output=True, text=True, timeout=60)
    assert {"run-function", "run-postprocess", "TORC_JOB_ID"} <= set(told.stdout.replace(",", " ").split())
