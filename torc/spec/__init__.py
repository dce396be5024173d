"""Specification text in, workflow document out; opens no file and asks no server."""

from torc.spec.load import Checked, Summary, check, load_document

__all__ = ["Checked", "Summary", "check", "load_document"]
