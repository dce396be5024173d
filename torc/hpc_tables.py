"""What may stand in the tables below ``client.hpc`` whose names are the user's: accounts and clusters of their own."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple


class Kind(NamedTuple):
    """A type of TOML and its name in a sentence, and how small a number may be."""

    types: tuple[type, ...]
    words: str
    minimum: int = 0
    inner: "Kind | None" = None  # of what is in a list

    def fits(self, value: Any) -> bool:
        """Whether ``value`` is of it; true is no number."""
        is_of_it: bool = isinstance(value, self.types) and (bool in self.types or not isinstance(value, bool))
        return is_of_it and (self.inner is None or all(map(self.inner.fits, value)))

    def is_too_small(self, value: Any) -> bool:
        """Whether it is a number, and not at least the minimum, as NaN."""
        return isinstance(value, int | float) and not value >= self.minimum


TEXT, TRUTH = Kind((str,), "a string"), Kind((bool,), "true or false")
COUNT, FROM_1 = Kind((int,), "a whole number"), Kind((int,), "a whole number", minimum=1)
FACTOR = Kind((int, float), "a number")

TABLES: Mapping[str, Mapping[str, Kind]] = {
    "client.hpc.profile_overrides": {"default_account": TEXT},
    "client.hpc.custom_profiles": {
        "display_name": TEXT,
        "description": TEXT,
        "detect_env_var": TEXT,
        "detect_hostname": TEXT,
        "detect_file": TEXT,
        "default_account": TEXT,
        "charge_factor_cpu": FACTOR,
        "charge_factor_gpu": FACTOR,
        "partitions": Kind((list,), "a list of tables"),
    },
}
PARTITION: Mapping[str, Kind] = {
    "name": TEXT,
    "description": TEXT,
    "cpus_per_node": FROM_1,
    "memory_mb": FROM_1,
    "max_walltime_secs": FROM_1,
    "max_nodes": FROM_1,
    "max_nodes_per_user": FROM_1,
    "min_nodes": COUNT,
    "gpus_per_node": COUNT,
    "gpu_type": TEXT,
    "gpu_memory_gb": COUNT,
    "local_disk_gb": COUNT,
    "shared": TRUTH,
    "requires_explicit_request": TRUTH,
    "default_qos": TEXT,
    "features": Kind((list,), "a list of strings", inner=TEXT),
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
    elif field == "detect_env_var" and isinstance(value, str) and value.find("=") < 1:
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
    elif known[field].is_too_small(value):
        yield f"must not be less than {known[field].minimum}, and is {value!r}"
