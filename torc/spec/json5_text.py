"""JSON5 text to plain values: what JSON5 adds to JSON is rewritten as JSON, so that both obey the same rules.

The packages that read JSON5 differ in what they accept (``1_000``, ``"\\01"``, half characters, ``1e400``), keep the
last of repeated keys or need a minute for two megabytes, and do not tell where a value stood.
"""

import json
import re
from typing import Any

from torc.spec.json_text import JsonProblem, parse_json

SPACE = r"[\s\ufeff] | //[^\n\r\u2028\u2029]*+ | /\*[\s\S]*?\*/"
AHEAD = rf"(?: [ \n\r\t]++ | {SPACE} )*+"
NAME_PART = r"\\u[0-9a-fA-F]{4}"
DOUBLE_QUOTED = r'"(?: [^"\\\n\r]++ | \\(?: \r\n | [\s\S] ) )*+"'
SINGLE_QUOTED = DOUBLE_QUOTED.replace('"', "'")

PIECE = re.compile(
    rf"""
    ((?: [ \n\r\t}}\]:]++
       | "[^"\\\x00-\x1f]*+ (?: \\["\\/bfnrtu][^"\\\x00-\x1f]*+ )*+"
       | [{{\[]  (?! {AHEAD} , )
       | ,       (?! {AHEAD} [\]}}] )
       | -?(?: 0 | [1-9][0-9]*+ )(?: \.[0-9]++ )?(?: [eE][-+]?[0-9]++ )?  (?! [\w.$\\] )
       | (?: true | false | null )  (?! [\w$\\] | {AHEAD} : )
     )*+)
    (?: ( (?: [^\W0-9] | [$] | {NAME_PART} )(?: [\w$\u0300-\u036f\u200c\u200d]++ | {NAME_PART} )*+ )  (?= {AHEAD} : )
      | ( {DOUBLE_QUOTED} | {SINGLE_QUOTED}
        | {SPACE}
        | , (?= {AHEAD} [\]}}] )
        | [-+]?[\w.$]++ (?: (?<=[eE]) [-+][0-9]++ )?
        | [{{\[] {AHEAD} ,
        | ["'/] [\s\S]*+
        | [\s\S]
        )
    )?
    """,
    re.VERBOSE,
)
"""A run of what is JSON already, then a key without quotes or one other thing that JSON does not have."""

TEXT = re.compile(rf"{DOUBLE_QUOTED} | {SINGLE_QUOTED}", re.VERBOSE)
BLANK = re.compile(r"[ \v\f\xa0\ufeff\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]|//.*|/\*[\s\S]*\*/")
HEXADECIMAL = re.compile(r"([-+]?)0[xX]([0-9a-fA-F]+)")
DECIMAL = re.compile(r"\+?(-?)(?=\.?[0-9])(0|[1-9][0-9]*|)(?:\.([0-9]*))?((?:[eE][-+]?[0-9]+)?)")
CONSTANT = re.compile(r"\+?(-?Infinity|NaN)|-(NaN)")
MAX_DIGITS = 64  # far beyond 64 bits; Python itself refuses to write out numbers of 4,300 digits
ESCAPE = re.compile(r"""\\(?: x([0-9a-fA-F]{2}) | (0(?![0-9]) | \r\n | [^0]) ) | ["\x00-\x1f]""", re.VERBOSE)
ESCAPED = {
    **{c: f"\\{c}" for c in '"\\/bfnrtux123456789'},  # as in JSON, or refused there
    "v": r"\u000b",
    "0": r"\u0000",
    **dict.fromkeys(("\n", "\r", "\r\n", "\u2028", "\u2029"), ""),
}


def parse_json5(text: str) -> Any:
    """The value of ``text``. Raises JsonProblem."""
    for read in (parse_json, read_quickly):
        try:
            return read(text)
        except JsonProblem as problem:
            if not isinstance(problem, Doubt) and problem.offset is None:  # against JSON and JSON5 alike
                raise
    return parse_slowly(text)


def parse_slowly(text: str) -> Any:
    """The value of any ``text``: what ``read_quickly`` returns is the same, and what it refuses is decided here."""
    try:
        return parse_json(as_json(text), "JSON5")
    except JsonProblem as problem:
        problem.sentence = problem.sentence.replace("property name enclosed in double quotes", "a key")
        if problem.offset is not None:
            problem.offset = original_offset(text, problem.offset)
            if text.startswith("/*", problem.offset) and "*/" not in text[problem.offset + 2 :]:
                problem.sentence = "not valid JSON5: this comment is never closed; end it with */"
        raise


def as_json(text: str) -> str:
    """``text`` in JSON's words. What JSON5 does not allow either stays as it is, for the JSON reader to refuse."""
    return "".join(json_pieces(text))


def json_pieces(text: str) -> list[str]:
    """The parts of ``as_json``, one for each match of PIECE."""
    rewritten = Rewritten({"": ""})
    return [f'{run}"{key}"' if key else run + rewritten[odd] for run, key, odd in PIECE.findall(text)]


def original_offset(text: str, offset: int) -> int:
    """Where in ``text`` the thing begins that stands at ``offset`` in the JSON made from it."""
    for match, piece in zip(PIECE.finditer(text), json_pieces(text), strict=True):
        if offset < len(piece):
            same = piece == match[0] or offset < len(match[1])
            return match.start() + (offset if same else len(match[1]))
        offset -= len(piece)
    return len(text)


class Rewritten(dict[str, str]):
    """What JSON writes for a piece of JSON5. Most pieces occur again and again."""

    def __missing__(self, piece: str) -> str:
        self[piece] = found = rewrite(piece)
        return found


def rewrite(piece: str) -> str:
    """What JSON writes for a piece of JSON5 that is no key."""
    if piece == ",":
        return ""
    if piece[0] in "\"'":
        # What has no end reaches to the end of the text.
        return f'"{ESCAPE.sub(rewrite_escape, piece[1:-1])}"' if TEXT.fullmatch(piece) else '"'
    if BLANK.fullmatch(piece):
        return " "
    if constant := CONSTANT.fullmatch(piece):
        return constant[1] or constant[2]
    if number := HEXADECIMAL.fullmatch(piece):
        digits = number[2].lstrip("0") or "0"
        magnitude = str(int(digits, 16)) if len(digits) < MAX_DIGITS else "9" * MAX_DIGITS
        return number[1].replace("+", "") + magnitude
    if number := DECIMAL.fullmatch(piece):
        sign, whole, fraction, exponent = number.groups()
        return sign + (whole or "0") + (f".{fraction or 0}" if fraction is not None else "") + exponent
    return piece


def rewrite_escape(match: re.Match[str]) -> str:
    """What JSON writes for an escape of JSON5, or for a character that JSON wants escaped."""
    code, escaped = match.groups()
    if code:
        return rf"\u00{code}"
    if escaped in ESCAPED:
        return ESCAPED[escaped]
    character = escaped or match[0]
    return json.dumps(character)[1:-1] if character < " " or character == '"' else character
