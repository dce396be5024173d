"""``${files.input.NAME}`` and its relatives in commands: what they stand for, and which links they make.

Any other ``${...}`` belongs to the shell.
"""

import re
from collections.abc import Sequence

from torc.spec.names import Names
from torc.spec.problems import Path, Problems

REFERENCE = re.compile(r"\$\{(files|user_data|user_data_json)\.([^}]*)\}")

LINKS = {
    ("files", "input"): "input_files",
    ("files", "output"): "output_files",
    ("user_data", "input"): "input_user_data",
    ("user_data", "output"): "output_user_data",
}


class References:
    """Resolves the references in the commands of one document."""

    def __init__(self, files: Names, paths: Sequence[str], user_data: Names, problems: Problems) -> None:
        """``paths`` are those of the files, by index."""
        self.names = {"files": files, "user_data": user_data}
        self.paths = paths
        self.problems = problems

    def resolve(self, text: str, path: Path, links: dict[str, set[int]]) -> str:
        """``text`` with file references replaced by paths; ``links`` gains the indexes by job field.

        User data stays by name: the server fills in ids, or the JSON text, when it hands the job out.
        """

        def replacement(match: re.Match[str]) -> str:
            kind = "files" if match[1] == "files" else "user_data"
            direction, _, name = match[2].partition(".")
            field = LINKS.get((kind, direction))
            if field is None or not name:
                self.problems.add(path, f"cannot read {match[0]}; write ${{{match[1]}.input.NAME}} or .output.NAME")
                return match[0]
            position = self.names[kind].look_up(name, path)
            if position is None:
                return match[0]
            links.setdefault(field, set()).add(position)
            return self.paths[position] if kind == "files" else match[0]

        return REFERENCE.sub(replacement, text)
