"""What it costs to watch running jobs."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from benchmarks.measure import Bench, Figure
from torc.runner.monitor import Monitor, MonitorSettings
from torc.runner.processes import MARK
from torc.runner.samples import SampleFile

SETTLE_S = 5.0
WATCH_S = 30.0
LIMIT_PERCENT = 1.0


@contextmanager
def sleeping_jobs(count: int) -> Iterator[dict[str, int]]:
    """So many jobs that sleep, started as a runner does; their pids by mark."""
    processes = {
        mark: subprocess.Popen(["bash", "-c", "sleep 600"], start_new_session=True, env={**os.environ, MARK: mark})
        for mark in (f"benchmark-{number}" for number in range(count))
    }
    try:
        yield {mark: process.pid for mark, process in processes.items()}
    finally:
        for process in processes.values():
            os.killpg(process.pid, 9)
            process.wait()


def watching(bench: Bench) -> Iterator[Figure]:
    """CPU time of this process, which does nothing but watch, in per cent of one core."""
    count = bench.scaled(100)
    watch_s = WATCH_S / (10 if bench.quick else 1)
    percents: list[float] = []
    for _ in range(bench.rounds):
        with bench.fresh() as folder, sleeping_jobs(count) as jobs:
            settings = MonitorSettings(granularity="time_series", sample_interval_seconds=1)
            monitor = Monitor(
                settings, on_memory=lambda key, memory_bytes: None, file=SampleFile(folder / "samples.db")
            )
            for number, (mark, pid) in enumerate(jobs.items(), start=1):
                monitor.watch((number, 1), pid=pid, mark=mark, name=mark, memory_limit_bytes=2**40)
            time.sleep(SETTLE_S)
            before = time.process_time()
            time.sleep(watch_s)
            percents.append(100 * (time.process_time() - before) / watch_s)
            if not all(monitor.end((number, 1)) for number in range(1, count + 1)):
                raise RuntimeError("not all jobs were sampled")
            monitor.close()
    yield Figure(
        f"watching {count} running jobs every second: CPU",
        f"{median(percents):.2f} %",
        "",
        median(percents),
        LIMIT_PERCENT,
        unit="%",
        spread=(min(percents), max(percents)),
    )
