"""``kill -9`` of a client in the middle of creating or importing: nobody ever sees a part of the workflow."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

JOBS = 60_000
"""Several seconds of sending."""

ROOT = Path(__file__).resolve().parents[2]


def wait_for_batches(database: Path, eventually: Callable[..., object]) -> None:
    """Until some of the jobs are stored, and not yet all."""

    def stored() -> int:
        # A second reader of the server's file is a test's privilege.
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as db:
            return int(db.execute("SELECT count(*) FROM job").fetchone()[0])

    eventually(stored, lambda count: count > 0)
    assert stored() < JOBS


@pytest.mark.parametrize("verb", ["create", "import"])
def test_a_client_that_is_killed_leaves_nothing_to_see(verb, start_server, tmp_path, eventually):
    server = start_server()
    path = tmp_path / "big.json"
    jobs = [{"name": f"job_{i}", "command": "true"} for i in range(JOBS)]
    document = {"name": "big", "jobs": jobs}
    if verb == "import":
        document = {
            "format": "torc-workflow",
            "version": 1,
            "torc_version": "0",
            "exported_at": "2026-01-01T00:00:00Z",
            "workflow": {"name": "big", "user": "ada"},
            "jobs": jobs,
        }
    path.write_text(json.dumps(document))
    command = [sys.executable, "-m", "torc", "workflows", verb, str(path)]
    environment = {**os.environ, "TORC_API_URL": server.url, "PYTHONPATH": str(ROOT)}
    client = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        wait_for_batches(server.database, eventually)
    finally:
        client.send_signal(signal.SIGKILL)
        client.communicate()
    assert server.http.get("/workflows").json["items"] == []
    assert server.http.get("/jobs?workflow_id=1").json["items"] == []
    assert server.http.get("/doctor").json["problems"] == []
    again = subprocess.run(command, env=environment, capture_output=True, timeout=120)
    assert again.returncode == 0, again.stderr.decode()
    (made,) = server.http.get("/workflows").json["items"]
    assert server.http.get(f"/workflows/{made['id']}/job_counts").json["total"] == JOBS
