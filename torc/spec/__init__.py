"""Specification text in, workflow document out; opens no file and asks no server."""

from torc.spec.load import load_document

__all__ = ["load_document"]
