"""Whatever the text: a document or InvalidSpec. And one content is one document in all four formats."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from torc.errors import InvalidSpec
from torc.models.draft import DraftDocument
from torc.spec import load_document

FUZZ = settings(deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
SOURCES = ["flow.yaml", "flow.json", "flow.json5", "flow.kdl", "-"]

Tree = dict[str, Any]

CONTENT: Tree = {
    "name": "flow",
    "description": 'all "sections"',
    "parameters": {"i": "1:3", "lr": [0.1, 0.01]},
    "jobs": [
        {"name": "prepare", "command": "prepare > ${files.output.raw}", "resource_requirements": "small"},
        {
            "name": "train_{i}_{lr:.2f}",
            "command": "train {i} {lr} ${files.input.raw} ${user_data.input.settings}",
            "use_parameters": ["i", "lr"],
            "resource_requirements": {"num_cpus": 2, "memory": "1g"},
            "failure_handler": "again",
            "output_files": ["model_{i}"],
        },
        {"name": "report", "command": "report", "depends_on_regexes": ["^train_.*"], "supports_termination": True},
        {"name": "last", "command": "true", "depends_on": ["report", "prepare"], "scheduler": "short"},
    ],
    "files": [
        {"name": "raw", "path": "raw.csv"},
        {"name": "model_{i}", "path": "m/{i:03d}", "parameters": {"i": "1:3"}},
    ],
    "user_data": [{"name": "settings", "data": {"depth": [1, 2.5, None, "x"], "deep": {"er": True}}}],
    "resource_requirements": [{"name": "small", "num_cpus": 1, "memory": "512m", "runtime": "PT5M"}],
    "slurm_schedulers": [{"name": "short", "account": "a", "nodes": 1, "walltime": "04:00:00"}],
    "failure_handlers": [{"name": "again", "rules": [{"exit_codes": [1, 2], "max_retries": 3}]}],
    "resource_monitor": {"enabled": True, "sample_interval_seconds": 5},
    "actions": [{"trigger_type": "on_workflow_start", "action_type": "run_commands", "commands": ["mkdir m", "ls"]}],
}


def as_json5(value: Any) -> str:
    """With everything that JSON5 adds."""
    if isinstance(value, dict):
        return (
            "{ /* { */"
            + "".join(f"{as_json5_key(key)}: {as_json5(item)}, // }}\n" for key, item in value.items())
            + "}"
        )
    if isinstance(value, list):
        return f"[{''.join(as_json5(item) + ',' for item in value)}]"
    if isinstance(value, str):
        return "'{}'".format(json.dumps(value)[1:-1].replace(r"\"", '"').replace("'", r"\'"))
    return hex(value) if type(value) is int else json.dumps(value)


def as_json5_key(key: str) -> str:
    return key if key.isascii() and key.isidentifier() else as_json5(key)


def as_yaml(value: Any, indent: int = 0) -> str:
    """In block style."""
    space = "\n" + "  " * indent
    if isinstance(value, dict) and value:
        return "".join(f"{space}{as_yaml(key)}: {as_yaml(item, indent + 1)}" for key, item in value.items())
    if isinstance(value, list) and value:
        return "".join(f"{space}- {as_yaml(item, indent + 1)}" for item in value)
    if isinstance(value, str):
        return '"{}"'.format("".join(yaml_character(character) for character in value))
    return json.dumps(value)


def yaml_character(character: str) -> str:
    return character if character.isprintable() and character not in '"\\' else f"\\U{ord(character):08x}"


NODES = {
    "jobs": "job",
    "files": "file",
    "actions": "action",
    "slurm_schedulers": "slurm_scheduler",
    "failure_handlers": "failure_handler",
    "rules": "rule",
}


def as_kdl(tree: Tree) -> str:
    """Lists of mappings as one node each, other lists as arguments, empty ones not at all."""
    return "\n".join(
        line for key, value in tree.items() if value != [] or key == "data" for line in kdl_nodes(key, value)
    )


def kdl_nodes(key: str, value: Any) -> list[str]:
    if key == "data":
        return [f"data {kdl_value(json.dumps(value))}"]
    if isinstance(value, dict):
        return [f"{kdl_value(key)} {{\n{as_kdl(value)}\n}} // }}"]
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return [node for item in value for node in kdl_nodes(NODES.get(key, key), item)]
    values = value if isinstance(value, list) else [value]
    return [" ".join([kdl_value(key), *map(kdl_value, values)])]


def kdl_value(value: Any) -> str:
    if isinstance(value, str):
        return '"{}"'.format("".join(kdl_character(character) for character in value))
    return (
        json.dumps(value) if isinstance(value, float | int) and not isinstance(value, bool) else f"#{json.dumps(value)}"
    )


def kdl_character(character: str) -> str:
    return character if character.isprintable() and character not in '"\\' else f"\\u{{{ord(character):x}}}"


WRITERS: dict[str, Callable[[Tree], str]] = {
    "flow.json": json.dumps,
    "flow.json5": as_json5,
    "flow.yaml": as_yaml,
    "flow.kdl": as_kdl,
}
YAML_ONLY = """
x: &text sleep 1
name: flow
base: &base {command: *text, resource_requirements: {num_cpus: 1}}
jobs:
- {<<: *base, name: a}
- <<: [*base]
  name: b
  depends_on:
    - a
"""
SEEDS = [write(CONTENT) for write in WRITERS.values()] + [YAML_ONLY]

CHUNKS = [
    *"{}[]()\"'`,:;#/*\\&!|>%@=-+.0\n\t ~$",
    *("\r\n", "\0", "\x01", "\x7f", "\x85", "\u2028", "\ufeff", "é", "\N{GRINNING FACE}", "\ud800"),
    *(": ", "- ", "<<: ", "*text", "&text ", "? ", "---\n", "...\n", "%YAML 1.1\n", "!!binary ", "!!set "),
    *(
        "/*",
        "*/",
        "//",
        "/-",
        '"""',
        '#"',
        '"#',
        'r"',
        "#true",
        "#null",
        "#inf",
        "true",
        "null",
        "NaN",
        "-Infinity",
        "0x",
    ),
    *("9" * 30, "1e999", "-9223372036854775809", "1:9", "[1,2]", "{i}", "{i:03d}", "{i:.2e}", "${files.input.raw}"),
    *(
        "\\u0000",
        "\\ud800",
        "\\u{d800}",
        "\\x41",
        "[" * 150,
        "{" * 150,
        "- " * 150,
        "{a:" * 150,
        "a {\n" * 150,
        "(" * 150,
    ),
    *("!!python/object/apply:os.system [exit]", "(?P<", "name", "jobs", "command", "data", "parameters", "depends_on"),
]


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A good text with a few changes."""
    text = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = start + draw(st.integers(0, 40))
        chunk = draw(st.sampled_from(CHUNKS))
        other = draw(st.integers(0, len(text)))
        text = draw(
            st.sampled_from(
                [
                    text[:start] + text[end:],
                    text[:end] + text[start:],
                    text[:start] + chunk + text[start:],
                    text[:start] + chunk + text[end:],
                    text[:start] + text[other : other + 40] + text[start:],
                    text[:start]
                    + text[end : end + 1]
                    + text[start + 1 : end]
                    + text[start : start + 1]
                    + text[end + 1 :],
                ]
            )
        )
    return text


def in_memory(document: DraftDocument | None) -> DraftDocument | None:
    """With the jobs, which a document may make anew for each reader."""
    return replace(document, jobs=list(document.jobs)) if document else None


def load(text: str, source: str) -> DraftDocument | None:
    """The document, or None where the text is refused as it should be."""
    try:
        return load_document(text, source=source, user="u")
    except InvalidSpec as error:
        assert error.message.startswith(f"{source}:")
        error.message.encode()
        return None


@pytest.mark.parametrize("source", WRITERS)
def test_the_seeds_are_good(source):
    text = WRITERS[source](CONTENT)
    assert len(load_document(text, source=source, user="u").jobs) == 9
    assert in_memory(load(text, "-")) == in_memory(load(text, source))


@settings(FUZZ, max_examples=1200)
@given(mutated())
def test_a_changed_text_is_read_or_refused(text):
    for source in SOURCES:
        load(text, source)


@settings(FUZZ, max_examples=800)
@given(st.lists(st.sampled_from(CHUNKS) | st.text(max_size=3), max_size=12).map("".join))
def test_any_text_is_read_or_refused(text):
    for source in SOURCES:
        load(text, source)


WORD = st.text(st.characters(codec="utf-8", exclude_characters="\0{}$"), min_size=1, max_size=8)
NAME = st.sampled_from(["a", "b", "c", "ü x", '"', "null", "1:10", "#true", "yes", "010"]) | WORD
NUMBER = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
DATA = st.recursive(
    st.none() | st.booleans() | NUMBER | WORD,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORD, inner, max_size=3),
    max_leaves=6,
)
NAMES = st.lists(NAME, max_size=3)


def entries(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A few mappings with names."""
    optional = {name: strategy for name, strategy in fields.items() if name not in ("path", "command", "account")}
    needed = {name: strategy for name, strategy in fields.items() if name not in optional}
    mapping = st.fixed_dictionaries({"name": NAME, **needed}, optional=optional)
    return st.lists(mapping, max_size=4, unique_by=lambda entry: entry["name"])


TREES = st.fixed_dictionaries(
    {
        "name": NAME,
        "jobs": entries(
            command=NAME,
            invocation_script=WORD,
            depends_on=NAMES,
            input_files=NAMES,
            output_files=NAMES,
            input_user_data=NAMES,
            supports_termination=st.booleans(),
            resource_requirements=st.fixed_dictionaries({"num_cpus": st.integers(1, 3)}),
            parameters=st.dictionaries(
                st.sampled_from("ij"), st.lists(NUMBER | WORD, min_size=2, max_size=3), min_size=1
            ),
        ),
    },
    optional={
        "description": WORD,
        "files": entries(path=WORD),
        "user_data": entries(data=DATA, is_ephemeral=st.booleans()),
        "resource_requirements": entries(num_cpus=st.integers(1, 9), memory=st.just("1g")),
        "slurm_schedulers": entries(account=st.sampled_from(["a", "b-1", "ü"]), nodes=st.integers(1, 3)),
        "compute_node_wait_for_new_jobs_seconds": st.integers(0, 9),
    },
)
TARGETS = {"depends_on": "jobs", "input_files": "files", "output_files": "files", "input_user_data": "user_data"}


def with_names_that_exist(tree: Tree) -> Tree:
    """Without most of the mistakes that are the same in every format."""
    outputs = set()
    for position, job in enumerate(tree["jobs"]):
        for field, section in TARGETS.items():
            known = {
                entry["name"] for entry in tree.get(section, [])[: position if section == "jobs" else None]
            } - outputs
            if field in job:
                job[field] = [name for name in job[field] if name in known]
        outputs |= {*job.get("output_files", []), *job.get("input_files", [])}
    return tree


@settings(FUZZ, max_examples=600)
@given(TREES.map(with_names_that_exist))
def test_one_content_is_one_document_in_all_formats(tree):
    documents = [in_memory(load(write(tree), source)) for source, write in WRITERS.items()]
    assert documents[1:] == documents[:-1]


def test_aliases_cannot_fill_the_memory_and_tags_run_nothing(tmp_path):
    levels = "".join(f"  - &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))
    text = f"name: n\njobs: []\nuser_data:\n- name: u\n  data:\n  - &a0 [x]\n{levels}"
    with pytest.raises(InvalidSpec, match="aliases repeat more than 10,000,000 values"):
        load_document(text, source="-", user="u")
    command = f"touch {tmp_path}/made"
    for text in (
        f'name: !!python/object/apply:os.system ["{command}"]',
        f'{{"__import__": "{command}"}}',
        f'import "{command}"',
    ):
        for source in SOURCES:
            load(text, source)
    assert not list(tmp_path.iterdir())
