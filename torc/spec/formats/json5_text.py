"""JSON5 text to plain values, by the rules of JSON: read by pyjson5 where that is installed, or else by json5.

json5 is the judge, but reads some 35 kB a second. pyjson5 takes a thousandth of the time, but keeps the last of
repeated keys and reads numbers such as ``1_000`` and ``.5.`` that are none; where it may have done so json5 is asked.
"""

import json
import re
from typing import Any

import msgspec

from torc.spec.formats.json_text import (
    JsonProblem,
    count_keys,
    finite_number,
    mapping,
    parse_json,
    refuse_constant,
    refuse_lone_surrogates,
    too_deep,
    whole_number,
)
from torc.spec.formats.yaml_text import MAX_DEPTH

try:
    import pyjson5
except ImportError:  # it comes with the extra "fast"
    pyjson5 = None  # type: ignore[assignment]  # as a name to ask

BETWEEN_TEXTS = re.compile(
    r"""
    [\s{}\[\],]*+ ( [^\s{}\[\],"'/]*+ ) [\s{}\[\],]*+
    (?: ' [^'\\]*+ (?: \\[\s\S] [^'\\]*+ )*+ '
      | " [^"\\]*+ (?: \\[\s\S] [^"\\]*+ )*+ "
      | //[^\n\r\u2028\u2029]*+
      | /\*[\s\S]*?\*/
    )?+
    """,
    re.VERBOSE,
)
"""Captures keys, colons, numbers and words, as far as nothing stands between them."""

NUMBER = re.compile(r"(-?(?:0|[1-9][0-9]*))(\.[0-9]+)?([eE][-+]?[0-9]+)?")
NAME = re.compile(r"(?!Infinity|NaN)[^\W0-9][\w$]*|\$[\w$]*")
UNEXPECTED = re.compile(r"<string>:([0-9]+) (.*) at column ([0-9]+)", re.DOTALL)
NEAR = re.compile(r" near ([0-9]+)")

PATIENCE = 200_000
"""How long a text json5 is asked about that pyjson5 has refused: it takes six seconds for this many characters."""


class Doubt(Exception):
    """json5 must say what the text means, or why it means nothing."""


def parse_json5(text: str) -> Any:
    """The value of ``text``. Raises JsonProblem."""
    try:
        return parse_json(text)
    except JsonProblem as problem:
        if problem.offset is None:  # what is wrong is not the syntax
            raise
    try:
        return parse_quickly(text)
    except Doubt:
        return parse_slowly(text)


def parse_quickly(text: str) -> Any:
    """What pyjson5 reads, where json5 reads the same. Raises Doubt, or JsonProblem."""
    value = decoded(text)
    between = BETWEEN_TEXTS.findall(text)
    if "".join(between).count(":") != keys_in(value):
        raise Doubt
    for word in {word for found in set(between) for word in found.split(":")}:
        if number := NUMBER.fullmatch(word):
            finite_number(word) if number[2] or number[3] else whole_number(word)
        elif word and not NAME.fullmatch(word):
            raise Doubt
    return value


def decoded(text: str) -> Any:
    """What pyjson5 makes of ``text``. Raises Doubt, or JsonProblem for a long text that it refuses."""
    if pyjson5 is None or r"\0" in text:  # it reads "\01"
        raise Doubt
    try:
        return pyjson5.decode(text, MAX_DEPTH)
    except pyjson5.Json5NestingTooDeep as error:
        raise too_deep() from error
    except pyjson5.Json5DecoderException as error:
        if len(text) <= PATIENCE:
            raise Doubt from error
        near = NEAR.search(str(error))
        raise not_valid("this cannot stand here", min(int(near[1]), len(text)) - 1 if near else 0) from error
    except (ValueError, RecursionError) as error:
        raise Doubt from error


def keys_in(value: Any) -> int:
    """How many keys the objects in ``value`` have, seldom one too few. Raises Doubt for what JSON cannot say."""
    try:
        text = msgspec.json.encode(value)
    except (OverflowError, ValueError, RecursionError) as error:
        raise Doubt from error
    return text.count(b'":') - text.count(b'\\":')  # within a text a quote has a backslash before it


def parse_slowly(text: str) -> Any:
    """What json5 reads. Raises JsonProblem."""
    import json5  # takes 25 ms, which nobody else should wait for

    try:
        value = json5.loads(
            text,
            object_pairs_hook=mapping,
            parse_int=integer,
            parse_float=decimal,
            parse_constant=refuse_constant,
        )
    except RecursionError as error:
        raise too_deep() from error
    except ValueError as error:
        found = UNEXPECTED.fullmatch(str(error))
        if found is None:
            raise not_valid(str(error).removeprefix("<string>:"), 0) from error
        line, complaint, column = found.groups()
        raise not_valid(complaint, offset_of_line(text, int(line)) + int(column) - 1) from error
    count_keys(value)  # refuses what is too deep
    if r"\u" in text:
        value = json.loads(json.dumps(value))  # json5 takes \ud83d\ude00 for two characters
        refuse_lone_surrogates(value)
    return value


def integer(text: str, base: int = 10) -> int:
    """A whole number of at most 64 bits, which may be hexadecimal."""
    try:
        return whole_number(str(int(text, base)) if len(text) < 80 else "9" * 80)
    except JsonProblem as problem:
        problem.token = text
        raise


def decimal(text: str) -> float:
    """A number with a fraction or an exponent, if it has a digit."""
    try:
        return finite_number(text)
    except ValueError as error:
        raise JsonProblem(f"not valid JSON5: {text} is no number; write digits around the point", token=text) from error


def not_valid(complaint: str, offset: int) -> JsonProblem:
    return JsonProblem(f"not valid JSON5: {complaint}; check the commas and quotes just before this place", offset)


def offset_of_line(text: str, number: int) -> int:
    """Where a line begins; the first one has the number 1."""
    return sum(len(line) for line in text.splitlines(keepends=True)[: number - 1])
