"""Where the output of jobs goes. Light: what only looks for a file needs no more of the runner than this."""

from pathlib import Path

FOLDER = "job_stdio"
RECOVERY = "recovery."
"""Before the extension of what a recovery script writes."""


def file_name(*, workflow_id: int, job_id: int, run_id: int, attempt_id: int, extension: str) -> str:
    """The file of one attempt's stdout (``o``) or stderr (``e``); later attempts never overwrite earlier ones."""
    attempt = f"_r{attempt_id}" if attempt_id > 1 else ""
    return f"job_{workflow_id}_{job_id}_{run_id}{attempt}.{extension}"


def folder(output_dir: Path) -> Path:
    """Where these files lie."""
    return output_dir / FOLDER
