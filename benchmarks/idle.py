"""A server with nothing to do."""

import time
from collections.abc import Iterator
from statistics import median

from benchmarks.measure import Bench, Figure
from benchmarks.processes import server

SETTLE_S = 2.0
WATCH_S = 20.0
CPU_LIMIT_PERCENT = 0.5
MEMORY_LIMIT_MB = 100.0


def idle(bench: Bench) -> Iterator[Figure]:
    """CPU and memory over a while of silence."""
    percents: list[float] = []
    sizes: list[float] = []
    watch_s = WATCH_S / (10 if bench.quick else 1)
    for _ in range(bench.rounds):
        with bench.fresh() as folder, server(folder) as running, running.client() as client:
            client.ping()
            time.sleep(SETTLE_S)
            before = running.cpu_s()
            time.sleep(watch_s)
            percents.append((running.cpu_s() - before) / watch_s * 100)
            sizes.append(running.memory_bytes() / 1_000_000)
    yield Figure(
        "idle server: CPU",
        f"{median(percents):.2f} %",
        "",
        median(percents),
        CPU_LIMIT_PERCENT,
        unit="%",
        spread=(min(percents), max(percents)),
    )
    yield Figure(
        "idle server: memory",
        f"{median(sizes):.0f} MB",
        "",
        median(sizes),
        MEMORY_LIMIT_MB,
        unit="MB",
        spread=(min(sizes), max(sizes)),
    )
