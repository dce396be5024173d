"""Keeps what is seen of a workflow up to date with few and small questions."""

import socket
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from torc.client.api import Client
from torc.errors import NotFound
from torc.models.compute_node import ComputeNode
from torc.models.event import Event
from torc.models.job import Job
from torc.models.status import JobStatus
from torc.views.watching import Failure, Running, Scene
from torc.workflow import stdio
from torc.workflow.follow import Cursor

KEPT = 50
"""Running jobs and events; no terminal shows more at once."""

FAILURES_KEPT = 15

PAST = 1000
"""Events read at the beginning, for when running jobs have begun and what failed last."""


class Observer:
    """What there is to see of one workflow."""

    def __init__(self, torc: Client, workflow_id: int) -> None:
        self.scene = Scene(workflow_id=workflow_id)
        self._torc = torc
        self._revision: int | None = None
        self._began: dict[int, float] = {}  # by job id
        self._nodes: dict[int, ComputeNode] = {}
        self._failed: deque[dict[str, Any]] = deque(maxlen=FAILURES_KEPT)  # data of events
        self._new: list[Event] = []
        self._cursor = self._begin(workflow_id)

    @property
    def has_more(self) -> bool:
        """Whether events wait that did not fit into the last answer."""
        return self._cursor.has_more

    def take_events(self) -> list[Event]:
        """What has happened since this was asked last."""
        taken, self._new = self._new, []
        return taken

    def look(self) -> None:
        """Bring everything up to date; nothing but one small question when nothing has changed."""
        workflow = self._torc.workflows.get(self.scene.workflow_id)
        if workflow.revision is not None and workflow.revision == self._revision and not self.has_more:
            return
        self.scene.name = workflow.name
        # The counts first: when they say that all is over, the events that led there can be read already.
        self._read_state()
        happened = self._cursor.read()
        self._new += happened
        self._remember(happened)
        self.scene.running = [self._running(job) for job in self._jobs_running()]
        self.scene.failures = [self._failure(data) for data in self._failed]
        self._revision = workflow.revision  # at the very end: what broke off is done again

    def _begin(self, workflow_id: int) -> Cursor:
        past = self._torc.events.page(workflow_id, limit=PAST, sort_by="id", reverse_sort=True).items[::-1]
        self._remember(past)
        return Cursor(self._torc, workflow_id, after_id=past[-1].id or 0 if past else 0)

    def _read_state(self) -> None:
        workflow_id = self.scene.workflow_id
        status = self._torc.workflows.status(workflow_id)
        self.scene.run_id, self.scene.is_canceled = status.run_id, status.is_canceled
        self.scene.counts = self._torc.workflows.job_counts(workflow_id)

    def _remember(self, happened: Iterable[Event]) -> None:
        for event in happened:
            self.scene.events = [*self.scene.events[1 - KEPT :], event]
            data = event.data if isinstance(event.data, dict) else {}
            job_id = data.get("job_id")
            if data.get("type") == "job_started" and isinstance(job_id, int):
                self._began[job_id] = data.get("start_time") or (event.timestamp or 0) / 1000
            elif data.get("type") == "job_completed" and isinstance(job_id, int):
                self._began.pop(job_id, None)
                if data.get("status") in (JobStatus.FAILED, JobStatus.TERMINATED):
                    self._failed.append(data)

    def _jobs_running(self) -> list[Job]:
        if not self.scene.counts.get(JobStatus.RUNNING):
            return []
        return self._torc.jobs.page(self.scene.workflow_id, status=JobStatus.RUNNING, limit=KEPT).items

    def _running(self, job: Job) -> Running:
        node = self._node(job.active_compute_node_id)
        return Running(name=job.name, since=self._began.get(job.id or 0), hostname=node.hostname if node else "")

    def _failure(self, data: dict[str, Any]) -> Failure:
        code = data.get("return_code")
        cause = data.get("cause", "")
        return Failure(
            name=self._name(data["job_id"]),
            status=str(data["status"]),
            cause=f"{cause} {code}" if cause == "exit" and code is not None else str(cause),
            log=self._log(data),
        )

    def _name(self, job_id: int) -> str:
        try:
            return self._torc.jobs.get(job_id).name
        except NotFound:  # deleted meanwhile
            return f"job {job_id}"

    def _log(self, data: dict[str, Any]) -> str:
        """Where the attempt's stderr is: beside the spool of its runner, which may be on another machine."""
        node = self._node(data.get("compute_node_id"))
        if node is None or not node.spool_path:
            return ""
        name = stdio.file_name(
            workflow_id=self.scene.workflow_id,
            job_id=data["job_id"],
            run_id=data.get("run_id", self.scene.run_id),
            attempt_id=data.get("attempt_id", 1),
            extension="e",
        )
        path = stdio.folder(Path(node.spool_path).parent) / name
        if path.exists() or node.hostname == socket.gethostname():
            return str(path)
        return f"{node.hostname}:{path}"

    def _node(self, node_id: int | None) -> ComputeNode | None:
        if node_id is None:
            return None
        if node_id not in self._nodes:
            try:
                self._nodes[node_id] = self._torc.compute_nodes.get(node_id)
            except NotFound:
                return None
        return self._nodes[node_id]
