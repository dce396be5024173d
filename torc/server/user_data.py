"""``/user_data``: what jobs pass to each other through the server."""

from torc.models.catalogue import USER_DATA
from torc.models.queries import UserDataLinks
from torc.models.user_data import UserData, UserDataBatch
from torc.server.plain import Plain
from torc.store import user_data
from torc.store.database import Database


class UserDataRecords(Plain):
    """As any resource, but a new record may be linked to jobs at once."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, USER_DATA)

    def create(self, query: UserDataLinks, body: UserData) -> UserData:  # type: ignore[override]  # the operation passes what the signature names
        """Store user data, linked to the jobs that are named."""
        return user_data.create(self.database, body, query)

    def create_many(self, body: UserDataBatch) -> UserDataBatch:
        """Store user data of one workflow in one transaction; the answer has the same length and order."""
        return UserDataBatch(user_data=user_data.create_many(self.database, body.user_data))
