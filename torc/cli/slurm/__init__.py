"""``torc slurm``: a module for each thing that has to do with Slurm, in the order of the help."""

from torc.cli.slurm import nodes

__all__ = ["nodes"]
