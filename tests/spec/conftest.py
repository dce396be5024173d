"""What the tests of specifications share."""

import textwrap
from collections.abc import Callable

import pytest

from torc.errors import InvalidSpec
from torc.models.draft import DraftDocument
from torc.spec import load_document

Load = Callable[[str], DraftDocument]


def load_yaml(text: str) -> DraftDocument:
    """The document in a YAML text."""
    return load_document(text, source="flow.yaml", user="ada")


@pytest.fixture
def load() -> Load:
    """Load YAML, which needs no ``name`` here and, where a test is about something else, no jobs."""

    def load_with_name(text: str) -> DraftDocument:
        jobs = "" if "jobs:" in text else "jobs: []\n"
        return load_yaml(f"name: flow\n{jobs}{textwrap.dedent(text)}")

    return load_with_name


@pytest.fixture
def refusal() -> Callable[[str], str]:
    """The message with which a whole YAML text is refused."""

    def message(text: str) -> str:
        with pytest.raises(InvalidSpec) as refused:
            load_yaml(text)
        return refused.value.message

    return message
