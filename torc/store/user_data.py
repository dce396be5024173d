"""User data stored together with its links to jobs."""

from collections.abc import Sequence
from typing import cast

from torc.errors import Unprocessable
from torc.models.catalogue import USER_DATA
from torc.models.queries import UserDataLinks
from torc.models.user_data import UserData
from torc.store import table, workflows
from torc.store.database import Database

MAX_BATCH = 10_000


def create(database: Database, record: UserData, links: UserDataLinks) -> UserData:
    """Store user data as what one job reads, what one job writes, both or neither.

    The jobs may have any status: a job that runs may add what it has just made. That the reader waits for the writer
    is for the next initialize_jobs to see to.
    """
    with database.write() as db:
        workflows.require(db, record.workflow_id)
        record_id = table.insert_row(db, USER_DATA, record)
        for name, link in (("consumer_job_id", "job_input_user_data"), ("producer_job_id", "job_output_user_data")):
            job_id: int | None = getattr(links, name)
            if job_id is None:
                continue
            workflows.require_member(db, record.workflow_id, name, "job", job_id)
            db.execute(f"INSERT INTO {link} (job_id, user_data_id) VALUES (?, ?)", (job_id, record_id))
        workflows.touch(db, record.workflow_id)
        return cast(UserData, table.fetch(db, USER_DATA, record_id))


def create_many(database: Database, records: Sequence[UserData]) -> list[UserData]:
    """Store user data of one workflow; the answer has the same length and order."""
    if not records:
        return []
    if len(records) > MAX_BATCH:
        raise Unprocessable(f"{len(records)} user data records are too many for one request, which takes {MAX_BATCH}")
    workflow_id = records[0].workflow_id
    for record in records:
        if record.workflow_id != workflow_id:
            raise Unprocessable(
                f"user data of workflows {workflow_id} and {record.workflow_id} cannot be stored in one request"
            )
    with database.write() as db:
        workflows.require(db, workflow_id)
        for record in records:
            record.id = table.insert_row(db, USER_DATA, record)
        workflows.touch(db, workflow_id)
    return list(records)
