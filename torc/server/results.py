"""``/results``: how attempts of jobs ended."""

from torc.models.catalogue import RESULTS
from torc.models.queries import ResultsQuery
from torc.models.record import Page
from torc.models.result import NewResult, Result
from torc.server.plain import Plain, filters_of
from torc.store import posted, results
from torc.store.database import Database


class Results(Plain):
    """As any resource, but lists show the current result of each job unless told otherwise."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, RESULTS)

    def create(self, body: NewResult) -> Result:
        """Store a result by hand; the job's status and its current result stay."""
        return posted.create(self.database, body)

    def update(self, record_id: int, body: Result, given: frozenset[str]) -> Result:
        """Write over a result: fields that are left out stay, null clears."""
        return posted.update(self.database, record_id, body, given)

    def page(self, query: ResultsQuery) -> Page[Result]:
        """One page of results: of each job the latest attempt, or all of its run, or with ``all_runs`` every one."""
        filters = filters_of(query)
        all_runs, all_attempts = filters.pop("all_runs"), filters.pop("all_attempts")
        return results.page(
            self.database, query.workflow_id, query, filters, all_runs=all_runs, all_attempts=all_attempts
        )
