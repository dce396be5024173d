"""``/jobs``, the claims, and what runners of the contract say about a job."""

from typing import Annotated

from falcon import Request
from msgspec import Meta

from torc.models.explanation import Explanation
from torc.models.job import (
    BoundJobs,
    ChosenJobs,
    ClaimAnswer,
    ComputeNodesResources,
    DeletedJobs,
    Job,
    JobsModel,
    JobVerb,
    StatusChange,
)
from torc.models.queries import (
    CLAIM_LIMIT,
    ClaimNextQuery,
    ClaimQuery,
    DeleteAllQuery,
    DeleteQuery,
    JobsQuery,
)
from torc.models.record import DeletedCount, Page
from torc.models.result import Result
from torc.models.status import JobStatus
from torc.models.workflow import JobIds
from torc.server.security import user_of
from torc.store import bindings, claims, explain, job_commands, job_deletion, jobs, manual, results
from torc.store.database import Database
from torc.store.leases import Leases


class Jobs:
    """Jobs of one workflow, and one of them."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def create(self, body: Job) -> Job:
        """Store a job with its links."""
        (job,) = jobs.create_many(self.database, [body])
        return job

    def create_many(self, body: JobsModel) -> JobsModel:
        """Store jobs of one workflow in one transaction; the answer has the same length and order."""
        return JobsModel(jobs=jobs.create_many(self.database, body.jobs))

    def page(self, query: JobsQuery) -> Page[Job]:
        """One page of a workflow's jobs."""
        return jobs.page(
            self.database,
            query.workflow_id,
            query,
            status=query.status,
            needs_file_id=query.needs_file_id,
            upstream_job_id=query.upstream_job_id,
            include_relationships=query.include_relationships,
        )

    def delete_all(self, query: DeleteAllQuery) -> DeletedCount:
        """Delete all jobs of a workflow; 409 while one runs."""
        return DeletedCount(count=job_deletion.delete_all(self.database, query.workflow_id, force=query.force))

    def get(self, job_id: int) -> Job:
        """Read one job with its relations."""
        return jobs.get(self.database, job_id)

    def explain(self, job_id: int) -> Explanation:
        """Say why a job is not running, or what came of it."""
        return explain.explain(self.database, job_id)

    def update(self, job_id: int, body: Job, given: frozenset[str]) -> Job:
        """Change an uninitialized job: fields that are left out stay, null clears."""
        return jobs.update(self.database, job_id, body, given)

    def delete(self, job_id: int, query: DeleteQuery) -> Job:
        """Delete a job; 409 when it runs, has results or dependents, unless forced."""
        return job_deletion.delete(self.database, job_id, force=query.force)


class JobCommands:
    """What happens to one job."""

    def __init__(self, database: Database, leases: Leases) -> None:
        self.database = database
        self.leases = leases

    def start(self, job_id: int, run_id: int, compute_node_id: int) -> Job:
        """Say that a claimed job runs now."""
        return results.start(self.database, job_id=job_id, run_id=run_id, compute_node_id=compute_node_id)

    def complete(self, job_id: int, status: JobStatus, run_id: int, body: Result) -> Job:
        """Say how a job ended: stores the result and releases or cancels the jobs that waited for it."""
        return results.complete(self.database, job_id=job_id, status=status, run_id=run_id, result=body)

    def manage(self, job_id: int, status: JobStatus, run_id: int) -> Job:
        """Set the status of a job by hand."""
        return manual.set_status(self.database, self.leases, job_id=job_id, status=status, run_id=run_id)

    def change(self, job_id: int, body: StatusChange) -> Job:
        """Set the status of a job by hand, in the present run unless one is named."""
        return manual.set_status(
            self.database, self.leases, job_id=job_id, status=body.target_status, run_id=body.run_id
        )


class JobVerbs:
    """What a person wants to become of jobs while others run."""

    def __init__(self, database: Database, leases: Leases) -> None:
        self.database = database
        self.leases = leases

    def cancel(self, job_id: int, req: Request) -> Job:
        """Cancel a job; the node that has it stops it."""
        return self._one(JobVerb.CANCEL, job_id, req)

    def terminate(self, job_id: int, req: Request) -> Job:
        """Let the node that runs a job end it, with a grace time."""
        return self._one(JobVerb.TERMINATE, job_id, req)

    def retry(self, job_id: int, req: Request) -> Job:
        """Run a job again in the same run, and what was canceled because of it."""
        return self._one(JobVerb.RETRY, job_id, req)

    def disable(self, job_id: int, req: Request) -> Job:
        """Keep a job from being run."""
        return self._one(JobVerb.DISABLE, job_id, req)

    def enable(self, job_id: int, req: Request) -> Job:
        """Let a disabled job run, and what was canceled because of it."""
        return self._one(JobVerb.ENABLE, job_id, req)

    def delete_several(self, body: DeletedJobs) -> JobsModel:
        """Delete jobs, all or, if one is refused, none; 409 when one runs, has results or dependents, unless forced."""
        return JobsModel(jobs=job_deletion.delete_several(self.database, body.job_ids, force=body.force))

    def bind(self, body: BoundJobs) -> JobIds:
        """Keep jobs for the allocations of a Slurm scheduler; those that a runner has stay as they are."""
        return bindings.bind(self.database, body)

    def several(self, verb: JobVerb, body: ChosenJobs, req: Request) -> JobsModel:
        """Do one of these to several jobs: to all, or to none if one is refused."""
        user = user_of(req) or body.user
        return JobsModel(jobs=job_commands.command(self.database, self.leases, verb, body.job_ids, user=user))

    def _one(self, verb: JobVerb, job_id: int, req: Request) -> Job:
        (job,) = job_commands.command(self.database, self.leases, verb, [job_id], user=user_of(req))
        return job


class Claims:
    """Ready jobs become pending and somebody's."""

    def __init__(self, database: Database, leases: Leases) -> None:
        self.database = database
        self.leases = leases

    def next(self, workflow_id: int, query: ClaimNextQuery) -> ClaimAnswer:
        """Claim ready jobs, whatever they need."""
        limit = query.num_jobs if query.limit is None else query.limit
        return claims.claim_next(self.database, self.leases, workflow_id, CLAIM_LIMIT if limit is None else limit)

    def fitting(
        self, workflow_id: int, limit: Annotated[int, Meta(ge=0)], query: ClaimQuery, body: ComputeNodesResources
    ) -> ClaimAnswer:
        """Claim ready jobs that fit together in what is free on a node."""
        return claims.claim_by_resources(self.database, self.leases, workflow_id, body, limit, query.sort_method)
