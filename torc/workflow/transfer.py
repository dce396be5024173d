"""Export documents: written to a file as a whole or not at all, and read again, checked record by record."""

import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from torc import __version__
from torc.errors import Conflict, InvalidSpec, TorcError
from torc.models.draft import DraftBatch, DraftDocument
from torc.models.draft_history import DraftStatus
from torc.models.export import FORMAT, KINDS, VERSION, Export
from torc.models.workflow import Workflow

HEAD = ("format", "version", "torc_version", "exported_at", "workflow", "status")
STATES = ("jobs", "actions")
"""The kinds that say how far they got, which goes without the results."""

LAZY = ("jobs", "results", "events")
"""The kinds of which there may be a million."""

Texts = dict[str, msgspec.Raw]


class Records:
    """Records that are decoded anew in each iteration: as text they take a fraction of the memory."""

    def __init__(self, texts: list[msgspec.Raw], decode: Callable[[int, msgspec.Raw], Any]) -> None:
        self._texts = texts
        self._decode = decode

    def __len__(self) -> int:
        return len(self._texts)

    def __iter__(self) -> Iterator[Any]:
        return (self._decode(index, text) for index, text in enumerate(self._texts))


def read_export(content: bytes, source: str, *, skip_results: bool = False, skip_events: bool = False) -> DraftDocument:
    """The workflow in an export document; ``source`` is what messages call it.

    InvalidSpec says what else it is, or where it is damaged; for jobs, results and events only when they are read.
    """
    parts = _parts(content, source)
    if skip_results:
        for key in ("status", "scheduled_compute_nodes", "results"):
            parts.pop(key, None)
    if skip_events:
        parts.pop("events", None)
    if "results" not in parts and "events" not in parts:
        parts.pop("compute_nodes", None)
    kinds: dict[str, Any] = {}
    for kind in KINDS:
        records = Records(
            _decode(parts.get(kind, msgspec.Raw(b"[]")), list[msgspec.Raw], kind, source),
            _decoder(kind, source, without_state=skip_results and kind in STATES),
        )
        kinds[kind] = records if kind in LAZY else list(records)
    return DraftDocument(
        workflow=_decode(parts.get("workflow", msgspec.Raw(b"null")), _strict(Workflow), "workflow", source),
        status=_decode(parts["status"], DraftStatus, "status", source) if "status" in parts else None,
        **kinds,
    )


def _parts(content: bytes, source: str) -> Texts:
    """What stands in the document under each key. Raises InvalidSpec if this is no export that we can read."""
    text = content.removeprefix(b"\xef\xbb\xbf")
    if not text.strip():
        raise InvalidSpec(f"{source} is empty; if an export should have written it, that has failed.")
    try:
        parts: Texts = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if "truncated" in str(error):
            raise InvalidSpec(f"{source} ends in the middle; export the workflow again.") from error
        raise InvalidSpec(
            f"{source} is no JSON object ({error}), and so not what `torc workflows export` writes; a specification "
            "is for `torc workflows create`."
        ) from error
    head = {key: msgspec.json.decode(parts[key]) for key in HEAD[:3] if key in parts}
    if head.get("format") != FORMAT:
        cure = "this looks like a specification; use `torc workflows create`" if "jobs" in parts else "export it again"
        raise InvalidSpec(f'{source} is not what `torc workflows export` writes (no "format": "{FORMAT}"); {cure}.')
    version = head.get("version")
    if not isinstance(version, int) or version > VERSION:
        raise InvalidSpec(
            f"{source} was written by torc {head.get('torc_version')} in version {version} of the format; this is torc "
            f"{__version__}, which reads up to version {VERSION}. Upgrade torc, or export with an older one."
        )
    unknown = sorted(parts.keys() - set(Export.__struct_fields__))
    if unknown:
        raise _refusal(source, unknown[0], f"torc {__version__} knows no such key")
    return parts


def _decoder(kind: str, source: str, *, without_state: bool) -> Callable[[int, msgspec.Raw], Any]:
    model = _strict(_model(kind))

    def decode(index: int, text: msgspec.Raw) -> Any:
        record = _decode(text, model, f"{kind}[{index}]", source)
        if without_state:
            record.state = None
        return record

    return decode


def _decode(text: msgspec.Raw, kind: Any, place: str, source: str) -> Any:
    try:
        return _json_decoder(kind).decode(text)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$")
        raise _refusal(source, place + path.removesuffix("`"), reason) from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise _refusal(source, place, str(error)) from error


def _refusal(source: str, place: str, reason: str) -> InvalidSpec:
    return InvalidSpec(f"{source} is damaged at {place}: {reason}. Nothing was imported.")


@cache
def _json_decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


@cache
def _strict(model: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """The same, but without room for keys that nobody would look at."""
    return msgspec.defstruct(model.__name__, [], bases=(model,), kw_only=True, forbid_unknown_fields=True)


def _model(kind: str) -> type[msgspec.Struct]:
    (field,) = (field for field in msgspec.structs.fields(DraftBatch) if field.name == kind)
    model: type[msgspec.Struct] = field.type.__args__[0]
    return model


def refuse_overwriting(path: Path) -> None:
    """Raise Conflict if ``path`` is a file that somebody may want to keep."""
    if path.is_file():
        raise Conflict(f"{path} is there already; name another file, or write over it with --force.")


def save(path: Path, write: Callable[[BinaryIO], Any]) -> None:
    """Let ``write`` fill a file that gets the name ``path`` when it is complete; until then what was there stays."""
    target = path.resolve()  # a link is to stay one
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    is_device = target.exists() and not target.is_file()
    try:
        with open(target, "wb") if is_device else open(draft, "xb") as file:
            try:
                write(file)
                file.flush()
                if not is_device:
                    os.fsync(file.fileno())
                    os.replace(draft, target)
            except BaseException:
                if not is_device:
                    os.unlink(draft)
                raise
    except OSError as error:
        raise TorcError(f"{path} cannot be written: {error.strerror}.") from error
