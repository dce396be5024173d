"""What may stand in the tables below ``client.hpc`` whose names are the user's: accounts and clusters of their own."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple


class Kind(NamedTuple):
    """A type of TOML and its name in a sentence."""

    types: tuple[type, ...]
    words: str

    def fits(self, value: Any) -> bool:
        """Whether ``value`` is of it; true is no number."""
        return isinstance(value, self.types) and (bool in self.types or not isinstance(value, bool))


TEXT, TRUTH = Kind((str,), "a string"), Kind((bool,), "true or false")
WHOLE, NUMBER = Kind((int,), "a whole number"), Kind((int, float), "a number")

TABLES: Mapping[str, Mapping[str, Kind]] = {
    "client.hpc.profile_overrides": {"default_account": TEXT},
    "client.hpc.custom_profiles": {
        "display_name": TEXT,
        "description": TEXT,
        "detect_env_var": TEXT,
        "detect_hostname": TEXT,
        "default_account": TEXT,
        "charge_factor_cpu": NUMBER,
        "charge_factor_gpu": NUMBER,
        "partitions": Kind((list,), "a list of tables"),
    },
}
PARTITION: Mapping[str, Kind] = {
    "name": TEXT,
    "description": TEXT,
    "cpus_per_node": WHOLE,
    "memory_mb": WHOLE,
    "max_walltime_secs": WHOLE,
    "gpus_per_node": WHOLE,
    "gpu_type": TEXT,
    "gpu_memory_gb": WHOLE,
    "min_nodes": WHOLE,
    "shared": TRUTH,
    "requires_explicit_request": TRUTH,
}
REQUIRED = ("name", "cpus_per_node", "memory_mb", "max_walltime_secs")


def reasons(key: str, value: Any) -> Iterator[str]:
    """Why an entry such as ``client.hpc.custom_profiles.here.description`` cannot be used."""
    above = next(table for table in TABLES if key.startswith(table))
    *name, field = key.removeprefix(above).split(".")[1:] or [""]
    if not name:
        yield f"must be a table of tables, not {value!r}"
        return
    yield from _field(field, value, TABLES[above])
    if field == "partitions" and isinstance(value, list):
        for at, partition in enumerate(value):
            yield from (f"[{at}]: {reason}" for reason in _partition(partition))
    elif field == "detect_env_var" and isinstance(value, str) and "=" not in value:
        yield f"must be NAME=value, not {value!r}"
    elif field == "detect_hostname" and isinstance(value, str):
        try:
            re.compile(value)
        except re.error as error:
            yield f"{value!r} is no regular expression: {error}"


def _partition(partition: Any) -> Iterator[str]:
    if not isinstance(partition, dict):
        yield f"must be a table, not {partition!r}"
        return
    for field, value in partition.items():
        yield from (f"{field}: {reason}" for reason in _field(field, value, PARTITION))
    if missing := [field for field in REQUIRED if field not in partition]:
        yield f"{', '.join(missing)} must be given, too"


def _field(field: str, value: Any, known: Mapping[str, Kind]) -> Iterator[str]:
    if field not in known:
        yield f"there is no such key here, but: {', '.join(known)}"
    elif not known[field].fits(value):
        yield f"must be {known[field].words}, not {value!r}"
    elif NUMBER.fits(value) and value < 0:
        yield f"must not be less than 0, and is {value!r}"
