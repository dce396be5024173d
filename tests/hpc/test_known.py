"""The clusters that are known, and which one this is."""

import msgspec
import pytest

from torc import hpc_tables
from torc.errors import TorcError
from torc.hpc.detect import detected
from torc.hpc.kestrel import KESTREL
from torc.hpc.known import known
from torc.hpc.profile import Partition, Profile

PARTITION = {"name": "batch", "cpus_per_node": 48, "memory_mb": 192000, "max_walltime_secs": 259200}


def test_the_checked_tables_have_the_fields_of_the_structs():
    fields = {field.name: field for field in msgspec.structs.fields(Partition)}
    assert set(hpc_tables.PARTITION) == set(fields)
    assert set(hpc_tables.REQUIRED) == {name for name, field in fields.items() if field.required}
    plain = {name for name in hpc_tables.TABLES["client.hpc.custom_profiles"] if not name.startswith("detect_")}
    assert plain == {field.name for field in msgspec.structs.fields(Profile)} - {"name", "detection", "metadata"}


def test_a_custom_profile_has_the_defaults_of_what_it_leaves_out():
    own = known({"own": {"partitions": [{**PARTITION, "max_nodes": 4, "features": ["x"]}]}}, {})["own"]
    assert (own.display_name, own.default_account, own.charge_factor_cpu, own.charge_factor_gpu) == ("own", None, 1, 10)
    assert own.partitions == [Partition(**PARTITION, max_nodes=4, features=["x"])]


def test_a_custom_profile_takes_the_place_of_ours():
    found = known({"own": {}, "kestrel": {"display_name": "Mine"}}, {})
    assert [(name, profile.display_name) for name, profile in found.items()] == [("kestrel", "Mine"), ("own", "own")]


def test_overrides_change_a_field_of_any_profile():
    found = known(
        {"own": {"partitions": [PARTITION]}}, {"kestrel": {"default_account": "a"}, "own": {"default_account": "b"}}
    )
    assert (found["kestrel"].default_account, found["own"].default_account) == ("a", "b")
    assert found["kestrel"].partitions == KESTREL.partitions


def test_an_override_of_nothing_is_refused():
    with pytest.raises(
        TorcError, match=r"^client.hpc.profile_overrides.kestral: there is no HPC profile 'kestral', but: kes"
    ):
        known({}, {"kestral": {"default_account": "a"}})


@pytest.mark.parametrize(
    ("table", "environ", "hostname", "sign"),
    [
        ({"detect_env_var": "SITE=a=b"}, {"SITE": "a=b"}, "x", "SITE=a=b"),
        ({"detect_env_var": "SITE=a"}, {"SITE": "b"}, "x", None),
        ({"detect_env_var": "SITE="}, {}, "x", None),
        ({"detect_hostname": r"\.site\.edu"}, {}, "login01.site.edu", r"hostname matches \.site\.edu"),
        ({"detect_hostname": r"^site"}, {}, "login01.site.edu", None),
        ({"detect_env_var": "SITE=a", "detect_hostname": "^log"}, {}, "login01", "hostname matches ^log"),
        ({"detect_file": "/"}, {}, "x", "/ exists"),
        ({"detect_file": "/nothing/there"}, {}, "x", None),
        ({}, {}, "", None),
    ],
)
def test_any_sign_detects(table, environ, hostname, sign):
    found = detected(known({"own": table}, {}).values(), environ, hostname)
    assert found == (None if sign is None else (known({"own": table}, {})["own"], sign))


def test_the_first_profile_that_is_detected_counts():
    found = detected(known({"own": {"detect_hostname": ""}}, {}).values(), {"NREL_CLUSTER": "kestrel"}, "kl1")
    assert found == (KESTREL, "NREL_CLUSTER=kestrel")
