"""Text and numbers: "2g" and bytes, ISO 8601 durations and seconds, the present moment as text."""

import re
from datetime import UTC, datetime

MAX_BYTES = 2**63 - 1  # what SQLite can store
MAX_DURATION_S = 2**53  # what any JSON reader keeps exact

GIB = 1024**3

BYTES_PER_UNIT = {"": 1, "k": 1024, "m": 1024**2, "g": GIB, "t": 1024**4}

SECONDS_PER_UNIT = {
    "years": 31_557_600,
    "months": 2_629_800,
    "weeks": 604_800,
    "days": 86_400,
    "hours": 3_600,
    "minutes": 60,
    "seconds": 1,
}

AMOUNT = re.compile(r"\+?([0-9]{1,20})(?:\.([0-9]{1,20}))?")

DURATION = re.compile(
    r"P(?:(?P<weeks>[0-9]{1,12})W"
    r"|(?=[0-9T])(?:(?P<years>[0-9]{1,12})Y)?(?:(?P<months>[0-9]{1,12})M)?(?:(?P<days>[0-9]{1,12})D)?"
    r"(?:T(?=[0-9])(?:(?P<hours>[0-9]{1,12})H)?(?:(?P<minutes>[0-9]{1,12})M)?"
    r"(?:(?P<seconds>[0-9]{1,12})(?:[.,][0-9]+)?S)?)?)"
)

WALLTIME = re.compile(r"(?:([0-9]{1,6})-)?([0-9]{1,9})(?::([0-9]{1,9}))?(?::([0-9]{1,9}))?")
SPOKEN_WALLTIME = re.compile(
    r"(?:(?P<days>[0-9]{1,6})d)?(?:(?P<hours>[0-9]{1,9})h)?(?:(?P<minutes>[0-9]{1,9})m)?(?:(?P<seconds>[0-9]{1,9})s)?"
)


def parse_memory(text: str) -> int:
    """Bytes in a memory text such as ``512m`` or ``1.5g``.

    Units are k, m, g and t in either case, powers of 1024; without a unit the number is bytes and must be whole.
    Raises ValueError with the reason.
    """
    amount = text.strip()
    if not amount:
        raise ValueError("Memory string cannot be empty")
    unit = amount[-1].lower() if amount[-1].isalpha() else ""
    number = amount[: len(amount) - len(unit)]
    if unit not in BYTES_PER_UNIT:
        raise ValueError(f"Invalid memory unit: {amount[-1]}")
    if number.startswith("-"):
        raise ValueError("Memory size cannot be negative")
    match = AMOUNT.fullmatch(number)
    if match is None and number.isascii() and number.isdecimal():
        raise ValueError("Memory size too large, would cause overflow")
    if match is None or (match[2] and not unit):
        raise ValueError(f"Invalid number in memory string: {number[:40]}")
    fraction = match[2] or ""
    size: int = int(match[1] + fraction) * BYTES_PER_UNIT[unit] // 10 ** len(fraction)
    if size > MAX_BYTES:
        raise ValueError("Memory size too large, would cause overflow")
    return size


def parse_slurm_memory(text: str) -> int:
    """Bytes in the text of sbatch's ``--mem``: as ``parse_memory``, but a bare number is megabytes, 0 all there is."""
    amount = text.strip()
    return parse_memory(amount if amount[-1:].isalpha() else f"{amount}m")


def format_bytes(size: int) -> str:
    """A size in the largest unit that keeps it at least 1, in the grammar of ``parse_memory``: ``1.5g``."""
    amount = float(size)
    for unit in ("", "k", "m", "g"):
        if amount < 1024:
            return f"{amount:.1f}".removesuffix(".0") + unit
        amount /= 1024
    return f"{amount:.1f}".removesuffix(".0") + "t"


def parse_duration(text: str) -> int:
    """Seconds in an ISO 8601 duration such as ``PT30M``, ``P1DT12H`` or ``P2W``.

    Upper case, units in this order, whole numbers; only seconds may have decimals, which are dropped. A year is
    365.25 days, a month a twelfth of it. Raises ValueError with the reason, also for anything left over.
    """
    duration = text.strip()
    if not duration:
        raise ValueError("Duration string cannot be empty")
    match = DURATION.fullmatch(duration)
    if match is None:
        raise ValueError(f"Invalid ISO 8601 duration format: {duration[:40]}")
    seconds = sum(int(count) * SECONDS_PER_UNIT[unit] for unit, count in match.groupdict("0").items())
    if seconds > MAX_DURATION_S:
        raise ValueError("Duration too large")
    return seconds


def parse_walltime(text: str) -> int:
    """Seconds in the text of sbatch's ``--time``, or in a text such as ``2h``, ``90m`` or ``1d12h``.

    Slurm reads ``minutes``, ``minutes:seconds``, ``hours:minutes:seconds``, ``days-hours``, ``days-hours:minutes`` and
    ``days-hours:minutes:seconds``. Raises ValueError with the reason.
    """
    walltime = text.strip()
    if match := WALLTIME.fullmatch(walltime):
        days, first, second, third = (int(part) if part else None for part in match.groups())
        if days is not None:
            hours, minutes, seconds = first, second or 0, third or 0
        elif third is not None:
            hours, minutes, seconds = first, second or 0, third
        else:
            hours, minutes, seconds = 0, first or 0, second or 0
        return (((days or 0) * 24 + (hours or 0)) * 60 + minutes) * 60 + seconds
    if (match := SPOKEN_WALLTIME.fullmatch(walltime)) and any(match.groups()):
        return sum(int(count) * SECONDS_PER_UNIT[unit] for unit, count in match.groupdict("0").items())
    raise ValueError(f"Invalid walltime: {walltime[:40]}")


def format_walltime(seconds: int) -> str:
    """The time as Slurm shows it: ``04:00:00``, ``1-12:00:00``."""
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    return (f"{days}-" if days else "") + f"{hour:02d}:{minute:02d}:{second:02d}"


def format_duration_s(seconds: int) -> str:
    """The ISO 8601 duration that ``parse_duration`` reads back as ``seconds``: ``PT1H30M``."""
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    date = f"{days}D" if days else ""
    time = "".join(f"{count}{unit}" for count, unit in ((hour, "H"), (minute, "M"), (second, "S")) if count)
    if not date and not time:
        return "PT0S"
    return f"P{date}T{time}" if time else f"P{date}"


def utc_now_iso() -> str:
    """The present moment as ``YYYY-MM-DDTHH:MM:SS.mmmZ``."""
    return _iso(datetime.now(UTC))


def iso_of(epoch_s: float) -> str:
    """Seconds since the epoch as ``YYYY-MM-DDTHH:MM:SS.mmmZ``."""
    return _iso(datetime.fromtimestamp(epoch_s, UTC))


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def epoch_of(iso: str) -> float | None:
    """Seconds since the epoch of an ISO 8601 moment, UTC unless it says otherwise; None for anything else."""
    try:
        moment = datetime.fromisoformat(iso)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
