"""``/ping``, ``/health``, ``/version`` and ``/doctor``: about the server itself."""

from torc import __version__
from torc.models.service import DoctorAnswer, Health, Pong
from torc.store import doctor
from torc.store.database import Database


class Service:
    """Is anybody there, who, and is the database sound?"""

    def __init__(self, database: Database, instance: str) -> None:
        """``instance`` tells clients of the server file that they found its author."""
        self.database = database
        self.instance = instance

    def ping(self) -> Pong:
        """Whether the server answers; does not touch the database."""
        return Pong(status="ok", instance=self.instance)

    def health(self) -> Health:
        """Whether the server can read its database."""
        with self.database.read() as db:
            db.execute("SELECT schema_version FROM meta").fetchone()
        return Health(status="ok", version=__version__)

    def version(self) -> str:
        """The version of torc."""
        return __version__

    def doctor(self) -> DoctorAnswer:
        """Recompute every counter of the database and say what differs."""
        return DoctorAnswer(problems=doctor.problems(self.database))
