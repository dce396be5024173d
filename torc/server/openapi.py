"""The OpenAPI document, written from the operations: what is declared in a signature is what it says."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, get_args, get_origin

import msgspec
from msgspec import NODEFAULT

from torc import __version__
from torc.models.compute_node import ComputeNode, NewComputeNode
from torc.models.record import Page, Record
from torc.models.result import NewResult, Result
from torc.rendezvous import BASE_PATH
from torc.server.operation import Operation

REF = "#/components/schemas/"

SCHEMA_NAMES = {
    "ClaimActionAnswer": "ClaimAction200Response",
    "ClaimAnswer": "ClaimJobsBasedOnResourcesResponse",
    "ComputeNode": "ComputeNodeModel",
    "Event": "EventModel",
    "File": "FileModel",
    "FileIds": "ListRequiredExistingFilesResponse",
    "IsComplete": "IsCompleteResponse",
    "IsUninitialized": "IsUninitializedResponse",
    "Job": "JobModel",
    "JobDependency": "JobDependencyModel",
    "JobFileRelationship": "JobFileRelationshipModel",
    "JobUserDataRelationship": "JobUserDataRelationshipModel",
    "LocalScheduler": "LocalSchedulerModel",
    "ReadyJobRequirements": "GetReadyJobRequirementsResponse",
    "ReinitializedJobs": "ProcessChangedJobInputsResponse",
    "ResourceRequirements": "ResourceRequirementsModel",
    "Result": "ResultModel",
    "ScheduledComputeNode": "ScheduledComputeNodesModel",
    "SlurmScheduler": "SlurmSchedulerModel",
    "UserData": "UserDataModel",
    "UserDataIds": "ListMissingUserDataResponse",
    "Workflow": "WorkflowModel",
    "WorkflowAction": "WorkflowActionModel",
    "WorkflowStatus": "WorkflowStatusModel",
}
"""Clients that exist call these so; code written for them then works with a client generated from this document."""


FORGIVING = {NewComputeNode: ComputeNode, NewResult: Result}
"""Bodies that may leave out more than the record has, as in the users' book, are described as the record: a generated
client has one class for each.
"""


class Explanation(Record, kw_only=True):
    """What went wrong, in one sentence; other keys say more where there is more."""

    message: str


class DefaultErrorResponse(Record, kw_only=True):
    """Answer to a request that was refused."""

    error: Explanation


class Description:
    """``/openapi.json``."""

    def __init__(self, operations: Callable[[], Iterable[Operation]]) -> None:
        self._operations = operations
        self._document: dict[str, Any] | None = None

    def get(self) -> dict[str, Any]:
        """This document."""
        if self._document is None:
            self._document = document(self._operations())
        return self._document


def document(operations: Iterable[Operation]) -> dict[str, Any]:
    """The whole document as plain values."""
    listed = list(operations)
    schemas = _Schemas(listed)
    paths: dict[str, dict[str, Any]] = {}
    for operation in listed:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _describe(operation, schemas)
    found = {
        "openapi": "3.1.0",
        "info": {
            "title": "Torc",
            "version": __version__,
            "description": "Workflows of many jobs with dependencies and unequal resources.",
            "license": {"name": "BSD-3-Clause", "identifier": "BSD-3-Clause"},
        },
        "servers": [{"url": BASE_PATH}],
        "security": [{}, {"basicAuth": []}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.components.items())),
            "securitySchemes": {"basicAuth": {"type": "http", "scheme": "basic"}},
        },
    }
    plain: dict[str, Any] = msgspec.to_builtins(found)
    return plain


def _describe(operation: Operation, schemas: "_Schemas") -> dict[str, Any]:
    described: dict[str, Any] = {"operationId": operation.name, "summary": operation.summary}
    parameters = [*_path_parameters(operation, schemas), *_query_parameters(operation, schemas)]
    if parameters:
        described["parameters"] = parameters
    if operation.body is not None:
        described["requestBody"] = {
            "required": operation.body_is_required,
            "content": {"application/json": {"schema": schemas.of(FORGIVING.get(operation.body, operation.body))}},
        }
    described["responses"] = {
        "200": {
            "description": "Done.",
            "content": {operation.media: {"schema": schemas.of_answer(operation)}},
        },
        "default": {
            "description": "Refused; nothing was changed.",
            "content": {"application/json": {"schema": schemas.of(DefaultErrorResponse)}},
        },
    }
    return described


def _path_parameters(operation: Operation, schemas: "_Schemas") -> Iterator[dict[str, Any]]:
    for name, kind in operation.parameters.items():
        yield {"name": name, "in": "path", "required": True, "schema": schemas.of(kind)}


def _query_parameters(operation: Operation, schemas: "_Schemas") -> Iterator[dict[str, Any]]:
    for field in msgspec.structs.fields(operation.query) if operation.query else ():
        schema = schemas.of(_not_null(field.type))
        if field.default not in (NODEFAULT, None):
            schema = {**schema, "default": field.default}
        yield {"name": field.encode_name, "in": "query", "required": field.required, "schema": schema}


def _not_null(kind: Any) -> Any:
    """A parameter is absent or has a value; there is no null in a query string."""
    parts = [part for part in get_args(kind) if part is not type(None)]
    return parts[0] if type(None) in get_args(kind) else kind


class _Schemas:
    """JSON Schemas of all types in use, under the names clients know."""

    def __init__(self, operations: list[Operation]) -> None:
        kinds = [DefaultErrorResponse, *self._kinds(operations)]
        schemas, components = msgspec.json.schema_components(kinds, ref_template=REF + "{name}")
        models = _models(kinds)
        self.components: dict[str, Any] = {
            SCHEMA_NAMES.get(name, name): _renamed(_with_defaults(schema, models.get(name)))
            for name, schema in components.items()
        }
        self._by_kind = {repr(kind): _renamed(schema) for kind, schema in zip(kinds, schemas, strict=True)}
        for operation in operations:
            if get_origin(operation.answer) is Page:
                self._add_list(operation)

    @staticmethod
    def _kinds(operations: list[Operation]) -> Iterator[Any]:
        for operation in operations:
            yield from operation.parameters.values()
            if operation.query is not None:
                yield from (_not_null(field.type) for field in msgspec.structs.fields(operation.query))
            if operation.body is not None:
                yield FORGIVING.get(operation.body, operation.body)
            if get_origin(operation.answer) is Page:
                yield from get_args(operation.answer)
            elif operation.media == "application/json":
                yield operation.answer

    def of(self, kind: Any) -> dict[str, Any]:
        """The schema of a type that some operation uses."""
        schema: dict[str, Any] = self._by_kind[repr(kind)]
        return schema

    def of_answer(self, operation: Operation) -> dict[str, Any]:
        """The schema of what an operation answers."""
        if operation.media != "application/json":
            return {"type": "string"}
        if get_origin(operation.answer) is Page:
            return {"$ref": REF + _list_name(operation)}
        return self.of(operation.answer)

    def _add_list(self, operation: Operation) -> None:
        (item,) = get_args(operation.answer)
        rows = {"type": "array", "items": self.of(item)}
        numbers = {name: {"type": "integer"} for name in ("offset", "max_limit", "count", "total_count")}
        frame = {"items": rows, **numbers, "has_more": {"type": "boolean"}}
        self.components[_list_name(operation)] = {
            "title": _list_name(operation),
            "description": f"One page. `{operation.key}` repeats `items`; `Prefer: return=minimal` leaves it out.",
            "type": "object",
            "properties": {**frame, operation.key: rows},
            "required": list(frame),
        }


def _list_name(operation: Operation) -> str:
    return f"List{operation.key.title().replace('_', '')}Response"


def _with_defaults(schema: dict[str, Any], model: type[msgspec.Struct] | None) -> dict[str, Any]:
    """``schema`` with the defaults that are written even when a field has them; msgspec sees only a factory."""
    if model is None:
        return schema
    for field in msgspec.structs.fields(model):
        if field.default_factory is not NODEFAULT:
            schema["properties"][field.encode_name]["default"] = field.default_factory()
    return schema


def _models(kinds: list[Any]) -> dict[str, type[msgspec.Struct]]:
    """Every Struct by its name, those inside others too."""
    found = {kind.__name__: kind for kind in kinds if isinstance(kind, type) and issubclass(kind, msgspec.Struct)}
    return found | {
        inner.__name__: inner
        for kind in found.values()
        for field in msgspec.structs.fields(kind)
        for inner in [field.type, *get_args(field.type)]
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct)
    }


def _renamed(schema: Any) -> Any:
    """References, and titles, under the names clients know.

    ``items: false`` goes: tuples say their length in ``maxItems`` as well, and some generators cannot read it.
    """
    if isinstance(schema, dict):
        return {
            key: _renamed_word(value) if key in ("$ref", "title") else _renamed(value)
            for key, value in schema.items()
            if not (key == "items" and value is False)
        }
    return [_renamed(part) for part in schema] if isinstance(schema, list) else schema


def _renamed_word(word: str) -> str:
    return re.sub(r"\w+$", lambda match: SCHEMA_NAMES.get(match[0], match[0]), word)
