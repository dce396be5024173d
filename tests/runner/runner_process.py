"""A runner as a program, for tests: ``runner_process.py URL WORKFLOW_ID OUTPUT_DIR [OPTION=VALUE ...]``.

Every note and the outcome are one line each on stdout.
"""

import resource
import sys
from pathlib import Path
from typing import Any

from torc.client.api import Client
from torc.errors import TorcError
from torc.runner.run import RunOptions, run_workflow


class Lines:
    """Progress for a reader that waits for it."""

    def job_started(self, name: str) -> None:
        print(f"started {name}", flush=True)

    def job_finished(self, name: str, status: str, return_code: int) -> None:
        print(f"finished {name} {status} {return_code}", flush=True)

    def note(self, text: str) -> None:
        print(f"note {text}", flush=True)


def main(url: str, workflow_id: str, output_dir: str, *settings: str) -> None:
    options: dict[str, Any] = {"num_cpus": 2, "memory_gb": 4.0, "num_gpus": 0, "poll_interval_s": 0.2}
    for setting in settings:
        name, _, value = setting.partition("=")
        options[name] = float(value) if name in ("memory_gb", "poll_interval_s") else int(value)
    if "file_size" in options:  # no file may grow beyond it: a full disk, for one process
        resource.setrlimit(resource.RLIMIT_FSIZE, (options.pop("file_size"),) * 2)
    client = Client(url, timeout_s=5)
    try:
        outcome = run_workflow(client, int(workflow_id), RunOptions(output_dir=Path(output_dir), **options), Lines())
        print(f"outcome {outcome.kind} {outcome.message}", flush=True)
    except TorcError as error:
        print(f"error {type(error).__name__} {error}", flush=True)
    finally:
        client.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
