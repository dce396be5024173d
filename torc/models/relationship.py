"""Who waits for whom, and through which files and user data: one row per pair."""

from torc.models.record import Record


class JobDependency(Record, kw_only=True):
    """One job waits for another, directly or through a group."""

    job_id: int
    job_name: str
    depends_on_job_id: int
    depends_on_job_name: str
    workflow_id: int


class JobFileRelationship(Record, kw_only=True):
    """One job writes a file that another reads; either may be missing."""

    file_id: int
    file_name: str
    file_path: str
    producer_job_id: int | None = None
    producer_job_name: str | None = None
    consumer_job_id: int | None = None
    consumer_job_name: str | None = None
    workflow_id: int


class JobUserDataRelationship(Record, kw_only=True):
    """One job writes user data that another reads; either may be missing."""

    user_data_id: int
    user_data_name: str
    producer_job_id: int | None = None
    producer_job_name: str | None = None
    consumer_job_id: int | None = None
    consumer_job_name: str | None = None
    workflow_id: int
