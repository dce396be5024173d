"""JSON text to plain values, by stricter rules than the standard library's."""

import json
import math
import re
from collections import Counter
from typing import Any

from torc.spec.yaml_text import LARGEST_INTEGER, MAX_DEPTH, SMALLEST_INTEGER

CONTAINERS = frozenset((dict, list))
KEY_END = re.compile(r'"[ \t\n\r]*+:')


class JsonProblem(Exception):
    """Text that is not JSON, or JSON that a specification must not contain."""

    def __init__(self, sentence: str, offset: int | None = None, *, token: str | None = None) -> None:
        """The place is ``offset`` in the text or, where that is unknown, the first ``token`` outside quotes."""
        super().__init__(sentence)
        self.sentence = sentence
        self.offset = offset
        self.token = token


class RepeatedKey(JsonProblem):
    """A key that stands twice in one object."""

    def __init__(self, key: str) -> None:
        super().__init__(f'the key "{key}" is given twice in one object; remove one of them')
        self.key = key


def parse_json(text: str, language: str = "JSON") -> Any:
    """The value of ``text``. Raises JsonProblem."""
    value = load(text, language)
    size = Size(value)
    if size.is_deep:
        raise too_deep()
    if size.keys < len(KEY_END.findall(text)):  # a repeated key, unless a text looks like the end of one
        load(text, language, object_pairs_hook=mapping)
    if r"\ud" in text or r"\uD" in text:
        refuse_lone_surrogates(value)
    return value


def load(text: str, language: str, **options: Any) -> Any:
    """Read with the standard library's reader, which lets us judge numbers and tells where it stops."""
    try:
        return json.loads(
            text, parse_int=whole_number, parse_float=finite_number, parse_constant=refuse_constant, **options
        )
    except json.JSONDecodeError as error:
        complaint = error.msg.removesuffix(" at").removesuffix(" starting")
        raise JsonProblem(
            f"not valid {language}: {complaint}; check the commas and quotes just before this place", error.pos
        ) from error
    except RecursionError as error:
        raise too_deep() from error


class Size:
    """How much is in a value, and whether it is too deep. Counted level by level, without recursion."""

    def __init__(self, value: Any) -> None:
        self.keys = 0
        self.kinds: Counter[type] = Counter()
        level = [value] if type(value) in CONTAINERS else []
        for _ in range(MAX_DEPTH):
            children: list[Any] = []
            for parent in level:
                if isinstance(parent, dict):
                    self.keys += len(parent)
                    children += parent.values()
                else:
                    children += parent
            self.kinds.update(map(type, children))
            level = [child for child in children if type(child) in CONTAINERS]
        self.is_deep = bool(level)


def mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, each key once."""
    value = dict(pairs)
    if len(value) < len(pairs):
        seen = set[str]()
        for key, _ in pairs:
            if key in seen:
                raise RepeatedKey(key)
            seen.add(key)
    return value


def whole_number(text: str) -> int:
    """A JSON integer of at most 64 bits."""
    number = int(text) if len(text) < 80 else LARGEST_INTEGER + 1
    if not SMALLEST_INTEGER <= number <= LARGEST_INTEGER:
        raise JsonProblem(
            f"the whole number {text[:40]} needs more than 64 bits; put it in quotes to keep it as text", token=text
        )
    return number


def finite_number(text: str) -> float:
    """A JSON number with a fraction or an exponent."""
    number = float(text)
    if math.isinf(number):
        raise JsonProblem(f"the number {text[:40]} is too large; put it in quotes to keep it as text", token=text)
    return number


def refuse_constant(name: str) -> None:
    """Refuse what Python's reader accepts beyond JSON."""
    raise JsonProblem(f"{name} cannot be stored or sent; write null or a text in quotes", token=name)


def too_deep() -> JsonProblem:
    return JsonProblem(f"nested more than {MAX_DEPTH} levels deep")


def refuse_lone_surrogates(value: Any) -> None:
    """Refuse half characters such as a lone ``\\ud800``: they cannot be sent, stored or printed."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise JsonProblem("half of a \\ud800-style character pair; write the character itself") from error
