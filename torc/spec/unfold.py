"""One entry of a specification with parameters, written out as the entries it stands for."""

from typing import Any

import msgspec

from torc.spec.document import JobSpec
from torc.spec.entry import Entry
from torc.spec.jobs import TextList
from torc.spec.parameters import parse_pool
from torc.spec.problems import Problems

PARAMETERS = ("parameters", "parameter_mode", "use_parameters")


def unfold(tree: dict[str, Any], position: int) -> list[dict[str, Any]]:
    """The jobs of ``tree["jobs"][position]``, each as an entry without parameters. The tree has been checked."""
    written: dict[str, Any] = tree["jobs"][position]
    problems = Problems("", "")
    spec = msgspec.convert(written, JobSpec)
    entry = Entry(spec, spec.name, ("jobs", position), parse_pool(tree.get("parameters") or {}, (), problems), problems)
    found = []
    for combination in entry.combinations():
        job: dict[str, Any] = {}
        for key, value in written.items():
            if key in PARAMETERS:
                continue
            if isinstance(value, str):
                job[key] = entry.scalar(value, ()).fill(combination)
            elif isinstance(value, list):
                texts = TextList(value, key, entry, regex=key.endswith("regexes"))
                job[key] = [text for text, _ in texts.texts(combination)]
            else:
                job[key] = value
        found.append(job)
    return found
