"""``torc workflows``: a module for each thing that can be done with whole workflows, in the order of the help."""

# ruff: noqa: I001  # the order is the help's
from torc.cli.workflows import create, show, initialize, delete, execution_plan, transfer, spec_schema

__all__ = ["create", "delete", "execution_plan", "initialize", "show", "spec_schema", "transfer"]
