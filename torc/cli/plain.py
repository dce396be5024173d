"""What the commands of plain resources have in common: ``torc files get``, ``torc resource-requirements get``, ..."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from torc.cli.command import WORKFLOW_ID, Argument, argument, command, number
from torc.cli.output import Listing, Record, unchanged
from torc.cli.pages import Pages, require
from torc.errors import TorcError, UsageError
from torc.views.column import Column

if TYPE_CHECKING:
    from torc.client.api import Client
    from torc.client.resources import Collection


class Noun(NamedTuple):
    """The words for a kind of record, and how one is shown."""

    word: str  # as in `torc files list`
    one: str  # in a sentence
    many: str  # below a table
    key: str  # of a list in JSON, and of the collection in Client
    table: Sequence[Column]
    details: Sequence[Column]  # the first one is the ID
    as_document: Callable[[Any], Any] = unchanged
    doubt: Callable[[Any], str | None] = lambda _: None  # a warning about a record that was just written

    def of(self, torc: "Client") -> "Collection[Any]":
        """The records of this kind."""
        collection: Collection[Any] = getattr(torc, self.key)
        return collection

    def done(self, participle: str, record: Any) -> Record:
        """What has been done to a record."""
        title = f"Successfully {participle} {self.one}:"
        return Record(
            title=title,
            record=record,
            columns=self.details,
            as_document=self.as_document,
            remark=self.doubt(record) if participle != "removed" else None,
        )

    def pages(
        self,
        torc: "Client",
        workflow_id: int,
        *,
        limit: int | None,
        offset: int,
        of_jobs: Sequence[int | None] = (),
        **query: Any,
    ) -> Pages[Any]:
        """The records of a workflow; NotFound when they are none because it, or one of the jobs, is not there."""
        return Pages(
            lambda offset, rows: self.of(torc).page(workflow_id, limit=rows, offset=offset, **query),
            limit=limit,
            offset=offset,
            when_empty=lambda: require(torc, workflow_id, of_jobs),
        )

    def listing(self, workflow_id: int, pages: Pages[Any], **options: Any) -> Listing:
        """The records of a workflow as a table, or below ``key``; ``options`` are fields of Listing."""
        usual = {
            "key": self.key,
            "columns": self.table,
            "title": f"{_with_capital(self.many)} for workflow ID {workflow_id}:",
            "noun": self.many,
            "empty": f"No {self.many} found for workflow ID: {workflow_id}",
            "as_document": self.as_document,
            "total": pages.total,
            "records": pages,
        }
        return Listing(**{**usual, **options})

    def among(self, torc: "Client", workflow_id: int, ids: Sequence[int]) -> Iterable[Any]:
        """The records with these ids; nothing is asked when there are none."""
        wanted = set(ids)
        return (record for record in self.of(torc).list(workflow_id) if record.id in wanted) if wanted else ()


def _with_capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _id_of(noun: Noun) -> Argument:
    return argument("record_id", metavar="ID", type=number(1), help=f"see `torc {noun.word} list`")


def data_of(text: str) -> Any:
    """What the JSON of ``--data`` means."""
    import msgspec  # not for --help

    try:
        return msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise TorcError(f"--data is not JSON: {error}. Quote it for the shell: --data '{{\"key\": 1}}'.") from error


def declare_get(noun: Noun, promise: str, **options: Any) -> None:
    """Make ``torc <noun> get ID``. ``promise`` is the docstring; ``options`` go to @command, here and below."""

    def run(torc: "Client", record_id: int) -> Record:
        return Record(
            title=f"{_with_capital(noun.one)} ID {record_id}:",
            record=noun.of(torc).get(record_id),
            columns=noun.details[1:],
            as_document=noun.as_document,
        )

    run.__doc__ = promise
    command(f"{noun.word} get", _id_of(noun), **options)(run)


def declare_create(noun: Noun, promise: str, model: type[Any], *fields: Argument, **options: Any) -> None:
    """Make ``torc <noun> create``; the ``fields`` are options named as those of ``model``."""

    def run(torc: "Client", workflow_id: int, **values: Any) -> Record:
        return noun.done("created", noun.of(torc).create(model(workflow_id=workflow_id, **values)))

    run.__doc__ = promise
    command(f"{noun.word} create", WORKFLOW_ID, *fields, **options)(run)


def declare_update(noun: Noun, promise: str, *fields: Argument, **options: Any) -> None:
    """Make ``torc <noun> update ID``; what is not given stays."""

    def changes_of(arguments: dict[str, Any]) -> dict[str, Any]:
        record_id = arguments.pop("record_id")
        changes = {name: value for name, value in arguments.items() if value is not None}
        if not changes:
            raise UsageError(f"nothing to change; give one of {', '.join(field.names[-1] for field in fields)}.")
        return {"record_id": record_id, "changes": changes}

    def run(torc: "Client", record_id: int, *, changes: dict[str, Any]) -> Record:
        return noun.done("updated", noun.of(torc).change(record_id, changes))

    run.__doc__ = promise
    command(f"{noun.word} update", _id_of(noun), *fields, prepare=changes_of, **options)(run)


def declare_delete(noun: Noun, promise: str, *flags: Argument, **options: Any) -> None:
    """Make ``torc <noun> delete ID``; the only one of ``flags`` may be ``--force``."""

    def run(torc: "Client", record_id: int, *, force: bool = False) -> Record:
        return noun.done("removed", noun.of(torc).delete(record_id, force=force))

    run.__doc__ = promise
    command(f"{noun.word} delete", _id_of(noun), *flags, **options)(run)
