"""``torc config``: what is set, where, and whether it can be used. None of it fails because a file is wrong."""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torc import configuration, settings
from torc.cli import toml
from torc.cli.command import argument, command, flag
from torc.cli.output import Message
from torc.errors import EXIT_ERROR, TorcError, UsageError
from torc.settings import Found, Setting

HIDDEN = "(hidden)"
"""Shown instead of a password."""


def _tree_format(text: str) -> str:
    if text not in ("toml", "json", "table"):
        raise argparse.ArgumentTypeError(f"Unknown format {text!r}. Use 'toml' or 'json'.")
    return text


@command(
    "config show",
    argument(
        "-f",
        "--format",
        metavar="FORMAT",
        type=_tree_format,
        default=argparse.SUPPRESS,
        help="toml or json (default: toml)",
    ),
    flag("--origins", help="say of each value where it was set"),
    needs_server=False,
    needs_settings=False,
    examples=(
        "torc config show",
        "torc config show --origins   # which file or variable says so",
        "torc config show -f json",
    ),
)
def show(*, origins: bool, format: str | None = None) -> Message:
    """Show the settings that count here, from files, environment and defaults."""
    found = {key: setting.found() for key, setting in settings.BY_KEY.items()}
    found |= {
        key: Found(entry.value, entry.place)
        for key, entry in settings.in_files().items()
        if key.startswith(settings.FREE_FORM)
    }
    shown = {key: _shown(key, one) for key, one in found.items()}
    return Message(says="\n\n".join(_tables(shown, origins=origins)), data=_tree(shown, origins=origins))


def _shown(key: str, found: Found) -> Found:
    setting = settings.BY_KEY.get(key)
    if setting and setting.is_secret and found.value is not None:
        return found._replace(value=HIDDEN)
    if setting is settings.TIME_LIMIT and found.value is not None:
        return found._replace(value=f"PT{found.value}S")  # a bare number would be read as minutes
    return found._replace(value=str(found.value)) if isinstance(found.value, Path) else found


def _tree(found: dict[str, Found], *, origins: bool) -> dict[str, Any]:
    """Nested as in a file; what is unset is null."""
    tree: dict[str, Any] = {}
    for key, one in found.items():
        *tables, name = key.split(".")
        table = tree
        for part in tables:
            table = table.setdefault(part, {})
        table[name] = {"value": one.value, "origin": one.origin} if origins else one.value
    return tree


def _tables(found: dict[str, Found], *, origins: bool) -> Iterator[str]:
    """TOML, a paragraph for each table; what is unset is left out."""
    for table in sorted({key.rpartition(".")[0] for key in found}):
        lines = [f"[{'.'.join(map(toml.as_key, table.split('.')))}]"]
        for key, one in found.items():
            prefix, _, name = key.rpartition(".")
            if prefix == table and one.value is not None:
                remark = f"  # {one.origin}" if origins else ""
                lines.append(f"{name} = {toml.as_value(one.value)}{remark}")
        yield "\n".join(lines)


@command(
    "config paths",
    needs_server=False,
    needs_settings=False,
    examples=("torc config paths",),
)
def paths() -> Message:
    """Show where configuration files are looked for, and which are there."""
    places = configuration.places()
    states = {name: os.path.exists(path) for name, path in places.items()}
    lines = ["Configuration file paths (in priority order):", ""]
    for name, path in places.items():
        lines.append(f"  {name.capitalize() + ':':<8} {path} ({'exists' if states[name] else 'not found'})")
    lines += [
        "",
        "Environment variables (highest priority):",
        "  TORC_ and the key in capitals, with __ between its parts:",
        "  TORC_CLIENT__RUN__NUM_CPUS=4 is num_cpus of the table [client.run].",
        "",
    ]
    active = [str(path) for name, path in places.items() if states[name]]
    if active:
        lines.append(f"Active configuration files: {', '.join(active)}")
    else:
        lines.append("No configuration files found. Run 'torc config init --user' to create one.")
    data = {name: {"path": str(path), "exists": states[name]} for name, path in places.items()}
    return Message(says="\n".join(lines), data=data)


@command(
    "config init",
    flag("--system", help="for everybody on this machine"),
    flag("--local", help="for this folder"),
    flag("--user", help="for you, wherever you work (this is the default)"),
    flag("-f", "--force", help="write over a file that is there already"),
    needs_server=False,
    needs_settings=False,
    examples=("torc config init --user   # then edit the file", "torc config init --local"),
)
def init(*, system: bool, local: bool, user: bool, force: bool) -> Message:
    """Write a configuration file that names every setting and sets none."""
    if system + local + user > 1:
        raise UsageError("only one of --system, --local and --user can be meant.")
    path = configuration.places()["system" if system else "local" if local else "user"]
    if os.path.exists(path) and not force:
        raise TorcError(f"Configuration file already exists: {path}. Use --force to overwrite it.")
    lines = [] if path.parent.is_dir() else [f"Created directory: {path.parent}"]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_template(), encoding="utf-8")
    except OSError as error:
        hint = "; only root may write there" if system else ""
        raise TorcError(f"{path} cannot be written: {error.strerror}{hint}.") from error
    lines += [f"Created configuration file: {path}", "", "Edit it, then check it with: torc config validate"]
    return Message(says="\n".join(lines), data={"status": "success", "file": str(path)})


TEMPLATE_HEAD = """# Settings of torc. What is commented out is the default.
# Later files win: /etc/torc/config.toml, ~/.config/torc/config.toml, ./torc.toml. The environment and options win over
# all of them. `torc config show --origins` tells what counts, `torc config validate` what is wrong.
"""

PROFILE_EXAMPLE = """
# A system that torc does not know, and what it should use where nothing else is said:
# [client.hpc.custom_profiles.mycluster]
# display_name = "My cluster"
# detect_env_var = "CLUSTER=mycluster"
# default_account = "project"
# partitions = [{name = "short", cpus_per_node = 64, memory_mb = 256000, max_walltime_secs = 14400}]
"""


def _template() -> str:
    tables: dict[str, list[Setting]] = {}
    for key, setting in settings.BY_KEY.items():
        tables.setdefault(key.rpartition(".")[0], []).append(setting)
    paragraphs = [TEMPLATE_HEAD]
    for table in sorted(tables):
        paragraphs.append(f"\n[{table}]\n")
        for setting in tables[table]:
            paragraphs.append(f"# {setting.help}\n# {setting.name} = {_default_of(setting)}\n")
        if table == "client.hpc":
            paragraphs.append(PROFILE_EXAMPLE)
    return "".join(paragraphs)


def _default_of(setting: Setting) -> str:
    if setting.default is None:
        return "(not set)"
    return toml.as_value(str(setting.default) if isinstance(setting.default, Path) else setting.default)


@command(
    "config validate",
    needs_server=False,
    needs_settings=False,
    examples=("torc config validate",),
    exit_codes={EXIT_ERROR: "something in a file or in the environment cannot be used"},
)
def validate() -> Message:
    """Check all configuration files and the environment."""
    lines, files, errors = ["Validating configuration...", ""], [], []
    try:
        files = configuration.existing_files()
    except TorcError as error:
        errors.append(error.message)
    for path in files:
        try:
            errors += settings.problems_of(configuration.read_file(path))
        except TorcError as error:
            errors.append(error.message)
    errors += _problems_of_environment() or ([] if errors else _problems_of_clusters())
    if files:
        lines += ["Loading configuration from:", *(f"  - {path}" for path in files)]
    else:
        lines.append("No configuration files found (using defaults)")
    data = {"valid": not errors, "files": list(map(str, files)), "errors": errors}
    if errors:
        remark = "\n".join([f"Configuration has {len(errors)} error(s):", *(f"  - {one}" for one in errors)])
        return Message(says="\n".join(lines), data=data, remark=remark, exit_code=EXIT_ERROR)
    key_settings = (settings.API_URL, settings.FORMAT, settings.PORT, settings.DASH_PORT)
    lines += ["", "Configuration is valid.", "", "Key settings:"]
    lines += [f"  {setting.key} = {setting.configured()}" for setting in key_settings]
    return Message(says="\n".join(lines), data=data)


def _problems_of_environment() -> list[str]:
    """Values that cannot be read, and variables that look like a setting's and are none's."""
    from torc.cli.clusters import ACCOUNTS  # profiles of clusters are not for the other commands

    problems = []
    for setting in settings.BY_KEY.values():
        try:
            setting.in_environment()
        except TorcError as error:
            problems.append(error.message)
    known = {setting.variable for setting in settings.BY_KEY.values()}
    tables = tuple(f"TORC_{name}__" for name in ("CLIENT", "SERVER", "DASH"))
    for variable in sorted(set(os.environ) - known):
        if variable.startswith(tables) and not variable.startswith(ACCOUNTS):
            problems.append(f"{variable}: there is no such setting; docs/settings.md has all of them.")
    misspelt = {setting.variable.replace("__", "_"): setting.variable for setting in settings.BY_KEY.values()}
    older = {setting.older_variable for setting in settings.BY_KEY.values()}
    for variable in sorted(misspelt.keys() & os.environ.keys() - older - known):
        problems.append(f"{variable}: there is no such setting; do you mean {misspelt[variable]}?")
    return problems


def _problems_of_clusters() -> list[str]:
    """What is wrong with profiles although each entry can be read."""
    from torc.cli.clusters import profiles

    try:
        profiles()
    except TorcError as error:
        return [error.message]
    return []
