"""``torc workflows``: a module for each thing that can be done with whole workflows, in the order of the help."""

# ruff: noqa: I001  # the order is the help's
from torc.cli.workflows import create, create_slurm, edit, show, initialize, run, submit, reinitialize, reset_status
from torc.cli.workflows import cancel, archive, delete
from torc.cli.workflows import execution_plan, list_actions, sync_status, transfer, spec_schema

__all__ = [
    "archive",
    "cancel",
    "create",
    "create_slurm",
    "delete",
    "edit",
    "execution_plan",
    "initialize",
    "list_actions",
    "reinitialize",
    "reset_status",
    "run",
    "show",
    "spec_schema",
    "submit",
    "sync_status",
    "transfer",
]
