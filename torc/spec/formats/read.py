"""Specification text in any format to the same plain mapping. Says where the text stops making sense."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from torc.errors import InvalidSpec
from torc.spec.formats.syntax import languages, line_and_column
from torc.spec.problems import Problems, printable


def parse_text(text: str, source: str) -> Any:
    """The content of a specification called ``source``, whose extension names the format.

    Without a known extension the text is tried as what it looks like first. Raises InvalidSpec with line and column.
    """
    problems = Problems(text, source)
    content = read_text(text, problems)
    problems.raise_if_any()
    return content


def read_text(text: str, problems: Problems) -> Any:
    """The same; mistakes that leave something to be checked further go to ``problems`` instead."""
    source = problems.source
    text = text.removeprefix("\ufeff")
    refuse_half_characters(text, source)
    likeliest, *others = [READERS[language] for language in languages(text, source)]
    try:
        return likeliest(text, problems)
    except InvalidSpec:
        for read in others:
            with suppress(InvalidSpec):
                attempt = Problems(text, source)
                content = read(text, attempt)
                attempt.raise_if_any()
                if isinstance(content, dict):  # YAML reads nearly any text as one long word
                    return content
        raise


def refuse_half_characters(text: str, source: str) -> None:
    """Refuse what Python makes of bytes that are no text: it cannot be sent, stored or printed."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidSpec(f"{source}{at(text, error.start)}: this is no text in UTF-8; save it as UTF-8") from error


# Each reader imports what it reads with, so that nobody waits for what is made for other formats.


def read_yaml(text: str, problems: Problems) -> Any:
    """Parse YAML."""
    import yaml

    from torc.spec.formats.yaml_text import MAX_DEPTH, YamlProblem, parse_yaml

    source = problems.source
    try:
        return parse_yaml(text)
    except YamlProblem as error:
        raise InvalidSpec(f"{source}{position(error.mark)}: {printable(error.sentence)}") from error
    except yaml.MarkedYAMLError as error:
        problem = error.problem or error.context or "it ends too early"
        if "nesting depth" in problem:  # libyaml looks ahead, and may come to its own limit before we come to ours
            place = position(error.problem_mark)
            raise InvalidSpec(f"{source}{place}: nested more than {MAX_DEPTH} levels deep") from error
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


def read_json(text: str, problems: Problems) -> Any:
    """Parse JSON."""
    from torc.spec.formats.json_text import parse_json

    return read_with(parse_json, text, problems)


def read_json5(text: str, problems: Problems) -> Any:
    """Parse JSON5."""
    from torc.spec.formats.json5_text import parse_json5

    return read_with(parse_json5, text, problems)


def read_with(parse: Callable[[str], Any], text: str, problems: Problems) -> Any:
    """Parse by the rules of ``parse``."""
    from torc.spec.formats.json_text import JsonProblem

    try:
        return parse(text)
    except JsonProblem as problem:
        from torc.spec.formats.json_places import offset_of

        offset = offset_of(problem, text)
        raise InvalidSpec(f"{problems.source}{at(text, offset)}: {printable(problem.sentence)}") from problem


def read_kdl(text: str, problems: Problems) -> Any:
    """Parse KDL."""
    from torc.spec.formats.kdl_syntax import KdlProblem, parse_nodes
    from torc.spec.formats.kdl_text import KdlReader

    try:
        nodes, _ = parse_nodes(text)
    except KdlProblem as problem:
        place = at(text, problem.offset)
        raise InvalidSpec(f"{problems.source}{place}: {printable(problem.sentence)}") from problem
    reader = KdlReader()
    content = reader.specification(nodes)
    for path, sentence in reader.mistakes:
        problems.add(path, sentence)
    return content


def at(text: str, offset: int | None) -> str:
    """``:line:column`` of a place, if it is known."""
    return "" if offset is None else ":{}:{}".format(*line_and_column(text, offset))


READERS: dict[str, Callable[[str, Problems], Any]] = {
    "JSON": read_json,
    "JSON5": read_json5,
    "YAML": read_yaml,
    "KDL": read_kdl,
}
