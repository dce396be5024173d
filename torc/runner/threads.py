"""Threads beside the main one, which alone hears signals."""

import signal
import threading


def start_without_signals(thread: threading.Thread) -> None:
    """Start a thread to which the kernel delivers no signal.

    A signal that comes to another thread does not wake the main one out of the queue on which it waits.
    """
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())  # which threads inherit
    try:
        thread.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
