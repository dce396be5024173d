"""The nushell chapter of the users' book, line by line in a real nushell: its pipelines give the rows it expects."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Server

ROOT = Path(__file__).resolve().parent.parent
BOOK = ROOT.parent / "shared" / "book" / "torc-book.txt"
NU = shutil.which("nu") or shutil.which(Path(sys.prefix, "share", "nushell", "package", "bin", "nu"))
CHAPTER = ("\nTutorial 11: Filtering CLI Output with Nushell\n", "\nNext Steps\n")

pytestmark = pytest.mark.skipif(NU is None, reason="not installed: nu; bin/test fetches it where there is npm")

SPEC = """\
name: sweep
user: tester
user_data:
  - {name: config_a, data: {rate: 0.1}}
  - {name: other, data: [1, 2]}
jobs:
  - {name: train_lr1, command: "true"}
  - {name: train_lr2, command: exit 3}
  - {name: process_lr2, command: exit 4}
  - {name: last, command: "true", depends_on: [process_lr2], cancel_on_blocking_job_failure: true}
"""


class Nu:
    """Nushell in a folder, with torc; ``$wf`` is a workflow whose jobs have run."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        path = f"{folder}:{os.environ['PATH']}"
        self._env = {
            "PATH": path,
            "HOME": str(folder),
            "PYTHONPATH": str(ROOT),
            "TORC_API_URL": url,
            "USER": "tester",
        }
        self.workflow_id = 0

    def run(self, *words: str, code: int = 0) -> str:
        """What a program prints."""
        done = subprocess.run(words, capture_output=True, text=True, env=self._env, cwd=self.folder, timeout=120)
        assert done.returncode == code, done.stderr
        return done.stdout

    def do(self, text: str) -> str:
        """Carry out a pipeline."""
        return self.run(str(NU), "--no-config-file", "-c", f"let wf = {self.workflow_id}\n{text}")

    def __call__(self, pipeline: str) -> Any:
        """What a pipeline gives."""
        return json.loads(self.do(f"({pipeline}) | to json"))


@pytest.fixture(scope="module")
def nu(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Nu:
    """In it two of four jobs have failed."""
    folder = tmp_path_factory.mktemp("nu")
    (folder / "torc").write_text(f'#!/bin/sh\nexec {sys.executable} -m torc "$@"\n')
    (folder / "torc").chmod(0o755)
    (folder / "sweep.yaml").write_text(SPEC)
    nu = Nu(folder, server.url)
    nu.workflow_id = json.loads(nu.run("torc", "-f", "json", "workflows", "create", "sweep.yaml"))["id"]
    nu.run("torc", "run", str(nu.workflow_id), "--poll-interval", "0.1", code=3)
    return nu


JOBS = "torc jobs list $wf -f json | from json | get jobs"
RESULTS = "torc results list $wf -f json | from json | get results"
USER_DATA = "torc user-data list $wf -f json | from json | get user_data"

NAMES = {
    JOBS: ["train_lr1", "train_lr2", "process_lr2", "last"],
    f'{JOBS} | where status == "failed"': ["train_lr2", "process_lr2"],
    f'{JOBS} | where status in ["ready", "running"]': [],
    f'{JOBS} | where name =~ "train"': ["train_lr1", "train_lr2"],
    f'{JOBS} | where status == "failed" and name =~ "process"': ["process_lr2"],
    f'{JOBS} | where status == "failed" or status == "canceled"': ["train_lr2", "process_lr2", "last"],
    f"{JOBS} | sort-by name": ["last", "process_lr2", "train_lr1", "train_lr2"],
    f'{JOBS} | where status == "failed" | sort-by id -r': ["process_lr2", "train_lr2"],
    f'{JOBS} | where status == "running" | select id name': [],
}
"""Pipelines of the chapter that give jobs, and the names of those."""


@pytest.mark.parametrize("pipeline", NAMES)
def test_a_pipeline_gives_these_jobs(nu: Nu, pipeline: str) -> None:
    assert [row["name"] for row in nu(pipeline)] == NAMES[pipeline]


VALUES: dict[str, Any] = {
    f"{JOBS} | select name status": [
        {"name": "train_lr1", "status": "completed"},
        {"name": "train_lr2", "status": "failed"},
        {"name": "process_lr2", "status": "failed"},
        {"name": "last", "status": "canceled"},
    ],
    f'{JOBS} | where status == "failed" | length': 2,
    f'{JOBS} | where status == "failed" and name =~ "lr" | get name': ["train_lr2", "process_lr2"],
    (
        f"{JOBS} | group-by status | transpose status jobs "
        "| each { |row| { status: $row.status, count: ($row.jobs | length) } }"
    ): [
        {"status": "completed", "count": 1},
        {"status": "failed", "count": 2},
        {"status": "canceled", "count": 1},
    ],
}
"""Pipelines of the chapter, and what they give."""


@pytest.mark.parametrize("pipeline", VALUES)
def test_a_pipeline_gives_this(nu: Nu, pipeline: str) -> None:
    assert nu(pipeline) == VALUES[pipeline]


@pytest.mark.skipif(not BOOK.exists(), reason="the users' book is not part of this checkout")
def test_the_pipelines_are_those_of_the_book() -> None:
    chapter = BOOK.read_text().partition(CHAPTER[0])[2].partition(CHAPTER[1])[0]
    missing = [line for line in (*NAMES, *VALUES) if line not in chapter]
    assert missing == []


def test_failed_results_have_their_return_codes(nu: Nu) -> None:
    rows = nu(f"{RESULTS} | where return_code != 0 | select job_id return_code")
    assert sorted(row["return_code"] for row in rows) == [3, 4]
    assert {"job_id", "return_code", "run_id"} <= set(nu(f"{RESULTS} | where return_code != 0")[0])


def test_results_are_joined_with_jobs(nu: Nu) -> None:
    rows = nu(
        f"let jobs = ({JOBS}); let results = ({RESULTS} | where return_code != 0); $results | each {{ |r| "
        "let job = ($jobs | where id == $r.job_id | first); "
        "{ name: $job.name, return_code: $r.return_code, job_id: $r.job_id } }"
    )
    assert {row["name"]: row["return_code"] for row in rows} == {"train_lr2": 3, "process_lr2": 4}


def test_results_of_failed_jobs_are_found_by_their_ids(nu: Nu) -> None:
    rows = nu(
        f'let failed_ids = ({JOBS} | where status == "failed" | get id); '
        f"{RESULTS} | where job_id in $failed_ids | select job_id return_code"
    )
    assert sorted(row["return_code"] for row in rows) == [3, 4]


def test_user_data_has_a_key(nu: Nu) -> None:
    assert [row["key"] for row in nu(USER_DATA)] == ["config_a", "other"]
    assert [row["key"] for row in nu(f'{USER_DATA} | where key =~ "config"')] == ["config_a"]


def test_values_of_user_data_are_json_text(nu: Nu) -> None:
    rows = nu(f"{USER_DATA} | each {{ |ud| {{ key: $ud.key, value: ($ud.value | from json) }} }}")
    assert rows == [{"key": "config_a", "value": {"rate": 0.1}}, {"key": "other", "value": [1, 2]}]


def test_failed_jobs_are_saved_as_csv(nu: Nu) -> None:
    nu.do(f'{JOBS} | where status == "failed" | to csv | save failed_jobs.csv')
    lines = (nu.folder / "failed_jobs.csv").read_text().splitlines()
    assert len(lines) == 3
    assert "name" in lines[0].split(",")
