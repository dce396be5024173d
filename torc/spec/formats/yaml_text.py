"""YAML text to plain values by the YAML 1.2 core rules, where ``04:00:00``, ``yes`` and ``010`` are text.

Built from parser events without recursion: nesting cannot exhaust the stack, and no node graph is kept.
"""

import math
import re
from typing import Any

import yaml

MAX_DEPTH = 100
MAX_ALIASED_VALUES = 10_000_000
"""How many values aliases may add. Values are shared while reading, but not once they are sent as JSON."""

SMALLEST_INTEGER, LARGEST_INTEGER = -(2**63), 2**64 - 1  # what JSON writers and readers here can carry

CONSTANTS: dict[str, Any] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
NO_FINITE_NUMBERS = frozenset(
    {sign + form for sign in ("", "+", "-") for form in (".inf", ".Inf", ".INF")} | {".nan", ".NaN", ".NAN"}
)
DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]*)")
PREFIXED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+|0b[01]+")
FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?")

TAGS = {f"tag:yaml.org,2002:{name}": name for name in ("str", "int", "float", "bool", "null", "seq", "map")}
TAG_TYPES: dict[str, Any] = {"int": (int,), "float": (float, int), "bool": (bool,), "null": (type(None),)}


class SpecLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # a class known at run time
    """The parser, with the C library where PyYAML was built with it. Resolves nothing: that is done here."""

    def resolve(self, kind: type, value: Any, implicit: Any) -> str:
        """A tag nobody looks at; the inherited rules are those of YAML 1.1 and cost a third of the time."""
        return "?"


class YamlProblem(Exception):
    """Readable YAML that a specification must not contain."""

    def __init__(self, sentence: str, event: yaml.Event) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.mark = event.start_mark


def parse_yaml(text: str) -> Any:
    """The one document in ``text``, or None when it is empty. Raises YamlProblem or yaml.YAMLError."""
    builder = Builder()
    for event in yaml.parse(text, Loader=SpecLoader):
        builder.take(event)
    return builder.root


class Builder:
    """Puts together lists and mappings from parser events."""

    def __init__(self) -> None:
        self.root: Any = None
        self.documents = 0
        self.open: list[Frame] = []
        self.anchors: dict[str, tuple[Any, int]] = {}  # the value, and how many values it holds
        self.values = 0
        self.aliased = 0

    def take(self, event: yaml.Event) -> None:
        """Handle the next event."""
        if isinstance(event, yaml.ScalarEvent):
            frame = self.open[-1] if self.open else None
            is_key = frame is not None and frame.wants_key
            value = event.value if is_key and event.tag is None else scalar(event)
            self.values += 1
            self.put(value, event)
            if event.anchor:
                self.anchors[event.anchor] = (value, 1)
        elif isinstance(event, yaml.CollectionStartEvent):
            self.begin(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self.end()
        elif isinstance(event, yaml.AliasEvent):
            self.repeat(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise YamlProblem("a second document begins here; put each workflow into its own file", event)

    def begin(self, event: yaml.CollectionStartEvent) -> None:
        kind = "map" if isinstance(event, yaml.MappingStartEvent) else "seq"
        if event.tag not in (None, "!") and TAGS.get(event.tag) != kind:
            raise YamlProblem(unknown_tag(event.tag), event)
        if len(self.open) >= MAX_DEPTH:
            raise YamlProblem(f"nested more than {MAX_DEPTH} levels deep", event)
        self.values += 1
        self.open.append(Frame({} if kind == "map" else [], event, self.values))

    def end(self) -> None:
        frame = self.open.pop()
        frame.merge()
        self.put(frame.value, frame.event)
        if frame.event.anchor:
            self.anchors[frame.event.anchor] = (frame.value, self.values - frame.values_before + 1)

    def repeat(self, event: yaml.AliasEvent) -> None:
        if event.anchor not in self.anchors:
            raise YamlProblem(f"*{event.anchor} stands for nothing yet; define &{event.anchor} before it", event)
        value, size = self.anchors[event.anchor]
        self.values += size
        self.aliased += size
        if self.aliased > MAX_ALIASED_VALUES:
            raise YamlProblem(
                f"aliases repeat more than {MAX_ALIASED_VALUES:,} values; name jobs by depends_on_regexes instead",
                event,
            )
        self.put(value, event)

    def put(self, value: Any, event: yaml.Event) -> None:
        """Place a finished value into what is open."""
        if self.open:
            self.open[-1].put(value, event)
        else:
            self.root = value


class Frame:
    """A list or mapping that has begun."""

    def __init__(self, value: dict[str, Any] | list[Any], event: yaml.CollectionStartEvent, values_before: int) -> None:
        self.value = value
        self.event = event
        self.values_before = values_before
        self.wants_key = isinstance(value, dict)
        self.key = ""
        self.merged: list[tuple[Any, yaml.Event]] = []

    def put(self, value: Any, event: yaml.Event) -> None:
        if isinstance(self.value, list):
            self.value.append(value)
        elif self.wants_key:
            if not isinstance(value, str):
                raise YamlProblem("a key must be plain text", event)
            if value in self.value:
                raise YamlProblem(f'the key "{value}" is given twice; remove one of them', event)
            self.key = value
            self.wants_key = False
        else:
            if self.key == "<<":
                self.merged.append((value, event))
            else:
                self.value[self.key] = value
            self.wants_key = True

    def merge(self) -> None:
        """Fill in the keys of ``<<: *other`` that are not written out here. From YAML 1.1, and widely used."""
        for value, event in self.merged:
            for other in value if isinstance(value, list) else [value]:
                if not isinstance(other, dict) or not isinstance(self.value, dict):
                    raise YamlProblem("<< needs a mapping or a list of mappings", event)
                for key, inherited in other.items():
                    self.value.setdefault(key, inherited)


def scalar(event: yaml.ScalarEvent) -> Any:
    """The value of a scalar by its tag, its quotes or its look."""
    if event.tag is None:
        return plain_scalar(event.value, event) if event.implicit[0] else event.value
    if event.tag == "!":
        return event.value
    name = TAGS.get(event.tag)
    if name == "str":
        return event.value
    value = plain_scalar(event.value, event)
    if name not in TAG_TYPES or not isinstance(value, TAG_TYPES[name]):
        raise YamlProblem(unknown_tag(event.tag) if name is None else f"this is not a {name}", event)
    return float(value) if name == "float" else value


def plain_scalar(text: str, event: yaml.Event) -> Any:
    """The value of an unquoted scalar: null, a boolean, a number or text."""
    if text in CONSTANTS:
        return CONSTANTS[text]
    if text[0] not in "0123456789+-.":
        return text
    if DECIMAL.fullmatch(text) or PREFIXED.fullmatch(text):
        number = int(text, 0) if len(text) < 80 else LARGEST_INTEGER + 1
        if not SMALLEST_INTEGER <= number <= LARGEST_INTEGER:
            raise YamlProblem("this whole number needs more than 64 bits; put it in quotes to keep it as text", event)
        return number
    if not FLOAT.fullmatch(text):
        if text in NO_FINITE_NUMBERS:
            raise YamlProblem(f"{text} cannot be stored or sent; write null or a text in quotes", event)
        return text
    value = float(text)
    if math.isinf(value):
        raise YamlProblem(f"the number {text[:40]} is too large; put it in quotes to keep it as text", event)
    return value


def unknown_tag(tag: str) -> str:
    """The sentence about a tag nobody here can read."""
    return f"the tag {tag.replace('tag:yaml.org,2002:', '!!')} is not supported; remove it"
