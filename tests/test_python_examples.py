"""The Python examples, and the Python in the documentation, from the script to the results."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from torc import make_api
from torc.openapi_client import DefaultApi

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples" / "python"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)

pytestmark = pytest.mark.slow


@pytest.fixture
def api(server: Any) -> DefaultApi:
    return make_api(server.url)


@pytest.fixture
def call(server: Any, tmp_path: Path) -> Callable[..., str]:
    """``call(program, *arguments)``: what a Python program prints that runs in an empty folder; it must succeed."""

    def run(*words: object) -> str:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TORC_")}
        kept |= {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "TORC_API_URL": server.url,
        }
        command = [sys.executable, *map(str, words)]
        done = subprocess.run(command, cwd=tmp_path, env=kept, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def created(said: str) -> int:
    """The id in ``Created workflow 7 ...``."""
    found = re.search(r"Created workflow (\d+)", said)
    assert found, said
    return int(found[1])


def statuses(api: DefaultApi, workflow_id: int) -> dict[str, str]:
    return {job.name: str(job.status) for job in api.list_jobs(workflow_id).items}


def test_the_diamond_runs_from_the_script_to_the_table(
    call: Callable[..., str], api: DefaultApi, tmp_path: Path
) -> None:
    workflow_id = created(call(EXAMPLES / "diamond_workflow.py"))
    assert statuses(api, workflow_id) == dict.fromkeys(["preprocess", "work1", "work2", "postprocess"], "uninitialized")
    call("-m", "torc", "run", workflow_id)
    assert statuses(api, workflow_id) == dict.fromkeys(["preprocess", "work1", "work2", "postprocess"], "completed")
    table = (tmp_path / "output" / "diamond" / "table.txt").read_text()
    assert [line.split() for line in table.splitlines()] == [
        ["1", "east", "1", "3"],
        ["2", "north", "2", "7"],
        ["1", "south", "1", "12"],
    ]


def test_the_mapped_function_runs_from_the_script_to_the_collected_result(
    call: Callable[..., str], api: DefaultApi
) -> None:
    workflow_id = created(call(EXAMPLES / "map_function_across_workers.py"))
    call("-m", "torc", "run", workflow_id)
    assert statuses(api, workflow_id) == dict.fromkeys(["1", "2", "3", "postprocess"], "completed")
    values = {record.name: record.data for record in api.list_user_data(workflow_id).items}
    assert [values[f"output_{number}"]["bounces"] for number in (1, 2, 3)] == [8, 15, 51]
    assert values["postprocess_result"] == {"total_bounces": 74, "liveliest": {"height": 2.0, "elasticity": 0.9}}


def test_an_account_adds_a_slurm_scheduler(call: Callable[..., str], api: DefaultApi) -> None:
    workflow_id = created(call(EXAMPLES / "map_function_across_workers.py", "--account", "physics"))
    assert [each.account for each in api.list_slurm_schedulers(workflow_id).items] == ["physics"]


def test_the_python_in_the_documentation_runs_from_top_to_bottom(
    call: Callable[..., str], api: DefaultApi, tmp_path: Path
) -> None:
    blocks = BLOCK.findall((ROOT / "docs" / "python.md").read_text())
    assert len(blocks) > 3
    (tmp_path / "simulation.py").write_text((EXAMPLES / "simulation.py").read_text())
    script = tmp_path / "guide.py"
    script.write_text("\n".join(blocks))
    workflow_id = created(call(script))
    call("-m", "torc", "run", workflow_id)
    assert set(statuses(api, workflow_id).values()) == {"completed"}
