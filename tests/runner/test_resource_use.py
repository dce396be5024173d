"""What is known of the resources that jobs of a whole run used."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

Start = Callable[..., Any]

SPEC = """
    resource_monitor: {granularity: time_series, sample_interval_seconds: 1}
    jobs:
      - {name: short, command: "python3 -c 'sum(range(3_000_000))'"}
      - name: busy
        command: |
          setsid -f timeout 1.5 python3 -c 'while True: pass'
          timeout 1.5 python3 -c 'while True: pass' & wait
      - name: fails
        command: python3 -c 'import time; held = b"x" * 100_000_000; time.sleep(0.6); raise SystemExit(3)'
"""


def test_results_and_samples_say_what_jobs_used(builder: Any, start_runner: Start, tmp_path: Path) -> None:
    workflow = builder.from_spec(SPEC)
    start_runner(builder.url, workflow, num_cpus=1).end()  # one after the other, so that none waits for a core
    jobs = {job.name: job.id for job in builder.torc.jobs.list(workflow)}
    used = {result.job_id: result for result in builder.torc.results.list(workflow)}
    busy, fails = used[jobs["busy"]], used[jobs["fails"]]
    assert used[jobs["short"]].avg_cpu_percent > 20
    assert 20 < busy.avg_cpu_percent <= busy.peak_cpu_percent
    assert fails.peak_memory_bytes > 100_000_000 and fails.status == "failed"
    (path,) = (tmp_path / "output" / "resource_utilization").iterdir()
    with closing(sqlite3.connect(path)) as db:
        names = dict(db.execute("SELECT job_name, job_id FROM job_metadata"))
        most = dict(db.execute("SELECT job_id, max(num_processes) FROM job_resource_samples GROUP BY job_id"))
    assert names.items() <= jobs.items() and {"busy", "fails"} <= names.keys()
    assert most[jobs["busy"]] >= 4, "a shell, two timeouts and what they run, in two sessions"
