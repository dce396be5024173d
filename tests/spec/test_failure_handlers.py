"""What becomes of ``failure_handlers``. What is wrong with them: test_mistakes.py."""

import signal

import pytest

from torc.models.failure_handler import FailureRule


def rules(load, text):
    """The rules of one handler."""
    (handler,) = load(f"failure_handlers: [{{name: h, rules: [{text}]}}]").failure_handlers
    return handler.rules


def test_a_rule_is_kept_and_the_rest_has_defaults(load):
    assert rules(load, "{exit_codes: [1, 137]}") == [
        FailureRule(exit_codes=[1, 137], max_retries=3, backoff_s=1, memory_factor=None, runtime_factor=None)
    ]


def test_every_key_of_a_rule_is_kept(load):
    (rule,) = rules(
        load,
        "{match_all_exit_codes: true, signals: [KILL], causes: [oom, lost_node], recovery_script: ./mend,"
        " max_retries: 0, backoff_s: 1.5, memory_factor: 2, runtime_factor: 1.5}",
    )
    assert rule == FailureRule(
        match_all_exit_codes=True,
        signals=[9],
        causes=["oom", "lost_node"],
        recovery_script="./mend",
        max_retries=0,
        backoff_s=1.5,
        memory_factor=2,
        runtime_factor=1.5,
    )


@pytest.mark.parametrize("written", ["TERM", "SIGTERM", "sigterm", "15"])
def test_a_signal_is_known_by_name_and_by_number(load, written):
    assert rules(load, f"{{signals: [{written}]}}")[0].signals == [signal.SIGTERM]


def test_the_order_of_the_rules_is_kept(load):
    found = rules(load, "{causes: [oom]}, {exit_codes: [1]}, {causes: [timeout]}")
    assert [(rule.causes, rule.exit_codes) for rule in found] == [(["oom"], []), ([], [1]), (["timeout"], [])]


def test_a_job_names_its_handler(load):
    document = load(
        """
        failure_handlers:
          - {name: patient, rules: [{causes: [exit]}]}
          - {name: none_1, rules: [{causes: [exit], max_retries: 0}]}
        jobs:
          - {name: a, command: x}
          - {name: "b_{i}", command: x, failure_handler: "none_{i}", parameters: {i: 1}}
        """
    )
    assert [job.failure_handler for job in document.jobs] == [None, 1]
