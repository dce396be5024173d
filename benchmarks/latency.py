"""From the end of a job to the start of one that waits for it."""

import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks import specs
from benchmarks.measure import Bench, Figure
from benchmarks.processes import ENVIRON, create_and_initialize, run_workflow, server, torc_command, xargs

CHAIN = 200
CHAIN_LIMIT_MS = 5.0
LEGS = 10
POLL_INTERVAL_S = 0.1


def stamp(path: Path) -> str:
    """A command that writes down the time without starting a process."""
    return f"echo $EPOCHREALTIME >> {path}"


def mean_step_ms(path: Path) -> float:
    """Mean time between two stamps of a file."""
    stamps = [float(line) for line in path.read_text().split()]
    return (stamps[-1] - stamps[0]) / (len(stamps) - 1) * 1000


def chain_step_ms(bench: Bench, count: int) -> float:
    """Start to start of jobs of which each waits for the one before."""
    with bench.fresh() as folder:
        run_workflow(specs.chain(count, stamp(folder / "stamps")), folder)
        return mean_step_ms(folder / "stamps")


def plain_step_ms(bench: Bench, count: int) -> float:
    """The same commands, started one after the other by xargs: what the jobs themselves take."""
    with bench.fresh() as folder:
        xargs(count, stamp(folder / "stamps"), folder, at_a_time=1)
        return mean_step_ms(folder / "stamps")


def chain(bench: Bench) -> Iterator[Figure]:
    """Dependent jobs on one runner."""
    count = bench.scaled(CHAIN)
    taken = bench.take_turns(
        {"xargs -P1": partial(plain_step_ms, bench, count), "torc": partial(chain_step_ms, bench, count)}
    )
    beyond = [mine - job for mine, job in zip(taken["torc"], taken["xargs -P1"], strict=True)]
    yield Figure(
        f"dependent step in a chain of {count}, beyond the job itself",
        f"{median(taken['torc']):.2f} ms",
        f"xargs -P1 {median(taken['xargs -P1']):.2f} ms",
        median(beyond),
        CHAIN_LIMIT_MS,
        unit="ms",
        spread=(min(beyond), max(beyond)),
    )


def relay_wait_s(folder: Path, leg: int) -> float:
    """From the end of the head to the start of the later of the two."""
    head, left, right = (float((folder / f"{name}_{leg}").read_text()) for name in ("head", "left", "right"))
    return max(left, right) - head


def relay_waits_s(bench: Bench, legs: int) -> list[float]:
    """How long the second of two dependents waited for the other runner, leg by leg."""
    with bench.fresh() as folder, server(folder) as running:
        spec = folder / "relay.yaml"
        spec.write_text(specs.relay(legs, folder))
        workflow_id, _ = create_and_initialize(running, spec, folder)
        command = [*torc_command(), "--url", running.url, "run", str(workflow_id)]
        options = ["--max-parallel-jobs", "1", "--poll-interval", str(POLL_INTERVAL_S)]
        runners = [
            subprocess.Popen([*command, *options, "--output-dir", f"output_{name}"], cwd=folder, env=ENVIRON,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for name in ("one", "two")
        ]  # fmt: skip
        assert [runner.wait() for runner in runners] == [0, 0]
        return [relay_wait_s(folder, leg) for leg in range(legs)]


def relay(bench: Bench) -> Iterator[Figure]:
    """A dependent that only another, idle runner can take."""
    waits = [wait for _ in range(bench.rounds) for wait in relay_waits_s(bench, bench.scaled(LEGS))]
    yield Figure(
        f"completion to start on another runner that asks every {POLL_INTERVAL_S} s, slowest of {len(waits)}",
        f"{max(waits) * 1000:.0f} ms",
        f"median {median(waits) * 1000:.0f} ms",
        max(waits) * 1000,
        POLL_INTERVAL_S * 1000,
        unit="ms",
    )
