"""What to do about jobs that fail: which failures are tried again, how often, and with how much more."""

from torc.models.record import Record
from torc.models.status import Cause


class FailureRule(Record, kw_only=True):
    """Which failures it matches, and how often and how late to try again. design.md 8, failure handlers."""

    exit_codes: list[int] = []
    match_all_exit_codes: bool = False
    signals: list[int] = []
    causes: list[Cause] = []
    recovery_script: str | None = None
    max_retries: int = 3
    backoff_s: float = 1.0  # doubles with every retry, up to five minutes
    # More for the next try of a job that ran out of it, up to four times the request; None is 1.5, 1 nothing more.
    memory_factor: float | None = None
    runtime_factor: float | None = None
