"""The failure handlers of a document."""

import signal

from torc.models.draft import DraftFailureHandler
from torc.models.failure_handler import FailureRule
from torc.models.status import Cause
from torc.spec.document import FailureHandlerSpec, RuleSpec
from torc.spec.names import Names
from torc.spec.problems import Path, Problems

SIGNALS = {member.name: member.value for member in signal.Signals}
SIGNALS |= {name.removeprefix("SIG"): number for name, number in SIGNALS.items()}
"""Numbers by name, with and without the first three letters."""

DEFAULTS = FailureRule()


def build_failure_handlers(specs: list[FailureHandlerSpec], names: Names) -> list[DraftFailureHandler]:
    """All failure handlers, with names noted in ``names``."""
    handlers = []
    for position, spec in enumerate(specs):
        path: Path = ("failure_handlers", position)
        names.add(spec.name, path)
        if not spec.rules:
            names.problems.add((*path, "rules"), "a handler without rules handles nothing; add one")
        rules = [rule_of(rule, (*path, "rules", at), names.problems) for at, rule in enumerate(spec.rules)]
        handlers.append(DraftFailureHandler(name=spec.name, rules=rules))
    return handlers


def rule_of(spec: RuleSpec, path: Path, problems: Problems) -> FailureRule:
    """One rule."""
    if not (spec.exit_codes or spec.match_all_exit_codes or spec.signals or spec.causes):
        problems.add(path, "matches no failure; add exit_codes, match_all_exit_codes: true, signals or causes")
    return FailureRule(
        exit_codes=spec.exit_codes or [],
        match_all_exit_codes=spec.match_all_exit_codes is True,
        signals=[signal_number(one, (*path, "signals", at), problems) for at, one in enumerate(spec.signals or [])],
        causes=[Cause(cause) for cause in spec.causes or []],
        recovery_script=spec.recovery_script or None,
        max_retries=DEFAULTS.max_retries if spec.max_retries is None else spec.max_retries,
        backoff_s=DEFAULTS.backoff_s if spec.backoff_s is None else spec.backoff_s,
        memory_factor=spec.memory_factor,
        runtime_factor=spec.runtime_factor,
    )


def signal_number(given: str | int, path: Path, problems: Problems) -> int:
    """The number of a signal: ``TERM``, ``SIGTERM`` and 15 are the same."""
    number = SIGNALS.get(given.upper()) if isinstance(given, str) else given
    if number is None or not 1 <= number <= 64:
        problems.add(path, f'"{given}" is no signal; write a name such as TERM', unknown=str(given), known=SIGNALS)
        return 0
    return number
