"""What is in a workflow, asked as a whole; and its actions."""

from collections.abc import Sequence
from typing import Any, Unpack

from torc.openapi_client.api.operations import Operations
from torc.openapi_client.api_client import RequestOptions
from torc.openapi_client.models.jobs import (
    GetReadyJobRequirementsResponse,
    ListJobDependenciesResponse,
    ListJobFileRelationshipsResponse,
    ListJobUserDataRelationshipsResponse,
)
from torc.openapi_client.models.records import ClaimAction200Response, ClaimActionRequest, WorkflowActionModel
from torc.openapi_client.models.workflows import ListMissingUserDataResponse, ListRequiredExistingFilesResponse


class ContentsApi(Operations):
    """Answers about all records of a workflow."""

    def list_required_existing_files(
        self, id: int, **options: Unpack[RequestOptions]
    ) -> ListRequiredExistingFilesResponse:
        """Ids of the files that must be there: what no job writes, and what completed jobs wrote."""
        return self._send(ListRequiredExistingFilesResponse, options, "GET", "workflows", id, "required_existing_files")

    def list_missing_user_data(self, id: int, **options: Unpack[RequestOptions]) -> ListMissingUserDataResponse:
        """Ids of the user data without a value that jobs read and nobody writes."""
        return self._send(ListMissingUserDataResponse, options, "GET", "workflows", id, "missing_user_data")

    def list_job_ids(self, id: int, **options: Unpack[RequestOptions]) -> dict[str, Any]:
        """``job_ids`` of all jobs, ascending, and their ``count``."""
        return self._send(dict[str, Any], options, "GET", "workflows", id, "job_ids")

    def list_job_dependencies(
        self, id: int, offset: int | None = None, limit: int | None = None, **options: Unpack[RequestOptions]
    ) -> ListJobDependenciesResponse:
        """One page of who waits for whom."""
        return self._send(
            ListJobDependenciesResponse,
            options,
            "GET",
            "workflows",
            id,
            "job_dependencies",
            offset=offset,
            limit=limit,
        )

    def list_job_file_relationships(
        self, id: int, offset: int | None = None, limit: int | None = None, **options: Unpack[RequestOptions]
    ) -> ListJobFileRelationshipsResponse:
        """One page of which job reads a file that which other job writes."""
        return self._send(
            ListJobFileRelationshipsResponse,
            options,
            "GET",
            "workflows",
            id,
            "job_file_relationships",
            offset=offset,
            limit=limit,
        )

    def list_job_user_data_relationships(
        self, id: int, offset: int | None = None, limit: int | None = None, **options: Unpack[RequestOptions]
    ) -> ListJobUserDataRelationshipsResponse:
        """One page of which job reads user data that which other job writes."""
        return self._send(
            ListJobUserDataRelationshipsResponse,
            options,
            "GET",
            "workflows",
            id,
            "job_user_data_relationships",
            offset=offset,
            limit=limit,
        )

    def get_latest_event_timestamp(self, id: int, **options: Unpack[RequestOptions]) -> dict[str, Any]:
        """When the last event happened, in milliseconds since the epoch."""
        return self._send(dict[str, Any], options, "GET", "workflows", id, "latest_event_timestamp")

    def get_ready_job_requirements(
        self, id: int, scheduler_config_id: int | None = None, **options: Unpack[RequestOptions]
    ) -> GetReadyJobRequirementsResponse:
        """What all ready jobs need together."""
        return self._send(
            GetReadyJobRequirementsResponse,
            options,
            "GET",
            "workflows",
            id,
            "ready_job_requirements",
            scheduler_config_id=scheduler_config_id,
        )


class ActionsApi(Operations):
    """What happens when something happens to a workflow."""

    def create_workflow_action(
        self, id: int, body: WorkflowActionModel, **options: Unpack[RequestOptions]
    ) -> WorkflowActionModel:
        """Store an action of a workflow."""
        return self._send(WorkflowActionModel, options, "POST", "workflows", id, "actions", body=body)

    def get_workflow_actions(self, id: int, **options: Unpack[RequestOptions]) -> list[WorkflowActionModel]:
        """All actions of a workflow."""
        return self._send(list[WorkflowActionModel], options, "GET", "workflows", id, "actions")

    def get_pending_actions(
        self, id: int, trigger_type: Sequence[str] | str | None = None, **options: Unpack[RequestOptions]
    ) -> list[WorkflowActionModel]:
        """The actions whose trigger has fired and that nobody has claimed."""
        return self._send(
            list[WorkflowActionModel],
            options,
            "GET",
            "workflows",
            id,
            "actions",
            "pending",
            trigger_type=trigger_type,
        )

    def claim_action(
        self, id: int, action_id: int, body: ClaimActionRequest, **options: Unpack[RequestOptions]
    ) -> ClaimAction200Response:
        """Take an action for a node. ConflictException when somebody else was faster."""
        return self._send(
            ClaimAction200Response, options, "POST", "workflows", id, "actions", action_id, "claim", body=body
        )
