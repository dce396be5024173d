"""What every model of this client can do: check what it is given, and turn into dicts and JSON and back.

A model is the Struct of ``torc.models`` with the methods that users of the existing Python client call.
"""

import copy
import pprint
import re
from collections.abc import Collection
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeVar

import msgspec
from msgspec.structs import FieldInfo

from torc.models.nulls import admits_null, without_nulls
from torc.models.record import Record

T = TypeVar("T")

SHOWN = 60
"""So much of a bad value is shown."""

PLACE = re.compile(r" - at `\$(.*)`$")


class ValidationError(ValueError):
    """A value that does not fit its model, or a field that the model lacks. Names model, field and value."""


class ModelType(msgspec.StructMeta):
    """Checks the arguments of a model; a plain Struct takes anything for a field."""

    if not TYPE_CHECKING:  # type checkers know the arguments from the fields

        def __call__(cls, *args: Any, **values: Any) -> Any:
            if args:
                raise ValidationError(f"{cls.__name__} takes its fields by name, as in {cls.__name__}(name=...)")
            for name in values:
                field_of(cls, name)
            return build(values, cls)


class Model(Record, metaclass=ModelType, kw_only=True):
    """Stands before a Struct of ``torc.models``. None means "left out" for a field that cannot be null."""

    SET_BY_SERVER: ClassVar[frozenset[str]] = frozenset({"id"})
    """Not sent with an update."""

    NOT_IN_LISTS: ClassVar[frozenset[str]] = frozenset()
    """None also when the record was read in a way that leaves them out, so None does not clear them."""

    def __setattr__(self, name: str, value: Any) -> None:
        field = field_of(type(self), name)
        if value is None and not field.required and not admits_null(field.type):
            value = _default(field)
        try:
            super().__setattr__(name, _convert(value, field.type))
        except msgspec.ValidationError as error:
            raise ValidationError(_explained(error, f"{type(self).__name__}.{name}", value)) from error

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts and lists, without the fields that are None."""
        return self.model_dump(exclude_none=True)

    @classmethod
    def from_dict(cls, obj: dict[str, Any] | None) -> Self | None:
        """From what ``to_dict`` or a server gives. Keys the model does not know are passed over."""
        return None if obj is None else cls.model_validate(obj)

    def to_json(self) -> str:
        """JSON text, without the fields that are None."""
        return self.model_dump_json(exclude_none=True)

    @classmethod
    def from_json(cls, json_str: str | bytes) -> Self | None:
        """From JSON text; ``null`` gives None."""
        return cls.from_dict(decode(json_str, dict[str, Any] | None, cls.__name__))

    def to_str(self) -> str:
        """All fields, laid out for reading."""
        return pprint.pformat(self.model_dump())

    def model_dump(
        self,
        *,
        mode: Literal["python", "json"] = "python",
        include: Collection[str] | None = None,
        exclude: Collection[str] | None = None,
        exclude_none: bool = False,
    ) -> dict[str, Any]:
        """Plain dicts and lists. ``mode="json"`` also turns enums into text."""
        wanted = (name for name in self.__struct_fields__ if include is None or name in include)
        values = {name: getattr(self, name) for name in wanted if name not in (exclude or ())}
        dump = {
            name: _plain(value, exclude_none) for name, value in values.items() if value is not None or not exclude_none
        }
        return _builtins(dump) if mode == "json" else dump

    def model_dump_json(
        self,
        *,
        indent: int | None = None,
        include: Collection[str] | None = None,
        exclude: Collection[str] | None = None,
        exclude_none: bool = False,
    ) -> str:
        """As ``model_dump``, as JSON text."""
        dump = self.model_dump(mode="json", include=include, exclude=exclude, exclude_none=exclude_none)
        text = msgspec.json.encode(dump)
        return (msgspec.json.format(text, indent=indent) if indent else text).decode()

    def model_copy(self, *, update: dict[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy, with other values for the fields in ``update``."""
        copied = copy.deepcopy(self) if deep else copy.copy(self)
        for name, value in (update or {}).items():
            setattr(copied, name, value)
        return copied

    @classmethod
    def model_validate(cls, obj: Any) -> Self:
        """A model from a dict; a model stays as it is. ValidationError names what does not fit."""
        if isinstance(obj, cls):
            return obj
        if not isinstance(obj, dict):
            raise ValidationError(f"{cls.__name__} is made from a dict, not from {_shown(obj)}")
        return build(obj, cls)

    def for_update(self) -> dict[str, Any]:
        """The body of an update. An explicit null clears a field, so every field that can be null is named."""
        values = {name: getattr(self, name) for name in self.__struct_fields__ if name not in self.SET_BY_SERVER}
        return {name: value for name, value in values.items() if value is not None or name not in self.NOT_IN_LISTS}


def field_of(model: type[msgspec.Struct], name: str) -> FieldInfo:
    """The field of a model, or ValidationError."""
    fields = _fields_by_name(model)
    if name not in fields:
        raise ValidationError(f"{model.__name__} has no field {name!r}; it has {', '.join(fields)}")
    return fields[name]


@cache
def _fields_by_name(model: type[msgspec.Struct]) -> dict[str, FieldInfo]:
    return {field.name: field for field in msgspec.structs.fields(model)}


def build(values: dict[str, Any], model: type[T]) -> T:
    """A model from values that are checked, or ValidationError."""
    try:
        return _convert(values, model)
    except msgspec.ValidationError as error:
        field = re.match(r"\.(\w+)", _place(error))
        value = values.get(field[1]) if field else values
        raise ValidationError(_explained(error, model.__name__, value)) from error


def decode(text: bytes | str, kind: Any, source: str) -> Any:
    """JSON text as a ``kind``. ``source`` says in a ValidationError where the text comes from."""
    try:
        try:
            return msgspec.json.decode(text, type=kind)
        except msgspec.ValidationError:
            return _convert(msgspec.json.decode(text), kind)  # perhaps it was only a null where we have none
    except msgspec.ValidationError as error:
        raise ValidationError(_explained(error, source, text)) from error
    except (msgspec.DecodeError, UnicodeError) as error:
        raise ValidationError(f"{source}: this is not JSON text ({error}): {_shown(text)}") from error


def _convert(value: Any, kind: type[T]) -> T:
    """``value`` as a ``kind``. Null reads as left out where a field cannot be null."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return msgspec.convert(without_nulls(value, kind), kind)


def _default(field: FieldInfo) -> Any:
    return field.default if field.default is not msgspec.NODEFAULT else field.default_factory()


def _plain(value: Any, exclude_none: bool) -> Any:
    if isinstance(value, Model):
        return value.model_dump(exclude_none=exclude_none)
    if isinstance(value, list):
        return [_plain(item, exclude_none) for item in value]
    return dict(value) if isinstance(value, dict) else value


def _builtins(dump: dict[str, Any]) -> dict[str, Any]:
    return {name: msgspec.to_builtins(value) for name, value in dump.items()}


def _place(error: msgspec.ValidationError) -> str:
    """Where in the value it went wrong, such as ``.jobs[3].name``."""
    found = PLACE.search(str(error))
    return found[1] if found else ""


def _explained(error: msgspec.ValidationError, where: str, value: Any) -> str:
    """``JobModel.workflow_id: Expected `int`, got `str`: 'abc'``."""
    return f"{where}{_place(error)}: {PLACE.sub('', str(error))}: {_shown(value)}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."
