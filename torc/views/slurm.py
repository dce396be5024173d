"""Slurm schedulers and accounts, as people see them."""

from torc.views.column import Column, as_memory


def or_none(value: object) -> str:
    """What is not set is said so."""
    return "None" if value is None else str(value)


TABLE = (
    Column("ID", "id"),
    Column("Name", "name"),
    Column("Account", "account"),
    Column("Nodes", "nodes"),
    Column("Walltime", "walltime"),
    Column("Partition", "partition"),
    Column("QOS", "qos"),
)

DETAILS = (
    Column("Name", "name"),
    Column("Workflow ID", "workflow_id"),
    Column("Account", "account"),
    Column("Nodes", "nodes"),
    Column("Walltime", "walltime"),
    Column("Partition", "partition", or_none),
    Column("QOS", "qos", or_none),
    Column("Tasks per node", "ntasks_per_node", or_none),
    Column("GRES", "gres", or_none),
    Column("Memory", "mem", or_none),
    Column("Tmp", "tmp", or_none),
    Column("Extra", "extra", or_none),
)


def _time(seconds: int | None) -> str:
    """``45s``, ``12m 5s``, ``2h 15m``."""
    if seconds is None:
        return "-"
    if seconds < 60:
        return f"{seconds}s"
    minutes, rest = divmod(seconds, 60)
    return f"{minutes}m {rest}s" if minutes < 60 else f"{minutes // 60}h {minutes % 60}m"


def _size(size: int | None) -> str:
    return "-" if size is None else as_memory(size)


def _dash(value: object) -> str:
    return "-" if value is None else str(value)


ACCOUNTS = (
    Column("Slurm Job", "slurm_job_id"),
    Column("Job Step", "job_step"),
    Column("State", "state", _dash),
    Column("Exit Code", "exit_code", _dash),
    Column("Elapsed", "elapsed_s", _time),
    Column("Max RSS", "max_rss_bytes", _size),
    Column("CPU Time", "cpu_time_s", _time),
    Column("Nodes", "nodes", _dash),
)
