"""Resource requirements: what jobs need."""

from typing import Any, Unpack

from torc.openapi_client.api.operations import Operations
from torc.openapi_client.api_client import RequestOptions
from torc.openapi_client.models.records import ListResourceRequirementsResponse, ResourceRequirementsModel


class ResourceRequirementsApi(Operations):
    """``/resource_requirements``."""

    def create_resource_requirements(
        self, body: ResourceRequirementsModel, **options: Unpack[RequestOptions]
    ) -> ResourceRequirementsModel:
        """Store resource requirements; the answer has its id."""
        return self._send(ResourceRequirementsModel, options, "POST", "resource_requirements", body=body)

    def get_resource_requirements(self, id: int, **options: Unpack[RequestOptions]) -> ResourceRequirementsModel:
        """Read resource requirements; NotFoundException when there is none."""
        return self._send(ResourceRequirementsModel, options, "GET", "resource_requirements", id)

    def list_resource_requirements(
        self,
        workflow_id: int,
        job_id: int | None = None,
        offset: int | None = None,
        limit: int | None = None,
        sort_by: str | None = None,
        reverse_sort: bool | None = None,
        name: str | None = None,
        memory: str | None = None,
        num_cpus: int | None = None,
        num_gpus: int | None = None,
        num_nodes: int | None = None,
        runtime: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> ListResourceRequirementsResponse:
        """One page of a workflow's resource requirements."""
        return self._send(
            ListResourceRequirementsResponse,
            options,
            "GET",
            "resource_requirements",
            workflow_id=workflow_id,
            job_id=job_id,
            offset=offset,
            limit=limit,
            sort_by=sort_by,
            reverse_sort=reverse_sort,
            name=name,
            memory=memory,
            num_cpus=num_cpus,
            num_gpus=num_gpus,
            num_nodes=num_nodes,
            runtime=runtime,
        )

    def update_resource_requirements(
        self, id: int, body: ResourceRequirementsModel, **options: Unpack[RequestOptions]
    ) -> ResourceRequirementsModel:
        """Write over resource requirements: a field that is None is cleared."""
        return self._send(ResourceRequirementsModel, options, "PUT", "resource_requirements", id, body=body)

    def delete_resource_requirement(
        self, id: int, body: Any = None, *, force: bool = False, **options: Unpack[RequestOptions]
    ) -> ResourceRequirementsModel:
        """Delete resource requirements and return it as it was; refused while others need it, unless forced."""
        return self._send(
            ResourceRequirementsModel, options, "DELETE", "resource_requirements", id, body=body, force=force or None
        )

    def delete_resource_requirements(
        self, workflow_id: int, body: Any = None, *, force: bool = False, **options: Unpack[RequestOptions]
    ) -> dict[str, Any]:
        """Delete all resource requirements of a workflow; the answer counts them. Refused while others need them."""
        return self._send(
            dict[str, Any],
            options,
            "DELETE",
            "resource_requirements",
            body=body,
            workflow_id=workflow_id,
            force=force or None,
        )
