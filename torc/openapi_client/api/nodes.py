"""Compute nodes, and the allocations that were asked for."""

from typing import Any, Unpack

from torc.openapi_client.api.operations import Operations
from torc.openapi_client.api_client import RequestOptions
from torc.openapi_client.models.nodes import (
    ComputeNodeModel,
    ListComputeNodesResponse,
    ListScheduledComputeNodesResponse,
    ScheduledComputeNodesModel,
)


class ComputeNodesApi(Operations):
    """``/compute_nodes``."""

    def create_compute_node(self, body: ComputeNodeModel, **options: Unpack[RequestOptions]) -> ComputeNodeModel:
        """Store a compute node; the answer has its id."""
        return self._send(ComputeNodeModel, options, "POST", "compute_nodes", body=body)

    def get_compute_node(self, id: int, **options: Unpack[RequestOptions]) -> ComputeNodeModel:
        """Read a compute node; NotFoundException when there is none."""
        return self._send(ComputeNodeModel, options, "GET", "compute_nodes", id)

    def list_compute_nodes(
        self,
        workflow_id: int,
        offset: int | None = None,
        limit: int | None = None,
        sort_by: str | None = None,
        reverse_sort: bool | None = None,
        hostname: str | None = None,
        is_active: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> ListComputeNodesResponse:
        """One page of a workflow's compute nodes."""
        return self._send(
            ListComputeNodesResponse,
            options,
            "GET",
            "compute_nodes",
            workflow_id=workflow_id,
            offset=offset,
            limit=limit,
            sort_by=sort_by,
            reverse_sort=reverse_sort,
            hostname=hostname,
            is_active=is_active,
        )

    def update_compute_node(
        self, id: int, body: ComputeNodeModel, **options: Unpack[RequestOptions]
    ) -> ComputeNodeModel:
        """Write over a compute node: a field that is None is cleared."""
        return self._send(ComputeNodeModel, options, "PUT", "compute_nodes", id, body=body)

    def delete_compute_node(
        self, id: int, body: Any = None, *, force: bool = False, **options: Unpack[RequestOptions]
    ) -> ComputeNodeModel:
        """Delete a compute node and return it as it was; refused while others need it, unless forced."""
        return self._send(ComputeNodeModel, options, "DELETE", "compute_nodes", id, body=body, force=force or None)

    def delete_compute_nodes(
        self, workflow_id: int, body: Any = None, *, force: bool = False, **options: Unpack[RequestOptions]
    ) -> dict[str, Any]:
        """Delete all compute nodes of a workflow; the answer counts them. Refused while others need them."""
        return self._send(
            dict[str, Any],
            options,
            "DELETE",
            "compute_nodes",
            body=body,
            workflow_id=workflow_id,
            force=force or None,
        )


class ScheduledComputeNodesApi(Operations):
    """``/scheduled_compute_nodes``."""

    def create_scheduled_compute_node(
        self, body: ScheduledComputeNodesModel, **options: Unpack[RequestOptions]
    ) -> ScheduledComputeNodesModel:
        """Store an allocation; the answer has its id."""
        return self._send(ScheduledComputeNodesModel, options, "POST", "scheduled_compute_nodes", body=body)

    def get_scheduled_compute_node(self, id: int, **options: Unpack[RequestOptions]) -> ScheduledComputeNodesModel:
        """Read an allocation; NotFoundException when there is none."""
        return self._send(ScheduledComputeNodesModel, options, "GET", "scheduled_compute_nodes", id)

    def list_scheduled_compute_nodes(
        self,
        workflow_id: int,
        offset: int | None = None,
        limit: int | None = None,
        sort_by: str | None = None,
        reverse_sort: bool | None = None,
        scheduler_id: int | str | None = None,
        scheduler_config_id: int | str | None = None,
        status: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> ListScheduledComputeNodesResponse:
        """One page of a workflow's allocations."""
        return self._send(
            ListScheduledComputeNodesResponse,
            options,
            "GET",
            "scheduled_compute_nodes",
            workflow_id=workflow_id,
            offset=offset,
            limit=limit,
            sort_by=sort_by,
            reverse_sort=reverse_sort,
            scheduler_id=scheduler_id,
            scheduler_config_id=scheduler_config_id,
            status=status,
        )

    def update_scheduled_compute_node(
        self, id: int, body: ScheduledComputeNodesModel, **options: Unpack[RequestOptions]
    ) -> ScheduledComputeNodesModel:
        """Write over an allocation: a field that is None is cleared."""
        return self._send(ScheduledComputeNodesModel, options, "PUT", "scheduled_compute_nodes", id, body=body)

    def delete_scheduled_compute_node(
        self, id: int, body: Any = None, *, force: bool = False, **options: Unpack[RequestOptions]
    ) -> ScheduledComputeNodesModel:
        """Delete an allocation and return it as it was."""
        return self._send(
            ScheduledComputeNodesModel, options, "DELETE", "scheduled_compute_nodes", id, body=body, force=force or None
        )

    def delete_scheduled_compute_nodes(
        self, workflow_id: int, body: Any = None, *, force: bool = False, **options: Unpack[RequestOptions]
    ) -> dict[str, Any]:
        """Delete all allocations of a workflow; the answer counts them."""
        return self._send(
            dict[str, Any],
            options,
            "DELETE",
            "scheduled_compute_nodes",
            body=body,
            workflow_id=workflow_id,
            force=force or None,
        )
