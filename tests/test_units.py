import re

import pytest

from torc.units import (
    format_bytes,
    format_duration_s,
    format_walltime,
    parse_duration,
    parse_memory,
    parse_slurm_memory,
    parse_walltime,
    utc_now_iso,
)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("1024", 1024),
        ("+5", 5),
        ("1k", 1024),
        ("512m", 512 * 1024**2),
        ("2G", 2 * 1024**3),
        (" 1.5g ", 3 * 512 * 1024**2),
        ("0.1k", 102),
        ("2t", 2 * 1024**4),
        ("9223372036854775807", 2**63 - 1),
    ],
)
def test_memory_text_is_read_in_powers_of_1024(text, size):
    assert parse_memory(text) == size


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Memory string cannot be empty"),
        ("  ", "Memory string cannot be empty"),
        ("1x", "Invalid memory unit: x"),
        ("1gb", "Invalid memory unit: b"),
        ("4 g", "Invalid number in memory string: 4 "),
        ("g", "Invalid number in memory string: "),
        ("1.5", "Invalid number in memory string: 1.5"),
        ("1e3k", "Invalid number in memory string: 1e3"),
        ("1g1", "Invalid number in memory string: 1g1"),
        ("٣g", "Invalid number in memory string"),
        ("-1g", "Memory size cannot be negative"),
        ("9223372036854775808", "Memory size too large, would cause overflow"),
        ("9999999t", "Memory size too large, would cause overflow"),
        ("9" * 5000, "Memory size too large, would cause overflow"),
    ],
)
def test_bad_memory_text_is_refused_with_the_reason(text, reason):
    with pytest.raises(ValueError, match=reason):
        parse_memory(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("PT1H", 3600),
        ("PT36H", 129_600),
        ("PT30M", 1800),
        ("P1D", 86_400),
        ("P1DT12H", 129_600),
        ("P0DT1M", 60),
        ("P0DT0M", 0),
        ("P7DT12H", 648_000),
        ("P1W", 604_800),
        ("P1M", 2_629_800),
        ("P1Y", 31_557_600),
        ("PT1.5S", 1),
        ("PT1,5S", 1),
        (" PT1H ", 3600),
        ("P1Y2M3DT4H5M6S", 37_091_106),
    ],
)
def test_iso_8601_durations_become_seconds(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["P", "PT", "P1", "P1DT", "1H", "pt1h", "-PT1H", "PT-1H", "P1.5D", "PT1.5H", "PT1h", "PT1M1H", "P1W2D", "PT1H foo"]
    + ["04:00:00", "PT9999999999999H", "P" + "9" * 5000 + "D"],
)
def test_a_duration_with_anything_left_over_is_refused(text):
    with pytest.raises(ValueError, match="Invalid ISO 8601 duration format"):
        parse_duration(text)


def test_an_empty_duration_and_one_of_ages_are_refused():
    with pytest.raises(ValueError, match="Duration string cannot be empty"):
        parse_duration(" ")
    with pytest.raises(ValueError, match="Duration too large"):
        parse_duration("P999999999999Y")


@pytest.mark.parametrize("seconds", [0, 1, 60, 3599, 3600, 5400, 86_399, 86_400, 90_061, 10**9])
def test_a_formatted_duration_reads_back(seconds):
    assert parse_duration(format_duration_s(seconds)) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 5400),
        ("4:30", 270),
        ("90:00", 5400),
        ("04:00:00", 14_400),
        ("00:90:00", 5400),
        ("1-12", 129_600),
        ("1-12:30", 131_400),
        ("2-00:00:10", 172_810),
        ("0", 0),
        ("2h", 7200),
        ("30m", 1800),
        ("45s", 45),
        ("1d", 86_400),
        ("1d12h", 129_600),
        ("1h30m", 5400),
        (" 04:00:00 ", 14_400),
    ],
)
def test_a_walltime_is_read_as_slurm_reads_it_or_as_people_say_it(text, seconds):
    assert parse_walltime(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", " ", "4 hours", "2.5h", "h", "30m1h", "2H", "-1:00", "1:2:3:4", "1-", "1-2h", "PT1H", "UNLIMITED", "9" * 10],
)
def test_what_is_no_walltime_is_refused(text):
    with pytest.raises(ValueError, match="Invalid walltime"):
        parse_walltime(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "00:00:00"), (59, "00:00:59"), (86_399, "23:59:59"), (86_400, "1-00:00:00"), (176_461, "2-01:01:01")],
)
def test_a_walltime_is_shown_as_slurm_shows_it_and_reads_back(seconds, text):
    assert format_walltime(seconds) == text
    assert parse_walltime(text) == seconds


@pytest.mark.parametrize(
    ("text", "size"),
    [("1024", 1024**3), ("4000M", 4000 * 1024**2), ("180G", 180 * 1024**3), ("1.5g", 1536 * 1024**2), ("512k", 2**19)]
    + [("2T", 2 * 1024**4), ("0", 0), (" 8G ", 8 * 1024**3)],
)
def test_a_bare_number_is_megabytes_to_slurm(text, size):
    assert parse_slurm_memory(text) == size


@pytest.mark.parametrize("text", ["", "lots", "8GB", "-1G", "1_000"])
def test_what_is_no_memory_to_slurm_is_refused(text):
    with pytest.raises(ValueError, match="memory|Memory"):
        parse_slurm_memory(text)


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0"), (1023, "1023"), (1024, "1k"), (1536, "1.5k"), (3 * 1024**3, "3g"), (2**50, "1024t")]
)
def test_a_size_is_shown_in_its_largest_unit(size, text):
    assert format_bytes(size) == text


def test_the_present_moment_has_milliseconds_and_a_z():
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", utc_now_iso())
