"""``torc jobs``: a module for each kind of thing that can be done with jobs, in the order of the help."""

# ruff: noqa: I001  # the order is the help's
from torc.cli.jobs import show, explain, logs, edit, from_file, commands
from torc.cli.jobs.show import job_status

__all__ = ["commands", "edit", "explain", "from_file", "job_status", "logs", "show"]
