"""The way in: text of a specification to a checked document."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from torc.models.draft import DraftDocument
from torc.spec.document import decode
from torc.spec.expand import expand
from torc.spec.formats import parse_text
from torc.spec.problems import Problems


def load_document(text: str, *, source: str, user: str) -> DraftDocument:
    """Read, expand and check a whole specification.

    ``source`` is the file's name, for its extension and for messages; ``user`` owns the workflow unless the text
    names a user. Jobs of one entry may share lists: treat the document as read-only. Raises InvalidSpec with one
    line for each mistake.
    """
    with garbage_collection_paused():
        problems = Problems(text, source)
        return expand(decode(parse_text(text, source), problems), user, problems)


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
