"""Where the parts of a JSON or JSON5 text stand. Looked up only when there is something to report."""

import re

from torc.spec.json5_text import DOUBLE_QUOTED, SINGLE_QUOTED, SPACE, as_json, original_offset, parse_json5
from torc.spec.json_text import JsonProblem, RepeatedKey
from torc.spec.syntax import Path
from torc.spec.yaml_text import MAX_DEPTH

TOKEN = re.compile(
    rf"(?P<space> {SPACE} ) | [{{}}\[\]:,] | {DOUBLE_QUOTED} | {SINGLE_QUOTED} | [^\s\ufeff{{}}\[\]:,'\"/]++ | .",
    re.VERBOSE,
)


class Place:
    """Where a value stands, and the values in it by index or key. In an object it stands where its key does."""

    __slots__ = ("inner", "is_object", "key", "offset")

    def __init__(self, offset: int, *, is_object: bool = False) -> None:
        self.offset = offset
        self.is_object = is_object
        self.inner: dict[str | int, Place] = {}
        self.key: tuple[str, int] | None = None  # of the value to come


class JsonPlaces:
    """The places in a readable text, or in its part up to where the key ``until`` is repeated in an object."""

    def __init__(self, text: str, until: str | None = None) -> None:
        self.repeated: dict[str | None, int] = {}
        document = Place(0)
        self.open_places = [document]
        for match in TOKEN.finditer(text):
            if not match["space"] and match[0] not in ":,":
                self.take(match[0], match.start())
                if until in self.repeated:
                    break
        self.root = document.inner[0]

    def find(self, path: Path) -> int:
        """The offset of the nearest known place around ``path``."""
        place = self.root
        for step in path:
            if step not in place.inner:
                break
            place = place.inner[step]
        return place.offset

    def take(self, token: str, offset: int) -> None:
        """Handle the next bracket, key or value."""
        around = self.open_places[-1]
        if token in "]}":
            self.open_places.pop()
        elif around.is_object and around.key is None:
            (key,) = parse_json5(f"{{{token}:0}}")
            if key in around.inner:
                self.repeated.setdefault(key, offset)
            around.key = key, offset
        else:
            step, offset = around.key or (len(around.inner), offset)
            around.inner[step] = value = Place(offset, is_object=token == "{")
            around.key = None
            if token in "[{":
                self.open_places.append(value)


def offset_of(problem: JsonProblem, text: str) -> int | None:
    """Where ``problem`` is in ``text``, if that can be told."""
    if problem.offset is not None:
        return problem.offset
    if isinstance(problem, RepeatedKey):
        return JsonPlaces(text, until=problem.key).repeated.get(problem.key)
    token, depth = problem.token or "\n", 0
    for match in TOKEN.finditer(as_json(text)):
        depth += (match[0] in "[{") - (match[0] in "]}")
        if match[0].startswith(token) or depth > MAX_DEPTH:
            return original_offset(text, match.start())
    return None
