"""Where the server is, and who asks."""

from typing import ClassVar

DEFAULT_HOST = "http://localhost:8080/torc-service/v1"


class Configuration:
    """Address and credentials. Changes count from the next request on."""

    _default: ClassVar["Configuration | None"] = None

    def __init__(self, host: str | None = None, username: str | None = None, password: str | None = None) -> None:
        """``host`` is a URL that ends in ``/torc-service/v1``."""
        self.host = DEFAULT_HOST if host is None else host
        self.username = username
        self.password = password

    @classmethod
    def set_default(cls, default: "Configuration | None") -> None:
        """What an ApiClient without a configuration uses."""
        cls._default = default

    @classmethod
    def get_default(cls) -> "Configuration":
        """What ``set_default`` was given, else a server on this machine without credentials."""
        if cls._default is None:
            cls._default = cls()
        return cls._default
