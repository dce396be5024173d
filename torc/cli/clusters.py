"""The clusters that commands know, and the one that a command line means."""

import os

from torc.errors import TorcError, UsageError
from torc.hpc.detect import detected
from torc.hpc.known import Tables, known
from torc.hpc.profile import Profile
from torc.rendezvous import host_name
from torc.settings import HPC_ACCOUNT, in_files

CUSTOM, OVERRIDES = "client.hpc.custom_profiles.", "client.hpc.profile_overrides."

ACCOUNTS = "TORC_CLIENT__HPC__PROFILE_OVERRIDES__"
"""Before the name of a profile in capitals and __DEFAULT_ACCOUNT: the variable with its account."""


def profiles() -> dict[str, Profile]:
    """All profiles by name, with what the configuration says of them."""
    custom = _tables(CUSTOM)
    return known(custom, {**_tables(OVERRIDES), **_overrides_of_environment(list(known(custom, {})))})


def _tables(above: str) -> Tables:
    tables: dict[str, dict[str, object]] = {}
    for key, entry in in_files().items():
        if key.startswith(above):
            name, _, field = key.removeprefix(above).rpartition(".")
            tables.setdefault(name, {})[field] = entry.value
    return tables


def _overrides_of_environment(names: list[str]) -> Tables:
    variables = {f"{ACCOUNTS}{name.upper().replace('-', '_')}__DEFAULT_ACCOUNT": name for name in names}
    given = {variable: value for variable, value in os.environ.items() if variable.startswith(ACCOUNTS) and value}
    for variable in given.keys() - variables.keys():
        raise TorcError(f"{variable}: there is no such setting, but: {', '.join(variables)}.")
    return {variables[variable]: {"default_account": value} for variable, value in given.items()}


def here() -> tuple[Profile, str] | None:
    """The cluster that we are on, and the sign of it."""
    return detected(profiles().values(), os.environ, host_name())


def chosen(name: str | None, cure: str = "Use --profile NAME") -> Profile:
    """The profile of this name, or of the cluster that we are on. ``cure`` is how the command line names one."""
    if name is not None:
        found = profiles()
        if name not in found:
            raise UsageError(f"Unknown HPC profile: {name}. Known are: {', '.join(found)}; `torc hpc list` tells more.")
        return found[name]
    there = here()
    if there is None:
        raise UsageError(
            f"No HPC profile specified and no system detected. {cure} or run on an HPC system; `torc hpc list` shows "
            "which are known, `torc hpc generate` makes a profile of the cluster you are on."
        )
    return there[0]


def account_for(profile: Profile, given: str | None) -> str:
    """The account for allocations: as given, of the profile, or of the configuration."""
    account: str | None = given or profile.default_account or HPC_ACCOUNT.configured()
    if account is None:
        raise UsageError(
            f"no account for allocations on {profile.title}: add --account NAME, or set client.hpc.default_account."
        )
    return account
