"""The Python client against the shared server, with a workflow of its own for each test."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from torc import make_api
from torc.openapi_client import (
    ComputeNodeModel,
    DefaultApi,
    FileModel,
    JobModel,
    ResultModel,
    UserDataModel,
    WorkflowActionModel,
    WorkflowModel,
)


@pytest.fixture
def api(server: Any) -> Iterator[DefaultApi]:
    api = make_api(server.url)
    yield api
    api.api_client.close()


class Scene:
    """A workflow, and what a test needs in it; each method stores one record and returns it."""

    def __init__(self, api: DefaultApi) -> None:
        self.api = api
        stored = api.create_workflow(WorkflowModel(name="scene", user="tester"))
        assert stored.id is not None
        self.workflow_id = stored.id

    def job(self, **fields: Any) -> Any:
        return self.api.create_job(JobModel(workflow_id=self.workflow_id, name="job", command="true", **fields))

    def ready_job(self) -> Any:
        job = self.job()
        self.api.initialize_jobs(self.workflow_id)
        return job

    def running_job(self) -> Any:
        job, node = self.ready_job(), self.node()
        assert self.api.claim_next_jobs(self.workflow_id, 1).jobs
        self.api.start_job(job.id, self.run_id, node.id)
        return job, node

    @property
    def run_id(self) -> int:
        return self.api.get_workflow_status(self.workflow_id).run_id

    def file(self, **fields: Any) -> Any:
        return self.api.create_file(FileModel(workflow_id=self.workflow_id, name="file", path="a.txt", **fields))

    def user_data(self, **fields: Any) -> Any:
        return self.api.create_user_data(UserDataModel(workflow_id=self.workflow_id, name="data", **fields))

    def node(self) -> Any:
        return self.api.create_compute_node(self.node_model())

    def node_model(self) -> ComputeNodeModel:
        return ComputeNodeModel(
            workflow_id=self.workflow_id,
            hostname="n1",
            pid=1,
            start_time="2024-01-01T00:00:00Z",
            num_cpus=4,
            memory_gb=8,
            num_gpus=0,
            num_nodes=1,
            compute_node_type="local",
        )

    def result_model(self, job_id: int, node_id: int) -> ResultModel:
        return ResultModel(
            job_id=job_id,
            workflow_id=self.workflow_id,
            run_id=self.run_id,
            compute_node_id=node_id,
            return_code=0,
            exec_time_minutes=0.5,
            completion_time="2024-01-01T00:01:00Z",
            status="completed",
        )

    def result(self) -> Any:
        job, node = self.running_job()
        self.api.complete_job(job.id, "completed", self.run_id, self.result_model(job.id, node.id))
        return self.api.list_results(self.workflow_id).items[0]

    def action_model(self) -> WorkflowActionModel:
        return WorkflowActionModel(
            workflow_id=self.workflow_id,
            trigger_type="on_workflow_start",
            action_type="run_commands",
            action_config={"commands": ["true"]},
        )


@pytest.fixture
def scene(api: DefaultApi) -> Scene:
    return Scene(api)


class Answering:
    """``answering(body)``: the URL of something that answers every request with a body, or with silence."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self._listeners: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __call__(self, body: bytes | None) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        self._listeners.append(listener)
        self._threads.append(threading.Thread(target=self._serve, args=(listener, body)))
        self._threads[-1].start()
        return "http://127.0.0.1:{1}/torc-service/v1".format(*listener.getsockname())

    def _serve(self, listener: socket.socket, body: bytes | None) -> None:
        silent = []
        with suppress(OSError):  # closed at the end of the test
            while True:
                connection, _ = listener.accept()
                if body is None:
                    silent.append(connection)
                    continue
                with connection:
                    self.requests.append(connection.recv(65536).decode())
                    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
                    connection.sendall(head.encode() + body)
        for connection in silent:
            connection.close()

    def close(self) -> None:
        for listener, thread in zip(self._listeners, self._threads, strict=True):
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            thread.join()


@pytest.fixture
def answering() -> Iterator[Answering]:
    answering = Answering()
    yield answering
    answering.close()
