"""Who waits for whom, and through what."""

from typing import Any

from torc.views.column import Column


def or_none(value: Any) -> str:
    """A dash for no job at this end."""
    return "-" if value is None else str(value)


JOBS = (
    Column("Job ID", "job_id"),
    Column("Job Name", "job_name"),
    Column("Blocked By Job ID", "depends_on_job_id"),
    Column("Blocked By Job Name", "depends_on_job_name"),
)

_ENDS = (
    Column("Producer Job ID", "producer_job_id", or_none),
    Column("Producer Job Name", "producer_job_name", or_none),
    Column("Consumer Job ID", "consumer_job_id", or_none),
    Column("Consumer Job Name", "consumer_job_name", or_none),
)

FILES = (Column("File ID", "file_id"), Column("File Name", "file_name"), *_ENDS)

USER_DATA = (Column("User Data ID", "user_data_id"), Column("User Data Name", "user_data_name"), *_ENDS)
