"""Python functions as jobs: one call per set of parameters, and one that collects what they return.

A call is stored as user data that its job reads; what the function returns is stored as user data that its job
writes. ``torc.pytorc`` is the program that runs in the jobs.
"""

import importlib
import json
import os
import sys
from collections.abc import Callable, Iterable
from itertools import islice
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any, Self

import msgspec

from torc.errors import TorcError
from torc.exceptions import InvalidParameter

if TYPE_CHECKING:
    from torc.openapi_client import DefaultApi, JobModel

RUN_FUNCTION = "pytorc run-function"
RUN_POSTPROCESS = "pytorc run-postprocess"
POSTPROCESS = "postprocess"
POSTPROCESS_INPUT = "input_postprocess"
"""The user data that names the function, among all the results that the job reads."""

POSTPROCESS_OUTPUT = "postprocess_result"
MOST_DATA = 1000
"""Records in one request; each may be large."""

NOTHING_YET: dict[str, Any] = {}
"""What a result is until there is one."""


class Call(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Which function a job calls, and with what: the content of its input."""

    module: str
    func: str
    params: Any = msgspec.UNSET  # a postprocess function gets the results instead
    job_name: str | None = None
    module_directory: str | None = None

    def function(self) -> Callable[..., Any]:
        """Import it; InvalidParameter says what cannot be found."""
        return import_function(self.module, self.func, self.module_directory)


def map_function_to_jobs(
    api: "DefaultApi",
    workflow_id: int,
    module: str,
    func: str,
    params: Iterable[Any],
    postprocess_func: str | None = None,
    module_directory: str | os.PathLike[str] | None = None,
    resource_requirements_id: int | None = None,
    scheduler_id: int | None = None,
    start_index: int = 1,
    name_prefix: str = "",
    depends_on_job_ids: list[int] | None = None,
) -> "list[JobModel]":
    """Add a job to a workflow for each set of parameters; it calls ``func(job_name, params)``.

    When all have ended well, another calls ``postprocess_func`` with the list of their results, in the order of
    ``params``. The jobs are named ``<name_prefix><number>``; the answer has them in order, the postprocess job last.
    Functions and parameters are checked before anything is sent: InvalidParameter. A failure after that leaves nothing
    behind.
    """
    from torc.openapi_client import JobModel

    folder = _folder_for_jobs(module, func, module_directory)
    if postprocess_func is not None:
        import_function(module, postprocess_func, folder)
    calls = [
        Call(
            module=module,
            func=func,
            params=as_json(one, f"params[{index}]"),
            job_name=f"{name_prefix}{start_index + index}",
            module_directory=folder,
        )
        for index, one in enumerate(params)
    ]

    def job(name: str, command: str, inputs: list[int], output: int, depends_on: list[int] | None) -> JobModel:
        return JobModel(
            workflow_id=workflow_id,
            name=name,
            command=command,
            input_user_data_ids=inputs,
            output_user_data_ids=[output],
            depends_on_job_ids=depends_on,
            resource_requirements_id=resource_requirements_id,
            scheduler_id=scheduler_id,
        )

    with _Addition(api, workflow_id) as addition:
        inputs = addition.store((f"input_{call.job_name}", msgspec.to_builtins(call)) for call in calls)
        outputs = addition.store((f"output_{call.job_name}", NOTHING_YET) for call in calls)
        jobs = [
            job(str(call.job_name), RUN_FUNCTION, [given], output, depends_on_job_ids)
            for call, given, output in zip(calls, inputs, outputs, strict=True)
        ]
        if postprocess_func is not None:
            collect = Call(module=module, func=postprocess_func, module_directory=folder)
            given, result = addition.store(
                [(POSTPROCESS_INPUT, msgspec.to_builtins(collect)), (POSTPROCESS_OUTPUT, NOTHING_YET)]
            )
            jobs.append(job(POSTPROCESS, RUN_POSTPROCESS, [given, *outputs], result, None))
        return addition.create(jobs)


class _Addition:
    """Records on their way into a workflow, taken back when not all of them arrive."""

    def __init__(self, api: "DefaultApi", workflow_id: int) -> None:
        self._api = api
        self._workflow_id = workflow_id
        self._data_ids: list[int] = []
        self._jobs: list[JobModel] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._take_back()

    def store(self, named: Iterable[tuple[str, Any]]) -> list[int]:
        """The ids of new user data, given as names and values."""
        from torc.openapi_client import UserDataBatch, UserDataModel

        ids: list[int] = []
        waiting = (UserDataModel(workflow_id=self._workflow_id, name=name, data=data) for name, data in named)
        while batch := list(islice(waiting, MOST_DATA)):
            stored = self._api.create_user_data_batch(UserDataBatch(user_data=batch)).user_data
            ids += [one.id for one in stored if one.id is not None]
            self._data_ids += ids[-len(stored) :]
        return ids

    def create(self, jobs: "list[JobModel]") -> "list[JobModel]":
        """The jobs as stored."""
        from torc.api import MOST_ROWS, create_jobs

        for first in range(0, len(jobs), MOST_ROWS):
            self._jobs += create_jobs(self._api, jobs[first : first + MOST_ROWS])
        return self._jobs

    def _take_back(self) -> None:
        from torc.openapi_client import ApiException

        try:
            for job in self._jobs:
                self._api.delete_job(job.id, force=True)  # type: ignore[arg-type]  # stored, so it has an id
            for data_id in self._data_ids:
                self._api.delete_user_data(data_id)
        except (ApiException, TorcError):
            pass  # what went wrong before is what the caller has to hear about


def import_function(module: str, func: str, folder: str | None) -> Callable[..., Any]:
    """A function of a module that Python finds, else of one in ``folder``, else in the current folder."""
    place = os.path.abspath(folder or os.curdir)
    try:
        found = _import(module, place)
    except ModuleNotFoundError as error:
        raise InvalidParameter(
            f"module {module!r} cannot be imported ({error.msg}), also not from {place}; install it, or name its "
            "folder with module_directory."
        ) from error
    function = getattr(found, func, None)
    if not callable(function):
        raise InvalidParameter(f"module {module!r} has no function {func!r}; it was read from {_file_of(found)}.")
    return function  # type: ignore[no-any-return]  # callable is all that can be known


def _import(module: str, folder: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module.partition(".")[0] or folder in sys.path:
            raise
    sys.path.append(folder)  # last, so that nothing in there hides an installed module
    return importlib.import_module(module)


def _folder_for_jobs(module: str, func: str, folder: str | os.PathLike[str] | None) -> str | None:
    """Where jobs find the module: None if they find it by themselves, as what is installed."""
    if folder is not None:
        import_function(module, func, os.fspath(folder))
        return os.path.abspath(folder)
    import_function(module, func, None)
    top = sys.modules[module.partition(".")[0]]
    home = os.path.dirname(_file_of(top))
    if hasattr(top, "__path__"):
        home = os.path.dirname(home)
    # Python looks beside the script it runs, and from a terminal in the current folder; in a job it does neither.
    return home if home in (os.path.abspath(sys.path[0]), os.getcwd()) else None


def _file_of(module: ModuleType) -> str:
    return os.path.abspath(getattr(module, "__file__", None) or "")


def as_json(value: Any, place: str) -> Any:
    """``value`` as it comes back from JSON text; InvalidParameter names the place of what cannot be stored."""
    try:
        return msgspec.json.decode(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidParameter(
            f"{place} cannot be stored as JSON ({error}); use numbers, text, lists and dicts of those."
        ) from error
