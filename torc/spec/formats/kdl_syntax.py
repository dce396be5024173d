"""KDL text to nodes, by version 2 of the language or else by version 1; and where a text is neither."""

import re

import ckdl  # type: ignore[import-untyped]  # it has no stubs

from torc.spec.formats.kdl_scan import Scan

INCOMPLETE = re.compile(r"Unexpected end|Dangling|Unexpected token, expected (type|'\)')")
"""Complaints about a text that may yet become right when it goes on."""

NO_SUCH_CHARACTER = "an escape in a text stands for no character"
COMPLAINTS = {
    "Error parsing property or argument": (
        "this is neither a value nor a property",
        "put quotes around the text, or check the escapes within the quotes",
    ),
    "Bare identifier not allowed here": ("this is no value", "put quotes around the text"),
    "Expected end of node": ("the node does not end here", "begin the next one on a new line or behind a ;"),
    "Unexpected '}'": ("this } closes nothing", "remove it, or find the { that is missing before it"),
    "Parse error": ("this cannot stand here", "check the quotes, and put a space before {"),
}
CURES_OF_2 = {
    "true": "write #true",
    "false": "write #false",
    "null": "write #null",
    "r": 'write raw text as #"..."#',
}
WORD = re.compile(r"(?:[^\s=\"]*=)?(\w*)")


class KdlProblem(Exception):
    """Text that is not KDL."""

    def __init__(self, sentence: str, offset: int) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.offset = offset


def parse_nodes(text: str) -> tuple[list[ckdl.Node], int]:
    """The nodes of ``text`` and its version of KDL. Raises KdlProblem, by the version that the text looks like."""
    for version in (2, 1):
        try:
            return ckdl.parse(text, version=version).nodes, version
        except (ckdl.ParseError, UnicodeDecodeError):
            pass
    scan = Scan(text, 2)
    if scan.is_version[1] and not scan.is_version[2]:
        raise problem_in(text, 1, Scan(text, 1))
    raise problem_in(text, 2, scan)


def complaint(text: str, version: int) -> str | None:
    """What the parser says against ``text``, unless it may go on to be right."""
    try:
        ckdl.parse(text, version=version)
    except ckdl.ParseError as error:
        return None if INCOMPLETE.match(str(error)) else str(error)
    except UnicodeDecodeError:
        return NO_SUCH_CHARACTER
    return None


def problem_in(text: str, version: int, scan: Scan) -> KdlProblem:
    """The first mistake in ``text``. The parser does not tell where it is, so parts of the text are tried."""
    end = len(text) if scan.unclosed is None else scan.unclosed
    if complaint(text[:end], version) is None:
        return unfinished(text, scan)
    node, start = scan.root, 0
    while node.children:
        edges = [node.offset, *(child.offset for child in node.children), end]
        part = first_bad_part(text, edges, version)
        end = edges[part + 1]
        if part == 0:
            break
        start = start if node is not scan.root else edges[part]
        node = node.children[part - 1]
    cuts = [node.offset, *(cut for cut in scan.cuts if node.offset < cut < end), end]
    part = first_bad_part(text, cuts, version, start)
    found = complaint(text[start : cuts[part + 1]], version) or "Parse error"
    meaning, cure = COMPLAINTS.get(found, (found, "check the quotes and braces just before this place"))
    word = WORD.match(text, cuts[part])
    if version == 2 and word and word[1] in CURES_OF_2:
        cure = CURES_OF_2[word[1]]
    return KdlProblem(f"not valid KDL: {meaning}; {cure}", cuts[part])


def first_bad_part(text: str, edges: list[int], version: int, start: int | None = None) -> int:
    """In which of the parts between ``edges`` the first mistake is, the last if in no other.

    Parts are tried on their own, being whole nodes, or together with all from ``start`` on.
    """
    low, high = 0, len(edges) - 1
    while high - low > 1:
        middle = (low + high) // 2
        is_bad = complaint(text[edges[low] if start is None else start : edges[middle]], version) is not None
        low, high = (low, middle) if is_bad else (middle, high)
    return low


def unfinished(text: str, scan: Scan) -> KdlProblem:
    """What is wrong with a text that has no mistake but its end."""
    if scan.unclosed is not None:
        what, end = ("comment", "*/") if text.startswith("/*", scan.unclosed) else ("text", "quotes")
        return KdlProblem(f"not valid KDL: this {what} is never closed; end it with {end}", scan.unclosed)
    if scan.braces:
        return KdlProblem("not valid KDL: this { is never closed; end the block with }", scan.braces[-1])
    last = scan.cuts[-1] if scan.cuts else 0
    return KdlProblem("not valid KDL: something is missing at the end; complete or remove this", last)
