"""The address of the server as compute nodes reach it."""

import pytest

from torc.errors import UsageError
from torc.rendezvous import host_name
from torc.workflow.allocations import url_for_nodes


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "127.0.1.1"])
def test_a_loopback_address_becomes_the_name_of_the_host_where_the_server_answers_to_it(host):
    asked = []
    found = url_for_nodes(f"http://{host}:8080/torc-service/v1", lambda url: not asked.append(url))
    assert [found] == asked == [f"http://{host_name()}:8080/torc-service/v1"]


def test_a_server_for_this_machine_only_is_refused_with_the_command_that_helps():
    with pytest.raises(UsageError, match="torc-server run --host 0.0.0.0 --port 8080 "):
        url_for_nodes("http://localhost:8080/torc-service/v1", lambda url: False)


@pytest.mark.parametrize("url", ["https://torc.example.org/torc-service/v1", "http://10.0.0.5:8080/torc-service/v1"])
def test_another_address_stays(url):
    assert url_for_nodes(url, lambda url: False) == url
