"""``torc candidates``: what completion scripts ask for while somebody waits behind a TAB key. No help shows it."""

import os
import signal
import sys
from contextlib import closing, suppress
from typing import NoReturn

from torc.cli import credentials
from torc.cli.command import argument, command
from torc.cli.output import Message
from torc.errors import TorcError
from torc.settings import API_URL

PATIENCE_S = 1.0
MOST = 200


@command(
    "candidates",
    argument("kind", metavar="KIND", choices=("workflows",), help="what to list: workflows"),
    examples=("torc candidates workflows",),
    needs_server=False,
    needs_settings=False,
    hidden=True,
)
def candidates(kind: str) -> Message:
    """Print the ids of the newest workflows and, behind a tab, their names.

    Whatever goes wrong prints nothing, and within a second.
    """
    del kind  # there is one
    # A time-out of the connection would not do: finding a host's address and repeated requests have others.
    signal.signal(signal.SIGALRM, _give_up)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE_S)
    sys.stdin = None  # nobody is to be asked for a password
    found: list[str] = []
    with suppress(TorcError):
        found = _workflows()
    signal.setitimer(signal.ITIMER_REAL, 0)
    return Message(says="\n".join(found), data={"workflows": found})


def _workflows() -> list[str]:
    from torc.client.api import Client

    username, password = credentials.find(None, None)
    with closing(Client(API_URL.configured(), username=username, password=password)) as torc:
        newest = torc.workflows.list(sort_by="id", reverse_sort=True, limit=MOST)
        return [f"{one.id}\t{''.join(c if c.isprintable() else '?' for c in one.name)}" for one in newest]


def _give_up(_signal: int, _frame: object) -> NoReturn:
    os._exit(0)
