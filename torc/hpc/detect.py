"""Which of the known clusters this is."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from torc.hpc.profile import Detection, Profile


def detected(profiles: Iterable[Profile], environ: Mapping[str, str], hostname: str) -> tuple[Profile, str] | None:
    """The first profile that shows a sign of being here, and the sign in words."""
    for profile in profiles:
        for one in profile.detection:
            if _is_seen(one, environ, hostname):
                return profile, sign(one)
    return None


def sign(one: Detection) -> str:
    """A detection in words: ``NREL_CLUSTER=kestrel``, ``hostname matches ^login``."""
    if one.type == "env_var":
        return f"{one.name}={one.value}"
    return f"hostname matches {one.pattern}" if one.type == "hostname_pattern" else f"{one.path} exists"


def _is_seen(one: Detection, environ: Mapping[str, str], hostname: str) -> bool:
    if one.type == "env_var":
        return environ.get(one.name or "") == one.value
    if one.type == "hostname_pattern":
        return re.search(one.pattern or "", hostname) is not None
    return Path(one.path or "").expanduser().exists()
