"""What runners are started by: Slurm, or a machine without a batch system."""

from typing import Any, Unpack

from torc.openapi_client.api.operations import Operations
from torc.openapi_client.api_client import RequestOptions
from torc.openapi_client.models.nodes import (
    ListLocalSchedulersResponse,
    ListSlurmSchedulersResponse,
    LocalSchedulerModel,
    SlurmSchedulerModel,
)


class LocalSchedulersApi(Operations):
    """``/local_schedulers``."""

    def create_local_scheduler(
        self, body: LocalSchedulerModel, **options: Unpack[RequestOptions]
    ) -> LocalSchedulerModel:
        """Store a local scheduler; the answer has its id."""
        return self._send(LocalSchedulerModel, options, "POST", "local_schedulers", body=body)

    def get_local_scheduler(self, id: int, **options: Unpack[RequestOptions]) -> LocalSchedulerModel:
        """Read a local scheduler; NotFoundException when there is none."""
        return self._send(LocalSchedulerModel, options, "GET", "local_schedulers", id)

    def list_local_schedulers(
        self,
        workflow_id: int,
        offset: int | None = None,
        limit: int | None = None,
        sort_by: str | None = None,
        reverse_sort: bool | None = None,
        memory: str | None = None,
        num_cpus: int | None = None,
        **options: Unpack[RequestOptions],
    ) -> ListLocalSchedulersResponse:
        """One page of a workflow's local schedulers."""
        return self._send(
            ListLocalSchedulersResponse,
            options,
            "GET",
            "local_schedulers",
            workflow_id=workflow_id,
            offset=offset,
            limit=limit,
            sort_by=sort_by,
            reverse_sort=reverse_sort,
            memory=memory,
            num_cpus=num_cpus,
        )

    def update_local_scheduler(
        self, id: int, body: LocalSchedulerModel, **options: Unpack[RequestOptions]
    ) -> LocalSchedulerModel:
        """Write over a local scheduler: a field that is None is cleared."""
        return self._send(LocalSchedulerModel, options, "PUT", "local_schedulers", id, body=body)

    def delete_local_scheduler(
        self, id: int, body: Any = None, *, force: bool = False, **options: Unpack[RequestOptions]
    ) -> LocalSchedulerModel:
        """Delete a local scheduler and return it as it was."""
        return self._send(
            LocalSchedulerModel, options, "DELETE", "local_schedulers", id, body=body, force=force or None
        )

    def delete_local_schedulers(
        self, workflow_id: int, body: Any = None, *, force: bool = False, **options: Unpack[RequestOptions]
    ) -> dict[str, Any]:
        """Delete all local schedulers of a workflow; the answer counts them."""
        return self._send(
            dict[str, Any],
            options,
            "DELETE",
            "local_schedulers",
            body=body,
            workflow_id=workflow_id,
            force=force or None,
        )


class SlurmSchedulersApi(Operations):
    """``/slurm_schedulers``."""

    def create_slurm_scheduler(
        self, body: SlurmSchedulerModel, **options: Unpack[RequestOptions]
    ) -> SlurmSchedulerModel:
        """Store a Slurm scheduler; the answer has its id."""
        return self._send(SlurmSchedulerModel, options, "POST", "slurm_schedulers", body=body)

    def get_slurm_scheduler(self, id: int, **options: Unpack[RequestOptions]) -> SlurmSchedulerModel:
        """Read a Slurm scheduler; NotFoundException when there is none."""
        return self._send(SlurmSchedulerModel, options, "GET", "slurm_schedulers", id)

    def list_slurm_schedulers(
        self,
        workflow_id: int,
        offset: int | None = None,
        limit: int | None = None,
        sort_by: str | None = None,
        reverse_sort: bool | None = None,
        name: str | None = None,
        account: str | None = None,
        gres: str | None = None,
        mem: str | None = None,
        nodes: int | None = None,
        partition: str | None = None,
        qos: str | None = None,
        tmp: str | None = None,
        walltime: str | None = None,
        **options: Unpack[RequestOptions],
    ) -> ListSlurmSchedulersResponse:
        """One page of a workflow's Slurm schedulers."""
        return self._send(
            ListSlurmSchedulersResponse,
            options,
            "GET",
            "slurm_schedulers",
            workflow_id=workflow_id,
            offset=offset,
            limit=limit,
            sort_by=sort_by,
            reverse_sort=reverse_sort,
            name=name,
            account=account,
            gres=gres,
            mem=mem,
            nodes=nodes,
            partition=partition,
            qos=qos,
            tmp=tmp,
            walltime=walltime,
        )

    def update_slurm_scheduler(
        self, id: int, body: SlurmSchedulerModel, **options: Unpack[RequestOptions]
    ) -> SlurmSchedulerModel:
        """Write over a Slurm scheduler: a field that is None is cleared."""
        return self._send(SlurmSchedulerModel, options, "PUT", "slurm_schedulers", id, body=body)

    def delete_slurm_scheduler(
        self, id: int, body: Any = None, *, force: bool = False, **options: Unpack[RequestOptions]
    ) -> SlurmSchedulerModel:
        """Delete a Slurm scheduler and return it as it was."""
        return self._send(
            SlurmSchedulerModel, options, "DELETE", "slurm_schedulers", id, body=body, force=force or None
        )

    def delete_slurm_schedulers(
        self, workflow_id: int, body: Any = None, *, force: bool = False, **options: Unpack[RequestOptions]
    ) -> dict[str, Any]:
        """Delete all Slurm schedulers of a workflow; the answer counts them."""
        return self._send(
            dict[str, Any],
            options,
            "DELETE",
            "slurm_schedulers",
            body=body,
            workflow_id=workflow_id,
            force=force or None,
        )
