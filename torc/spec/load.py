"""The way in: text of a specification to a checked document, and what to say about it."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from torc.errors import InvalidSpec
from torc.models.checked import Checked, Summary
from torc.models.draft import DraftDocument
from torc.spec.advice import advise
from torc.spec.decode import decode
from torc.spec.document import Specification
from torc.spec.expand import Expansion
from torc.spec.formats.read import read_text
from torc.spec.problems import Problems


def check(text: str, *, source: str, user: str, skip_checks: bool = False) -> Checked:
    """Read, expand and check a whole specification.

    ``source`` is the file's name, for its extension and for messages; ``user`` owns the workflow unless the text
    names a user. ``skip_checks`` turns into warnings what a workflow can live with: unknown keys, and nodes that no
    job asks for. Jobs of one entry may share lists: treat the document as read-only.
    """
    problems = Problems(text, source, skip_checks=skip_checks)
    summary = Summary()
    document, errors = None, []
    with garbage_collection_paused():
        try:
            spec = decode(read_text(text, problems), problems)
            expansion = Expansion(spec, user, problems)
            try:
                document = expansion.document()
            finally:
                summary = summarize(spec, expansion)
            advise(document, expansion)
            problems.raise_if_any()
        except InvalidSpec as error:
            document, errors = None, error.message.split("\n")
    return Checked(document, errors, problems.warnings(), summary)


def load_document(text: str, *, source: str, user: str) -> DraftDocument:
    """The document in a text; see ``check``. Raises InvalidSpec with one line for each mistake."""
    return check(text, source=source, user=user).usable()


def load_with_entries(text: str, *, source: str, user: str) -> tuple[DraftDocument, list[int]]:
    """The document, and of each job the position of the entry that it comes from. Raises InvalidSpec."""
    problems = Problems(text, source)
    with garbage_collection_paused():
        expansion = Expansion(decode(read_text(text, problems), problems), user, problems)
        document = expansion.document()
        problems.raise_if_any()
    return document, [int(path[1]) for path in expansion.jobs.paths]


def summarize(spec: Specification, expansion: Expansion) -> Summary:
    """Count what would be created."""
    return Summary(
        name=spec.name,
        description=spec.description,
        jobs_written=len(spec.jobs),
        files_written=len(spec.files or []),
        jobs=expansion.jobs.all,
        files=len(expansion.files.all),
        user_data=len(expansion.user_data.all),
        resource_requirements=len(expansion.requirements.names.all),
        schedulers=expansion.schedulers.all,
        actions=len(spec.actions or []),
        schedules_nodes=any(
            action.trigger_type == "on_workflow_start" and action.action_type == "schedule_nodes"
            for action in spec.actions or []
        ),
    )


@contextmanager
def garbage_collection_paused() -> Iterator[None]:
    """Keep the cycle collector from walking over the same growing document again and again.

    Nothing here makes cycles worth collecting, and the walks take five times as long as all the rest.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
