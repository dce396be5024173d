"""Where nodes, texts and braces stand in KDL, which its parser does not tell. It alone judges what is valid."""

import re

SPACE = r"[ \t\xa0\u1680\u2000-\u200a\u202f\u205f\u3000\ufeff]++"
NEWLINE = r"\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]"
TOKENS = r"""
    (?P<space> {space} | \\ (?:{space})?+ (?: //[^\n]*+ )? (?:{newline}) )
  | (?P<end> {newline} | ; )
  | (?P<comment> //[^\n]*+ | /\* )
  | (?P<text> (?P<raw> r?(?P<hashes>\#++) | r )"[\s\S]*?"(?(hashes)(?P=hashes)) | {quoted} )
  | (?P<skip> /- )
  | (?P<open> \{{ )
  | (?P<close> \}} )
  | (?P<unclosed> (?: r?\#++ | r )?+ " )
  | (?P<word> [^\s"{{}};\\/]++ | . )
"""
QUOTED_1 = r'"(?: [^"\\]++ | \\[\s\S] )*+"'
QUOTED_2 = r'"""(?: [^"\\]++ | \\[\s\S] | "(?!"") )*+""" | "(?!"")(?: [^"\\\n\r]++ | \\(?: \s++ | . ) )*+" | ""(?!")'
TOKEN = {
    version: re.compile(TOKENS.format(space=SPACE, newline=NEWLINE, quoted=quoted), re.VERBOSE)
    for version, quoted in ((1, QUOTED_1), (2, QUOTED_2))
}
COMMENT_EDGE = re.compile(r"/\*|\*/")
WORDS_OF_1 = re.compile(r"(?:[^=]*=)?(?:true|false|null)|r\#*\".*", re.DOTALL)


class Node:
    """Where a node begins, and the nodes in it."""

    __slots__ = ("children", "offset")

    def __init__(self, offset: int) -> None:
        self.offset = offset
        self.children: list[Node] = []


class Scan:
    """One walk over a text, up to a comment or a text that has no end."""

    def __init__(self, text: str, version: int) -> None:
        self.root = Node(0)
        self.cuts: list[int] = []  # where words, texts and braces begin
        self.braces: list[int] = []  # those that are open at the end
        self.unclosed: int | None = None
        self.is_version = {1: False, 2: False}  # whether something only that version has was seen
        self.containers = [self.root]
        self.owners: list[Node | None] = []
        self.node: Node | None = None  # the one that has begun and not ended
        self.skips = False  # whether /- takes away what comes next
        self.walk(text, TOKEN[version])

    def walk(self, text: str, token: re.Pattern[str]) -> None:
        position = 0
        while match := token.match(text, position):
            start, position = match.span()
            if match["comment"] == "/*":
                position = end_of_comment(text, start)
            if match["unclosed"] or position < 0:
                self.unclosed = start
                return
            if not (match["space"] or match["comment"]):
                self.take(match[0], start, is_end=match["end"] is not None)

    def take(self, token: str, start: int, *, is_end: bool) -> None:
        """Handle what is neither space nor comment."""
        if is_end:
            self.node = None
            return
        self.cuts.append(start)
        self.is_version[1] |= WORDS_OF_1.fullmatch(token) is not None
        self.is_version[2] |= token.startswith("#")
        if token == "/-":
            self.skips = True
        elif token == "{":
            self.containers.append(self.node if self.node and not self.skips else Node(start))
            self.owners.append(self.node)
            self.braces.append(start)
            self.node, self.skips = None, False
        elif token == "}":
            if self.braces:
                self.containers.pop()
                self.braces.pop()
                self.node = self.owners.pop()
        else:
            if self.node is None:
                self.node = Node(start)
                if not self.skips:
                    self.containers[-1].children.append(self.node)
            self.skips = False


def end_of_comment(text: str, start: int) -> int:
    """Where the comment ends that begins at ``start``, comments within it included; -1 if nowhere."""
    depth = 0
    for edge in COMMENT_EDGE.finditer(text, start):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    return -1
