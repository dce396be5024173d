"""Workflows whose graph matters, made without a specification: expanding that is measured elsewhere."""

from torc.models.draft import DraftDocument, DraftFile, DraftGroup, DraftJob
from torc.models.workflow import Workflow

BLOCK = 50


def _document(jobs: list[DraftJob], **records: list[DraftFile] | list[DraftGroup]) -> DraftDocument:
    return DraftDocument(workflow=Workflow(name="benchmark", user="benchmark"), jobs=jobs, **records)  # type: ignore[arg-type]


def linked(count: int) -> DraftDocument:
    """Each job waits for the two before it, reads the file of one of them and writes its own."""
    return _document(
        [
            DraftJob(
                name=f"job_{n}",
                command="true",
                depends_on=list(range(max(n - 2, 0), n)),
                input_files=[n - 1] if n else [],
                output_files=[n],
            )
            for n in range(count)
        ],
        files=[DraftFile(name=f"file_{n}", path=f"file_{n}") for n in range(count)],
    )


def grouped(count: int) -> DraftDocument:
    """Blocks of jobs; each job waits for all of the block before."""
    return _document(
        [
            DraftJob(name=f"job_{n}", command="true", depends_on_groups=[n // BLOCK - 1] if n >= BLOCK else [])
            for n in range(count)
        ],
        groups=[
            DraftGroup(members=list(range(first, min(first + BLOCK, count))))
            for first in range(0, count - BLOCK, BLOCK)
        ],
    )


def fan(count: int) -> DraftDocument:
    """One job before all others."""
    return _document([DraftJob(name=f"job_{n}", command="true", depends_on=[0] if n else []) for n in range(count)])


def layers(count: int, width: int = 1000) -> DraftDocument:
    """One job before a layer; each job of a layer waits for two of the layer before, so that paths part and meet."""
    return _document([DraftJob(name=f"job_{n}", command="true", depends_on=_above(n, width)) for n in range(count)])


def _above(n: int, width: int) -> list[int]:
    return sorted({max(n - width - 1, 0), max(n - width, 0)}) if n else []
