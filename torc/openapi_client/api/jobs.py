"""Jobs, and what runners say about them one request at a time."""

from typing import Any, Unpack

from torc.models.status import JobStatus
from torc.openapi_client.api.operations import Operations
from torc.openapi_client.api_client import RequestOptions
from torc.openapi_client.models.jobs import (
    ClaimJobsBasedOnResourcesResponse,
    ClaimNextJobsResponse,
    ComputeNodesResources,
    CreateJobsResponse,
    JobModel,
    JobsModel,
    ListJobsResponse,
)
from torc.openapi_client.models.records import ResultModel
from torc.openapi_client.models.workflows import JobsSortMethod


class JobsApi(Operations):
    """``/jobs``."""

    def create_job(self, body: JobModel, **options: Unpack[RequestOptions]) -> JobModel:
        """Store a job with its links; the answer has its id."""
        return self._send(JobModel, options, "POST", "jobs", body=body)

    def create_jobs(self, body: JobsModel, **options: Unpack[RequestOptions]) -> CreateJobsResponse:
        """Store jobs of one workflow, all or none; the answer has the same order."""
        return self._send(CreateJobsResponse, options, "POST", "bulk_jobs", body=body)

    def get_job(self, id: int, **options: Unpack[RequestOptions]) -> JobModel:
        """Read a job with its links; NotFoundException when there is none."""
        return self._send(JobModel, options, "GET", "jobs", id)

    def list_jobs(
        self,
        workflow_id: int,
        status: JobStatus | str | None = None,
        needs_file_id: int | None = None,
        upstream_job_id: int | None = None,
        offset: int | None = None,
        limit: int | None = None,
        sort_by: str | None = None,
        reverse_sort: bool | None = None,
        include_relationships: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> ListJobsResponse:
        """One page of a workflow's jobs; their links only with ``include_relationships``."""
        return self._send(
            ListJobsResponse,
            options,
            "GET",
            "jobs",
            workflow_id=workflow_id,
            status=status,
            needs_file_id=needs_file_id,
            upstream_job_id=upstream_job_id,
            offset=offset,
            limit=limit,
            sort_by=sort_by,
            reverse_sort=reverse_sort,
            include_relationships=include_relationships,
        )

    def update_job(self, id: int, body: JobModel, **options: Unpack[RequestOptions]) -> JobModel:
        """Write over an uninitialized job: a field that is None is cleared, links that are None stay as they are."""
        return self._send(JobModel, options, "PUT", "jobs", id, body=body)

    def delete_job(
        self, id: int, body: Any = None, *, force: bool = False, **options: Unpack[RequestOptions]
    ) -> JobModel:
        """Delete a job. ConflictException when it runs, or has results or dependents, unless forced."""
        return self._send(JobModel, options, "DELETE", "jobs", id, body=body, force=force or None)

    def delete_jobs(
        self, workflow_id: int, body: Any = None, *, force: bool = False, **options: Unpack[RequestOptions]
    ) -> dict[str, Any]:
        """Delete all jobs of a workflow; the answer counts them. ConflictException while one runs, unless forced."""
        return self._send(
            dict[str, Any],
            options,
            "DELETE",
            "jobs",
            body=body,
            workflow_id=workflow_id,
            force=force or None,
        )

    def start_job(
        self, id: int, run_id: int, compute_node_id: int, body: Any = None, **options: Unpack[RequestOptions]
    ) -> JobModel:
        """Say that a claimed job runs now."""
        return self._send(JobModel, options, "PUT", "jobs", id, "start_job", run_id, compute_node_id, body=body)

    def complete_job(
        self, id: int, status: JobStatus | str, run_id: int, body: ResultModel, **options: Unpack[RequestOptions]
    ) -> JobModel:
        """Say how a job ended. Jobs that wait for it are released or canceled at once."""
        return self._send(JobModel, options, "POST", "jobs", id, "complete_job", status, run_id, body=body)

    def manage_status_change(
        self, id: int, status: JobStatus | str, run_id: int, body: Any = None, **options: Unpack[RequestOptions]
    ) -> JobModel:
        """Set the status of a job by hand; outcomes are for ``complete_job``."""
        return self._send(JobModel, options, "PUT", "jobs", id, "manage_status_change", status, run_id, body=body)


class ClaimsApi(Operations):
    """Ready jobs for whoever runs them. A claimed job that is not started goes back after some minutes."""

    def claim_jobs_based_on_resources(
        self,
        id: int,
        limit: int,
        body: ComputeNodesResources,
        sort_method: JobsSortMethod | str | None = None,
        **options: Unpack[RequestOptions],
    ) -> ClaimJobsBasedOnResourcesResponse:
        """Claim jobs of a workflow that fit together in what a node has free."""
        return self._send(
            ClaimJobsBasedOnResourcesResponse,
            options,
            "POST",
            "workflows",
            id,
            "claim_jobs_based_on_resources",
            limit,
            body=body,
            sort_method=sort_method,
        )

    def claim_next_jobs(
        self, id: int, limit: int | None = None, body: Any = None, **options: Unpack[RequestOptions]
    ) -> ClaimNextJobsResponse:
        """Claim jobs of a workflow whatever they need, 10 unless ``limit`` says otherwise."""
        return self._send(
            ClaimNextJobsResponse, options, "POST", "workflows", id, "claim_next_jobs", body=body, limit=limit
        )
