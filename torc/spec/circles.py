"""Jobs that wait for each other: found over edges, groups, files and user data, and named in order."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from torc.models.draft import DraftDocument

NAMES_SHOWN = 12
"""Most jobs, and most files and user data, named of one circle."""


@dataclass(frozen=True)
class Circle:
    """Each of ``jobs`` waits for the next, the last for the first; ``through`` names files and user data between."""

    jobs: list[int]
    through: list[str]

    def described(self, names: Sequence[str]) -> str:
        """The way round in ``names`` of all jobs, shortened: ``a -> b -> a (through "f")``."""
        way = [names[job] for job in [*self.jobs, self.jobs[0]]]
        if len(way) > NAMES_SHOWN:
            way[NAMES_SHOWN // 2 : -NAMES_SHOWN // 2] = [f"... {len(way) - NAMES_SHOWN} more ..."]
        through = f" (through {', '.join(self.through[:NAMES_SHOWN])})" if self.through else ""
        return " -> ".join(way) + through


class Graph:
    """Jobs, groups, files and user data as nodes; an arrow leads to what must come later. n + m arrows in all."""

    def __init__(self, document: DraftDocument) -> None:
        self.job_count = len(document.jobs)
        self.group_start = self.job_count
        self.file_start = self.group_start + len(document.groups)
        self.user_data_start = self.file_start + len(document.files)
        self.node_count = self.user_data_start + len(document.user_data)
        self.later: dict[int, list[int]] = defaultdict(list)
        for node, group in enumerate(document.groups, self.group_start):
            for member in group.members:
                self.later[member].append(node)
        for node, job in enumerate(document.jobs):
            self.before(node, job.depends_on)
            self.before(node, job.depends_on_groups, self.group_start)
            self.before(node, job.input_files, self.file_start)
            self.before(node, job.input_user_data, self.user_data_start)
            for start, written in ((self.file_start, job.output_files), (self.user_data_start, job.output_user_data)):
                if written:
                    self.later[node].extend([start + index for index in written])

    def before(self, job: int, indexes: Sequence[int], start: int = 0) -> None:
        """Note that the nodes ``start`` + each of ``indexes`` come before ``job``."""
        for index in indexes:
            self.later[start + index].append(job)

    def stuck(self) -> list[int]:
        """The nodes that are on a circle or behind one."""
        waits = [0] * self.node_count
        for nodes in self.later.values():
            for node in nodes:
                waits[node] += 1
        free = [node for node, count in enumerate(waits) if not count]
        for node in free:  # grows while it is walked
            for then in self.later.get(node, ()):
                waits[then] -= 1
                if not waits[then]:
                    free.append(then)
        return [node for node, count in enumerate(waits) if count]


def find_circle(document: DraftDocument) -> Circle | None:
    """One circle, or None when every job can run at some time."""
    graph = Graph(document)
    stuck = graph.stuck()
    if not stuck:
        return None
    among = set(stuck)
    earlier: dict[int, int] = {}
    for node in stuck:
        for then in graph.later.get(node, ()):
            if then in among:
                earlier.setdefault(then, node)
    # Whoever is stuck waits for something stuck, so walking back must come round.
    seen: dict[int, int] = {}
    at = stuck[0]
    while at not in seen:
        seen[at] = len(seen)
        at = earlier[at]
    walk = list(seen)[seen[at] :]
    jobs = [node for node in walk if node < graph.job_count]
    first = jobs.index(min(jobs))
    files = [document.files[n - graph.file_start].name for n in walk if graph.file_start <= n < graph.user_data_start]
    user_data = [document.user_data[n - graph.user_data_start].name for n in walk if n >= graph.user_data_start]
    return Circle(jobs[first:] + jobs[:first], [f'"{name}"' for name in files + user_data])
