"""Draws a workflow again and again in the same place of a terminal."""

import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torc.cli.observe import Observer
from torc.cli.output import CONTROL, painted
from torc.cli.table import width_of
from torc.views import watching
from torc.workflow.follow import AWAY, Patience

REDRAW_S = 1.0
"""Ages of running jobs go on although nothing has happened."""

# A screen of its own: whatever the size becomes, nothing of the old frames stays, and the shell's lines come back.
OWN_SCREEN, SHELL_SCREEN = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
HOME, CLEAR_LINE, CLEAR_BELOW = "\x1b[H", "\x1b[K", "\x1b[J"


def show(observer: Observer, poll_interval_s: float, is_over: Callable[[], bool]) -> None:
    """Draw until the workflow is over; what it ended with stays on the shell's screen."""
    if not is_over():
        with _own_screen():
            _draw_until_over(observer, poll_interval_s, is_over)
    print(*_lines(observer, shutil.get_terminal_size().lines - 1), sep="\n", flush=True)


def _draw_until_over(observer: Observer, poll_interval_s: float, is_over: Callable[[], bool]) -> None:
    patience = Patience(lambda _: None)  # the frame has a line for it
    while True:
        asks_at = time.monotonic() + (0.0 if observer.has_more else poll_interval_s)
        while (left_s := asks_at - time.monotonic()) > 0:
            _draw(observer)
            time.sleep(min(left_s, REDRAW_S))
        patience.ask(observer.look)
        observer.scene.notice = AWAY if patience.is_away else ""
        if is_over():
            return


def _draw(observer: Observer) -> None:
    lines = _lines(observer, shutil.get_terminal_size().lines)
    sys.stdout.write(HOME + "\r\n".join(f"{line}{CLEAR_LINE}" for line in lines) + CLEAR_BELOW)
    sys.stdout.flush()


def _lines(observer: Observer, height: int) -> Iterator[str]:
    width = shutil.get_terminal_size().columns
    for parts in watching.frame(observer.scene, now=time.time(), width=width, height=height):
        clean = [(text.translate(CONTROL).replace("\n", " "), status) for text, status in parts]
        yield "".join(painted(status, text) for text, status in watching.fitted(clean, width, width_of) if text)


@contextmanager
def _own_screen() -> Iterator[None]:
    before = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # not without cleaning up
    sys.stdout.write(OWN_SCREEN)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
        sys.stdout.write(SHELL_SCREEN)
        sys.stdout.flush()
