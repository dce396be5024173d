"""What the server says about itself."""

from torc.models.record import Record, always


class Pong(Record, kw_only=True):
    """Answer of ``/ping``."""

    status: str
    instance: str  # of this server process


class Health(Record, kw_only=True):
    """Answer of ``/health``."""

    status: str
    version: str


class DoctorAnswer(Record, kw_only=True):
    """Answer of ``/doctor``: one sentence per counter or reference that is wrong."""

    problems: list[str] = always([])
