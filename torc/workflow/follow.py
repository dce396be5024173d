"""What happens to a workflow, as it happens: each event once, whatever becomes of the server meanwhile."""

from collections.abc import Callable
from typing import TypeVar

from torc.client.api import Client
from torc.errors import ServerAway, Unavailable
from torc.models.event import Event

T = TypeVar("T")

PAGE_ROWS = 1000
AWAY = "The server does not answer; trying again until it does."


class Patience:
    """Asks a server that may go away and come back; tells once that it has gone and once that it is there again."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self.is_away = False

    def ask(self, question: Callable[[], T]) -> T | None:
        """The answer; None while there is none. Every other refusal is raised."""
        try:
            answer = question()
        except (ServerAway, Unavailable):
            if not self.is_away:
                self._tell(AWAY)
            self.is_away = True
            return None
        if self.is_away:
            self._tell("The server answers again.")
        self.is_away = False
        return answer


class Cursor:
    """A place in the events of a workflow. Event ids are given in commit order and never again."""

    def __init__(self, torc: Client, workflow_id: int, *, after_id: int, category: str | None = None) -> None:
        self._torc = torc
        self._workflow_id = workflow_id
        self._after_id = after_id
        self._category = category
        self.has_more = False

    def read(self) -> list[Event]:
        """The next events, at most PAGE_ROWS; the place moves only when they have arrived. NotFound when deleted."""
        page = self._torc.events.page(
            self._workflow_id, after_id=self._after_id, category=self._category, limit=PAGE_ROWS
        )
        self.has_more = page.has_more
        for event in page.items:
            self._after_id = max(self._after_id, event.id or 0)
        if not page.items:
            self._torc.workflows.get(self._workflow_id)  # a deleted workflow has no events either
        return page.items


def newest_event(torc: Client, workflow_id: int) -> Event | None:
    """The last one; None while there is none. NotFound when there is no such workflow."""
    page = torc.events.page(workflow_id, limit=1, sort_by="id", reverse_sort=True)
    if not page.items:
        torc.workflows.get(workflow_id)
    return page.items[0] if page.items else None
