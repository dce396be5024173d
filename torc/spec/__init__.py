"""Specification text in, workflow document out; opens no file and asks no server."""

from torc.spec.load import check, load_document

__all__ = ["check", "load_document"]
