"""The values of one parameter: ``1:10``, ``0.0:1.0:0.1``, ``log(1,1000,4)``, ``['a','b']``, lists and numbers."""

import math
import re
from decimal import Decimal
from typing import Any

Value = int | float | str

MAX_VALUES = 5_000_000
"""Most values of one parameter, and most jobs or files made from one template."""

INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
FLOAT = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?")
SPACED = re.compile(r"(lin|log)\((.*)\)")
ITEM = re.compile(r"""\s*(?:'([^']*)'|"([^"]*)"|([^,'"\s][^,]*?|))\s*(?:,|$)""")


def parse_values(raw: Any) -> list[Value]:
    """All values of a parameter as written in a specification. Raises ValueError with the reason and the cure."""
    if isinstance(raw, list):
        values = [native(item) for item in raw]
    elif isinstance(raw, str):
        values = parse_text(raw.strip())
    else:
        values = [native(raw)]
    if not values:
        raise ValueError("has no values; list at least one")
    return values


def native(item: Any) -> Value:
    """A value written as YAML or JSON rather than as text."""
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, int | float | str):
        return item
    raise ValueError("may only hold numbers and texts, and lists of them")


def parse_text(text: str) -> list[Value]:
    """The values in a text by the grammar of the module."""
    if text.startswith("{") and text.endswith("}") and "," not in text:
        text = text[1:-1].strip()
    if text.startswith("[") and text.endswith("]"):
        return parse_list(text[1:-1])
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return [text[1:-1]]
    if spaced := SPACED.fullmatch(text):
        return spaced_values(spaced[1], spaced[2])
    if ":" in text:
        return parse_range(text)
    return [number_or_text(text)]


def parse_list(inside: str) -> list[Value]:
    """Items between brackets, separated by commas; quotes protect commas and keep numbers as text."""
    values: list[Value] = []
    at = 0
    while at < len(inside):
        match = ITEM.match(inside, at)
        if match is None:
            raise ValueError(f"is not a list of values near {inside[at : at + 20]!r}; check its quotes and commas")
        single, double, bare = match.groups()
        values.append(number_or_text(bare) if bare is not None else single if single is not None else double)
        at = match.end()
    if inside.rstrip().endswith(","):
        raise ValueError("ends with a comma; remove it, or write '' for an empty text")
    return values


def number_or_text(text: str) -> Value:
    """The number a text spells, else the text."""
    if INTEGER.fullmatch(text):
        return int(text)
    return float(text) if FLOAT.fullmatch(text) else text


def parse_range(text: str) -> list[Value]:
    """The values of ``start:end`` or ``start:end:step``, the end included."""
    parts = [part.strip() for part in text.split(":")]
    numbers = [number_or_text(part) for part in parts]
    if len(parts) not in (2, 3) or any(isinstance(number, str) for number in numbers):
        raise ValueError(
            f"cannot read {text!r} as a range start:end or start:end:step; put a text with a colon in quotes: ['...']"
        )
    start, end, *rest = parts
    step = rest[0] if rest else "1"
    whole = [INTEGER.fullmatch(part) is not None for part in (start, end, step)]
    if all(whole):
        return integer_range(int(start), int(end), int(step), text)
    # The book writes 0.0001:0.01:10 for ten values on a log scale.
    if rest and whole[2] and 0 < float(start) < float(end) and int(step) > float(end) - float(start):
        return spaced_values("log", f"{start},{end},{step}")
    return decimal_range(Decimal(start), Decimal(end), Decimal(step), text)


def integer_range(start: int, end: int, step: int, text: str) -> list[Value]:
    """``start``, ``start + step``, ... up to and including ``end``."""
    check_direction(start, end, step, text)
    values = range(start, end + (1 if step > 0 else -1), step)
    check_count(len(values), text)
    return list(values)


def decimal_range(start: Decimal, end: Decimal, step: Decimal, text: str) -> list[Value]:
    """The same for decimals: computed in decimal, so that 0.1 + 0.2 is 0.3. The end counts within rounding."""
    check_direction(start, end, step, text)
    if abs(end - start) > MAX_VALUES * abs(step):
        raise too_many(text)
    count = int((end - start) / step + Decimal("1e-9")) + 1
    return [float(start + step * position) for position in range(count)]


def check_direction(start: int | Decimal, end: int | Decimal, step: int | Decimal, text: str) -> None:
    """Refuse a range that would be empty or endless."""
    if step == 0:
        raise ValueError(f"has the step 0 in {text!r}; write a step that leads from start to end")
    if (end - start) * step < 0:
        raise ValueError(
            f"runs the wrong way in {text!r}, so it has no values; swap the ends or change the step's sign"
        )


def spaced_values(scale: str, arguments: str) -> list[Value]:
    """The values of ``lin(a,b,n)`` or ``log(a,b,n)``: n values from a to b, both included, evenly spaced.

    Rounded to 12 digits. Whole numbers stay whole when all values are.
    """
    text = f"{scale}({arguments})"
    parts = [part.strip() for part in arguments.split(",")]
    if len(parts) != 3 or not all(FLOAT.fullmatch(part) for part in parts) or not INTEGER.fullmatch(parts[2]):
        raise ValueError(f"cannot read {text!r}; write {scale}(start,end,count) with a whole count")
    start, end, count = float(parts[0]), float(parts[1]), int(parts[2])
    if count < 1 or (count == 1 and start != end and scale == "lin"):
        raise ValueError(f"has too small a count in {text!r}; write at least 2")
    if scale == "log" and (start <= 0 or end <= 0):
        raise ValueError(f"needs two positive ends in {text!r}, as a log scale has no zero")
    check_count(count, text)
    gaps = max(count - 1, 1)
    if scale == "lin":
        inner = [start + (end - start) * (position / gaps) for position in range(1, gaps)]
    else:
        ratio = math.log(end) - math.log(start)
        inner = [start * math.exp(ratio * (position / gaps)) for position in range(1, gaps)]
    values = [start, *(float(f"{value:.12g}") for value in inner), end][:count]
    if INTEGER.fullmatch(parts[0]) and INTEGER.fullmatch(parts[1]) and all(value.is_integer() for value in values):
        return [int(value) for value in values]
    return list(values)


def check_count(count: int, text: str) -> None:
    """Refuse more values than anyone can mean."""
    if count > MAX_VALUES:
        raise too_many(text)


def too_many(text: str) -> ValueError:
    """The error for a range without a sensible end."""
    return ValueError(f"has more than {MAX_VALUES:,} values in {text!r}")


def plain_text(value: Value) -> str:
    """A value as ``{name}`` shows it: floats without exponent and without a trailing ``.0``."""
    if isinstance(value, float) and math.isfinite(value):
        text = format(Decimal(repr(value)), "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(value)
