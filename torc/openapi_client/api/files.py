"""Files and user data: what jobs read and write."""

from typing import Any, Unpack

from torc.openapi_client.api.operations import Operations
from torc.openapi_client.api_client import RequestOptions
from torc.openapi_client.models.records import (
    FileModel,
    ListFilesResponse,
    ListUserDataResponse,
    UserDataBatch,
    UserDataModel,
)


class FilesApi(Operations):
    """``/files``."""

    def create_file(self, body: FileModel, **options: Unpack[RequestOptions]) -> FileModel:
        """Store a file; the answer has its id."""
        return self._send(FileModel, options, "POST", "files", body=body)

    def get_file(self, id: int, **options: Unpack[RequestOptions]) -> FileModel:
        """Read a file; NotFoundException when there is none."""
        return self._send(FileModel, options, "GET", "files", id)

    def list_files(
        self,
        workflow_id: int,
        produced_by_job_id: int | None = None,
        offset: int | None = None,
        limit: int | None = None,
        sort_by: str | None = None,
        reverse_sort: bool | None = None,
        name: str | None = None,
        path: str | None = None,
        is_output: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> ListFilesResponse:
        """One page of a workflow's files."""
        return self._send(
            ListFilesResponse,
            options,
            "GET",
            "files",
            workflow_id=workflow_id,
            produced_by_job_id=produced_by_job_id,
            offset=offset,
            limit=limit,
            sort_by=sort_by,
            reverse_sort=reverse_sort,
            name=name,
            path=path,
            is_output=is_output,
        )

    def update_file(self, id: int, body: FileModel, **options: Unpack[RequestOptions]) -> FileModel:
        """Write over a file: a field that is None is cleared."""
        return self._send(FileModel, options, "PUT", "files", id, body=body)

    def delete_file(
        self, id: int, body: Any = None, *, force: bool = False, **options: Unpack[RequestOptions]
    ) -> FileModel:
        """Delete a file and return it as it was; refused while others need it, unless forced."""
        return self._send(FileModel, options, "DELETE", "files", id, body=body, force=force or None)

    def delete_files(
        self, workflow_id: int, body: Any = None, *, force: bool = False, **options: Unpack[RequestOptions]
    ) -> dict[str, Any]:
        """Delete all files of a workflow; the answer counts them. Refused while others need them, unless forced."""
        return self._send(
            dict[str, Any],
            options,
            "DELETE",
            "files",
            body=body,
            workflow_id=workflow_id,
            force=force or None,
        )


class UserDataApi(Operations):
    """``/user_data``."""

    def create_user_data(
        self,
        body: UserDataModel,
        consumer_job_id: int | None = None,
        producer_job_id: int | None = None,
        **options: Unpack[RequestOptions],
    ) -> UserDataModel:
        """Store user data; the answer has its id. Jobs may be linked to it at once."""
        return self._send(
            UserDataModel,
            options,
            "POST",
            "user_data",
            body=body,
            consumer_job_id=consumer_job_id,
            producer_job_id=producer_job_id,
        )

    def create_user_data_batch(self, body: UserDataBatch, **options: Unpack[RequestOptions]) -> UserDataBatch:
        """Store up to 10,000 records of one workflow in one transaction; the answer has the same order."""
        return self._send(UserDataBatch, options, "POST", "bulk_user_data", body=body)

    def get_user_data(self, id: int, **options: Unpack[RequestOptions]) -> UserDataModel:
        """Read user data; NotFoundException when there is none."""
        return self._send(UserDataModel, options, "GET", "user_data", id)

    def list_user_data(
        self,
        workflow_id: int,
        consumer_job_id: int | None = None,
        producer_job_id: int | None = None,
        offset: int | None = None,
        limit: int | None = None,
        sort_by: str | None = None,
        reverse_sort: bool | None = None,
        name: str | None = None,
        is_ephemeral: bool | None = None,
        **options: Unpack[RequestOptions],
    ) -> ListUserDataResponse:
        """One page of a workflow's user data. ``name`` may be a part of it."""
        return self._send(
            ListUserDataResponse,
            options,
            "GET",
            "user_data",
            workflow_id=workflow_id,
            consumer_job_id=consumer_job_id,
            producer_job_id=producer_job_id,
            offset=offset,
            limit=limit,
            sort_by=sort_by,
            reverse_sort=reverse_sort,
            name=name,
            is_ephemeral=is_ephemeral,
        )

    def update_user_data(self, id: int, body: UserDataModel, **options: Unpack[RequestOptions]) -> UserDataModel:
        """Write over user data: a field that is None is cleared."""
        return self._send(UserDataModel, options, "PUT", "user_data", id, body=body)

    def delete_user_data(
        self, id: int, body: Any = None, *, force: bool = False, **options: Unpack[RequestOptions]
    ) -> UserDataModel:
        """Delete user data and return it as it was; refused while others need it, unless forced."""
        return self._send(UserDataModel, options, "DELETE", "user_data", id, body=body, force=force or None)

    def delete_all_user_data(
        self, workflow_id: int, body: Any = None, *, force: bool = False, **options: Unpack[RequestOptions]
    ) -> dict[str, Any]:
        """Delete all user data of a workflow; the answer counts them. Refused while others need them, unless forced."""
        return self._send(
            dict[str, Any],
            options,
            "DELETE",
            "user_data",
            body=body,
            workflow_id=workflow_id,
            force=force or None,
        )
