"""What reading a specification has brought to light."""

from dataclasses import dataclass, field

from torc.errors import InvalidSpec
from torc.models.draft import DraftDocument


@dataclass
class Summary:
    """What a specification would create, as far as it could be read. ``written`` counts entries before expansion."""

    name: str = ""
    description: str | None = None
    jobs_written: int = 0
    files_written: int = 0
    jobs: list[str] = field(default_factory=list)  # names
    files: int = 0
    user_data: int = 0
    resource_requirements: int = 0
    schedulers: list[str] = field(default_factory=list)  # names
    actions: int = 0
    schedules_nodes: bool = False  # by an action when the workflow starts


@dataclass
class Checked:
    """All there is to say about a specification. There is a document if there are no errors."""

    document: DraftDocument | None
    errors: list[str]
    warnings: list[str]
    summary: Summary

    def usable(self) -> DraftDocument:
        """The document. Raises InvalidSpec with one line for each mistake."""
        if self.document is None:
            raise InvalidSpec("\n".join(self.errors))
        return self.document
