import gc
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torc.errors import InvalidSpec
from torc.models.draft import DraftRequirements
from torc.spec import load_document

JOB = "jobs: [{name: j, command: x}]"


def workflow(text: str, user: str = "ada"):
    return load_document(f"name: flow\n{JOB}\n{text}", source="flow.yaml", user=user).workflow


def test_a_workflow_has_the_defaults_of_the_contract():
    found = workflow("")
    assert (found.name, found.user, found.description, found.jobs_sort_method) == (
        "flow",
        "ada",
        None,
        "gpus_runtime_memory",
    )
    assert found.compute_node_expiration_buffer_seconds == 60
    assert found.compute_node_wait_for_new_jobs_seconds == 60
    assert found.compute_node_wait_for_healthy_database_minutes == 20
    assert found.compute_node_ignore_workflow_completion is False


def test_settings_of_a_workflow_are_kept():
    found = workflow(
        """
description: what for
user: bob
compute_node_expiration_buffer_seconds: 1
compute_node_wait_for_new_jobs_seconds: 0
compute_node_ignore_workflow_completion: true
compute_node_wait_for_healthy_database_minutes: 3
job_sort_method: none
"""
    )
    assert (found.user, found.description, found.jobs_sort_method) == ("bob", "what for", "none")
    assert found.compute_node_expiration_buffer_seconds == 1
    assert found.compute_node_wait_for_new_jobs_seconds == 0
    assert found.compute_node_wait_for_healthy_database_minutes == 3
    assert found.compute_node_ignore_workflow_completion is True


@pytest.mark.parametrize(
    ("section", "config"),
    [
        ("", (True, "summary", 5, False)),
        ("resource_monitor: {}", (True, "summary", 5, False)),
        ("resource_monitor: {enabled: false}", (False, "summary", 5, False)),
        (
            "resource_monitor: {granularity: time_series, sample_interval_seconds: 2, generate_plots: true}",
            (True, "time_series", 2, True),
        ),
    ],
)
def test_the_monitor_is_on_unless_switched_off(section, config):
    keys = ("enabled", "granularity", "sample_interval_seconds", "generate_plots")
    text = workflow(section).resource_monitor_config
    assert text == json.dumps(dict(zip(keys, config, strict=True)), separators=(",", ":"))


def test_jobs_have_the_defaults_of_the_contract(load):
    job = load(JOB).jobs[0]
    assert job.cancel_on_blocking_job_failure is True
    assert job.supports_termination is False
    assert job.resource_requirements is None
    assert job.invocation_script is None


def test_flags_of_a_job_are_kept(load):
    text = "jobs: [{name: j, command: x, cancel_on_blocking_job_failure: false, supports_termination: true}]"
    job = load(text).jobs[0]
    assert (job.cancel_on_blocking_job_failure, job.supports_termination) == (False, True)


def test_requirements_are_by_name_or_written_inside_the_job(load):
    document = load(
        """
        resource_requirements:
          - {name: big, num_cpus: 8, num_gpus: 1, num_nodes: 2, memory: 1.5g, runtime: PT5M}
          - {name: inline_1}
        jobs:
          - {name: a, command: x, resource_requirements: big}
          - {name: b, command: x, resource_requirements: {num_cpus: 2, memory: 1g}}
          - {name: c, command: x, resource_requirements: {memory: 1g, num_cpus: 2}}
          - {name: d, command: x, resource_requirements: {}}
        """
    )
    assert [job.resource_requirements for job in document.jobs] == [0, 2, 2, 3]
    big, default, shared, empty = document.resource_requirements
    assert big == DraftRequirements(name="big", num_cpus=8, num_gpus=1, num_nodes=2, memory="1.5g", runtime="PT5M")
    assert default == DraftRequirements(name="inline_1", runtime="PT1H")
    assert (shared.num_cpus, shared.memory, shared.runtime) == (2, "1g", "PT1H")
    assert len({record.name for record in document.resource_requirements}) == 4
    assert empty.num_cpus == 1


def test_null_and_empty_mean_left_out(load):
    document = load(
        """
        description: null
        parameters:
        files:
        user_data: []
        resource_requirements: null
        slurm_schedulers: []
        actions: null
        failure_handlers: []
        jobs:
          - {name: j, command: x, depends_on: null, parameters: {}, scheduler: null, use_parameters: []}
        """
    )
    assert len(document.jobs) == 1


def test_the_schema_that_an_editor_is_told_belongs_to_no_workflow():
    text = '{"$schema": "./workflow.schema.json", "name": "flow", "jobs": []}'
    assert load_document(text, source="f.json", user="u").workflow.name == "flow"


def test_json_says_the_same_as_yaml():
    data = {"name": "flow", "jobs": [{"name": "a_{i}", "command": "x {i}", "parameters": {"i": [1, 2]}}]}
    text = json.dumps(data)
    assert load_document(text, source="f.json", user="u") == load_document(text, source="f.yaml", user="u")


def test_garbage_collection_is_as_before_afterwards(load):
    assert gc.isenabled()
    load(JOB)
    assert gc.isenabled()


KEYS = st.sampled_from(
    ["name", "command", "jobs", "files", "user_data", "parameters", "use_parameters", "parameter_mode", "depends_on"]
    + ["depends_on_regexes", "input_files", "resource_requirements", "memory", "num_cpus", "path", "data", "actions"]
    + ["scheduler", "resource_monitor", "enabled", "user", "jobs_sort_method", "i"]
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False),
    st.sampled_from(["", " ", "a", "b", "a_{i}", "{i:03d}", "1:3", "zip", "2g", "PT1H", "(", ".", "${files.input.a}"]),
    st.text(max_size=5),
)
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=20
)
NAMES = st.sampled_from(["a", "b", "a_{i}", "{i:2d}", "{j}"])
ENTRIES = st.lists(
    st.fixed_dictionaries(
        {"name": NAMES},
        optional={
            "command": st.sampled_from(["x", "x {i}", "${files.input.a}", "${files.output.b}", "${user_data.input.a}"]),
            "path": st.sampled_from(["p", "p{i}"]),
            "parameters": TREES | st.just({"i": "1:3"}),
            "depends_on": st.lists(NAMES, max_size=2),
            "depends_on_regexes": st.lists(st.sampled_from([".", "a", "^a_{i}$", "("]), max_size=2),
            "resource_requirements": TREES | st.just({"memory": "1g"}),
            "input_files": TREES,
        },
    )
    | TREES,
    max_size=4,
)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(
    st.fixed_dictionaries({"name": LEAVES | st.just("f"), "jobs": ENTRIES | TREES}, optional={"files": ENTRIES}) | TREES
)
def test_whatever_the_content_it_is_a_document_or_a_refusal_in_words(data):
    text = json.dumps(data)
    try:
        document = load_document(text, source="f.json", user="u")
    except InvalidSpec as refused:
        assert all(line.startswith("f.json") for line in refused.message.splitlines())
    else:
        assert len({job.name for job in document.jobs}) == len(document.jobs)


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.sampled_from("abk:-?[]{}&*!|>'\"%@`#,. \n\t0159_\\~<=")) | st.text())
def test_whatever_the_text_it_is_a_document_or_a_refusal_in_words(text):
    with pytest.raises(InvalidSpec):
        load_document(text, source="f.yaml", user="u")
