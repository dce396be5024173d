"""``/jobs``, the claims, and what runners of the contract say about a job."""

from typing import get_args

from falcon import Request, Response

from torc.errors import InvalidRequest
from torc.models.job import ComputeNodesResources, Job, JobsModel
from torc.models.result import Result
from torc.models.status import JobStatus
from torc.models.workflow import SortMethod
from torc.server.codec import Query, answer, read_body, to_choice, to_int
from torc.store import claims, jobs, manual, results
from torc.store.database import Database
from torc.store.leases import Leases

CLAIM_LIMIT = 10
"""Jobs handed out by a claim that names no limit."""


class Jobs:
    """Jobs of one workflow, and one of them."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def on_post(self, req: Request, resp: Response) -> None:
        (job,) = jobs.create_many(self.database, [read_body(req, Job)])
        answer(resp, job)

    def on_post_bulk(self, req: Request, resp: Response) -> None:
        answer(resp, JobsModel(jobs=jobs.create_many(self.database, read_body(req, JobsModel).jobs)))

    def on_get(self, req: Request, resp: Response) -> None:
        query = Query(req)
        workflow_id, paging = query.workflow_id(), query.paging()
        status = query.choice("status", tuple(JobStatus))
        needs_file_id, upstream_job_id = query.integer("needs_file_id"), query.integer("upstream_job_id")
        include_relationships = query.flag("include_relationships")
        query.done()
        page = jobs.page(
            self.database,
            workflow_id,
            paging,
            status=status,
            needs_file_id=needs_file_id,
            upstream_job_id=upstream_job_id,
            include_relationships=include_relationships,
        )
        answer(resp, page)

    def on_delete(self, req: Request, resp: Response) -> None:
        answer(resp, {"count": jobs.delete_all(self.database, Query(req).workflow_id())})

    def on_get_item(self, req: Request, resp: Response, job_id: int) -> None:
        answer(resp, jobs.get(self.database, job_id))

    def on_put_item(self, req: Request, resp: Response, job_id: int) -> None:
        answer(resp, jobs.update(self.database, job_id, read_body(req, Job)))

    def on_delete_item(self, req: Request, resp: Response, job_id: int) -> None:
        answer(resp, jobs.delete(self.database, job_id, force=Query(req).flag("force")))


class JobCommands:
    """What happens to one job."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def on_put_start(self, req: Request, resp: Response, job_id: int, run_id: int, compute_node_id: int) -> None:
        job = results.start(self.database, job_id=job_id, run_id=run_id, compute_node_id=compute_node_id)
        answer(resp, job)

    def on_post_complete(self, req: Request, resp: Response, job_id: int, status: str, run_id: int) -> None:
        outcome, result = _status(status), read_body(req, Result)
        answer(resp, results.complete(self.database, job_id=job_id, status=outcome, run_id=run_id, result=result))

    def on_put_manage(self, req: Request, resp: Response, job_id: int, status: str, run_id: int) -> None:
        answer(resp, manual.set_status(self.database, job_id=job_id, status=_status(status), run_id=run_id))


class Claims:
    """Ready jobs become pending and somebody's."""

    def __init__(self, database: Database, leases: Leases) -> None:
        self.database = database
        self.leases = leases

    def on_post_next(self, req: Request, resp: Response, workflow_id: int) -> None:
        limit = Query(req).integer("limit")
        claim_limit = _claim_limit(CLAIM_LIMIT if limit is None else limit)
        answer(resp, claims.claim_next(self.database, self.leases, workflow_id, claim_limit))

    def on_post_fitting(self, req: Request, resp: Response, workflow_id: int, limit: str) -> None:
        sort_method = Query(req).choice("sort_method", get_args(SortMethod))
        claim_limit, offer = _claim_limit(to_int(limit, "limit")), read_body(req, ComputeNodesResources)
        answer(
            resp, claims.claim_by_resources(self.database, self.leases, workflow_id, offer, claim_limit, sort_method)
        )


def _status(text: str) -> JobStatus:
    return JobStatus(to_choice(text, "the job status in the path", tuple(JobStatus)))


def _claim_limit(limit: int) -> int:
    if limit < 0:
        raise InvalidRequest(f"limit must not be negative, got {limit}")
    return limit
