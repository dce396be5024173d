"""A server for a script, and the loops that every script needs: pages, batches, waiting for the server."""

import logging
import os
import random
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

from torc.errors import ServerAway
from torc.exceptions import DatabaseOffline, InvalidParameter
from torc.models.record import Page
from torc.openapi_client.api.default_api import DefaultApi
from torc.openapi_client.api_client import ApiClient
from torc.openapi_client.configuration import Configuration
from torc.openapi_client.exceptions import ApiException
from torc.openapi_client.model import Model
from torc.openapi_client.models.jobs import JobModel, JobsModel

logger = logging.getLogger(__name__)

T = TypeVar("T")

MOST_ROWS = 10_000
"""A server gives no longer page and takes no longer batch."""

FIRST_PAUSE_S = 0.5


def make_api(database_url: str, *, username: str | None = None, password: str | None = None) -> DefaultApi:
    """The server at a URL such as ``http://localhost:8080/torc-service/v1``; nothing is sent yet.

    Credentials that are not given come from TORC_USERNAME and TORC_PASSWORD. The password there is sent for the user
    named there alone.
    """
    configured = os.environ.get("TORC_USERNAME") or None
    name = configured if username is None else username
    if password is None and configured in (None, name):
        password = os.environ.get("TORC_PASSWORD")
    return DefaultApi(ApiClient(Configuration(host=database_url, username=name, password=password)))


def send_api_command(
    func: Callable[..., T], *args: Any, raise_on_error: bool = True, timeout: float = 120, **kwargs: Any
) -> T | None:
    """``func(*args, **kwargs)`` with a time limit in seconds: ``send_api_command(api.get_job, 7)``.

    Raises ApiException for a refusal and DatabaseOffline for no answer; with ``raise_on_error`` false either is logged
    and gives None.
    """
    try:
        return func(*args, _request_timeout=timeout, **kwargs)
    except ServerAway as error:
        if raise_on_error:
            raise DatabaseOffline(error.message) from error
        logger.error("%s: %s", _name(func), error)
    except ApiException as error:
        if raise_on_error:
            raise
        logger.error("%s: %s", _name(func), error)
    return None


def iter_documents(
    func: Callable[..., Page[T]], *args: Any, offset: int = 0, limit: int | None = None, **kwargs: Any
) -> Iterator[T]:
    """All records of a list, page by page as they are needed: ``iter_documents(api.list_jobs, workflow_id)``.

    ``limit`` is how many records at most.
    """
    left = limit
    while left is None or left > 0:
        wanted = {} if left is None else {"limit": min(left, MOST_ROWS)}
        page = func(*args, offset=offset, **wanted, **kwargs)
        yield from page.items
        # A page may be shorter than asked for and still not be the last.
        if not page.has_more or not page.count:
            return
        offset += page.count
        left = None if left is None else left - page.count


def create_jobs(api: DefaultApi, jobs: Iterable[JobModel], max_transfer_size: int = MOST_ROWS) -> list[JobModel]:
    """Store jobs of one workflow, at most ``max_transfer_size`` in one request; the answer has the same order.

    Each request is all or nothing. Jobs may depend on jobs that have ids already.
    """
    if max_transfer_size < 1:
        raise InvalidParameter(f"max_transfer_size must be at least 1, got {max_transfer_size}")
    waiting = iter(jobs)
    created: list[JobModel] = []
    while batch := list(islice(waiting, max_transfer_size)):
        created += api.create_jobs(JobsModel(jobs=batch)).jobs
    return created


def wait_for_healthy_database(api: DefaultApi, timeout_minutes: float = 20, poll_seconds: float = 60) -> None:
    """Return as soon as the server answers; DatabaseOffline when it does not in time.

    Asks soon at first and then ever more rarely, every ``poll_seconds`` at last.
    """
    give_up_at = time.monotonic() + timeout_minutes * 60
    pause_s = min(FIRST_PAUSE_S, poll_seconds)
    while True:
        try:
            api.ping()
            return
        except ServerAway as error:
            left_s = give_up_at - time.monotonic()
            if left_s <= 0:
                raise DatabaseOffline(error.message) from error
        # Many scripts may wait for the same server.
        time.sleep(min(pause_s * random.uniform(0.5, 1.0), left_s))
        pause_s = min(pause_s * 2, poll_seconds)


def list_model_fields(cls: type[Model]) -> list[str]:
    """The names of a model's fields."""
    return list(cls.__struct_fields__)


def make_job_label(job: JobModel, include_status: bool = False) -> str:
    """A job for a line of text: ``Job name=train id=7 status=ready``."""
    label = f"Job name={job.name} id={job.id}"
    return f"{label} status={job.status}" if include_status else label


def _name(func: Callable[..., Any]) -> str:
    return getattr(func, "__name__", repr(func))
