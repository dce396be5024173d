"""Where the parts of a JSON or JSON5 text stand. Looked up only when there is something to report."""

import re

from torc.spec.formats.json5_text import parse_json5
from torc.spec.formats.json_text import JsonProblem, RepeatedKey
from torc.spec.formats.yaml_text import MAX_DEPTH
from torc.spec.problems import Path

SPACE = r"[\s\ufeff] | //[^\n\r\u2028\u2029]*+ | /\*[\s\S]*?\*/"
DOUBLE_QUOTED = r'"(?: [^"\\\n\r]++ | \\(?: \r\n | [\s\S] ) )*+"'
SINGLE_QUOTED = DOUBLE_QUOTED.replace('"', "'")

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
    """The places in a well-formed text. ``repeated`` says where a key stands again in an object."""

    def __init__(self, text: str) -> None:
        self.repeated: dict[str, int] = {}
        document = Place(0)
        self.open_places = [document]
        for match in TOKEN.finditer(text):
            if not match["space"] and match[0] not in ":,":
                self.take(match[0], match.start())
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
            key = name_of(token)
            if key in around.inner:
                self.repeated.setdefault(key, offset)
            around.key = key, offset
        else:
            step, offset = around.key or (len(around.inner), offset)
            around.inner[step] = value = Place(offset, is_object=token == "{")
            around.key = None
            if token in "[{":
                self.open_places.append(value)


def name_of(token: str) -> str:
    """The key that is written so."""
    if "\\" in token:
        (key,) = parse_json5(f"{{{token}:0}}")
        return str(key)
    return token[1:-1] if token[0] in "'\"" else token


def offset_of(problem: JsonProblem, text: str) -> int | None:
    """Where ``problem`` is in ``text``, if that can be told."""
    if problem.offset is not None:
        return problem.offset
    if isinstance(problem, RepeatedKey):
        return JsonPlaces(text).repeated.get(problem.key)
    depth = 0
    for match in TOKEN.finditer(text):
        depth += (match[0] in "[{") - (match[0] in "]}")
        if (problem.token and match[0].lstrip("+-").startswith(problem.token.lstrip("+-"))) or depth > MAX_DEPTH:
            return match.start()
    return None
