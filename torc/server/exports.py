"""``/workflows/{id}/export``: a whole workflow as one document."""

import contextlib
import tempfile
from functools import partial

from falcon import Response

from torc.errors import TorcError, Unavailable
from torc.models.queries import ExportQuery
from torc.server.stream import Stream, Streams
from torc.store import exports
from torc.store.database import Database

CHUNK_BYTES = 256 * 1024


class Exports:
    """Documents are written to a file without a name first, and sent from there.

    Then a reader who takes his time holds up nobody else, a failure is an answer like any other and not the middle of
    a document, and the length is known, so that a document that was cut off is noticed.
    """

    def __init__(self, database: Database, streams: Streams) -> None:
        self.database = database
        self.streams = streams

    def get(self, resp: Response, workflow_id: int, query: ExportQuery) -> None:
        """A whole workflow as one document, as it was at one moment. References are positions, there are no ids."""
        with contextlib.ExitStack() as held:
            self._take_place(held)
            folder = self.database.path.parent  # where there is room for the database
            try:
                document = held.enter_context(tempfile.TemporaryFile(dir=folder))
                exports.write(
                    self.database,
                    workflow_id,
                    document,
                    include_results=query.include_results,
                    include_events=query.include_events,
                )
                resp.content_length = document.tell()
                document.seek(0)
            except OSError as error:
                raise TorcError(
                    f"workflow {workflow_id} cannot be exported: {error.strerror} while the document was written to "
                    f"{folder} on the server"
                ) from error
            resp.stream = Stream(iter(partial(document.read, CHUNK_BYTES), b""), held.pop_all().close)

    def _take_place(self, held: contextlib.ExitStack) -> None:
        if not self.streams.downloads.acquire(blocking=False):
            raise Unavailable(
                f"{self.streams.most} exports are being read from this server already (a quarter of its threads); "
                "try again later, or start the server with more --threads"
            )
        held.callback(self.streams.downloads.release)
