"""The JSON Schema of specifications: every key explained, and the same verdict on every document as the reader's."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.spec.test_mistakes import MISTAKES
from torc.errors import InvalidSpec
from torc.spec import document, load_document
from torc.spec.decode import decode
from torc.spec.descriptions import DESCRIPTIONS
from torc.spec.formats.read import parse_text
from torc.spec.problems import Problems
from torc.spec.schema import json_schema

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "docs" / "workflow.schema.json"
EXAMPLES = [path for kind in ("yaml", "json", "json5", "kdl") for path in sorted(ROOT.glob(f"examples/**/*.{kind}"))]
SCHEMA = Draft202012Validator(json_schema())

FULL = parse_text(
    """
name: full
parameters: {i: "1:3", j: [1, 2.5, x, true], k: 5, l: word}
jobs_sort_method: none
compute_node_wait_for_new_jobs_seconds: 0
jobs:
  - name: a
    command: x
    parameters: {i: "1:3"}
    parameter_mode: zip
    use_parameters: [j]
    cancel_on_blocking_job_failure: false
    resource_requirements: {num_cpus: 2, memory: 1g}
    depends_on: [b]
  - {name: b, command: x, resource_requirements: small}
files: [{name: f, path: p, st_mtime: 1.5}]
user_data: [{name: u, is_ephemeral: true, data: {x: [1, ~, {y: z}]}}]
resource_requirements: [{name: small, num_cpus: 1, num_gpus: 0, num_nodes: 1, memory: 1m, runtime: PT1M}]
slurm_schedulers: [{name: s, account: a, nodes: 2, walltime: "04:00:00", ntasks_per_node: 1}]
failure_handlers:
  - {name: h, rules: [{exit_codes: [1], signals: [TERM, 9], causes: [oom], max_retries: 0, memory_factor: 1}]}
resource_monitor: {enabled: true, granularity: time_series, sample_interval_seconds: 1, generate_plots: false}
actions:
  - {trigger_type: on_workflow_start, action_type: schedule_nodes, scheduler_type: slurm, num_allocations: 1}
  - {trigger_type: on_jobs_complete, action_type: run_commands, commands: [x], jobs: [b], persistent: false}
""",
    "full.yaml",
)
REPLACEMENTS: list[Any] = [None, True, -1, 0, 2**31, 0.25, "none", [], ["x"], [None], {}, {"x": 1}]


def is_decoded(tree: Any) -> bool:
    """Whether the reader takes a document; a copy of it, which decoding may change."""
    try:
        problems = Problems("", "flow.yaml")
        decode(copy.deepcopy(tree), problems)
        problems.raise_if_any()
    except InvalidSpec:
        return False
    return True


def places(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """Everything in a document: what holds it, and the way there."""
    steps = list(tree) if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ()
    for step in steps:
        yield tree, (*path, step)
        yield from places(tree[step], (*path, step))


def changes(tree: Any) -> Iterator[str]:
    """Change one value of a document after the other, in place and only while the change is looked at."""
    for holder, path in list(places(tree)):
        kept = holder[path[-1]]
        for value in REPLACEMENTS:
            holder[path[-1]] = value
            yield f"{path} = {value!r}"
        holder[path[-1]] = kept
        if isinstance(holder, dict):
            holder["unheard_of"] = holder.pop(path[-1])
            yield f"{path} renamed"
            holder[path[-1]] = holder.pop("unheard_of")


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(json_schema())


def test_every_key_is_described_where_it_is_declared_and_nothing_else() -> None:
    mappings = [kind for kind in vars(document).values() if getattr(kind, "__module__", "") == document.__name__]
    declared = {kind: set(kind.__annotations__) for kind in mappings}
    assert {kind: set(texts) for kind, texts in DESCRIPTIONS.items()} == declared


def test_the_schema_in_docs_is_the_one_the_command_gives() -> None:
    again = "write it anew: torc workflows spec-schema -o docs/workflow.schema.json"
    assert json.loads(KEPT.read_text()) == json_schema(), again


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: str(path.relative_to(ROOT)))
def test_an_example_follows_the_schema(path: Path) -> None:
    SCHEMA.validate(parse_text(path.read_text(), path.name))


@pytest.mark.parametrize(
    "text", [text for text, _ in MISTAKES if not is_decoded(parse_text(f"name: flow\n{text}\n", "flow.yaml"))]
)
def test_a_wrong_key_type_or_word_is_refused(text: str) -> None:
    assert not SCHEMA.is_valid(parse_text(f"name: flow\n{text}\n", "flow.yaml"))


@pytest.mark.parametrize("key", FULL)
def test_the_schema_and_the_reader_judge_every_change_of_a_document_alike(key: str) -> None:
    tree = {"name": "flow", "jobs": [], key: copy.deepcopy(FULL[key])}
    assert (SCHEMA.is_valid(tree), is_decoded(tree)) == (True, True)
    judged = {change: (SCHEMA.is_valid(tree), is_decoded(tree)) for change in changes(tree)}
    # What a parameter may be is decided after decoding, so there the schema says earlier what is wrong.
    different = [change for change, (valid, decoded) in judged.items() if valid != decoded]
    assert [change for change in different if "parameters" not in change or judged[change] == (True, False)] == []
    assert (SCHEMA.is_valid(tree), is_decoded(tree)) == (True, True)


@pytest.mark.parametrize("value", ["1:3", 5, 0.5, True, "[a, b]", [1, "x", 2.5, False]])
def test_a_value_that_a_parameter_may_have_follows_the_schema(value: Any) -> None:
    SCHEMA.validate({"name": "f", "parameters": {"i": value}, "jobs": []})


@pytest.mark.parametrize("value", [None, {}, {"a": 1}, [], [None], [[1]]])
def test_a_value_that_no_parameter_may_have_is_refused(value: Any) -> None:
    tree = {"name": "f", "parameters": {"i": value}, "jobs": []}
    assert not SCHEMA.is_valid(tree)
    with pytest.raises(InvalidSpec):
        load_document(json.dumps(tree), source="f.json", user="ada")
