"""Specification text in any format to the same plain mapping. Says where the text stops making sense."""

import json
from pathlib import PurePath
from typing import Any

import yaml

from torc.errors import InvalidSpec
from torc.spec.problems import printable
from torc.spec.yaml_text import LARGEST_INTEGER, MAX_DEPTH, SMALLEST_INTEGER, YamlProblem, parse_yaml

NOT_YET = {".json5": "JSON5", ".kdl": "KDL"}


def parse_text(text: str, source: str) -> Any:
    """The content of a specification called ``source``, whose extension names the format.

    Without a known extension JSON is tried, then YAML. Raises InvalidSpec with line and column.
    """
    text = text.removeprefix("\ufeff")
    extension = PurePath(source).suffix.lower()
    if extension in NOT_YET:
        raise InvalidSpec(f"{source}: this version does not read {NOT_YET[extension]} yet; write it as YAML or JSON")
    if extension == ".json":
        return read_json(text, source)
    if extension not in (".yaml", ".yml") and text.lstrip().startswith("{"):
        try:
            return read_json(text, source)
        except InvalidSpec as error:
            try:
                return read_yaml(text, source)
            except InvalidSpec:
                raise error from None
    return read_yaml(text, source)


def read_yaml(text: str, source: str) -> Any:
    """Parse YAML."""
    try:
        return parse_yaml(text)
    except YamlProblem as error:
        raise InvalidSpec(f"{source}{position(error.mark)}: {printable(error.sentence)}") from error
    except yaml.MarkedYAMLError as error:
        problem = error.problem or error.context or "it ends too early"
        raise InvalidSpec(
            f"{source}{position(error.problem_mark)}: not valid YAML: {problem};"
            f" {cure(problem, text, error.problem_mark)}"
        ) from error
    except yaml.reader.ReaderError as error:
        where = text.count("\n", 0, error.position) + 1 if isinstance(error.position, int) else 1
        raise InvalidSpec(f"{source}:{where}: a character that YAML does not allow; remove it") from error


def position(mark: Any) -> str:
    """``:line:column``, counted from 1."""
    return f":{mark.line + 1}:{mark.column + 1}" if mark else ""


def cure(problem: str, text: str, mark: Any) -> str:
    """What usually helps against a parser's complaint."""
    line = text.splitlines()[mark.line : mark.line + 1] if mark else []
    if line and "\t" in line[0][: len(line[0]) - len(line[0].lstrip())]:
        return "indent with spaces instead of tabs"
    if "mapping values are not allowed" in problem:
        return 'put quotes around text that contains ": "'
    if "cannot start any token" in problem:
        return "put quotes around the text"
    return "check the indentation and the quotes just before this place"


def read_json(text: str, source: str) -> Any:
    """Parse JSON. The standard library's reader, because it can refuse repeated keys and names line and column."""
    try:
        value = json.loads(text, object_pairs_hook=mapping, parse_int=whole_number, parse_constant=refuse_constant)
    except json.JSONDecodeError as error:
        raise InvalidSpec(
            f"{source}:{error.lineno}:{error.colno}: not valid JSON: {error.msg};"
            " check the commas and quotes just before this place"
        ) from error
    except RecursionError as error:
        raise InvalidSpec(f"{source}: nested more than {MAX_DEPTH} levels deep") from error
    except ValueError as error:
        raise InvalidSpec(f"{source}: {printable(str(error))}") from error
    if r"\ud" in text.lower():
        refuse_lone_surrogates(value, source)
    return value


def mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, each key once."""
    value = dict(pairs)
    if len(value) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f'the key "{twice}" is given twice in one object; remove one of them')
    return value


def whole_number(text: str) -> int:
    """A JSON integer of at most 64 bits."""
    number = int(text) if len(text) < 80 else LARGEST_INTEGER + 1
    if not SMALLEST_INTEGER <= number <= LARGEST_INTEGER:
        raise ValueError(f"the whole number {text[:40]} needs more than 64 bits; put it in quotes to keep it as text")
    return number


def refuse_constant(name: str) -> None:
    """Refuse what Python's reader accepts beyond JSON."""
    raise ValueError(f"{name} is not valid JSON; write null or a text in quotes")


def refuse_lone_surrogates(value: Any, source: str) -> None:
    """Refuse half characters such as a lone ``\\ud800``: they cannot be sent, stored or printed."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise InvalidSpec(f"{source}: half of a \\ud800-style character pair; write the character itself") from error
