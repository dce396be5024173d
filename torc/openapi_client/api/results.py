"""Events and results: what has happened, and how jobs ended."""

from typing import Any, Unpack

from torc.models.status import JobStatus
from torc.openapi_client.api.operations import Operations
from torc.openapi_client.api_client import RequestOptions
from torc.openapi_client.models.records import EventModel, ListEventsResponse, ListResultsResponse, ResultModel


class EventsApi(Operations):
    """``/events``."""

    def create_event(self, body: EventModel, **options: Unpack[RequestOptions]) -> EventModel:
        """Store an event; the answer has its id."""
        return self._send(EventModel, options, "POST", "events", body=body)

    def get_event(self, id: int, **options: Unpack[RequestOptions]) -> EventModel:
        """Read an event; NotFoundException when there is none."""
        return self._send(EventModel, options, "GET", "events", id)

    def list_events(
        self,
        workflow_id: int,
        offset: int | None = None,
        limit: int | None = None,
        sort_by: str | None = None,
        reverse_sort: bool | None = None,
        category: str | None = None,
        after_timestamp: int | None = None,
        **options: Unpack[RequestOptions],
    ) -> ListEventsResponse:
        """One page of a workflow's events. ``after_timestamp`` is in milliseconds since the epoch."""
        return self._send(
            ListEventsResponse,
            options,
            "GET",
            "events",
            workflow_id=workflow_id,
            offset=offset,
            limit=limit,
            sort_by=sort_by,
            reverse_sort=reverse_sort,
            category=category,
            after_timestamp=after_timestamp,
        )

    def update_event(self, id: int, body: EventModel, **options: Unpack[RequestOptions]) -> EventModel:
        """Write over an event: a field that is None is cleared."""
        return self._send(EventModel, options, "PUT", "events", id, body=body)

    def delete_event(
        self, id: int, body: Any = None, *, force: bool = False, **options: Unpack[RequestOptions]
    ) -> EventModel:
        """Delete an event and return it as it was."""
        return self._send(EventModel, options, "DELETE", "events", id, body=body, force=force or None)

    def delete_events(
        self, workflow_id: int, body: Any = None, *, force: bool = False, **options: Unpack[RequestOptions]
    ) -> dict[str, Any]:
        """Delete all events of a workflow; the answer counts them."""
        return self._send(
            dict[str, Any],
            options,
            "DELETE",
            "events",
            body=body,
            workflow_id=workflow_id,
            force=force or None,
        )


class ResultsApi(Operations):
    """``/results``."""

    def create_result(self, body: ResultModel, **options: Unpack[RequestOptions]) -> ResultModel:
        """Store a result; the answer has its id."""
        return self._send(ResultModel, options, "POST", "results", body=body)

    def get_result(self, id: int, **options: Unpack[RequestOptions]) -> ResultModel:
        """Read a result; NotFoundException when there is none."""
        return self._send(ResultModel, options, "GET", "results", id)

    def list_results(
        self,
        workflow_id: int,
        job_id: int | None = None,
        offset: int | None = None,
        limit: int | None = None,
        sort_by: str | None = None,
        reverse_sort: bool | None = None,
        run_id: int | None = None,
        return_code: int | None = None,
        status: JobStatus | str | None = None,
        all_runs: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> ListResultsResponse:
        """One page of a workflow's results. Only the current one of each job, unless ``all_runs`` is true."""
        return self._send(
            ListResultsResponse,
            options,
            "GET",
            "results",
            workflow_id=workflow_id,
            job_id=job_id,
            offset=offset,
            limit=limit,
            sort_by=sort_by,
            reverse_sort=reverse_sort,
            run_id=run_id,
            return_code=return_code,
            status=status,
            all_runs=all_runs,
        )

    def update_result(self, id: int, body: ResultModel, **options: Unpack[RequestOptions]) -> ResultModel:
        """Write over a result: a field that is None is cleared."""
        return self._send(ResultModel, options, "PUT", "results", id, body=body)

    def delete_result(
        self, id: int, body: Any = None, *, force: bool = False, **options: Unpack[RequestOptions]
    ) -> ResultModel:
        """Delete a result and return it as it was."""
        return self._send(ResultModel, options, "DELETE", "results", id, body=body, force=force or None)

    def delete_results(
        self, workflow_id: int, body: Any = None, *, force: bool = False, **options: Unpack[RequestOptions]
    ) -> dict[str, Any]:
        """Delete all results of a workflow; the answer counts them."""
        return self._send(
            dict[str, Any],
            options,
            "DELETE",
            "results",
            body=body,
            workflow_id=workflow_id,
            force=force or None,
        )
