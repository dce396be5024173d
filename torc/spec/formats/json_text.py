"""JSON text to plain values, by stricter rules than the standard library's."""

import json
import math
from collections.abc import Iterable
from typing import Any

from torc.spec.formats.yaml_text import LARGEST_INTEGER, MAX_DEPTH, SMALLEST_INTEGER

CONTAINERS = frozenset((dict, list))
SPACED_KEY_ENDS = ('" :', '"\n:', '"\r:', '"\t:')


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
    if may_repeat_keys(text, count_keys(value)):
        load(text, language, object_pairs_hook=mapping)
    if r"\u" in text:
        refuse_lone_surrogates(value)
    return value


def may_repeat_keys(text: str, keys: int) -> bool:
    """Whether ``text`` has more keys than came out of it, or texts that look like the end of one."""
    return text.count('":') != keys or any(end in text for end in SPACED_KEY_ENDS)


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


def count_keys(value: Any) -> int:
    """How many keys the mappings in ``value`` have. Walks level by level, without recursion."""
    keys = 0
    level = [value] if type(value) in CONTAINERS else []
    for _ in range(MAX_DEPTH):
        keys += sum([len(parent) for parent in level if type(parent) is dict])
        level = [
            child
            for parent in level
            for child in (parent.values() if type(parent) is dict else parent)
            if type(child) in CONTAINERS
        ]
        if not level:
            return keys
    raise too_deep()


def mapping(given: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, each key once."""
    pairs = list(given)
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
