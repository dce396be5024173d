"""Which language a specification is written in, and how places in it are named."""

import re
from pathlib import PurePath

EXTENSIONS = {".json": "JSON", ".json5": "JSON5", ".yaml": "YAML", ".yml": "YAML", ".kdl": "KDL"}

LEAD = re.compile(r"(?:\s|//[^\n]*|/\*[\s\S]*?\*/)*+")
"""What may stand before the content in KDL and JSON5, which in YAML would be text."""

KDL_NODE = re.compile(
    r"""/[-*]
      | (?: \([^)\n]*\) )? (?: [^\W\d][^\s"'{}()\[\]=;,\#:\\/]*+ | "[^"\n]*" )
        (?: [ \t]*[{;] | [ \t]+(?: ["\#({\\/] | \w+[="\#] ) | [^:\n]*+(?: \n | $ ) )""",
    re.VERBOSE,
)
"""A name and behind it what YAML would not have there, or no colon in the line at all."""


def languages(text: str, source: str) -> tuple[str, ...]:
    """What ``text`` can be, likeliest first: by the extension of ``source``, or else by how it begins."""
    extension = PurePath(source).suffix.lower()
    if extension in EXTENSIONS:
        return (EXTENSIONS[extension],)
    lead = LEAD.match(text)
    start = lead.end() if lead else 0
    if text.startswith(("{", "["), start):
        return "JSON5", "YAML"
    if text[:start].strip() or KDL_NODE.match(text, start):
        return "KDL", "YAML"
    return "YAML", "KDL"


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Both counted from 1."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)
