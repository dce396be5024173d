"""The resource requirements of a document: named ones, and those written inside a job."""

from torc.models.draft import DraftRequirements
from torc.models.resource_requirements import DEFAULT_MEMORY
from torc.spec.document import InlineRequirements, RequirementsSpec
from torc.spec.names import Names
from torc.spec.problems import Path, Problems
from torc.units import parse_duration, parse_memory

DEFAULT_RUNTIME = "PT1H"


class Requirements:
    """All records so far."""

    def __init__(self, specs: list[RequirementsSpec], problems: Problems) -> None:
        self.names = Names("resource requirement", problems)
        self.records: list[DraftRequirements] = []
        self.problems = problems
        self.unnamed: dict[tuple[object, ...], int] = {}
        for position, spec in enumerate(specs):
            path: Path = ("resource_requirements", position)
            self.names.add(spec.name, path)
            self.add(spec.name, spec, path)

    def add(self, name: str, needs: InlineRequirements, path: Path) -> int:
        """Store a record and return its index."""
        memory, runtime = needs.memory or DEFAULT_MEMORY, needs.runtime or DEFAULT_RUNTIME
        try:
            if not parse_memory(memory):
                raise ValueError("a job needs some")
        except ValueError as error:
            self.problems.add(
                (*path, "memory"), f'"{memory}" is no amount of memory ({error}); write one such as 512m, 2g or 1.5t'
            )
        else:
            if memory.strip().isdecimal():
                self.problems.warn(
                    (*path, "memory"), f'"{memory}" is read as bytes; write a unit, such as {memory.strip()}m'
                )
        try:
            if not parse_duration(runtime):
                raise ValueError("a job needs some time")
        except ValueError as error:
            self.problems.add(
                (*path, "runtime"), f'"{runtime}" is no duration ({error}); write one such as PT30M, PT1H30M or P2D'
            )
        self.records.append(
            DraftRequirements(
                name=name,
                num_cpus=needs.num_cpus or 1,
                num_gpus=needs.num_gpus or 0,
                num_nodes=needs.num_nodes or 1,
                memory=memory.strip(),
                runtime=runtime.strip(),
            )
        )
        return len(self.records) - 1

    def add_unnamed(self, needs: InlineRequirements, path: Path) -> int:
        """Store what a job says it needs; equal needs share one record, called ``inline_1`` and so on."""
        key = (needs.num_cpus, needs.num_gpus, needs.num_nodes, needs.memory, needs.runtime)
        if key not in self.unnamed:
            number = len(self.unnamed) + 1
            while f"inline_{number}" in self.names.index:
                number += 1
            self.names.add(f"inline_{number}", path)
            self.unnamed[key] = self.add(f"inline_{number}", needs, path)
        return self.unnamed[key]
