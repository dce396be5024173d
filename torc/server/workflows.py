"""``/workflows``, and the verbs over one whole workflow."""

from falcon import Request, Response

from torc.models.workflow import InitializeRequest, IsUninitialized, Workflow, WorkflowStatus
from torc.server.codec import Query, answer, read_body, read_optional_body
from torc.store import deletion, inputs, lifecycle, workflows
from torc.store.database import Database


class Workflows:
    """The workflows of everybody, and one of them."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def on_post(self, req: Request, resp: Response) -> None:
        answer(resp, workflows.create(self.database, read_body(req, Workflow), None))

    def on_get(self, req: Request, resp: Response) -> None:
        query = Query(req)
        paging = query.paging()
        filters = {name: query.text(name) for name in ("name", "user", "description")}
        is_archived = query.boolean("is_archived")
        query.done()
        answer(resp, workflows.page(self.database, paging, **filters, is_archived=is_archived))

    def on_get_item(self, req: Request, resp: Response, workflow_id: int) -> None:
        answer(resp, workflows.get(self.database, workflow_id))

    def on_put_item(self, req: Request, resp: Response, workflow_id: int) -> None:
        answer(resp, workflows.update(self.database, workflow_id, read_body(req, Workflow)))

    def on_delete_item(self, req: Request, resp: Response, workflow_id: int) -> None:
        answer(resp, deletion.delete(self.database, workflow_id))


class Status:
    """Where one workflow stands."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def on_get(self, req: Request, resp: Response, workflow_id: int) -> None:
        answer(resp, workflows.status(self.database, workflow_id))

    def on_put(self, req: Request, resp: Response, workflow_id: int) -> None:
        answer(resp, workflows.update_status(self.database, workflow_id, read_body(req, WorkflowStatus)))

    def on_get_complete(self, req: Request, resp: Response, workflow_id: int) -> None:
        answer(resp, workflows.is_complete(self.database, workflow_id))

    def on_get_uninitialized(self, req: Request, resp: Response, workflow_id: int) -> None:
        answer(resp, IsUninitialized(is_uninitialized=workflows.is_uninitialized(self.database, workflow_id)))

    def on_get_counts(self, req: Request, resp: Response, workflow_id: int) -> None:
        counts = workflows.job_counts(self.database, workflow_id)
        answer(resp, {"workflow_id": workflow_id, "total": sum(counts.values()), "counts": counts})


class Lifecycle:
    """Initialize, cancel and reset; and what must be there before the first."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def on_post_initialize(self, req: Request, resp: Response, workflow_id: int) -> None:
        request = read_optional_body(req, InitializeRequest)
        answer(resp, lifecycle.initialize(self.database, workflow_id, request))

    def on_post_initialize_jobs(self, req: Request, resp: Response, workflow_id: int) -> None:
        query = Query(req)
        only_uninitialized = query.flag("only_uninitialized")
        clear_ephemeral = query.flag("clear_ephemeral_user_data")
        lifecycle.initialize_jobs(
            self.database, workflow_id, only_uninitialized=only_uninitialized, clear_ephemeral=clear_ephemeral
        )
        answer(resp, {"message": "Initialized job status"})

    def on_put_cancel(self, req: Request, resp: Response, workflow_id: int) -> None:
        answer(resp, lifecycle.cancel(self.database, workflow_id))

    def on_post_reset_status(self, req: Request, resp: Response, workflow_id: int) -> None:
        answer(resp, lifecycle.reset_status(self.database, workflow_id, force=Query(req).flag("force")))

    def on_post_reset_jobs(self, req: Request, resp: Response, workflow_id: int) -> None:
        failed_only = Query(req).flag("failed_only")
        count = lifecycle.reset_job_status(self.database, workflow_id, failed_only=failed_only)
        told = {"workflow_id": workflow_id, "updated_count": count, "status": "uninitialized"}
        answer(resp, told | {"reset_type": "failed_only"} if failed_only else told)

    def on_get_required_files(self, req: Request, resp: Response, workflow_id: int) -> None:
        answer(resp, {"files": inputs.required_existing_files(self.database, workflow_id)})

    def on_get_missing_data(self, req: Request, resp: Response, workflow_id: int) -> None:
        answer(resp, {"user_data": inputs.missing_user_data(self.database, workflow_id)})
