"""``/ping``, ``/version`` and ``/doctor``: about the server itself."""

from falcon import Request, Response

from torc import __version__
from torc.server.codec import answer
from torc.store import doctor
from torc.store.database import Database


class Service:
    """Is anybody there, who, and is the database sound?"""

    def __init__(self, database: Database, instance: str) -> None:
        """``instance`` tells clients of the server file that they found its author."""
        self.database = database
        self.instance = instance

    def on_get_ping(self, req: Request, resp: Response) -> None:
        answer(resp, {"status": "ok", "instance": self.instance})

    def on_get_version(self, req: Request, resp: Response) -> None:
        answer(resp, __version__)

    def on_get_doctor(self, req: Request, resp: Response) -> None:
        answer(resp, {"problems": doctor.problems(self.database)})
