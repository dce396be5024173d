"""Torc runs workflows of many jobs, with dependencies and unequal resources, on laptops and HPC clusters.

As a library: ``from torc import make_api`` and ``from torc.openapi_client import WorkflowModel``.
"""

TYPE_CHECKING = False  # as typing has it; importing typing takes longer than all of this
if TYPE_CHECKING:
    from torc.api import create_jobs, iter_documents, make_api, make_job_label, send_api_command
    from torc.functions import map_function_to_jobs
    from torc.loggers import setup_logging
    from torc.openapi_client import ApiClient, Configuration

__version__ = "0.8.0"

__all__ = [
    "ApiClient",
    "Configuration",
    "__version__",
    "create_jobs",
    "iter_documents",
    "make_api",
    "make_job_label",
    "map_function_to_jobs",
    "send_api_command",
    "setup_logging",
]

# The programs import torc as well, and must not pay for the library: a name is imported when it is asked for.
_HOMES = {
    "ApiClient": "torc.openapi_client",
    "Configuration": "torc.openapi_client",
    "map_function_to_jobs": "torc.functions",
    "setup_logging": "torc.loggers",
    **dict.fromkeys(("create_jobs", "iter_documents", "make_api", "make_job_label", "send_api_command"), "torc.api"),
}


if not TYPE_CHECKING:  # to type checkers, a name that is not listed above does not exist

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module 'torc' has no attribute {name!r}")
        import importlib

        return getattr(importlib.import_module(_HOMES[name]), name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *_HOMES})
