"""From a document to a workflow on the server, or to nothing at all."""

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import msgspec

from torc.errors import TorcError
from torc.models.draft import (
    BATCH_JOBS,
    DraftBatch,
    DraftDocument,
    DraftGroup,
    DraftJob,
    DraftRequest,
    DraftUserData,
)
from torc.models.draft_history import DraftEvent, DraftResult

if TYPE_CHECKING:
    from torc.client.api import Client

Progress = Callable[[int, int], None]
"""Called with how many jobs have been sent, and how many there are."""

LINKS_PER_ROW = 4
"""So many dependencies or links count as one more job when batches are filled."""

BYTES_PER_ROW = 4096
"""So many bytes of text count as one more job: the biggest batch stays far below what a server reads at once."""


def create_workflow(client: "Client", document: DraftDocument, *, progress: Progress | None = None) -> int:
    """Store a whole document and return the workflow's id. After a failure or Ctrl-C nothing is left."""
    request = DraftRequest(workflow=document.workflow, counts=document.counts(), status=document.status)
    draft = client.drafts.create(request)
    sent = 0
    try:
        for batch in batches(document):
            client.drafts.add(draft.workflow_id, draft.token, batch)
            sent += len(batch.jobs)
            if progress:
                progress(sent, len(document.jobs))
        client.drafts.finalize(draft.workflow_id, draft.token)
    except BaseException:
        # When this fails too, the server deletes the idle draft by itself.
        with contextlib.suppress(TorcError):
            client.drafts.discard(draft.workflow_id, draft.token)
        raise
    return draft.workflow_id


def batches(document: DraftDocument) -> Iterator[DraftBatch]:
    """The document in batches that are about equally long to store, at least one."""
    batch = DraftBatch(batch=1)
    room = BATCH_JOBS
    for kind in KINDS:
        for record in getattr(document, kind):
            weight = _weight(record)
            if weight > room and room < BATCH_JOBS:
                yield batch
                batch = DraftBatch(batch=batch.batch + 1)
                room = BATCH_JOBS
            getattr(batch, kind).append(record)
            room -= weight
    yield batch


KINDS = tuple(name for name in DraftBatch.__struct_fields__ if name != "batch")
"""What batches hold, in the order of sending: groups before the jobs that wait for them."""


def _weight(record: object) -> int:
    """How long a record takes to store, in jobs without links."""
    links, size = 0, 0
    if isinstance(record, DraftJob):
        links = len(record.depends_on) + len(record.depends_on_groups)
        links += len(record.input_files) + len(record.output_files)
        links += len(record.input_user_data) + len(record.output_user_data)
        size = len(record.command) + len(record.invocation_script or "")
    elif isinstance(record, DraftGroup):
        links = len(record.members)
    elif isinstance(record, DraftUserData | DraftResult | DraftEvent):
        size = len(msgspec.json.encode(record))
    return 1 + links // LINKS_PER_ROW + size // BYTES_PER_ROW
