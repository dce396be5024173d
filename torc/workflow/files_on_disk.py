"""The files a workflow declares, as they are on this machine. The server never touches them, so they are found here."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torc.client.resources import records
from torc.errors import TorcError
from torc.models.file import File
from torc.models.workflow import FoundFile

if TYPE_CHECKING:
    from torc.client.api import Client

PAGE_ROWS = 10_000  # the most that the server gives at once: these rows are small

NAMED = 10
"""So many files or records are named in a message; the others are counted."""


@dataclass(frozen=True)
class FilesOnDisk:
    """Every file of a workflow, and what was found of it."""

    files: dict[int, File]  # by id
    found: dict[int, FoundFile]  # by id

    def is_there(self, file_id: int) -> bool:
        """Whether something has the path of the file."""
        return self.found[file_id][1] is not None

    def named(self, file_ids: Iterable[int]) -> list[File]:
        """These files, in order of their ids."""
        return [self.files[file_id] for file_id in sorted(file_ids)]

    def states(self, *, without: Iterable[File] = ()) -> list[FoundFile]:
        """What to tell the server; ``without`` are gone since."""
        gone = {file.id for file in without}
        return [(one[0], None, None) if one[0] in gone else one for one in self.found.values()]


def look(client: "Client", workflow_id: int) -> FilesOnDisk:
    """Look for every file of a workflow, relative to the current folder."""
    pages = records(lambda offset, _: client.files.page(workflow_id, limit=PAGE_ROWS, offset=offset))
    files = {file.id: file for file in pages if file.id is not None}
    return FilesOnDisk(files, {file_id: _find(file_id, file.path) for file_id, file in files.items()})


def _find(file_id: int, path: str) -> FoundFile:
    try:
        state = os.stat(path)
    except (OSError, ValueError):  # the latter for a path with a zero byte
        return file_id, None, None
    return file_id, state.st_mtime, state.st_size


def name_files(files: list[File]) -> str:
    """Paths with the names the specification gives them, the first few of many."""
    return first([f"{file.path} ({file.name!r})" if file.path != file.name else file.path for file in files])


def first(words: list[str]) -> str:
    """The first of many words, and how many more there are."""
    more = f" and {len(words) - NAMED} more" if len(words) > NAMED else ""
    return ", ".join(words[:NAMED]) + more


def delete(files: Iterable[File]) -> None:
    """Delete files; one that is gone already is no failure."""
    for file in files:
        try:
            os.unlink(file.path)
        except FileNotFoundError:
            pass  # somebody else was faster
        except OSError as error:
            raise TorcError(f"the output {file.path} cannot be deleted: {error.strerror}.") from error
