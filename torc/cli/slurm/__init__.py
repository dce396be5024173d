"""``torc slurm``: a module for each thing that has to do with Slurm, in the order of the help."""

from torc.cli.slurm import generate, nodes, parse_logs, regenerate, sacct, schedulers

__all__ = ["generate", "nodes", "parse_logs", "regenerate", "sacct", "schedulers"]
