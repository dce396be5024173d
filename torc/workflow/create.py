"""From a specification file to a workflow on the server, or to nothing at all."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from torc.errors import InvalidSpec, TorcError
from torc.models.draft import BATCH_JOBS, DraftBatch, DraftCounts, DraftDocument, DraftGroup, DraftJob, DraftRequest

if TYPE_CHECKING:
    from torc.client.api import Client

Progress = Callable[[int, int], None]
"""Called with how many jobs have been sent, and how many there are."""

LINKS_PER_ROW = 4
"""So many dependencies or links count as one more job when batches are filled."""


def read_spec(path: Path, user: str) -> DraftDocument:
    """Read and check a specification; InvalidSpec names file, place and cure.

    ``user`` owns the workflow unless the specification says who does.
    """
    from torc.spec import load_document  # parsing YAML is not for `torc run 17`

    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InvalidSpec(f"{path}: there is no such file.") from None
    except IsADirectoryError:
        raise InvalidSpec(f"{path} is a folder, not a workflow specification.") from None
    except UnicodeDecodeError as error:
        raise InvalidSpec(
            f"{path}: byte {error.start} is not UTF-8 text; save the file in UTF-8, or name another one."
        ) from None
    except OSError as error:
        raise InvalidSpec(f"{path} cannot be read: {error.strerror}.") from error
    return load_document(text, source=str(path), user=user)


def create_workflow(client: "Client", document: DraftDocument, *, progress: Progress | None = None) -> int:
    """Store a whole document and return the workflow's id. After a failure or Ctrl-C nothing is left."""
    draft = client.drafts.create(DraftRequest(workflow=document.workflow, counts=document.counts()))
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
    for kind in (*DraftCounts.__struct_fields__, "actions"):
        for record in getattr(document, kind):
            weight = _weight(record)
            if weight > room and room < BATCH_JOBS:
                yield batch
                batch = DraftBatch(batch=batch.batch + 1)
                room = BATCH_JOBS
            getattr(batch, kind).append(record)
            room -= weight
    yield batch


def _weight(record: object) -> int:
    """How long a record takes to store, in jobs without links."""
    links = 0
    if isinstance(record, DraftJob):
        links = len(record.depends_on) + len(record.depends_on_groups)
        links += len(record.input_files) + len(record.output_files)
        links += len(record.input_user_data) + len(record.output_user_data)
    elif isinstance(record, DraftGroup):
        links = len(record.members)
    return 1 + links // LINKS_PER_ROW
