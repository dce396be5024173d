"""How fast jobs end here compared with a round trip to the server, and how many jobs to hold in stock for that."""

from torc.models.sync import SyncAnswer, SyncRequest

BATCH_RESULTS = 500
"""Results in one request."""

OLDEST_RESULT_S = 1.0
"""A result waits at most so long for others while every slot is busy."""

STOCK_S = 0.5
"""The stock lasts so long. Half a second on top of what one request is about to bring stays below a second of work."""

SMOOTHING = 0.1


class Pace:
    """Running means of what jobs and round trips took."""

    def __init__(self) -> None:
        self._jobs_ended = 0
        self._job_s = 0.0
        self._at_once = 1.0
        self._round_trip_s = 0.0
        self._more = True

    def job_ended(self, runtime_s: float, at_once: int) -> None:
        """A job ended while ``at_once`` jobs, it included, were running."""
        self._jobs_ended += 1
        self._job_s = _mean(self._job_s, runtime_s, self._jobs_ended)
        self._at_once = _mean(self._at_once, at_once, self._jobs_ended)

    def answered(self, request: SyncRequest, answer: SyncAnswer, took_s: float) -> None:
        """A round trip is over."""
        self._round_trip_s = _mean(self._round_trip_s, took_s, request.seq)
        self._more = len(answer.jobs) >= request.prefetch

    def stock(self) -> int:
        """How many claimed jobs should wait here: none unless jobs end faster than a round trip brings the next.

        A job held here is one another runner cannot take, so the stock doubles only as jobs prove short.
        """
        if not self._jobs_ended or self._job_s / self._at_once >= self._round_trip_s:
            return 0
        per_s = self._at_once / max(self._job_s, 1e-4)
        return min(int(per_s * STOCK_S), 2 * self._jobs_ended, BATCH_RESULTS)

    def runs_low(self, waiting: int) -> bool:
        """Whether to fetch more before the last one is started; pointless when the server had no more to give."""
        return self._more and waiting < self.stock() / 2


def _mean(mean: float, value: float, count: int) -> float:
    """The plain mean of the first values, then one that forgets."""
    return mean + (value - mean) * max(SMOOTHING, 1 / count)
