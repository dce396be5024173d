"""Workflows: their records, their status, and the verbs over all their jobs."""

from typing import Any, Unpack

from torc.client.connection import WHOLE_WORKFLOW_S
from torc.openapi_client.api.operations import Operations
from torc.openapi_client.api_client import RequestOptions
from torc.openapi_client.models.jobs import ProcessChangedJobInputsResponse
from torc.openapi_client.models.workflows import (
    IsCompleteResponse,
    IsUninitializedResponse,
    ListWorkflowsResponse,
    WorkflowModel,
    WorkflowStatusModel,
)


class ServiceApi(Operations):
    """The server itself."""

    def ping(self, **options: Unpack[RequestOptions]) -> dict[str, Any]:
        """Whether a server answers."""
        return self._send(dict[str, Any], options, "GET", "ping")

    def get_version(self, **options: Unpack[RequestOptions]) -> Any:
        """What version the server is, as it says it."""
        return self._send(Any, options, "GET", "version")


class WorkflowsApi(Operations):
    """``/workflows``."""

    def create_workflow(self, body: WorkflowModel, **options: Unpack[RequestOptions]) -> WorkflowModel:
        """Store an empty workflow; the answer has its id."""
        return self._send(WorkflowModel, options, "POST", "workflows", body=body)

    def get_workflow(self, id: int, **options: Unpack[RequestOptions]) -> WorkflowModel:
        """Read a workflow; NotFoundException when there is none."""
        return self._send(WorkflowModel, options, "GET", "workflows", id)

    def list_workflows(
        self,
        offset: int | None = None,
        sort_by: str | None = None,
        reverse_sort: bool | None = None,
        limit: int | None = None,
        name: str | None = None,
        user: str | None = None,
        description: str | None = None,
        is_archived: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> ListWorkflowsResponse:
        """One page of everybody's workflows. ``description`` may be a part of it."""
        return self._send(
            ListWorkflowsResponse,
            options,
            "GET",
            "workflows",
            offset=offset,
            sort_by=sort_by,
            reverse_sort=reverse_sort,
            limit=limit,
            name=name,
            user=user,
            description=description,
            is_archived=is_archived,
        )

    def update_workflow(self, id: int, body: WorkflowModel, **options: Unpack[RequestOptions]) -> WorkflowModel:
        """Write over a workflow: a field that is None is cleared."""
        return self._send(WorkflowModel, options, "PUT", "workflows", id, body=body)

    def delete_workflow(self, id: int, body: Any = None, **options: Unpack[RequestOptions]) -> WorkflowModel:
        """Delete a workflow with everything in it."""
        return self._send(WorkflowModel, options, "DELETE", "workflows", id, body=body, _timeout_s=WHOLE_WORKFLOW_S)

    def cancel_workflow(self, id: int, body: Any = None, **options: Unpack[RequestOptions]) -> dict[str, Any]:
        """Cancel every job that has not ended; the answer is the new status."""
        return self._send(
            dict[str, Any], options, "PUT", "workflows", id, "cancel", body=body, _timeout_s=WHOLE_WORKFLOW_S
        )

    def get_workflow_status(self, id: int, **options: Unpack[RequestOptions]) -> WorkflowStatusModel:
        """The run a workflow is in, and its flags."""
        return self._send(WorkflowStatusModel, options, "GET", "workflows", id, "status")

    def update_workflow_status(
        self, id: int, body: WorkflowStatusModel, **options: Unpack[RequestOptions]
    ) -> WorkflowStatusModel:
        """Write run and flags."""
        return self._send(WorkflowStatusModel, options, "PUT", "workflows", id, "status", body=body)

    def reset_workflow_status(
        self, id: int, force: bool | None = None, body: Any = None, **options: Unpack[RequestOptions]
    ) -> dict[str, Any]:
        """Clear the flags; the run and the jobs stay. Refused while jobs are handed out, unless forced."""
        return self._send(dict[str, Any], options, "POST", "workflows", id, "reset_status", body=body, force=force)

    def reset_job_status(
        self, id: int, failed_only: bool | None = None, body: Any = None, **options: Unpack[RequestOptions]
    ) -> dict[str, Any]:
        """Make jobs uninitialized: all, or those that failed with what lies behind them. The answer counts them."""
        return self._send(
            dict[str, Any],
            options,
            "POST",
            "workflows",
            id,
            "reset_job_status",
            body=body,
            failed_only=failed_only,
            _timeout_s=WHOLE_WORKFLOW_S,
        )

    def initialize_jobs(
        self,
        id: int,
        only_uninitialized: bool | None = None,
        clear_ephemeral_user_data: bool | None = None,
        body: Any = None,
        **options: Unpack[RequestOptions],
    ) -> dict[str, Any]:
        """Decide which jobs are ready and which wait for others."""
        return self._send(
            dict[str, Any],
            options,
            "POST",
            "workflows",
            id,
            "initialize_jobs",
            body=body,
            only_uninitialized=only_uninitialized,
            clear_ephemeral_user_data=clear_ephemeral_user_data,
            _timeout_s=WHOLE_WORKFLOW_S,
        )

    def is_workflow_complete(self, id: int, **options: Unpack[RequestOptions]) -> IsCompleteResponse:
        """Whether every job has an outcome."""
        return self._send(IsCompleteResponse, options, "GET", "workflows", id, "is_complete")

    def is_workflow_uninitialized(self, id: int, **options: Unpack[RequestOptions]) -> IsUninitializedResponse:
        """Whether no job has been made ready yet."""
        return self._send(IsUninitializedResponse, options, "GET", "workflows", id, "is_uninitialized")

    def process_changed_job_inputs(
        self, id: int, dry_run: bool | None = None, body: Any = None, **options: Unpack[RequestOptions]
    ) -> ProcessChangedJobInputsResponse:
        """Make the jobs uninitialized whose inputs have changed; with ``dry_run`` only name them."""
        return self._send(
            ProcessChangedJobInputsResponse,
            options,
            "POST",
            "workflows",
            id,
            "process_changed_job_inputs",
            body=body,
            dry_run=dry_run,
            _timeout_s=WHOLE_WORKFLOW_S,
        )
