"""The clusters that are known: ours, and those of the user's configuration."""

from collections.abc import Mapping
from typing import Any

import msgspec

from torc.errors import TorcError
from torc.hpc.kestrel import KESTREL
from torc.hpc.profile import Detection, Partition, Profile

BUILT_IN = (KESTREL,)

Tables = Mapping[str, Mapping[str, Any]]
"""Tables of a configuration file by the name of a profile. They have been checked (``torc/hpc_tables.py``)."""


def known(custom: Tables, overrides: Tables) -> dict[str, Profile]:
    """Profiles by name. One of the user takes the place of ours with its name; ``overrides`` change single fields.

    TorcError for an override of a profile that is not there.
    """
    found = {profile.name: profile for profile in BUILT_IN}
    found |= {name: _custom(name, table) for name, table in custom.items()}
    for name, table in overrides.items():
        if name not in found:
            raise TorcError(
                f"client.hpc.profile_overrides.{name}: there is no HPC profile {name!r}, but: {', '.join(found)}."
            )
        found[name] = msgspec.structs.replace(found[name], **table)
    return found


def _custom(name: str, table: Mapping[str, Any]) -> Profile:
    fields = {key: value for key, value in table.items() if not key.startswith("detect_")}
    partitions = msgspec.convert(fields.pop("partitions", []), list[Partition])
    usual = {"display_name": name, "detection": _signs(table), "partitions": partitions}
    return Profile(name=name, **{**usual, **fields})


def _signs(table: Mapping[str, Any]) -> list[Detection]:
    signs = []
    if "detect_env_var" in table:
        variable, _, value = table["detect_env_var"].partition("=")
        signs.append(Detection(type="env_var", name=variable, value=value))
    if "detect_hostname" in table:
        signs.append(Detection(type="hostname_pattern", pattern=table["detect_hostname"]))
    if "detect_file" in table:
        signs.append(Detection(type="file_exists", path=table["detect_file"]))
    return signs
