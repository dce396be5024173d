"""The workflows that are measured, as text."""

from pathlib import Path


def independent(count: int, command: str = "true") -> str:
    """``count`` jobs that wait for nothing, in five lines."""
    return f"""\
name: independent
jobs:
  - name: job_{{i}}
    command: {command}
    parameters: {{i: "1:{count}"}}
"""


def chain(count: int, command: str) -> str:
    """Each job waits for the one before."""
    first = f"name: chain\njobs:\n  - {{name: job_0, command: '{command}'}}\n"
    return first + "".join(
        f"  - {{name: job_{i}, command: '{command}', depends_on: [job_{i - 1}]}}\n" for i in range(1, count)
    )


def barrier(width: int) -> str:
    """``width`` jobs, one that waits for all of them, ``width`` that wait for it, and one at the end."""
    return f"""\
name: barrier
jobs:
  - name: first_{{i}}
    command: "true"
    parameters: {{i: "1:{width}"}}
  - name: middle
    command: "true"
    depends_on_regexes: ["^first_"]
  - name: second_{{i}}
    command: "true"
    depends_on: [middle]
    parameters: {{i: "1:{width}"}}
  - name: last
    command: "true"
    depends_on_regexes: ["^second_"]
"""


def all_to_all(width: int) -> str:
    """Each of ``width`` jobs waits for each of ``width`` others."""
    return f"""\
name: all_to_all
jobs:
  - name: before_{{i}}
    command: "true"
    parameters: {{i: "1:{width}"}}
  - name: after_{{i}}
    command: "true"
    depends_on_regexes: ["^before_"]
    parameters: {{i: "1:{width}"}}
"""


def all_to_one_to_all(width: int) -> str:
    """The same order by hand: a job in the middle."""
    return f"""\
name: by_hand
jobs:
  - name: before_{{i}}
    command: "true"
    parameters: {{i: "1:{width}"}}
  - name: middle
    command: "true"
    depends_on_regexes: ["^before_"]
  - name: after_{{i}}
    command: "true"
    depends_on: [middle]
    parameters: {{i: "1:{width}"}}
"""


def relay(legs: int, folder: Path) -> str:
    """A leg is one job and two that wait for it; the next leg waits for both. One of the two has to run elsewhere.

    ``head_N`` in ``folder`` is when the job ended, ``left_N`` and ``right_N`` when those started.
    """
    lines = ["name: relay", "jobs:"]
    for leg in range(legs):
        waits = f", depends_on: [left_{leg - 1}, right_{leg - 1}]" if leg else ""
        head = f"sleep 0.3; echo $EPOCHREALTIME > {folder}/head_{leg}"
        lines.append(f"  - {{name: head_{leg}, command: '{head}'{waits}}}")
        for side in ("left", "right"):
            command = f"echo $EPOCHREALTIME > {folder}/{side}_{leg}; sleep 0.3"
            lines.append(f"  - {{name: {side}_{leg}, command: '{command}', depends_on: [head_{leg}]}}")
    return "\n".join(lines) + "\n"


def stages(count: int, width: int) -> str:
    """``count`` stages of ``width`` jobs, each after all jobs of the one before."""
    lines = ["name: stages", f'parameters: {{i: "1:{width}"}}', "jobs:"]
    for stage in range(count):
        waits = f', depends_on_regexes: ["^stage_{stage - 1}_"]' if stage else ""
        lines.append(f'  - {{name: "stage_{stage}_{{i}}", command: "true", use_parameters: [i]{waits}}}')
    return "\n".join(lines) + "\n"


def written_out(count: int) -> dict[str, str]:
    """As many jobs without a parameter, each an entry of its own, in every format by its extension."""
    names = [f"job_{number}" for number in range(1, count + 1)]
    entries = [f'{{"name": "{name}", "command": "true"}}' for name in names]
    inside = ",\n    ".join(entries)
    return {
        "yaml": "name: written_out\njobs:\n" + "".join(f'  - name: {name}\n    command: "true"\n' for name in names),
        "json": f'{{\n  "name": "written_out",\n  "jobs": [\n    {inside}\n  ]\n}}\n',
        "json5": "{\n  name: 'written_out',\n  jobs: [\n"
        + "".join(f"    {{name: '{name}', command: 'true'}},\n" for name in names)
        + "  ],\n}\n",
        "kdl": 'name "written_out"\n' + "".join(f'job "{name}" {{\n    command "true"\n}}\n' for name in names),
    }
